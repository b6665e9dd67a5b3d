#pragma once

#include <array>
#include <charconv>
#include <string>
#include <string_view>

#include "forebay/base/clock.hpp"

namespace forebay::proxy {

template <class T>
void append_number(std::string& out, T n) {
  std::array<char, 24> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), n);
  out.append(buffer.data(), end.ptr);
}

/// Milliseconds to the microsecond.
void append_ms(std::string& out, double ms);
/// RFC 3339 with milliseconds, UTC.
void append_timestamp(std::string& out, WallTime t);
/// `HH:MM:SS.mmm`, UTC.
void append_time_of_day(std::string& out, WallTime t);
/// "10/Oct/2000:13:55:36 +0000"
void append_clf_time(std::string& out, WallTime t);
/// The inside of a JSON string (RFC 8259 section 7). What strangers send can end neither the string nor the line;
/// broken UTF-8 is U+FFFD.
void append_json_text(std::string& out, std::string_view s);
/// As nginx and Apache write it: what could end the quotes or the line is \xHH; "-" for nothing.
void append_clf_text(std::string& out, std::string_view s);

}  // namespace forebay::proxy
