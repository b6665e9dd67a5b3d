#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "forebay/base/error.hpp"

namespace forebay::content {

/// Decodes the Content-Encoding (RFC 9110 section 8.4) of complete content into `out` (overwritten): gzip (x-gzip),
/// deflate (with its zlib wrapper), br, zstd or identity. Ambiguous content is refused: `Unsupported` for any other
/// coding and for more than one, `Malformed` for broken or cut content, for bytes behind its end, for a second gzip
/// member and for a second or skippable zstd frame, at which many readers stop. `TooLarge` for more than `limit`
/// decoded bytes. Memory stays within a small multiple of `limit` plus what the format's window needs (zstd windows
/// above 8 MiB are `TooLarge`).
Result<void> decode(std::string_view content_encoding, std::string_view content, std::size_t limit, std::string& out);

/// Decodes one coding or none as a stream, with any number of members and frames.
class Decoder {
 public:
  explicit Decoder(std::string_view content_encoding);
  ~Decoder();
  Decoder(Decoder&&) noexcept;
  Decoder& operator=(Decoder&&) noexcept;
  /// Appends decoded bytes to `out`, at most `limit` bytes in all calls together.
  Result<void> feed(std::string_view bytes, std::size_t limit, std::string& out);
  /// Whether the content is complete.
  bool finished() const noexcept;

 private:
  struct Private;
  std::unique_ptr<Private> p_;
};

/// Decodes the codings of a Transfer-Encoding (RFC 9112 section 7.2) as a stream, in steps of bounded size and memory.
class TransferDecoder {
 public:
  /// `codings`: those before chunked, in the order in which they were applied. gzip, x-gzip and deflate are supported;
  /// `Unsupported` for any other, for one with parameters (these codings have none) and for more than three;
  /// `OutOfMemory`.
  static Result<TransferDecoder> make(std::span<const std::string_view> codings);
  TransferDecoder(TransferDecoder&&) noexcept;
  TransferDecoder& operator=(TransferDecoder&&) noexcept;
  ~TransferDecoder();

  /// Takes from the front of `in` and writes at most `room` (above zero) bytes to `out`; returns their number. Less
  /// than `room` only when `in` is used up and no output is left. `Malformed` for broken content and for bytes behind
  /// its end; `OutOfMemory`.
  Result<std::size_t> step(std::string_view& in, char* out, std::size_t room);
  /// Whether the content is complete.
  bool finished() const noexcept;

 private:
  struct Stage;
  TransferDecoder();
  Result<std::size_t> pull(std::size_t stage, std::string_view& in, char* out, std::size_t room);
  std::vector<std::unique_ptr<Stage>> stages_;  // the one that was applied last stands first
};

}  // namespace forebay::content
