#include "forebay/config/access_template.hpp"

#include <algorithm>

namespace forebay::config {

std::vector<std::string_view> access_fields() {
  std::vector<std::string_view> names;
  for (auto rest = kAccessFields; !rest.empty();) {
    names.push_back(rest.substr(0, rest.find(' ')));
    rest.remove_prefix(std::min(rest.size(), names.back().size() + 1));
  }
  return names;
}

std::optional<AccessTemplate> AccessTemplate::compile(std::string_view text, std::string_view& unknown) {
  const auto names = access_fields();
  AccessTemplate out{std::string(text), {}, {}};
  unknown = {};
  for (auto brace = text.find_first_of("{}"); brace != std::string_view::npos; brace = text.find_first_of("{}")) {
    const auto close = text[brace] == '{' ? text.find('}', brace) : std::string_view::npos;
    if (close == std::string_view::npos) return std::nullopt;
    const auto name = text.substr(brace + 1, close - brace - 1);
    const auto known = std::find(names.begin(), names.end(), name);
    if (known == names.end()) return unknown = name, std::nullopt;
    out.parts.push_back({std::string(text.substr(0, brace)), static_cast<std::size_t>(known - names.begin())});
    text.remove_prefix(close + 1);
  }
  out.end = text;
  return out;
}

}  // namespace forebay::config
