#include "forebay/base/events.hpp"

#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "forebay/base/once_per.hpp"

namespace forebay::events {
namespace {

TEST(Events, LatestGivesTheNewestFirst) {
  ManualClock clock;
  record(clock.now().mono, Kind::Reload, "a.yaml applied", {{"outcome", "applied"}});
  clock.advance(1s);
  record(clock.now().mono, Kind::Purge, "2 entries purged", {{"purged", std::uint64_t{2}}, {"tag", "a\"b\n"}});
  const auto both = latest(2);
  ASSERT_EQ(both.size(), 2U);
  EXPECT_EQ(both[0]->kind, Kind::Purge);
  EXPECT_EQ(both[0]->details, R"("purged":2,"tag":"a\"b\n")");
  EXPECT_EQ(both[1]->text, "a.yaml applied");
  EXPECT_EQ(both[0]->at - both[1]->at, Duration{1s});
  EXPECT_EQ(both[0]->id, both[1]->id + 1);
  EXPECT_EQ(latest(1).size(), 1U);
  EXPECT_TRUE(latest(0).empty());
}

TEST(Events, TheOldestAreForgottenAndTextsAreCut) {
  const std::string longest = std::string(kMostText - 1, 'a') + "\xC3\xA4";  // the last character does not fit whole
  record({}, Kind::Limit, longest, {{"listener", longest}});
  EXPECT_EQ(latest(1).front()->text, std::string(kMostText - 1, 'a'));
  EXPECT_EQ(latest(1).front()->details, "\"listener\":\"" + std::string(kMostText - 1, 'a') + '"');
  for (std::size_t i = 0; i < kMost; ++i) record({}, Kind::Drain, "x");
  const auto all = latest(10 * kMost);
  ASSERT_EQ(all.size(), kMost);
  for (const auto& e : all) EXPECT_EQ(e->kind, Kind::Drain);
}

TEST(Events, EveryEventOfManyThreadsHasAnIdOfItsOwn) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([] {
      for (int i = 0; i < 500; ++i) {
        record({}, Kind::Origin, "shop is down");
        latest(3);
      }
    });
  for (auto& t : threads) t.join();
  std::set<std::uint64_t> ids;
  for (const auto& e : latest(kMost)) ids.insert(e->id);
  EXPECT_EQ(ids.size(), kMost);
  EXPECT_EQ(*ids.rbegin() - *ids.begin(), kMost - 1);
}

TEST(Events, EveryKindHasAWord) {
  for (std::size_t i = 0; i < static_cast<std::size_t>(Kind::kCount); ++i)
    EXPECT_FALSE(to_string(static_cast<Kind>(i)).empty());
}

TEST(OncePer, LetsOneThroughInEachPeriod) {
  ManualClock clock;
  OncePer ten{10s};
  EXPECT_TRUE(ten.may(clock.now().mono));
  EXPECT_FALSE(ten.may(clock.now().mono));
  clock.advance(9s);
  EXPECT_FALSE(ten.may(clock.now().mono));
  clock.advance(1s);
  EXPECT_TRUE(ten.may(clock.now().mono));
}

}  // namespace
}  // namespace forebay::events
