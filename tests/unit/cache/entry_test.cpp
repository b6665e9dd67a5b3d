#include "forebay/cache/entry.hpp"

#include "fixture.hpp"

namespace forebay::cache {
namespace {

class EntryTest : public ::testing::Test {
 protected:
  Charge charge(std::size_t n) {
    EXPECT_TRUE(budget.try_take(n));
    return Charge(budget, n);
  }
  Ref<const Entry> make(const std::vector<Slice>& body, const FieldList& fields = {{"ETag", "\"1\""}}) {
    const auto head = PublishedHead::make(200, fields_of(fields));
    EntryParts parts;
    parts.head = head->head();
    parts.body = body;
    parts.key_text = "the|key";
    parts.origin = "web";
    parts.fetch_time = 5ms;
    return Entry::make(parts, charge(Entry::cost(parts)));
  }
  Slice chunk(char c, std::size_t n) { return Chunk::copy_of(std::string(n, c), charge(Chunk::cost(n)))->slice(); }
  Budget budget{16 * 1024 * 1024};
};

TEST_F(EntryTest, HoldsHeadKeyAndASmallBodyInOneBlockAndNothingOfItsSources) {
  Ref<const Entry> e;
  {
    auto a = chunk('a', 100), b = chunk('b', 50);
    e = make({a, b}, {{"ETag", "\"1\""}, {"X-Y", "z"}});
  }
  EXPECT_EQ(e->head().status, 200);
  EXPECT_EQ(e->head().lines, "ETag: \"1\"\r\nX-Y: z\r\n");
  EXPECT_EQ(e->head().fields.value("x-y"), "z");
  EXPECT_EQ(e->etag(), "\"1\"");
  EXPECT_EQ(e->last_modified(), std::nullopt);
  EXPECT_EQ(e->key_text(), "the|key");
  EXPECT_EQ(e->origin(), "web");
  EXPECT_EQ(e->fetch_time(), Duration(5ms));
  ASSERT_EQ(e->body().size(), 1u);
  EXPECT_EQ(text_of(*e), std::string(100, 'a') + std::string(50, 'b'));
  EXPECT_EQ(e->body_length(), 150u);
  EXPECT_EQ(budget.used(), e->charged()) << "the chunks are gone";
  e.reset();
  EXPECT_EQ(budget.used(), 0u);
}

TEST_F(EntryTest, KeepsTheChunksOfALargeBody) {
  Ref<const Entry> e;
  std::vector<Slice> body;
  for (char c = 'a'; c < 'g'; ++c) body.push_back(chunk(c, 64 * 1024));
  e = make(body);
  EXPECT_EQ(e->body().size(), 6u);
  EXPECT_EQ(e->body()[2].data(), body[2].bytes.data()) << "not copied";
  EXPECT_EQ(budget.used(), e->charged());
  body.clear();
  EXPECT_EQ(budget.used(), e->charged());
  EXPECT_EQ(text_of(*e).size(), 6u * 64 * 1024);
  e.reset();
  EXPECT_EQ(budget.used(), 0u);
}

TEST_F(EntryTest, MayHaveNoBody) {
  const auto e = make({});
  EXPECT_TRUE(e->body().empty());
  EXPECT_EQ(e->body_length(), 0u);
}

TEST_F(EntryTest, FreshenedHasTheNewHeadAndTheOldBody) {
  for (const std::size_t size : {0U, 1000U, 100U * 1024, 600U * 1024}) {
    std::vector<Slice> body;
    if (size != 0) body = {chunk('a', size / 2), chunk('b', size - size / 2)};
    auto e = make(body);
    body.clear();
    const auto want = text_of(*e);
    const auto first_charge = e->charged();
    for (int i = 0; i < 5; ++i) {
      const auto head = PublishedHead::make(200, fields_of({{"ETag", "\"" + std::to_string(i) + "\""}}));
      const auto cost = Entry::cost_with_head(*e, head->head());
      e = Entry::with_head(e, head->head(), charge(cost));
    }
    EXPECT_EQ(e->etag(), "\"4\"");
    EXPECT_EQ(e->key_text(), "the|key");
    EXPECT_EQ(e->origin(), "web");
    EXPECT_EQ(text_of(*e), want);
    EXPECT_EQ(e->body_length(), size);
    EXPECT_EQ(budget.used(), e->charged()) << "no chain of old entries is kept: " << size;
    EXPECT_LE(e->charged(), first_charge + 1024);
    e.reset();
    EXPECT_EQ(budget.used(), 0u);
  }
}

TEST_F(EntryTest, AReaderPinsItsCharge) {
  auto e = make({chunk('a', 100)});
  const auto reader = e;
  const auto used = budget.used();
  e.reset();
  EXPECT_EQ(budget.used(), used);
}

TEST(PublishedHead, WritesEveryFieldAsALine) {
  const auto head = PublishedHead::make(404, fields_of({{"A", "1"}, {"a", "2"}, {"Empty", ""}}));
  EXPECT_EQ(head->head().status, 404);
  EXPECT_EQ(head->head().lines, "A: 1\r\na: 2\r\nEmpty: \r\n");
  EXPECT_EQ(head->head().fields.size(), 3u);
}

TEST_F(EntryTest, LeavesTheStorePinnedByItsReadersAlone) {
  auto unread = make({chunk('a', 100)});
  unread->leave_store();
  EXPECT_EQ(budget.pinned(), 0u) << "nobody reads it";
  unread.reset();
  auto read = make({chunk('a', 100'000)});
  const Owner reader(read);
  read->leave_store();
  read->leave_store();
  EXPECT_EQ(budget.pinned(), read->charged()) << "once";
  EXPECT_TRUE(reader->left());
}

TEST_F(EntryTest, OfALargeBodyReadersMayPinTheChunks) {
  std::vector<Slice> body;
  for (char c = 'a'; c < 'g'; ++c) body.push_back(chunk(c, 64 * 1024));
  const auto cost = Chunk::cost(64 * 1024);
  auto e = make(body);
  body.resize(2);  // a reader of the fetch, on its way
  e->leave_store();
  EXPECT_EQ(budget.pinned(), 2 * cost);
  e.reset();
  EXPECT_EQ(budget.pinned(), 2 * cost);
  EXPECT_EQ(budget.used(), 2 * cost);
  body.clear();
  EXPECT_EQ(budget.pinned(), 0u);
  EXPECT_EQ(budget.used(), 0u);
}

TEST_F(EntryTest, AReaderOfALargeEntryPinsAllOfIt) {
  std::vector<Slice> body;
  for (char c = 'a'; c < 'g'; ++c) body.push_back(chunk(c, 64 * 1024));
  auto e = make(body);
  body.clear();
  Owner reader(e);
  e->leave_store();
  const auto all = e->charged();
  e.reset();
  EXPECT_EQ(budget.pinned(), all);
  reader.reset();
  EXPECT_EQ(budget.pinned(), 0u);
  EXPECT_EQ(budget.used(), 0u);
}

TEST_F(EntryTest, AReaderOfTheEntryBeforeItWasFreshenedPinsItWhenTheNewOneGoes) {
  auto old = make({chunk('a', 100'000)});
  const auto head = PublishedHead::make(200, fields_of({{"ETag", "\"2\""}}));
  auto fresh = Entry::with_head(old, head->head(), charge(Entry::cost_with_head(*old, head->head())));
  Owner reader(std::move(old));
  EXPECT_EQ(budget.pinned(), 0u);
  fresh->leave_store();
  fresh.reset();
  EXPECT_GT(budget.pinned(), 100'000u);
  EXPECT_EQ(budget.pinned(), budget.used());
  reader.reset();
  EXPECT_EQ(budget.pinned(), 0u);
}

}  // namespace
}  // namespace forebay::cache
