#pragma once

#include <atomic>
#include <memory>
#include <utility>
#include <vector>

#include "forebay/upstream/origin.hpp"
#include "upstream/addresses.hpp"
#include "upstream/permits.hpp"

namespace forebay::upstream {

/// How many retries an origin in trouble has to bear: a fifth of the requests, and a few to begin with, so that a
/// failing origin does not meet twice the load. Thread-safe.
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

/// What all workers share about an origin. Kept alive by whatever still has a connection to it.
struct SharedOrigin {
  SharedOrigin(config::Origin settings, std::vector<Duration> bounds);

  void count_head(const http::ResponseView& head, Duration since_request);
  /// One attempt that got no response, or only a part of it.
  void count_failure(FetchError error, bool had_head);
  /// Tells the log which rule an answer has broken, at most once in ten seconds: an origin that breaks one may do so in
  /// each of its answers.
  void tell_refusal(std::string_view detail, Timestamp now);
  /// An answer has come: the failures in a row are over. Says so in the log once, like `count_failure` of the fifth.
  void count_recovery();
  /// So many failures in a row make an origin count as down.
  static constexpr unsigned kDownAfter = 5;

  const config::Origin config;
  const std::vector<Duration> buckets;
  OriginNumbers numbers;
  RetryBudget budget;
  Addresses addresses;
  const std::shared_ptr<Permits> permits;
  std::atomic<unsigned> held{0};  ///< Connections that rest with the client whom they authenticate.

 private:
  std::atomic<Timestamp::rep> next_refusal_{0};
};

}  // namespace forebay::upstream
