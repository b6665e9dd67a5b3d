#include <deque>
#include <random>
#include <set>

#include "cache/decision.hpp"
#include "cache/lru.hpp"
#include "cache/purge.hpp"
#include "cache/table.hpp"
#include "fixture.hpp"

namespace forebay::cache {
namespace {

struct Node {
  std::uint64_t hash = 0;
  TableLink<Node> link;
};
using Nodes = Table<Node, &Node::hash, &Node::link>;

bool contains(const Nodes& t, const Node& n) {
  for (Node* x = t.chain(n.hash); x; x = Nodes::next(*x))
    if (x == &n) return true;
  return false;
}

TEST(Table, FindsWhatWasInsertedAndNotRemovedWhileItGrows) {
  Budget budget(1 << 20);
  Nodes table;
  std::deque<Node> nodes;
  std::set<Node*> in;
  std::mt19937_64 random(1);
  for (int i = 0; i < 20000; ++i) {
    nodes.push_back({random() % 7 == 0 ? 42 : random(), {}});
    table.insert(nodes.back(), budget);
    in.insert(&nodes.back());
    if (i % 3 == 0) {
      Node* victim = *in.begin();
      table.remove(*victim);
      in.erase(victim);
      EXPECT_FALSE(contains(table, *victim));
    }
  }
  EXPECT_EQ(table.size(), in.size());
  for (Node* n : in) ASSERT_TRUE(contains(table, *n));
  EXPECT_GE(table.buckets(), table.size());
  EXPECT_GT(budget.used(), 0u) << "buckets are charged";
  std::size_t walked = 0;
  for (std::size_t b = 0; b < table.buckets(); ++b)
    for (Node* n = table.bucket_chain(b); n; n = Nodes::next(*n)) ++walked;
  EXPECT_EQ(walked, in.size());
}

TEST(Table, GoesOnWithLongerChainsWhenThereIsNoRoomForBuckets) {
  Budget budget(0);
  Nodes table;
  std::deque<Node> nodes(1000);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    nodes[i].hash = i * 0x9E3779B97F4A7C15ULL;
    table.insert(nodes[i], budget);
  }
  for (const auto& n : nodes) EXPECT_TRUE(contains(table, n));
  EXPECT_EQ(table.buckets(), 128u);
}

TEST(Lru, LetsTheLeastRecentlyUsedGoFirst) {
  std::atomic<std::uint64_t> turns{0};
  Lru lru(turns);
  std::deque<Item> items;
  for (int i = 0; i < 8; ++i) lru.add(items.emplace_back(Item::Kind::Variant));
  EXPECT_EQ(lru.last(), &items[0]);
  lru.touch(items[0]);
  EXPECT_EQ(lru.last(), &items[1]);
  EXPECT_EQ(lru.oldest(), items[1].turn);
  lru.remove(items[1]);
  EXPECT_EQ(lru.last(), &items[2]);
}

TEST(Lru, WritesNothingForAnItemAmongTheNewestQuarter) {
  std::atomic<std::uint64_t> turns{0};
  Lru lru(turns);
  std::deque<Item> items;
  for (int i = 0; i < 100; ++i) lru.add(items.emplace_back(Item::Kind::Variant));
  const auto before = turns.load();
  for (int i = 76; i < 100; ++i) lru.touch(items[static_cast<std::size_t>(i)]);
  EXPECT_EQ(turns.load(), before);
  lru.touch(items[74]);
  EXPECT_EQ(turns.load(), before + 1);
  lru.touch(items[74]);
  EXPECT_EQ(turns.load(), before + 1) << "it is among them now";
}

// Against a plain list: whatever is not among the newest quarter must come to the front.
TEST(Lru, PromotesEverythingThatIsNotAmongTheNewestQuarter) {
  std::atomic<std::uint64_t> turns{0};
  Lru lru(turns);
  std::deque<Item> items;
  for (int i = 0; i < 40; ++i) lru.add(items.emplace_back(Item::Kind::Variant));
  std::mt19937 random(3);
  const auto order = [&] {
    std::vector<Item*> v;  // from the oldest
    Item* newest = &items[0];
    for (auto& i : items)
      if (i.turn > newest->turn) newest = &i;
    for (Item* i = newest; v.size() < items.size(); i = i->older) v.insert(v.begin(), i);
    return v;
  };
  for (int round = 0; round < 2000; ++round) {
    const auto before = order();
    const auto pick = random() % 40;
    lru.touch(*before[pick]);
    if (pick < 30) {
      EXPECT_EQ(order().back(), before[pick]) << pick;
    }
  }
}

Digest d(std::uint64_t n) { return {n, n}; }

PurgeOrder named(std::vector<Digest> resources) {
  PurgeOrder order;
  order.resources = std::move(resources);
  return order;
}

TEST(PurgeLog, ForbidsWhatBeganBeforeAPurgeOfItsResource) {
  PurgeLog log;
  const auto before = log.current();
  EXPECT_FALSE(log.forbids(before, Purgeable{d(1), {}, {}, {}}));
  const auto purge = log.add(named({d(1), d(2)}));
  EXPECT_TRUE(log.forbids(before, Purgeable{d(1), {}, {}, {}}));
  EXPECT_TRUE(log.forbids(before, Purgeable{d(2), {}, {}, {}}));
  EXPECT_FALSE(log.forbids(before, Purgeable{d(3), {}, {}, {}}));
  EXPECT_FALSE(log.forbids(purge, Purgeable{d(1), {}, {}, {}})) << "began after it";
}

TEST(PurgeLog, RefusesWhatIsOlderThanItsMemory) {
  PurgeLog log(2);
  const auto first = log.current();
  const auto second = log.add(named({d(1)}));
  const auto third = log.add(named({d(2)}));
  EXPECT_FALSE(log.forbids(first, Purgeable{d(9), {}, {}, {}}));
  log.add(named({d(3)}));
  EXPECT_TRUE(log.forbids(first, Purgeable{d(9), {}, {}, {}}))
      << "what was named by the one that is forgotten, nobody knows";
  EXPECT_FALSE(log.forbids(second, Purgeable{d(9), {}, {}, {}}));
  EXPECT_TRUE(log.forbids(second, Purgeable{d(2), {}, {}, {}}));
  EXPECT_FALSE(log.forbids(third, Purgeable{d(2), {}, {}, {}}));
}

TEST(PurgeLog, KnowsTheNamesOfOrdersThatAreLongerThanItsMemory) {
  PurgeLog log(2);
  const auto first = log.current();
  const auto second = log.add(named({d(3), d(1), d(2)}));
  for (std::uint64_t n = 1; n <= 3; ++n) EXPECT_TRUE(log.forbids(first, Purgeable{d(n), {}, {}, {}})) << n;
  EXPECT_FALSE(log.forbids(second, Purgeable{d(1), {}, {}, {}})) << "began after it";
  EXPECT_FALSE(log.forbids(first, Purgeable{d(9), {}, {}, {}})) << "nobody has named it";
  log.add(named({d(4)}));
  EXPECT_FALSE(log.forbids(first, Purgeable{d(9), {}, {}, {}}));
  EXPECT_TRUE(log.forbids(first, Purgeable{d(3), {}, {}, {}}));
  for (std::uint64_t n = 10; n < 19; ++n) log.add(named({d(n), d(n), d(n)}));
  EXPECT_TRUE(log.forbids(first, Purgeable{d(9), {}, {}, {}})) << "of several such ones the oldest are forgotten";
}

TEST(PurgeLog, ForgetsNothingForNamesThatComeAgain) {
  PurgeLog log(2);
  const auto first = log.current();
  for (int i = 0; i < 10; ++i) log.add(named({d(1)}));
  EXPECT_FALSE(log.forbids(first, Purgeable{d(9), {}, {}, {}}));
  EXPECT_TRUE(log.forbids(first, Purgeable{d(1), {}, {}, {}}));
}

TEST(PurgeLog, EqualPatternsAreOne) {
  PurgeLog log(2, 2);
  const auto pattern = [](std::string text, std::string host = "") {
    PurgeOrder order;
    order.urls = {{UrlPattern::How::Prefix, std::move(host), std::move(text)}};
    return order;
  };
  const std::string_view text = "r|GET|a|/p/1";
  const UrlSpans url{6, 7, 8, 12, 12};
  const Purgeable one{d(1), {}, text, url};
  const Purgeable other{d(1), {}, "r|GET|a|/q/1", url};
  const auto first = log.current();
  log.add(pattern("/x/"));
  const auto before = log.add(pattern("/p/"));
  for (int i = 0; i < 10; ++i) log.add(pattern("/p/"));
  EXPECT_FALSE(log.forbids(first, other));
  EXPECT_TRUE(log.forbids(first, one));
  EXPECT_TRUE(log.forbids(before, one)) << "by the latest of them";
  log.add(pattern("/p/", "b"));
  EXPECT_TRUE(log.forbids(first, other)) << "another pattern, so the oldest is forgotten";
}

TEST(PurgeLog, KnowsTheLatestPatternsHoweverMany) {
  PurgeLog log(2, 2);
  const auto first = log.current();
  PurgeOrder order;
  for (const auto* text : {"/1", "/2", "/3"}) order.urls.push_back({UrlPattern::How::Prefix, {}, text});
  log.add(order);
  const UrlSpans url{6, 7, 8, 10, 10};
  EXPECT_TRUE(log.forbids(first, {d(1), {}, "r|GET|a|/1", url}));
  EXPECT_TRUE(log.forbids(first, {d(1), {}, "r|GET|a|/3", url}));
  EXPECT_FALSE(log.forbids(first, {d(1), {}, "r|GET|a|/4", url}));
}

}  // namespace
}  // namespace forebay::cache
