#include "upstream/health.hpp"

#include <algorithm>
#include <optional>

#include "forebay/base/text.hpp"

namespace forebay::upstream {

namespace {
std::optional<rules::StatusPattern> one_status(std::string_view text) {
  if (text.size() != 3 || text[0] < '2' || text[0] > '5') return std::nullopt;
  const int first = (text[0] - '0') * 100;
  if (text.substr(1) == "xx")
    return rules::StatusPattern{static_cast<std::uint16_t>(first), static_cast<std::uint16_t>(first + 99)};
  if (!is_digit(text[1]) || !is_digit(text[2])) return std::nullopt;
  const auto status = static_cast<std::uint16_t>(first + (text[1] - '0') * 10 + (text[2] - '0'));
  return rules::StatusPattern{status, status};
}
}  // namespace

Health::Next Health::result(Check check, Timestamp now, double random) noexcept {
  const bool passed = check == Check::Passed, was_up = up();
  against_ = passed == was_up ? 0 : against_ + 1;
  const unsigned enough = !known_ ? 1 : passed ? settings_.up_after : settings_.down_after;
  known_ = true;
  const auto wait = std::chrono::duration<double, Duration::period>(settings_.interval) * (0.9 + 0.2 * random);
  const Timestamp check_at = now + std::chrono::round<Duration>(wait);
  if (passed == was_up || against_ < enough) return {check_at, Change::None};
  against_ = 0;
  up_.store(passed, std::memory_order_relaxed);
  return {check_at, passed ? Change::Up : Change::Down};
}

Result<std::vector<rules::StatusPattern>> parse_expect(std::string_view text) {
  std::vector<rules::StatusPattern> expect;
  for (;;) {
    const auto comma = text.find(',');
    const auto item = trim(text.substr(0, comma));
    const auto dash = item.find('-');
    const auto from = one_status(trim(item.substr(0, dash)));
    const auto to = dash == std::string_view::npos ? from : one_status(trim(item.substr(dash + 1)));
    if (!from || !to || from->from > to->to) return Errc::Malformed;
    expect.push_back({from->from, to->to});
    if (comma == std::string_view::npos) return expect;
    text.remove_prefix(comma + 1);
  }
}

bool expected(std::span<const rules::StatusPattern> expect, int status) noexcept {
  return std::any_of(expect.begin(), expect.end(), [status](const auto& e) { return e.matches(status); });
}

}  // namespace forebay::upstream
