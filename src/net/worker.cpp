#include "forebay/net/worker.hpp"

#include <signal.h>
#include <time.h>

#include <algorithm>
#include <future>

#include "forebay/base/terminate.hpp"
#include "forebay/net/resolver.hpp"

namespace forebay::net {

void leave_signals_to_others() noexcept {
  sigset_t all;
  sigfillset(&all);
  // Signals caused by the thread itself are not blocked.
  for (const int own : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS}) sigdelset(&all, own);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

namespace {
// Waiters woken per turn of the loop; the others wait for the next turn, so that many followers do not delay other
// requests.
constexpr std::size_t kWakeSlice = 256;
// How often the loop measures its own delay, with traffic and without.
constexpr Duration kBeat = std::chrono::milliseconds{100};
constexpr Duration kIdleBeat = std::chrono::seconds{1};
constexpr Duration kLagWindow = std::chrono::seconds{5};

std::uint64_t lag_window(Timestamp t) { return static_cast<std::uint64_t>(t.time_since_epoch() / kLagWindow); }
}  // namespace

Now SystemClock::now() const {
  ::timespec since_boot{};
  ::clock_gettime(CLOCK_BOOTTIME, &since_boot);
  const Duration elapsed = Seconds{since_boot.tv_sec} + Duration{since_boot.tv_nsec};
  return {Timestamp{elapsed}, std::chrono::system_clock::now()};
}

Worker::Worker(unsigned index, const Clock& clock)
    : index_(index),
      clock_(clock),
      io_(1),
      guard_(io_.get_executor()),
      now_(clock.now()),
      deadlines_(now_.mono),
      timer_(io_),
      beat_([this] { deadlines_.arm(beat_, now_.mono, busy_ ? kBeat : kIdleBeat); }),
      resolver_(std::make_unique<Resolver>(*this)) {
  deadlines_.on_earlier = [this](Timestamp at) { schedule(at); };
  deadlines_.arm(beat_, now_.mono, kBeat);
}

Worker::~Worker() { disable_waker(); }

void Worker::run() {
  ensure(!running_.exchange(true, std::memory_order_acq_rel), "one thread runs a worker");
  // Nothing is caught here: a handler that ends by an exception leaves its state, and that of the loop, half changed.
  io_.run();
  running_.store(false, std::memory_order_release);
}

void Worker::stop() { io_.stop(); }

void Worker::call(std::function<void()> f) {
  struct Call {
    std::function<void()> f;
    std::atomic<bool> claimed{false};
    std::promise<void> done;
  };
  const auto call = std::make_shared<Call>();
  call->f = std::move(f);
  const auto perform = [call] {
    if (call->claimed.exchange(true)) return;
    call->f();
    call->done.set_value();
  };
  const auto done = call->done.get_future();
  if (running()) post(perform);
  // A worker that stops meanwhile never runs it.
  do {
    if (!running()) perform();
  } while (done.wait_for(std::chrono::milliseconds{1}) != std::future_status::ready);
}

// One wait at a time, in memory of its own. One that waits too long is cancelled, and its handler waits anew.
void Worker::schedule(Timestamp at) {
  timer_at_ = at;
  timer_waits_ ? static_cast<void>(timer_.cancel()) : await_timer();
}

void Worker::await_timer() {
  if (timer_at_ == Timestamp::max()) return;
  // Relative to this turn's reading of the clock, so that a clock moved by hand does not make the timer spin.
  timer_.expires_after(std::max(timer_at_ - now_.mono, Duration{std::chrono::microseconds{50}}));
  timer_.async_wait(timer_memory_.hold([this](const boost::system::error_code& error) {
    timer_waits_ = false;
    error ? await_timer() : fire_deadlines();
  }));
  timer_waits_ = true;
}

void Worker::fire_deadlines() {
  busy_ = now_.mono != fired_at_;
  fired_at_ = tick().mono;
  if (timer_at_ <= now_.mono) note_lag(now_.mono - timer_at_);
  deadlines_.advance(now_.mono);
  schedule(deadlines_.next());
}

void Worker::note_lag(Duration late) {
  const std::uint64_t window = lag_window(now_.mono);
  const auto micros = static_cast<std::uint64_t>(late / std::chrono::microseconds{1});
  auto& cell = lag_[window % kLagCells];
  const std::uint64_t old = cell.load(std::memory_order_relaxed);
  const std::uint64_t fresh = window << kLagBits | std::min(micros, (std::uint64_t{1} << kLagBits) - 1);
  if (old >> kLagBits == window && old >= fresh) return;
  cell.store(fresh, std::memory_order_relaxed);
}

Duration Worker::lag() const {
  const std::uint64_t window = lag_window(clock_.now().mono);
  const std::uint64_t mask = (std::uint64_t{1} << kLagBits) - 1;
  std::uint64_t longest = 0;
  for (const auto& cell : lag_) {
    const std::uint64_t value = cell.load(std::memory_order_relaxed);
    // Window numbers are truncated to the bits of a cell.
    const std::uint64_t age = (window - (value >> kLagBits)) & (~std::uint64_t{0} >> kLagBits);
    if (age <= 1) longest = std::max(longest, value & mask);
  }
  return std::chrono::microseconds{longest};
}

void Worker::Inbox::push(Ref<WaitGroup> group) noexcept {
  WaitGroup* const last = std::exchange(last_, group.get());
  (first_ ? last->next : first_) = std::move(group);
}

void Worker::Inbox::swap(Inbox& o) noexcept {
  first_.swap(o.first_);
  std::swap(last_, o.last_);
}

void Worker::deliver(Ref<WaitGroup> group) noexcept {
  bool wake = false;
  {
    const MutexLock lock(inbox_mutex_);
    if (!waker_enabled_) return;
    inbox_.push(std::move(group));
    wake = !std::exchange(inbox_posted_, true);
  }
  if (wake) post_drain();
}

void Worker::drain_inbox() {
  tick();
  if (draining_.empty()) {
    const MutexLock lock(inbox_mutex_);
    draining_.swap(inbox_);
  }
  for (std::size_t woken = 0; !draining_.empty(); draining_.pop()) {
    WaiterList& waiters = draining_.front().waiters;
    while (!waiters.empty()) {
      if (++woken > kWakeSlice) return post_drain();
      Waiter& waiter = waiters.front();
      waiter.stop_waiting();
      waiter.woken();
    }
  }
  const MutexLock lock(inbox_mutex_);
  inbox_posted_ = !inbox_.empty();
  if (inbox_posted_) post_drain();
}

void Worker::disable_waker() {
  Inbox dropped;
  {
    const MutexLock lock(inbox_mutex_);
    waker_enabled_ = false;
    dropped.swap(inbox_);
  }
  while (!dropped.empty()) dropped.pop();
}

}  // namespace forebay::net
