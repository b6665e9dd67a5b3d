#include "forebay/cache/flight.hpp"

#include "fixture.hpp"

namespace forebay::cache {
namespace {

using Kind = LookupKind;
using State = Flight::State;
using rules::Forward;
using rules::Reason;

struct Loop final : Waker {
  void deliver(Ref<WaitGroup> g) noexcept override {
    while (!g->waiters.empty()) {
      auto& w = g->waiters.front();
      w.stop_waiting();
      w.woken();
    }
  }
};
struct Sleeper final : Waiter {
  int wakes = 0;
  void woken() override { ++wakes; }
};

class Flights : public StoreTest {
 protected:
  // A leader and one who has joined it and waits.
  struct Pair {
    Looked lead, join;
  };
  Pair pair(const Ask& ask = {"/a"}) {
    Pair p{look(ask), look(ask)};
    EXPECT_EQ(p.lead.kind, Kind::Lead);
    EXPECT_EQ(p.join.kind, Kind::Join);
    EXPECT_EQ(p.join.flight, p.lead.ticket.flight());
    p.join.flight->wait(loop, sleeper);
    return p;
  }
  Loop loop;
  Sleeper sleeper;
};

Ask in(const std::string& language) { return {.target = "/v", .fields = {{"Accept-Language", language}}}; }
const Answer kByLanguage{.body = "x", .vary = {"accept-language"}};

TEST_F(Flights, ThousandRequestsForOneKeyHaveOneLeader) {
  auto lead = look("/a");
  ASSERT_EQ(lead.kind, Kind::Lead);
  EXPECT_TRUE(lead.ticket);
  for (int i = 0; i < 1000; ++i) {
    const auto join = look("/a");
    ASSERT_EQ(join.kind, Kind::Join);
    EXPECT_FALSE(join.ticket);
    EXPECT_EQ(join.forward, Forward::UriMiss);
  }
  EXPECT_EQ(lead.ticket.flight()->waiters(), 1000u);
  EXPECT_EQ(store.numbers().waiting, 1000u);
  for (int i = 0; i < 1000; ++i) leave(lead.ticket.flight());
  EXPECT_EQ(store.numbers().waiting, 0u);
}

TEST_F(Flights, LandingPublishesHeadAndBodyAndWakes) {
  auto p = pair();
  land(p.lead.ticket, {.body = "first bytes"});
  EXPECT_EQ(sleeper.wakes, 1);
  ASSERT_EQ(p.join.flight->state(), State::Landed);
  EXPECT_EQ(p.join.flight->head()->head().status, 200);
  EXPECT_EQ(p.join.flight->body()->length(), 11u);
  EXPECT_EQ(p.join.flight->freshness().lifetime, Duration(60s));
  EXPECT_TRUE(p.join.flight->joinable());
  EXPECT_TRUE(p.lead.ticket) << "there is still a commit to come";
}

TEST_F(Flights, ALandedFlightIsJoinedByWhoeverComesWhileItStreams) {
  auto p = pair();
  land(p.lead.ticket, {});
  const auto late = look("/a");
  ASSERT_EQ(late.kind, Kind::Join);
  EXPECT_EQ(late.flight->state(), State::Landed);
  ASSERT_TRUE(commit(p.lead.ticket, {}));
  EXPECT_EQ(look("/a").kind, Kind::Fresh);
  EXPECT_EQ(late.flight->state(), State::Landed) << "who streams goes on";
}

TEST_F(Flights, ALandedFlightThatHasGoneStaleIsNotJoined) {
  auto p = pair();
  land(p.lead.ticket, {.lifetime = 5s});
  now += 6s;
  EXPECT_EQ(look("/a").kind, Kind::Lead);
}

TEST_F(Flights, ACommitTakesTheFlightOutAndPutsTheEntryIn) {
  auto p = pair();
  land(p.lead.ticket, {.body = "hello"});
  const auto done = commit(p.lead.ticket, {.body = "hello"});
  ASSERT_TRUE(done.entry);
  EXPECT_FALSE(p.lead.ticket);
  const auto hit = look("/a");
  EXPECT_EQ(hit.kind, Kind::Fresh);
  EXPECT_EQ(hit.entry, done.entry) << "what was made is given back, for another tier to keep";
  EXPECT_EQ(text_of(*hit.entry), "hello");
}

TEST_F(Flights, ACommitWithoutALandingSendsTheFollowersToTheStore) {
  auto p = pair();
  EXPECT_TRUE(commit(p.lead.ticket, {}));
  EXPECT_EQ(sleeper.wakes, 1);
  EXPECT_EQ(p.join.flight->state(), State::Abandoned);
  EXPECT_EQ(look("/a").kind, Kind::Fresh);
}

TEST_F(Flights, ALandedFlightDroppedIsFoundNoMoreAndWhatWasStoredStays) {
  put("/a", {.body = "old", .fields = {{"ETag", "\"1\""}}});
  now += 61s;
  auto lead = look("/a");
  ASSERT_NE(lead.entry, nullptr);
  land(lead.ticket, {});
  const auto flight = lead.ticket.flight();
  lead.ticket.drop();
  EXPECT_EQ(flight->state(), State::Landed);
  auto next = look("/a");
  EXPECT_EQ(next.kind, Kind::Lead);
  EXPECT_EQ(text_of(*next.entry), "old");
}

TEST_F(Flights, ADroppedTicketIsAbandonedAndOneFollowerTakesOver) {
  auto p = pair();
  { const auto gone = std::move(p.lead); }
  EXPECT_EQ(sleeper.wakes, 1);
  EXPECT_EQ(p.join.flight->state(), State::Abandoned);
  leave(p.join.flight);
  auto again = look("/a");
  EXPECT_EQ(again.kind, Kind::Lead);
  EXPECT_EQ(look("/a").kind, Kind::Join);
}

TEST_F(Flights, AMovedTicketIsSettledOnce) {
  auto lead = look("/a");
  Ticket t = std::move(lead.ticket);
  EXPECT_FALSE(lead.ticket);
  const auto flight = t.flight();
  Ticket u;
  u = std::move(t);
  EXPECT_EQ(flight->state(), State::Waiting);
  u = Ticket();
  EXPECT_EQ(flight->state(), State::Abandoned);
}

TEST_F(Flights, AFailureReachesAllAndNobodyIsLeftToFind) {
  auto p = pair();
  p.lead.ticket.fail({504, true, false, "7", "too slow"});
  EXPECT_EQ(sleeper.wakes, 1);
  ASSERT_EQ(p.join.flight->state(), State::Failed);
  EXPECT_EQ(p.join.flight->failure().status, 504);
  EXPECT_EQ(p.join.flight->failure().retry_after, "7");
  EXPECT_FALSE(p.lead.ticket);
  EXPECT_EQ(look("/a").kind, Kind::Lead);
}

const Failure kLeaders{500, false, true, "", "", true};

TEST_F(Flights, ThoseWhoWaitedOnALeaderThatFailedTryOnceMoreTogether) {
  auto lead = look("/a");
  const auto failed = lead.ticket.flight();
  for (int i = 0; i < 5; ++i) look("/a");
  lead.ticket.fail(kLeaders);
  auto second = retry({"/a"}, failed);
  ASSERT_EQ(second.kind, Kind::Lead);
  const auto flight = second.ticket.flight();
  EXPECT_EQ(retry({"/a"}, failed).flight, flight);
  second.ticket.fail(kLeaders);
  EXPECT_TRUE(flight->second()) << "its failure is for all";
  for (int i = 0; i < 2; ++i) {
    const auto late = retry({"/a"}, failed);
    EXPECT_EQ(late.kind, Kind::Join) << "however late he is";
    EXPECT_EQ(late.flight, flight);
    leave(flight);
  }
  EXPECT_EQ(retry({"/a"}, failed).flight, flight);
  EXPECT_EQ(failed->waiters(), 0u);
  EXPECT_EQ(flight->waiters(), 2u);
  auto next = look("/a");
  EXPECT_EQ(next.kind, Kind::Lead) << "who comes later has nothing to do with it";
  EXPECT_FALSE(next.ticket.flight()->second());
}

TEST_F(Flights, ASecondTryIsTheFetchThatIsOnItsWayAlready) {
  auto p = pair();
  const auto failed = p.join.flight;
  const auto other = look("/a").flight;
  p.lead.ticket.fail(kLeaders);
  auto fresh = look("/a");
  ASSERT_EQ(fresh.kind, Kind::Lead);
  const auto joined = retry({"/a"}, failed);
  EXPECT_EQ(joined.kind, Kind::Join);
  EXPECT_EQ(joined.flight, fresh.ticket.flight());
  EXPECT_TRUE(joined.flight->second());
  fresh.ticket.fail(kLeaders);
  EXPECT_EQ(retry({"/a"}, failed).flight, joined.flight);
  EXPECT_EQ(look("/a").kind, Kind::Lead);
}

TEST_F(Flights, ASecondTryIsServedFromWhatIsStoredByNow) {
  auto p = pair();
  p.lead.ticket.fail(kLeaders);
  put("/a");
  EXPECT_EQ(retry({"/a"}, p.join.flight).kind, Kind::Fresh);
}

TEST_F(Flights, ASecondTryIsFollowedAlsoWhereItIsNotListed) {
  auto p = pair();
  look("/a");
  p.lead.ticket.fail(kLeaders);
  put("/a", {.lifetime = 0s, .vary = {"x"}});
  std::vector<Looked> others;  // as many flights as are listed
  for (int i = 0; i < 64; ++i) others.push_back(look({.target = "/a", .fields = {{"X", std::to_string(i)}}}));
  const auto second = retry({"/a"}, p.join.flight);
  ASSERT_EQ(second.kind, Kind::Lead);
  EXPECT_EQ(retry({"/a"}, p.join.flight).flight, second.ticket.flight());
}

TEST_F(Flights, AFollowerOfAFailedFetchHasTheStaleEntry) {
  put("/a", {.fields = {{"ETag", "\"1\""}}});
  now += 61s;
  auto p = pair();
  EXPECT_NE(p.join.entry, nullptr);
  EXPECT_EQ(p.join.entry, p.lead.entry);
  EXPECT_EQ(p.join.forward, Forward::Stale);
}

TEST_F(Flights, WhatIsForOneRequestAloneSetsPassMemoryUntilItsTime) {
  auto p = pair();
  p.lead.ticket.own(Reason::Private, false, now + 10s);
  EXPECT_EQ(sleeper.wakes, 1);
  EXPECT_EQ(p.join.flight->state(), State::NotShareable);
  EXPECT_EQ(p.join.flight->own_reason(), Reason::Private);
  EXPECT_FALSE(p.join.flight->own_by_request());
  for (int i = 0; i < 3; ++i) {
    auto pass = look("/a");
    EXPECT_EQ(pass.kind, Kind::Pass);
    EXPECT_EQ(pass.reason, Reason::PassMemory);
    EXPECT_EQ(pass.pass_memory.cause, Reason::Private);
    EXPECT_EQ(pass.pass_memory.left, 10s);
    EXPECT_TRUE(pass.ticket) << "its answer may show that the key has become cacheable";
  }
  now += 4s;
  EXPECT_EQ(peek({"/a"}).pass_memory.cause, Reason::Private);
  EXPECT_EQ(peek({"/a"}).pass_memory.left, 6s);
  now += 6s;
  EXPECT_FALSE(peek({"/a"}).pass_memory);
  const auto lead = look("/a");
  EXPECT_EQ(lead.kind, Kind::Lead);
  EXPECT_FALSE(lead.pass_memory);
}

TEST_F(Flights, PassMemoryHasTheCauseThatKeepsItTheLongest) {
  const auto own = [&](Reason reason, Duration time) {
    store.private_ticket(key_of("/a")).own(reason, false, now + time);
    return look("/a").pass_memory;
  };
  EXPECT_EQ(own(Reason::NoStore, 10s).cause, Reason::NoStore);
  EXPECT_EQ(own(Reason::SetCookie, 10s).cause, Reason::SetCookie) << "of two that last as long the newest";
  EXPECT_EQ(own(Reason::Private, 5s).cause, Reason::SetCookie);
  EXPECT_EQ(own(Reason::Private, 5s).left, 10s);
  EXPECT_EQ(own(Reason::ZeroTtl, 20s).cause, Reason::ZeroTtl);
}

TEST_F(Flights, AStoredAnswerEndsPassMemory) {
  auto lead = look("/a");
  lead.ticket.own(Reason::Private, false, now + 10s);
  lead.ticket.drop();
  auto pass = look("/a");
  ASSERT_TRUE(commit(pass.ticket, {.lifetime = 2s}));
  EXPECT_EQ(look("/a").kind, Kind::Fresh);
  now += 3s;
  EXPECT_EQ(look("/a").kind, Kind::Lead) << "no trace of it";
}

TEST_F(Flights, AnEntryToValidateEachTimeKeepsPassMemoryBesideIt) {
  for (const bool no_cache : {true, false}) {
    const std::string path = no_cache ? "/no-cache" : "/zero";
    auto lead = look(path);
    lead.ticket.own(Reason::None, false, now + 10s);
    ASSERT_TRUE(commit(lead.ticket, {.lifetime = no_cache ? 60s : 0s, .no_cache = no_cache}));
    for (int i = 0; i < 3; ++i) {
      auto pass = look(path);
      EXPECT_EQ(pass.kind, Kind::Pass);
      EXPECT_EQ(pass.reason, Reason::PassMemory);
      EXPECT_NE(pass.entry, nullptr);
      EXPECT_TRUE(pass.ticket);
    }
  }
}

TEST_F(Flights, AHeadLeadsOrJoinsWhereNothingIsStored) {
  auto lead = look({.target = "/a", .head = true});
  EXPECT_EQ(lead.kind, Kind::Lead);
  ASSERT_TRUE(lead.ticket);
  auto join = look({.target = "/a", .head = true});
  EXPECT_EQ(join.kind, Kind::Join);
  EXPECT_EQ(look("/a").kind, Kind::Join) << "a GET waits for it as well";
  land(lead.ticket, {});
  EXPECT_EQ(look({.target = "/a", .head = true}).kind, Kind::Join) << "the head is there";
  ASSERT_TRUE(commit(lead.ticket, {.lifetime = 2s}));
  EXPECT_EQ(look({.target = "/a", .head = true}).kind, Kind::Fresh);
  now += 3s;
  auto stale = look({.target = "/a", .head = true});
  EXPECT_EQ(stale.kind, Kind::Pass) << "it validates";
  EXPECT_FALSE(stale.ticket);
  EXPECT_NE(stale.entry, nullptr);
  EXPECT_EQ(stale.reason, Reason::None);
}

TEST_F(Flights, AHeadFetchesNothingForOthersWhereThatWouldBeInVain) {
  store.private_ticket(key_of("/a")).own(Reason::Private, false, now + 10s);
  for (const bool coalesces : {true, false}) {
    policy.coalesce.enabled = coalesces;
    const auto pass = look({.target = "/a", .head = true});
    EXPECT_EQ(pass.kind, Kind::Pass);
    EXPECT_EQ(pass.reason, Reason::PassMemory);
    EXPECT_FALSE(pass.ticket);
    EXPECT_FALSE(look({.target = "/a", .refresh = true, .head = true}).ticket);
    EXPECT_TRUE(look({.target = "/b", .refresh = true, .head = true}).ticket);
    EXPECT_FALSE(look({.target = "/b", .head = true, .endless = true}).ticket);
    EXPECT_FALSE(look({.target = "/b", .may_lead = false, .head = true}).ticket);
    const auto no_store = look({.target = "/b", .no_store = true, .head = true});
    EXPECT_FALSE(no_store.ticket);
    EXPECT_EQ(no_store.reason, Reason::RequestNoStore);
  }
}

TEST_F(Flights, AHeadStartsNoRefreshOfWhatIsStored) {
  policy.stale.while_revalidate = 60s;
  policy.refresh_ahead.share = 0.5;
  auto lead = look("/a");
  ASSERT_TRUE(commit(lead.ticket, {.lifetime = 10s}));
  now += 8s;
  EXPECT_FALSE(look({.target = "/a", .head = true}).ticket) << "ahead of its end";
  EXPECT_FALSE(look({.target = "/a", .refresh = true, .head = true}).ticket);
  now += 8s;
  const auto stale = look({.target = "/a", .head = true});
  EXPECT_EQ(stale.kind, Kind::Stale);
  EXPECT_FALSE(stale.ticket);
  EXPECT_TRUE(look("/a").ticket);
}

TEST_F(Flights, WhatTheRequestBroughtUponItselfIsNotRemembered) {
  auto p = pair();
  p.lead.ticket.own(Reason::Authorization, true, {});
  EXPECT_TRUE(p.join.flight->own_by_request());
  EXPECT_EQ(look("/a").kind, Kind::Lead);
}

TEST_F(Flights, OfAPrivateFlightPassMemoryIsSetToo) {
  auto ticket = store.private_ticket(key_of("/a"));
  ticket.own(Reason::SetCookie, false, now + 10s);
  EXPECT_EQ(look("/a").kind, Kind::Pass);
}

TEST_F(Flights, ABodyThatOutgrowsTheLimitClosesJoinsAndSetsPassMemory) {
  auto p = pair();
  land(p.lead.ticket, {});
  p.lead.ticket.outgrow(now + 10s);
  EXPECT_FALSE(p.join.flight->joinable());
  EXPECT_EQ(p.join.flight->state(), State::Landed) << "who has joined goes on";
  const auto next = look("/a");
  EXPECT_EQ(next.kind, Kind::Pass);
  EXPECT_EQ(next.reason, Reason::PassMemory);
  EXPECT_EQ(next.pass_memory.cause, Reason::TooLarge);
}

TEST_F(Flights, WaitersAreBoundedByKey) {
  policy.coalesce.max_waiters = 2;
  auto lead = look("/a");
  const auto one = look("/a"), two = look("/a");
  const auto three = look("/a");
  EXPECT_EQ(three.kind, Kind::QueueFull);
  EXPECT_FALSE(three.ticket);
  ASSERT_EQ(three.flight, lead.ticket.flight()) << "to supersede it";
  leave(three.flight);
  leave(one.flight);
  EXPECT_EQ(look("/a").kind, Kind::Join);
  land(lead.ticket, {});
  EXPECT_EQ(look("/a").kind, Kind::Join) << "nobody waits for a head that is there";
}

TEST_F(Flights, WhoFindsTheQueueFullMaySupersedeAtOnce) {
  policy.coalesce.max_waiters = 1;
  auto lead = look("/a");
  const auto waits = look("/a");
  const auto full = look("/a");
  ASSERT_EQ(full.kind, Kind::QueueFull);
  auto second = supersede({"/a"}, full.flight);
  EXPECT_EQ(second.kind, Kind::Lead);
  EXPECT_EQ(lead.ticket.flight()->waiters(), 1u);
  EXPECT_EQ(look("/a").flight, second.ticket.flight());
}

TEST_F(Flights, TheFirstWhoseWaitIsOverSupersedesAndTheRestJoinHim) {
  auto lead = look("/a");
  auto one = look("/a"), two = look("/a");
  auto first = supersede({"/a"}, one.flight);
  ASSERT_EQ(first.kind, Kind::Lead);
  EXPECT_NE(first.ticket.flight(), lead.ticket.flight());
  auto second = supersede({"/a"}, two.flight);
  ASSERT_EQ(second.kind, Kind::Join);
  EXPECT_EQ(second.flight, first.ticket.flight());
  EXPECT_EQ(lead.ticket.flight()->waiters(), 0u);
  EXPECT_EQ(store.numbers().waiting, 1u);
  EXPECT_TRUE(commit(lead.ticket, {.body = "late"})) << "a slow answer is an answer";
  EXPECT_EQ(look("/a").kind, Kind::Fresh);
}

TEST_F(Flights, WhoIsLateWithSupersedingTakesWhatIsThere) {
  auto lead = look("/a");
  auto join = look("/a");
  land(lead.ticket, {});
  EXPECT_EQ(supersede({"/a"}, join.flight).kind, Kind::Join);
  auto again = look("/a");
  commit(lead.ticket, {});
  EXPECT_EQ(supersede({"/a"}, again.flight).kind, Kind::Fresh);
}

// --- refreshes ---

TEST_F(Flights, OneOfManyStaleHitsStartsTheRefresh) {
  policy.stale.while_revalidate = 30s;
  put("/a");
  now += 61s;
  auto first = look("/a");
  ASSERT_EQ(first.kind, Kind::Stale);
  EXPECT_TRUE(first.ticket);
  for (int i = 0; i < 1000; ++i) {
    const auto next = look("/a");
    ASSERT_EQ(next.kind, Kind::Stale);
    EXPECT_FALSE(next.ticket);
    EXPECT_NE(next.entry, nullptr);
  }
  land(first.ticket, {});
  EXPECT_EQ(look("/a").kind, Kind::Stale) << "still whole in memory while the new one streams";
  EXPECT_FALSE(look("/a").ticket);
  first.ticket.fail({});
  EXPECT_TRUE(look("/a").ticket);
}

TEST_F(Flights, AfterTheWindowAllWaitForTheOneValidation) {
  policy.stale.while_revalidate = 30s;
  put("/a", {.fields = {{"ETag", "\"1\""}}});
  now += 91s;
  auto lead = look("/a");
  ASSERT_EQ(lead.kind, Kind::Lead);
  ASSERT_NE(lead.entry, nullptr);
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(look("/a").kind, Kind::Join);
}

TEST_F(Flights, VariantsDoNotWaitForEachOther) {
  put(in("de"), kByLanguage);
  put(in("en"), kByLanguage);
  now += 61s;
  auto de = look(in("de")), en = look(in("en")), fr = look(in("fr"));
  EXPECT_EQ(de.kind, Kind::Lead);
  EXPECT_EQ(en.kind, Kind::Lead);
  EXPECT_EQ(fr.kind, Kind::Lead);
  EXPECT_EQ(look(in("de")).flight, de.ticket.flight());
  EXPECT_EQ(look(in("en")).flight, en.ticket.flight());
  EXPECT_EQ(look(in("fr")).flight, fr.ticket.flight());
}

TEST_F(Flights, WhileVaryIsUnknownAllWaitForOneAndThenEachKindHasItsOwn) {
  auto de = look(in("de"));
  auto en = look(in("en"));
  ASSERT_EQ(en.kind, Kind::Join);
  land(de.ticket, kByLanguage, in("de").fields);
  EXPECT_FALSE(en.flight->is_for(Unchanged(fields_of(in("en").fields).view())));
  EXPECT_TRUE(en.flight->is_for(Unchanged(fields_of(in("de").fields).view())));
  leave(en.flight);
  auto again = look(in("en"));
  EXPECT_EQ(again.kind, Kind::Lead) << "under its own secondary key";
  EXPECT_EQ(look(in("en")).flight, again.ticket.flight());
  const auto same = look(in("de"));
  EXPECT_EQ(same.kind, Kind::Join);
  EXPECT_EQ(same.flight, de.ticket.flight()) << "behind the one that streams";
}

TEST_F(Flights, AStrangersVaryValuesDoNotFillTheTableOfFlights) {
  put(in("de"), kByLanguage);
  std::vector<Looked> leads;
  for (int i = 0; i < 500; ++i) {
    leads.push_back(look(in("x" + std::to_string(i))));
    ASSERT_EQ(leads.back().kind, Kind::Lead);
    ASSERT_TRUE(leads.back().ticket);
  }
  EXPECT_EQ(look(in("x1")).kind, Kind::Join);
  auto unlisted = look(in("x400"));
  EXPECT_EQ(unlisted.kind, Kind::Lead);
  EXPECT_TRUE(commit(unlisted.ticket, kByLanguage, in("x400").fields)) << "stored all the same";
  EXPECT_EQ(look(in("x400")).kind, Kind::Fresh);
}

TEST_F(Flights, OfAnotherConfigurationAreNotJoined) {
  auto old = look({.target = "/a", .fingerprint = 1});
  auto fresh = look({.target = "/a", .fingerprint = 2});
  EXPECT_EQ(fresh.kind, Kind::Lead);
  EXPECT_EQ(look({.target = "/a", .fingerprint = 1}).flight, old.ticket.flight());
  EXPECT_EQ(look({.target = "/a", .fingerprint = 2}).flight, fresh.ticket.flight());
}

// --- requests of their own kind ---

TEST_F(Flights, WithoutCoalescingEachFetchesForItselfAndStores) {
  policy.coalesce.enabled = false;
  auto one = look("/a"), two = look("/a");
  EXPECT_EQ(one.kind, Kind::Lead);
  EXPECT_EQ(two.kind, Kind::Lead);
  EXPECT_TRUE(commit(two.ticket, {.body = "two"}));
  EXPECT_EQ(text_of(*entry({"/a"})), "two");
}

TEST_F(Flights, ARequestWithNoStoreNeitherLeadsNorJoinsButIsServedFromTheStore) {
  const Ask ask{.target = "/a", .no_store = true};
  auto miss = look(ask);
  EXPECT_EQ(miss.kind, Kind::Pass);
  EXPECT_EQ(miss.reason, Reason::RequestNoStore);
  EXPECT_FALSE(miss.ticket);
  auto lead = look("/a");
  EXPECT_EQ(look(ask).kind, Kind::Pass);
  commit(lead.ticket, {});
  EXPECT_EQ(look(ask).kind, Kind::Fresh);
}

TEST_F(Flights, WhoAsksForWhatIsStoredAloneLeavesNoTraceWhereNothingIs) {
  const Ask ask{.target = "/a", .only_stored = true};
  EXPECT_EQ(look(ask).kind, Kind::Pass);
  auto lead = look("/a");
  ASSERT_EQ(lead.kind, Kind::Lead);
  const auto beside = look(ask);
  EXPECT_EQ(beside.kind, Kind::Pass);
  EXPECT_EQ(beside.flight, nullptr);
  EXPECT_EQ(lead.ticket.flight()->waiters(), 0u);
  commit(lead.ticket, {.fields = {{"ETag", "\"1\""}}});
  EXPECT_EQ(look(ask).kind, Kind::Fresh);
  EXPECT_EQ(peek({.target = "/a"}).hits, 1u);
  now += 61s;
  const auto stale = look(ask);
  EXPECT_EQ(stale.kind, Kind::Lead) << "with the right to fetch";
  EXPECT_TRUE(stale.ticket);
  EXPECT_TRUE(stale.entry);
}

TEST_F(Flights, ARequestThatMayNotFlyPassesWhereItWouldLeadOrJoin) {
  const Ask ask{.target = "/a", .may_lead = false};
  auto miss = look(ask);
  EXPECT_EQ(miss.kind, Kind::Pass);
  EXPECT_EQ(miss.forward, Forward::UriMiss);
  EXPECT_FALSE(miss.ticket);
  auto lead = look("/a");
  EXPECT_EQ(look(ask).kind, Kind::Pass);
  commit(lead.ticket, {.fields = {{"ETag", "\"1\""}}});
  EXPECT_EQ(look(ask).kind, Kind::Fresh);
  now += 61s;
  auto stale = look(ask);
  EXPECT_EQ(stale.kind, Kind::Pass);
  EXPECT_EQ(stale.forward, Forward::Stale);
  EXPECT_NE(stale.entry, nullptr) << "to validate";
}

TEST_F(Flights, ARequestWithAuthorizationJoinsButDoesNotGetWhatLandedForOthers) {
  const Ask ask{.target = "/a", .authorization = true};
  auto lead = look("/a");
  EXPECT_EQ(look(ask).kind, Kind::Join);
  land(lead.ticket, {});
  const auto late = look(ask);
  EXPECT_EQ(late.kind, Kind::Pass);
  EXPECT_EQ(late.reason, Reason::Authorization);
}

// --- odd orders ---

TEST_F(Flights, NothingHappensWhenAFlightEndsTwice) {
  auto p = pair();
  const auto flight = p.join.flight;
  p.lead.ticket.own(Reason::Private, false, {});
  land(p.lead.ticket, {});
  EXPECT_EQ(flight->state(), State::NotShareable);
  p.lead.ticket.fail({});
  EXPECT_EQ(flight->state(), State::NotShareable);
  p.lead.ticket.drop();
  p.lead.ticket.drop();
  EXPECT_EQ(sleeper.wakes, 1);
  Ticket none;
  none.drop();
  none.fail({});
  none.own(Reason::Private, false, now + 1s);
  none.outgrow(now + 1s);
  land(none, {});
  EXPECT_FALSE(commit(none, {}));
}

TEST_F(Flights, APurgedFlightServesItsFollowersAndNobodyElse) {
  auto p = pair();
  store.invalidate({key_of("/a").resource()});
  land(p.lead.ticket, {.body = "old"});
  EXPECT_EQ(sleeper.wakes, 1);
  EXPECT_EQ(p.join.flight->state(), State::Landed);
  EXPECT_EQ(look("/a").kind, Kind::Lead);
}

TEST_F(Flights, LeaveNothingBehindWhenAllIsOver) {
  for (int i = 0; i < 100; ++i) {
    auto lead = look("/" + std::to_string(i));
    auto join = look("/" + std::to_string(i));
    leave(join.flight);
    switch (i % 4) {
      case 0: lead.ticket.drop(); break;
      case 1: lead.ticket.fail({}); break;
      case 2: lead.ticket.own(Reason::NoStore, true, {}); break;
      case 3: land(lead.ticket, {}); break;
    }
  }
  EXPECT_EQ(store.numbers().slots, 0u);
  EXPECT_EQ(store.numbers().bytes, 0u);
  EXPECT_EQ(store.numbers().waiting, 0u);
}

}  // namespace
}  // namespace forebay::cache
