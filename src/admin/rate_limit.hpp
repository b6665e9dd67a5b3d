#pragma once

#include <algorithm>

#include "forebay/base/clock.hpp"

namespace forebay::admin {

/// At most so many a second, after a burst of one second's number.
class RateLimit {
 public:
  /// Whether one more is allowed now; it counts then.
  bool take(Timestamp now, unsigned per_second) noexcept {
    const double most = per_second;
    const auto passed = std::chrono::duration<double>(now - last_).count();
    left_ = first_ ? most : std::min(most, left_ + std::max(passed, 0.0) * most);
    first_ = false;
    last_ = now;
    if (left_ < 1) return false;
    left_ -= 1;
    return true;
  }

 private:
  bool first_ = true;
  double left_ = 0;
  Timestamp last_{};
};

}  // namespace forebay::admin
