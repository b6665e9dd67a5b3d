#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "forebay/base/waker.hpp"
#include "forebay/cache/purge_run.hpp"
#include "forebay/cache/store.hpp"
#include "forebay/proxy/purging.hpp"

namespace forebay::proxy {

/// Of the purges that a worker waits for.
class PurgeEnd {
 public:
  /// There is one more.
  void add() noexcept { left_.fetch_add(1, std::memory_order_relaxed); }
  /// One is complete.
  void count_down() noexcept {
    if (left_.fetch_sub(1, std::memory_order_acq_rel) == 1) changed.notify();
  }
  bool reached() const noexcept { return left_.load(std::memory_order_acquire) == 0; }
  Signal changed;

 private:
  std::atomic<int> left_{0};
};
using PurgeEndPtr = std::shared_ptr<PurgeEnd>;

/// Carries out orders to purge, one after the other, in a thread of its own: an order that has to look at all entries
/// takes too long for a worker. What writes have begun comes first, in the middle of another order too. Any thread may
/// call it.
class Purger {
 public:
  /// Called on the purger's thread when nothing finds what was named any more. It must not wait.
  using Then = std::function<void(const PreparedPurge& purge, const PurgeDone& done)>;

  explicit Purger(cache::Store& store);
  ~Purger();
  Purger(const Purger&) = delete;

  /// False when too many orders wait already, or the process stops; `then` is not called then. Never waits.
  bool ask(PreparedPurge purge, Then then) noexcept;
  /// Completes what a write has begun. False as for `ask`; `runs` is left alone then.
  bool complete(std::vector<cache::PurgeRun>& runs, const PurgeEndPtr& end) noexcept;
  /// A write makes all responses of this route stale: they are purged soon, by one search with those of other writes
  /// that ask meanwhile. False when the process stops, or there is no memory. Never waits.
  bool follow_up(const std::string& route, cache::PurgeMode mode, Timestamp now, const PurgeEndPtr& end) noexcept;
  /// Ends the thread; orders that wait are dropped, without a call. Before the workers and the store are destroyed.
  void stop() noexcept;

 private:
  struct Private;
  std::unique_ptr<Private> p_;
};

}  // namespace forebay::proxy
