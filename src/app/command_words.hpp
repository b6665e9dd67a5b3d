#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "command_line.hpp"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace forebay::app {

/// A flag or a word as it was declared.
struct Option {
  CLI::Option* cli = nullptr;
  std::string what;  ///< `FILE`, `DUR`; empty for a flag without a value.
  std::string help;
  std::vector<std::string> choices;  ///< All possible values, if there are few.
  bool hidden = false;               ///< Not in the help and not suggested.
  bool repeats = false;

  Option& hide();
  Option& one_of(std::vector<std::string> values);
  Option& required();
  /// With dashes: `-c`, `--config`; none for a word.
  std::vector<std::string> names() const;
};

/// The flags and words of one command. A command derives from it: its constructor declares them, `finish` judges what
/// was written. What is declared must outlive the parsing; so it is a member of the derived class.
class CommandWords {
 public:
  explicit CommandWords(CLI::App& app) : app_(app) {}
  CommandWords(const CommandWords&) = delete;
  CommandWords& operator=(const CommandWords&) = delete;
  virtual ~CommandWords() = default;

  /// Called once after the parsing. What was ordered, or what is wrong with the words.
  virtual Command finish() = 0;
  /// Changes the words before they are parsed; the first is the command.
  virtual void prepare(std::vector<std::string>&) const {}
  /// Sentences that are better than "unknown flag", "unexpected argument" and "... is required".
  virtual std::optional<std::string> advice_on_flag(std::string_view) const { return std::nullopt; }
  virtual std::optional<std::string> advice_on_argument(const std::string&) const { return std::nullopt; }
  virtual std::optional<std::string> advice_on_missing(std::string_view) const { return std::nullopt; }

  // `names` are of CLI11: `-c,--config`. `what` names the value in the help.

  /// A flag with a value, which may be given once.
  Option& text(const char* names, std::string& into, const char* what, const char* help);
  Option& text(const char* names, std::optional<std::string>& into, const char* what, const char* help);
  /// A flag with a value that may be repeated.
  Option& list(const char* names, std::vector<std::string>& into, const char* what, const char* help);
  Option& flag(const char* names, bool& into, const char* help);
  /// A word that is no flag; and any number of them.
  Option& word(const char* name, std::string& into, const char* what, const char* help);
  Option& words(const char* name, std::vector<std::string>& into, const char* what, const char* help);

  /// What stands below the flags in the help.
  void below(const char* text);

  /// How often a flag was given.
  std::size_t count(const char* name) const;
  /// The first long name of each flag that was given, in the order of the command line: `--data`.
  std::vector<std::string> given_in_order() const;
  const std::vector<std::unique_ptr<Option>>& options() const { return options_; }

 private:
  Option& declare(CLI::Option* option, const char* what, const char* help);

  CLI::App& app_;
  std::vector<std::unique_ptr<Option>> options_;
};

/// A row of the table of commands.
using MakeWords = std::unique_ptr<CommandWords>(CLI::App&);
struct CommandRow {
  const char* name;
  const char* help;
  MakeWords* make;
};
/// All commands, in the order of the help.
const std::vector<CommandRow>& command_table();
/// Why this word is no command; nothing when it is one.
std::optional<Said> not_a_command(const std::string& word);
void for_each_command(const std::function<void(const CommandRow&, const CommandWords&)>& visit);
/// The help of a command, or with an empty name the overview.
std::string help_text(const std::string& command);

}  // namespace forebay::app
