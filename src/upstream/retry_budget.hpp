#pragma once

#include "upstream/recent_count.hpp"

namespace forebay::upstream {

/// Limits the retries of the last ten seconds to a part of the requests of these seconds, plus a few, so that a failing
/// origin does not get twice the load. Thread-safe without a lock; the limit holds for all threads together.
class RetryBudget {
 public:
  /// So many retries are allowed in ten seconds whatever the number of requests is.
  static constexpr unsigned kAlways = 10;

  /// `percent` of the requests, 0 to 100.
  explicit RetryBudget(unsigned percent = 20) noexcept : percent_(percent) {}

  /// A request, not counting its retries.
  void deposit(Timestamp now) noexcept { requests_.add(now); }
  /// Whether a retry is allowed; it then counts as made.
  bool withdraw(Timestamp now) noexcept;

 private:
  static constexpr Duration kBucket = std::chrono::seconds{1};
  const unsigned percent_;
  RecentCount requests_{kBucket}, retries_{kBucket};
};

}  // namespace forebay::upstream
