#include "forebay/base/clock.hpp"

#include <gtest/gtest.h>

#include "forebay/base/histogram.hpp"

namespace forebay {
namespace {

TEST(ManualClock, StandsUntilItIsToldToMove) {
  ManualClock clock;
  const auto before = clock.now();
  EXPECT_EQ(clock.now().mono, before.mono);
  clock.advance(90s);
  EXPECT_EQ(clock.now().mono - before.mono, 90s);
  EXPECT_EQ(clock.now().wall - before.wall, 90s);
}

TEST(WholeSeconds, RoundsDownAlsoBelowZero) {
  EXPECT_EQ(whole_seconds(1999ms), 1);
  EXPECT_EQ(whole_seconds(-1ms), -1);
  EXPECT_EQ(whole_seconds(-2s), -2);
}

TEST(Histogram, CountsUnderTheFirstBoundThatIsNotPassed) {
  const std::uint64_t bounds[] = {10, 100};
  Histogram<2> h;
  for (const std::uint64_t v : {1, 10, 11, 100, 101}) h.observe(v, bounds, 2);
  EXPECT_EQ(h.bucket(0), 2u);
  EXPECT_EQ(h.bucket(1), 2u);
  EXPECT_EQ(h.bucket(2), 1u);
  EXPECT_EQ(h.sum(), 223u);
}

}  // namespace
}  // namespace forebay
