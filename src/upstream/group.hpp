#pragma once

#include <array>
#include <atomic>
#include <boost/intrusive/list.hpp>
#include <cstdint>
#include <memory>
#include <vector>

#include "forebay/base/once_per.hpp"
#include "upstream/admission.hpp"
#include "upstream/balancer.hpp"
#include "upstream/breaker.hpp"
#include "upstream/pool.hpp"
#include "upstream/retry_budget.hpp"
#include "upstream/shared_origin.hpp"

namespace forebay::upstream {

/// The state of an origin with all its urls that all workers share.
struct SharedGroup {
  /// `before`: of the same origin under an earlier configuration. What is known of a url, and who is in flight, is
  /// taken over. May be null.
  /// `addresses`: of all its urls, where somebody has them already; may be null.
  SharedGroup(config::Origin settings, const std::vector<Duration>& buckets, const SharedGroup* before,
              const std::shared_ptr<Addresses>& addresses = {});

  /// A failure before a url was chosen.
  void count_failure(FetchError error) noexcept;
  /// Requests were refused since there was no room for them: logs it at most once in ten seconds.
  void tell_overload(Timestamp now);

  const config::Origin config;
  std::vector<std::shared_ptr<SharedOrigin>> urls;
  const std::vector<std::weak_ptr<Permits>> older;  ///< Their requests count in `admission`, too.
  RetryBudget budget;
  /// Before a url was chosen; by `FetchError`. The next configuration goes on with them.
  using Failures = std::array<std::atomic<std::uint64_t>, static_cast<std::size_t>(FetchError::kCount)>;
  const std::shared_ptr<Failures> failures;
  const std::shared_ptr<Admission> admission;  ///< Null: no limit.
  const std::shared_ptr<Admission> dropped;    ///< Of the configuration before, whose limit there is no more.

 private:
  OncePer overload_told_{std::chrono::seconds{10}};
};

/// One worker's access to the urls of an origin: a pool of connections for each, and the choice between them.
class Group final : public std::enable_shared_from_this<Group> {
 public:
  Group(net::Worker& worker, std::shared_ptr<SharedGroup> shared);
  Group(const Group&) = delete;
  ~Group();
  /// Once, after construction.
  void open();

  net::Worker& worker() noexcept { return worker_; }
  SharedGroup& shared() noexcept { return *shared_; }
  const config::Origin& config() const noexcept { return shared_->config; }
  const std::shared_ptr<Pool>& pool(unsigned url) const noexcept { return pools_[url]; }

  struct Choice {
    static constexpr unsigned kNone = ~0U;
    unsigned url = kNone;    ///< None: no url may be asked now.
    Breaker::Pass pass;      ///< Of its circuit.
    Timestamp open_until{};  ///< Without a url: when the next is tried; in the past while one is.
    explicit operator bool() const noexcept { return url != kNone; }
  };
  struct Asking {
    bool may_probe = true;  ///< It may be the one that tries a url which was out of use; others wait `hold` longer.
    bool may_go_elsewhere = false;  ///< Another origin is asked in place of this one.
  };
  /// A url that is in use, and not in `tried` (bit i: url i) if there is another one. Where none is in use and the
  /// request has nowhere else to go, one that nobody is trying: the last url is never taken out. `key` chooses where
  /// the balance is by hash.
  Choice choose(std::uint64_t tried, std::uint64_t key, Asking asking);
  /// Whether a url that is in use is not in `tried`.
  bool has_other_than(std::uint64_t tried, bool may_probe) const;

  /// A request waits for a place: asks fetches with clients that have been slow for `patience` to give way, those of
  /// one url at a time.
  void press(Timestamp now, Duration patience);
  /// The same: has the places granted that time makes room for.
  void await_grant();
  /// A fetch that has no url yet.
  void add(Cancellable& fetch) { waiting_.push_back(fetch); }
  /// Closes idle connections, now and in future.
  void retire();
  bool retired() const noexcept { return retired_; }
  /// `retire`, and all fetches end silently.
  void shut();

 private:
  enum class Among : std::uint8_t {
    Closed,  ///< In use, and none that a request has to try out: for a request that has failed already.
    InUse,
    All,
  };
  bool is_in_use(const UrlCondition& condition, bool may_probe, Timestamp now) const noexcept;
  void view(Among among, bool may_probe, Timestamp now);
  bool pick(Choice& choice, Breaker::Others others, std::uint64_t tried, std::uint64_t key, Timestamp now);
  bool pick_now(Choice& choice, Breaker::Others others, std::uint64_t tried, std::uint64_t key, Timestamp now);

  net::Worker& worker_;
  const std::shared_ptr<SharedGroup> shared_;
  std::vector<std::shared_ptr<Pool>> pools_;
  Balancer balancer_;
  std::vector<UrlView> views_;
  net::Deadline grant_{[this] { await_grant(); }};
  boost::intrusive::list<Cancellable, boost::intrusive::constant_time_size<false>> waiting_;
  std::size_t pressed_ = 0;
  bool retired_ = false;
};

}  // namespace forebay::upstream
