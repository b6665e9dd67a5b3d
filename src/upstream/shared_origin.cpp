#include "upstream/shared_origin.hpp"

#include <algorithm>
#include <utility>

#include "forebay/base/duration_text.hpp"

namespace forebay::upstream {

namespace {
BreakerSettings breaker_of(const config::Origin& o) {
  BreakerSettings settings;
  settings.failures = o.passive.failures;
  settings.error_percent = o.passive.error_percent;
  settings.window = o.passive.window;
  settings.min_requests = o.passive.min_requests;
  settings.hold = o.passive.hold;
  return settings;
}
}  // namespace

UrlCondition::UrlCondition(const config::Origin& settings)
    : breaker(breaker_of(settings)),
      slow_start(settings.slow_start),
      health({settings.health.up_after, settings.health.down_after, settings.health.interval}) {}

SharedOrigin::SharedOrigin(config::Origin settings, std::vector<Duration> bounds, std::shared_ptr<UrlCondition> known,
                           std::shared_ptr<OriginNumbers> counted, std::shared_ptr<Addresses> found)
    : config(std::move(settings)),
      buckets(std::move(bounds)),
      kept_numbers(counted ? std::move(counted) : std::make_shared<OriginNumbers>()),
      numbers(*kept_numbers),
      kept_addresses(found ? std::move(found)
                           : std::make_shared<Addresses>(config.url.host, config.url.port, config.dns_refresh)),
      addresses(*kept_addresses),
      condition(known ? std::move(known) : std::make_shared<UrlCondition>(config)),
      permits(std::make_shared<Permits>(config.pool.max_connections, config.pool.max_idle)) {}

std::string SharedOrigin::title() const {
  return "origin " + config.name + (config.urls.size() > 1 ? " (" + config.url.text + ')' : "");
}

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

void SharedOrigin::count_failure(FetchError error, bool had_head) noexcept {
  if (!is_the_origins(error)) return;
  numbers.errors[static_cast<std::size_t>(error)].fetch_add(1, std::memory_order_relaxed);
  if (!had_head && says_something_of_the_url(error)) numbers.failed.fetch_add(1, std::memory_order_relaxed);
}

void SharedOrigin::count_resolution(net::Resolution result) noexcept {
  numbers.resolutions[static_cast<std::size_t>(result)].fetch_add(1, std::memory_order_relaxed);
}

void SharedOrigin::tell_refusal(FetchError error, std::string_view detail, Timestamp now) {
  if (!refusal_told_.may(now)) return;
  const auto* const what = error == FetchError::Tls ? ": TLS has failed: " : ": a response was refused: ";
  log::warn(title() + what + std::string(detail));
}

void SharedOrigin::tell(log::Level level, events::Kind kind, std::string_view state, const std::string& text,
                        Timestamp now) const {
  log::write(level, text);
  events::record(now, kind, text, {{"origin", config.name}, {"url", config.url.text}, {"state", state}});
}

void SharedOrigin::note(Breaker::Change change, std::string_view why, Timestamp now) {
  if (change == Breaker::Change::None) return;
  condition->thought_up = false;
  switch (change) {
    case Breaker::Change::None:
    case Breaker::Change::HalfOpen: return;
    case Breaker::Change::Opened:
      numbers.circuit_opened.fetch_add(1, std::memory_order_relaxed);
      tell(log::Level::Warn, events::Kind::Circuit, "open",
           title() + (config.urls.size() > 1 || !config.failover.empty()
                          ? " is out of use: its requests fail, the last one with \"" + std::string(why) +
                                "\"; a request tries it after " + duration_text(condition->breaker.open_until() - now)
                          : ": its requests fail, the last one with \"" + std::string(why) +
                                "\"; there is no other url and no failover, so requests still go to it"),
           now);
      return;
    case Breaker::Change::Closed:
      condition->slow_start.came_back(now);
      tell(log::Level::Info, events::Kind::Circuit, "closed", title() + " answers again", now);
      return;
  }
}

}  // namespace forebay::upstream
