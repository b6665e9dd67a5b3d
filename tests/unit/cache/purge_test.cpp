#include "fixture.hpp"
#include "forebay/cache/purge_run.hpp"

namespace forebay::cache {
namespace {

using Kind = LookupKind;
using How = UrlPattern::How;

class Purge : public StoreTest {
 protected:
  explicit Purge(const StoreOptions& options = roomy()) : StoreTest(options) {
    policy.stale.while_revalidate = 30s;
    policy.keep = 1h;
  }

  Purged purge(PurgeOrder order) {
    order.now = now;
    return store.purge(order);
  }
  static PurgeOrder url(std::string_view target) {
    PurgeOrder order;
    order.resources = {key_of(target).resource()};
    return order;
  }
  static PurgeOrder matching(How how, std::string text, std::string host = "") {
    PurgeOrder order;
    order.urls = {{how, std::move(host), std::move(text)}};
    return order;
  }
  static PurgeOrder prefix(std::string text) { return matching(How::Prefix, std::move(text)); }
  static PurgeOrder tagged(std::string_view tag) {
    PurgeOrder order;
    order.tags = {tag_digest(tag)};
    return order;
  }
  static PurgeOrder route(std::string name) {
    PurgeOrder order;
    order.routes = {std::move(name)};
    return order;
  }
  static PurgeOrder id(std::string_view target) {
    PurgeOrder order;
    order.ids = {key_of(target).id()};
    return order;
  }
  static PurgeOrder everything() {
    PurgeOrder order;
    order.all = true;
    return order;
  }
  static PurgeOrder soft(PurgeOrder order) {
    order.mode = PurgeMode::Soft;
    return order;
  }
  static PurgeOrder dry(PurgeOrder order) {
    order.dry_run = true;
    return order;
  }
  /// Each kind, naming /p/1 (tagged `one`) and not /q.
  static std::vector<PurgeOrder> each_kind() {
    return {url("/p/1"),   prefix("/p/"), matching(How::Exact, "/p/1"), matching(How::Glob, "/*/1", "example.com"),
            tagged("one"), id("/p/1")};
  }
  bool put_at(const Key& key, const Answer& a = {}) {
    auto ticket = store.private_ticket(key);
    return commit(ticket, a);
  }
  Kind kind_at(const Key& key) {
    const rules::RequestFacts facts;
    const Unchanged selecting({});
    return kind_of(store.lookup({key, selecting, facts, policy, 1, now, false}));
  }
  bool has_at(const Key& key) { return kind_at(key) == Kind::Fresh; }
  void reclaim() {
    while (store.sweep(now)) {
    }
  }
  void put_both() {
    ASSERT_TRUE(put("/p/1", {.tags = {"one", "all"}}));
    ASSERT_TRUE(put("/q", {.tags = {"other", "all"}}));
  }
};

TEST_F(Purge, HardTakesWhatEachKindNamesAndNothingElse) {
  for (const auto& order : each_kind()) {
    put_both();
    const auto purged = store.numbers().evicted_purged;
    EXPECT_EQ(purge(order).total, 1u);
    EXPECT_FALSE(has("/p/1"));
    EXPECT_EQ(look(Ask{.target = "/p/1", .may_lead = false}).entry, nullptr);
    EXPECT_FALSE(peek({"/p/1"}).found);
    EXPECT_EQ(peek({"/p/1"}).variants, 0u);
    EXPECT_TRUE(has("/q"));
    EXPECT_EQ(store.numbers().entries, 1u);
    EXPECT_EQ(store.numbers().evicted_purged, purged + 1);
    EXPECT_EQ(purge(order).total, 0u) << "it is gone";
    reclaim();
    EXPECT_EQ(store.numbers().dead, 0u);
    EXPECT_EQ(store.numbers().evicted_purged, purged + 1) << "counted once";
    EXPECT_EQ(store.numbers().evicted_expired, 0u);
  }
}

TEST_F(Purge, AKeyedPatternIsOneUrlOfEveryHost) {
  const auto key = [](std::string_view target, std::string_view host, std::string_view route = "r",
                      std::string_view method = "GET") { return key_of(target, {}, method, {}, route, host); };
  const std::vector<Key> named{key("/p?x=1", "a.test"), key("/p?x=1", "b.test"), key("/p?x=1", "", "other"),
                               key("/p?x=1", "a.test", "r", "OPTIONS")};
  const std::vector<Key> others{key("/p", "a.test"), key("/p?x=12", "a.test"), key("/p?x=1&y", "a.test"),
                                key("/p/1?x=1", "a.test")};
  for (const auto& k : named) ASSERT_TRUE(put_at(k));
  for (const auto& k : others) ASSERT_TRUE(put_at(k));
  PurgeOrder order;
  order.urls = {{How::Keyed, {}, std::string(named[0].after_host()), "other"}};
  EXPECT_EQ(purge(dry(order)).of(PurgeKind::Url), 1u) << "of its route alone";
  order.urls.front().route.clear();
  EXPECT_EQ(purge(order).of(PurgeKind::Url), named.size());
  for (const auto& k : named) EXPECT_FALSE(has_at(k)) << k.text();
  for (const auto& k : others) EXPECT_TRUE(has_at(k)) << k.text();
  order.urls = {{How::Keyed, {}, std::string(others[0].after_host()), {}}};
  EXPECT_EQ(purge(order).total, 1u) << "without a query it is not the URL with one";
  EXPECT_FALSE(has_at(others[0]));
}

TEST_F(Purge, SoftMakesStaleAndKeepsTheEntryForItsWindow) {
  for (const auto& order : each_kind()) {
    put_both();
    EXPECT_EQ(purge(soft(order)).total, 1u);
    now += 29s;
    auto first = look("/p/1");
    EXPECT_EQ(first.kind, Kind::Stale);
    ASSERT_TRUE(first.ticket) << "one refresh runs";
    EXPECT_NE(first.entry, nullptr);
    EXPECT_FALSE(look("/p/1").ticket);
    EXPECT_TRUE(has("/q"));
    now += 2s;
    const auto late = look("/p/1");
    EXPECT_EQ(late.kind, Kind::Join) << "the window began with the purge, though the lifetime goes on";
    EXPECT_NE(late.entry, nullptr) << "to validate";
    EXPECT_TRUE(commit(first.ticket, {.tags = {"one"}})) << "a fetch that began after the purge";
    EXPECT_TRUE(has("/p/1"));
    EXPECT_EQ(store.numbers().entries, 2u);
    EXPECT_EQ(store.numbers().evicted_purged, 0u);
    places.clear();
  }
}

TEST_F(Purge, WithoutAWindowASoftPurgedEntryIsValidated) {
  policy.stale = {};
  policy.stale.while_revalidate = 0s;
  put("/p/1", {.fields = {{"ETag", "\"1\""}}});
  purge(soft(prefix("/p/")));
  auto found = look("/p/1");
  EXPECT_EQ(found.kind, Kind::Lead);
  ASSERT_NE(found.entry, nullptr);
  EXPECT_EQ(found.entry->etag(), "\"1\"");
  EXPECT_EQ(found.forward, rules::Forward::Stale);
}

TEST_F(Purge, ADryRunCountsAndChangesNothing) {
  put_both();
  auto flight = look("/p/2");
  for (const auto& order : each_kind()) EXPECT_EQ(purge(dry(order)).total, 1u);
  EXPECT_EQ(purge(dry(everything())).total, 2u);
  EXPECT_EQ(purge(dry(soft(everything()))).total, 2u);
  EXPECT_EQ(purge(dry(route("r"))).total, 2u);
  EXPECT_TRUE(has("/p/1"));
  EXPECT_TRUE(commit(flight.ticket, {}));
  for (const auto& mode : store.numbers().purges)
    for (const auto n : mode.orders) EXPECT_EQ(n, 0u);
}

TEST_F(Purge, EverythingHardAndSoft) {
  put_both();
  EXPECT_EQ(purge(soft(everything())).of(PurgeKind::All), 2u);
  EXPECT_EQ(look(Ask{.target = "/q", .may_lead = false}).kind, Kind::Stale);
  put("/q");
  EXPECT_TRUE(has("/q")) << "fetched since";
  EXPECT_EQ(purge(everything()).of(PurgeKind::All), 2u);
  EXPECT_FALSE(has("/q"));
  EXPECT_EQ(store.numbers().entries, 0u);
  EXPECT_EQ(store.numbers().dead, 2u);
  put("/q");
  EXPECT_TRUE(has("/q"));
  EXPECT_EQ(store.numbers().dead, 1u) << "the new one has taken the place of the dead one";
  EXPECT_EQ(purge(everything()).total, 1u);
  reclaim();
  EXPECT_EQ(store.numbers().dead, 0u);
  EXPECT_EQ(store.numbers().evicted_purged, 3u);
  EXPECT_EQ(store.numbers().tags, 0u);
  EXPECT_EQ(store.numbers().slots, 0u);
  EXPECT_EQ(store.numbers().bytes, 0u);
}

TEST_F(Purge, NothingOfAFetchThatBeganBeforeIsStored) {
  auto orders = each_kind();
  orders.push_back(route("r"));
  orders.push_back(everything());
  for (const auto& hard : orders)
    for (const auto& order : {hard, soft(hard)}) {
      auto waiting = look("/p/1");
      ASSERT_EQ(waiting.kind, Kind::Lead);
      auto landed = store.private_ticket(key_of("/p/1"));
      land(landed, {.tags = {"one"}});
      EXPECT_TRUE(landed.may_commit());
      purge(order);
      EXPECT_FALSE(landed.may_commit());
      EXPECT_FALSE(commit(landed, {.tags = {"one"}}));
      EXPECT_FALSE(commit(waiting.ticket, {.tags = {"one"}}));
      EXPECT_EQ(store.numbers().entries, 0u);
      auto other = store.private_ticket(key_of("/p/1"));
      EXPECT_TRUE(commit(other, {.tags = {"one"}})) << "this one began later";
      purge(everything());
    }
}

TEST_F(Purge, NoLaterRequestJoinsAFetchThatBeganBefore) {
  auto orders = each_kind();
  orders.push_back(route("r"));
  orders.push_back(everything());
  for (const auto& hard : orders)
    for (const auto& order : {hard, soft(hard)}) {
      auto leader = look("/p/1");
      land(leader.ticket, {.tags = {"one"}});
      EXPECT_EQ(look("/p/1").kind, Kind::Join);
      purge(order);
      EXPECT_EQ(look("/p/1").kind, Kind::Lead);
      places.clear();
    }
}

TEST_F(Purge, FollowersOfAFetchWhoseTagWasPurgedBeforeItLandedLookUpAgain) {
  auto leader = look("/p/1");
  purge(tagged("one"));
  const auto follower = look("/p/1");
  ASSERT_EQ(follower.kind, Kind::Join) << "nobody knows its tags yet";
  land(leader.ticket, {.tags = {"one"}});
  EXPECT_EQ(follower.flight->state(), Flight::State::NotShareable);
  EXPECT_TRUE(follower.flight->own_by_request());
  EXPECT_EQ(look("/p/1").kind, Kind::Lead);
  EXPECT_FALSE(commit(leader.ticket, {.tags = {"one"}}));
}

TEST_F(Purge, A304ToAFetchThatBeganBeforeFreshensNothing) {
  for (const auto& hard : each_kind())
    for (const auto& order : {hard, soft(hard)}) {
      put("/p/1", {.tags = {"one"}});
      const auto stored = entry({"/p/1"});
      const auto fresh = Entry::with_head(stored, stored->head(), {});
      auto early = store.private_ticket(key_of("/p/1"));
      purge(order);
      EXPECT_FALSE(early.freshen(stored, fresh, fresh_for(60s, now), {}, Unchanged({}), policy, now));
      store.apply_head(key_of("/p/1"), stored, fresh, fresh_for(60s, now), {}, Unchanged({}), policy, now);
      EXPECT_FALSE(has("/p/1"));
      auto later = store.private_ticket(key_of("/p/1"));
      EXPECT_EQ(later.freshen(stored, fresh, fresh_for(60s, now), {}, Unchanged({}), policy, now),
                order.mode == PurgeMode::Soft);
      EXPECT_EQ(has("/p/1"), order.mode == PurgeMode::Soft);
      purge(everything());
    }
}

TEST_F(Purge, AHeadFreshensNothingWhoseTagsArePurgedWhileItsShardWaits) {
  put("/p/1", {.tags = {"one"}});
  const auto stored = entry({"/p/1"});
  const auto fresh = Entry::with_head(stored, stored->head(), {});
  // The order is known from here on, and has not come to the shard.
  auto order = tagged("one");
  order.mode = PurgeMode::Soft;
  order.now = now;
  PurgeRun run(store, order);
  const std::vector<std::string_view> others{"two"};
  store.apply_head(key_of("/p/1"), stored, fresh, fresh_for(60s, now), {}, Unchanged({}), policy, now, others);
  EXPECT_FALSE(has("/p/1"));
  while (run.step()) {
  }
  EXPECT_FALSE(has("/p/1"));
}

TEST_F(Purge, TellsWhatWasPurgedSinceARequestWasSent) {
  const auto key = key_of("/p/1");
  const std::vector<Digest> tags{tag_digest("one")};
  for (const auto& order : each_kind()) {
    const auto since = store.purge_sequence();
    purge(url("/q"));
    EXPECT_FALSE(store.purged_since(since, key, tags));
    purge(order);
    EXPECT_TRUE(store.purged_since(since, key, tags));
    EXPECT_EQ(store.purge_sequence(), since + 2);
    auto early = store.private_ticket(key, since);
    EXPECT_FALSE(commit(early, {.tags = {"one"}}));
    auto late = store.private_ticket(key, since + 2);
    EXPECT_TRUE(commit(late, {.tags = {"one"}}));
  }
}

TEST_F(Purge, AllVariantsGoAndTheNamesStay) {
  for (const auto* language : {"de", "fr"})
    put(Ask{.target = "/p/1", .fields = {{"Accept-Language", language}}}, {.vary = {"accept-language"}});
  EXPECT_EQ(purge(prefix("/p/")).total, 2u);
  EXPECT_FALSE(has(Ask{.target = "/p/1", .fields = {{"Accept-Language", "de"}}}));
  put(Ask{.target = "/p/1", .fields = {{"Accept-Language", "de"}}}, {.vary = {"accept-language"}});
  EXPECT_TRUE(has(Ask{.target = "/p/1", .fields = {{"Accept-Language", "de"}}}));
  EXPECT_FALSE(has(Ask{.target = "/p/1", .fields = {{"Accept-Language", "fr"}}}));
  EXPECT_EQ(store.numbers().entries, 1u);
}

TEST_F(Purge, TagsAreExact) {
  put("/a", {.tags = {"/items", "/items", "x"}});
  put("/b", {.tags = {"/items/1"}});
  put("/c", {.tags = {"/Items"}});
  EXPECT_EQ(store.numbers().tags, 4u);
  EXPECT_EQ(purge(tagged("/items")).of(PurgeKind::Tag), 1u);
  EXPECT_FALSE(has("/a"));
  EXPECT_TRUE(has("/b"));
  EXPECT_TRUE(has("/c"));
}

TEST_F(Purge, AnEntryThatTwoKindsNameCountsOnceInTheTotal) {
  put_both();
  auto order = tagged("all");
  order.urls = prefix("/p/").urls;
  order.urls.push_back(matching(How::Glob, "/p/*").urls[0]);
  order.routes = {"r"};
  for (const auto& o : {dry(order), soft(order), order}) {
    const auto purged = purge(o);
    EXPECT_EQ(purged.of(PurgeKind::Prefix), 1u);
    EXPECT_EQ(purged.of(PurgeKind::Tag), 2u);
    EXPECT_EQ(purged.of(PurgeKind::Route), 2u);
    EXPECT_EQ(purged.total, 2u);
  }
  const auto numbers = store.numbers();
  for (const auto& mode : numbers.purges) {
    EXPECT_EQ(mode.orders[static_cast<std::size_t>(PurgeKind::Tag)], 1u);
    EXPECT_EQ(mode.entries[static_cast<std::size_t>(PurgeKind::Tag)], 2u);
    EXPECT_EQ(mode.orders[static_cast<std::size_t>(PurgeKind::Url)], 0u);
  }
}

TEST_F(Purge, AWriteIsCountedAsSuch) {
  put("/a");
  EXPECT_EQ(store.invalidate({key_of("/a").resource()}), 1u);
  EXPECT_EQ(store.numbers().invalidated, 1u);
  const auto hard = store.numbers().purges[0];
  EXPECT_EQ(hard.entries[static_cast<std::size_t>(PurgeKind::Write)], 1u);
  EXPECT_EQ(hard.entries[static_cast<std::size_t>(PurgeKind::Url)], 0u);
  EXPECT_EQ(store.numbers().slots, 0u) << "removed at once";
}

TEST_F(Purge, PatternsKnowHostPathAndQuery) {
  const KeySpec no_host{.host = false}, no_scheme{.scheme = false};
  const auto a = key_of("/p/a?x=1&y=%7C", {}, "GET", {}, "r", "a.example");
  const auto b = key_of("/p/a", no_scheme, "GET", {}, "r2", "b.example");
  const auto any = key_of("/p/a/b", no_host);
  const auto odd = key_of("/p/%25|c", {}, "GET", {}, "odd|%", "a.example");
  const auto named = [&](How how, const char* text, const char* host = "") {
    std::string out;
    const auto order = matching(how, text, host);
    for (const auto* k : {&a, &b, &any, &odd}) {
      EXPECT_TRUE(put_at(*k));
      purge(order);
      out += has_at(*k) ? '-' : 'x';
      purge(everything());
    }
    return out;
  };
  EXPECT_EQ(named(How::Prefix, ""), "xxxx");
  EXPECT_EQ(named(How::Prefix, "", "a.example"), "x-xx") << "a key without a host may be for this one";
  EXPECT_EQ(named(How::Prefix, "", "a.exampl"), "--x-");
  EXPECT_EQ(named(How::Prefix, "/p/a"), "xxx-");
  EXPECT_EQ(named(How::Prefix, "/p/a?x=1"), "x---");
  EXPECT_EQ(named(How::Prefix, "/p/a?x=2"), "----");
  EXPECT_EQ(named(How::Prefix, "/p/a/"), "--x-");
  EXPECT_EQ(named(How::Prefix, "/p/%25|"), "---x");
  EXPECT_EQ(named(How::Exact, "/p/a"), "xx--") << "whatever the query";
  EXPECT_EQ(named(How::Exact, "/p/a?x=1&y=%7C"), "x---");
  EXPECT_EQ(named(How::Exact, "/p"), "----");
  EXPECT_EQ(named(How::Glob, "/p/*"), "xxxx");
  EXPECT_EQ(named(How::Glob, "/*/a"), "xx--");
  EXPECT_EQ(named(How::Glob, "*b"), "--x-");
  EXPECT_EQ(named(How::Glob, "/p/a?*"), "x---");
  EXPECT_EQ(named(How::Glob, "/p/a*b", "b.example"), "--x-");
}

TEST_F(Purge, AKeyWithoutThePathMayBeForAnyUrlOfItsRoute) {
  const auto of_route = [](How how, std::string host, std::string route) {
    PurgeOrder order;
    order.urls = {{how, std::move(host), "/x/", std::move(route)}};
    return order;
  };
  const auto none = key_of("/p/1", {.path = PathMode::None});
  const auto captures = key_of("/p/1", {.path = PathMode::Captures, .captures = {"id"}});
  for (const auto how : {How::Prefix, How::Glob})
    for (const auto& key : {none, captures}) {
      put_at(key);
      EXPECT_EQ(purge(dry(of_route(how, "", ""))).total, 0u) << "of no route in particular";
      EXPECT_EQ(purge(dry(of_route(how, "", "r2"))).total, 0u);
      EXPECT_EQ(purge(dry(of_route(how, "other.example", "r"))).total, 0u);
      EXPECT_EQ(purge(of_route(how, "example.com", "r")).of(PurgeKind::Prefix), 1u);
    }
}

TEST_F(Purge, ASearchedPatternIsForKeysUnderARuleAlone) {
  const KeySpec by_capture{.path = PathMode::Captures, .captures = {"id"}};
  const rules::NoVarySearch rule;
  const auto key = [&](std::string_view target, std::string_view id, const rules::NoVarySearch* search,
                       std::string_view route = "r") {
    http::Target read;
    EXPECT_TRUE(read.read(http::Method::Get, target));
    http::RequestView get;
    get.method_text = "GET";
    const Capture capture{"id", id};
    KeyInput input{route, get, read, "http", "a.test"};
    input.captures = {&capture, 1};
    input.search = search;
    Key out;
    EXPECT_EQ(out.build(by_capture, input), rules::Reason::None);
    return out;
  };
  const std::vector<Key> named{key("/p/1?x=1", "1", &rule), key("/p/1", "1", &rule)};
  const std::vector<Key> others{key("/p/1?x=1", "1", nullptr), key("/p/1", "1", nullptr), key("/p/2?x=1", "2", &rule),
                                key("/p/12", "12", &rule), key("/p/1?x=1", "1", &rule, "r2")};
  for (const auto& k : named) ASSERT_TRUE(put_at(k));
  for (const auto& k : others) ASSERT_TRUE(put_at(k));
  PurgeOrder order;
  order.urls = {{How::Searched, {}, "|id=1", "r"}};
  EXPECT_EQ(purge(order).of(PurgeKind::Url), named.size());
  for (const auto& k : named) EXPECT_FALSE(has_at(k)) << k.text();
  for (const auto& k : others) EXPECT_TRUE(has_at(k)) << k.text();
}

TEST_F(Purge, RoutesAreNamedExactly) {
  const auto one = key_of("/", {}, "GET", {}, "a"), two = key_of("/", {}, "GET", {}, "a|b");
  put_at(one);
  put_at(two);
  EXPECT_EQ(purge(dry(route(""))).total, 0u);
  EXPECT_EQ(purge(route("a")).of(PurgeKind::Route), 1u);
  EXPECT_TRUE(has_at(two));
  EXPECT_EQ(purge(route("a|b")).total, 1u);
}

TEST_F(Purge, ADeadEntryStandsInTheWayOfNothing) {
  policy.max_variants = 1;
  put("/p/1", {.lifetime = 60s});
  now += 10s;
  put("/p/1", {.lifetime = 60s});
  purge(tagged("none"));
  purge(prefix("/p/"));
  now -= 10s;
  EXPECT_TRUE(put("/p/1")) << "though the dead one was received later";
  EXPECT_EQ(store.variants_evicted(), 0u);
  EXPECT_TRUE(has("/p/1"));
}

class SmallPurge : public Purge {
 protected:
  SmallPurge() : Purge({.memory = 200 * 1024, .shards = 1}) {}
};

TEST_F(SmallPurge, TheIndexIsCountedAndCleanedOnEviction) {
  std::vector<std::string> tags;
  for (int i = 0; i < 20; ++i) tags.push_back("tag" + std::to_string(i));
  put("/plain", {.body = "x"});
  const auto plain = store.numbers().bytes;
  put("/tagged", {.body = "x", .tags = tags});
  EXPECT_GT(store.numbers().bytes - plain, plain + tags.size() * 100);
  for (int i = 0; i < 2000; ++i) {
    put("/" + std::to_string(i), {.body = "x", .tags = {"all", "only" + std::to_string(i)}});
    ASSERT_LE(store.numbers().bytes, store.numbers().limit);
  }
  EXPECT_GT(store.numbers().evicted_capacity, 500u);
  EXPECT_EQ(store.numbers().tags, store.numbers().entries + 1);
  const auto purged = purge(tagged("all")).total;
  EXPECT_EQ(store.numbers().evicted_purged, purged);
  EXPECT_EQ(store.numbers().entries, 0u);
  reclaim();
  EXPECT_EQ(store.numbers().tags, 0u);
  // What tables have grown to stays.
  EXPECT_LT(store.numbers().bytes, 16u * 1024);
}

TEST_F(SmallPurge, DeadEntriesMakeRoomAndAreNotCountedAsEvicted) {
  for (int i = 0; store.numbers().evicted_capacity == 0; ++i) put("/" + std::to_string(i), {.body = "x"});
  const auto stored = store.numbers().entries;
  purge(everything());
  for (std::uint64_t i = 0; i < stored; ++i) put("/new" + std::to_string(i), {.body = "x"});
  EXPECT_GT(store.numbers().entries, stored * 3 / 4);
  EXPECT_LT(store.numbers().evicted_capacity, stored / 4);
}

class ManyPurged : public Purge {
 protected:
  ManyPurged() : Purge({.memory = 256 * 1024 * 1024, .shards = 2}) {}
};

// More than the slices hold.
TEST_F(ManyPurged, CrowdsAreWalkedToTheirEnd) {
  constexpr int kMany = 5000;
  const KeySpec by_header{.headers = {"x"}};
  std::vector<Key> keys;
  for (int i = 0; i < kMany; ++i)
    keys.push_back(key_of("/one?url=1", by_header, "GET", {{"X", std::to_string(i)}}, "r", "example.com"));
  const auto fill = [&] {
    for (const auto& key : keys) put_at(key, {.body = "x", .tags = {"all"}});
  };
  fill();
  PurgeOrder one;
  one.resources = {keys[0].resource()};
  for (const auto& order : {one, tagged("all"), prefix("/one"), route("r")}) {
    EXPECT_EQ(purge(dry(order)).total, 5000u);
    EXPECT_EQ(purge(soft(order)).total, 5000u);
    EXPECT_EQ(kind_at(keys[kMany / 2]), Kind::Stale);
    EXPECT_EQ(purge(order).total, 5000u);
    EXPECT_EQ(purge(order).total, 0u);
    EXPECT_EQ(store.numbers().entries, 0u);
    fill();
    EXPECT_EQ(store.numbers().entries, 5000u);
    EXPECT_TRUE(has_at(keys[kMany / 2]));
  }
}

}  // namespace
}  // namespace forebay::cache
