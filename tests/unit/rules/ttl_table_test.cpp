#include <gtest/gtest.h>

#include <array>
#include <map>
#include <random>

#include "unit/rules/heads.hpp"

namespace forebay::rules {
namespace {

using test::Answer;
using test::date;
using test::Lines;

// "50 default": stored for so many seconds, by that rule; else the reason why not.
std::string outcome(const Answer& answer, const Policy& policy, const test::Ask& ask = {}) {
  const auto verdict = test::judged(answer, policy, ask);
  if (!verdict.storable()) return std::string(to_string(verdict.reason));
  return std::to_string(whole_seconds(verdict.freshness.lifetime)) + " " +
         std::string(to_string(verdict.freshness.source));
}

// The settings of the columns below. The last one is asked about a 404.
enum Column : std::size_t { Nothing, Default, Min, Max, Status, kColumns };

Policy settings(std::size_t column, OriginCacheControl mode) {
  Policy policy;
  policy.origin_cache_control = mode;
  if (column != Nothing) policy.ttl.fallback = 50s;
  if (column == Min) policy.ttl.min = 10s;
  if (column == Max) policy.ttl.max = 20s;
  if (column == Status) policy.ttl.status = {{{404, 404}, 70s}, {{400, 499}, 1s}};
  return policy;
}

struct Row {
  std::string_view cache_control;  // "expires": Expires in 30 s instead; "": none
  std::array<std::string_view, kColumns> cells;
};

void expect_rows(OriginCacheControl mode, std::initializer_list<Row> rows) {
  for (const Row& row : rows) {
    for (std::size_t column = 0; column < kColumns; ++column) {
      Answer answer(Lines{{"Date", date(0)}}, column == Status ? 404 : 200);
      if (row.cache_control == "expires")
        answer.with("Expires", date(30));
      else if (!row.cache_control.empty())
        answer.with("Cache-Control", row.cache_control);
      EXPECT_EQ(outcome(answer, settings(column, mode)), row.cells[column])
          << "'" << row.cache_control << "' in column " << column << " of mode " << static_cast<int>(mode);
    }
  }
}

TEST(TtlTable, WhatTheOriginSaysIsRespectedWithinTheRoutesBounds) {
  expect_rows(OriginCacheControl::Respect,
              {
                  // nothing            default       default, min  default, max  default, status
                  {"", {"no_freshness", "50 default", "50 default", "20 max", "70 status"}},
                  {"public", {"no_freshness", "50 default", "50 default", "20 max", "70 status"}},
                  {"max-age=5", {"5 max-age", "5 max-age", "10 min", "5 max-age", "5 max-age"}},
                  {"max-age=30", {"30 max-age", "30 max-age", "30 max-age", "20 max", "30 max-age"}},
                  {"max-age=0", {"zero_ttl", "zero_ttl", "10 min", "zero_ttl", "zero_ttl"}},
                  {"s-maxage=30, max-age=5", {"30 s-maxage", "30 s-maxage", "30 s-maxage", "20 max", "30 s-maxage"}},
                  {"expires", {"30 expires", "30 expires", "30 expires", "20 max", "30 expires"}},
                  {"no-store, max-age=30", {"no_store", "no_store", "no_store", "no_store", "no_store"}},
                  {"private, max-age=30", {"private", "private", "private", "private", "private"}},
                  {"no-cache, max-age=30", {"zero_ttl", "zero_ttl", "zero_ttl", "zero_ttl", "zero_ttl"}},
              });
}

TEST(TtlTable, IgnoreTakesTheRoutesLifetimesAndKeepsNoStoreAndPrivate) {
  const std::array<std::string_view, kColumns> route{"no_freshness", "50 default", "50 default", "20 max", "70 status"};
  expect_rows(OriginCacheControl::Ignore,
              {{"", route},
               {"public", route},
               {"max-age=5", route},
               {"max-age=30", route},
               {"max-age=0", route},
               {"s-maxage=30, max-age=5", route},
               {"expires", route},
               {"no-store, max-age=30", {"no_store", "no_store", "no_store", "no_store", "no_store"}},
               {"private, max-age=30", {"private", "private", "private", "private", "private"}},
               {"no-cache, max-age=30", route}});
}

TEST(TtlTable, OverrideTakesTheRoutesLifetimesAlone) {
  const std::array<std::string_view, kColumns> route{"no_freshness", "50 default", "50 default", "20 max", "70 status"};
  for (const std::string_view cache_control :
       {"", "public", "max-age=5", "max-age=30", "max-age=0", "s-maxage=30, max-age=5", "expires",
        "no-store, max-age=30", "private, max-age=30", "no-cache, max-age=30"}) {
    expect_rows(OriginCacheControl::Override, {{cache_control, route}});
  }
}

TEST(TtlTable, TargetedFieldsAreWhatTheOriginSays) {
  const Answer targeted({{"Cache-Control", "no-store"}, {"CDN-Cache-Control", "max-age=30"}});
  const Answer forbidding({{"Cache-Control", "max-age=30"}, {"CDN-Cache-Control", "no-store"}});
  EXPECT_EQ(outcome(targeted, settings(Default, OriginCacheControl::Respect)), "30 targeted");
  EXPECT_EQ(outcome(targeted, settings(Max, OriginCacheControl::Respect)), "20 max");
  EXPECT_EQ(outcome(targeted, settings(Default, OriginCacheControl::Ignore)), "50 default");
  EXPECT_EQ(outcome(forbidding, settings(Default, OriginCacheControl::Ignore)), "no_store");
  EXPECT_EQ(outcome(forbidding, settings(Default, OriginCacheControl::Override)), "50 default");
}

TEST(TtlTable, AStatusNamedByTheRouteCountsAsListedAndTheFirstLineThatMatchesHolds) {
  Policy policy;
  policy.ttl.status = {{{404, 404}, 10s}, {{500, 599}, 2s}, {{400, 499}, 0s}, {{302, 302}, 7s}};
  EXPECT_EQ(outcome(Answer(Lines{}, 404), policy), "10 status");
  EXPECT_EQ(outcome(Answer(Lines{}, 503), policy), "2 status");
  EXPECT_EQ(outcome(Answer(Lines{}, 403), policy), "zero_ttl");
  EXPECT_EQ(outcome(Answer(Lines{}, 302), policy), "7 status");
  EXPECT_EQ(outcome(Answer(Lines{}, 200), policy), "no_freshness");
  policy.ttl.min = 5s;
  EXPECT_EQ(outcome(Answer(Lines{}, 503), policy), "5 min");
  EXPECT_EQ(outcome(Answer(Lines{}, 403), policy), "zero_ttl") << "a route that says zero means it";
  policy.ttl.max = 6s;
  EXPECT_EQ(outcome(Answer(Lines{}, 404), policy), "6 max");
}

TEST(TtlTable, TheHeuristicComesLastAndIsBounded) {
  const Answer answer({{"Date", date(0)}, {"Last-Modified", date(-1000)}});
  Policy policy;
  EXPECT_EQ(outcome(answer, policy), "no_freshness");
  policy.ttl.heuristic = 0.1;
  EXPECT_EQ(outcome(answer, policy), "100 heuristic");
  policy.ttl.max = 20s;
  EXPECT_EQ(outcome(answer, policy), "20 max");
  policy.ttl.min = 15s;
  EXPECT_EQ(outcome(Answer({{"Date", date(0)}, {"Last-Modified", date(-50)}}), policy), "15 min");
  policy.ttl.fallback = 18s;
  EXPECT_EQ(outcome(answer, policy), "18 default");
  for (const auto mode : {OriginCacheControl::Ignore, OriginCacheControl::Override}) {
    policy.ttl = {};
    policy.ttl.heuristic = 0.1;
    policy.origin_cache_control = mode;
    Answer stated = answer;
    EXPECT_EQ(outcome(stated.with("Cache-Control", "max-age=5"), policy), "100 heuristic");
  }
}

TEST(TtlTable, AMinimumDoesNotLiftAnswersToGuardedCookies) {
  const test::Ask cookie({{"Cookie", "session=1"}});
  auto policy = settings(Min, OriginCacheControl::Respect);
  EXPECT_EQ(outcome(Answer("max-age=5"), policy, cookie), "5 max-age") << "what the origin states itself counts";
  EXPECT_EQ(outcome(Answer("max-age=0"), policy, cookie), "cookie");
  EXPECT_TRUE(test::judged(Answer("max-age=0"), policy, cookie).by_request);
  EXPECT_EQ(outcome(Answer("max-age=0"), policy), "10 min");
  policy.guard = CredentialGuard({});
  EXPECT_EQ(outcome(Answer("max-age=0"), policy, cookie), "10 min");
}

TEST(Jitter, TenThousandEntriesOfOneSecondEndSpreadOverTheWindow) {
  constexpr int kEntries = 10000;
  constexpr auto kStated = Duration{60s};
  constexpr auto kBin = Duration{250ms};
  for (const double share : {0.1, 0.5}) {
    Policy policy;
    policy.ttl.jitter = share;
    std::mt19937_64 engine(11);
    std::uniform_real_distribution<double> draw(0, 1);
    std::map<std::int64_t, int> ends;
    for (int i = 0; i < kEntries; ++i) {
      const Answer answer("max-age=60");
      const auto verdict = judge({}, answer.view(), policy, answer.times, true, draw(engine));
      ASSERT_LE(verdict.freshness.lifetime, kStated);
      ASSERT_GE(verdict.freshness.lifetime, kStated * (1 - share));
      const Duration filled{std::chrono::nanoseconds{1s}.count() / kEntries * i};
      ++ends[(filled + verdict.freshness.lifetime) / kBin];
    }
    const double even = kEntries * std::chrono::duration<double>(kBin).count() / (60 * share);
    int peak = 0;
    for (const auto& [bin, count] : ends) peak = std::max(peak, count);
    EXPECT_LE(peak, 1.5 * even) << share;
    EXPECT_GE(static_cast<double>(ends.size()), 60 * share / 0.25) << "no part of the window stays empty";
  }
}

TEST(Jitter, WithoutItNothingIsShortened) {
  EXPECT_EQ(judge({}, Answer("max-age=60").view(), {}, Answer("max-age=60").times, true, 0.9).freshness.lifetime, 60s);
}

}  // namespace
}  // namespace forebay::rules
