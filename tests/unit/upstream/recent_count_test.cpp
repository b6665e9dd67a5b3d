#include "upstream/recent_count.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace forebay::upstream {
namespace {

constexpr Timestamp kStart{1000h};

TEST(RecentCount, CountsTheBucketsItIsAskedFor) {
  RecentCount count(1s);
  for (int second = 0; second < 10; ++second) count.add(kStart + second * 1s);
  EXPECT_EQ(count.sum(kStart + 9s, 10), 10U);
  EXPECT_EQ(count.sum(kStart + 9'999ms, 10), 10U);
  EXPECT_EQ(count.sum(kStart + 9s, 1), 1U);
  EXPECT_EQ(count.sum(kStart + 10s, 10), 9U);
  EXPECT_EQ(count.sum(kStart + 18s, 10), 1U);
  EXPECT_EQ(count.sum(kStart + 19s, 10), 0U);
}

TEST(RecentCount, ForgetsWhatIsOlderThanItsRing) {
  RecentCount count(1s);
  count.add(kStart);
  for (const Duration later : {16s, 32s, 1600s, 1615s}) {
    EXPECT_EQ(count.sum(kStart + later, 12), 0U);
    count.add(kStart + later);
    EXPECT_EQ(count.sum(kStart + later, 1), 1U);
  }
}

TEST(RecentCount, TakesBackWhatWasAdded) {
  RecentCount count(1s);
  count.add(kStart);
  count.add(kStart);
  count.remove(kStart);
  EXPECT_EQ(count.sum(kStart, 10), 1U);
  count.add(kStart + 16s);  // the same slot
  count.remove(kStart);
  EXPECT_EQ(count.sum(kStart + 16s, 10), 1U);
}

TEST(RecentCount, LosesNothingOfAnOlderReadingOfTheClock) {
  RecentCount count(1s);
  count.add(kStart + 1s);
  count.add(kStart);
  EXPECT_EQ(count.sum(kStart + 1s, 10), 2U);
  EXPECT_EQ(count.sum(kStart, 10), 2U) << "what others have counted since counts too";
}

TEST(RecentCount, IsEmptyOnceCleared) {
  RecentCount count(1s);
  count.add(kStart);
  count.clear();
  EXPECT_EQ(count.sum(kStart, 10), 0U);
}

TEST(RecentCount, ThreadsLoseNoEventWhileBucketsChange) {
  RecentCount count(1s);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 10'000; ++i) {
        const Timestamp now = kStart + i * 1ms;
        count.add(now);
        if (i % 4 != 0) continue;
        count.add(now);
        count.remove(now);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(count.sum(kStart + 9'999ms, 10), 40'000U);
}

}  // namespace
}  // namespace forebay::upstream
