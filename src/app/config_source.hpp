#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "exit_code.hpp"
#include "flags.hpp"
#include "forebay/config/load.hpp"

namespace forebay::app {

using Variables = std::function<std::optional<std::string>(const std::string&)>;
/// The environment of this process.
Variables environment();

/// A diagnostic as one log line: position, code, message and hint, without the caret.
std::string one_line(const config::Diagnostic& diagnostic);

/// Says on standard error why a configuration cannot be used.
ExitCode refuse_configuration(const config::LoadResult& loaded);

/// Where a configuration comes from: a file (or none), the variables and the flags, in ascending precedence. Reads
/// everything again each time.
class ConfigSource {
 public:
  /// The configuration of `run`.
  ConfigSource(const RunFlags& flags, Variables variables);
  /// Of a file alone, for `check`.
  ConfigSource(const std::optional<std::string>& file, Variables variables);
  /// A text without a file.
  static ConfigSource of_text(std::string name, std::string text);

  config::LoadResult load();
  /// Whether there is a file that can be read again.
  bool has_file() const noexcept { return has_file_ && file_ != "-" && !text_; }
  /// The name for messages; "no file" without one.
  std::string name() const;
  /// As the subject of a sentence, such as `configuration of FILE`.
  std::string subject() const;

 private:
  ConfigSource() = default;
  void add(std::string key, std::string value, std::string name);

  Variables variables_;
  bool has_file_ = false;
  bool loaded_ = false;  // once: what cannot be read twice is only read then
  std::string file_;
  std::optional<std::string> text_;  // standard input, which cannot be read twice
  bool nothing_found_ = false;
  std::vector<std::pair<std::string, std::string>> overrides_;
  std::vector<std::string> override_names_;
};

}  // namespace forebay::app
