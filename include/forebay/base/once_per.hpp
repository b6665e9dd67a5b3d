#pragma once

#include <atomic>

#include "forebay/base/clock.hpp"

namespace forebay {

/// Lets one of many through in each period: for what is said of each request, and is worth saying only sometimes. From
/// any thread.
class OncePer {
 public:
  explicit OncePer(Duration period) : period_(period) {}
  bool may(Timestamp now) noexcept {
    const auto at = now.time_since_epoch().count();
    auto next = next_.load(std::memory_order_relaxed);
    return at >= next && next_.compare_exchange_strong(next, at + period_.count(), std::memory_order_relaxed);
  }

 private:
  const Duration period_;
  std::atomic<Timestamp::rep> next_{0};
};

}  // namespace forebay
