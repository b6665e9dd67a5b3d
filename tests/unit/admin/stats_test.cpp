#include "admin/stats.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "admin/json_text.hpp"
#include "admin/stats_sample.hpp"

namespace forebay::admin {
namespace {

constexpr std::uint64_t kBounds[] = {1'000'000, 10'000'000, 100'000'000};  // 1, 10 and 100 ms
constexpr auto kHit = static_cast<std::size_t>(rules::CacheResult::Hit);
constexpr auto kMiss = static_cast<std::size_t>(rules::CacheResult::Miss);
constexpr auto kBypass = static_cast<std::size_t>(rules::CacheResult::Bypass);

TEST(PlainNumbers, HaveNoExponent) {
  EXPECT_EQ(with_plain_numbers(R"({"t":[1.796097474948E9,5E-1,-2E0,12,0],"E1\"2E0":"3E0","n":null})"),
            R"({"t":[1796097474.948,0.5,-2,12,0],"E1\"2E0":"3E0","n":null})");
  EXPECT_EQ(with_plain_numbers("\"cut\\"), "\"cut\\");
  EXPECT_EQ(with_plain_numbers("1E300").size(), 301U);
}

TEST(Quantile, IsInterpolatedWithinItsBucket) {
  Latencies counts{};
  EXPECT_TRUE(std::isnan(quantile(counts, kBounds, 0.5)));
  counts[0] = 50;
  counts[1] = 50;
  EXPECT_DOUBLE_EQ(quantile(counts, kBounds, 0.5), 1e6);
  EXPECT_DOUBLE_EQ(quantile(counts, kBounds, 0.25), 0.5e6);
  EXPECT_DOUBLE_EQ(quantile(counts, kBounds, 0.75), 5.5e6);
  counts[3] = 1000;  // above all bounds nothing more is known
  EXPECT_DOUBLE_EQ(quantile(counts, kBounds, 0.99), 100e6);
}

TEST(Span, HasRatesAndTheHitRatioOfWhatCounts) {
  Totals before, after;
  before.rates[kHit] = 10;
  after.rates[kHit] = 40;
  after.rates[kMiss] = 10;
  after.rates[kBypass] = 20;
  before[Rate::OriginRequests] = 100;
  after[Rate::OriginRequests] = 7;  // an origin that counts from 0 again
  after.hits[0] = 30;
  const auto span = between(before, after, 2s, kBounds);
  EXPECT_DOUBLE_EQ(span.requests, 30);
  EXPECT_DOUBLE_EQ(span.rates[kHit], 15);
  EXPECT_DOUBLE_EQ(span.hit_ratio, 0.75);
  EXPECT_DOUBLE_EQ(span.rate(Rate::OriginRequests), 0);
  EXPECT_DOUBLE_EQ(span.hit_p50, 0.5);
  EXPECT_TRUE(std::isnan(span.miss_p99));
}

TEST(RunningSum, NeverBecomesSmaller) {
  RunningSum sum;
  EXPECT_EQ(sum.update({{"a", 10}, {"b", 5}}), 15);
  EXPECT_EQ(sum.update({{"a", 12}}), 17) << "b has gone";
  EXPECT_EQ(sum.update({{"a", 3}, {"c", 4}}), 21) << "a has begun anew";
  EXPECT_EQ(sum.update({{"a", 5}, {"b", 1}, {"c", 4}}), 24);
  EXPECT_EQ(sum.update({}), 24);
}

class StatsTest : public ::testing::Test {
 protected:
  void run(int seconds, double hits_a_second = 10) {
    for (int i = 0; i < seconds; ++i) {
      clock_.advance(1s);
      sample_.all.rates[kHit] += hits_a_second;
      if (!sample_.routes.empty()) sample_.routes[0].second.rates[kHit] += hits_a_second;
      sample_[Gauge::Entries] += 1;
      stats_.add(sample_, clock_.now().mono);
    }
  }
  std::vector<Stats::Point> points(Duration window, std::string_view route = {}) {
    return stats_.points(window, clock_.now().mono, route);
  }
  ManualClock clock_;
  Sample sample_;
  Stats stats_{kBounds};
};

TEST_F(StatsTest, TheFirstSampleIsNoPoint) {
  EXPECT_EQ(stats_.minute().all.requests, 0);
  run(1);
  EXPECT_TRUE(points(1min).empty());
  run(1);
  ASSERT_EQ(points(1min).size(), 1U);
  EXPECT_FLOAT_EQ(points(1min)[0].values[kHit], 10);
  EXPECT_DOUBLE_EQ(stats_.second().all.requests, 10);
}

TEST_F(StatsTest, AWindowHasItsPointsTheOldestFirst) {
  run(4000);
  const auto minute = points(1min);
  ASSERT_EQ(minute.size(), 60U);
  EXPECT_EQ(minute.back().at, clock_.now().mono);
  EXPECT_EQ(minute.back().at - minute.front().at, Duration{59s});
  EXPECT_EQ(points(5min).size(), Stats::kFinePoints);
  const auto hour = points(1h);
  EXPECT_EQ(hour.size(), Stats::kCoarsePoints);
  EXPECT_FLOAT_EQ(hour.front().seconds, 10);
  EXPECT_FLOAT_EQ(hour.front().values[kHit], 10);
  EXPECT_EQ(points(10min).size(), 60U);
  // Gauges are those at the end of the point.
  EXPECT_FLOAT_EQ(minute.back().values[kRates + Stats::kQuantiles + static_cast<std::size_t>(Gauge::Entries)], 4000);
  EXPECT_EQ(Stats::value_name(kRates + Stats::kQuantiles + static_cast<std::size_t>(Gauge::Entries)), "entries");
}

TEST_F(StatsTest, ALatePointSaysWhatItCoversAndNothingIsFilledIn) {
  run(10);
  clock_.advance(2h);  // the machine slept
  sample_.all.rates[kHit] += 72'000;
  stats_.add(sample_, clock_.now().mono);
  const auto after = points(5min);
  ASSERT_EQ(after.size(), 1U);
  EXPECT_FLOAT_EQ(after[0].seconds, 7200);
  EXPECT_FLOAT_EQ(after[0].values[kHit], 10);
}

TEST_F(StatsTest, TheMinuteIsThatOfTheLastSixtyToSeventySeconds) {
  run(1000, 5);
  run(75, 10);
  const auto minute = stats_.minute();
  EXPECT_DOUBLE_EQ(minute.all.rates[kHit], 10);
  EXPECT_GE(minute.all.seconds, 60);
  EXPECT_LE(minute.all.seconds, 71);
}

TEST_F(StatsTest, RoutesAppearWithTheirFirstRequest) {
  sample_.routes.emplace_back("shop", Totals{});
  run(10, 0);
  EXPECT_TRUE(points(1min, "shop").empty());
  EXPECT_TRUE(stats_.second().routes.empty());
  run(5, 3);
  const auto shop = points(1min, "shop");
  ASSERT_EQ(shop.size(), 14U);
  EXPECT_TRUE(std::isnan(shop.front().values[kHit])) << "there was nothing to be seen of it then";
  EXPECT_FLOAT_EQ(shop.back().values[kHit], 3);
  EXPECT_DOUBLE_EQ(stats_.second().routes.at(0).second.requests, 3);
  EXPECT_EQ(stats_.minute().routes.at(0).first, "shop");
  EXPECT_TRUE(points(1min, "other").empty());
}

TEST_F(StatsTest, RoutesAreFoundWhateverTheirOrderIs) {
  for (const auto* name : {"c", "a", "b"}) sample_.routes.emplace_back(name, Totals{});
  sample_.routes[0].second.rates[kHit] = 7;  // before the first sample
  run(3, 2);
  for (const auto& [name, span] : stats_.second().routes) EXPECT_EQ(name, "c");
  ASSERT_EQ(stats_.second().routes.size(), 1U);
  EXPECT_DOUBLE_EQ(stats_.second().routes[0].second.requests, 2);
  ASSERT_EQ(stats_.minute().routes.size(), 3U);
  EXPECT_EQ(stats_.minute().routes[0].first, "a");
  EXPECT_DOUBLE_EQ(stats_.minute().routes[2].second.requests, 2);
}

TEST_F(StatsTest, OnlySoManyRoutesHaveSeries) {
  for (std::size_t i = 0; i < Stats::kMostRoutes + 5; ++i) {
    sample_.routes.emplace_back("r" + std::to_string(i), Totals{});
    sample_.routes.back().second.rates[kHit] = 1;
  }
  run(2);
  std::size_t with_points = 0;
  for (const auto& [name, totals] : sample_.routes) with_points += points(1min, name).empty() ? 0 : 1;
  EXPECT_EQ(with_points, Stats::kMostRoutes);
}

TEST_F(StatsTest, EveryValueHasANameOfItsOwn) {
  std::map<std::string_view, int> names;
  for (std::size_t i = 0; i < Stats::kValues; ++i) ++names[Stats::value_name(i)];
  EXPECT_EQ(names.size(), Stats::kValues);
  EXPECT_FALSE(names.count(""));
  EXPECT_EQ(Stats::route_value_name(0), "hit");
  EXPECT_EQ(Stats::route_value_name(kRouteRates), "hit_p50_ms");
}

}  // namespace
}  // namespace forebay::admin
