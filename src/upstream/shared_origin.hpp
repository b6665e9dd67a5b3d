#pragma once

#include <atomic>
#include <memory>
#include <utility>
#include <vector>

#include "forebay/upstream/origin.hpp"
#include "upstream/addresses.hpp"
#include "upstream/permits.hpp"

namespace forebay::upstream {

/// Limits retries to a fifth of the requests, plus a few, so that a failing origin does not get twice the load.
/// Thread-safe.
class RetryBudget {
 public:
  void deposit() noexcept;
  bool withdraw() noexcept;

 private:
  static constexpr int kRetry = 100;
  static constexpr int kPerRequest = kRetry / 5;
  static constexpr int kMost = 10 * kRetry;
  std::atomic<int> saved_{kMost};
};

/// The state of an origin that all workers share. Kept alive by its connections.
struct SharedOrigin {
  SharedOrigin(config::Origin settings, std::vector<Duration> bounds);

  void count_head(const http::ResponseView& head, Duration since_request);
  /// One attempt that got no response, or only a part of it.
  void count_failure(FetchError error, bool had_head);
  void count_resolution(net::Resolution result) noexcept;
  /// Logs the rule that a response has broken, at most once in ten seconds, since an origin may break it in each
  /// response.
  void tell_refusal(std::string_view detail, Timestamp now);
  /// A response has arrived: ends the series of failures. Logs it once, like `count_failure` for the fifth failure.
  void count_recovery();
  /// Number of consecutive failures after which an origin counts as down.
  static constexpr unsigned kDownAfter = 5;

  const config::Origin config;
  const std::vector<Duration> buckets;
  OriginNumbers numbers;
  RetryBudget budget;
  Addresses addresses;
  const std::shared_ptr<Permits> permits;
  std::atomic<unsigned> held{0};  ///< Connections held for the client that they authenticate.

 private:
  std::atomic<Timestamp::rep> next_refusal_{0};
};

}  // namespace forebay::upstream
