#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "forebay/base/error.hpp"

namespace forebay::content {

/// How numbers compare: as written, or by their exact decimal value.
enum class Numbers : std::uint8_t { Written, Value };

/// A JSON Pointer (RFC 6901): `/query/lang`; the empty pointer is the whole document.
class JsonPointer {
 public:
  /// Nothing for an invalid pointer: not empty and without a leading `/`, or a `~` that is not `~0` or `~1`.
  static std::optional<JsonPointer> parse(std::string_view text);
  const std::string& text() const noexcept { return text_; }                 ///< As written.
  const std::vector<std::string>& steps() const noexcept { return steps_; }  ///< Unescaped reference tokens.
  bool operator==(const JsonPointer&) const = default;

 private:
  std::string text_;
  std::vector<std::string> steps_;
};

/// Reads JSON texts (RFC 8259) and returns the parts that pointers select in a canonical form, in which equal values
/// have equal text and different values different text: members sorted by the UTF-8 bytes of their names, no white
/// space, strings escaped as in RFC 8785 section 3.2.2.2, numbers as written (under `Value`: as exact decimals, so that
/// 2, 2.0 and 2e0 are equal and 1e400 is not 1e401), arrays in their order. Reusable: once its buffers have grown it
/// allocates nothing.
class CanonicalJson {
 public:
  CanonicalJson();
  ~CanonicalJson();

  /// `Malformed` for anything ambiguous: invalid JSON, bytes after it, invalid UTF-8, lone surrogates, a duplicate name
  /// in an object (also outside of the selected parts), more than 64 levels; where a step of a pointer is looked up, a
  /// name that differs from it only in case (ASCII); with `Value` also an exponent of more than 15 digits; a byte order
  /// mark. There is no result then.
  Result<void> read(std::string_view text, std::span<const JsonPointer> pointers, Numbers numbers);
  /// After `read`: the canonical text of the value at pointer `i`; nothing if there is none. Valid until the next
  /// `read`. Pointers may be nested.
  std::optional<std::string_view> value(std::size_t i) const noexcept;
  /// Bit `n`: step `n` of the pointer, which could be an array index, was the name of a member.
  std::uint64_t through_objects(std::size_t i) const noexcept;
  /// Whether pointer `i` found nothing because a step that is not an index reached an array: a reader of batches
  /// (JSON-RPC) may find the member in each element.
  bool in_list(std::size_t i) const noexcept;

 private:
  struct Private;
  std::unique_ptr<Private> p_;
};

}  // namespace forebay::content
