#include "forebay/base/terminate.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <new>
#include <stdexcept>
#include <thread>

#include "forebay/base/guarded.hpp"

namespace forebay {
namespace {

TEST(Guarded, EndsWhatRanOutOfMemory) {
  bool gave_up = false;
  guarded([] { throw std::bad_alloc(); }, [&] { gave_up = true; });
  EXPECT_TRUE(gave_up);
}

TEST(Guarded, DoesNothingElseWithAStepThatSucceeds) {
  int steps = 0;
  guarded([&] { ++steps; }, [] { FAIL(); });
  EXPECT_EQ(steps, 1);
}

TEST(Guarded, LetsOtherExceptionsPass) {
  EXPECT_THROW(guarded([] { throw std::logic_error("ours"); }, [] { FAIL(); }), std::logic_error);
}

// Death tests start the process anew, since others may have threads.
struct TerminateDeathTest : testing::Test {
  TerminateDeathTest() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST_F(TerminateDeathTest, AnInvariantThatHoldsCostsNothing) { ensure(true, "holds"); }

TEST_F(TerminateDeathTest, AnInvariantThatDoesNotHoldEndsTheProcessWithABacktrace) {
  EXPECT_EXIT(ensure(false, "a flight ends once"), testing::KilledBySignal(SIGABRT),
              "error the process ends: an invariant does not hold: a flight ends once; backtrace: .*0x");
}

TEST_F(TerminateDeathTest, AnUncaughtExceptionOfAnyThreadIsNamed) {
  EXPECT_EXIT(
      {
        install_terminate_handler();
        std::thread([] { guarded([] { throw std::logic_error("what it says"); }, [] {}); }).join();
      },
      testing::KilledBySignal(SIGABRT), "uncaught std::logic_error: what it says; backtrace: .*0x");
}

TEST_F(TerminateDeathTest, WhatIsNoExceptionIsSaidToBeSo) {
  EXPECT_EXIT(
      {
        install_terminate_handler();
        std::thread([] { throw 1; }).join();
      },
      testing::KilledBySignal(SIGABRT), "uncaught exception of an unknown type");
}

}  // namespace
}  // namespace forebay
