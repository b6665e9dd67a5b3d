#include "config/section.hpp"

#include <algorithm>

namespace forebay::config {
namespace {

std::string name_of(const Node& node) {
  if (node.is_scalar()) return in_quotes(node.text);
  return node.is_map() ? "a map" : node.is_list() ? "a list" : "nothing";
}

/// Without what may be a value behind the name.
std::string name_in_quotes(const std::string& text) {
  return has_value_behind(text) ? key_in_quotes(text) : in_quotes(text);
}

}  // namespace

std::string Section::path_of(std::string_view key) const {
  return path_.empty() ? std::string(key) : path_ + '.' + std::string(key);
}

std::string Section::path_of(std::string_view key, std::size_t index) const {
  return path_of(key) + '[' + std::to_string(index) + ']';
}

Section Section::in(std::string_view key) const {
  const auto* below = node_ ? node_->find(key) : nullptr;
  return {*report_, below, below ? path_of(key) : std::string()};
}

const Node* Section::find(std::string_view key) const {
  const auto* entry = node_ ? node_->entry(key) : nullptr;
  if (!entry || entry->value->bad) return nullptr;
  if (!entry->value->is_null()) return entry->value.get();
  error(1002, *entry->key, path_of(key), in_quotes(key) + " has no value");
  return nullptr;
}

const Node* Section::map(std::string_view key) const {
  const auto* below = node_ ? node_->find(key) : nullptr;
  return below && below->is_map() ? below : nullptr;
}

const std::string* Section::scalar(const Node& node, const std::string& path, std::string_view what) const {
  if (node.bad) return nullptr;
  if (node.is_scalar()) return &node.text;
  error(1002, node, path, name_of(node) + " is not " + std::string(what));
  return nullptr;
}

std::optional<std::vector<NodePtr>> Section::list(std::string_view key) const {
  const auto* node = find(key);
  if (!node) return std::nullopt;
  if (node->is_scalar()) return std::vector{node_->entry(key)->value};
  if (!node->is_list()) {
    error(1002, *node, path_of(key), name_of(*node) + " is not a list");
    return std::nullopt;
  }
  std::vector<NodePtr> out;
  bool good = true;
  for (std::size_t i = 0; i < node->items.size(); ++i) {
    const auto& item = node->items[i];
    if (item->is_scalar() && !item->bad) {
      out.push_back(item);
      continue;
    }
    if (!item->bad) error(1002, *item, path_of(key, i), name_of(*item) + " cannot stand in this list");
    good = false;
  }
  if (!good && out.empty()) return std::nullopt;
  return out;
}

bool Section::check_glob(const Node& item, const std::string& path) const {
  if (is_glob(item.text)) {
    check_separators(item, path);
    return true;
  }
  const auto list = list_hint(item.text);
  error(1002, item, path, name_in_quotes(item.text) + " is not a name or glob", list.empty() ? "such as utm_*" : list);
  return false;
}

void Section::check_separators(const Node& item, const std::string& path) const {
  const auto& text = item.text;
  const auto at = text.find_first_of(",?&=;");
  if (at == std::string::npos) return;
  auto bare = text.substr(text[0] == '?' || text[0] == '&' ? 1 : 0);
  std::replace_if(
      bare.begin(), bare.end(), [](char c) { return c == '&' || c == ';'; }, ',');
  auto hint = list_hint(bare);
  if (const auto name = bare.substr(0, bare.find_first_of(",?=")); hint.empty() && !name.empty())
    hint = "write " + name;
  report_->warning(2022, item, path,
                   name_in_quotes(text) + " is one name, and the \"" + text[at] + "\" is a part of it", hint);
}

void Section::bad_field_name(const Node& node, const std::string& path) const {
  if (has_value_behind(node.text)) report_->hide(node.place);  // `Authorization: Bearer ...`
  error(1002, node, path, name_in_quotes(node.text) + " is not the name of a header field", list_hint(node.text));
}

}  // namespace forebay::config
