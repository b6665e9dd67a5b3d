#include "config/yaml_tree.hpp"

namespace forebay::config {
namespace {

bool is_name(std::string_view text) noexcept {
  if (text.empty() || is_digit(text.front())) return false;
  for (const char c : text)
    if (!(c == '_' || is_alnum(c))) return false;
  return true;
}

}  // namespace

std::optional<Fault> expand_variables(std::string& text, const Variables& variables, bool& replaced) {
  if (text.find('$') == std::string::npos) return std::nullopt;
  std::optional<Fault> fault;
  const auto blame = [&](std::string message, std::string hint) {
    if (!fault) fault = Fault{1007, std::move(message), std::move(hint)};
  };
  std::string out;
  std::string_view rest = text;
  while (!rest.empty()) {
    const auto dollar = rest.find('$');
    out += rest.substr(0, dollar);
    if (dollar == std::string_view::npos) break;
    rest.remove_prefix(dollar + 1);
    if (rest.starts_with('$')) {
      out += '$';
      rest.remove_prefix(1);
      continue;
    }
    if (!rest.starts_with('{')) {  // Any other `$` stays.
      out += '$';
      continue;
    }
    const auto end = rest.find('}');
    const auto inside = end == std::string_view::npos ? std::string_view() : rest.substr(1, end - 1);
    const auto colon = inside.find(":-");
    const std::string name(inside.substr(0, colon));
    if (!is_name(name)) {  // What stands there may be a secret.
      blame(end == std::string_view::npos ? "a \"${\" has no \"}\"" : "this \"${\" begins no variable",
            "write \"${NAME}\" or \"${NAME:-text}\"; \"$$\" is a dollar sign");
      out += '$';
      continue;
    }
    rest.remove_prefix(end + 1);
    replaced = true;
    auto value = variables ? variables(name) : std::nullopt;
    if (colon != std::string_view::npos && (!value || value->empty())) value = std::string(inside.substr(colon + 2));
    if (value)
      out += *value;
    else
      blame("the variable " + in_quotes(name) + " is not set", "set it, or write \"${" + name + ":-text}\"");
  }
  text = std::move(out);
  return fault;
}

}  // namespace forebay::config
