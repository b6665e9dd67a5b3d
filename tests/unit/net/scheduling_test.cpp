#include "forebay/net/scheduling.hpp"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <thread>

namespace forebay::net {
namespace {

template <typename F>
void on_thread(F f) {
  std::thread(f).join();
}

int nice_value() { return ::getpriority(PRIO_PROCESS, 0); }

TEST(Scheduling, ShortTurnsKeepPriorityAndPolicy) {
  const int before = nice_value();
  on_thread([&] {
    const int policy = ::sched_getscheduler(0);
    take_short_turns();
    EXPECT_EQ(nice_value(), before);
    EXPECT_EQ(::sched_getscheduler(0), policy);
  });
}

TEST(Scheduling, ALowPriorityIsThatOfTheThreadAlone) {
  const int before = nice_value();
  on_thread([&] {
    take_low_priority();
    EXPECT_GE(nice_value(), 10);
    take_short_turns();
    EXPECT_GE(nice_value(), 10);
  });
  EXPECT_EQ(nice_value(), before);
}

TEST(Scheduling, ALowerPriorityIsKept) {
  on_thread([] {
    const int low = std::max(nice_value(), 15);
    ASSERT_EQ(::setpriority(PRIO_PROCESS, 0, low), 0);
    take_low_priority();
    EXPECT_EQ(nice_value(), low);
  });
}

TEST(Scheduling, IdleStaysIdle) {
  on_thread([] {
    const ::sched_param none{};
    ASSERT_EQ(::sched_setscheduler(0, SCHED_IDLE, &none), 0);
    take_low_priority();
    take_short_turns();
    EXPECT_EQ(::sched_getscheduler(0), SCHED_IDLE);
  });
}

::timespec processor_time(long ms) { return {ms / 1000, ms % 1000 * 1'000'000}; }

void use_processor(long ms) {
  const auto least = processor_time(ms);
  ::timespec used{};
  do {
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  } while (used.tv_sec < least.tv_sec || (used.tv_sec == least.tv_sec && used.tv_nsec < least.tv_nsec));
}

// How often another thread got the processor of one that uses it for 60 ms.
long switches() {
  ::cpu_set_t processors;
  ::sched_getaffinity(0, sizeof processors, &processors);
  int first = 0;
  while (!CPU_ISSET(first, &processors)) ++first;
  const auto stay = [first] {
    ::cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    ::sched_setaffinity(0, sizeof one, &one);
  };
  std::atomic<bool> ended{false};
  std::thread other([&] {
    stay();
    while (!ended) {
    }
  });
  ::rusage use{};
  on_thread([&] {
    stay();
    const ShortTurns turns;
    use_processor(60);
    ::getrusage(RUSAGE_THREAD, &use);
  });
  ended = true;
  other.join();
  return use.ru_nivcsw + use.ru_nvcsw;
}

TEST(Scheduling, ShortTurnsEndWithinACalculation) {
  EXPECT_GE(switches(), 40);  // 16 without, at 250 ticks of the kernel a second
}

TEST(Scheduling, ShortTurnsEndWithTheirObject) {
  on_thread([] {
    { const ShortTurns turns; }
    const ::timespec some{0, 5'000'000};
    EXPECT_EQ(::nanosleep(&some, nullptr), 0);  // a signal would end it with EINTR
  });
}

}  // namespace
}  // namespace forebay::net
