#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "forebay/base/error.hpp"
#include "forebay/content/json.hpp"

namespace forebay::content {

enum class JsonKind : std::uint8_t { Null, False, True, Number, String, Array, Object };

/// A whole JSON text as a tree of compact nodes: names and scalars are places in the text, except where escapes had to
/// be undone. Members stand in the order of their names' bytes. Used again: once its buffers have grown it allocates
/// nothing. Nodes are numbers, good until the next `read`; `text` must live as long.
class JsonTree {
 public:
  using Node = std::uint32_t;
  static constexpr Node kNone = ~Node{0};
  static constexpr std::size_t kMaxDepth = 64;

  JsonTree();
  ~JsonTree();
  JsonTree(JsonTree&&) noexcept;
  JsonTree& operator=(JsonTree&&) noexcept;

  /// `Malformed` as `CanonicalJson::read` says.
  Result<void> read(std::string_view text);

  Node root() const noexcept { return 0; }
  JsonKind kind(Node node) const noexcept;
  /// Of an array or object; kNone behind the last.
  Node first_child(Node node) const noexcept;
  Node next(Node node) const noexcept;
  std::string_view name(Node node) const noexcept;
  /// Of a string, decoded; of a number, as written.
  std::string_view text(Node node) const noexcept;
  /// A member by its name, an element by its place; kNone when there is none or the node is of another kind.
  Node member(Node object, std::string_view name) const noexcept;
  Node element(Node array, std::size_t place) const noexcept;

  void append_canonical(Node node, Numbers numbers, std::string& out) const;

 private:
  struct Private;
  std::unique_ptr<Private> p_;
};

/// Appends an exact decimal in one form: no sign for zero, no zeros that mean nothing, an exponent only where the plain
/// form would be long (as ECMAScript writes numbers, but of any precision). `written` is a JSON number whose exponent
/// is within 2^31.
void append_exact_decimal(std::string& out, std::string_view written);

}  // namespace forebay::content
