#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "forebay/base/clock.hpp"

namespace forebay::http {

/// HTTP-date of RFC 9110 section 5.6.7, strictly: IMF-fixdate, RFC 850 and asctime forms, names and GMT in any case.
/// Everything else (other zones, one-digit hours, doubled spaces, two-digit years in the IMF form) is nothing. `now`
/// places the two-digit year of the RFC 850 form (not more than 50 years ahead). The name of the day is not checked.
/// Dates are clamped to 1900..2189, so that the difference of any two fits a Duration.
std::optional<WallTime> parse_date(std::string_view text, WallTime now) noexcept;
/// IMF-fixdate, 29 bytes.
std::string format_date(WallTime t);
void append_date(std::string& out, WallTime t);

}  // namespace forebay::http
