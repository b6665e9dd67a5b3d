#include "command_line.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <exception>
#include <iostream>

#include "command_words.hpp"
#include "commands.hpp"
#include "forebay/base/suggest.hpp"

namespace forebay::app {
namespace {

constexpr std::string_view kIntroduction =
    "Forebay, a caching reverse proxy.\n\n"
    "  forebay --origin http://localhost:3000 --ttl 30s   one origin, without a configuration file\n"
    "  forebay -c forebay.yaml                            with a configuration file\n"
    "  forebay demo                                       with a built-in demo origin\n\n"
    "Without --ttl, or `ttl` in the file, only responses with a lifetime from the origin are stored.\n"
    "Not in this version: ";

/// All commands with the variables of their flags.
struct Commands {
  struct One {
    std::string name;
    CLI::App* app;
    std::unique_ptr<CommandWords> words;
  };
  CLI::App app{std::string(kIntroduction).append(kNotInThisVersion) + ".\n", "forebay"};
  std::vector<One> all;

  Commands() {
    app.require_subcommand(1);
    app.get_formatter()->column_width(34);
    for (const auto& row : command_table()) {
      auto* command = app.add_subcommand(row.name, row.help);
      all.push_back({row.name, command, row.make(*command)});
    }
  }
  const One& of(const std::string& name) const {
    return *std::find_if(all.begin(), all.end(), [&](const One& one) { return one.name == name; });
  }
};

bool is_command(const std::string& word) {
  const auto& table = command_table();
  return std::any_of(table.begin(), table.end(), [&](const CommandRow& row) { return word == row.name; });
}

Said unknown_command(const std::string& word) {
  std::vector<std::string_view> all;
  for (const auto& row : command_table()) all.emplace_back(row.name);
  std::string message = "unknown command \"" + word + '"';
  const auto meant = nearest(word, all);
  if (word.ends_with(".yaml") || word.ends_with(".yml"))
    message += "; did you mean forebay -c " + word + '?';
  else if (word.find("://") != std::string::npos)
    message += "; did you mean forebay --origin " + word + '?';
  else if (meant)
    message += "; did you mean \"" + *meant + "\"?";
  else
    message += "; see forebay help";
  return usage(std::move(message));
}

/// `-c, --config`
std::string all_names(const CLI::Option& option) {
  std::string names;
  for (const auto& name : option.get_snames()) names += (names.empty() ? "-" : ", -") + name;
  for (const auto& name : option.get_lnames()) names += (names.empty() ? "--" : ", --") + name;
  return names.empty() ? option.get_name() : names;
}

/// An option followed by another option: its value is missing, but CLI11 takes the next word.
std::optional<Said> valueless(const CLI::App& command) {
  for (const auto* option : command.get_options())
    for (const auto& value : option->results())
      if (option->get_expected_max() > 0 && value.starts_with("--") && command.get_option_no_throw(value) != nullptr)
        return usage(all_names(*option) + " needs a value, but is followed by " + value);
  return std::nullopt;
}

/// An option of one value that is given more than once: one of the values would be ignored silently.
std::optional<Said> repeated(const CLI::App& command) {
  for (const auto* option : command.get_options())
    if (option->get_multi_option_policy() == CLI::MultiOptionPolicy::TakeLast && option->count() > 1 &&
        option->get_expected_max() > 0)
      return usage(all_names(*option) + " is given " + std::to_string(option->count()) + " times; give it once");
  return std::nullopt;
}

/// CLI11 reports extra words; this suggests what was probably meant.
Said left_over(const Commands::One& command) {
  const auto rest = command.app->remaining(true);
  const auto see = "; see forebay help " + command.name;
  for (const auto& argument : rest) {
    if (argument.size() < 2 || argument.front() != '-') continue;
    const bool brief = argument[1] != '-';
    const auto flag = brief ? argument.substr(0, 2) : argument.substr(0, argument.find('='));
    if (auto advice = command.words->advice_on_flag(flag)) return usage(std::move(*advice));
    std::vector<std::string> known;
    for (const auto* option : command.app->get_options()) {
      if (option->get_group().empty()) continue;
      for (const auto& name : option->get_lnames()) known.push_back("--" + name);
    }
    const auto meant = brief ? std::nullopt : nearest(flag, {known.begin(), known.end()});
    return usage("unknown flag " + flag + (meant ? "; did you mean " + *meant + '?' : see));
  }
  const auto first = rest.empty() ? std::string() : rest.front();
  const auto advice = command.words->advice_on_argument(first);
  return usage("unexpected argument \"" + first + '"' + (advice ? "; " + *advice : see));
}

/// CLI11 says `--origin: 1 required URL missing`, or `url is required`.
Said incomplete(const Commands::One& command, const std::string& sentence) {
  const auto name = sentence.substr(0, sentence.find_first_of(": "));
  if (const auto* option = command.app->get_option_no_throw(name); option != nullptr && name.starts_with('-'))
    return usage(all_names(*option) + " needs a value: " + name + ' ' + option->get_type_name());
  auto advice = command.words->advice_on_missing(name);
  return usage(advice ? std::move(*advice) : sentence);
}

std::string without_blank_end(std::string text) { return text.erase(text.find_last_not_of('\n') + 1) + '\n'; }
std::string help_of(const CLI::App& command) { return without_blank_end(command.help("forebay")); }

ExitCode say(const Said& said) {
  std::cout << said.out;
  std::cerr << said.err;
  return said.code;
}

}  // namespace

Said usage(std::string message) {
  Said said;
  said.code = ExitCode::Usage;
  said.err = "forebay: " + std::move(message) + '\n';
  return said;
}

std::optional<Said> not_a_command(const std::string& word) {
  if (is_command(word)) return std::nullopt;
  return unknown_command(word);
}

void for_each_command(const std::function<void(const CommandRow&, const CommandWords&)>& visit) {
  const Commands c;
  for (const auto& row : command_table()) visit(row, *c.of(row.name).words);
}

std::string help_text(const std::string& command) {
  const Commands c;
  return command.empty() ? without_blank_end(c.app.help()) : help_of(*c.of(command).app);
}

Command::Command(Said said) : Command(std::move(said), say) {}

ExitCode Command::execute() const {
  if (on_exception_ == OnException::Terminate) return execute_(flags_);
  try {
    return execute_(flags_);
  } catch (const std::exception& e) {
    std::cerr << "forebay: " << e.what() << '\n';
    return ExitCode::Failed;
  }
}

Command parse_command_line(const std::vector<std::string>& args) {
  std::vector<std::string> words = args;
  const bool asks_for_help = !words.empty() && (words[0] == "-h" || words[0] == "--help");
  if (asks_for_help)
    return Said{ExitCode::Done, help_text(words.size() > 1 && is_command(words[1]) ? words[1] : ""), {}};
  const bool asks_for_version = !words.empty() && (words[0] == "--version" || words[0] == "-v" || words[0] == "-V");
  if (asks_for_version)
    words[0] = "version";
  else if (words.empty() || words[0].starts_with('-'))
    words.insert(words.begin(), "run");
  if (auto wrong = not_a_command(words[0])) return std::move(*wrong);

  Commands c;
  const auto& given = c.of(words[0]);
  given.words->prepare(words);
  std::reverse(words.begin(), words.end());  // CLI11 takes them from the back
  try {
    c.app.parse(std::move(words));
  } catch (const CLI::CallForHelp&) {
    return Said{ExitCode::Done, help_of(*given.app), {}};
  } catch (const CLI::ExtrasError&) {
    return left_over(given);
  } catch (const CLI::ParseError& e) {
    return incomplete(given, e.what());
  }
  if (auto wrong = valueless(*given.app)) return std::move(*wrong);
  if (auto wrong = repeated(*given.app)) return std::move(*wrong);
  return given.words->finish();
}

}  // namespace forebay::app
