#include "forebay/cache/purge_run.hpp"

#include "fixture.hpp"

namespace forebay::cache {
namespace {

// More entries than a step takes.
constexpr int kMany = 5000;

class PurgeInSteps : public StoreTest {
 protected:
  PurgeInSteps() : StoreTest({.memory = 256 * 1024 * 1024, .shards = 2}) {
    for (int i = 0; i < kMany; ++i) put_one(i);
  }
  static std::string path(int i) { return "/p/" + std::to_string(i); }
  void put_one(int i) { ASSERT_TRUE(put(path(i), {.body = "x", .lifetime = 1h, .tags = {"all"}})); }
  PurgeOrder tagged(PurgeMode mode = PurgeMode::Hard) const {
    return {.tags = {tag_digest("all")}, .mode = mode, .now = now};
  }
  int fresh() {
    int n = 0;
    for (int i = 0; i < kMany; ++i) n += has(path(i)) ? 1 : 0;
    return n;
  }
  void reclaim() {
    while (store.sweep(now)) {
    }
  }
};

TEST_F(PurgeInSteps, AllStepsDoWhatOneCallDoes) {
  PurgeOrder by_prefix{.urls = {{UrlPattern::How::Prefix, "", "/p/"}}, .now = now};
  PurgeOrder by_route{.routes = {"r"}, .now = now};
  for (const auto& order : {tagged(), by_prefix, by_route}) {
    PurgeRun run(store, order);
    int steps = 1;
    while (run.step()) ++steps;
    EXPECT_GT(steps, 4);
    EXPECT_EQ(run.purged().total, static_cast<std::uint64_t>(kMany));
    EXPECT_FALSE(run.step());
    EXPECT_EQ(fresh(), 0);
    for (int i = 0; i < kMany; ++i) put_one(i);
  }
  EXPECT_EQ(store.numbers().purges[0].orders[static_cast<std::size_t>(PurgeKind::Tag)], 1u);
  EXPECT_EQ(store.numbers().purges[0].entries[static_cast<std::size_t>(PurgeKind::Tag)],
            static_cast<std::uint64_t>(kMany));
}

TEST_F(PurgeInSteps, AnEmptyOrderIsThroughAtOnce) {
  PurgeRun run(store, {});
  EXPECT_FALSE(run.step());
  EXPECT_EQ(run.purged().total, 0u);
}

TEST_F(PurgeInSteps, WhatIsFetchedSinceItBeganStays) {
  PurgeRun run(store, tagged());
  ASSERT_TRUE(run.step());
  for (int i = 0; i < kMany; i += 2) put_one(i);
  while (run.step()) {
  }
  EXPECT_EQ(fresh(), kMany / 2);
}

TEST_F(PurgeInSteps, AFetchThatBeganBeforeIsRefusedFromTheFirstStepOn) {
  auto early = store.private_ticket(key_of("/new"));
  PurgeRun run(store, tagged());
  EXPECT_FALSE(commit(early, {.tags = {"all"}}));
}

TEST_F(PurgeInSteps, OneThatIsDroppedOnItsWayLeavesNothingBehind) {
  for (int steps = 1; steps < 8; ++steps) {
    PurgeRun run(store, tagged(PurgeMode::Soft));
    for (int i = 0; i < steps; ++i) run.step();
  }
  EXPECT_EQ(store.purge(tagged()).total, static_cast<std::uint64_t>(kMany));
  reclaim();
  EXPECT_EQ(store.numbers().tags, 0u);
  EXPECT_EQ(store.numbers().entries, 0u);
}

TEST_F(PurgeInSteps, EntriesThatGoMeanwhileAreNoTrouble) {
  PurgeRun run(store, tagged(PurgeMode::Soft));
  ASSERT_TRUE(run.step());
  store.purge({.all = true});
  reclaim();
  while (run.step()) {
  }
  EXPECT_EQ(store.numbers().tags, 0u);
}

}  // namespace
}  // namespace forebay::cache
