#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "forebay/base/error.hpp"
#include "forebay/content/json.hpp"

namespace forebay::content {

enum class JsonKind : std::uint8_t { Null, False, True, Number, String, Array, Object };

/// A JSON text as a tree of compact nodes: names and scalars refer to the text, unless they have escapes. Members are
/// sorted by the bytes of their names. Reusable: once its buffers have grown it allocates nothing. Nodes are numbers,
/// valid until the next `read`.
class JsonTree {
 public:
  using Node = std::uint32_t;
  static constexpr Node kNone = ~Node{0};
  static constexpr Node kAmbiguous = kNone - 1;
  static constexpr std::size_t kMaxDepth = 64;

  /// What a pointer has found.
  struct Chosen {
    Node node = kNone;
    std::uint64_t through_objects = 0;  ///< As `CanonicalJson::through_objects`.
    bool in_list = false;               ///< As `CanonicalJson::in_list`.
  };

  /// `Malformed` as `CanonicalJson::read` says; there are no nodes then.
  Result<void> read(std::string_view text, Numbers numbers);
  /// The same, with nodes only for selected values: one of `chosen` (overwritten) for each pointer. The rest is only
  /// checked, and there is no root.
  Result<void> read(std::string_view text, std::span<const JsonPointer> pointers, Numbers numbers,
                    std::vector<Chosen>& chosen);

  Node root() const noexcept { return 0; }
  JsonKind kind(Node node) const noexcept { return items_[node].kind; }
  /// Of an array or object; kNone when it is empty.
  Node first_child(Node node) const noexcept { return items_[node].text.at; }
  /// Its next sibling; kNone after the last.
  Node next(Node node) const noexcept { return items_[node].next; }
  std::string_view name(Node node) const noexcept { return view(items_[node].name); }
  /// Of a string, decoded; of a number, as written.
  std::string_view text(Node node) const noexcept { return view(items_[node].text); }
  /// A member by its name, an element by its index; kNone when there is none or the node has another type. kAmbiguous
  /// when the object has a member whose name differs only in case.
  Node member(Node object, std::string_view name) const noexcept;
  Node element(Node array, std::size_t place) const noexcept;

  /// `numbers` as given to `read`.
  void append_canonical(Node node, Numbers numbers, std::string& out) const;

 private:
  friend class JsonParser;

  // Bytes of the text, or of `decoded_` when the top bit of `at` is set.
  struct Span {
    std::uint32_t at = 0;
    std::uint32_t size = 0;
  };
  static constexpr std::uint32_t kDecoded = std::uint32_t{1} << 31;

  struct Item {
    Span name;
    Span text;  // of a scalar; for arrays and objects `at` is the first child
    Node next = kNone;
    JsonKind kind = JsonKind::Null;
  };
  // A member of an object that is still open. Most names differ in their first eight bytes, so that most comparisons
  // are one of two integers.
  struct Member {
    std::uint64_t prefix;
    Span name;
    Node node;
  };

  std::string_view view(Span span) const noexcept {
    const char* from = (span.at & kDecoded) != 0 ? decoded_.data() + (span.at & ~kDecoded) : text_.data() + span.at;
    return {from, span.size};
  }
  Result<void> start(std::string_view text);
  void append_string(Span span, std::string& out) const;
  void append_children(Node node, Numbers numbers, std::string& out) const;

  std::string text_;  // of `size_` bytes, with zero bytes behind it
  std::size_t size_ = 0;
  std::string decoded_;
  std::vector<Item> items_;
  std::vector<Member> members_;
  std::vector<std::uint32_t> active_;  // numbers of the pointers that lead into the values that are open
};

/// RFC 6901 section 4: digits without a leading zero. `-`, the element after the last, never exists.
std::optional<std::size_t> array_index(std::string_view step) noexcept;

/// Appends an exact decimal in canonical form: no sign for zero, no insignificant zeros, an exponent only if the plain
/// form would be long (as ECMAScript writes numbers, but of any precision). `written` is a JSON number whose exponent
/// has at most 15 digits.
void append_exact_decimal(std::string& out, std::string_view written);

}  // namespace forebay::content
