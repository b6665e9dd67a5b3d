#include "forebay/base/budget.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace forebay {
namespace {

TEST(Budget, TakesUpToItsLimitAndNotAByteMore) {
  Budget b(100);
  EXPECT_TRUE(b.try_take(60));
  EXPECT_FALSE(b.try_take(41));
  EXPECT_TRUE(b.try_take(40));
  EXPECT_FALSE(b.try_take(1));
  EXPECT_TRUE(b.try_take(0));
  EXPECT_EQ(b.used(), 100u);
}

TEST(Budget, RefusesAHugeWishWithoutWrappingAround) {
  Budget b(100);
  ASSERT_TRUE(b.try_take(10));
  EXPECT_FALSE(b.try_take(SIZE_MAX));
  EXPECT_FALSE(b.try_take(SIZE_MAX - 5));
  EXPECT_EQ(b.used(), 10u);
}

TEST(Budget, ALoweredLimitRefusesUntilEnoughWasGivenBack) {
  Budget b(100);
  ASSERT_TRUE(b.try_take(80));
  b.set_limit(50);
  EXPECT_FALSE(b.try_take(1));
  b.give(40);
  EXPECT_TRUE(b.try_take(10));
  EXPECT_FALSE(b.try_take(1));
}

TEST(Budget, NeverExceedsItsLimitWhateverThreadsDo) {
  Budget b(1000);
  std::atomic<bool> exceeded{false};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 20000; ++i) {
        const std::size_t n = static_cast<std::size_t>((i * 37 + t * 11) % 400);
        if (!b.try_take(n)) continue;
        if (b.used() > 1000) exceeded = true;
        b.give(n);
      }
    });
  for (auto& t : threads) t.join();
  EXPECT_FALSE(exceeded);
  EXPECT_EQ(b.used(), 0u);
}

TEST(Charge, GivesItsBytesBackOnceHoweverItIsMoved) {
  Budget b(100);
  ASSERT_TRUE(b.try_take(50));
  {
    Charge a(b, 50);
    Charge c = std::move(a);
    EXPECT_EQ(a.bytes(), 0u);
    Charge part = c.split(20);
    EXPECT_EQ(c.bytes(), 30u);
    part.reset();
    EXPECT_EQ(b.used(), 30u);
    Charge into;
    into.merge(std::move(c));
    EXPECT_EQ(into.bytes(), 30u);
    EXPECT_EQ(b.used(), 30u);
  }
  EXPECT_EQ(b.used(), 0u);
}

TEST(Charge, AssigningGivesBackWhatWasHeldBefore) {
  Budget b(100);
  ASSERT_TRUE(b.try_take(70));
  Charge a(b, 30), c(b, 40);
  a = std::move(c);
  EXPECT_EQ(a.bytes(), 40u);
  EXPECT_EQ(b.used(), 40u);
  a = Charge();
  EXPECT_EQ(b.used(), 0u);
}

}  // namespace
}  // namespace forebay
