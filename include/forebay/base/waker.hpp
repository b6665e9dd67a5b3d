#pragma once

#include <atomic>
#include <boost/intrusive/list.hpp>
#include <vector>

#include "forebay/base/bytes.hpp"
#include "forebay/base/mutex.hpp"

namespace forebay {

/// A waiter of one thread. It is woken once per `Signal::wait`, on that thread. It may stop waiting at any time
/// (`stop_waiting`, or its destructor), on that thread only.
class Waiter : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  virtual void woken() = 0;
  bool waiting() const noexcept { return is_linked(); }
  void stop_waiting() noexcept { unlink(); }

 protected:
  ~Waiter() = default;  // auto_unlink takes it out of its list
};

using WaiterList = boost::intrusive::list<Waiter, boost::intrusive::constant_time_size<false>>;

/// The waiters of one thread at one Signal. Only that thread accesses the list.
class WaitGroup final : public RefCounted {
 public:
  WaiterList waiters;
  Ref<WaitGroup> next;  ///< The Waker's, from `deliver` on: it needs no memory to keep what was delivered.
};

/// Wakes another thread's loop. One per worker, permanent. `deliver` may be called from any thread; the worker then
/// calls `woken()` of every waiter in the group, in slices, on its own thread. A group is delivered once.
class Waker {
 public:
  virtual void deliver(Ref<WaitGroup> group) noexcept = 0;

 protected:
  ~Waker() = default;
};

/// A condition that waiters of many threads wait for. Waking costs one call per thread, not per waiter.
///
/// To wait without losing a wake-up: call `wait`, then check the state again; if it has changed, call `stop_waiting`.
/// To wake: change the state, then call `notify`.
class Signal {
 public:
  /// On the waiter's thread. No effect if it waits already.
  void wait(Waker& waker, Waiter& waiter);
  /// From any thread, without a lock that `Waker::deliver` may take. One atomic exchange when nobody waits.
  void notify() noexcept;

 private:
  struct Place {
    Waker* waker;
    Ref<WaitGroup> group;
  };
  std::atomic<bool> anyone_{false};
  Mutex mutex_;
  std::vector<Place> places_ FOREBAY_GUARDED_BY(mutex_);
};

}  // namespace forebay
