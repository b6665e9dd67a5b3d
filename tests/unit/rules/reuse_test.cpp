#include "forebay/rules/reuse.hpp"

#include <gtest/gtest.h>

#include "unit/rules/heads.hpp"

namespace forebay::rules {
namespace {

using test::Answer;
using test::Ask;
using test::judged;
using test::t0;

Reuse reuse(const Freshness& f, Duration later, const Policy& policy = {}, const Ask& ask = {}) {
  return may_reuse(f, test::facts(ask, policy), policy, t0() + later);
}

Freshness stored(std::string_view cache_control) {
  Answer answer(cache_control);
  answer.with("ETag", "\"a\"");
  return judged(answer).freshness;
}

Policy windows(Duration while_revalidate, Duration if_error) {
  Policy policy;
  policy.stale.while_revalidate = while_revalidate;
  policy.stale.if_error = if_error;
  return policy;
}

TEST(Reuse, StaleEntryIsServedWhileRevalidatingUntilTheWindowCloses) {
  const auto f = stored("max-age=60, stale-while-revalidate=30");
  EXPECT_EQ(reuse(f, 0s), Reuse::Fresh);
  EXPECT_EQ(reuse(f, 59999ms), Reuse::Fresh);
  EXPECT_EQ(reuse(f, 60s), Reuse::WhileRevalidating);
  EXPECT_EQ(reuse(f, 89999ms), Reuse::WhileRevalidating);
  EXPECT_EQ(reuse(f, 90s), Reuse::Validate);
}

TEST(Reuse, WithoutAnyWindowAStaleEntryIsValidated) {
  EXPECT_EQ(reuse(stored("max-age=60"), 60s), Reuse::Validate);
  EXPECT_EQ(reuse(stored("max-age=0"), 0s), Reuse::Validate);
}

TEST(Reuse, AgeCountsFromBeforeItCame) {
  const auto f = judged(Answer({{"Cache-Control", "max-age=60"}, {"Age", "50"}})).freshness;
  EXPECT_EQ(reuse(f, 9s), Reuse::Fresh);
  EXPECT_EQ(reuse(f, 10s), Reuse::Validate);
  EXPECT_EQ(whole_seconds(f.ttl(t0() + 15s)), -5);
}

TEST(Reuse, TheOriginsWindowWinsOverTheRoutes) {
  const auto policy = windows(100s, 100s);
  EXPECT_EQ(reuse(stored("max-age=60"), 159s, policy), Reuse::WhileRevalidating);
  EXPECT_EQ(reuse(stored("max-age=60, stale-while-revalidate=5"), 66s, policy), Reuse::Validate);
  EXPECT_EQ(reuse(stored("max-age=60, stale-while-revalidate=0"), 61s, policy), Reuse::Validate);
}

TEST(Reuse, NothingThatForbidsStaleIsServedStale) {
  const auto policy = windows(100s, 100s);
  for (const auto* strict : {"must-revalidate", "proxy-revalidate", "no-cache", "s-maxage=60"}) {
    const auto f = stored(std::string("max-age=60, ") + strict);
    EXPECT_EQ(reuse(f, 61s, policy), Reuse::Validate) << strict;
    EXPECT_FALSE(may_serve_on_error(f, {}, policy, t0() + 61s)) << strict;
    const auto both = stored(std::string("max-age=60, stale-if-error=600, ") + strict);
    EXPECT_FALSE(may_serve_on_error(both, {}, policy, t0() + 61s)) << strict;
  }
}

TEST(Reuse, AnExplicitStaleWhileRevalidateBesideSMaxageIsHonoured) {
  EXPECT_EQ(reuse(stored("s-maxage=60, stale-while-revalidate=300"), 61s), Reuse::WhileRevalidating);
  for (const auto* strict : {"must-revalidate", "proxy-revalidate", "no-cache"}) {
    const auto f = stored(std::string("s-maxage=60, stale-while-revalidate=300, ") + strict);
    EXPECT_EQ(reuse(f, 61s), Reuse::Validate) << strict;
  }
  const auto other_field =
      judged(Answer({{"CDN-Cache-Control", "s-maxage=60"}, {"Cache-Control", "stale-while-revalidate=300"}}));
  EXPECT_EQ(reuse(other_field.freshness, 61s), Reuse::Validate) << "it has to stand in the same field";
}

TEST(Reuse, NoCacheIsValidatedAtEachUse) {
  const auto f = stored("no-cache, max-age=1000");
  EXPECT_EQ(reuse(f, 0s, windows(100s, 100s)), Reuse::Validate);
  EXPECT_FALSE(may_serve_on_error(f, {}, windows(100s, 100s), t0()));
  EXPECT_EQ(forward_reason(f, {}, {}, t0()), Forward::Stale);
}

TEST(Reuse, AuthorizedRequestsGetOnlyWhatMayBeShared) {
  const Ask authorized({{"Authorization", "Bearer x"}});
  EXPECT_EQ(reuse(stored("max-age=60"), 0s, {}, authorized), Reuse::NotForThis);
  EXPECT_EQ(forward_reason(stored("max-age=60"), test::facts(authorized), {}, t0()), Forward::Request);
  for (const auto* shared : {"public, max-age=60", "must-revalidate, max-age=60", "s-maxage=60"}) {
    EXPECT_EQ(reuse(stored(shared), 0s, {}, authorized), Reuse::Fresh) << shared;
  }
  EXPECT_EQ(reuse(stored("proxy-revalidate, max-age=60"), 0s, {}, authorized), Reuse::NotForThis);
  Policy policy;
  policy.authorization = AuthorizationRule::Key;
  EXPECT_EQ(reuse(stored("max-age=60"), 0s, policy, authorized), Reuse::Fresh);
  policy.authorization = AuthorizationRule::Share;
  EXPECT_EQ(reuse(stored("max-age=60"), 0s, policy, authorized), Reuse::Fresh);
}

struct ClientCase {
  std::string_view directive;
  Duration later;
  Reuse respected;
};

TEST(Reuse, ClientDirectivesCountWhereTheRouteRespectsThem) {
  const auto f = stored("max-age=60");
  const ClientCase cases[] = {
      {"no-cache", 1s, Reuse::Validate},      {"max-age=0", 0s, Reuse::Validate},
      {"max-age=5", 4s, Reuse::Fresh},        {"max-age=5", 6s, Reuse::Validate},
      {"min-fresh=30", 20s, Reuse::Fresh},    {"min-fresh=30", 31s, Reuse::Validate},
      {"max-stale=10", 65s, Reuse::MaxStale}, {"max-stale=10", 70s, Reuse::MaxStale},
      {"max-stale=10", 71s, Reuse::Validate}, {"max-stale", 3600s, Reuse::MaxStale},
      {"max-age=100", 61s, Reuse::Validate},  {"no-store", 1s, Reuse::Fresh},
      {"only-if-cached", 1s, Reuse::Fresh},   {"whatever", 1s, Reuse::Fresh},
  };
  Policy respect;
  respect.client_cache_control = true;
  for (const auto& c : cases) {
    const Ask ask({{"Cache-Control", c.directive}});
    EXPECT_EQ(reuse(f, c.later, respect, ask), c.respected) << c.directive << " after " << c.later.count();
    EXPECT_EQ(reuse(f, c.later, {}, ask), c.later < 60s ? Reuse::Fresh : Reuse::Validate) << c.directive << " ignored";
  }
  EXPECT_EQ(reuse(f, 1s, respect, Ask({{"Pragma", "no-cache"}})), Reuse::Validate);
}

TEST(Reuse, AReloadOfAFreshImmutableResponseIsNotValidated) {
  Policy policy;
  policy.client_cache_control = true;
  const auto asks = [](const char* value) { return Ask({{"Cache-Control", value}}); };
  const auto f = stored("max-age=60, immutable, stale-while-revalidate=600");
  EXPECT_EQ(reuse(f, 30s, policy, asks("max-age=0")), Reuse::Fresh);
  EXPECT_EQ(reuse(f, 30s, policy, asks("no-cache")), Reuse::Validate);
  EXPECT_EQ(reuse(f, 30s, policy, asks("no-cache, max-age=0")), Reuse::Validate);
  EXPECT_EQ(reuse(f, 30s, policy, asks("max-age=10")), Reuse::Validate) << "a client that states an age";
  EXPECT_EQ(reuse(f, 30s, policy, asks("max-age=0, min-fresh=40")), Reuse::Validate);
  EXPECT_EQ(reuse(f, 60s, policy, asks("max-age=0")), Reuse::Validate) << "stale";
  EXPECT_EQ(reuse(stored("max-age=60"), 30s, policy, asks("max-age=0")), Reuse::Validate);
  auto purged = f;
  purged.purged = true;
  EXPECT_EQ(reuse(purged, 30s, policy, asks("max-age=0")), Reuse::Validate);
}

TEST(Reuse, MaxStaleDoesNotLiftWhatTheOriginForbids) {
  Policy respect;
  respect.client_cache_control = true;
  const Ask ask({{"Cache-Control", "max-stale"}});
  for (const auto* strict :
       {"max-age=60, must-revalidate", "max-age=60, proxy-revalidate", "s-maxage=60", "max-age=60, no-cache"}) {
    EXPECT_EQ(reuse(stored(strict), 61s, respect, ask), Reuse::Validate) << strict;
  }
}

TEST(Reuse, AClientThatBoundsTheAgeGetsNothingStale) {
  Policy respect = windows(100s, 0s);
  respect.client_cache_control = true;
  const auto f = stored("max-age=60");
  EXPECT_EQ(reuse(f, 61s, respect, Ask({{"Cache-Control", "max-age=300"}})), Reuse::Validate);
  EXPECT_EQ(reuse(f, 61s, respect, Ask({{"Cache-Control", "max-age=300, max-stale=5"}})), Reuse::WhileRevalidating);
  EXPECT_EQ(reuse(f, 61s, respect), Reuse::WhileRevalidating);
}

TEST(Reuse, WhatWasMarkedStaleIsNeverFreshAgain) {
  auto f = stored("max-age=60");
  f.purged = true;
  EXPECT_EQ(reuse(f, 1s), Reuse::Validate);
  EXPECT_EQ(reuse(f, 1s, windows(10s, 0s)), Reuse::WhileRevalidating) << "a soft purge leaves the windows open";
  EXPECT_TRUE(may_serve_on_error(f, {}, windows(0s, 10s), t0() + 1s));
}

TEST(Reuse, WhatCsrfPreventionLetInIsNotForAGetThatItRefuses) {
  Policy policy;
  policy.guards_preflight = true;
  const auto made_by = [&](const Ask& ask) {
    Answer answer("max-age=60");
    return judge(test::facts(ask, policy), answer.view(), policy, answer.times, true, 0).freshness;
  };
  const auto get = http::Method::Get, post = http::Method::Post;
  const Ask bare({}, get), head({}, http::Method::Head), marked({{"apollo-require-preflight", "true"}}, get),
      named({{"X-Apollo-Operation-Name", "Q"}}, get), typed({{"Content-Type", "application/json"}}, get),
      plain({{"Content-Type", "text/plain; charset=utf-8"}}, get), empty({{"Apollo-Require-Preflight", ""}}, get),
      twice({{"Content-Type", "application/json"}, {"Content-Type", "text/plain"}}, get),
      sent({{"Content-Type", "application/json"}}, post),
      sent_marked({{"Content-Type", "application/json"}, {"Apollo-Require-Preflight", "1"}}, post);
  for (const auto* by : {&marked, &named, &typed, &sent_marked}) {
    for (const auto* simple : {&bare, &head, &plain, &empty, &twice}) {
      EXPECT_EQ(reuse(made_by(*by), 0s, policy, *simple), Reuse::NotForThis);
      EXPECT_EQ(kept_from(made_by(*by), test::facts(*simple, policy)), Reason::Preflight);
    }
    for (const auto* safe : {&marked, &named, &typed, &sent, &sent_marked})
      EXPECT_EQ(reuse(made_by(*by), 0s, policy, *safe), Reuse::Fresh);
  }
  for (const auto* by : {&bare, &sent, &plain})
    for (const auto* any : {&bare, &marked, &sent}) EXPECT_EQ(reuse(made_by(*by), 0s, policy, *any), Reuse::Fresh);
  policy.guards_preflight = false;
  EXPECT_EQ(reuse(made_by(marked), 0s, policy, bare), Reuse::Fresh) << "on other routes the field means nothing";
}

TEST(OnError, StaleMayBeServedUntilTheWindowCloses) {
  const auto origin = stored("max-age=60, stale-if-error=30");
  EXPECT_TRUE(may_serve_on_error(origin, {}, {}, t0() + 60s));
  EXPECT_TRUE(may_serve_on_error(origin, {}, {}, t0() + 89999ms));
  EXPECT_FALSE(may_serve_on_error(origin, {}, {}, t0() + 90s));
  const auto route = windows(0s, 600s);
  EXPECT_TRUE(may_serve_on_error(stored("max-age=60"), {}, route, t0() + 600s));
  EXPECT_FALSE(may_serve_on_error(origin, {}, route, t0() + 91s)) << "the origin's window wins";
  EXPECT_FALSE(may_serve_on_error(stored("max-age=60"), {}, {}, t0() + 60s));
}

TEST(Credential, KeepsAwayWhatOnlyAWindowOfTheRouteWouldServe) {
  struct Row {
    const char* cache_control;
    bool while_revalidating, on_error;  // to who brings a credential
  };
  const Row rows[] = {
      {"max-age=0", false, false},
      {"max-age=0, stale-while-revalidate=60", true, false},
      {"max-age=0, stale-while-revalidate=0", false, false},
      {"max-age=0, stale-if-error=60", false, true},
      {"max-age=0, stale-if-error=0", false, false},
      {"max-age=0, stale-while-revalidate=60, stale-if-error=60", true, true},
      {"max-age=10", true, true},  // shared by the origin's word
      {"max-age=10, stale-while-revalidate=60", true, true},
      {"max-age=0, must-revalidate, stale-while-revalidate=60, stale-if-error=60", false, false},
      {"no-cache", false, false},
  };
  const auto policy = windows(600s, 600s);
  const Ask credentials[] = {Ask({{"Cookie", "a=1"}}), Ask({{"X-Api-Key", "a"}})};
  for (const auto& row : rows) {
    const auto f = stored(row.cache_control);
    for (const auto& ask : credentials) {
      EXPECT_EQ(reuse(f, 11s, policy, ask) == Reuse::WhileRevalidating, row.while_revalidating) << row.cache_control;
      EXPECT_EQ(may_serve_on_error(f, test::facts(ask, policy), policy, t0() + 11s), row.on_error) << row.cache_control;
    }
  }
  // What lives by a configured lifetime is not theirs in any window.
  Policy configured = policy;
  configured.ttl.fallback = 10s;
  const auto f = judged(Answer({{"ETag", "\"a\""}}), configured).freshness;
  ASSERT_TRUE(f.configured);
  for (const auto& ask : credentials) {
    for (const auto later : {1s, 11s}) {
      EXPECT_EQ(reuse(f, later, configured, ask), Reuse::NotForThis);
      EXPECT_FALSE(may_serve_on_error(f, test::facts(ask, configured), configured, t0() + later));
    }
  }
  EXPECT_EQ(reuse(f, 11s, configured), Reuse::WhileRevalidating);
}

TEST(Forward, SaysWhetherTimeOrTheClientWantedIt) {
  Policy respect;
  respect.client_cache_control = true;
  const auto f = stored("max-age=60");
  const auto asks = test::facts(Ask({{"Cache-Control", "no-cache"}}), respect);
  EXPECT_EQ(forward_reason(f, asks, respect, t0() + 1s), Forward::Request);
  EXPECT_EQ(forward_reason(f, asks, respect, t0() + 61s), Forward::Stale);
  EXPECT_EQ(forward_reason(f, {}, respect, t0() + 61s), Forward::Stale);
}

TEST(Useless, AfterTheLongestOfItsUses) {
  const auto f = stored("max-age=60");
  Policy policy;
  policy.keep = 600s;
  EXPECT_EQ(useless_after(f, policy, false), t0() + 60s);
  EXPECT_EQ(useless_after(f, policy, true), t0() + 660s);
  policy.stale.if_error = 3600s;
  EXPECT_EQ(useless_after(f, policy, true), t0() + 3660s);
  EXPECT_EQ(useless_after(stored("max-age=60, must-revalidate"), policy, true), t0() + 660s);
  EXPECT_EQ(useless_after(stored("max-age=60, stale-while-revalidate=5000"), policy, true), t0() + 5060s);
  Policy listens;
  listens.client_cache_control = true;
  EXPECT_EQ(useless_after(f, listens, false), t0() + 60s + listens.keep) << "max-stale may want it";
  const auto old = judged(Answer({{"Cache-Control", "max-age=60"}, {"Age", "100"}, {"ETag", "\"a\""}})).freshness;
  EXPECT_EQ(useless_after(old, Policy{}, true), t0() + Policy{}.keep);
  EXPECT_GT(useless_after(stored("max-age=99999999999, stale-if-error=99999999999"), Policy{}, true), t0());
}

TEST(Reuse, ARefreshByTheClientIsFetchedWhateverIsStored) {
  Policy policy = windows(100s, 0s);
  policy.client_refresh.token = "t";
  const Ask right({{"Forebay-Refresh", "t"}});
  const Ask wrong({{"Forebay-Refresh", "x"}});
  const auto f = stored("max-age=60");
  EXPECT_EQ(reuse(f, 1s, policy, right), Reuse::Validate);
  EXPECT_EQ(reuse(f, 61s, policy, right), Reuse::Validate) << "also within a stale window";
  EXPECT_EQ(reuse(f, 1s, policy, wrong), Reuse::Fresh);
  EXPECT_EQ(reuse(f, 1s, {}, right), Reuse::Fresh) << "a route without a token knows no such field";
  for (const auto later : {1s, 61s}) {
    EXPECT_EQ(forward_reason(f, test::facts(right, policy), policy, t0() + later), Forward::Request);
  }
  EXPECT_EQ(forward_reason(f, test::facts(wrong, policy), policy, t0() + 61s), Forward::Stale);
}

TEST(Served, CountsAsAHitWhileTheLifetimeLastsAndNothingHasMarkedIt) {
  auto f = stored("max-age=60");
  EXPECT_EQ(served_as(f, t0()), CacheResult::Hit);
  EXPECT_EQ(served_as(f, t0() + 60s - 1ns), CacheResult::Hit);
  EXPECT_EQ(served_as(f, t0() + 60s), CacheResult::Stale);
  f.purged = true;
  EXPECT_EQ(served_as(f, t0()), CacheResult::Stale);
}

TEST(Windows, AreTheOriginsWhereItSpeaksAndTheRoutesElse) {
  struct Case {
    std::string_view cache_control;
    Duration while_revalidate, if_error;
    bool swr, sie;
  };
  const Case cases[] = {
      {"max-age=60", 10s, 20s, false, false},
      {"max-age=60, stale-while-revalidate=1", 1s, 20s, true, false},
      {"max-age=60, stale-while-revalidate=1, stale-if-error=0", 1s, 0s, true, true},
      {"max-age=60, must-revalidate, stale-while-revalidate=1, stale-if-error=2", 0s, 0s, false, false},
      {"s-maxage=60, stale-while-revalidate=1, stale-if-error=2", 1s, 0s, true, false},
      {"s-maxage=60", 0s, 0s, false, false},
      {"no-cache, stale-while-revalidate=1, stale-if-error=2", 0s, 0s, false, false},
  };
  for (const auto& c : cases) {
    const auto w = windows_of(stored(c.cache_control), windows(10s, 20s));
    EXPECT_EQ(w.while_revalidate, c.while_revalidate) << c.cache_control;
    EXPECT_EQ(w.if_error, c.if_error) << c.cache_control;
    EXPECT_EQ(w.from_origin_swr, c.swr) << c.cache_control;
    EXPECT_EQ(w.from_origin_sie, c.sie) << c.cache_control;
  }
}

}  // namespace
}  // namespace forebay::rules
