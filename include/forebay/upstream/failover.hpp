#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

#include "forebay/base/clock.hpp"
#include "forebay/config/config.hpp"
#include "forebay/net/source.hpp"
#include "forebay/net/worker.hpp"

namespace forebay::upstream {

class Origin;

/// The request to the origin that is asked in the place of one that has failed. Outlives the source of `fail_over`.
class OtherOrigin {
 public:
  /// Whether the request can be sent once more: its content is whole, or nothing of it was sent.
  virtual bool may_ask() = 0;
  /// Whether the request has content. It is then sent by one source at a time.
  virtual bool has_content() const = 0;
  /// The source of the answer, to be started. Called once.
  virtual net::SourcePtr ask() = 0;

 protected:
  ~OtherOrigin() = default;
};

/// A source that asks `asked`, by its source `first`, and where that fails as its `failover_on` says, `other`. Its sink
/// sees one source. Once it has an answer of `asked` that is none of these failures, `other` is not asked any more. For
/// safe methods (RFC 9110 section 9.2.1) only. Used by one worker; `asked` outlives it.
net::SourcePtr fail_over(net::Worker& worker, Origin& asked, net::SourcePtr first, OtherOrigin& other);

/// Whether a request that has failed so is one for the failover.
bool covers(const config::Origin::FailoverOn& on, net::FetchError error) noexcept;
bool covers(const config::Origin::FailoverOn& on, int status) noexcept;

/// Requests of an origin that have gone to its failover. Tells the log when the first one does, and that they have come
/// back: when the origin answers and no request has failed over for ten seconds. From any thread.
class Failovers {
 public:
  std::uint64_t total() const noexcept { return total_.load(std::memory_order_relaxed); }
  /// `why`: what has failed.
  void failed_over(const config::Origin& origin, std::string_view why, Timestamp now);
  /// The origin has given an answer that is used.
  void answered(const config::Origin& origin, Timestamp now);

 private:
  std::atomic<std::uint64_t> total_{0};
  std::atomic<Timestamp::rep> last_{0};  // when a request last failed over
  std::atomic<bool> away_{false};
};

}  // namespace forebay::upstream
