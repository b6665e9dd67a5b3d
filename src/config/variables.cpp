#include "config/yaml_tree.hpp"

namespace forebay::config {
namespace {

bool is_name(std::string_view text) noexcept {
  if (text.empty() || (text.front() >= '0' && text.front() <= '9')) return false;
  for (const char c : text)
    if (!(c == '_' || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'))) return false;
  return true;
}

}  // namespace

std::optional<std::string> expand_variables(std::string& text, const Variables& variables, bool& replaced) {
  if (text.find('$') == std::string::npos) return std::nullopt;
  std::optional<std::string> missing;
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
    const auto end = rest.starts_with('{') ? rest.find('}') : std::string_view::npos;
    const auto inside = end == std::string_view::npos ? std::string_view() : rest.substr(1, end - 1);
    const auto colon = inside.find(":-");
    const std::string name(inside.substr(0, colon));
    if (!is_name(name)) {  // Any other `$` stays.
      out += '$';
      continue;
    }
    rest.remove_prefix(end + 1);
    replaced = true;
    auto value = variables ? variables(name) : std::nullopt;
    if (colon != std::string_view::npos && (!value || value->empty())) value = std::string(inside.substr(colon + 2));
    if (value)
      out += *value;
    else if (!missing)
      missing = name;
  }
  text = std::move(out);
  return missing;
}

}  // namespace forebay::config
