#include "forebay/cache/listing.hpp"

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "fixture.hpp"

namespace forebay::cache {
namespace {

class Listing : public StoreTest {
 protected:
  explicit Listing(const StoreOptions& options = roomy()) : StoreTest(options) { query.now = now; }

  /// All pages. How often each key and body was listed.
  std::map<std::string, int> all(ListQuery q) {
    std::map<std::string, int> found;
    for (int page = 0; page < 100'000; ++page) {
      const auto got = store.list(q);
      for (const auto& row : got.rows) ++found[std::string(row.entry->key_text()) + ' ' + text_of(*row.entry)];
      if (!got.next) return found;
      // As a client sends it back.
      q.from = ListCursor::parse(got.next->text()).value();
    }
    ADD_FAILURE() << "the listing does not end";
    return found;
  }
  std::size_t count(const ListQuery& q) {
    const auto found = all(q);
    for (const auto& [key, times] : found) EXPECT_EQ(times, 1) << key;
    return found.size();
  }
  void put_many(int from, int to, const std::vector<std::string>& tags = {}) {
    for (int i = from; i < to; ++i) EXPECT_TRUE(put("/p/" + std::to_string(i), {.lifetime = 1h, .tags = tags}));
  }

  ListQuery query;
};

TEST_F(Listing, EmptyStoreHasOneEmptyPage) {
  const auto page = store.list(query);
  EXPECT_TRUE(page.rows.empty());
  EXPECT_FALSE(page.next);
}

TEST_F(Listing, RowSaysWhatIsStored) {
  put({.target = "/a?x=1", .fields = {{"X-Lang", "de"}}},
      {.body = "hello", .vary = {"x-lang"}, .tags = {"news", "a b"}});
  look({.target = "/a?x=1", .fields = {{"X-Lang", "de"}}});
  const auto page = store.list(query);
  ASSERT_EQ(page.rows.size(), 1u);
  const auto& row = page.rows[0];
  const auto key = key_of("/a?x=1");
  EXPECT_EQ(row.entry->key_text(), key.text());
  EXPECT_EQ(row.id, key.id());
  EXPECT_EQ(row.entry->body_length(), 5u);
  EXPECT_EQ(row.state, EntryState::Fresh);
  EXPECT_EQ(row.hits, 1u);
  EXPECT_GT(row.bytes, row.entry->charged());
  ASSERT_TRUE(row.names);
  EXPECT_EQ(row.names->names, std::vector<std::string>{"x-lang"});
  EXPECT_NE(row.secondary.find("de"), std::string::npos);
  EXPECT_EQ(std::set<std::string>(row.tags.begin(), row.tags.end()), (std::set<std::string>{"news", "a b"}));
}

TEST_F(Listing, IsNoHitAndKeepsTheOrderOfEviction) {
  put_many(0, 8);
  for (int i = 0; i < 100; ++i) store.list(query);
  EXPECT_EQ(peek({"/p/0"}).hits, 0u);
  store.set_memory(store.numbers().bytes - 1);
  store.sweep(now);
  EXPECT_FALSE(has("/p/0"));
  EXPECT_TRUE(has("/p/7"));
}

TEST_F(Listing, PagesHaveEachEntryOnce) {
  put_many(0, 3000);
  for (const std::size_t rows : {1u, 7u, 100u, 5000u}) {
    query.rows = rows;
    EXPECT_EQ(store.list(query).rows.size(), std::min<std::size_t>(rows, 3000));
    EXPECT_EQ(count(query), 3000u);
  }
}

TEST_F(Listing, CallEndsAfterSoManyKeysWithoutRows) {
  put_many(0, 3000);
  query.route = "none";
  query.visits = 100;
  const auto page = store.list(query);
  EXPECT_TRUE(page.rows.empty());
  EXPECT_TRUE(page.next);
  EXPECT_LT(page.visited, 5000u);
  EXPECT_EQ(count(query), 0u);
}

TEST_F(Listing, GoesOnThroughGrowthInsertionsAndRemovals) {
  put_many(0, 2000);
  query.rows = 16;
  std::map<std::string, int> found;
  int next = 2000;
  for (;;) {
    const auto page = store.list(query);
    for (const auto& row : page.rows) ++found[std::string(row.entry->key_text())];
    if (!page.next) break;
    query.from = *page.next;
    if (next < 12'000) put_many(next, next + 100);
    next += 100;
    // From 2000 on, half of the new ones go again.
    store.purge({.ids = {key_of("/p/" + std::to_string(next - 50)).id()}});
  }
  ASSERT_GT(next, 5000);
  for (int i = 0; i < 2000; ++i) EXPECT_EQ(found[std::string(key_of("/p/" + std::to_string(i)).text())], 1) << i;
  for (const auto& [key, times] : found) EXPECT_LE(times, 1) << key;
}

TEST_F(Listing, ResponsesOfAKeyStayTogether) {
  for (const auto* lang : {"de", "en", "fr"})
    for (const auto* target : {"/a", "/b", "/c"})
      put({.target = target, .fields = {{"X-Lang", lang}}}, {.body = lang, .vary = {"x-lang"}});
  query.rows = 2;
  const auto page = store.list(query);
  ASSERT_EQ(page.rows.size(), 3u);
  EXPECT_EQ(page.rows[0].id, page.rows[2].id);
  EXPECT_EQ(count(query), 9u);
  query.rows = 4;
  EXPECT_EQ(store.list(query).rows.size(), 3u);
}

TEST_F(Listing, FiltersByRouteUrlAndId) {
  put_many(0, 100);
  const auto other = key_of("/p/1", {}, "GET", {}, "r|2");
  auto ticket = store.private_ticket(other);
  ASSERT_TRUE(commit(ticket, {}));
  EXPECT_EQ(count(query), 101u);
  query.route = "r|2";
  EXPECT_EQ(count(query), 1u);
  query.route = "r";
  EXPECT_EQ(count(query), 100u);
  query.url = UrlPattern{UrlPattern::How::Prefix, "example.com", "/p/1"};
  EXPECT_EQ(count(query), 11u);
  query.route = "";
  EXPECT_EQ(count(query), 12u);
  query.url->how = UrlPattern::How::Exact;
  EXPECT_EQ(count(query), 2u);
  query.id = other.id();
  EXPECT_EQ(count(query), 1u);
  query.url->host = "other.example";
  EXPECT_EQ(count(query), 0u);
}

TEST_F(Listing, FiltersByTagWithFewAndManyEntries) {
  put_many(0, 500);
  put_many(500, 520, {"few", "x"});
  query.tag = tag_digest("none");
  EXPECT_EQ(count(query), 0u);
  query.tag = tag_digest("few");
  for (const std::size_t rows : {1u, 3u, 100u}) {
    query.rows = rows;
    EXPECT_EQ(count(query), 20u);
  }
  // Its list is the shorter way: few keys are visited.
  EXPECT_LT(store.list(query).visited, 100u);
  query.url = UrlPattern{UrlPattern::How::Exact, "", "/p/501"};
  EXPECT_EQ(count(query), 1u);
}

TEST_F(Listing, TagOfManyEntriesIsListedByTheTable) {
  Store one({.memory = 256 * 1024 * 1024, .shards = 1});
  const std::vector<std::string_view> tags{"many"};
  for (int i = 0; i < 6000; ++i) {
    const auto key = key_of("/p/" + std::to_string(i));
    auto ticket = one.private_ticket(key);
    EntryParts parts;
    if (i % 6 != 0) parts.tags = tags;
    const http::Fields none;
    ASSERT_TRUE(ticket.commit(parts, fresh_for(1h, now), {}, Unchanged(none.view()), policy, 1, now));
  }
  query.tag = tag_digest("many");
  std::size_t n = 0;
  for (;;) {
    const auto page = one.list(query);
    n += page.rows.size();
    for (const auto& row : page.rows) EXPECT_EQ(row.tags, std::vector<std::string>{"many"});
    if (!page.next) break;
    query.from = *page.next;
  }
  EXPECT_EQ(n, 5000u);
}

TEST_F(Listing, FiltersByState) {
  policy.keep = 100h;
  put("/fresh", {.lifetime = 1h});
  put("/stale", {.lifetime = 1s});
  put("/purged", {.lifetime = 1h, .tags = {"t"}});
  store.purge({.tags = {tag_digest("t")}, .mode = PurgeMode::Soft, .now = now});
  query.now = now += 2s;
  const auto of = [&](EntryState state) {
    auto q = query;
    q.state = state;
    return count(q);
  };
  EXPECT_EQ(of(EntryState::Fresh), 1u);
  EXPECT_EQ(of(EntryState::Stale), 1u);
  EXPECT_EQ(of(EntryState::Purged), 1u);
  store.purge({.all = true, .mode = PurgeMode::Soft, .now = now});
  EXPECT_EQ(of(EntryState::Fresh), 0u);
  EXPECT_EQ(of(EntryState::Purged), 3u);
  store.purge({.all = true});
  EXPECT_EQ(count(query), 0u);
}

TEST_F(Listing, FiltersByBytesHitsAndAge) {
  put("/old");
  query.now = now += 10s;
  put("/large", {.body = std::string(5000, 'x')});
  put("/used");
  look("/used");
  auto q = query;
  q.least_bytes = 5000;
  EXPECT_EQ(count(q), 1u);
  q = query;
  q.least_hits = 1;
  EXPECT_EQ(count(q), 1u);
  q = query;
  q.received_to = t0;
  EXPECT_EQ(count(q), 1u);
  q = query;
  q.received_from = now;
  EXPECT_EQ(count(q), 2u);
}

TEST_F(Listing, FindsAllResponsesOfAKeyById) {
  put_many(0, 1000);
  for (const auto* lang : {"de", "en"})
    put({.target = "/a", .fields = {{"X-Lang", lang}}}, {.body = lang, .vary = {"x-lang"}});
  EXPECT_EQ(store.find(key_of("/a").id(), now).size(), 2u);
  EXPECT_EQ(store.find(key_of("/p/500").id(), now).size(), 1u);
  EXPECT_TRUE(store.find(key_of("/none").id(), now).empty());
}

TEST_F(Listing, CursorsThatNoListingGaveAreHarmless) {
  put_many(0, 10);
  EXPECT_FALSE(ListCursor::parse(""));
  EXPECT_FALSE(ListCursor::parse(std::string(32, 'g')));
  EXPECT_FALSE(ListCursor::parse(std::string(33, '0')));
  query.from = ListCursor::parse(std::string(32, 'f')).value();
  const auto page = store.list(query);
  EXPECT_TRUE(page.rows.empty());
  EXPECT_FALSE(page.next);
  query.from = ListCursor::parse(std::string(16, '0') + std::string(16, 'f')).value();
  EXPECT_LE(count(query), 10u);
}

// Most keys have one of four hashes.
class ListingCollisions : public Listing {
 protected:
  ListingCollisions() : Listing({.memory = 64 * 1024 * 1024, .shards = 2, .hash_bits = 2}) {}
};

TEST_F(ListingCollisions, EqualHashesAreListedTogether) {
  put_many(0, 100, {"t"});
  query.rows = 1;
  EXPECT_EQ(count(query), 100u);
  query.tag = tag_digest("t");
  EXPECT_EQ(count(query), 100u);
}

}  // namespace
}  // namespace forebay::cache
