#include "forebay/http/date.hpp"

#include <algorithm>
#include <array>

#include "forebay/base/text.hpp"
#include "forebay/http/fields.hpp"

namespace forebay::http {
namespace {

using std::chrono::sys_days;
using std::chrono::year_month_day;

constexpr std::array<std::string_view, 7> kDays{"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                "Thursday", "Friday", "Saturday"};
constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

constexpr auto kEarliest = sys_days{std::chrono::year{1900} / 1 / 1};
constexpr auto kLatest = sys_days{std::chrono::year{2190} / 1 / 1} - Seconds{1};

// Takes pieces from the front of a text. After a mismatch, `ok` stays false.
struct Reader {
  std::string_view rest;
  bool ok = true;

  void literal(std::string_view expected) noexcept {
    if (!ok || rest.size() < expected.size() || !iequals(rest.substr(0, expected.size()), expected)) {
      ok = false;
      return;
    }
    rest.remove_prefix(expected.size());
  }
  int digits(std::size_t n) noexcept {
    int value = 0;
    if (!ok || rest.size() < n) {
      ok = false;
      return 0;
    }
    for (std::size_t i = 0; i < n; ++i) {
      if (!is_digit(rest[i])) ok = false;
      value = value * 10 + (rest[i] - '0');
    }
    rest.remove_prefix(n);
    return value;
  }
  unsigned month() noexcept {
    for (std::size_t i = 0; ok && i < kMonths.size(); ++i) {
      if (iequals(rest.substr(0, 3), kMonths[i])) {
        rest.remove_prefix(3);
        return static_cast<unsigned>(i) + 1;
      }
    }
    ok = false;
    return 0;
  }
};

struct Parts {
  int year = 0;
  unsigned month = 0;
  int day = 0;
  int hour = 0, minute = 0, second = 0;
};

void time_of_day(Reader& in, Parts& p) noexcept {
  p.hour = in.digits(2);
  in.literal(":");
  p.minute = in.digits(2);
  in.literal(":");
  p.second = in.digits(2);
}

// IMF-fixdate: ", 06 Nov 1994 08:49:37 GMT". RFC 850: ", 06-Nov-94 08:49:37 GMT"; the caller finds the century.
void after_weekday(Reader& in, Parts& p, std::string_view separator, std::size_t year_digits) noexcept {
  in.literal(", ");
  p.day = in.digits(2);
  in.literal(separator);
  p.month = in.month();
  in.literal(separator);
  p.year = in.digits(year_digits);
  in.literal(" ");
  time_of_day(in, p);
  in.literal(" GMT");
}

// " Nov  6 08:49:37 1994": a day below ten has a space for its first digit.
void asctime(Reader& in, Parts& p) noexcept {
  in.literal(" ");
  p.month = in.month();
  in.literal(" ");
  if (in.rest.starts_with(' ')) {
    in.literal(" ");
    p.day = in.digits(1);
  } else {
    p.day = in.digits(2);
  }
  in.literal(" ");
  time_of_day(in, p);
  in.literal(" ");
  p.year = in.digits(4);
}

// Section 5.6.7: a two-digit year more than 50 years ahead is the latest past year with these digits.
int full_year(int two_digits, WallTime now) noexcept {
  const int this_year = static_cast<int>(year_month_day{std::chrono::floor<std::chrono::days>(now)}.year());
  const int year = this_year - this_year % 100 + two_digits;
  if (year > this_year + 50) return year - 100;
  if (year + 100 <= this_year + 50) return year + 100;
  return year;
}

std::optional<WallTime> to_time(const Parts& p) noexcept {
  const year_month_day date{std::chrono::year{p.year}, std::chrono::month{p.month},
                            std::chrono::day{static_cast<unsigned>(p.day)}};
  // A second of 60 is a leap second and counts as the one after it.
  if (!date.ok() || p.hour > 23 || p.minute > 59 || p.second > 60) return std::nullopt;
  const auto t = sys_days{date} + std::chrono::hours{p.hour} + std::chrono::minutes{p.minute} + Seconds{p.second};
  return WallTime{std::clamp<std::chrono::sys_seconds>(t, kEarliest, kLatest)};
}

}  // namespace

std::optional<WallTime> parse_date(std::string_view text, WallTime now) noexcept {
  Reader in{text};
  Parts parts;
  for (const std::string_view day : kDays) {
    if (!iequals(text.substr(0, 3), day.substr(0, 3))) continue;
    if (text.size() > day.size() && text[day.size()] == ',' && iequals(text.substr(0, day.size()), day)) {
      in.rest.remove_prefix(day.size());
      after_weekday(in, parts, "-", 2);
      parts.year = full_year(parts.year, now);
    } else {
      in.rest.remove_prefix(3);
      if (in.rest.starts_with(',')) {
        after_weekday(in, parts, " ", 4);
      } else {
        asctime(in, parts);
      }
    }
    if (!in.ok || !in.rest.empty()) return std::nullopt;
    return to_time(parts);
  }
  return std::nullopt;
}

void append_date(std::string& out, WallTime t) {
  const auto days = std::chrono::floor<std::chrono::days>(t);
  const year_month_day date{days};
  const auto second = std::chrono::floor<Seconds>(t - days).count();
  const auto year = static_cast<unsigned>(static_cast<int>(date.year()));
  const auto two = [&out](auto n) {
    out.push_back(static_cast<char>('0' + n / 10));
    out.push_back(static_cast<char>('0' + n % 10));
  };
  out.append(kDays[std::chrono::weekday{days}.c_encoding()].substr(0, 3)).append(", ");
  two(static_cast<unsigned>(date.day()));
  out.append(" ").append(kMonths[static_cast<unsigned>(date.month()) - 1]).append(" ");
  two(year / 100);
  two(year % 100);
  out.append(" ");
  two(second / 3600);
  out.append(":");
  two(second / 60 % 60);
  out.append(":");
  two(second % 60);
  out.append(" GMT");
}

std::string format_date(WallTime t) {
  std::string out;
  out.reserve(29);
  append_date(out, t);
  return out;
}

}  // namespace forebay::http
