#include "config/schema.hpp"

#include <algorithm>

#include "config/setting_places.hpp"
#include "forebay/config/load.hpp"
#include "forebay/config/options.hpp"

namespace forebay::config {
namespace {

void grow(Schema& node, std::span<const Row> rows) {
  for (const auto& row : rows) {
    if (row.name.empty()) {
      grow(node, row.rows());
      continue;
    }
    auto* child = const_cast<Schema*>(node.child(row.name));
    if (!child) {
      node.children.push_back(std::make_unique<Schema>(Schema{row.name, &row, &node}));
      child = node.children.back().get();
    }
    grow(*child, row.rows());
  }
}

std::string path_below(const std::string& path, std::string_view name) {
  if (path.empty() || name == "[]") return path + std::string(name);
  return path + '.' + std::string(name);
}

/// What the struct has that no file has changed.
std::string default_of(const Row& row, const void* owner) {
  if (!row.fallback.empty()) return std::string(row.fallback);
  return row.text ? row.text({row}, owner).value_or("-") : "-";
}

void list(std::vector<Option>& out, const std::string& path, std::span<const Row> rows, const void* owner) {
  for (const auto& row : rows) {
    const auto below = row.name.empty() ? path : path_below(path, row.name);
    if (!row.type.empty())
      out.push_back({below, row.type, row.here ? default_of(row, owner) : "-", row.bounds,
                     row.reload == Reload::Restart, row.here, row.help});
    if (row.inside)
      list(out, below, row.rows(), row.inside_of(owner));
    else if (const auto fresh = row.fresh ? row.fresh() : nullptr)
      list(out, below, row.rows(), fresh.get());
    else
      list(out, below, row.rows(), nullptr);  // Its elements.
  }
}

void keep(std::vector<std::string>& kept, const std::string& path, std::span<const Row> rows, void* fresh,
          const void* running) {
  for (const auto& row : rows) {
    const auto below = row.name.empty() ? path : path_below(path, row.name);
    if (row.inside) keep(kept, below, row.rows(), row.inside(fresh), row.inside_of(running));
    if (row.reload != Reload::Restart || row.text({row}, fresh) == row.text({row}, running)) continue;
    row.copy(fresh, running);
    kept.push_back(below);
  }
}

}  // namespace

const Schema& schema() noexcept {
  static const auto tree = [] {
    auto root = std::make_unique<Schema>();
    grow(*root, element_rows());
    grow(*root, config_table().rows);
    return root;
  }();
  return *tree;
}

const Schema* schema_at(std::string_view path) noexcept {
  const Schema* node = &schema();
  while (node && !path.empty()) {
    const auto end = std::min(path.find('.'), path.size());
    const auto bracket = path.substr(0, end).find("[]");
    const auto length = bracket == std::string_view::npos || bracket == 0 ? end : bracket;
    node = node->child(path.substr(0, length));
    path.remove_prefix(length);
    if (path.starts_with('.')) path.remove_prefix(1);
  }
  return node;
}

std::vector<std::string> keep_until_restart(Config& fresh, const Config& running) {
  std::vector<std::string> kept;
  // `cache.shards: auto` follows the threads; it is not what has changed.
  if (fresh.server.threads != running.server.threads) fresh.cache.shards = running.cache.shards;
  keep(kept, {}, config_table().rows, &fresh, &running);
  if (fresh.places && !kept.empty()) {
    auto places = std::make_shared<SettingPlaces>(*fresh.places);
    for (const auto& key : kept) places->keep(key, running.places ? running.places->of(key, true) : SettingSource());
    fresh.places = std::move(places);
  }
  return kept;
}

std::span<const Option> options() {
  static const auto all = [] {
    std::vector<Option> out;
    const Config config;
    list(out, {}, config_table().rows, &config);
    list(out, {}, element_rows(), nullptr);
    return out;
  }();
  return all;
}

}  // namespace forebay::config
