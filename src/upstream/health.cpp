#include "upstream/health.hpp"

#include <algorithm>

namespace forebay::upstream {

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

bool expected(std::span<const rules::StatusPattern> expect, int status) noexcept {
  return std::any_of(expect.begin(), expect.end(), [status](const auto& e) { return e.matches(status); });
}

}  // namespace forebay::upstream
