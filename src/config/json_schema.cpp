#include "forebay/config/json_schema.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <vector>

#include "config/schema.hpp"
#include "config/schema_types.hpp"
#include "forebay/config/options.hpp"

namespace forebay::config {
namespace {

/// Defaults and bounds by the path that `options()` has.
std::map<std::string_view, const Option*> options_by_path() {
  std::map<std::string_view, const Option*> all;
  for (const auto& option : options()) all.emplace(option.path, &option);
  return all;
}

std::string described(const Option& option) {
  std::string text(option.help);
  if (!option.bounds.empty()) text += " Bounds: " + std::string(option.bounds) + '.';
  if (option.fallback == "required")
    text += " Required.";
  else if (option.fallback != "-")
    text += " Default: " + option.fallback + '.';
  if (option.restart) text += " Needs a restart.";
  return text;
}

/// As a JSON value, for values whose text is one.
std::optional<std::string> default_value(const Option& option) {
  static constexpr std::string_view kByText[] = {"duration", "size", "ratio", "percentage"};
  const auto& text = option.fallback;
  if (text == "-" || text == "required" || text.empty()) return std::nullopt;
  if (option.type == "bool") return text == "true" || text == "false" ? std::optional(text) : std::nullopt;
  if (option.type == "int" && text.find_first_not_of("0123456789") == std::string::npos) return text;
  const auto words = words_of(option.type);
  const bool is_word = std::find(words.begin(), words.end(), text) != words.end();
  const bool is_text = std::find(std::begin(kByText), std::end(kByText), option.type) != std::end(kByText) &&
                       text.find_first_not_of("0123456789.%abcdefghijklmnopqrstuvwxyzKMGTB") == std::string::npos;
  return is_word || is_text ? std::optional(json_text(text)) : std::nullopt;
}

class Writer {
 public:
  /// A map with these keys; `also` are further ones.
  std::string object(const Schema& node, const std::string& path, const std::string& also = {}) const {
    std::string properties = also;
    std::string required;
    for (const auto& child : node.children) {
      if (!child->here() || child->is_element()) continue;
      const auto below = path.empty() ? std::string(child->name) : path + '.' + std::string(child->name);
      if (!properties.empty()) properties += ',';
      properties += json_text(child->name) + ':' + property(*child, below);
      const auto* option = option_at(below);
      if (option && option->fallback == "required" && !node.child("urls"))
        required += (required.empty() ? "" : ",") + json_text(child->name);
    }
    return map_of_keys(properties, required);
  }

 private:
  const Option* option_at(const std::string& path) const {
    const auto it = options_.find(path);
    return it == options_.end() ? nullptr : it->second;
  }

  std::string property(const Schema& node, const std::string& path) const {
    const auto* option = option_at(path);
    auto value = value_of(node, path);
    if (!option) return value;
    // `{...}` with the annotations in front.
    std::string out = "{\"description\":" + json_text(described(*option));
    if (const auto fallback = default_value(*option)) out += ",\"default\":" + *fallback;
    return out + (value == "{}" ? "}" : ',' + value.substr(1));
  }

  std::string value_of(const Schema& node, const std::string& path) const {
    const auto type = node.type();
    if (type == "policy") return "{\"$ref\":\"#/$defs/policy\"}";
    if (type == "map of policy") return map_of_names("{\"$ref\":\"#/$defs/policy\"}");
    if (type == "list of route") return "{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/route\"}}";
    if (const auto* any = node.child("*")) {
      const auto url = any_of({scalar_schema("url", {}), object(*any->child("urls")->child("[]"), path + ".*.urls[]")});
      const auto urls = R"({"type":"array","items":)" + url + '}';
      return map_of_names(any_of({scalar_schema("url", {}), urls, object(*any, path + ".*")}));
    }
    if (const auto* element = node.child("[]")) {
      const auto one = object(*element, path + "[]");
      std::vector<std::string> forms{one};
      if (type == "list of address or listener") forms.push_back(scalar_schema("address", {}));
      if (type == "list of url") forms.push_back(scalar_schema("url", {}));
      return list_of(any_of(forms));
    }
    if (node.children.empty()) return type_schema(type, node.row->bounds, {});
    return type.empty() ? object(node, path) : type_schema(type, node.row->bounds, object(node, path));
  }

  std::map<std::string_view, const Option*> options_ = options_by_path();
};

/// A route takes the keys of a policy beside its own.
std::string policy_references(const Schema& policy, const Schema& route) {
  std::string out;
  for (const auto& child : policy.children)
    if (child->here() && !route.child(child->name))
      out += (out.empty() ? "" : ",") + json_text(child->name) + ":{\"$ref\":\"#/$defs/policy/properties/" +
             std::string(child->name) + "\"}";
  return out;
}

/// With line breaks and indentation.
std::string indented(std::string_view json) {
  std::string out, margin = "\n";
  bool in_text = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_text && c == '\\') {
      out += c;
      out += json[++i];
      continue;
    }
    if (c == '"') in_text = !in_text;
    const bool opens = !in_text && (c == '{' || c == '['), closes = !in_text && (c == '}' || c == ']');
    if (closes) margin.resize(margin.size() - 2);
    const bool is_empty = closes && (json[i - 1] == '{' || json[i - 1] == '[');
    if (closes && !is_empty) out += margin;
    out += c;
    if (opens) margin += "  ";
    const bool stays = opens && (json[i + 1] == '}' || json[i + 1] == ']');
    if ((opens && !stays) || (!in_text && c == ',')) out += margin;
    if (!in_text && c == ':') out += ' ';
  }
  return out + '\n';
}

}  // namespace

std::string json_schema(SchemaOf what) {
  const Writer writer;
  const auto &policy = *schema_at("policy"), &route = *schema_at("route");
  std::string out = "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"title\":\"Forebay, ";
  if (what == SchemaOf::Configuration) {
    out += "configuration\"," + writer.object(schema(), {}).substr(1);
  } else {
    const std::string routes = "{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/route\"}}";
    const auto policies = map_of_names("{\"$ref\":\"#/$defs/policy\"}");
    const auto map = map_of_keys("\"routes\":" + routes + ",\"policies\":" + policies, {});
    out += "a file of routes\"," + any_of({routes, map}).substr(1);
  }
  out.back() = ',';
  out += "\"$defs\":{" + scalar_definitions() + ",\"policy\":" + writer.object(policy, "policy") +
         ",\"route\":" + writer.object(route, "route", policy_references(policy, route)) + "}}";
  return indented(out);
}

}  // namespace forebay::config
