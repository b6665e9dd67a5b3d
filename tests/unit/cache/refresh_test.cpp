#include <cmath>

#include "fixture.hpp"

namespace forebay::cache {
namespace {

using Kind = LookupKind;
using rules::Forward;
using rules::Reason;
using rules::Reuse;

class Peeking : public StoreTest {};
class Hits : public StoreTest {};
class ForcedRefresh : public StoreTest {};
class RefreshAhead : public StoreTest {
 protected:
  RefreshAhead() { policy.refresh_ahead.share = 0.1; }
};

TEST_F(Peeking, FindsNothingWhereNothingIs) {
  const auto seen = peek({"/a"});
  EXPECT_FALSE(seen.found);
  EXPECT_EQ(seen.kind, Kind::Lead);
  EXPECT_EQ(seen.forward, Forward::UriMiss);
  EXPECT_EQ(seen.variants, 0u);
  EXPECT_EQ(store.numbers().slots, 0u) << "and leaves nothing";
}

TEST_F(Peeking, TellsWhatALookUpWouldDoInEveryState) {
  policy.stale.while_revalidate = 10s;
  policy.client_cache_control = true;
  ASSERT_TRUE(put("/a"));
  const struct {
    Duration after;
    Reuse reuse;
    Kind kind;
  } cases[] = {{0s, Reuse::Fresh, Kind::Fresh},
               {65s, Reuse::WhileRevalidating, Kind::Stale},
               {75s, Reuse::Validate, Kind::Lead}};
  for (const auto& c : cases) {
    now = t0 + c.after;
    const auto seen = peek({"/a"});
    EXPECT_TRUE(seen.found);
    EXPECT_EQ(seen.reuse, c.reuse);
    EXPECT_EQ(seen.kind, c.kind);
    ASSERT_TRUE(seen.stored.entry);
    EXPECT_EQ(text_of(*seen.stored.entry), "body");
    EXPECT_EQ(seen.stored.freshness.lifetime, Duration(60s));
    EXPECT_EQ(seen.variants, 1u);
    EXPECT_EQ(look("/a").kind, c.kind);
  }
}

TEST_F(Peeking, ChangesNothing) {
  policy.stale.while_revalidate = 10s;
  ASSERT_TRUE(put("/a"));
  ASSERT_TRUE(look("/a").entry);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(peek({"/a"}).hits, 1u);
  now += 65s;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(peek({"/a"}).kind, Kind::Stale);
  EXPECT_TRUE(look("/a").ticket) << "no flight was listed by looking";
  auto leader = look("/b");
  ASSERT_EQ(leader.kind, Kind::Lead);
  EXPECT_EQ(peek({"/b"}).kind, Kind::Join);
  EXPECT_EQ(leader.ticket.flight()->waiters(), 0u);
  EXPECT_EQ(store.numbers().waiting, 0u);
}

TEST_F(Peeking, ChoosesAmongVariantsAsALookUpDoes) {
  ASSERT_TRUE(put({"/a", {{"X", "1"}}}, {.body = "one", .vary = {"x"}}));
  ASSERT_TRUE(put({"/a", {{"X", "2"}}}, {.body = "two", .vary = {"x"}}));
  EXPECT_EQ(text_of(*peek({"/a", {{"X", "1"}}}).stored.entry), "one");
  EXPECT_EQ(text_of(*peek({"/a", {{"X", "2"}}}).stored.entry), "two");
  const auto other = peek({"/a", {{"X", "3"}}});
  EXPECT_FALSE(other.found);
  EXPECT_EQ(other.forward, Forward::VaryMiss);
  EXPECT_EQ(other.variants, 2u);
}

TEST_F(Peeking, ShowsAResponseThatIsNotForThisRequest) {
  ASSERT_TRUE(put("/a"));
  const auto seen = peek({.target = "/a", .authorization = true});
  EXPECT_TRUE(seen.found);
  EXPECT_EQ(seen.reuse, Reuse::NotForThis);
  EXPECT_EQ(seen.kind, Kind::Pass);
  EXPECT_EQ(seen.reason, Reason::Authorization);
}

TEST_F(Hits, AreCountedPerVariantWhenServed) {
  policy.stale.while_revalidate = 10s;
  ASSERT_TRUE(put({"/a", {{"X", "1"}}}, {.vary = {"x"}}));
  ASSERT_TRUE(put({"/a", {{"X", "2"}}}, {.vary = {"x"}}));
  for (int i = 0; i < 3; ++i) look({"/a", {{"X", "1"}}});
  EXPECT_EQ(peek({"/a", {{"X", "1"}}}).hits, 3u);
  EXPECT_EQ(peek({"/a", {{"X", "2"}}}).hits, 0u);
  now += 65s;
  EXPECT_EQ(look({"/a", {{"X", "1"}}}).kind, Kind::Stale);
  EXPECT_EQ(peek({"/a", {{"X", "1"}}}).hits, 4u);
  now += 30s;
  EXPECT_EQ(look({"/a", {{"X", "1"}}}).kind, Kind::Lead);
  EXPECT_EQ(peek({"/a", {{"X", "1"}}}).hits, 4u) << "validated is not served from store";
}

TEST_F(Hits, BeginAnewWhenTheResponseIsReplacedOrFreshened) {
  ASSERT_TRUE(put("/a"));
  look("/a");
  look("/a");
  ASSERT_TRUE(put("/a"));
  EXPECT_EQ(peek({"/a"}).hits, 0u);
  const auto old = look("/a").entry;
  EXPECT_EQ(peek({"/a"}).hits, 1u);
  auto ticket = store.private_ticket(key_of("/a"));
  const auto fresh = Entry::with_head(old, old->head(), {});
  ASSERT_TRUE(ticket.freshen(old, fresh, fresh_for(60s, now), {}, Unchanged({}), policy, now));
  EXPECT_EQ(peek({"/a"}).hits, 0u);
  look("/a");
  store.apply_head(key_of("/a"), fresh, Entry::with_head(fresh, fresh->head(), {}), fresh_for(60s, now), {},
                   Unchanged({}), policy, now);
  EXPECT_EQ(peek({"/a"}).hits, 0u);
}

TEST_F(ForcedRefresh, FetchesAnewAndReplacesTheEntry) {
  ASSERT_TRUE(put("/a", {.body = "old"}));
  auto found = look({.target = "/a", .refresh = true});
  EXPECT_EQ(found.kind, Kind::Pass);
  EXPECT_EQ(found.forward, Forward::Request);
  EXPECT_EQ(found.reason, Reason::None);
  ASSERT_TRUE(found.entry);
  EXPECT_EQ(text_of(*found.entry), "old");
  ASSERT_TRUE(found.ticket);
  EXPECT_EQ(text_of(*entry({"/a"})), "old") << "until then the others are served as before";
  ASSERT_TRUE(commit(found.ticket, {.body = "new"}));
  EXPECT_EQ(text_of(*entry({"/a"})), "new");
  EXPECT_EQ(store.numbers().entries, 1u);
}

TEST_F(ForcedRefresh, QueuesOnNothingAndIsQueuedOnByNobody) {
  auto leader = look("/a");
  ASSERT_EQ(leader.kind, Kind::Lead);
  const auto forced = look({.target = "/a", .refresh = true});
  EXPECT_EQ(forced.kind, Kind::Pass);
  EXPECT_EQ(forced.forward, Forward::UriMiss) << "there was nothing to refresh";
  EXPECT_TRUE(forced.ticket);
  EXPECT_EQ(leader.ticket.flight()->waiters(), 0u);
  const auto other = look({.target = "/b", .refresh = true});
  EXPECT_EQ(look("/b").kind, Kind::Lead) << "its flight is private";
}

TEST_F(ForcedRefresh, StoresNothingWhereTheRequestMayNot) {
  ASSERT_TRUE(put("/a"));
  EXPECT_FALSE(look({.target = "/a", .refresh = true, .may_lead = false}).ticket);
  EXPECT_FALSE(look({.target = "/a", .no_store = true, .refresh = true}).ticket);
}

TEST_F(ForcedRefresh, LeavesAloneWhatIsNotForThisRequest) {
  ASSERT_TRUE(put("/a"));
  const auto found = look({.target = "/a", .authorization = true, .refresh = true});
  EXPECT_EQ(found.kind, Kind::Pass);
  EXPECT_EQ(found.forward, Forward::Request);
  EXPECT_FALSE(found.entry);
}

TEST_F(RefreshAhead, StartsBehindAHitNearTheEnd) {
  ASSERT_TRUE(put("/a", {.body = "old"}));
  now = t0 + 53s;
  EXPECT_FALSE(look("/a").ticket);
  now = t0 + 55s;
  auto hit = look("/a");
  EXPECT_EQ(hit.kind, Kind::Fresh);
  ASSERT_TRUE(hit.ticket);
  EXPECT_EQ(text_of(*hit.entry), "old");
  auto next = look("/a");
  EXPECT_EQ(next.kind, Kind::Fresh);
  EXPECT_FALSE(next.ticket) << "one refresh at a time";
  ASSERT_TRUE(commit(hit.ticket, {.body = "new"}));
  EXPECT_EQ(text_of(*entry({"/a"})), "new");
  EXPECT_FALSE(look("/a").ticket);
}

TEST_F(RefreshAhead, IsFollowedByThoseThatComeAfterTheEnd) {
  ASSERT_TRUE(put("/a"));
  now = t0 + 59s;
  auto hit = look("/a");
  ASSERT_TRUE(hit.ticket);
  now = t0 + 61s;
  EXPECT_EQ(look("/a").kind, Kind::Join) << "no second fetch";
}

TEST_F(RefreshAhead, IsNotForRequestsThatMayNotFetchForOthers) {
  ASSERT_TRUE(put("/a"));
  now = t0 + 59s;
  EXPECT_FALSE(look({.target = "/a", .may_lead = false}).ticket);
  EXPECT_FALSE(look({.target = "/a", .no_store = true}).ticket);
  EXPECT_TRUE(look("/a").ticket);
}

TEST_F(RefreshAhead, WaitsWhileTheAnswersAreKnownNotToBeStorable) {
  ASSERT_TRUE(put("/a"));
  now = t0 + 55s;
  auto hit = look("/a");
  ASSERT_TRUE(hit.ticket);
  hit.ticket.own(Reason::NoStore, false, now + 2s);
  hit.ticket.drop();
  now += 1s;
  EXPECT_FALSE(look("/a").ticket);
  now += 2s;
  EXPECT_TRUE(look("/a").ticket);
}

TEST_F(RefreshAhead, PausesAfterOneThatFailed) {
  ASSERT_TRUE(put("/a"));
  now = t0 + 55s;
  auto hit = look("/a");
  ASSERT_TRUE(hit.ticket);
  hit.ticket.fail({}, {hit.entry.get(), now, 1s});
  now += 999ms;
  const auto paused = look("/a");
  EXPECT_EQ(paused.kind, Kind::Fresh);
  EXPECT_FALSE(paused.ticket);
  now += 1ms;
  EXPECT_TRUE(look("/a").ticket);
}

TEST_F(RefreshAhead, PauseHoldsBehindStaleAnswersTooButNotForWhatCannotBeServed) {
  policy.stale.while_revalidate = 10s;
  ASSERT_TRUE(put("/a"));
  now = t0 + 65s;
  auto stale = look("/a");
  ASSERT_TRUE(stale.ticket);
  stale.ticket.fail({}, {stale.entry.get(), now, 10s});
  const auto paused = look("/a");
  EXPECT_EQ(paused.kind, Kind::Stale);
  EXPECT_FALSE(paused.ticket);
  now = t0 + 71s;
  const auto due = look("/a");
  EXPECT_EQ(due.kind, Kind::Lead) << "its client waits, whatever failed before";
  EXPECT_TRUE(due.ticket);
}

TEST_F(RefreshAhead, APauseThatTheOriginAskedForServesWhatMayStandInForAnError) {
  policy.stale.if_error = 60s;
  ASSERT_TRUE(put("/a"));
  now = t0 + 65s;
  auto lead = look("/a");
  ASSERT_EQ(lead.kind, Kind::Lead);
  lead.ticket.fail({}, {lead.entry.get(), now, 1s, 8s, true});
  now += 7s;
  const auto paused = look("/a");
  EXPECT_EQ(paused.kind, Kind::Stale);
  EXPECT_TRUE(paused.unasked);
  EXPECT_FALSE(paused.ticket);
  // A later failure neither shortens it nor, where it lasts longer, ends it.
  store.private_ticket(key_of("/a")).fail({}, {lead.entry.get(), now, 100ms});
  EXPECT_TRUE(look("/a").unasked);
  store.private_ticket(key_of("/a")).fail({}, {lead.entry.get(), now, 10s});
  EXPECT_TRUE(look("/a").unasked);
  now += 1s;
  auto due = look("/a");
  EXPECT_EQ(due.kind, Kind::Lead);
  EXPECT_FALSE(due.unasked);
  due.ticket.fail({}, {lead.entry.get(), now, 20s});
  EXPECT_EQ(look("/a").kind, Kind::Lead);
}

TEST_F(RefreshAhead, APauseGrowsAsFetchesBehindItConfirmIt) {
  policy.stale.if_error = 1h;
  ASSERT_TRUE(put("/a"));
  now = t0 + 65s;
  for (const Duration pause : {10s, 20s, 40s, 80s, 160s, 300s, 300s}) {
    auto lead = look("/a");
    ASSERT_EQ(lead.kind, Kind::Lead);
    lead.ticket.fail({}, {lead.entry.get(), now, 1s, 1h, true});
    // What was asked at the same time confirms nothing.
    store.private_ticket(key_of("/a")).fail({}, {lead.entry.get(), now, 1s, 1h, true});
    now += pause - 1ms;
    EXPECT_TRUE(look("/a").unasked) << pause.count();
    now += 1ms;
  }
}

TEST_F(RefreshAhead, APauseIsForTheResponseThatItsFetchWasFor) {
  policy.stale.if_error = 60s;
  ASSERT_TRUE(put("/a", {.body = "old"}));
  now = t0 + 65s;
  auto lead = look("/a");
  ASSERT_EQ(lead.kind, Kind::Lead);
  ASSERT_TRUE(put("/a", {.body = "new"}));
  now += 65s;
  lead.ticket.fail({}, {lead.entry.get(), now, 1s, 10s, true});
  EXPECT_FALSE(look("/a").unasked) << "it says nothing of the newer one";
  // Nor of another variant.
  ASSERT_TRUE(put({"/b", {{"X", "1"}}}, {.body = "one", .vary = {"x"}}));
  ASSERT_TRUE(put({"/b", {{"X", "2"}}}, {.body = "two", .vary = {"x"}}));
  now += 65s;
  auto one = look({"/b", {{"X", "1"}}});
  one.ticket.fail({}, {one.entry.get(), now, 1s, 10s, true});
  EXPECT_TRUE(look({"/b", {{"X", "1"}}}).unasked);
  EXPECT_FALSE(look({"/b", {{"X", "2"}}}).unasked);
}

TEST_F(RefreshAhead, IsOffByDefault) {
  policy.refresh_ahead = {};
  ASSERT_TRUE(put("/a"));
  now = t0 + 59s + 999ms;
  const auto hit = look("/a");
  EXPECT_EQ(hit.kind, Kind::Fresh);
  EXPECT_FALSE(hit.ticket);
}

// `auto` over many lifetimes of ten seconds: hits at a steady rate, and each fetch takes 200 ms.
class RefreshByChance : public StoreTest {
 protected:
  RefreshByChance() { policy.refresh_ahead.automatic = true; }
  struct Life {
    int expired = 0, refreshes = 0;
  };
  double draw() {
    random_ = random_ * 6364136223846793005ULL + 1442695040888963407ULL;
    return -std::log((static_cast<double>(random_ >> 11) + 1) / 9007199254740993.0);
  }
  Life live(Duration between, int lifetimes) {
    Life life;
    const Answer answer{.lifetime = 10s, .fetch_time = 200ms};
    EXPECT_TRUE(put("/a", answer));
    Ticket ticket;
    Timestamp done{};
    for (const auto end = now + 10s * lifetimes; now < end; now += between) {
      if (ticket && now >= done) {
        EXPECT_TRUE(commit(ticket, answer));
      }
      auto found = look({.target = "/a", .draw = draw()});
      if (found.kind != Kind::Fresh) {
        ++life.expired;
        found.ticket.drop();
        EXPECT_TRUE(put("/a", answer));
      } else if (found.ticket) {
        ++life.refreshes;
        ticket = std::move(found.ticket);
        done = now + 200ms;
      }
    }
    return life;
  }

 private:
  std::uint64_t random_ = 12345;
};

TEST_F(RefreshByChance, AHotResponseIsNeverSeenExpired) {
  const auto life = live(2ms, 50);
  EXPECT_EQ(life.expired, 0);
  EXPECT_GE(life.refreshes, 49);
  EXPECT_LE(life.refreshes, 60) << "1.2 fetches a lifetime";
}

TEST_F(RefreshByChance, AColdResponseIsNeverFetchedEarly) { EXPECT_EQ(live(9s, 100).refreshes, 0); }

}  // namespace
}  // namespace forebay::cache
