#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "forebay/base/clock.hpp"

namespace forebay {

/// At most so many a second, after a burst of one second's number. From any thread, without a lock.
class RateLimit {
 public:
  /// Whether one more is allowed now; it counts then.
  bool take(Timestamp now, unsigned per_second) noexcept {
    constexpr std::int64_t kSecond = 1'000'000'000;
    const std::int64_t each = kSecond / std::max(per_second, 1u);
    const std::int64_t at = now.time_since_epoch().count();
    // When as many as so far would have been taken at an even rate (the "generic cell rate algorithm").
    std::int64_t even = even_.load(std::memory_order_relaxed);
    for (;;) {
      const auto next = std::max(even, at - kSecond) + each;
      if (next > at) return false;
      if (even_.compare_exchange_weak(even, next, std::memory_order_relaxed)) return true;
    }
  }

 private:
  std::atomic<std::int64_t> even_{INT64_MIN / 2};
};

}  // namespace forebay
