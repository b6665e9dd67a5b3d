#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "content/json_tree.hpp"

namespace forebay::content {

// Parses the text of a tree (strict RFC 8259), into the tree or past it. The text ends with zero bytes, which are
// invalid in JSON, so no function checks for the end. A function takes a pointer to its first byte and returns a
// pointer past its last one; null for malformed.
class JsonParser {
 public:
  JsonParser(JsonTree& tree, Numbers numbers) noexcept
      : tree_(tree), text_(tree.text_.data()), end_(text_ + tree.size_), numbers_(numbers) {}

  /// All of it.
  bool read();
  /// What `pointers` choose: one of `chosen` for each.
  bool read(std::span<const JsonPointer> pointers, std::span<JsonTree::Chosen> chosen);

 private:
  using Place = const char*;
  using Node = JsonTree::Node;
  using Span = JsonTree::Span;
  static constexpr Node kNone = JsonTree::kNone;

  struct String {
    Place behind;  // null: malformed
    Span span;
  };

  static Place skip_space(Place at) noexcept {
    while (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t') ++at;
    return at;
  }
  /// Whether one more array or object may open at `depth`.
  static bool may_open(std::size_t depth) noexcept { return depth < JsonTree::kMaxDepth; }

  // json_parser.cpp: tokens and trees. The node of a value is the next one that is added.
  Node next_node() const noexcept { return static_cast<Node>(tree_.items_.size()); }
  Place add(Place behind, JsonKind kind, Span text = {}) {
    if (!behind) return nullptr;
    auto& item = tree_.items_.emplace_back();
    item.text = text;
    item.kind = kind;
    return behind;
  }
  Place value(Place at, std::size_t depth);
  Place array(Place at, std::size_t depth);
  Place object(Place at, std::size_t depth);
  bool link_members(Node object, std::size_t base);

  String string(Place at);
  String escaped_string(Place from, Place at);
  Place escape(Place at);
  Place unicode_escape(Place at);
  Place number(Place at) const noexcept;
  /// A name with its colon, up to the value.
  String member_name(Place at);

  // The same without nodes.
  Place skip(Place at, std::size_t depth);
  Place skip_array(Place at, std::size_t depth);
  Place skip_object(Place at, std::size_t depth);
  Place skip_string(Place at);

  // The members of open objects, one object after the other.
  std::size_t open_members() const noexcept { return top_; }
  void push_member(Span name, Node node) {
    auto& members = tree_.members_;
    if (top_ == members.size()) members.resize(2 * top_ + 16);
    // Assigned one by one, which is faster than copying a struct from the stack.
    auto& member = members[top_++];
    member.prefix = prefix_of(name);
    member.name = name;
    member.node = node;
  }
  /// The first eight bytes as a number that compares as they do; shorter names are filled up with zeros.
  std::uint64_t prefix_of(Span name) const noexcept {
    std::uint64_t prefix = 0;
    // The bytes after the name belong to the text and are masked out.
    if ((name.at & JsonTree::kDecoded) == 0)
      std::memcpy(&prefix, text_ + name.at, sizeof prefix);
    else
      std::memcpy(&prefix, tree_.view(name).data(), std::min<std::size_t>(name.size, sizeof prefix));
    if constexpr (std::endian::native == std::endian::little) prefix = __builtin_bswap64(prefix);
    return name.size >= 8 ? prefix : prefix & ~(~std::uint64_t{0} >> 8 * name.size);
  }
  bool is_same_name(const JsonTree::Member& a, const JsonTree::Member& b) const noexcept {
    return a.prefix == b.prefix && tree_.view(a.name) == tree_.view(b.name);
  }
  void sort_members(std::size_t base);
  /// Removes the members from `base` on; false for a duplicate name.
  bool close_members(std::size_t base);

  // json_chooser.cpp: values on the path of pointers
  Place choose(Place at, std::size_t depth, std::size_t first);
  Place choose_member(Place at, std::size_t depth, std::size_t first);
  Place choose_element(Place at, std::size_t depth, std::size_t first);
  bool activate(std::string_view name, std::size_t depth, std::size_t first, std::size_t last);
  bool follow(Node node, std::size_t depth, std::uint32_t pointer);
  void step_through_object(std::size_t depth, std::uint32_t pointer) noexcept;
  void come_to_list(std::size_t depth, std::uint32_t pointer) noexcept;

  JsonTree& tree_;
  const Place text_;
  const Place end_;
  const Numbers numbers_;
  std::size_t top_ = 0;  // of the members
  std::span<const JsonPointer> pointers_;
  std::span<JsonTree::Chosen> chosen_;
};

}  // namespace forebay::content
