#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "forebay/base/error.hpp"

namespace forebay::content {

/// Decodes one coding in steps of bounded size; wraps one library each.
class Inflater {
 public:
  Inflater() = default;
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  virtual ~Inflater() = default;

  /// Takes from the front of `in` and writes at most `room` (above zero) bytes to `out`; returns their number. Less
  /// than `room` only when `in` is used up and no output is left. `Malformed` also for bytes behind the end.
  virtual Result<std::size_t> step(std::string_view& in, char* out, std::size_t room) = 0;
  /// Whether the input so far is complete.
  virtual bool finished() const noexcept = 0;
  /// Whether the input so far is exactly one member or frame, without skippable parts.
  virtual bool single() const noexcept { return true; }
  /// Resets it for new content; false if a new object must be created instead.
  virtual bool restart() noexcept { return false; }
};

/// Null when the library has no memory.
std::unique_ptr<Inflater> make_zlib_inflater(bool gzip);
std::unique_ptr<Inflater> make_brotli_inflater();
std::unique_ptr<Inflater> make_zstd_inflater();

/// Content-Encodings by their registered names (RFC 9110 section 8.4.1, RFC 7932, RFC 8878).
enum class Coding { Identity, Gzip, Deflate, Brotli, Zstd, Unknown };
Coding coding_of(std::string_view name) noexcept;
/// The coding of a Content-Encoding, ignoring identity; Unknown for two or more.
Coding only_coding(std::string_view content_encoding) noexcept;
/// Null for identity, and without memory.
std::unique_ptr<Inflater> make_inflater(Coding coding);

}  // namespace forebay::content
