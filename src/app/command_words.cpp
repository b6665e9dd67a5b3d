#include "command_words.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <utility>

namespace forebay::app {

Option& Option::hide() {
  hidden = true;
  cli->group("");
  return *this;
}

Option& Option::one_of(std::vector<std::string> values) {
  choices = std::move(values);
  return *this;
}

Option& Option::required() {
  cli->required();
  return *this;
}

std::vector<std::string> Option::names() const {
  std::vector<std::string> all;
  for (const auto& name : cli->get_snames()) all.push_back('-' + name);
  for (const auto& name : cli->get_lnames()) all.push_back("--" + name);
  return all;
}

Option& CommandWords::declare(CLI::Option* option, const char* what, const char* help) {
  auto declared = std::make_unique<Option>();
  declared->cli = option;
  declared->what = what;
  declared->help = help;
  options_.push_back(std::move(declared));
  return *options_.back();
}

Option& CommandWords::text(const char* names, std::string& into, const char* what, const char* help) {
  return declare(app_.add_option(names, into, help)->type_name(what)->take_last(), what, help);
}

Option& CommandWords::text(const char* names, std::optional<std::string>& into, const char* what, const char* help) {
  return declare(app_.add_option(names, into, help)->type_name(what)->take_last(), what, help);
}

Option& CommandWords::list(const char* names, std::vector<std::string>& into, const char* what, const char* help) {
  auto* option = app_.add_option(names, into, help);
  auto& declared = declare(option->type_name(what)->expected(1)->allow_extra_args(false)->take_all(), what, help);
  declared.repeats = true;
  return declared;
}

Option& CommandWords::flag(const char* names, bool& into, const char* help) {
  return declare(app_.add_flag(names, into, help), "", help);
}

Option& CommandWords::word(const char* name, std::string& into, const char* what, const char* help) {
  return declare(app_.add_option(name, into, help)->type_name(what), what, help);
}

Option& CommandWords::words(const char* name, std::vector<std::string>& into, const char* what, const char* help) {
  auto& declared = declare(app_.add_option(name, into, help)->type_name(what), what, help);
  declared.repeats = true;
  return declared;
}

void CommandWords::below(const char* text) { app_.footer(text); }

std::size_t CommandWords::count(const char* name) const { return app_.count(name); }

std::vector<std::string> CommandWords::given_in_order() const {
  std::vector<std::string> names;
  for (const auto* option : app_.parse_order())
    if (!option->get_lnames().empty()) names.push_back("--" + option->get_lnames().front());
  return names;
}

}  // namespace forebay::app
