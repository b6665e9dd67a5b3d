#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace forebay::http {

/// Priority of an answer (RFC 9218 section 4).
struct H2Priority {
  std::uint32_t urgency = 3;  ///< 0 is the most urgent, 7 the least.
  bool incremental = false;
  bool operator==(const H2Priority&) const = default;
};
/// Value of the field `priority`. Nothing if it is malformed; unknown members, and values out of range, are ignored.
std::optional<H2Priority> parse_priority(std::string_view value);

}  // namespace forebay::http
