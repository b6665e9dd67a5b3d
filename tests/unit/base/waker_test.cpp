#include "forebay/base/waker.hpp"

#include <gtest/gtest.h>

#include <condition_variable>
#include <memory>
#include <thread>

namespace forebay {
namespace {

// A loop that runs what was delivered when the test says so.
class Loop final : public Waker {
 public:
  void deliver(Ref<WaitGroup> group) noexcept override {
    const std::lock_guard lock(mutex_);
    groups_.push_back(std::move(group));
    some_.notify_one();
  }
  std::size_t deliveries() {
    const std::lock_guard lock(mutex_);
    return groups_.size();
  }
  void run() {
    for (auto& g : take()) run_group(*g);
  }
  void wait_and_run() {
    {
      std::unique_lock lock(mutex_);
      some_.wait(lock, [&] { return !groups_.empty(); });
    }
    run();
  }

 private:
  std::vector<Ref<WaitGroup>> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(groups_, {});
  }
  static void run_group(WaitGroup& g) {
    while (!g.waiters.empty()) {
      auto& w = g.waiters.front();
      w.stop_waiting();
      w.woken();
    }
  }
  std::mutex mutex_;
  std::condition_variable some_;
  std::vector<Ref<WaitGroup>> groups_;
};

struct Sleeper final : Waiter {
  int wakes = 0;
  void woken() override { ++wakes; }
};

TEST(Signal, WakesEachWaiterOnce) {
  Loop loop;
  Signal signal;
  Sleeper a, b;
  signal.wait(loop, a);
  signal.wait(loop, b);
  signal.notify();
  EXPECT_EQ(loop.deliveries(), 1u) << "one call for the thread, not one for each waiter";
  loop.run();
  signal.notify();
  loop.run();
  EXPECT_EQ(a.wakes, 1);
  EXPECT_EQ(b.wakes, 1);
}

TEST(Signal, CallsEachThreadOnce) {
  Loop one, two;
  Signal signal;
  Sleeper a, b, c;
  signal.wait(one, a);
  signal.wait(two, b);
  signal.wait(one, c);
  signal.notify();
  EXPECT_EQ(one.deliveries(), 1u);
  EXPECT_EQ(two.deliveries(), 1u);
  one.run();
  two.run();
  EXPECT_EQ(a.wakes + b.wakes + c.wakes, 3);
}

TEST(Signal, WhoLeftIsNotWoken) {
  Loop loop;
  Signal signal;
  auto gone = std::make_unique<Sleeper>();
  Sleeper left, stays;
  signal.wait(loop, *gone);
  signal.wait(loop, left);
  signal.wait(loop, stays);
  left.stop_waiting();
  signal.notify();
  gone.reset();  // between the notification and its delivery
  loop.run();
  EXPECT_EQ(left.wakes, 0);
  EXPECT_EQ(stays.wakes, 1);
}

TEST(Signal, WaitingTwiceIsWaitingOnce) {
  Loop loop;
  Signal signal;
  Sleeper a;
  signal.wait(loop, a);
  signal.wait(loop, a);
  signal.notify();
  loop.run();
  EXPECT_EQ(a.wakes, 1);
}

TEST(Signal, AWokenWaiterMayWaitAgain) {
  Loop loop;
  Signal signal;
  Sleeper a;
  for (int i = 1; i <= 3; ++i) {
    signal.wait(loop, a);
    EXPECT_TRUE(a.waiting());
    signal.notify();
    loop.run();
    EXPECT_EQ(a.wakes, i);
    EXPECT_FALSE(a.waiting());
  }
}

TEST(Signal, MayGoBeforeItsWaiters) {
  Loop loop;
  Sleeper a;
  {
    Signal signal;
    signal.wait(loop, a);
  }
  EXPECT_FALSE(a.waiting());
}

// Many rounds of: one thread publishes a number and notifies; the others wait until they have seen it.
TEST(Signal, LosesNoWakeUpBetweenThreads) {
  constexpr int kRounds = 2000;
  Signal signal;
  std::atomic<int> number{0};
  std::atomic<int> done{0};
  const auto reader = [&] {
    Loop loop;
    Sleeper me;
    for (int want = 1; want <= kRounds; ++want) {
      while (number.load(std::memory_order_relaxed) < want) {
        signal.wait(loop, me);
        if (number.load(std::memory_order_relaxed) >= want) {
          me.stop_waiting();
          break;
        }
        loop.wait_and_run();
      }
      done.fetch_add(1);
    }
  };
  std::thread a(reader), b(reader);
  for (int i = 1; i <= kRounds; ++i) {
    number.store(i, std::memory_order_relaxed);
    signal.notify();
    if (i % 3 == 0)
      while (done.load() < 2 * i) std::this_thread::yield();
  }
  a.join();
  b.join();
  EXPECT_EQ(done.load(), 2 * kRounds);
}

}  // namespace
}  // namespace forebay
