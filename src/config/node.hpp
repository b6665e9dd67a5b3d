#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace forebay::config {

/// Where a node stands: a line of the file, or one of the overrides (`--set`).
struct Place {
  int line = 0;    ///< From 1; 0: nowhere in the file.
  int column = 0;  ///< In bytes, from 1.
  int length = 1;  ///< Bytes on that line that the caret underlines.
  int flag = -1;   ///< Index of the override it came from.
};

struct Node;
using NodePtr = std::shared_ptr<const Node>;

struct Entry {
  NodePtr key;  ///< Always a scalar.
  NodePtr value;
};

/// One node of the file, after anchors, merges and variables. Our own tree rather than yaml-cpp's: it keeps what that
/// one loses (duplicate keys, the place of an alias, whether a scalar was quoted) and cannot contain a cycle.
/// Immutable, so that aliases may share children.
struct Node {
  enum class Kind { Null, Scalar, Map, List };
  Kind kind = Kind::Null;
  std::string text;       ///< Of a scalar.
  bool quoted = false;    ///< Quoted, a block scalar or tagged !!str: text, never a number or a bool.
  bool replaced = false;  ///< A `${...}` stood in it: then its type is that of the text, quotes or not.
  bool expanded = false;  ///< Variables were looked for already.
  bool bad = false;       ///< Reported already; readers pass over it in silence.
  bool unknown = false;   ///< `bad` because it depends on a variable that is not looked at; the text is as written.
  Place place;
  std::vector<Entry> entries;
  std::vector<Entry> repeated;  ///< What cannot be an entry: of keys that stand twice, or are no texts. Reported.
  std::vector<NodePtr> items;
  NodePtr anchored;        ///< Of an alias: what it stands for, at its own place.
  std::size_t weight = 1;  ///< Nodes in here with all aliases written out.

  bool is_null() const noexcept { return kind == Kind::Null; }
  bool is_scalar() const noexcept { return kind == Kind::Scalar; }
  bool is_map() const noexcept { return kind == Kind::Map; }
  bool is_list() const noexcept { return kind == Kind::List; }

  const Entry* entry(std::string_view name) const noexcept {
    for (const auto& e : entries)
      if (e.key->text == name) return &e;
    return nullptr;
  }
  /// The value of a key, or nothing; also nothing when this is no map.
  const Node* find(std::string_view name) const noexcept {
    const auto* e = entry(name);
    return e ? e->value.get() : nullptr;
  }
};

/// Keys that begin with `x-` are the user's own, at any level.
inline bool is_users_own(std::string_view key) noexcept { return key.starts_with("x-"); }

}  // namespace forebay::config
