#include "upstream/retry_budget.hpp"

namespace forebay::upstream {

// Requests of at most, and retries of at least, the last ten seconds, so that the limit holds over any ten seconds and
// not for aligned ones alone. A retry counts before it is judged: threads that judge at the same time see each other's.
bool RetryBudget::withdraw(Timestamp now) noexcept {
  constexpr unsigned kBuckets = 10;
  retries_.add(now);
  if (retries_.sum(now, kBuckets + 1) <= requests_.sum(now, kBuckets) * percent_ / 100 + kAlways) return true;
  retries_.remove(now);
  return false;
}

}  // namespace forebay::upstream
