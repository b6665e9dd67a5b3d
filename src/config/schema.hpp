#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "config/row.hpp"

namespace forebay::config {

/// The rows of all tables as a tree of keys. `*` stands for a user's own name, `[]` for an element of a list.
struct Schema {
  std::string_view name{};
  const Row* row = nullptr;  ///< Nothing for the root.
  const Schema* parent = nullptr;
  std::vector<std::unique_ptr<Schema>> children{};

  const Schema* child(std::string_view key) const noexcept {
    for (const auto& c : children)
      if (c->name == key) return c.get();
    return nullptr;
  }
  /// Empty for a mere section.
  std::string_view type() const noexcept { return row ? row->type : std::string_view(); }
  /// Whether it is in this version.
  bool here() const noexcept { return !row || row->here; }
  /// Whether it stands for the user's names or elements, or is `policy` or `route`: no key of the file.
  bool is_element() const noexcept { return row && row->fresh; }
};

/// The whole tree: `server`, `origins`..., beside them `policy` and `route`, which are no keys of the top level.
const Schema& schema() noexcept;
/// By its path, such as `policy.ttl.default`; null when there is none.
const Schema* schema_at(std::string_view path) noexcept;

}  // namespace forebay::config
