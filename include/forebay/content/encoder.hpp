#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "forebay/base/error.hpp"

namespace forebay::content {

/// The content codings that Forebay makes itself.
enum class Compression : std::uint8_t { Gzip, Brotli, Zstd };
inline constexpr std::size_t kCompressions = 3;
/// As in Content-Encoding: `gzip`, `br`, `zstd`.
std::string_view to_string(Compression coding) noexcept;
/// By that name, in any case.
std::optional<Compression> compression_of(std::string_view name) noexcept;

/// Compresses content in steps of bounded size, as one gzip member, one brotli stream or one zstd frame. The levels (6,
/// 5 and 3) are those at which a further percent costs a multiple of the time.
class Encoder {
 public:
  /// `length`: of the content, which sizes the windows: at most 2 MiB. Null without memory.
  static std::unique_ptr<Encoder> make(Compression coding, std::uint64_t length);

  Encoder() = default;
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;
  virtual ~Encoder() = default;

  /// Takes from the front of `in` and writes at most `room` (above zero) bytes to `out`; returns their number. Less
  /// than `room` only when `in` is used up. `OutOfMemory`.
  virtual Result<std::size_t> take(std::string_view& in, char* out, std::size_t room) = 0;
  /// After the last content: writes what is left, at most `room` bytes. Less than `room` only at the end.
  virtual Result<std::size_t> finish(char* out, std::size_t room) = 0;
};

}  // namespace forebay::content
