#pragma once

#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "config/node.hpp"
#include "forebay/base/text.hpp"
#include "forebay/config/load.hpp"

namespace forebay::config {

/// Collects what is wrong, with its place in the file. Says the same thing about the same place once.
class Report {
 public:
  /// `text` must outlive the report. `flags` names the overrides, e.g. `--set cache.memory`.
  Report(std::string file, std::string_view text, std::vector<std::string> flags);

  void error(int code, const Place& place, std::string path, std::string message, std::string hint = {});
  void warning(int code, const Place& place, std::string path, std::string message, std::string hint = {});
  void error(int code, const Node& node, std::string path, std::string message, std::string hint = {}) {
    error(code, node.place, std::move(path), std::move(message), std::move(hint));
  }
  void warning(int code, const Node& node, std::string path, std::string message, std::string hint = {}) {
    warning(code, node.place, std::move(path), std::move(message), std::move(hint));
  }

  /// A diagnostic of this place that says nothing yet; it is none of the report.
  Diagnostic about(const Place& place, std::string path) const;

  /// Nothing but the text is read. `give_up`: see Surroundings.
  void read_alone(std::function<bool()> give_up) { alone_ = true, give_up_ = std::move(give_up); }
  bool alone() const noexcept { return alone_; }
  /// What stands there was not looked at (FB2090); `what` is the subject, such as `the file "a"`.
  void not_looked_at(const Node& node, std::string path, const std::string& what);
  /// What was not looked at may be anything, so that nothing is judged that depends on it.
  void leave_open() noexcept { ++open_; }
  /// It depends on nothing else.
  void settle() noexcept { open_ -= open_ > 0 ? 1 : 0; }
  bool open() const noexcept { return open_ > 0; }
  /// Once for each step of a loop over the text; ends the reading where that takes too long.
  struct GivenUp {};
  void step() const {
    if (give_up_ && give_up_()) throw GivenUp{};
  }

  /// A further file, whose lines are numbered behind those before it. Gives its text, which the report keeps. What is
  /// read next is of this file.
  std::string_view begin_file(std::string file, std::string text);
  /// How many files were read beside the configuration itself.
  std::size_t further_files() const noexcept { return files_.size() - 1; }
  /// A file, or a pattern for some, that the configuration depends on.
  void note_source(std::string name) { sources_.names.push_back(std::move(name)); }
  void note_pattern(std::string pattern) { sources_.patterns.push_back(std::move(pattern)); }
  SourceFiles take_sources() { return std::move(sources_); }
  /// The number of the first line of the file that is read.
  int first_line() const noexcept { return files_.back().first_line; }
  /// The file of a place, and the line in it; 0: it is in none.
  struct FileLine {
    const std::string& file;
    int line = 0;
    bool first = true;  ///< It is the configuration itself.
  };
  FileLine at(const Place& place) const noexcept;
  /// ` on line 3`, or ` on line 3 of FILE` where it is not in the first file.
  std::string in_words(const Place& place) const;

  bool failed() const noexcept { return failed_; }
  /// So many mistakes that looking for more would only take time.
  bool full() const noexcept { return diagnostics_.size() >= kMost; }
  /// Nothing more is taken; that there were too many has been said.
  bool closed() const noexcept { return diagnostics_.size() > kMost; }
  const std::vector<std::string_view>& lines() const noexcept { return lines_; }
  /// What an override is called, such as `--ttl`; empty when `place` is none.
  std::string flag_of(const Place& place) const;
  /// Keeps what stands there out of the lines that diagnostics show.
  void hide(const Place& place);
  /// In order of place, files in the order in which they were read; what flags say comes last.
  std::vector<Diagnostic> take();

 private:
  static constexpr std::size_t kMost = 1000;
  std::string shown(int number) const;
  void locate(Diagnostic& diagnostic, const Place& place) const;
  void name_line(Diagnostic& diagnostic) const;
  void add(Severity severity, int code, const Place& place, std::string path, std::string message, std::string hint);

  struct File {
    std::string name;
    int first_line = 1;
  };
  void add_lines(std::string_view text);
  const File& file_of(int line) const noexcept;

  SourceFiles sources_;
  std::vector<File> files_;
  std::deque<std::string> texts_;        // of all files but the first
  std::vector<std::string_view> lines_;  // of all files
  std::vector<std::string> flags_;
  std::vector<Diagnostic> diagnostics_;
  std::map<int, std::vector<std::pair<std::size_t, std::size_t>>> hidden_;  // line -> bytes from and to
  std::set<std::tuple<int, int, int, int, std::string>> seen_;              // flag, line, column, code, message
  bool failed_ = false, alone_ = false;
  std::size_t open_ = 0;
  std::function<bool()> give_up_;
};

/// `text` in double quotes for a message: cut when long, control bytes made visible.
std::string in_quotes(std::string_view text);
/// What a key is called in messages: without what follows a blank, a colon or an equals sign in it. `token hunter2` and
/// `token:hunter2` are keys for YAML.
std::string_view name_of_key(std::string_view text) noexcept;
/// The same in double quotes, with dots for what is left out.
std::string key_in_quotes(std::string_view text);
/// The names in a list that is written as one text: `a, b` or `a,b`. Empty for anything else.
std::vector<std::string_view> names_in(std::string_view text);
/// Whether there is something behind a name that may be its value: `X-Api-Key: ...`.
bool has_value_behind(std::string_view text);
/// `write [a, b]` for `a, b`; empty for what is no such list.
std::string list_hint(std::string_view text);
/// At most 80 bytes of it, cut between code points.
std::string clipped(std::string_view text);
/// Code points, counting each ill-formed byte as one.
int code_points(std::string_view text) noexcept;

}  // namespace forebay::config
