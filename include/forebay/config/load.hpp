#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "forebay/config/config.hpp"

namespace forebay::config {

enum class Severity : std::uint8_t { Error, Warning };

/// One thing that is wrong with a configuration. Lines and columns count from 1; 0 when there is no place (a flag).
struct Diagnostic {
  Severity severity = Severity::Error;
  int code = 0;      ///< 1001 is printed FB1001.
  std::string file;  ///< Empty when a flag is to blame.
  std::string flag;  ///< `--set routes.search.ttl`; empty for the file.
  int line = 0, column = 0, end_column = 0;
  std::string path;  ///< `routes[2].ttl.default`
  std::string message;
  std::string hint;         ///< What would be right; may be empty.
  std::string source_line;  ///< The line of the file, for the caret.
};

/// What surrounds the file: the environment, and what this machine has. Passed in, so that tests can say.
struct Surroundings {
  std::function<std::optional<std::string>(const std::string&)> variable;  ///< `${NAME}`
  std::uint64_t memory_limit = 0;  ///< Of the cgroup, else physical memory; bytes.
  bool memory_limit_is_cgroup = false;
  unsigned cpus = 1;        ///< cgroup CPU quota rounded up, else cores.
  bool text_alone = false;  ///< Neither variables nor files are looked at, so what they would give is not judged.
  std::function<bool()> give_up{};  ///< Asked often; true ends the reading. None: it takes its time.
};

struct LoadRequest {
  std::string file;  ///< Name for messages; `-` for standard input, empty for none.
  std::string text;  ///< The YAML; may be empty when there is no file.
  /// `--set KEY=VALUE` and the shortcuts (`origin`, `listen`, `ttl`, `memory`, `admin`, `log-level`, `log-format` are
  /// turned into these by the caller), and FOREBAY_* variables, in ascending precedence; `routes.NAME.x` addresses a
  /// route by its name.
  std::vector<std::pair<std::string, std::string>> overrides;
  /// What to call each override in messages (`--ttl`, `FOREBAY_TTL`); where empty or missing: `--set KEY`.
  std::vector<std::string> override_names;
};

/// What a configuration is read from.
struct SourceFiles {
  std::vector<std::string> names;
  std::vector<std::string> patterns;  ///< Of `include`: what matches them is read too.
};

struct LoadResult {
  ConfigPtr config;                     ///< Null when there is an error.
  std::vector<Diagnostic> diagnostics;  ///< All of them, in order of place.
  std::vector<Diagnostic> places{};     ///< Of each route by its index, for what is found about it later: no code yet.
  /// The same of each file that TLS reads, by the path of its key (`listen[0].tls.cert`), and of each origin, by
  /// `origin` and its name.
  std::map<std::string, Diagnostic, std::less<>> file_places{};
  std::size_t included{};  ///< How many files `include` has added.
  SourceFiles sources{};   ///< Those that were or should have been read, also when there is an error.
  bool ok() const noexcept { return config != nullptr; }
};
/// Reads, checks and types a configuration. Never throws; every mistake is a diagnostic.
LoadResult load(const LoadRequest& request, const Surroundings& surroundings);
/// The same with `request.file` read first (`-` is standard input, empty is no file); FB1008 when that fails.
LoadResult load_file(LoadRequest request, const Surroundings& surroundings);

/// What can be said of a text by itself: nothing else of the machine is read, whatever the text names, and no variable.
struct TextVerdict {
  bool ok = false;                      ///< There is no error.
  bool given_up = false;                ///< `give_up` has ended it, so that nothing is known.
  std::vector<Diagnostic> diagnostics;  ///< FB2090 says what was not looked at.
};
/// `surroundings` give the memory and the cores, and when to give up.
TextVerdict check_text(std::string_view text, Surroundings surroundings);

/// The text form with a caret; `color` adds ANSI colours.
std::string to_text(const std::vector<Diagnostic>& diagnostics, bool color = false);
/// A JSON array {file,line,column,end_column,severity,code,path,message,hint}.
std::string to_json(const std::vector<Diagnostic>& diagnostics);
/// Workflow commands of GitHub (`::error file=...`).
std::string to_github(const std::vector<Diagnostic>& diagnostics);
/// "2 errors, 1 warning"
std::string summary(const std::vector<Diagnostic>& diagnostics);

/// The effective configuration as YAML with the help of each option as comments (`check --print`); secrets are
/// redacted. It loads again to the same configuration.
std::string print(const Config& config);
/// The same keys and values as one JSON object. Durations and sizes are texts.
std::string print_json(const Config& config);

/// Where the value of a printed key comes from.
struct SettingSource {
  enum class Kind : std::uint8_t { Default, File, Flag };
  Kind kind = Kind::Default;
  std::string name;       ///< The file; or the flag or variable, such as `--ttl` and `FOREBAY_TTL`.
  int line = 0;           ///< In the file.
  bool variable = false;  ///< `${...}` stands there.
};
/// `print` with a comment behind each key that is not at its default: where it was set.
std::string print_with_sources(const Config& config);
/// {"config": what `print_json` gives, "sources": {path: {"from", "file", "line", "name", "variable"}}}, the sources of
/// all keys that are not at their defaults.
std::string print_json_with_sources(const Config& config);

/// Gives `fresh` the values of `running` of all settings that only a restart can change; tells the keys of those that
/// differ, such as `server.threads`.
std::vector<std::string> keep_until_restart(Config& fresh, const Config& running);

/// The keys whose values differ, as `print` shows them, such as `log.level`; elements of lists and maps by their names,
/// as `routes.search`. Another secret is no difference.
std::vector<std::string> changed_keys(const Config& fresh, const Config& before);

/// Reads the cgroup limits and the cores of this machine.
Surroundings surroundings_of_this_machine();
/// Searches -c, $FOREBAY_CONFIG, ./forebay.yaml and /etc/forebay/forebay.yaml; nothing when no file exists and none was
/// named.
std::optional<std::string> find_file(const std::optional<std::string>& named);

}  // namespace forebay::config
