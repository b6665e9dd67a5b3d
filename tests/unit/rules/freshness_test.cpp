#include "forebay/rules/freshness.hpp"

#include <gtest/gtest.h>

#include "unit/rules/heads.hpp"

namespace forebay::rules {
namespace {

using test::Answer;
using test::date;
using test::lifetime_seconds;
using test::start;

Policy heuristic() {
  Policy policy;
  policy.ttl.heuristic = 0.1;
  return policy;
}

Lifetime lifetime(const Answer& answer, const Policy& policy = {}, bool guarded = false, double jitter = 0) {
  const auto directives = read_response_directives(answer.view().fields, policy.targeted_fields);
  return freshness_lifetime(answer.view(), directives, policy, answer.times, guarded, jitter);
}

double age_seconds(const Answer& answer) {
  return std::chrono::duration<double>(corrected_initial_age(answer.view(), answer.times)).count();
}

TEST(Age, OnlyDigitsOfTheFirstMemberOfTheFirstLineCount) {
  struct Case {
    std::string_view text;
    std::int64_t seconds;  // -1: ignored
  };
  const Case cases[] = {{"30", 30},
                        {"0", 0},
                        {"7200,0", 7200},
                        {"7200, 0", 7200},
                        {"0, 7200", 0},
                        {" 12 ,x", 12},
                        {"abc", -1},
                        {"-7200", -1},
                        {"+5", -1},
                        {"7200.0", -1},
                        {"7200;foo=bar", -1},
                        {"\"30\"", -1},
                        {"", -1},
                        {", 5", -1},
                        {"2147483647", 2147483647},
                        {"2147483648", 2147483648},
                        {"2147483649", 2147483648},
                        {"99999999999999999999", 2147483648}};
  for (const auto& c : cases) {
    const auto lines = test::fields({{"Age", c.text}});
    EXPECT_EQ(read_age(lines).value_or(Seconds{-1}).count(), c.seconds) << c.text;
  }
  EXPECT_EQ(read_age(test::fields({{"Age", "7200"}, {"Age", "0"}})), Seconds{7200});
  EXPECT_EQ(read_age(test::fields({{"Age", "0"}, {"Age", "7200"}})), Seconds{0});
  EXPECT_EQ(read_age(test::fields({})), std::nullopt);
}

TEST(Age, IsTheLargerOfWhatDateAndAgeSay) {
  EXPECT_EQ(age_seconds(Answer({{"Date", date(0)}})), 0);
  EXPECT_EQ(age_seconds(Answer({{"Date", date(-7200)}})), 7200);
  EXPECT_EQ(age_seconds(Answer({{"Date", date(-10)}, {"Age", "25"}})), 25);
  EXPECT_EQ(age_seconds(Answer({{"Date", date(-100)}, {"Age", "25"}})), 100);
  EXPECT_EQ(age_seconds(Answer({{"Date", date(500)}, {"Age", "15"}})), 15) << "a Date in our future says nothing";
  EXPECT_EQ(age_seconds(Answer({{"Date", "foo"}})), 0) << "an invalid Date is the time of receipt";
  EXPECT_EQ(age_seconds(Answer(test::Lines{})), 0);
}

TEST(Age, TheDelayOfTheExchangeIsAddedFinely) {
  Answer slow({{"Date", date(0)}, {"Age", "10"}});
  slow.times.received.mono += 2500ms;
  slow.times.received.wall += 2500ms;
  EXPECT_DOUBLE_EQ(age_seconds(slow), 12.5);
}

TEST(Age, ARoundedDownDateDoesNotAgeAnAnswerThatMayBeNew) {
  // Asked in the last millisecond of a second, answered in the first of the next: the Date is of either.
  Answer answer({{"Date", date(0)}});
  answer.times.requested.mono += 999ms;
  answer.times.requested.wall += 999ms;
  answer.times.received.mono += 1001ms;
  answer.times.received.wall += 1001ms;
  EXPECT_DOUBLE_EQ(age_seconds(answer), 0.002);
  answer.times.requested = answer.times.received;
  EXPECT_DOUBLE_EQ(age_seconds(answer), 1);
}

TEST(Age, ClampedInputsDoNotOverflow) {
  EXPECT_EQ(age_seconds(Answer({{"Date", "Mon, 01 Jan 1900 00:00:00 GMT"}})), 2147483648.0);
  Freshness f;
  f.received = test::t0();
  f.initial_age = Seconds{std::int64_t{1} << 31};
  f.lifetime = Seconds{60};
  EXPECT_LT(f.ttl(test::t0() + std::chrono::hours{24 * 365}), Duration{0});
}

TEST(Lifetime, TheFirstRuleThatAppliesGivesIt) {
  const auto expires = date(100);
  struct Case {
    Answer answer;
    double seconds;
    TtlSource source;
  };
  const Case cases[] = {
      {Answer({{"Cache-Control", "max-age=10, s-maxage=20"}, {"Expires", expires}}), 20, TtlSource::SMaxage},
      {Answer({{"Cache-Control", "s-maxage=1, max-age=3600"}}), 1, TtlSource::SMaxage},
      {Answer({{"Expires", date(-10)}, {"Cache-Control", "max-age=0, s-maxage=3600"}}), 3600, TtlSource::SMaxage},
      {Answer({{"Cache-Control", "max-age=10"}, {"Expires", date(-7200)}, {"Date", date(0)}}), 10, TtlSource::MaxAge},
      {Answer({{"Cache-Control", "max-age=10"}, {"Expires", "0"}}), 10, TtlSource::MaxAge},
      {Answer({{"Cache-Control", "max-age=0"}, {"Expires", date(3600)}, {"Date", date(0)}}), 0, TtlSource::MaxAge},
      {Answer({{"Expires", expires}, {"Date", date(0)}}), 100, TtlSource::Expires},
      {Answer({{"Expires", expires}, {"CDN-Cache-Control", "max-age=5"}}), 5, TtlSource::Targeted},
      {Answer({{"CDN-Cache-Control", "s-maxage=6, max-age=5"}}), 6, TtlSource::Targeted},
      {Answer({{"CDN-Cache-Control", "max-age=0"}, {"Expires", expires}}), 0, TtlSource::Targeted},
      {Answer({{"CDN-Cache-Control", "foo"}, {"Expires", expires}}), 0, TtlSource::None},
      {Answer({{"Cache-Control", "public"}}), 0, TtlSource::None},
  };
  for (const auto& c : cases) {
    const auto life = lifetime(c.answer);
    EXPECT_EQ(life.source, c.source) << c.answer.lines.view()[0].value;
    EXPECT_EQ(std::chrono::duration<double>(life.value).count(), c.seconds) << c.answer.lines.view()[0].value;
    EXPECT_EQ(life.explicit_lifetime, c.source != TtlSource::None);
  }
}

TEST(Lifetime, ExpiresCountsFromDateAndNotFromNow) {
  EXPECT_EQ(lifetime_seconds(Answer({{"Expires", date(20)}, {"Date", date(10)}})), 10);
  EXPECT_EQ(lifetime_seconds(Answer({{"Expires", date(10)}, {"Date", date(-10)}})), 20);
  EXPECT_EQ(lifetime_seconds(Answer({{"Expires", date(300)}, {"Date", date(400)}})), 0);
  EXPECT_EQ(lifetime_seconds(Answer({{"Expires", date(0)}, {"Date", date(0)}})), 0);
  EXPECT_EQ(lifetime_seconds(Answer({{"Expires", date(10)}, {"Date", "foo"}})), 10) << "invalid Date: the receipt";
  EXPECT_EQ(lifetime_seconds(Answer({{"Expires", date(10)}})), 10);
}

TEST(Lifetime, WhatIsNoHttpDateHasExpired) {
  const char* valid[] = {"Thu, 18 Aug 2050 02:01:18 GMT",    "THU, 18 Aug 2050 02:01:18 GMT",
                         "Thu, 18 AUG 2050 02:01:18 GMT",    "Thu, 18 Aug 2050 02:01:18 gMT",
                         "Thursday, 18-Aug-50 02:01:18 GMT", "Thu Aug  8 02:01:18 2050",
                         "Tue, 19 Jan 2038 14:14:08 GMT",    "Sun, 21 Nov 2286 04:46:39 GMT"};
  for (const auto* text : valid) EXPECT_GT(lifetime_seconds(Answer({{"Expires", text}})), 86400) << text;
  const char* invalid[] = {"Thu, 18 Aug 2050 02:01:18 UTC",
                           "Thu, 18 Aug 2050 02:01:18 AEST",
                           "Thu, 18 Aug 50 02:01:18 GMT",
                           "Thu 18 Aug 2050 02:01:18 GMT",
                           "Thu, 18  Aug  2050 02:01:18 GMT",
                           "Thu, 18-Aug-2050 02:01:18 GMT",
                           "Thu, 18 Aug 2050 02.01.18 GMT",
                           "Thu, 18 Aug 2050 2:01:18 GMT",
                           "0",
                           "-1",
                           ""};
  for (const auto* text : invalid) {
    const auto life = lifetime(Answer({{"Expires", text}}));
    EXPECT_EQ(life.value, Duration{0}) << text;
    EXPECT_TRUE(life.explicit_lifetime) << text;
  }
}

TEST(Lifetime, AFarExpiryIsClampedByTheRoutesMaximum) {
  const auto life = lifetime(Answer({{"Expires", "Sun, 21 Nov 2286 04:46:39 GMT"}}));
  EXPECT_EQ(life.value, std::chrono::hours{24 * 365});
  EXPECT_EQ(life.source, TtlSource::Max);
  EXPECT_TRUE(life.explicit_lifetime);
}

Policy with_default(Duration ttl) {
  Policy policy;
  policy.ttl.fallback = ttl;
  return policy;
}

TEST(Lifetime, TheRoutesDefaultComesBehindWhatTheOriginSays) {
  const auto policy = with_default(60s);
  EXPECT_EQ(lifetime(Answer(test::Lines{}), policy).source, TtlSource::Default);
  EXPECT_EQ(lifetime_seconds(Answer(test::Lines{}), policy), 60);
  EXPECT_EQ(lifetime_seconds(Answer("max-age=5"), policy), 5);
  EXPECT_EQ(lifetime_seconds(Answer({{"Expires", "0"}}), policy), 0);
  EXPECT_EQ(lifetime_seconds(Answer({{"CDN-Cache-Control", "max-age=\"5\""}}), policy), 60);
}

TEST(Lifetime, ConfiguredLifetimesApplyToTheListedStatusesOnly) {
  auto policy = with_default(60s);
  for (const int status : {200, 203, 204, 300, 301, 308}) {
    EXPECT_EQ(lifetime_seconds(Answer(test::Lines{}, status), policy), 60) << status;
  }
  for (const int status : {404, 410}) {
    EXPECT_EQ(lifetime_seconds(Answer(test::Lines{}, status), policy), 10) << status << ": ttl.negative";
  }
  for (const int status : {201, 302, 307, 400, 403, 405, 429, 500, 501, 503}) {
    EXPECT_EQ(lifetime(Answer(test::Lines{}, status), policy).source, TtlSource::None) << status;
  }
  policy.ttl.status = {{{302, 302}, 7s}, {{400, 499}, 9s}};
  EXPECT_EQ(lifetime_seconds(Answer(test::Lines{}, 302), policy), 7) << "a line in ttl.status lists its status";
  EXPECT_EQ(lifetime_seconds(Answer(test::Lines{}, 404), policy), 9) << "and comes before the default";
  EXPECT_EQ(lifetime(Answer(test::Lines{}, 404), policy).source, TtlSource::Status);
  EXPECT_EQ(lifetime_seconds(Answer({{"Cache-Control", "max-age=3"}}, 404), policy), 3);
}

TEST(Lifetime, ErrorsThatPassGetOneOnlyFromTheOriginOrALineThatNamesThem) {
  auto policy = with_default(60s);
  policy.statuses = {{200, 599}};
  for (const int status : {429, 500, 502, 503, 599}) {
    EXPECT_EQ(lifetime(Answer(test::Lines{}, status), policy).source, TtlSource::None) << status;
    EXPECT_EQ(lifetime_seconds(Answer({{"Cache-Control", "max-age=5"}}, status), policy), 5) << status;
  }
  policy.ttl.status = {{{500, 599}, 2s}};
  EXPECT_EQ(lifetime_seconds(Answer(test::Lines{}, 503), policy), 2);
}

const int kClientMade[] = {400, 401, 403, 406, 407, 408, 413, 414, 415, 417, 421, 425, 426, 428, 429, 431, 494, 499};

TEST(Lifetime, AnErrorOfOneClientsMakingGetsOneOnlyWhereItIsNamed) {
  for (const int status : kClientMade) {
    auto policy = with_default(60s);
    policy.ttl.min = 30s;
    policy.statuses = {{200, 299}, {400, 499}};
    policy.ttl.status = {{{400, 499}, 7s}};
    EXPECT_EQ(lifetime(Answer(test::Lines{}, status), policy).source, TtlSource::None) << status;
    EXPECT_EQ(lifetime_seconds(Answer({{"Cache-Control", "max-age=5"}}, status), policy), 5) << "what is stated counts";
    EXPECT_EQ(lifetime_seconds(Answer({{"Cache-Control", "max-age=0"}}, status), policy), 0) << "and is not lifted";
    policy.ttl.min = 0s;
    auto by_line = policy;
    const auto code = static_cast<std::uint16_t>(status);
    by_line.ttl.status.insert(by_line.ttl.status.begin(), {{code, code}, 3s});
    EXPECT_EQ(lifetime_seconds(Answer(test::Lines{}, status), by_line), 3) << status;
    policy.statuses.push_back({code, code});
    EXPECT_EQ(lifetime_seconds(Answer(test::Lines{}, status), policy), 7)
        << status << " is listed; the class has its ttl";
    policy.ttl.status = {{{400, 499}, 0s}};
    EXPECT_EQ(lifetime(Answer(test::Lines{}, status), policy).source, TtlSource::Status) << "a zero is for all";
  }
  auto policy = with_default(60s);
  policy.statuses = {{400, 499}};
  policy.ttl.status = {{{400, 499}, 7s}};
  for (const int status : {402, 404, 405, 409, 410, 411, 418, 422, 423, 424, 451})
    EXPECT_EQ(lifetime_seconds(Answer(test::Lines{}, status), policy), 7) << status;
}

TEST(Lifetime, NegativeAnswersAreBoundedByTtlNegative) {
  for (const int status : {404, 405, 410, 451}) {
    auto policy = with_default(60s);
    policy.statuses = {{400, 499}};
    policy.ttl.min = 30s;
    const Answer plain(test::Lines{}, status);
    EXPECT_EQ(lifetime_seconds(plain, policy), 10) << status << ": the minimum does not lift it";
    EXPECT_EQ(lifetime(plain, policy).source, TtlSource::Negative);
    EXPECT_EQ(lifetime_seconds(Answer({{"Cache-Control", "max-age=300"}}, status), policy), 300) << "stated";
    EXPECT_EQ(lifetime_seconds(Answer({{"Cache-Control", "max-age=5"}}, status), policy), 10) << "lifted so far";
    policy.ttl.fallback = 4s;
    policy.ttl.min = 0s;
    EXPECT_EQ(lifetime(plain, policy).source, TtlSource::Default) << "nothing to cut";
    policy.ttl.fallback = 60s;
    policy.ttl.negative = 0s;
    EXPECT_EQ(lifetime_seconds(plain, policy), 0);
    EXPECT_EQ(judged(plain, policy).reason, Reason::ZeroTtl);
    policy.ttl.min = 5s;
    EXPECT_EQ(judged(plain, policy).reason, Reason::ZeroTtl);
    for (const auto line : {StatusPattern{400, 499},
                            StatusPattern{static_cast<std::uint16_t>(status), static_cast<std::uint16_t>(status)}}) {
      policy.ttl.status = {{line, 60s}};
      EXPECT_EQ(lifetime_seconds(plain, policy), 60) << "a line of ttl.status is meant for it";
    }
  }
}

TEST(Age, AStepBackOfTheWallClockMakesNothingYounger) {
  Answer answer({{"Date", date(-30)}, {"Expires", date(70)}});
  EXPECT_EQ(corrected_initial_age(answer.view(), answer.times), 30s);
  answer.times.received.mono += 2s;
  answer.times.received.wall -= 1h;
  EXPECT_EQ(corrected_initial_age(answer.view(), answer.times), 32s);
  Answer undated({{"Expires", date(70)}});
  undated.times = answer.times;
  EXPECT_EQ(lifetime_seconds(undated), 68) << "where there is no Date, the receipt counts";
  EXPECT_EQ(left_of_signature(test::start().wall + 100s, undated.view(), undated.times), 98s);
  EXPECT_EQ(left_of_signature(WallTime::min(), undated.view(), undated.times), 0s);
  EXPECT_EQ(left_of_signature(WallTime::max(), undated.view(), undated.times), Seconds{std::int64_t{1} << 31});
}

TEST(RetryAfter, IsReadInSecondsAndAsADateOf429And503) {
  const auto of = [](const std::string& text, int status, test::Lines more = {}) {
    auto answer = Answer(more, status).with("Retry-After", text);
    return retry_after(answer.view(), answer.times.received);
  };
  EXPECT_EQ(of("5", 503), 5s);
  EXPECT_EQ(of("0", 429), 0s);
  EXPECT_EQ(of(date(20), 503, {{"Date", date(10)}}), 10s);
  EXPECT_EQ(of(date(-20), 503), 0s);
  for (const auto* text : {"soon", "-5", "1.5", "", "5, 6"}) EXPECT_FALSE(of(text, 503)) << text;
  for (const int status : {200, 301, 500, 502}) EXPECT_FALSE(of("5", status)) << status;
}

TEST(Lifetime, RetryAfterCapsThatOfAStored429Or503) {
  EXPECT_EQ(lifetime_seconds(Answer({{"Cache-Control", "max-age=60"}, {"Retry-After", "5"}}, 503)), 5);
  EXPECT_EQ(lifetime_seconds(Answer({{"Cache-Control", "max-age=60"}, {"Retry-After", "120"}}, 429)), 60);
  EXPECT_EQ(
      lifetime_seconds(Answer({{"Cache-Control", "max-age=60"}, {"Retry-After", date(20)}, {"Date", date(10)}}, 503)),
      10);
  EXPECT_EQ(lifetime_seconds(Answer({{"Cache-Control", "max-age=60"}, {"Retry-After", date(-20)}}, 503)), 0);
  EXPECT_EQ(lifetime_seconds(Answer({{"Cache-Control", "max-age=60"}, {"Retry-After", "soon"}}, 503)), 60);
  EXPECT_EQ(lifetime_seconds(Answer({{"Cache-Control", "max-age=60"}, {"Retry-After", "5"}}, 200)), 60);
  auto policy = Policy{};
  policy.ttl.min = 30s;
  EXPECT_EQ(lifetime_seconds(Answer({{"Cache-Control", "max-age=60"}, {"Retry-After", "5"}}, 503), policy), 5);
}

TEST(Lifetime, IsClampedToTheRoutesBounds) {
  Policy policy;
  policy.ttl.min = 10s;
  policy.ttl.max = 100s;
  policy.ttl.fallback = 50s;
  policy.ttl.status = {{{404, 404}, 0s}};
  EXPECT_EQ(lifetime_seconds(Answer("max-age=0"), policy), 10);
  EXPECT_EQ(lifetime(Answer("max-age=0"), policy).source, TtlSource::Min);
  EXPECT_EQ(lifetime_seconds(Answer("s-maxage=1000"), policy), 100);
  EXPECT_EQ(lifetime_seconds(Answer({{"Expires", date(5)}, {"Date", date(0)}}), policy), 10);
  EXPECT_EQ(lifetime_seconds(Answer(test::Lines{}), policy), 50);
  EXPECT_EQ(lifetime_seconds(Answer(test::Lines{}, 404), policy), 0) << "a route's zero for a status is meant";
  EXPECT_EQ(lifetime_seconds(Answer({{"Cache-Control", "max-age=0"}}, 503), policy), 0) << "no error is lifted";
  policy.ttl.fallback = 0s;
  EXPECT_EQ(lifetime(Answer(test::Lines{}), policy).source, TtlSource::None) << "a minimum makes no lifetime";
}

TEST(Lifetime, IgnoreAndOverrideSkipWhatTheOriginStates) {
  auto policy = with_default(60s);
  for (const auto mode : {OriginCacheControl::Ignore, OriginCacheControl::Override}) {
    policy.origin_cache_control = mode;
    EXPECT_EQ(lifetime_seconds(Answer("s-maxage=1, max-age=2"), policy), 60);
    EXPECT_EQ(lifetime_seconds(Answer({{"Expires", "0"}}), policy), 60);
    EXPECT_EQ(lifetime_seconds(Answer({{"CDN-Cache-Control", "max-age=7"}}), policy), 60);
  }
}

// An answer that took three seconds, or was kept for thirty by another cache.
TEST(Lifetime, WhatTheRouteSaysCountsFromTheReceiptAndWhatTheOriginStatesFromItsAge) {
  const auto left = [](const Answer& a, const Policy& policy) {
    const auto verdict = judged(a, policy);
    EXPECT_TRUE(verdict.storable());
    const auto& f = verdict.freshness;
    EXPECT_EQ(f.stale_at(), f.received + std::max(Duration{0}, f.left()));
    return std::chrono::duration<double>(f.ttl(f.received)).count();
  };
  Answer slow(test::Lines{});
  slow.times.requested.mono -= 3s;
  slow.times.requested.wall -= 3s;
  EXPECT_EQ(left(slow, with_default(2s)), 2);
  EXPECT_EQ(judged(slow, with_default(2s)).freshness.age(test::t0()), 3s) << "the age that is shown stays true";
  const Answer kept({{"Age", "30"}});
  EXPECT_EQ(left(kept, with_default(20s)), 20);
  Policy policy;
  policy.ttl.status = {{{200, 200}, 7s}};
  EXPECT_EQ(left(kept, policy), 7);
  policy = with_default(60s);
  EXPECT_EQ(left(Answer({{"Age", "30"}}, 404), policy), 10) << "ttl.negative";
  policy.origin_cache_control = OriginCacheControl::Ignore;
  EXPECT_EQ(left(Answer({{"Age", "100"}, {"Cache-Control", "max-age=50"}}), policy), 60);

  policy = with_default(60s);
  const auto stated = [](const char* control) { return Answer({{"Age", "30"}, {"Cache-Control", control}}); };
  EXPECT_EQ(left(stated("max-age=50"), policy), 20);
  policy.ttl.max = 10s;
  EXPECT_EQ(left(stated("max-age=50"), policy), 10);
  EXPECT_EQ(left(stated("max-age=35"), policy), 5) << "the origin's own end comes first";
  EXPECT_EQ(judged(stated("max-age=35"), policy).freshness.source, TtlSource::MaxAge);
  policy.ttl.min = 8s;
  EXPECT_EQ(left(stated("max-age=35"), policy), 8);
  EXPECT_EQ(left(stated("max-age=1"), policy), 8);
  policy = heuristic();
  const Answer modified({{"Age", "30"}, {"Last-Modified", date(-1000)}, {"Date", date(0)}});
  EXPECT_EQ(left(modified, policy), 70) << "the standard's arithmetic";
}

TEST(Lifetime, AShorterOneOfALaterPolicyCountsForWhatIsStored) {
  using Source = TtlSource;
  struct Case {
    const char* what;
    Answer answer;
    Policy before, after;
    double left;
    Source source;
  };
  const auto with = [](auto change) {
    Policy p = with_default(60s);
    change(p);
    return p;
  };
  const auto ignoring = with([](Policy& p) { p.origin_cache_control = OriginCacheControl::Ignore; });
  const auto at_least = [&](Duration min) { return with([&](Policy& p) { p.ttl.min = min; }); };
  const auto with_heuristic = [](Duration max) {
    Policy p = heuristic();
    p.ttl.max = max;
    return p;
  };
  const auto share = [](double of) {
    Policy p = heuristic();
    p.ttl.heuristic = of;
    return p;
  };
  const Answer modified({{"Last-Modified", date(-1000)}, {"Date", date(0)}});
  const Case cases[] = {
      {"shorter", Answer(test::Lines{}), with_default(60s), with_default(20s), 20, Source::Default},
      {"longer", Answer(test::Lines{}), with_default(60s), with_default(90s), 60, Source::Default},
      {"none", Answer(test::Lines{}), with_default(60s), {}, 0, Source::Default},
      {"a line", Answer(test::Lines{}), with_default(60s), with([](Policy& p) {
         p.ttl.status = {{{200, 200}, 5s}};
       }),
       5, Source::Status},
      {"another line", Answer(test::Lines{}), with_default(60s), with([](Policy& p) {
         p.ttl.status = {{{404, 404}, 5s}};
       }),
       60, Source::Default},
      {"negative", Answer(test::Lines{}, 404), with_default(60s), with([](Policy& p) { p.ttl.negative = 3s; }), 3,
       Source::Negative},
      {"max", Answer("max-age=100"), with_default(60s), with([](Policy& p) { p.ttl.max = 30s; }), 30, Source::Max},
      {"stated", Answer("max-age=100"), with_default(60s), with_default(20s), 100, Source::MaxAge},
      {"stated, and ignored now", Answer("max-age=100"), with_default(60s), ignoring, 60, Source::Default},
      {"min", Answer("max-age=1"), at_least(50s), at_least(10s), 10, Source::Min},
      {"no min", Answer("max-age=1"), at_least(70s), {}, 0, Source::Min},
      {"no min, and a default", Answer("max-age=1"), at_least(70s), with_default(60s), 0, Source::Min},
      {"a default for what was heuristic", modified, heuristic(), with_default(60s), 60, Source::Default},
      {"a smaller share", modified, heuristic(), share(0.05), 50, Source::Heuristic},
      {"a larger share", modified, heuristic(), share(0.5), 100, Source::Heuristic},
      {"heuristic no more", modified, heuristic(), {}, 0, Source::Default},
      {"heuristic and cut", modified, with_heuristic(30s), with_heuristic(40s), 30, Source::Max},
      {"max of a maximum", Answer("max-age=100"), with([](Policy& p) { p.ttl.max = 30s; }),
       with([](Policy& p) { p.ttl.max = 40s; }), 30, Source::Max},
  };
  for (const auto& c : cases) {
    Policy after = c.after;
    after.lifetimes = 7;
    auto f = judged(c.answer, c.before).freshness;
    shorten(f, c.answer.status, after);
    EXPECT_EQ(std::chrono::duration<double>(f.left()).count(), c.left) << c.what;
    EXPECT_EQ(f.source, c.source) << c.what;
    EXPECT_EQ(f.lifetimes, 7u) << c.what;
  }
}

TEST(Lifetime, RetryAfterEndsWhatTheRouteSaysThoughItCameOld) {
  Policy policy;
  policy.ttl.status = {{{503, 503}, 120s}};
  const Answer kept({{"Age", "50"}, {"Retry-After", "60"}}, 503);
  EXPECT_EQ(lifetime(kept, policy).value, 10s);
  EXPECT_EQ(lifetime(Answer({{"Age", "70"}, {"Retry-After", "60"}}, 503), policy).value, 0s);
  EXPECT_EQ(lifetime(Answer({{"Retry-After", "60"}}, 503), policy).value, 60s);
}

TEST(Lifetime, JitterOnlyShortensWhatIsLeft) {
  Policy policy;
  policy.ttl.jitter = 0.5;
  EXPECT_EQ(lifetime(Answer("max-age=100"), policy, false, 0).value, 100s);
  EXPECT_EQ(lifetime(Answer("max-age=100"), policy, false, 0.5).value, 75s);
  EXPECT_GE(lifetime(Answer("max-age=100"), policy, false, 0.999).value, 50s);
  EXPECT_EQ(lifetime(Answer({{"Cache-Control", "max-age=100"}, {"Age", "80"}}), policy, false, 0.5).value, 95s);
  EXPECT_EQ(lifetime(Answer({{"Cache-Control", "max-age=100"}, {"Age", "200"}}), policy, false, 0.5).value, 100s);
}

TEST(Lifetime, GuardedCookiesBlockWhatIsConfiguredAndNotWhatIsStated) {
  auto policy = with_default(60s);
  const auto blocked = lifetime(Answer(test::Lines{}), policy, true);
  EXPECT_TRUE(blocked.blocked_by_guard);
  EXPECT_EQ(blocked.source, TtlSource::None);
  EXPECT_EQ(lifetime(Answer("max-age=5"), policy, true).value, 5s);
  EXPECT_FALSE(lifetime(Answer(test::Lines{}, 302), policy, true).blocked_by_guard) << "there was nothing to block";
}

TEST(Heuristic, IsTenPerCentOfTheTimeSinceLastModifiedForTheStatusesOfTheStandard) {
  for (const int status : {200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501}) {
    const Answer answer({{"Last-Modified", date(-86400)}, {"Date", date(0)}}, status);
    EXPECT_EQ(lifetime_seconds(answer, heuristic()), 8640) << status;
    EXPECT_EQ(lifetime(answer, heuristic()).source, TtlSource::Heuristic) << status;
    EXPECT_EQ(lifetime(answer).source, TtlSource::None) << "off unless the route turns it on";
  }
  for (const int status : {201, 202, 302, 303, 307, 400, 403, 429, 500, 502, 503, 504, 599}) {
    EXPECT_EQ(lifetime(Answer({{"Last-Modified", date(-86400)}, {"Date", date(0)}}, status), heuristic()).source,
              TtlSource::None)
        << status;
  }
  EXPECT_EQ(lifetime_seconds(Answer({{"Last-Modified", date(-100)}, {"Cache-Control", "public"}}, 599), heuristic()),
            10);
}

TEST(Heuristic, NeverBesideExplicitFreshnessHoweverInvalid) {
  const auto modified = date(-86400);
  EXPECT_EQ(lifetime_seconds(Answer({{"Last-Modified", modified}, {"Expires", "0"}}), heuristic()), 0);
  EXPECT_EQ(lifetime_seconds(Answer({{"Last-Modified", modified}, {"Cache-Control", "max-age=x"}}), heuristic()), 0);
  EXPECT_EQ(
      lifetime_seconds(Answer({{"Last-Modified", modified}, {"CDN-Cache-Control", "max-age=\"9\""}}), heuristic()), 0);
}

TEST(Heuristic, NeedsALastModifiedThatLiesBeforeDate) {
  EXPECT_EQ(lifetime(Answer({{"Last-Modified", date(10)}, {"Date", date(0)}}), heuristic()).source, TtlSource::None);
  EXPECT_EQ(lifetime(Answer({{"Last-Modified", "yesterday"}}), heuristic()).source, TtlSource::None);
  EXPECT_EQ(lifetime(Answer({{"ETag", "\"a\""}}), heuristic()).source, TtlSource::None);
  EXPECT_EQ(lifetime_seconds(Answer({{"Last-Modified", "Mon, 01 Jan 1900 00:00:00 GMT"}}), heuristic()), 365.0 * 86400);
}

}  // namespace
}  // namespace forebay::rules
