#include "forebay/net/worker.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <latch>
#include <thread>

#include "forebay/base/terminate.hpp"

namespace forebay::net {
namespace {

// The worker's loop run by the test's own thread, as far as there is work.
void turn(Worker& w) { w.io().poll(); }

struct CountingWaiter final : Waiter {
  int times = 0;
  std::function<void()> then;
  void woken() override {
    ++times;
    if (then) then();
  }
};

TEST(Worker, WakesWaitersOfASignalOnItsOwnThread) {
  const SystemClock clock;
  Worker worker(0, clock);
  std::thread::id woken_on;
  CountingWaiter waiter;
  Signal signal;
  std::latch waiting(1);
  waiter.then = [&] {
    woken_on = std::this_thread::get_id();
    worker.stop();
  };
  worker.post([&] {
    signal.wait(worker, waiter);
    waiting.count_down();
  });
  std::thread thread([&] { worker.run(); });
  const auto id = thread.get_id();
  waiting.wait();
  signal.notify();
  thread.join();
  EXPECT_EQ(woken_on, id);
  EXPECT_EQ(waiter.times, 1);
}

TEST(Worker, AWaiterThatLeavesBeforeItsTurnIsNotWoken) {
  const ManualClock clock;
  Worker worker(0, clock);
  CountingWaiter stays, leaves;
  Signal signal;
  stays.then = [&] { leaves.stop_waiting(); };
  signal.wait(worker, stays);
  signal.wait(worker, leaves);
  signal.notify();
  turn(worker);
  EXPECT_EQ(stays.times, 1);
  EXPECT_EQ(leaves.times, 0);
}

TEST(Worker, AHerdIsWokenInSlicesAndOtherWorkGetsItsTurnBetween) {
  const ManualClock clock;
  Worker worker(0, clock);
  std::vector<CountingWaiter> herd(1000);
  Signal signal;
  int woken = 0, woken_before_other = -1;
  for (auto& w : herd) {
    w.then = [&] { ++woken; };
    signal.wait(worker, w);
  }
  signal.notify();
  worker.post([&] { woken_before_other = woken; });
  turn(worker);
  EXPECT_EQ(woken, 1000);
  EXPECT_GT(woken_before_other, 0);
  EXPECT_LT(woken_before_other, 1000);
}

TEST(Worker, AWaiterMayWaitAgainWhileItIsWoken) {
  const ManualClock clock;
  Worker worker(0, clock);
  CountingWaiter waiter;
  Signal signal;
  waiter.then = [&] { signal.wait(worker, waiter); };
  signal.wait(worker, waiter);
  for (int i = 1; i <= 3; ++i) {
    signal.notify();
    turn(worker);
    EXPECT_EQ(waiter.times, i);
  }
  waiter.stop_waiting();
}

TEST(Worker, ADisabledWakerDropsDeliveries) {
  const ManualClock clock;
  Worker worker(0, clock);
  CountingWaiter waiter;
  Signal signal;
  signal.wait(worker, waiter);
  worker.disable_waker();
  signal.notify();
  turn(worker);
  EXPECT_EQ(waiter.times, 0);
}

TEST(Worker, ManyThreadsMayDeliverAtOnce) {
  const SystemClock clock;
  Worker worker(0, clock);
  constexpr int kThreads = 4, kEach = 500;
  std::atomic<int> posted{0};
  CountingWaiter waiter;
  Signal signal;
  waiter.then = [&] { signal.wait(worker, waiter); };
  worker.post([&] { signal.wait(worker, waiter); });
  std::thread loop([&] { worker.run(); });
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kEach; ++i) {
        signal.notify();
        worker.post([&] { ++posted; });
      }
    });
  }
  for (auto& t : threads) t.join();
  worker.post([&] { worker.stop(); });
  loop.join();
  EXPECT_EQ(posted, kThreads * kEach);
  waiter.stop_waiting();
}

TEST(Worker, DeadlinesFireWhenAClockMovedByHandSaysSo) {
  ManualClock clock;
  Worker worker(0, clock);
  int fired = 0;
  Deadline d([&] { ++fired; });
  worker.deadlines().arm(d, worker.now().mono, 10s);
  clock.advance(9s);
  worker.fire_deadlines();
  EXPECT_EQ(fired, 0);
  clock.advance(1s);
  worker.fire_deadlines();
  EXPECT_EQ(fired, 1);
}

TEST(Worker, DeadlinesFireByTheLoopItself) {
  const SystemClock clock;
  Worker worker(0, clock);
  const auto start = clock.now().mono;
  Deadline d([&] { worker.stop(); });
  worker.post([&] { worker.deadlines().arm(d, worker.tick().mono, 5ms); });
  worker.run();
  EXPECT_GE(clock.now().mono - start, 5ms);
}

TEST(Worker, LagIsTheLongestDelayOfTheLastTenSeconds) {
  ManualClock clock;
  Worker worker(0, clock);
  Deadline d([] {});
  worker.deadlines().arm(d, worker.now().mono, 10ms);
  clock.advance(200ms);
  worker.fire_deadlines();
  EXPECT_GE(worker.lag(), 100ms);
  EXPECT_LE(worker.lag(), 200ms);
  clock.advance(20s);
  EXPECT_EQ(worker.lag(), 0ms);
}

TEST(WorkerDeathTest, AHandlerThatThrowsEndsTheProcessAndNotItsStateAlone) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        install_terminate_handler();
        const SystemClock clock;
        Worker worker(0, clock);
        worker.post([] { throw std::runtime_error("oops"); });
        worker.post([] { ::_exit(0); });
        std::thread([&] { worker.run(); }).join();
      },
      testing::KilledBySignal(SIGABRT), "uncaught std::runtime_error: oops; backtrace:");
}

// What the clock says in a time namespace whose boot was so many seconds earlier; -1 where none may be made.
std::int64_t seconds_in_a_namespace(const char* offsets) {
  int pipe_ends[2];
  if (::pipe(pipe_ends) != 0) return -1;
  const pid_t outer = ::fork();
  if (outer == 0) {
    std::int64_t seconds = -1;
    const int file = ::unshare(CLONE_NEWTIME) == 0 ? ::open("/proc/self/timens_offsets", O_WRONLY) : -1;
    const auto size = static_cast<ssize_t>(std::strlen(offsets));
    // Children of this process are in it.
    if (file >= 0 && ::write(file, offsets, static_cast<std::size_t>(size)) == size && ::fork() == 0)
      seconds = whole_seconds(SystemClock{}.now().mono.time_since_epoch());
    else if (file >= 0)
      ::wait(nullptr), ::_exit(0);
    (void)!::write(pipe_ends[1], &seconds, sizeof seconds);
    ::_exit(0);
  }
  std::int64_t seconds = -1;
  if (outer < 0 || ::read(pipe_ends[0], &seconds, sizeof seconds) != sizeof seconds) seconds = -1;
  ::waitpid(outer, nullptr, 0);
  ::close(pipe_ends[0]);
  ::close(pipe_ends[1]);
  return seconds;
}

TEST(Clock, CountsWhileTheMachineIsSuspended) {
  constexpr std::int64_t kSuspended = 1'000'000;
  const auto before = whole_seconds(SystemClock{}.now().mono.time_since_epoch());
  const auto after = seconds_in_a_namespace("boottime 1000000 0\n");
  if (after < 0) GTEST_SKIP() << "no time namespace can be made here";
  EXPECT_GE(after, before + kSuspended) << "age grows with the time since boot, suspension included";
}

}  // namespace
}  // namespace forebay::net
