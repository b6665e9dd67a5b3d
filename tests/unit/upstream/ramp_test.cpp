#include "upstream/ramp.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace forebay::upstream {
namespace {

constexpr Timestamp kStart{1000h};

/// Holds the level as high as it may be.
void fill(Ramp& ramp, unsigned& level) {
  level = std::max(level, ramp.allowed());
  ramp.rose(level);
}

TEST(Ramp, AllowsOneStepAtFirstAndOneMoreForEachInterval) {
  for (const Duration every : {10s, 120s}) {
    Ramp ramp(1000, every);
    unsigned level = 0;
    ramp.advance(kStart, level);
    EXPECT_EQ(ramp.allowed(), 1000U);
    fill(ramp, level);
    Timestamp now = kStart;
    for (unsigned step = 2; step < 20; ++step) {
      const Timestamp rises = now + every + every / 100;  // `every` after the tick of the level
      EXPECT_EQ(ramp.allows_more_than(level), rises);
      ramp.advance(rises - 1ns, level);
      EXPECT_EQ(ramp.allowed(), level);
      ramp.advance(rises, level);
      EXPECT_EQ(ramp.allowed(), step * 1000);
      fill(ramp, level);
      now = rises;
    }
  }
}

TEST(Ramp, DoesNotGrowWhileItIsNotUsed) {
  Ramp ramp(100, 10s);
  for (Duration at = 0s; at < 300s; at += 1s) {
    ramp.advance(kStart + at, 40);
    ramp.rose(40);
    EXPECT_LE(ramp.allowed(), 140U);
  }
  EXPECT_EQ(ramp.allowed(), 140U);
}

TEST(Ramp, ForgetsWhatWasHeldAMinuteAgo) {
  Ramp ramp(10, 1s);
  unsigned level = 0;
  Timestamp now = kStart;
  for (; level < 100; now += 1'100ms) {
    ramp.advance(now, level);
    fill(ramp, level);
  }
  ASSERT_GE(level, 100U);
  ramp.advance(now, level);
  const unsigned full = ramp.allowed();
  ramp.advance(now + 59s, 5);
  EXPECT_EQ(ramp.allowed(), full);
  ramp.advance(now + 61s, 5);
  EXPECT_EQ(ramp.allowed(), 15U) << "what is used, and one step";
}

TEST(Ramp, KeepsTheLevelThatIsHeldWhenAnOldOneIsForgotten) {
  Ramp ramp(10, 10s);
  unsigned level = 0;
  Timestamp now = kStart;
  for (; level < 50; now += 10'100ms) {
    ramp.advance(now, level);
    fill(ramp, level);
  }
  const Timestamp used = now - 10'100ms;  // since then it is not
  ramp.advance(used + 100ms, 0);
  ramp.advance(used + 59s, 0);
  ramp.rose(50);
  ramp.advance(used + 62s, 50);
  EXPECT_EQ(ramp.allowed(), 50U) << "not 10, and not more for the next ten seconds";
  ramp.advance(used + 69s, 50);
  EXPECT_EQ(ramp.allowed(), 50U);
  ramp.advance(used + 70s, 50);
  EXPECT_EQ(ramp.allowed(), 60U);
}

TEST(Ramp, ALevelHeldThroughATimeWithoutCallsCounts) {
  Ramp ramp(10, 10s);
  ramp.advance(kStart, 0);
  ramp.rose(10);
  ramp.advance(kStart + 1000h, 10);
  EXPECT_EQ(ramp.allowed(), 20U);
}

TEST(Ramp, TimeThatGoesBackChangesNothing) {
  Ramp ramp(10, 10s);
  ramp.advance(kStart, 0);
  ramp.rose(10);
  ramp.advance(kStart - 1h, 0);
  EXPECT_EQ(ramp.allowed(), 10U);
  ramp.advance(kStart + 10'100ms, 0);
  EXPECT_EQ(ramp.allowed(), 20U);
}

// Of any trace of levels: each is one of the last minute or a step above what was held until `every` before.
TEST(Ramp, GrowsByAtMostOneStepInAnyInterval) {
  std::minstd_rand random(3);
  for (const Duration every : std::initializer_list<Duration>{100ms, 1s, 7s, 10s, 45s}) {
    constexpr unsigned kAdd = 5;
    Ramp ramp(kAdd, every);
    const Duration remembered = std::max<Duration>(60s, 2 * every);
    std::vector<std::pair<Duration, unsigned>> held{{0s, 0}};  // from then on
    unsigned level = 0;
    Duration at = 1s;
    for (int i = 0; i < 3000; ++i) {
      at += random() % 10 == 0 ? every * (random() % 150) / 100 : every * (random() % 20) / 1000;
      ramp.advance(kStart + at, level);
      ASSERT_LE(level, ramp.allowed());
      level = random() % 3 == 0 ? level - std::min<unsigned>(level, random() % 7) : ramp.allowed();
      ramp.rose(level);
      unsigned recent = 0, old = 0;
      for (std::size_t k = 0; k < held.size(); ++k) {
        const Duration until = k + 1 < held.size() ? held[k + 1].first : at;
        if (until >= at - remembered) recent = std::max(recent, held[k].second);
        if (until >= at - remembered && held[k].first <= at - every) old = std::max(old, held[k].second);
      }
      ASSERT_LE(level, std::max(recent, old + kAdd)) << "after " << at / 1ms << " ms";
      held.emplace_back(at, level);
    }
  }
}

}  // namespace
}  // namespace forebay::upstream
