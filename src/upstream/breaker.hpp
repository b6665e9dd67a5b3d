#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "forebay/base/clock.hpp"
#include "forebay/base/mutex.hpp"
#include "upstream/recent_count.hpp"

namespace forebay::upstream {

struct BreakerSettings {
  unsigned failures = 5;       ///< So many in a row open it; 0: they do not.
  unsigned error_percent = 0;  ///< So many of the requests in `window` that failed open it; 0: they do not.
  Duration window = std::chrono::seconds{10};
  unsigned min_requests = 20;                ///< In `window`, for `error_percent`.
  Duration hold = std::chrono::seconds{10};  ///< How long it stays open; twice as long after each probe that failed.
  unsigned successes = 1;                    ///< So many probes in a row close it.
};

/// Takes an url out of use by the results of its requests (passive health). Closed: requests pass. Open: none does
/// until `hold` is over. Half open: one at a time passes, as a probe, until enough have succeeded; where no other url
/// is in use, a probe that takes longer than `kProbe` lets the next one pass. Thread-safe; while it is closed nothing
/// takes the lock. Each change is told to the one caller that made it, to be logged and counted.
class Breaker {
 public:
  enum class Change : std::uint8_t { None, Opened, HalfOpen, Closed };
  /// Whether other urls are in use. The last url left is never taken out: it may be probed before `hold` is over.
  enum class Others : std::uint8_t {
    Some,
    None,
    /// None are, and this one fails fast: requests that fail at once need no protection from it.
    NoneAndFast,
  };
  /// So long a probe of the last url keeps others from being one: a slow request of one client must not keep it from
  /// all others.
  static constexpr Duration kProbe = std::chrono::seconds{1};

  /// The right to send one request. The result is told once; a probe that is dropped without one frees its place for
  /// the next, and any other request then does not count. The breaker outlives it.
  class Pass {
   public:
    Pass() = default;
    explicit operator bool() const noexcept { return breaker_ != nullptr; }
    bool probe() const noexcept { return breaker_ && breaker_.get_deleter().probe != 0; }
    Change succeeded(Timestamp now) noexcept { return end(now, false); }
    Change failed(Timestamp now) noexcept { return end(now, true); }

   private:
    friend class Breaker;
    struct GiveUp {
      std::uint64_t probe;  // its number; 0: it is none
      void operator()(Breaker* breaker) const noexcept {
        auto number = probe;
        if (number != 0) breaker->probing_.compare_exchange_strong(number, 0, std::memory_order_acq_rel);
      }
    };
    Pass(Breaker& breaker, std::uint64_t probe) noexcept : breaker_(&breaker, GiveUp{probe}) {}
    Change end(Timestamp now, bool failed) noexcept;
    std::unique_ptr<Breaker, GiveUp> breaker_;
  };
  struct Admitted {
    Pass pass;               ///< Empty: the url is not in use.
    Timestamp open_until{};  ///< When the next probe is due; in the past while one is on its way.
    Change change = Change::None;
  };

  explicit Breaker(const BreakerSettings& settings) noexcept;

  Admitted admit(Timestamp now, Others others) noexcept;
  /// Whether `admit` would give a pass now, with other urls in use. Takes no place and no lock.
  bool ready(Timestamp now) const noexcept;
  /// Until when it is open; in the past, or meaningless, when it is not.
  Timestamp open_until() const noexcept { return open_until_.load(std::memory_order_relaxed); }
  bool closed() const noexcept { return state_.load(std::memory_order_acquire) == State::Closed; }

 private:
  enum class State : std::uint8_t { Closed, Open, HalfOpen };
  bool is_probed() const noexcept { return probing_.load(std::memory_order_relaxed) != 0; }
  bool is_probed_newly(Timestamp now) const noexcept {
    return is_probed() && now - probing_since_.load(std::memory_order_relaxed) < kProbe;
  }
  Change count(Timestamp now, bool failed) noexcept;
  Change probed(Timestamp now, std::uint64_t number, bool failed) noexcept;

  const BreakerSettings settings_;
  std::atomic<unsigned> failures_{0};  // in a row, while closed
  RecentCount requests_, failed_;
  Mutex mutex_;
  // Atomic for who reads; `probing_` is set under the mutex, and the others change under it.
  std::atomic<State> state_{State::Closed};
  std::atomic<std::uint64_t> probing_{0};  // number of the latest probe while it is on its way; an earlier one is late
  std::atomic<Timestamp> probing_since_{Timestamp{}};
  std::atomic<Timestamp> open_until_{Timestamp{}};
  std::uint64_t probes_ FOREBAY_GUARDED_BY(mutex_) = 0;
  std::uint64_t first_ FOREBAY_GUARDED_BY(mutex_) = 0;  // probe since it was half open last
  unsigned doublings_ FOREBAY_GUARDED_BY(mutex_) = 0;
  unsigned succeeded_ FOREBAY_GUARDED_BY(mutex_) = 0;  // probes in a row
};

}  // namespace forebay::upstream
