// The effective configuration as JSON: the same keys and values as the YAML has.
#include <algorithm>

#include "config/printer.hpp"
#include "config/report.hpp"
#include "config/yaml_tree.hpp"
#include "forebay/base/text.hpp"
#include "forebay/config/load.hpp"

namespace forebay::config {
namespace {

/// What every reader of JSON takes for the same number. Durations, sizes and versions stay texts.
bool is_number(std::string_view text) {
  return !text.empty() && text.size() <= 15 && (text == "0" || text.front() != '0') &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_digit(c); });
}

void append(std::string& out, const Node& node) {
  const auto list = [&out](const auto& items, const char* brackets, auto&& each) {
    out += brackets[0];
    for (const auto& item : items) {
      if (&item != &items.front()) out += ',';
      each(item);
    }
    out += brackets[1];
  };
  switch (node.kind) {
    case Node::Kind::Null: out += "null"; break;
    case Node::Kind::Scalar:
      if (!node.quoted && (node.text == "true" || node.text == "false" || is_number(node.text)))
        out += node.text;
      else
        append_json_string(out, node.text);
      break;
    case Node::Kind::List: list(node.items, "[]", [&out](const NodePtr& item) { append(out, *item); }); break;
    case Node::Kind::Map:
      list(node.entries, "{}", [&out](const Entry& entry) {
        append_json_string(out, entry.key->text);
        out += ':';
        append(out, *entry.value);
      });
      break;
  }
}

}  // namespace

std::string json_of_yaml(const std::string& yaml) {
  Report report({}, yaml, {});
  const auto root = parse_yaml(yaml, {}, report);
  std::string out;
  if (root) append(out, *root);
  return out;
}

std::string print_json(const Config& config) { return json_of_yaml(print(config)); }

}  // namespace forebay::config
