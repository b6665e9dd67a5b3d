#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <utility>
#include <vector>

#include "forebay/base/events.hpp"
#include "forebay/base/log.hpp"
#include "forebay/base/mutex.hpp"
#include "forebay/base/once_per.hpp"
#include "forebay/upstream/origin.hpp"
#include "upstream/addresses.hpp"
#include "upstream/balancer.hpp"
#include "upstream/breaker.hpp"
#include "upstream/health.hpp"
#include "upstream/permits.hpp"

namespace forebay::upstream {

/// Whether one url is in use. Used by all workers; the next configuration takes it over if it asks for the same.
struct UrlCondition {
  explicit UrlCondition(const config::Origin& settings);
  bool up() const noexcept { return health.up() && (breaker.closed() || thought_up.load(std::memory_order_relaxed)); }

  Breaker breaker;
  SlowStart slow_start;
  Health health;
  /// Its health checks pass, and no request has tried it out although one may for some time. The next one does.
  std::atomic<bool> thought_up{false};
  std::atomic<bool> fails_fast{false};  ///< The last failure came at once: a connection that was closed, or a status.
  /// Active checks: each worker looks, and the one that takes the turn asks.
  struct {
    std::atomic<bool> taken{false};
    std::atomic<Timestamp> due{Timestamp::min()};
    std::array<std::atomic<std::uint64_t>, 2> results{};  ///< By `Health::Check`.
    std::shared_ptr<Addresses> addresses{};               ///< Of the url's name; of the worker that has the turn.
  } checks{};
};

/// The state of one url of an origin that all workers share. Kept alive by its connections.
struct SharedOrigin {
  /// `settings.url` is this url.
  /// The others are what an earlier configuration knows of it; each may be null.
  SharedOrigin(config::Origin settings, std::vector<Duration> bounds, std::shared_ptr<UrlCondition> known,
               std::shared_ptr<OriginNumbers> counted, std::shared_ptr<Addresses> found);

  void count_handshake(net::TlsHandshake result) noexcept {
    numbers.handshakes[static_cast<std::size_t>(result)].fetch_add(1, std::memory_order_relaxed);
  }
  void count_head(const http::ResponseView& head, Duration since_request);
  /// One attempt that got no response, or only a part of it.
  void count_failure(FetchError error, bool had_head) noexcept;
  void count_resolution(net::Resolution result) noexcept;
  /// Logs the rule that a response has broken, or why there is no TLS, at most once in ten seconds, since each request
  /// may meet it.
  void tell_refusal(FetchError error, std::string_view detail, Timestamp now);
  /// What a result has made of its circuit: logs and counts it. `why`: the last failure. A url that comes back begins
  /// slowly.
  void note(Breaker::Change change, std::string_view why, Timestamp now);
  /// Logs a change of its state, and keeps it as an event.
  void tell(log::Level level, events::Kind kind, std::string_view state, const std::string& text, Timestamp now) const;
  /// Its name in the log: with the url where there are several.
  std::string title() const;

  void use_tls(std::shared_ptr<const net::TlsClient> tls);
  /// Null where the origin speaks plain HTTP, or nobody has given it any.
  std::shared_ptr<const net::TlsClient> tls() const;

  const config::Origin config;
  const std::vector<Duration> buckets;
  const std::shared_ptr<OriginNumbers> kept_numbers;  ///< The next configuration goes on with them.
  OriginNumbers& numbers;
  const std::shared_ptr<Addresses> kept_addresses;  ///< The same: the last good ones outlive a reload.
  Addresses& addresses;
  const std::shared_ptr<UrlCondition> condition;
  const std::shared_ptr<Permits> permits;
  std::atomic<unsigned> held{0};  ///< Connections held for the client that they authenticate.

 private:
  OncePer refusal_told_{std::chrono::seconds{10}};
  mutable Mutex tls_mutex_;
  std::shared_ptr<const net::TlsClient> tls_ FOREBAY_GUARDED_BY(tls_mutex_);
};

}  // namespace forebay::upstream
