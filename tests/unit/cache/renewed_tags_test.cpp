#include "fixture.hpp"

// A 304 or a HEAD may state other tags than the stored response (RFC 9111 section 3.2).

namespace forebay::cache {
namespace {

using Texts = std::vector<std::string_view>;

class RenewedTags : public StoreTest {
 protected:
  std::uint64_t purge(std::string_view tag, PurgeMode mode = PurgeMode::Hard) {
    return store.purge({.tags = {tag_digest(tag)}, .mode = mode, .now = now}).total;
  }
  Ref<const Entry> renewed(const Ref<const Entry>& stored) {
    const auto cost = Entry::cost_with_head(*stored, stored->head());
    return Entry::with_head(stored, stored->head(), store.reserve(cost));
  }
  bool freshen(Ticket& ticket, std::optional<Texts> tags) {
    const auto stored = peek({"/a"}).stored.entry;
    std::optional<std::span<const std::string_view>> span;
    if (tags) span = *tags;
    return ticket.freshen(stored, renewed(stored), fresh_for(60s, now), {}, Unchanged({}), policy, now, span);
  }
  bool freshen(std::optional<Texts> tags) {
    auto ticket = store.private_ticket(key_of("/a"));
    return freshen(ticket, std::move(tags));
  }
  void head(const Texts& tags) {
    const auto stored = peek({"/a"}).stored.entry;
    store.apply_head(key_of("/a"), stored, renewed(stored), fresh_for(60s, now), {}, Unchanged({}), policy, now,
                     std::span(tags));
  }
};

TEST_F(RenewedTags, A304WithoutTagsKeepsThem) {
  put("/a", {.tags = {"one", "two"}});
  const auto bytes = store.numbers().bytes;
  EXPECT_TRUE(freshen(std::nullopt));
  EXPECT_EQ(store.numbers().bytes, bytes);
  EXPECT_EQ(purge("one"), 1u);
  EXPECT_FALSE(has("/a"));
}

TEST_F(RenewedTags, TagsOfA304ReplaceTheOldOnes) {
  put("/a", {.tags = {"one", "two"}});
  EXPECT_TRUE(freshen(Texts{"two", "three", "four"}));
  EXPECT_EQ(store.numbers().tags, 3u);
  EXPECT_EQ(purge("one"), 0u);
  EXPECT_TRUE(has("/a"));
  EXPECT_EQ(purge("four"), 1u);
  EXPECT_FALSE(has("/a"));
}

TEST_F(RenewedTags, A304MayTakeAllTagsAway) {
  put("/a", {.tags = {"one"}});
  EXPECT_TRUE(freshen(Texts{}));
  EXPECT_EQ(store.numbers().tags, 0u);
  EXPECT_EQ(purge("one"), 0u);
}

TEST_F(RenewedTags, MemoryIsThatOfAnEntryWithTheNewTags) {
  const std::string lasting(100, 'l');
  put("/a", {.tags = {lasting}});
  const auto bytes = store.numbers().bytes;
  EXPECT_TRUE(freshen(Texts{"one", "two", "three"}));
  EXPECT_TRUE(freshen(Texts{lasting}));
  EXPECT_EQ(store.numbers().bytes, bytes);
  store.purge({.all = true});
  while (store.sweep(now)) {
  }
  EXPECT_EQ(store.numbers().tags, 0u);
  EXPECT_EQ(store.numbers().bytes, 0u);
}

TEST_F(RenewedTags, A304IsRefusedWhenOneOfEitherWasPurgedSinceItWasAskedFor) {
  for (const auto* purged : {"old", "new"}) {
    put("/a", {.tags = {"old"}});
    auto ticket = store.private_ticket(key_of("/a"));
    purge(purged, PurgeMode::Soft);
    EXPECT_FALSE(freshen(ticket, Texts{"new"})) << purged;
    purge("none");
    EXPECT_TRUE(freshen(Texts{"new"})) << purged;
    EXPECT_TRUE(has("/a"));
  }
}

TEST_F(RenewedTags, TagsOfAHeadReplaceTheOldOnes) {
  put("/a", {.tags = {"one"}});
  head({"two"});
  EXPECT_TRUE(has("/a"));
  EXPECT_EQ(purge("one"), 0u);
  EXPECT_EQ(purge("two"), 1u);
}

TEST_F(RenewedTags, AHeadThatNamesATagPurgedSinceTheFetchMakesStale) {
  put("/a", {.tags = {"one"}});
  purge("two");
  head({"two"});
  EXPECT_NE(look("/a").kind, LookupKind::Fresh);
  EXPECT_NE(peek({"/a"}).stored.entry, nullptr);
}

// The budget is used up by others.
TEST_F(RenewedTags, WithoutMemoryForTheTagsTheEntryStaysAsItIs) {
  put("/a", {.tags = {"one"}});
  auto ticket = store.private_ticket(key_of("/a"));
  const auto stored = peek({"/a"}).stored.entry;
  const auto fresh = renewed(stored);
  const std::string huge(64 * 1024 * 1024, 'h');
  const Texts tags{huge};
  EXPECT_FALSE(ticket.freshen(stored, fresh, fresh_for(60s, now), {}, Unchanged({}), policy, now, std::span(tags)));
  EXPECT_TRUE(has("/a"));
  EXPECT_EQ(purge("one"), 1u);
}

}  // namespace
}  // namespace forebay::cache
