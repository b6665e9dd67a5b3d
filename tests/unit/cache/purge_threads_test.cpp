#include <atomic>
#include <random>
#include <thread>

#include "fixture.hpp"

// Purges beside look-ups and commits: for ThreadSanitizer as much as for its own assertions.

namespace forebay::cache {
namespace {

class PurgeThreads : public StoreTest {
 protected:
  PurgeThreads() : StoreTest({.memory = 4 * 1024 * 1024, .shards = 2}) {
    policy.stale.while_revalidate = 30s;
    for (int i = 0; i < kKeys; ++i)
      keys.push_back(key_of((i % 2 ? "/p/" : "/q/") + std::to_string(i), {}, "GET", {}, i % 3 ? "r" : "s"));
  }
  static constexpr int kKeys = 64;
  std::vector<Key> keys;

  Lookup look_at(const Key& key, bool may_lead) {
    const rules::RequestFacts facts;
    return store.lookup({key, Unchanged({}), facts, policy, 1, t0, may_lead});
  }
  bool store_at(Ticket& ticket, int generation, const std::vector<std::string>& tags) {
    const auto head = PublishedHead::make(200, fields_of({{"X", "y"}}));
    EntryParts parts;
    parts.head = head->head();
    parts.body = {slice(std::to_string(generation))};
    const std::vector<std::string_view> texts(tags.begin(), tags.end());
    parts.tags = texts;
    return ticket.commit(parts, fresh_for(60s), {}, Unchanged({}), policy, 1, t0);
  }
  PurgeOrder order_of(std::size_t kind, int key) const {
    PurgeOrder order;
    order.now = t0;
    switch (kind) {
      case 0: order.resources = {keys[static_cast<std::size_t>(key)].resource()}; break;
      case 1: order.urls = {{UrlPattern::How::Prefix, "", "/p/"}}; break;
      case 2: order.tags = {tag_digest("all")}; break;
      case 3: order.tags = {tag_digest("key" + std::to_string(key))}; break;
      case 4: order.routes = {"r"}; break;
      case 5: order.ids = {keys[static_cast<std::size_t>(key)].id()}; break;
      default: order.all = true;
    }
    return order;
  }
};

TEST_F(PurgeThreads, NumbersStayRightBesideLookUpsAndCommits) {
  std::atomic<std::uint64_t> stored{0}, purged{0};
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      std::mt19937 random(t);
      for (int i = 0; i < 3000; ++i) {
        const auto k = static_cast<int>(random() % kKeys);
        const auto& key = keys[static_cast<std::size_t>(k)];
        if (random() % 16 == 0) {
          auto order = order_of(random() % 7, k);
          if (random() % 2) order.mode = PurgeMode::Soft;
          order.dry_run = random() % 4 == 0;
          const auto n = store.purge(order).total;
          if (!order.dry_run && order.mode == PurgeMode::Hard) purged += n;
        } else if (random() % 16 == 0) {
          store.sweep(t0);
        } else {
          auto found = look_at(key, true);
          if (auto* ticket = ticket_of(found); ticket && *ticket)
            stored += store_at(*ticket, i, {"all", "key" + std::to_string(k)});
        }
      }
    });
  for (auto& t : threads) t.join();
  EXPECT_GT(stored.load(), 0u);
  const auto n = store.numbers();
  EXPECT_EQ(n.evicted_purged, purged.load());
  EXPECT_EQ(n.stored, stored.load());
  EXPECT_EQ(n.stored, n.entries + n.evicted_purged + n.evicted_replaced + n.evicted_capacity + n.evicted_expired);
  purged += store.purge(order_of(6, 0)).total;
  EXPECT_EQ(store.numbers().evicted_purged, purged.load());
  EXPECT_EQ(store.numbers().entries, 0u);
  while (store.sweep(t0)) {
  }
  EXPECT_EQ(store.numbers().dead, 0u);
  EXPECT_EQ(store.numbers().tags, 0u);
  EXPECT_EQ(store.numbers().slots, 0u);
  EXPECT_EQ(store.numbers().bytes, 0u);
}

// An origin whose content has a version: whoever asks after a purge gets what was current at its call, or newer.
TEST_F(PurgeThreads, NothingFromBeforeAPurgeIsServedAfterIt) {
  std::atomic<int> version{1}, wrong{0};
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 2; ++t)
    threads.emplace_back([&, t] {
      std::mt19937 random(t);
      while (!stop.load()) {
        const auto k = random() % kKeys;
        auto found = look_at(keys[k], true);
        if (auto* ticket = ticket_of(found); ticket && *ticket) {
          const int content = version.load();
          if (random() % 2) std::this_thread::yield();
          store_at(*ticket, content, {"all", "key" + std::to_string(k)});
        }
      }
    });
  std::mt19937 random(9);
  for (int round = 0; round < 2000; ++round) {
    const auto kind = random() % 7;
    const auto k = static_cast<int>(1 + 2 * (random() % (kKeys / 2)));
    if (kind == 4 && k % 3 == 0) continue;  // of the other route
    const int current = ++version;
    store.purge(order_of(kind, k));
    const auto found = look_at(keys[static_cast<std::size_t>(k)], false);
    if (const auto& entry = stored_of(found).entry; entry && std::stoi(text_of(*entry)) < current) ++wrong;
  }
  stop = true;
  for (auto& t : threads) t.join();
  EXPECT_EQ(wrong.load(), 0);
}

}  // namespace
}  // namespace forebay::cache
