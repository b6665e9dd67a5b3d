#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "forebay/config/options.hpp"

namespace forebay::config {

/// The table of options as a tree of keys. `*` stands for a user's own name, `[]` for an element of a list.
struct Schema {
  std::string_view name;
  const Option* option = nullptr;  ///< Nothing for a mere section.
  const Schema* parent = nullptr;
  std::vector<std::unique_ptr<Schema>> children;

  const Schema* child(std::string_view key) const noexcept {
    for (const auto& c : children)
      if (c->name == key) return c.get();
    return nullptr;
  }
  /// Whether anything in here is in this version.
  bool here() const noexcept;
};

/// The whole tree: `server`, `origins`..., beside them `policy` and `route`, which are no keys of the top level.
const Schema& schema() noexcept;
/// By the path of the table, such as `policy.ttl.default`; null when there is none.
const Schema* schema_at(std::string_view path) noexcept;
/// `a | b` of a closed list, or of the words in front of ` or `, as its words.
std::vector<std::string_view> words_of(std::string_view type);

}  // namespace forebay::config
