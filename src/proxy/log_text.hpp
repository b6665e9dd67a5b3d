#pragma once

#include <string>
#include <string_view>

#include "forebay/base/clock.hpp"

namespace forebay::proxy {

/// Milliseconds to the microsecond.
void append_ms(std::string& out, double ms);
/// RFC 3339 with milliseconds, UTC.
void append_timestamp(std::string& out, WallTime t);
/// `HH:MM:SS.mmm`, UTC.
void append_time_of_day(std::string& out, WallTime t);
/// "10/Oct/2000:13:55:36 +0000"
void append_clf_time(std::string& out, WallTime t);
/// As in nginx and Apache: quotes, backslashes and control bytes are \xHH; "-" if empty.
void append_clf_text(std::string& out, std::string_view s);

}  // namespace forebay::proxy
