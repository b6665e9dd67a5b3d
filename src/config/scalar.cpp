#include "config/scalar.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "config/report.hpp"
#include "forebay/config/duration.hpp"

namespace forebay::config {
namespace {

__extension__ using Wide = unsigned __int128;

/// A decimal number as an exact fraction: `digits / 10^scale`.
struct Decimal {
  Wide digits = 0;
  int scale = 0;
  std::size_t length = 0;  ///< Characters read; 0: no number.
  bool huge = false;
};

Decimal read_decimal(std::string_view text) noexcept {
  Decimal d;
  std::size_t i = 0;
  int significant = 0;
  bool dot = false;
  for (; i < text.size(); ++i) {
    if (text[i] == '.' && !dot && i > 0 && i + 1 < text.size() && is_digit(text[i + 1])) {
      dot = true;
      continue;
    }
    if (!is_digit(text[i])) break;
    if (significant >= 24) {  // 10^24 times a week in nanoseconds (6e14) fits Wide just about
      if (!dot) d.huge = true;
      continue;
    }
    d.digits = d.digits * 10 + static_cast<unsigned>(text[i] - '0');
    if (d.digits != 0) ++significant;
    if (dot) ++d.scale;
    if (dot && d.scale > 18) {
      d.digits /= 10;
      --d.scale;
    }
  }
  d.length = i;
  return d;
}

/// `d` times `unit`, rounded down; nothing above `most`.
std::optional<std::uint64_t> times(const Decimal& d, std::uint64_t unit, std::uint64_t most) noexcept {
  if (d.huge) return std::nullopt;
  Wide power = 1;
  for (int i = 0; i < d.scale; ++i) power *= 10;
  if (d.digits / power > most / unit) return std::nullopt;
  const Wide value = d.digits / power * unit + d.digits % power * unit / power;
  if (value > most) return std::nullopt;
  return static_cast<std::uint64_t>(value);
}

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};
constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::array<Unit, 8> kTimes{{{"w", 604800 * kSecond},
                                      {"d", 86400 * kSecond},
                                      {"h", 3600 * kSecond},
                                      {"m", 60 * kSecond},
                                      {"s", kSecond},
                                      {"ms", 1'000'000},
                                      {"us", 1'000},
                                      {"ns", 1}}};
constexpr std::array<Unit, 11> kSizes{{{"TiB", 1ull << 40},
                                       {"GiB", 1ull << 30},
                                       {"MiB", 1ull << 20},
                                       {"KiB", 1ull << 10},
                                       {"Gi", 1ull << 30},
                                       {"Mi", 1ull << 20},
                                       {"Ki", 1ull << 10},
                                       {"GB", 1'000'000'000},
                                       {"MB", 1'000'000},
                                       {"KB", 1'000},
                                       {"B", 1}}};

template <std::size_t N>
const Unit* unit_named(const std::array<Unit, N>& units, std::string_view name) noexcept {
  const auto it = std::find_if(units.begin(), units.end(), [&](const Unit& u) { return u.name == name; });
  return it == units.end() ? nullptr : &*it;
}

/// What people write for a unit, and what it is here.
std::string_view meant_time_unit(std::string_view written) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 27> kMeant{
      {{"sec", "s"},    {"secs", "s"},   {"second", "s"},        {"seconds", "s"},      {"min", "m"},
       {"mins", "m"},   {"minute", "m"}, {"minutes", "m"},       {"hr", "h"},           {"hrs", "h"},
       {"hour", "h"},   {"hours", "h"},  {"day", "d"},           {"days", "d"},         {"week", "w"},
       {"weeks", "w"},  {"msec", "ms"},  {"millis", "ms"},       {"millisecond", "ms"}, {"milliseconds", "ms"},
       {"usec", "us"},  {"µs", "us"},    {"microseconds", "us"}, {"nsec", "ns"},        {"nanoseconds", "ns"},
       {"nanos", "ns"}, {"micros", "us"}}};
  const auto low = lower_case(written);
  for (const auto& [other, ours] : kMeant)
    if (other == low) return ours;
  if (const auto* u = unit_named(kTimes, low)) return u->name;
  return {};
}

bool is_plain_number(std::string_view text) {
  const auto d = read_decimal(text);
  return d.length == text.size() && !text.empty();
}

Fault unknown_time_unit(std::string_view text, std::string_view number, std::string_view unit) {
  const auto meant = meant_time_unit(unit);
  if (!meant.empty()) {
    return {1003, in_quotes(text) + ": unknown unit " + in_quotes(unit),
            "write " + in_quotes(std::string(number) + std::string(meant))};
  }
  return {1003, in_quotes(text) + ": unknown unit " + in_quotes(unit), "units are ns, us, ms, s, m, h, d and w"};
}

}  // namespace

Parsed<Duration> parse_duration(std::string_view text) {
  if (text == "0") return Duration{0};
  if (is_plain_number(text))
    return Fault{1003, in_quotes(text) + " needs a unit", "write " + in_quotes(std::string(text) + "s")};
  if (text.starts_with('-') && text.size() > 1 && is_digit(text[1])) {
    return Fault{1004, in_quotes(text) + " is negative", "a duration is 0 or more"};
  }
  constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
  std::uint64_t total = 0;
  std::uint64_t last_factor = std::numeric_limits<std::uint64_t>::max();
  auto rest = text;
  if (rest.empty()) return Fault{1002, "a duration is expected here", "such as \"30s\""};
  while (!rest.empty()) {
    const auto number = read_decimal(rest);
    if (number.length == 0)
      return Fault{1002, in_quotes(text) + " is not a duration", "write it like 250ms, 10s or 1m30s"};
    const auto digits = rest.substr(0, number.length);
    rest.remove_prefix(number.length);
    std::size_t n = 0;
    while (n < rest.size() && (!is_digit(rest[n]) && rest[n] != '.')) ++n;
    auto unit = rest.substr(0, n);
    rest.remove_prefix(n);
    if (unit.empty())
      return Fault{1003, in_quotes(text) + " needs a unit at its end", "units are ns, us, ms, s, m, h, d and w"};
    const auto* known = unit_named(kTimes, unit);
    if (!known) {
      while (unit.starts_with(' ')) unit.remove_prefix(1);
      while (unit.ends_with(' ')) unit.remove_suffix(1);
      if (unit.empty()) return Fault{1002, in_quotes(text) + " is not a duration", "write it like 250ms, 10s or 1m30s"};
      if (unit_named(kTimes, unit)) {
        return Fault{1003, in_quotes(text) + ": a duration has no blanks",
                     "write " + in_quotes(std::string(digits) + std::string(unit))};
      }
      return unknown_time_unit(text, digits, unit);
    }
    if (known->factor >= last_factor) {
      return Fault{1002, in_quotes(text) + " is not a duration: larger units come first, each once",
                   "write it like 1m30s"};
    }
    last_factor = known->factor;
    const auto part = times(number, known->factor, kMost - total);
    if (!part) return Fault{1004, in_quotes(text) + " is too long", "at most 15250w"};
    total += *part;
  }
  return Duration{static_cast<Duration::rep>(total)};
}

std::optional<Duration> read_duration(std::string_view text) { return parse_duration(text).value; }

Parsed<std::uint64_t> parse_size(std::string_view text) {
  if (text == "0") return std::uint64_t{0};
  if (text.starts_with('-') && text.size() > 1 && is_digit(text[1])) {
    return Fault{1004, in_quotes(text) + " is negative", "a size is 0 or more"};
  }
  const auto number = read_decimal(text);
  if (number.length == 0) return Fault{1002, in_quotes(text) + " is not a size", "write it like 64KiB, 10MB or 1.5GiB"};
  const std::string digits(text.substr(0, number.length));
  auto unit = text.substr(number.length);
  if (unit.empty()) {
    return Fault{
        1003, in_quotes(text) + " needs a unit",
        "write " + in_quotes(digits + "B") + ", " + in_quotes(digits + "KiB") + " or " + in_quotes(digits + "MiB")};
  }
  const auto* known = unit_named(kSizes, unit);
  if (!known) {
    const bool blank = unit.starts_with(' ');
    while (unit.starts_with(' ')) unit.remove_prefix(1);
    const auto low = lower_case(unit);
    if (low == "k" || low == "m" || low == "g" || low == "t") {
      const auto letter = std::string(1, static_cast<char>(low[0] - 32));
      return Fault{1003, in_quotes(text) + ": " + in_quotes(unit) + " alone is ambiguous",
                   low == "t" ? "write " + in_quotes(digits + "TiB")
                              : "write " + in_quotes(digits + letter + "iB") + " (2^n) or " +
                                    in_quotes(digits + letter + "B") + " (10^n)"};
    }
    for (const auto& u : kSizes) {
      if (lower_case(u.name) != low) continue;
      return Fault{
          1003,
          blank ? in_quotes(text) + ": a size has no blanks" : in_quotes(text) + ": unknown unit " + in_quotes(unit),
          "write " + in_quotes(digits + std::string(u.name))};
    }
    return Fault{1003, in_quotes(text) + ": unknown unit " + in_quotes(unit),
                 "units are B, KiB, MiB, GiB, TiB, KB, MB and GB"};
  }
  const auto bytes = times(number, known->factor, std::uint64_t{1} << 62);
  if (!bytes) return Fault{1004, in_quotes(text) + " is too large", "at most 4194304TiB"};
  return *bytes;
}

bool looks_like_ratio(std::string_view text) noexcept {
  return text.ends_with('%') || (text.find('.') != std::string_view::npos && is_plain_number(text));
}

Parsed<double> parse_ratio(std::string_view text) {
  const bool percent = text.ends_with('%');
  auto digits = text.substr(0, text.size() - (percent ? 1 : 0));
  const bool negative = digits.starts_with('-');
  if (negative) digits.remove_prefix(1);
  if (!is_plain_number(digits)) return Fault{1002, in_quotes(text) + " is not a ratio", "write it like 25% or 0.25"};
  if (negative) return Fault{1004, in_quotes(text) + " is negative", "a ratio is 0 or more"};
  double value = 0;
  if (std::from_chars(digits.data(), digits.data() + digits.size(), value).ec != std::errc{} || !std::isfinite(value)) {
    return Fault{1004, in_quotes(text) + " is out of range", "write it like 25% or 0.25"};
  }
  if (!percent && value > 1)
    return Fault{1004, in_quotes(text) + " is more than the whole", "write " + in_quotes(std::string(digits) + "%")};
  return percent ? value / 100 : value;
}

Parsed<std::int64_t> parse_integer(std::string_view text) {
  auto digits = text;
  if (digits.starts_with('-')) digits.remove_prefix(1);
  const bool only_digits = !digits.empty() && std::all_of(digits.begin(), digits.end(), is_digit);
  if (!only_digits) return Fault{1002, in_quotes(text) + " is not a whole number", {}};
  if (digits.size() > 1 && digits.front() == '0') {
    // YAML 1.1 reads 010 as eight, YAML 1.2 as ten: whoever wrote it meant one of them.
    const auto first = digits.find_first_not_of('0');
    return Fault{
        1002, in_quotes(text) + ": a number does not begin with 0",
        "write " + in_quotes(first == std::string_view::npos ? std::string("0") : std::string(digits.substr(first)))};
  }
  std::int64_t value = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc{}) {
    return Fault{1004, in_quotes(text) + " is out of range", {}};
  }
  return value;
}

namespace {

/// One status or a class of them.
Parsed<rules::StatusPattern> parse_one_status(std::string_view text) {
  const Fault fault{1002, in_quotes(text) + " is not a status", "write it like 200, 4xx or 500-504"};
  if (text.size() != 3 || !is_digit(text[0])) return fault;
  const auto hundred = static_cast<std::uint16_t>((text[0] - '0') * 100);
  const Fault range{1004, in_quotes(text) + " is no final status", "200 to 599, or 2xx to 5xx"};
  if (text.substr(1) == "xx") {
    if (hundred < 200 || hundred > 500) return range;
    return rules::StatusPattern{hundred, static_cast<std::uint16_t>(hundred + 99)};
  }
  if (!is_digit(text[1]) || !is_digit(text[2])) return fault;
  const auto status = static_cast<std::uint16_t>(hundred + (text[1] - '0') * 10 + (text[2] - '0'));
  if (status < 200 || status > 599) return range;
  return rules::StatusPattern{status, status};
}

}  // namespace

Parsed<rules::StatusPattern> parse_status(std::string_view text) {
  const auto dash = text.find('-');
  if (dash == std::string_view::npos) return parse_one_status(text);
  const auto from = parse_one_status(text.substr(0, dash)), to = parse_one_status(text.substr(dash + 1));
  for (const auto* end : {&from, &to}) {
    if (end->value) continue;
    if (end->fault.code == 1004) return end->fault;
    return Fault{1002, in_quotes(text) + " is not a range of statuses", "write it like 500-504"};
  }
  if (from.value->from > to.value->from)
    return Fault{1004, in_quotes(text) + " ends before it begins",
                 "write " + std::string(text.substr(dash + 1)) + '-' + std::string(text.substr(0, dash))};
  return rules::StatusPattern{from.value->from, to.value->to};
}

std::string format_duration(Duration d) {
  if (d.count() <= 0) return "0";
  auto rest = static_cast<std::uint64_t>(d.count());
  std::string out;
  // 2.5s and 2.5ms read better than 2s500ms; from a minute on it is 1m30s.
  for (const auto& unit : kTimes) {
    if (unit.factor > kSecond || rest < unit.factor || rest >= 60 * kSecond || unit.factor < 1000) continue;
    const auto thousandths = rest % unit.factor * 1000 / unit.factor;
    if (rest % unit.factor * 1000 % unit.factor != 0) break;
    auto fraction = std::to_string(1000 + thousandths).substr(1);
    fraction.erase(fraction.find_last_not_of('0') + 1);
    return std::to_string(rest / unit.factor) + (fraction.empty() ? "" : '.' + fraction) + std::string(unit.name);
  }
  for (const auto& unit : kTimes) {
    if (unit.name == "w") continue;  // 365d reads better than 52w1d
    if (rest < unit.factor) continue;
    out += std::to_string(rest / unit.factor);
    out += unit.name;
    rest %= unit.factor;
  }
  return out;
}

std::string format_size(std::uint64_t bytes) {
  if (bytes == 0) return "0";
  for (const auto& unit : kSizes) {
    if (unit.name.size() == 3 && bytes % unit.factor == 0)
      return std::to_string(bytes / unit.factor) + std::string(unit.name);
  }
  return std::to_string(bytes) + 'B';
}

std::string format_ratio(double ratio) {
  std::array<char, 64> buffer{};
  const auto plain = [&](double v) {
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), v, std::chars_format::fixed);
    return end.ec == std::errc{} ? std::string(buffer.data(), end.ptr) : std::string("0");
  };
  auto percent = plain(ratio * 100) + '%';
  const auto again = parse_ratio(percent);
  if (percent.size() <= 8 && again.value && *again.value == ratio) return percent;
  return plain(ratio);
}

std::string format_status(const rules::StatusPattern& status) {
  if (status.from == status.to) return std::to_string(status.from);
  if (status.from % 100 == 0 && status.to == status.from + 99) return std::to_string(status.from / 100) + "xx";
  return std::to_string(status.from) + '-' + std::to_string(status.to);
}

bool is_glob(std::string_view text) noexcept {
  return !text.empty() && text.size() <= 256 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

}  // namespace forebay::config
