#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "forebay/base/error.hpp"

namespace forebay::content {

/// Undoes one coding in steps of bounded size; a shell around one library each.
class Inflater {
 public:
  Inflater() = default;
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  virtual ~Inflater() = default;

  /// Takes from the front of `in` and writes at most `room` (above zero) bytes to `out`; gives how many. Less than
  /// `room` only when all of `in` has been taken and nothing more comes out of it. `Malformed` also for bytes behind
  /// the end.
  virtual Result<std::size_t> step(std::string_view& in, char* out, std::size_t room) = 0;
  /// Whether all that was taken is whole.
  virtual bool finished() const noexcept = 0;
  /// Whether all that was taken is one member or frame, with nothing in it that is skipped.
  virtual bool single() const noexcept { return true; }
  /// Makes ready for new content; false when a new one has to be made instead.
  virtual bool restart() noexcept { return false; }
};

/// Null when the library has no memory.
std::unique_ptr<Inflater> make_zlib_inflater(bool gzip);
std::unique_ptr<Inflater> make_brotli_inflater();
std::unique_ptr<Inflater> make_zstd_inflater();

/// Content-Encodings by their registered names (RFC 9110 section 8.4.1, RFC 7932, RFC 8878).
enum class Coding { Identity, Gzip, Deflate, Brotli, Zstd, Unknown };
Coding coding_of(std::string_view name) noexcept;
/// Of the one coding in a Content-Encoding, identity left aside; Unknown for two and more.
Coding only_coding(std::string_view content_encoding) noexcept;
/// Null for identity, and when there is no memory.
std::unique_ptr<Inflater> make_inflater(Coding coding);

}  // namespace forebay::content
