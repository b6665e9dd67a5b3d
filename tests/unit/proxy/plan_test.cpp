#include "proxy/plan.hpp"

#include <gtest/gtest.h>

namespace forebay::proxy {
namespace {

using rules::CacheResult;
using rules::Forward;
using rules::Reason;
using Kind = cache::LookupKind;

/// Something that is stored.
const cache::Stored kStored = [] {
  cache::Stored stored;
  cache::EntryParts parts;
  parts.head.status = 200;
  stored.entry = cache::Entry::make(parts, {});
  return stored;
}();

Fetch fetch(const Found& found, const rules::RequestFacts& facts) {
  const cache::KeySpec key;
  return std::get<Fetch>(plan_found(found, {facts, {}, key, false, true, {}}));
}

TEST(PlanFetch, SaysWhyARequestGoesForwardAndWhatMayCome) {
  const struct {
    const char* what;
    Kind kind;
    Forward forward;
    Reason reason;
    bool has_entry, ticket, range, head, refresh;
    CacheResult result;
    Forward says;
    Reason detail;
    bool stores, uses, validates, by_get = false;
  } cases[] = {
      {"a miss", Kind::Lead, Forward::UriMiss, Reason::None, false, true, false, false, false, CacheResult::Miss,
       Forward::UriMiss, Reason::None, true, false, true},
      {"stale", Kind::Lead, Forward::Stale, Reason::None, true, true, false, false, false, CacheResult::Miss,
       Forward::Stale, Reason::None, true, true, true},
      {"for others", Kind::Pass, Forward::Request, Reason::Authorization, true, true, false, false, false,
       CacheResult::Miss, Forward::Request, Reason::Authorization, true, false, true},
      {"pass memory", Kind::Pass, Forward::UriMiss, Reason::PassMemory, false, true, false, false, false,
       CacheResult::Bypass, Forward::Bypass, Reason::PassMemory, true, false, true},
      {"pass memory beside an entry", Kind::Pass, Forward::Stale, Reason::PassMemory, true, true, false, false, false,
       CacheResult::Miss, Forward::Stale, Reason::None, true, true, true},
      {"a range alone", Kind::Pass, Forward::UriMiss, Reason::None, false, true, true, false, false, CacheResult::Miss,
       Forward::UriMiss, Reason::Range, false, false, false},
      {"a HEAD", Kind::Pass, Forward::UriMiss, Reason::None, false, false, false, true, false, CacheResult::Miss,
       Forward::UriMiss, Reason::Method, false, false, false},
      {"a HEAD that fetches for all", Kind::Lead, Forward::UriMiss, Reason::None, false, true, false, true, false,
       CacheResult::Miss, Forward::UriMiss, Reason::None, true, false, true, true},
      {"a HEAD under pass memory", Kind::Pass, Forward::UriMiss, Reason::PassMemory, false, false, false, true, false,
       CacheResult::Bypass, Forward::Bypass, Reason::PassMemory, false, false, false},
      {"a forced refresh", Kind::Pass, Forward::Request, Reason::None, true, true, false, false, true,
       CacheResult::Miss, Forward::Request, Reason::None, true, true, false},
  };
  for (const auto& c : cases) {
    rules::RequestFacts facts;
    facts.range = c.range;
    facts.refresh = c.refresh;
    facts.method = c.head ? http::Method::Head : http::Method::Get;
    const auto plan = fetch({c.kind, c.has_entry ? &kStored : nullptr, c.forward, c.reason, c.ticket, {}}, facts);
    EXPECT_EQ(plan.status.result, c.result) << c.what;
    EXPECT_EQ(plan.status.forward, c.says) << c.what;
    EXPECT_EQ(plan.status.reason, c.detail) << c.what;
    EXPECT_EQ(plan.may_store, c.stores) << c.what;
    EXPECT_EQ(plan.uses_entry, c.uses) << c.what;
    EXPECT_EQ(plan.validates, c.validates) << c.what;
    EXPECT_EQ(plan.by_get, c.by_get) << c.what;
  }
}

TEST(PlanFetch, PassMemorySaysItsCauseWhereItIsTheReason) {
  const cache::PassMemory memory{Reason::Private, std::chrono::milliseconds{6200}};
  for (const bool has_entry : {false, true}) {
    const auto plan =
        fetch({Kind::Pass, has_entry ? &kStored : nullptr, Forward::Stale, Reason::PassMemory, true, memory}, {});
    EXPECT_EQ(plan.status.cause, has_entry ? Reason::None : Reason::Private);
    EXPECT_EQ(plan.status.cause_left, has_entry ? 0 : 7);
  }
  EXPECT_EQ(fetch({Kind::Lead, nullptr, Forward::UriMiss, Reason::None, true, memory}, {}).status.cause, Reason::None);
}

TEST(SecondsLeft, AreNeverNoneWhileSomeIsLeft) {
  const auto left = [](Duration d) { return seconds_left({Reason::Private, d}); };
  EXPECT_EQ(left(Duration{0}), 0);
  EXPECT_EQ(left(Duration{-5}), 0);
  EXPECT_EQ(left(Duration{1}), 1);
  EXPECT_EQ(left(std::chrono::seconds{10}), 10);
}

TEST(CauseOfOwn, TellsNoCacheFromAnEmptyLifetime) {
  rules::Freshness f;
  EXPECT_EQ(cause_of_own(f), Reason::ZeroTtl);
  f.no_cache = true;
  EXPECT_EQ(cause_of_own(f), Reason::NoCache);
}

TEST(MayFly, AHeadMayUnlessItIsSignedOrTheRouteKeepsItAsItIs) {
  rules::Policy policy;
  rules::RequestFacts facts;
  facts.method = http::Method::Head;
  EXPECT_TRUE(may_lead(facts, policy));
  facts.is_signed = true;
  EXPECT_FALSE(may_lead(facts, policy)) << "over its method";
  facts.method = http::Method::Get;
  EXPECT_TRUE(may_lead(facts, policy));
  facts = {};
  policy.convert_head = false;
  EXPECT_TRUE(may_lead(facts, policy));
  facts.method = http::Method::Head;
  EXPECT_FALSE(may_lead(facts, policy));
}

TEST(FateOf, AnErrorNeverTakesThePlaceOfWhatMayStandInForIt) {
  rules::Storability good, bad, theirs;
  bad.reason = Reason::NoFreshness;
  theirs.reason = Reason::Authorization;
  theirs.by_request = true;
  const struct {
    bool error, may_store;
    const rules::Storability& verdict;
    bool has_entry, stale;
    Fate fate;
    int status = 500;
  } cases[] = {
      {false, true, good, false, false, Fate::Store},      {false, true, bad, false, false, Fate::PassOn, 404},
      {false, false, good, false, false, Fate::PassOn},    {true, true, good, false, false, Fate::Store},
      {true, true, good, true, true, Fate::ServeStale},    {true, true, good, true, false, Fate::Store},
      {true, true, bad, true, true, Fate::ServeStale},     {true, true, bad, false, false, Fate::Fail},
      {true, true, theirs, false, false, Fate::Fail},      {true, false, good, true, true, Fate::ServeStale},
      {true, false, bad, false, false, Fate::PassOn},      {false, true, bad, true, true, Fate::PassOn, 404},
      {false, true, bad, true, true, Fate::Fail, 501},     {false, true, theirs, false, false, Fate::Fail, 505},
      {false, true, good, false, false, Fate::Store, 501}, {false, false, bad, false, false, Fate::PassOn, 501},
      {true, true, bad, false, false, Fate::Fail, 429},
  };
  for (const auto& c : cases)
    EXPECT_EQ(fate_of(c.status, c.error, c.may_store, c.verdict, c.has_entry, c.stale), c.fate)
        << c.error << c.may_store << c.verdict.storable() << c.has_entry << c.stale;
}

TEST(Failures, OnlyThoseThatSayTheOriginIsDownAreShared) {
  for (const int status : {500, 501, 505, 599, 429}) EXPECT_TRUE(may_be_the_leaders(status)) << status;
  for (const int status : {502, 503, 504}) EXPECT_FALSE(may_be_the_leaders(status)) << status;
  using upstream::FetchError;
  for (const auto e : {FetchError::Reset, FetchError::Protocol, FetchError::TooLarge})
    EXPECT_TRUE(may_be_the_leaders(e));
  for (const auto e : {FetchError::Dns, FetchError::DnsTimeout, FetchError::CircuitOpen, FetchError::TotalTimeout,
                       FetchError::Connect, FetchError::ConnectTimeout, FetchError::Tls, FetchError::TlsTimeout,
                       FetchError::Queue, FetchError::FirstByteTimeout, FetchError::BetweenBytesTimeout})
    EXPECT_FALSE(may_be_the_leaders(e));
}

TEST(Shown, AgeAndTtlAddUpToTheLifetimeAndBarelyStaleIsSaid) {
  const Timestamp t0{std::chrono::hours{1}};
  rules::Freshness f;
  f.received = t0;
  f.lifetime = std::chrono::seconds{60};
  f.initial_age = std::chrono::milliseconds{1500};
  EXPECT_EQ(shown(f, t0).age_s, 1);
  EXPECT_EQ(shown(f, t0).ttl_s, 59);
  EXPECT_EQ(shown(f, t0 + std::chrono::milliseconds{58600}).ttl_s, -1);
}

TEST(BypassStatus, OnlyAMethodThatDoesNotFitIsForwardedForItsMethod) {
  EXPECT_EQ(bypass_status(Reason::Method).forward, Forward::Method);
  EXPECT_EQ(bypass_status(Reason::RuleCookie).forward, Forward::Bypass);
  EXPECT_EQ(bypass_status(Reason::RuleCookie).reason, Reason::RuleCookie);
}

}  // namespace
}  // namespace forebay::proxy
