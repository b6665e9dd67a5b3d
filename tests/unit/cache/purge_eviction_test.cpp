#include <functional>

#include "fixture.hpp"

// What was purged makes room before anything that is used is evicted.

namespace forebay::cache {
namespace {

class PurgeEviction : public StoreTest {
 protected:
  PurgeEviction() : StoreTest({.memory = 2 * 1024 * 1024, .shards = 2}) { policy.keep = 1h; }

  bool put_one(const std::string& name, const std::vector<std::string>& tags = {}) {
    return put("/" + name, {.body = std::string(1000, 'x'), .lifetime = 1h, .tags = tags});
  }
  /// As many as fit without an eviction.
  int fill(const std::function<std::vector<std::string>(int)>& tags_of) {
    for (int n = 0;; ++n) {
      if (store.numbers().limit - store.numbers().bytes < 8 * 1024) return n;
      EXPECT_TRUE(put_one(std::to_string(n), tags_of(n)));
    }
  }
  void purge(std::string_view tag) { store.purge({.tags = {tag_digest(tag)}, .now = now}); }
};

TEST_F(PurgeEviction, AfterAPurgeOfEverythingNewResponsesFindRoomAtOnce) {
  const int n = fill([](int) { return std::vector<std::string>{"all"}; });
  ASSERT_GT(n, 500);
  ASSERT_EQ(store.numbers().evicted_capacity, 0u);
  store.purge({.all = true});
  for (int i = 0; i < n; ++i) {
    ASSERT_TRUE(put_one("new" + std::to_string(i), {"new"}));
    ASSERT_LE(store.numbers().bytes, store.numbers().limit);
  }
  // All but a few, for what is dead and not found yet.
  EXPECT_LT(store.numbers().evicted_capacity, static_cast<std::uint64_t>(n / 8));
  EXPECT_TRUE(has("/new" + std::to_string(n - 1)));
}

TEST_F(PurgeEviction, DeadEntriesGoBeforeUsedOnesThatAreOlder) {
  const int n = fill([](int i) { return std::vector<std::string>{i % 2 ? "odd" : "even"}; });
  purge("odd");
  // Room for half of what was purged.
  for (int i = 0; i < n / 4; ++i) ASSERT_TRUE(put_one("new" + std::to_string(i)));
  EXPECT_EQ(store.numbers().evicted_capacity, 0u);
  for (int i = 0; i < n; i += 2) ASSERT_TRUE(has("/" + std::to_string(i))) << i;
}

TEST_F(PurgeEviction, AFewDeadOnesDoNotKeepEvictionsSearching) {
  const int n = fill([](int i) { return std::vector<std::string>{i % 50 ? "most" : "few"}; });
  purge("few");
  for (int i = 0; i < n; ++i) ASSERT_TRUE(put_one("new" + std::to_string(i)));
  EXPECT_GT(store.numbers().evicted_capacity, static_cast<std::uint64_t>(n / 2));
  EXPECT_LE(store.numbers().bytes, store.numbers().limit);
}

TEST_F(PurgeEviction, NumbersAreZeroWhenEverythingIsEvicted) {
  const int n = fill([](int i) { return std::vector<std::string>{"all", "own" + std::to_string(i)}; });
  purge("own1");
  store.purge({.tags = {tag_digest("all")}, .mode = PurgeMode::Soft, .now = now});
  EXPECT_EQ(store.numbers().entries, static_cast<std::uint64_t>(n - 1));
  store.set_memory(0);
  for (int i = 0; i < 10 * n && store.numbers().slots != 0; ++i) store.sweep(now);
  const auto numbers = store.numbers();
  EXPECT_EQ(numbers.entries, 0u);
  EXPECT_EQ(numbers.dead, 0u);
  EXPECT_EQ(numbers.slots, 0u);
  EXPECT_EQ(numbers.tags, 0u);
  EXPECT_EQ(numbers.pinned, 0u);
  // What tables have grown to stays.
  EXPECT_LT(numbers.bytes, 256u * 1024);
  EXPECT_EQ(numbers.evicted_capacity + numbers.evicted_purged, static_cast<std::uint64_t>(n));
}

TEST_F(PurgeEviction, AResponseThatNeedsAllMemoryFindsIt) {
  const int n = fill([](int) { return std::vector<std::string>{"all"}; });
  ASSERT_GT(n, 500);
  store.purge({.all = true});
  const auto room = store.reserve(store.numbers().limit * 3 / 4);
  EXPECT_NE(room.bytes(), 0u);
}

}  // namespace
}  // namespace forebay::cache
