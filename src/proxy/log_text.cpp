#include "log_text.hpp"

#include <algorithm>
#include <chrono>

namespace forebay::proxy {
namespace {

constexpr char kDigits[] = "0123456789abcdef";

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

// Length of the well-formed UTF-8 sequence at the front (RFC 3629 section 4), 0 when there is none.
std::size_t utf8_length(std::string_view s) noexcept {
  const auto byte = [&](std::size_t i) { return i < s.size() ? static_cast<unsigned char>(s[i]) : 0U; };
  const auto tail = [&](std::size_t i) { return byte(i) >= 0x80 && byte(i) <= 0xBF; };
  const auto b = byte(0);
  if (b < 0x80) return 1;
  if (b >= 0xC2 && b <= 0xDF) return tail(1) ? 2 : 0;
  if (b >= 0xE0 && b <= 0xEF) {
    if (b == 0xE0 && byte(1) < 0xA0) return 0;
    if (b == 0xED && byte(1) > 0x9F) return 0;
    return tail(1) && tail(2) ? 3 : 0;
  }
  if (b >= 0xF0 && b <= 0xF4) {
    if (b == 0xF0 && byte(1) < 0x90) return 0;
    if (b == 0xF4 && byte(1) > 0x8F) return 0;
    return tail(1) && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

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

void append_json_text(std::string& out, std::string_view s) {
  while (!s.empty()) {
    // The common case in one piece.
    std::size_t plain = 0;
    while (plain < s.size() && s[plain] >= 0x20 && s[plain] < 0x7F && s[plain] != '"' && s[plain] != '\\') ++plain;
    out.append(s.substr(0, plain));
    s.remove_prefix(plain);
    if (s.empty()) return;
    const auto n = utf8_length(s);
    const auto c = static_cast<unsigned char>(s[0]);
    if (n == 0) {
      out += "\\ufffd";
    } else if (c == '"' || c == '\\') {
      out += '\\';
      out += static_cast<char>(c);
    } else if (c < 0x20 || c == 0x7F) {
      out += "\\u00";
      out += kDigits[c >> 4];
      out += kDigits[c & 15];
    } else {
      out += s.substr(0, n);
    }
    s.remove_prefix(n == 0 ? 1 : n);
  }
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
      out += kDigits[c >> 4];
      out += kDigits[c & 15];
    } else {
      out += ch;
    }
  }
}

}  // namespace forebay::proxy
