#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "forebay/base/error.hpp"

namespace forebay::content {

/// Whether a Content-Encoding can be undone here: gzip (x-gzip), deflate (zlib), br, zstd and identity, and up to three
/// of them one after the other.
bool can_decode(std::string_view content_encoding) noexcept;

/// Undoes a Content-Encoding (RFC 9110 section 8.4) of whole content into `out` (overwritten). `TooLarge` as soon as
/// more than `limit` bytes come out at any stage; `Unsupported` for another coding; `Malformed` for broken or cut
/// content, and for bytes behind its end. Memory stays within a small multiple of `limit` plus what the format's window
/// needs (zstd windows above 8 MiB are `TooLarge`).
Result<void> decode(std::string_view content_encoding, std::string_view content, std::size_t limit, std::string& out);

/// The same as a stream; one coding or none.
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
