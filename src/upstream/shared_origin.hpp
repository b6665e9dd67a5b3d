#pragma once

#include <atomic>
#include <memory>
#include <utility>
#include <vector>

#include "forebay/base/mutex.hpp"
#include "forebay/upstream/origin.hpp"
#include "upstream/addresses.hpp"
#include "upstream/permits.hpp"
#include "upstream/retry_budget.hpp"

namespace forebay::upstream {

/// The state of an origin that all workers share. Kept alive by its connections.
struct SharedOrigin {
  SharedOrigin(config::Origin settings, std::vector<Duration> bounds);

  void count_handshake(net::TlsHandshake result) noexcept {
    numbers.handshakes[static_cast<std::size_t>(result)].fetch_add(1, std::memory_order_relaxed);
  }
  void count_head(const http::ResponseView& head, Duration since_request);
  /// One attempt that got no response, or only a part of it.
  void count_failure(FetchError error, bool had_head);
  void count_resolution(net::Resolution result) noexcept;
  /// Logs the rule that a response has broken, or why there is no TLS, at most once in ten seconds, since each request
  /// may meet it.
  void tell_refusal(FetchError error, std::string_view detail, Timestamp now);
  /// A response has arrived: ends the series of failures. Logs it once, like `count_failure` for the fifth failure.
  void count_recovery();
  /// Number of consecutive failures after which an origin counts as down.
  static constexpr unsigned kDownAfter = 5;

  void use_tls(std::shared_ptr<const net::TlsClient> tls);
  /// Null where the origin speaks plain HTTP, or nobody has given it any.
  std::shared_ptr<const net::TlsClient> tls() const;

  const config::Origin config;
  const std::vector<Duration> buckets;
  OriginNumbers numbers;
  RetryBudget budget;
  Addresses addresses;
  const std::shared_ptr<Permits> permits;
  std::atomic<unsigned> held{0};  ///< Connections held for the client that they authenticate.

 private:
  std::atomic<Timestamp::rep> next_refusal_{0};
  mutable Mutex tls_mutex_;
  std::shared_ptr<const net::TlsClient> tls_ FOREBAY_GUARDED_BY(tls_mutex_);
};

}  // namespace forebay::upstream
