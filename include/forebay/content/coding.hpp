#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "forebay/base/error.hpp"

namespace forebay::content {

/// Undoes the Content-Encoding (RFC 9110 section 8.4) of whole content into `out` (overwritten): gzip (x-gzip), deflate
/// (with its zlib wrapper), br, zstd or identity. Readers must not be able to take the content for different things: so
/// `Unsupported` for any other coding and for more than one, `Malformed` for broken or cut content, for bytes behind
/// its end, for a second gzip member and for a second or skippable zstd frame, at which many readers stop. `TooLarge`
/// as soon as more than `limit` bytes come out. Memory stays within a small multiple of `limit` plus what the format's
/// window needs (zstd windows above 8 MiB are `TooLarge`).
Result<void> decode(std::string_view content_encoding, std::string_view content, std::size_t limit, std::string& out);

/// Undoes one coding or none as a stream, of as many members and frames as there are.
class Decoder {
 public:
  explicit Decoder(std::string_view content_encoding);
  ~Decoder();
  Decoder(Decoder&&) noexcept;
  Decoder& operator=(Decoder&&) noexcept;
  /// Appends what comes out to `out`, at most `limit` bytes in all calls together.
  Result<void> feed(std::string_view bytes, std::size_t limit, std::string& out);
  /// Whether the content has come to its proper end.
  bool finished() const noexcept;

 private:
  struct Private;
  std::unique_ptr<Private> p_;
};

}  // namespace forebay::content
