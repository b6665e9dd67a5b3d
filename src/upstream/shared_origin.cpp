#include "upstream/shared_origin.hpp"

#include <algorithm>

#include "forebay/base/log.hpp"

namespace forebay::upstream {

void RetryBudget::deposit() noexcept {
  int saved = saved_.load(std::memory_order_relaxed);
  while (saved < kMost &&
         !saved_.compare_exchange_weak(saved, std::min(saved + kPerRequest, kMost), std::memory_order_relaxed)) {
  }
}

bool RetryBudget::withdraw() noexcept {
  int saved = saved_.load(std::memory_order_relaxed);
  while (saved >= kRetry) {
    if (saved_.compare_exchange_weak(saved, saved - kRetry, std::memory_order_relaxed)) return true;
  }
  return false;
}

SharedOrigin::SharedOrigin(config::Origin settings, std::vector<Duration> bounds)
    : config(std::move(settings)),
      buckets(std::move(bounds)),
      addresses(config.url.host, config.url.port, config.dns_refresh),
      permits(std::make_shared<Permits>(config.pool.max_connections, config.pool.max_idle)) {}

void SharedOrigin::count_head(const http::ResponseView& head, Duration since_request) {
  const auto status_class = static_cast<std::size_t>(std::clamp(head.status / 100, 1, 5));
  numbers.answers[status_class - 1].fetch_add(1, std::memory_order_relaxed);
  if (status_class == 1) return;
  const std::size_t bounds = std::min(buckets.size(), numbers.head_seconds_buckets.size() - 1);
  const auto bucket =
      std::lower_bound(buckets.begin(), buckets.begin() + static_cast<std::ptrdiff_t>(bounds), since_request) -
      buckets.begin();
  numbers.head_seconds_buckets[static_cast<std::size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
  numbers.head_nanoseconds_sum.fetch_add(static_cast<std::uint64_t>(std::max(since_request, Duration{0}).count()),
                                         std::memory_order_relaxed);
}

void SharedOrigin::count_failure(FetchError error, bool had_head) {
  if (!is_the_origins(error)) return;
  numbers.errors[static_cast<std::size_t>(error)].fetch_add(1, std::memory_order_relaxed);
  // A request without a place in the queue has not reached the origin.
  if (error == FetchError::Queue) return;
  if (!had_head) numbers.failed.fetch_add(1, std::memory_order_relaxed);
  if (numbers.consecutive_failures.fetch_add(1, std::memory_order_relaxed) + 1 == kDownAfter)
    log::warn("origin " + config.name + " is down: " + std::to_string(kDownAfter) +
              " failures in a row, the last one \"" + std::string(to_string(error)) + "\"; requests still try it");
}

void SharedOrigin::count_resolution(net::Resolution result) noexcept {
  numbers.resolutions[static_cast<std::size_t>(result)].fetch_add(1, std::memory_order_relaxed);
}

void SharedOrigin::tell_refusal(std::string_view detail, Timestamp now) {
  const auto at = now.time_since_epoch().count();
  auto next = next_refusal_.load(std::memory_order_relaxed);
  const auto pause = std::chrono::duration_cast<Duration>(std::chrono::seconds{10}).count();
  if (at < next || !next_refusal_.compare_exchange_strong(next, at + pause, std::memory_order_relaxed)) return;
  log::warn("origin " + config.name + ": a response was refused: " + std::string(detail));
}

void SharedOrigin::count_recovery() {
  if (numbers.consecutive_failures.load(std::memory_order_relaxed) == 0) return;
  if (numbers.consecutive_failures.exchange(0, std::memory_order_relaxed) >= kDownAfter)
    log::info("origin " + config.name + " answers again");
}

}  // namespace forebay::upstream
