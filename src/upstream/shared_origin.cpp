#include "upstream/shared_origin.hpp"

#include <algorithm>
#include <utility>

#include "forebay/base/log.hpp"

namespace forebay::upstream {

SharedOrigin::SharedOrigin(config::Origin settings, std::vector<Duration> bounds)
    : config(std::move(settings)),
      buckets(std::move(bounds)),
      addresses(config.url.host, config.url.port, config.dns_refresh),
      permits(std::make_shared<Permits>(config.pool.max_connections, config.pool.max_idle)) {}

void SharedOrigin::use_tls(std::shared_ptr<const net::TlsClient> tls) {
  const MutexLock lock(tls_mutex_);
  std::swap(tls_, tls);
}

std::shared_ptr<const net::TlsClient> SharedOrigin::tls() const {
  const MutexLock lock(tls_mutex_);
  return tls_;
}

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
  // A request without a place in the queue, past an open circuit, or without a signature, has not reached the origin.
  if (error == FetchError::Queue || error == FetchError::CircuitOpen || error == FetchError::Credentials) return;
  if (!had_head) numbers.failed.fetch_add(1, std::memory_order_relaxed);
  if (numbers.consecutive_failures.fetch_add(1, std::memory_order_relaxed) + 1 == kDownAfter)
    log::warn("origin " + config.name + " is down: " + std::to_string(kDownAfter) +
              " failures in a row, the last one \"" + std::string(to_string(error)) + "\"; requests still try it");
}

void SharedOrigin::count_resolution(net::Resolution result) noexcept {
  numbers.resolutions[static_cast<std::size_t>(result)].fetch_add(1, std::memory_order_relaxed);
}

void SharedOrigin::tell_refusal(FetchError error, std::string_view detail, Timestamp now) {
  const auto at = now.time_since_epoch().count();
  auto next = next_refusal_.load(std::memory_order_relaxed);
  const auto pause = std::chrono::duration_cast<Duration>(std::chrono::seconds{10}).count();
  if (at < next || !next_refusal_.compare_exchange_strong(next, at + pause, std::memory_order_relaxed)) return;
  const auto* const what = error == FetchError::Tls ? ": TLS has failed: " : ": a response was refused: ";
  log::warn("origin " + config.name + what + std::string(detail));
}

void SharedOrigin::count_recovery() {
  if (numbers.consecutive_failures.load(std::memory_order_relaxed) == 0) return;
  if (numbers.consecutive_failures.exchange(0, std::memory_order_relaxed) >= kDownAfter)
    log::info("origin " + config.name + " answers again");
}

}  // namespace forebay::upstream
