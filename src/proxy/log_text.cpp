#include "log_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

#include "forebay/base/text.hpp"

namespace forebay::proxy {
namespace {

void append_padded(std::string& out, unsigned n, int width) {
  std::array<char, 8> buffer;
  for (int i = width; i-- > 0; n /= 10) buffer[static_cast<std::size_t>(i)] = static_cast<char>('0' + n % 10);
  out.append(buffer.data(), static_cast<std::size_t>(width));
}

struct Civil {
  std::chrono::year_month_day date;
  std::chrono::hh_mm_ss<std::chrono::milliseconds> time;
  explicit Civil(WallTime t)
      : date(std::chrono::floor<std::chrono::days>(t)),
        time(std::chrono::floor<std::chrono::milliseconds>(t - std::chrono::floor<std::chrono::days>(t))) {}
  unsigned hours() const { return static_cast<unsigned>(time.hours().count()); }
  unsigned minutes() const { return static_cast<unsigned>(time.minutes().count()); }
  unsigned seconds() const { return static_cast<unsigned>(time.seconds().count()); }
};

}  // namespace

void append_ms(std::string& out, double ms) {
  std::array<char, 40> buffer;
  const auto end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), std::min(ms, 1e12), std::chars_format::fixed, 3);
  out.append(buffer.data(), end.ptr);
}

namespace {

void append_clock(std::string& out, const Civil& c) {
  append_padded(out, c.hours(), 2);
  out += ':';
  append_padded(out, c.minutes(), 2);
  out += ':';
  append_padded(out, c.seconds(), 2);
  out += '.';
  append_padded(out, static_cast<unsigned>(c.time.subseconds().count()), 3);
}

}  // namespace

void append_time_of_day(std::string& out, WallTime t) { append_clock(out, Civil(t)); }

void append_timestamp(std::string& out, WallTime t) {
  const Civil c(t);
  append_padded(out, static_cast<unsigned>(static_cast<int>(c.date.year())), 4);
  out += '-';
  append_padded(out, static_cast<unsigned>(c.date.month()), 2);
  out += '-';
  append_padded(out, static_cast<unsigned>(c.date.day()), 2);
  out += 'T';
  append_clock(out, c);
  out += 'Z';
}

void append_clf_time(std::string& out, WallTime t) {
  static constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const Civil c(t);
  append_padded(out, static_cast<unsigned>(c.date.day()), 2);
  out += '/';
  out += kMonths[static_cast<unsigned>(c.date.month()) - 1];
  out += '/';
  append_padded(out, static_cast<unsigned>(static_cast<int>(c.date.year())), 4);
  out += ':';
  append_padded(out, c.hours(), 2);
  out += ':';
  append_padded(out, c.minutes(), 2);
  out += ':';
  append_padded(out, c.seconds(), 2);
  out += " +0000";
}

void append_clf_text(std::string& out, std::string_view s) {
  if (s.empty()) {
    out += '-';
    return;
  }
  for (const char ch : s) {
    const auto c = static_cast<unsigned char>(ch);
    if (c < 0x20 || c >= 0x7F || c == '"' || c == '\\') {
      out += "\\x";
      append_hex(out, c);
    } else {
      out += ch;
    }
  }
}

}  // namespace forebay::proxy
