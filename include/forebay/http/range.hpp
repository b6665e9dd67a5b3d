#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace forebay::http {

/// One range of a Range field as sent (RFC 9110 section 14.1.2).
struct RangeSpec {
  std::optional<std::uint64_t> first;  ///< Absent: suffix form, `last` is its length.
  std::optional<std::uint64_t> last;
};

/// The bytes [first, first + length) of a representation.
struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t length = 0;
  bool operator==(const ByteRange&) const = default;
};

/// "bytes=..." only; nothing for another unit, a syntax error, or more than `most` ranges (then Range is ignored).
std::optional<std::vector<RangeSpec>> parse_range(std::string_view value, std::size_t most = 32);
/// Ranges of a representation of `size` bytes in the order asked; unsatisfiable ones are left out, so empty means 416.
/// Overlapping or more than a handful of tiny ranges may be coalesced (RFC 9110 section 15.3.7.2).
std::vector<ByteRange> resolve(const std::vector<RangeSpec>& specs, std::uint64_t size);

/// Content-Range of a 206: `bytes 0-9/100`.
std::string format_content_range(const ByteRange& r, std::uint64_t complete);

}  // namespace forebay::http
