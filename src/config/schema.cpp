#include "config/schema.hpp"

#include <algorithm>

namespace forebay::config {
namespace {

/// `listen[].tls` is `listen`, `[]`, `tls`.
std::string_view take_segment(std::string_view& path) {
  if (path.starts_with("[]")) {
    const auto segment = path.substr(0, 2);
    path.remove_prefix(std::min<std::size_t>(path.size(), 3));
    return segment;
  }
  const auto end = std::min(path.find_first_of(".["), path.size());
  const auto segment = path.substr(0, end);
  path.remove_prefix(end);
  if (path.starts_with('.')) path.remove_prefix(1);
  return segment;
}

std::unique_ptr<Schema> grow() {
  auto root = std::make_unique<Schema>();
  for (const auto& option : options()) {
    auto* node = root.get();
    for (auto path = option.path; !path.empty();) {
      const auto segment = take_segment(path);
      const Schema* known = node->child(segment);
      if (!known) {
        auto fresh = std::make_unique<Schema>();
        fresh->name = segment;
        fresh->parent = node;
        node->children.push_back(std::move(fresh));
        known = node->children.back().get();
      }
      node = const_cast<Schema*>(known);
    }
    node->option = &option;
  }
  return root;
}

}  // namespace

bool Schema::here() const noexcept {
  if (option && option->here) return true;
  return std::any_of(children.begin(), children.end(), [](const auto& c) { return c->here(); });
}

const Schema& schema() noexcept {
  static const std::unique_ptr<Schema> tree = grow();
  return *tree;
}

const Schema* schema_at(std::string_view path) noexcept {
  const Schema* node = &schema();
  while (node && !path.empty()) node = node->child(take_segment(path));
  return node;
}

std::vector<std::string_view> words_of(std::string_view type) {
  std::vector<std::string_view> words;
  type = type.substr(0, type.find(" or "));
  type = type.substr(0, type.find(','));
  while (!type.empty()) {
    const auto bar = type.find(" | ");
    words.push_back(type.substr(0, bar));
    type = bar == std::string_view::npos ? std::string_view() : type.substr(bar + 3);
  }
  return words;
}

}  // namespace forebay::config
