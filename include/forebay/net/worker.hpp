#pragma once

#include <array>
#include <atomic>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "forebay/base/clock.hpp"
#include "forebay/base/mutex.hpp"
#include "forebay/base/waker.hpp"
#include "forebay/net/deadlines.hpp"
#include "forebay/net/handler_memory.hpp"

namespace forebay::net {

class Resolver;

/// Called first by a thread: blocks signals, so that its waits are not interrupted and the main thread gets the
/// signals.
void leave_signals_to_others() noexcept;

/// The real clocks.
class SystemClock final : public Clock {
 public:
  Now now() const override;
};

/// A thread with its io_context, its deadlines, its resolver and its permanent Waker. Only its thread accesses the
/// data of a worker.
class Worker final : public Waker {
 public:
  Worker(unsigned index, const Clock& clock);
  Worker(const Worker&) = delete;
  ~Worker();

  unsigned index() const noexcept { return index_; }
  boost::asio::io_context& io() noexcept { return io_; }
  using Executor = boost::asio::io_context::executor_type;

  /// The calling thread becomes this worker's until `stop`. An exception of a handler is not caught: see
  /// base/guarded.hpp for what a request may cause.
  void run();
  /// From any thread: `run` returns soon.
  void stop();
  /// Whether a thread is in `run`. From any thread.
  bool running() const noexcept { return running_.load(std::memory_order_acquire); }
  /// From any other thread: runs `f` on the worker's thread and returns when it is done. Runs `f` on the calling thread
  /// if no thread runs the worker.
  void call(std::function<void()> f);
  /// From any thread.
  template <class F>
  void post(F&& f) {
    boost::asio::post(io_, std::forward<F>(f));
  }

  /// The clock values of this turn of the loop. `tick` updates them; every I/O completion handler calls it first, once.
  const Now& now() const noexcept { return now_; }
  const Now& tick() { return now_ = clock_.now(); }
  Deadlines& deadlines() noexcept { return deadlines_; }
  /// On this thread.
  Resolver& resolver() noexcept { return *resolver_; }
  /// Reads the clocks and fires due deadlines. The worker's timer calls it; a test with a manual clock calls it on this
  /// thread.
  void fire_deadlines();

  /// From any thread. One post wakes the loop, for any number of groups that arrive meanwhile. Needs no memory.
  void deliver(Ref<WaitGroup> group) noexcept override;
  /// At stop: further deliveries are dropped.
  void disable_waker();

  /// Longest delay of the loop's timer in the last ten seconds, for `forebay_worker_lag_seconds`.
  /// From any thread.
  Duration lag() const;

 private:
  void post_drain() {
    post(drain_memory_.hold([this] { drain_inbox(); }));
  }
  void drain_inbox();
  void schedule(Timestamp at);
  void await_timer();
  void note_lag(Duration late);

  // Delays are kept by windows of five seconds; a cell holds its window's number and its longest delay in microseconds.
  static constexpr unsigned kLagCells = 4;
  static constexpr unsigned kLagBits = 40;

  /// Groups in the order of their delivery.
  class Inbox {
   public:
    bool empty() const noexcept { return !first_; }
    WaitGroup& front() const noexcept { return *first_; }
    void push(Ref<WaitGroup> group) noexcept;
    void pop() noexcept { first_ = std::exchange(first_->next, nullptr); }
    void swap(Inbox& o) noexcept;

   private:
    Ref<WaitGroup> first_;
    WaitGroup* last_ = nullptr;  // if there is a first one
  };

  unsigned index_;
  const Clock& clock_;
  HandlerMemory drain_memory_, timer_memory_;  // declared before the loop, which holds handlers in them
  boost::asio::io_context io_;
  boost::asio::executor_work_guard<Executor> guard_;
  Now now_;
  Deadlines deadlines_;
  boost::asio::basic_waitable_timer<std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>,
                                    Executor>
      timer_;
  Timestamp timer_at_ = Timestamp::max();
  bool timer_waits_ = false;
  Deadline beat_;
  Timestamp fired_at_{};
  bool busy_ = false;
  std::atomic<bool> running_{false};
  std::array<std::atomic<std::uint64_t>, kLagCells> lag_{};
  Mutex inbox_mutex_;
  Inbox inbox_ FOREBAY_GUARDED_BY(inbox_mutex_);
  bool inbox_posted_ FOREBAY_GUARDED_BY(inbox_mutex_) = false;
  bool waker_enabled_ FOREBAY_GUARDED_BY(inbox_mutex_) = true;
  Inbox draining_;  // this thread's: groups being woken
  const std::unique_ptr<Resolver> resolver_;
};

}  // namespace forebay::net
