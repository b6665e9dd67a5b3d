#include "upstream/retry_budget.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <random>
#include <thread>
#include <vector>

namespace forebay::upstream {
namespace {

constexpr Timestamp kStart{1000h};

unsigned retries_of(RetryBudget& budget, unsigned requests, Timestamp now) {
  unsigned retries = 0;
  for (unsigned i = 0; i < requests; ++i) {
    budget.deposit(now);
    if (budget.withdraw(now)) ++retries;
  }
  return retries;
}

TEST(RetryBudget, AllowsAFifthOfTheRequestsBeyondAFew) {
  RetryBudget budget;
  EXPECT_EQ(retries_of(budget, 1000, kStart), 1000U / 5 + RetryBudget::kAlways);
}

TEST(RetryBudget, AllowsAFewWithoutRequestsAndTheSameAgainLater) {
  RetryBudget budget;
  unsigned allowed = 0;
  for (int i = 0; i < 100; ++i)
    if (budget.withdraw(kStart)) ++allowed;
  EXPECT_EQ(allowed, RetryBudget::kAlways);
  EXPECT_FALSE(budget.withdraw(kStart + 10s));
  EXPECT_TRUE(budget.withdraw(kStart + 11s));
}

TEST(RetryBudget, PercentIsOfTheRequests) {
  for (const unsigned percent : {0U, 1U, 50U, 100U}) {
    RetryBudget budget(percent);
    for (int i = 0; i < 1000; ++i) budget.deposit(kStart);
    unsigned allowed = 0;
    for (int i = 0; i < 2000; ++i)
      if (budget.withdraw(kStart)) ++allowed;
    EXPECT_EQ(allowed, 10 * percent + RetryBudget::kAlways);
  }
}

TEST(RetryBudget, RequestsOfLongAgoAllowNothing) {
  RetryBudget budget;
  for (int i = 0; i < 1000; ++i) budget.deposit(kStart);
  unsigned allowed = 0;
  for (int i = 0; i < 1000; ++i)
    if (budget.withdraw(kStart + 10s)) ++allowed;
  EXPECT_EQ(allowed, RetryBudget::kAlways);
}

// At each retry, over the ten seconds that end with it.
void expect_limit(const std::vector<Duration>& requests, const std::vector<Duration>& retries) {
  for (std::size_t i = 0; i < retries.size(); ++i) {
    const auto within = [&](const std::vector<Duration>& times) {
      return std::upper_bound(times.begin(), times.end(), retries[i]) -
             std::lower_bound(times.begin(), times.end(), retries[i] - 10s);
    };
    const auto made = static_cast<std::ptrdiff_t>(i) + 1 -
                      (std::lower_bound(retries.begin(), retries.end(), retries[i] - 10s) - retries.begin());
    ASSERT_LE(made, within(requests) / 5 + RetryBudget::kAlways) << retries[i] / 1ms << " ms";
  }
}

TEST(RetryBudget, HoldsOverAnyTenSecondsWhereEverythingFails) {
  std::minstd_rand random(7);
  for (int trial = 0; trial < 20; ++trial) {
    RetryBudget budget;
    std::vector<Duration> requests, retries;
    Duration at = 0s;
    while (at < 60s) {
      // Bursts and pauses; retries come later than their requests.
      at += random() % 10 == 0 ? random() % 4000 * 1ms : random() % 5 * 1ms;
      for (auto burst = random() % 20; burst != 0; --burst) {
        requests.push_back(at);
        budget.deposit(kStart + at);
      }
      for (int attempt = 0; attempt < 20; ++attempt)
        if (budget.withdraw(kStart + at)) retries.push_back(at);
    }
    EXPECT_GT(retries.size(), requests.size() / 8);
    expect_limit(requests, retries);
  }
}

TEST(RetryBudget, SteadyFailuresGetMostOfTheirFifth) {
  RetryBudget budget;
  unsigned retries = 0;
  for (int i = 0; i < 100'000; ++i) retries += retries_of(budget, 1, kStart + i * 1ms);
  EXPECT_LE(retries, 20'000U + 10 * RetryBudget::kAlways);
  EXPECT_GE(retries, 17'000U);
}

TEST(RetryBudget, LimitHoldsForAllThreadsTogether) {
  RetryBudget budget;
  std::atomic<unsigned> retries{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 5'000; ++i) retries += retries_of(budget, 1, kStart + i * 1ms);
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_LE(retries, 20'000U / 5 + RetryBudget::kAlways);
  EXPECT_GE(retries, 3'500U) << "threads that refuse each other wrongly are few";
}

}  // namespace
}  // namespace forebay::upstream
