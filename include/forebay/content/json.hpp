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

/// How numbers compare: as they are written, or as the exact decimals they stand for.
enum class Numbers : std::uint8_t { Written, Value };

/// A JSON Pointer (RFC 6901): `/query/lang`; the empty one is the whole document.
class JsonPointer {
 public:
  /// Nothing for what is no pointer: not empty and without a leading `/`, or a `~` that is not `~0` or `~1`.
  static std::optional<JsonPointer> parse(std::string_view text);
  const std::string& text() const noexcept { return text_; }                 ///< As written.
  const std::vector<std::string>& steps() const noexcept { return steps_; }  ///< Unescaped reference tokens.
  bool operator==(const JsonPointer&) const = default;

 private:
  std::string text_;
  std::vector<std::string> steps_;
};

/// Reads JSON texts (RFC 8259) and gives the parts that pointers choose in a form in which equal values have equal text
/// and different ones never: members sorted by the UTF-8 bytes of their names, no white space, strings escaped as in
/// RFC 8785 section 3.2.2.2, numbers as written (under `Value`: as exact decimals, so that 2, 2.0 and 2e0 are one and
/// 1e400 is not 1e401), arrays in their order. Kept and used again: once its buffers have grown it allocates nothing.
class CanonicalJson {
 public:
  CanonicalJson();
  ~CanonicalJson();

  /// `Malformed` for whatever two readers could take for different things: no JSON, bytes behind it, invalid UTF-8,
  /// lone surrogates, a name that stands twice in one object (anywhere, also outside of what is
  /// chosen), more than 64 levels; where a step of a pointer is looked up, a name that differs from it in its case
  /// alone (of ASCII); with `Value` also an exponent of more than 15 digits. Nothing is given out then. A byte order
  /// mark is malformed.
  Result<void> read(std::string_view text, std::span<const JsonPointer> pointers, Numbers numbers);
  /// After `read`: the canonical text of what pointer `i` found; nothing when it finds nothing. Valid until the next
  /// `read`. Pointers may be nested in one another.
  std::optional<std::string_view> value(std::size_t i) const noexcept;
  /// Of what was found: bit `n` says that step `n`, which could be the place of an element, was the name of a member.
  std::uint64_t through_objects(std::size_t i) const noexcept;
  /// Whether pointer `i` found nothing because a step of it that is no place of an element came to an array: what reads
  /// an array as several (a batch of JSON-RPC) may find it in each element.
  bool in_list(std::size_t i) const noexcept;

 private:
  struct Private;
  std::unique_ptr<Private> p_;
};

}  // namespace forebay::content
