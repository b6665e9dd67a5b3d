#include <algorithm>

#include "content/json_tree.hpp"
#include "forebay/base/text.hpp"

namespace forebay::content {
namespace {

// The parts of a JSON number: its significant digits, and the position of the point.
struct Decimal {
  bool negative = false;
  std::string_view before;  // digits before the point
  std::string_view behind;  // and behind it
  std::int64_t exponent = 0;
};

Decimal split(std::string_view written) {
  Decimal d;
  d.negative = written.starts_with('-');
  if (d.negative) written.remove_prefix(1);
  std::size_t at = 0;
  while (at < written.size() && is_digit(written[at])) ++at;
  d.before = written.substr(0, at);
  if (at < written.size() && written[at] == '.') {
    const std::size_t from = ++at;
    while (at < written.size() && is_digit(written[at])) ++at;
    d.behind = written.substr(from, at - from);
  }
  if (at < written.size()) {
    ++at;
    const bool minus = written[at] == '-';
    if (!is_digit(written[at])) ++at;
    for (; at < written.size(); ++at) d.exponent = 10 * d.exponent + (written[at] - '0');
    if (minus) d.exponent = -d.exponent;
  }
  return d;
}

// Appends digits [from, to) of `before` and `behind` taken together.
void append_digits(std::string& out, const Decimal& d, std::size_t from, std::size_t to) {
  const std::size_t n = d.before.size();
  if (from < n) out.append(d.before.substr(from, std::min(to, n) - from));
  if (to > n) {
    const std::size_t start = std::max(from, n) - n;
    out.append(d.behind.substr(start, to - n - start));
  }
}

}  // namespace

void append_exact_decimal(std::string& out, std::string_view written) {
  const Decimal d = split(written);
  const auto digit = [&d](std::size_t i) { return i < d.before.size() ? d.before[i] : d.behind[i - d.before.size()]; };
  std::size_t from = 0;
  std::size_t to = d.before.size() + d.behind.size();
  while (from < to && digit(from) == '0') ++from;
  while (to > from && digit(to - 1) == '0') --to;
  if (from == to) {
    out.push_back('0');
    return;
  }
  if (d.negative) out.push_back('-');
  // The value is 0.DIGITS x 10^point.
  const auto count = static_cast<std::int64_t>(to - from);
  const std::int64_t point = static_cast<std::int64_t>(d.before.size() - from) + d.exponent;
  if (count <= point && point <= 21) {
    append_digits(out, d, from, to);
    out.append(static_cast<std::size_t>(point - count), '0');
  } else if (0 < point && point <= 21) {
    append_digits(out, d, from, from + static_cast<std::size_t>(point));
    out.push_back('.');
    append_digits(out, d, from + static_cast<std::size_t>(point), to);
  } else if (-6 < point && point <= 0) {
    out.append("0.").append(static_cast<std::size_t>(-point), '0');
    append_digits(out, d, from, to);
  } else {
    append_digits(out, d, from, from + 1);
    if (count > 1) out.push_back('.');
    append_digits(out, d, from + 1, to);
    out.append(point > 0 ? "e+" : "e").append(std::to_string(point - 1));
  }
}

}  // namespace forebay::content
