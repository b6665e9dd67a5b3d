#include "config/schema_types.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>

#include "forebay/base/text.hpp"

namespace forebay::config {
namespace {

struct Definition {
  std::string_view type;
  std::string_view schema;
};
// A value may come from a variable.
constexpr std::string_view kVariable = R"j({"$ref":"#/$defs/variable"})j";
constexpr std::string_view kText = R"j({"type":["string","number","boolean"]})j";
// clang-format off
constexpr Definition kDefinitions[] = {
    {"variable",
     R"j({"type":"string","pattern":"\\$\\{"})j"},
    {"duration",
     R"j({"anyOf":[{"const":0},{"type":"string","minLength":1,"pattern":"^(0|([0-9]+(\\.[0-9]+)?w)?)j"
     R"j(([0-9]+(\\.[0-9]+)?d)?([0-9]+(\\.[0-9]+)?h)?([0-9]+(\\.[0-9]+)?m)?([0-9]+(\\.[0-9]+)?s)?)j"
     R"j(([0-9]+(\\.[0-9]+)?ms)?([0-9]+(\\.[0-9]+)?us)?([0-9]+(\\.[0-9]+)?ns)?)$"},{"$ref":"#/$defs/variable"}]})j"},
    {"size",
     R"j({"anyOf":[{"const":0},{"type":"string","pattern":"^(0|[0-9]+(\\.[0-9]+)?([KMGT]iB|[KMG]i|[KMG]?B))$"},)j"
     R"j({"$ref":"#/$defs/variable"}]})j"},
    {"ratio",
     R"j({"anyOf":[{"type":"number","minimum":0,"maximum":1},{"type":"string","pattern":"^[0-9]+(\\.[0-9]+)?%?$"},)j"
     R"j({"$ref":"#/$defs/variable"}]})j"},
    {"percentage",
     R"j({"$ref":"#/$defs/ratio"})j"},
    {"memory",
     R"j({"anyOf":[{"$ref":"#/$defs/size"},{"$ref":"#/$defs/ratio"}]})j"},
    {"bool",
     R"j({"anyOf":[{"type":"boolean"},{"$ref":"#/$defs/variable"}]})j"},
    {"address",
     R"j({"anyOf":[{"type":"string","pattern":"^(.*:[0-9]+|unix:.+|fd:.+)$"},{"$ref":"#/$defs/variable"}]})j"},
    {"url",
     R"j({"anyOf":[{"type":"string","pattern":"^[Hh][Tt][Tt][Pp][Ss]?://"},{"$ref":"#/$defs/variable"}]})j"},
    {"status",
     R"j({"anyOf":[{"type":"integer","minimum":200,"maximum":599},)j"
     R"j({"type":"string","pattern":"^[2-5]([0-9]{2}|xx)(-[2-5]([0-9]{2}|xx))?$"},{"$ref":"#/$defs/variable"}]})j"},
    {"pattern",
     R"j({"anyOf":[{"type":"string","pattern":"^[/~]"},{"$ref":"#/$defs/variable"}]})j"},
    {"pointer",
     R"j({"anyOf":[{"type":"string","pattern":"^(/|$)"},{"$ref":"#/$defs/variable"}]})j"},
};
// clang-format on

// Texts of any form.
constexpr std::string_view kTexts[] = {
    "CIDR",   "IP:port",     "capture",    "extension",    "field name", "file mode", "glob",  "header name",
    "host",   "host name",   "media type", "method",       "name",       "number",    "path",  "policy name",
    "secret", "origin name", "string",     "tag template", "template",   "text",      "token", "protocol",
};
// Words beside which a type names others by "or". Lists of words alone are separated by bars.
constexpr std::string_view kWords[] = {"BAN",     "PURGE",  "auto", "aws_sigv4", "br",   "bypass",
                                       "connect", "errors", "gzip", "https",     "lru",  "miss",
                                       "off",     "on",     "slow", "timeout",   "unix", "zstd"};

template <class List>
bool has(const List& list, std::string_view text) {
  return std::find(std::begin(list), std::end(list), text) != std::end(list);
}

bool is_defined(std::string_view type) {
  return std::any_of(std::begin(kDefinitions), std::end(kDefinitions),
                     [&](const Definition& definition) { return definition.type == type; });
}

bool is_number(std::string_view word) {
  double value = 0;
  const auto end = std::from_chars(word.data(), word.data() + word.size(), value);
  return end.ec == std::errc{} && end.ptr == word.data() + word.size();
}

/// One of these words; a number may be in quotes.
std::string enumeration(const std::vector<std::string_view>& words) {
  std::string values;
  for (const auto word : words) {
    if (!values.empty()) values += ',';
    if (is_number(word)) values += std::string(word) + ',';
    values += json_text(word);
  }
  return any_of({"{\"enum\":[" + values + "]}", std::string(kVariable)});
}

std::string integer(std::string_view bounds) {
  std::string number = R"({"type":"integer")";
  const auto dots = bounds.find("..");
  if (dots != std::string_view::npos) {
    const auto low = bounds.substr(0, dots), high = bounds.substr(dots + 2);
    if (is_number(low)) number += ",\"minimum\":" + std::string(low);
    if (is_number(high)) number += ",\"maximum\":" + std::string(high);
  }
  return any_of({number + '}', R"({"type":"string","pattern":"^[0-9]+$"})", std::string(kVariable)});
}

std::vector<std::string_view> split(std::string_view text, std::initializer_list<std::string_view> separators) {
  std::vector<std::string_view> parts;
  for (;;) {
    auto at = std::string_view::npos;
    std::string_view by;
    for (const auto separator : separators)
      if (const auto found = text.find(separator); found < at) {
        at = found;
        by = separator;
      }
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + by.size());
  }
}

std::string unknown(std::string_view type) {
  return "{\"$comment\":" + json_text("no schema for: " + std::string(type)) + '}';
}

/// What stands between the "or" of a type.
std::string one_schema(std::string_view part, std::string_view bounds, const std::string& map) {
  constexpr std::string_view kList = "list of ";
  if (part.starts_with(kList)) return list_of(one_schema(part.substr(kList.size()), bounds, map));
  if (part == "map" && !map.empty()) return map;
  if (part.find(" | ") != std::string_view::npos) return enumeration(split(part, {" | "}));
  if (part == "except") return map_of_keys("\"except\":" + list_of(std::string(kText)), "\"except\"");
  if (part == "file") return map_of_keys("\"file\":" + std::string(kText), "\"file\"");
  if (part == "values" || part == "JSON values") {
    const std::string scalar = R"({"type":["string","number","boolean","null"]})";
    return any_of({scalar, "{\"type\":\"array\",\"items\":" + scalar + '}'});
  }
  if (has(kWords, part)) return enumeration({part});
  return scalar_schema(part, bounds);
}

std::string alternatives(std::string_view type, std::string_view bounds, const std::string& map) {
  std::vector<std::string> all;
  for (const auto part : split(type, {", or ", ", ", " or "})) {
    constexpr std::string_view kMap = "map of ";
    // `map of glob to values`
    if (part.starts_with(kMap)) {
      const auto to = part.find(" to ");
      all.push_back(
          map_of_names(to == std::string_view::npos ? unknown(part) : one_schema(part.substr(to + 4), bounds, map)));
    } else {
      all.push_back(one_schema(part, bounds, map));
    }
  }
  return any_of(all);
}

}  // namespace

std::string json_text(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

std::string any_of(const std::vector<std::string>& schemas) {
  if (schemas.size() == 1) return schemas.front();
  std::string all;
  for (const auto& schema : schemas) all += (all.empty() ? "" : ",") + schema;
  return "{\"anyOf\":[" + all + "]}";
}

std::string list_of(const std::string& element) {
  return any_of({element, "{\"type\":\"array\",\"items\":" + element + '}'});
}

std::string map_of_keys(const std::string& properties, const std::string& required) {
  std::string out = R"({"type":"object","properties":{)" + properties + R"(},"patternProperties":{"^x-":true},)";
  if (!required.empty()) out += "\"required\":[" + required + "],";
  return out + R"("additionalProperties":false})";
}

std::string map_of_names(const std::string& value) {
  return R"({"type":"object","additionalProperties":)" + value + '}';
}

std::string scalar_schema(std::string_view type, std::string_view bounds) {
  if (type == "int") return integer(bounds);
  if (is_defined(type)) return "{\"$ref\":\"#/$defs/" + std::string(type) + "\"}";
  return has(kTexts, type) ? std::string(kText) : unknown(type);
}

std::string type_schema(std::string_view type, std::string_view bounds, const std::string& map) {
  constexpr std::string_view kList = "list of ", kMap = "map of ";
  // A list or map at the beginning has all of the rest as its elements.
  if (type.starts_with(kList) && type.find(", or ") == std::string_view::npos)
    return list_of(alternatives(type.substr(kList.size()), bounds, map));
  if (const auto to = type.find(" to "); type.starts_with(kMap) && to != std::string_view::npos)
    return map_of_names(alternatives(type.substr(to + 4), bounds, map));
  return alternatives(type, bounds, map);
}

std::string scalar_definitions() {
  std::string out;
  for (const auto& [type, schema] : kDefinitions)
    out += (out.empty() ? "" : ",") + json_text(type) + ':' + std::string(schema);
  return out;
}

}  // namespace forebay::config
