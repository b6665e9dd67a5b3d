#include "forebay/rules/storability.hpp"

#include <gmock/gmock.h>

#include "forebay/rules/reuse.hpp"
#include "unit/rules/heads.hpp"

namespace forebay::rules {
namespace {

using test::Answer;
using test::Ask;
using test::date;
using test::facts;
using test::judged;
using test::Lines;
using testing::UnorderedElementsAre;

Reason reason(const Answer& answer, const Policy& policy = {}, const Ask& ask = {}) {
  return judged(answer, policy, ask).reason;
}

Policy with_default(Duration ttl) {
  Policy policy;
  policy.ttl.fallback = ttl;
  return policy;
}

TEST(Storability, AnyFinalStatusMayBeStoredWithExplicitFreshness) {
  for (const int status :
       {200, 203, 204, 299, 301, 302, 303, 307, 308, 400, 404, 410, 429, 499, 500, 502, 503, 504, 599}) {
    EXPECT_EQ(reason(Answer({{"Expires", date(1000)}, {"Date", date(0)}}, status)), Reason::None) << status;
    EXPECT_NE(reason(Answer({{"Expires", date(-1000)}, {"Date", date(0)}}, status)), Reason::None) << status;
  }
}

TEST(Storability, WithoutFreshnessNothingIsStoredByDefault) {
  EXPECT_EQ(reason(Answer(Lines{})), Reason::NoFreshness);
  EXPECT_EQ(reason(Answer({{"ETag", "\"a\""}})), Reason::NoFreshness);
  EXPECT_EQ(reason(Answer(Lines{}), with_default(60s)), Reason::None);
  EXPECT_EQ(reason(Answer(Lines{}, 302), with_default(60s)), Reason::Status)
      << "the route has one, not for this status";
  EXPECT_EQ(reason(Answer(Lines{}, 302)), Reason::NoFreshness);
}

TEST(Storability, NoStoreAndPrivateForbidIt) {
  EXPECT_EQ(reason(Answer("no-store")), Reason::NoStore);
  EXPECT_EQ(reason(Answer({{"Cache-Control", "max-age=10000, No-StOrE"}, {"Expires", date(10000)}})), Reason::NoStore);
  EXPECT_EQ(reason(Answer("private, max-age=3600")), Reason::Private);
  EXPECT_EQ(reason(Answer({{"Cache-Control", "max-age=60"}, {"CDN-Cache-Control", "private"}})), Reason::Private);
  EXPECT_EQ(reason(Answer({{"Cache-Control", "no-store"}, {"CDN-Cache-Control", "max-age=60"}})), Reason::None);
}

TEST(Storability, IgnoreKeepsNoStoreAndPrivateAndOverrideDoesNot) {
  auto policy = with_default(60s);
  policy.origin_cache_control = OriginCacheControl::Ignore;
  EXPECT_EQ(reason(Answer("no-store"), policy), Reason::NoStore);
  EXPECT_EQ(reason(Answer("private"), policy), Reason::Private);
  EXPECT_EQ(reason(Answer("max-age=0"), policy), Reason::None);
  policy.origin_cache_control = OriginCacheControl::Override;
  EXPECT_EQ(reason(Answer("no-store"), policy), Reason::None);
  EXPECT_EQ(reason(Answer("private, max-age=0"), policy), Reason::None);
  EXPECT_EQ(reason(Answer(Lines{{"Set-Cookie", "a=b"}}), policy), Reason::SetCookie);
  EXPECT_EQ(reason(Answer(Lines{{"Vary", "*"}}), policy), Reason::VaryStar);
  EXPECT_EQ(reason(Answer(Lines{}), policy, Ask({{"Authorization", "x"}})), Reason::Authorization);
}

TEST(Storability, UnderIgnoreTheRoutesOwnWindowsApply) {
  auto policy = with_default(60s);
  policy.origin_cache_control = OriginCacheControl::Ignore;
  policy.stale.while_revalidate = 10s;
  const auto f = judged(Answer("no-cache, must-revalidate, s-maxage=1, stale-while-revalidate=1"), policy).freshness;
  EXPECT_EQ(may_reuse(f, {}, policy, test::t0() + 59s), Reuse::Fresh);
  EXPECT_EQ(may_reuse(f, {}, policy, test::t0() + 69s), Reuse::WhileRevalidating);
}

TEST(Storability, MustUnderstandOverridesNoStoreForAStatusWeKnowAndForbidsOthers) {
  EXPECT_EQ(reason(Answer("max-age=3600, no-store, must-understand")), Reason::None);
  EXPECT_EQ(reason(Answer({{"Cache-Control", "max-age=3600, must-understand"}}, 404)), Reason::None);
  EXPECT_EQ(reason(Answer({{"Cache-Control", "max-age=3600, no-store, must-understand"}}, 299)), Reason::Status);
  EXPECT_EQ(reason(Answer({{"Cache-Control", "max-age=3600, must-understand"}}, 599)), Reason::Status);
}

TEST(Storability, NoCacheIsStoredToBeValidatedAtEachUse) {
  const auto verdict = judged(Answer({{"Cache-Control", "no-cache"}, {"ETag", "\"a\""}}));
  EXPECT_TRUE(verdict.storable());
  EXPECT_TRUE(verdict.freshness.no_cache);
  EXPECT_FALSE(verdict.serves_followers) << "each request has to ask for itself";
  EXPECT_EQ(reason(Answer({{"Cache-Control", "no-cache, max-age=60"}, {"Last-Modified", date(-10)}})), Reason::None);
  EXPECT_EQ(reason(Answer("no-cache, max-age=60")), Reason::ZeroTtl) << "nothing to validate it by";
}

TEST(Storability, ZeroLifetimeIsStoredWithAValidatorAndWhereItIsKept) {
  const Answer zero({{"Cache-Control", "max-age=0"}, {"ETag", "\"a\""}});
  EXPECT_EQ(reason(zero), Reason::None);
  EXPECT_FALSE(judged(zero).serves_followers);
  EXPECT_EQ(reason(Answer("max-age=0")), Reason::ZeroTtl);
  EXPECT_EQ(reason(Answer({{"Expires", "0"}})), Reason::ZeroTtl);
  EXPECT_EQ(reason(Answer({{"Cache-Control", "max-age=60"}, {"Age", "60"}})), Reason::ZeroTtl) << "it came too old";
  Policy keeps_nothing;
  keeps_nothing.keep = 0s;
  EXPECT_EQ(reason(zero, keeps_nothing), Reason::ZeroTtl);
}

TEST(Storability, AnOriginSlowerThanTheLifetimeStillAnswersThoseWhoWait) {
  Answer slow("max-age=1");
  slow.times.requested.mono -= 3s;
  slow.times.requested.wall -= 3s;
  const auto verdict = judged(slow);
  EXPECT_TRUE(verdict.storable());
  EXPECT_TRUE(verdict.serves_followers) << "it was made after they had asked";
  EXPECT_EQ(may_reuse(verdict.freshness, {}, {}, test::t0()), Reuse::Validate) << "later requests count the delay";
  EXPECT_TRUE(judged(slow, with_default(1s)).serves_followers);

  Answer old({{"Cache-Control", "max-age=1"}, {"Age", "1"}});
  old.times = slow.times;
  EXPECT_EQ(reason(old), Reason::ZeroTtl) << "stale before it was sent";
  Answer error({{"Cache-Control", "max-age=1"}}, 503);
  error.times = slow.times;
  EXPECT_EQ(reason(error), Reason::OriginError) << "must not displace what it hides";
}

TEST(Storability, ZeroLifetimeIsStoredForItsStaleWindows) {
  const auto window = judged(Answer("max-age=0, stale-while-revalidate=60"));
  EXPECT_TRUE(window.storable());
  EXPECT_TRUE(window.serves_followers);
  const auto error = judged(Answer("max-age=0, stale-if-error=60"));
  EXPECT_TRUE(error.storable());
  EXPECT_FALSE(error.serves_followers);
}

TEST(Storability, AZeroThatTheRouteSaysForAStatusIsMeant) {
  auto policy = with_default(60s);
  policy.stale.while_revalidate = 30s;
  policy.ttl.status = {{{404, 404}, 0s}};
  EXPECT_EQ(reason(Answer({{"ETag", "\"a\""}}, 404), policy), Reason::ZeroTtl);
}

TEST(Storability, AnErrorThatIsNotFreshNeverTakesAPlace) {
  for (const auto* text : {"max-age=0", "no-cache"}) {
    EXPECT_EQ(reason(Answer({{"Cache-Control", text}, {"ETag", "\"a\""}}, 503)), Reason::OriginError) << text;
    EXPECT_EQ(reason(Answer({{"Cache-Control", text}, {"ETag", "\"a\""}}, 429)), Reason::ZeroTtl) << text;
  }
}

TEST(Storability, AnUnstorableStatusOfStaleErrorsIsAFailedFetch) {
  EXPECT_EQ(reason(Answer(Lines{}, 503)), Reason::OriginError);
  EXPECT_EQ(reason(Answer({{"Cache-Control", "no-store"}}, 500)), Reason::OriginError);
  EXPECT_EQ(reason(Answer({{"Cache-Control", "max-age=5"}}, 503)), Reason::None) << "the origin stands by it";
  EXPECT_EQ(reason(Answer(Lines{}, 501)), Reason::NoFreshness);
  Policy policy;
  policy.stale.errors.statuses = {{500, 599}, {404, 404}};
  EXPECT_EQ(reason(Answer(Lines{}, 404), policy), Reason::OriginError);
  EXPECT_EQ(reason(Answer(Lines{}, 501), policy), Reason::OriginError);
}

TEST(Storability, SetCookieIsBypassedStrippedOrStored) {
  const Answer answer({{"Cache-Control", "max-age=60"}, {"Set-Cookie", "a=b"}});
  EXPECT_EQ(reason(answer), Reason::SetCookie);
  Policy policy;
  policy.set_cookie = SetCookieRule::Strip;
  EXPECT_EQ(reason(answer, policy), Reason::None);
  EXPECT_THAT(judged(answer, policy).drop, UnorderedElementsAre("Set-Cookie"));
  policy.set_cookie = SetCookieRule::Store;
  EXPECT_EQ(reason(answer, policy), Reason::None);
  EXPECT_TRUE(judged(answer, policy).drop.empty());
}

TEST(Storability, AStreamWithoutAnEndIsStoredOnlyWithALifetimeOfTheOrigins) {
  auto policy = with_default(60s);
  policy.ttl.status = {{{200, 200}, 60s}};
  policy.ttl.min = 5s;
  for (const auto* type : {"multipart/x-mixed-replace; boundary=b", "application/grpc", "application/grpc+proto",
                           "application/grpc-web-text", "application/x-ndjson", "application/ndjson",
                           "application/jsonl", "application/json-seq", "application/connect+json"}) {
    const auto verdict = judged(Answer({{"Content-Type", type}}), policy);
    EXPECT_EQ(verdict.reason, Reason::Endless) << type;
    EXPECT_FALSE(verdict.by_request) << "it is remembered of the key";
    EXPECT_EQ(reason(Answer({{"Content-Type", type}, {"Cache-Control", "no-cache"}, {"ETag", "\"a\""}}), policy),
              Reason::Endless);
    EXPECT_EQ(
        reason(Answer({{"Content-Type", type}, {"Cache-Control", "max-age=0, stale-while-revalidate=9"}}), policy),
        Reason::Endless)
        << "a minimum is the route's word";
    EXPECT_EQ(reason(Answer({{"Content-Type", type}, {"Cache-Control", "max-age=9"}}), policy), Reason::None) << type;
    EXPECT_EQ(reason(Answer({{"Content-Type", type}, {"CDN-Cache-Control", "max-age=9"}}), policy), Reason::None);
  }
  for (const auto* type : {"application/json", "text/event", "text/event-streams", "multipart/form-data", "video/mp4"})
    EXPECT_EQ(reason(Answer({{"Content-Type", type}}), policy), Reason::None) << type;
}

TEST(Storability, AnEventStreamIsNeverStored) {
  for (const auto* type : {"text/event-stream", "Text/Event-Stream; charset=utf-8"}) {
    EXPECT_EQ(reason(Answer({{"Content-Type", type}}), with_default(60s)), Reason::Endless) << type;
    for (const auto* stated : {"max-age=9", "public, s-maxage=60", "max-age=60, stale-while-revalidate=9"})
      EXPECT_EQ(reason(Answer({{"Content-Type", type}, {"Cache-Control", stated}}), with_default(60s)), Reason::Endless)
          << type << ", " << stated;
  }
}

TEST(Storability, ARequestForStreamsAloneIsKnownByItsAccept) {
  for (const auto* accept : {"text/event-stream", "Text/Event-Stream;q=0.9", "application/x-ndjson, text/event-stream"})
    EXPECT_TRUE(test::facts({{{"Accept", accept}}}).endless) << accept;
  for (const auto* accept : {"*/*", "", "application/json, text/event-stream", "text/event-stream, text/html"})
    EXPECT_FALSE(test::facts({{{"Accept", accept}}}).endless) << accept;
}

TEST(Storability, GuardedCredentialsKeepConfiguredLifetimesAway) {
  struct Row {
    const char* field;
    Reason reason;
  };
  const Row rows[] = {{"Cookie", Reason::Cookie},
                      {"X-Api-Key", Reason::Credential},
                      {"api-key", Reason::Credential},
                      {"X_Api_Key", Reason::Credential},
                      {"X.Auth.Token", Reason::Credential},
                      {"X-Access-Token", Reason::Credential},
                      {"X-Amz-Security-Token", Reason::Credential},
                      {"X-Csrf-Token", Reason::Credential},
                      {"Proxy-Authorization", Reason::Credential},
                      {"Authorization", Reason::Authorization}};
  for (const auto& row : rows) {
    const Ask ask({{"Accept", "*/*"}, {row.field, "s=1"}, {"X-Other", "1"}});
    auto policy = with_default(60s);
    const auto verdict = judged(Answer("public"), policy, ask);
    EXPECT_EQ(verdict.reason, row.reason) << row.field;
    EXPECT_TRUE(verdict.by_request) << row.field;
    EXPECT_TRUE(brings(facts(ask), row.reason)) << row.field;
    EXPECT_EQ(reason(Answer("public, max-age=60"), policy, ask), Reason::None)
        << "what the origin states itself counts";
    auto lifted = Policy{};
    lifted.ttl.min = 30s;
    EXPECT_EQ(judged(Answer("public, max-age=5"), lifted, ask).freshness.lifetime, 5s) << "a minimum adds nothing";
    policy.ttl.heuristic = 0.1;
    EXPECT_EQ(reason(Answer({{"Last-Modified", date(-1000)}}, 405), policy, ask), row.reason) << row.field;
    policy.guard = CredentialGuard({});
    EXPECT_EQ(reason(Answer("public"), policy, ask), Reason::None) << row.field;
  }
  EXPECT_EQ(reason(Answer(Lines{}), with_default(60s), Ask({{"X-Api-Keys", "1"}, {"X-Tokens", "1"}})), Reason::None);
}

TEST(Storability, AnEntryOfAConfiguredLifetimeIsKeptFromCredentials) {
  auto policy = with_default(60s);
  policy.stale.while_revalidate = 30s;
  const auto configured = judged(Answer(Lines{}), policy).freshness;
  const auto stated = judged(Answer("max-age=60"), policy).freshness;
  EXPECT_TRUE(configured.configured);
  EXPECT_FALSE(stated.configured);
  for (const auto* field : {"Cookie", "X-Api-Key"}) {
    const auto who = facts(Ask({{field, "1"}}), policy);
    for (const auto at : {1s, 70s, 200s}) {
      EXPECT_EQ(may_reuse(configured, who, policy, test::t0() + at), Reuse::NotForThis) << field;
      EXPECT_NE(may_reuse(configured, {}, policy, test::t0() + at), Reuse::NotForThis) << "others are served as before";
    }
    EXPECT_EQ(kept_from(configured, who), who.credential);
    EXPECT_EQ(may_reuse(stated, who, policy, test::t0() + 1s), Reuse::Fresh) << "the origin's word is for all";
    EXPECT_FALSE(may_renew(who, configured)) << "nor does its refresh renew what it would not get";
    EXPECT_TRUE(may_renew(who, stated));
  }
  policy.ttl.min = 90s;
  const auto lifted = judged(Answer("max-age=5"), policy).freshness;
  EXPECT_TRUE(lifted.configured) << "a minimum is the route's word";
}

TEST(Storability, AWindowOfTheRouteAloneSharesNothingOfCredentials) {
  Policy policy;
  policy.stale.while_revalidate = policy.stale.if_error = 30s;
  const Ask cookie({{"Cookie", "a=1"}});
  EXPECT_EQ(reason(Answer("max-age=0"), policy), Reason::None) << "the window makes it useful";
  EXPECT_EQ(reason(Answer("max-age=0"), policy, cookie), Reason::ZeroTtl);
  const auto validated = judged(Answer({{"Cache-Control", "max-age=0"}, {"ETag", "\"a\""}}), policy, cookie);
  ASSERT_TRUE(validated.storable());
  EXPECT_EQ(may_reuse(validated.freshness, {}, policy, test::t0() + 1s), Reuse::Validate);
  EXPECT_FALSE(may_serve_on_error(validated.freshness, {}, policy, test::t0() + 1s));
  const auto anonymous = judged(Answer({{"Cache-Control", "max-age=0"}, {"ETag", "\"a\""}}), policy).freshness;
  EXPECT_EQ(may_reuse(anonymous, {}, policy, test::t0() + 1s), Reuse::WhileRevalidating);
  EXPECT_EQ(may_reuse(anonymous, facts(cookie, policy), policy, test::t0() + 1s), Reuse::Validate);
  const auto stated = judged(Answer("max-age=0, stale-while-revalidate=9"), policy, cookie).freshness;
  EXPECT_EQ(may_reuse(stated, facts(cookie, policy), policy, test::t0() + 1s), Reuse::WhileRevalidating);
}

// Of a request whose URL is signed until so many seconds from the start.
Storability judged_signed(const Answer& answer, std::int64_t seconds, const Policy& policy = {}) {
  const auto until = std::chrono::duration_cast<Seconds>(test::start().wall.time_since_epoch()).count() + seconds;
  return judge({}, answer.view(), policy, answer.times, true, 0, "/a?Signature=x&Expires=" + std::to_string(until));
}

TEST(Storability, ASignedUrlNeverOutlivesWhatItStates) {
  Policy policy;
  policy.stale.while_revalidate = policy.stale.if_error = 1h;
  policy.client_cache_control = true;
  RequestFacts patient;
  patient.directives.max_stale = Seconds::max();
  for (const auto* text : {"max-age=3600", "max-age=3600, stale-while-revalidate=3600, stale-if-error=3600"}) {
    const auto cut = judged_signed(Answer(text), 100, policy);
    ASSERT_TRUE(cut.storable());
    EXPECT_EQ(cut.freshness.ttl(test::t0()), 100s);
    EXPECT_EQ(cut.freshness.source, TtlSource::Signed);
    EXPECT_EQ(may_reuse(cut.freshness, {}, policy, test::t0() + 99s), Reuse::Fresh);
    for (const auto& who : {RequestFacts{}, patient})
      EXPECT_EQ(may_reuse(cut.freshness, who, policy, test::t0() + 100s), Reuse::Validate) << text;
    EXPECT_FALSE(may_serve_on_error(cut.freshness, {}, policy, test::t0() + 100s)) << text;
  }
  const auto shorter = judged_signed(Answer("max-age=40"), 100, policy).freshness;
  EXPECT_EQ(shorter.source, TtlSource::MaxAge);
  EXPECT_EQ(may_reuse(shorter, {}, policy, test::t0() + 99s), Reuse::WhileRevalidating) << "a window ends with it";
  EXPECT_EQ(may_reuse(shorter, {}, policy, test::t0() + 100s), Reuse::Validate);
  EXPECT_TRUE(may_serve_on_error(shorter, {}, policy, test::t0() + 99s));
  EXPECT_FALSE(may_serve_on_error(shorter, {}, policy, test::t0() + 100s));

  EXPECT_EQ(judged_signed(Answer({{"Cache-Control", "max-age=3600"}, {"Age", "50"}}), 100).freshness.ttl(test::t0()),
            100s);
  EXPECT_EQ(
      judged_signed(Answer({{"Cache-Control", "max-age=3600"}, {"Date", date(60)}}), 100).freshness.ttl(test::t0()),
      40s)
      << "by the later of two clocks";
  for (const std::int64_t over : {0, -100})
    EXPECT_EQ(judged_signed(Answer("max-age=3600"), over, policy).reason, Reason::ZeroTtl) << over;
  Answer slow("max-age=3600");
  slow.times.received.mono += 3s;
  slow.times.received.wall += 3s;
  EXPECT_EQ(judged_signed(slow, 1, policy).reason, Reason::ZeroTtl) << "it ended while the origin answered";
  const Answer plain("max-age=3600");
  EXPECT_EQ(judge({}, plain.view(), {}, plain.times, true, 0, "/a?Signature=x&Expires=soon").reason, Reason::ZeroTtl)
      << "what states an end that nobody can read";
  auto lifted = Policy{};
  lifted.ttl.min = 1h;
  EXPECT_EQ(judged_signed(Answer("max-age=5"), 100, lifted).freshness.ttl(test::t0()), 100s) << "no minimum lifts it";
}

TEST(Storability, AnswersToAuthorizedRequestsNeedALicence) {
  const Ask ask({{"Authorization", "Basic eA=="}});
  const auto verdict = judged(Answer({{"Expires", date(1000)}, {"Date", date(0)}}), {}, ask);
  EXPECT_EQ(verdict.reason, Reason::Authorization);
  EXPECT_TRUE(verdict.by_request) << "the next request may lead and store";
  for (const auto* licence : {"max-age=60, public", "max-age=60, must-revalidate", "s-maxage=60"}) {
    const auto shared = judged(Answer(licence), {}, ask);
    EXPECT_TRUE(shared.storable()) << licence;
    EXPECT_TRUE(shared.freshness.from_authorized && shared.freshness.serve_authorized);
    EXPECT_EQ(may_reuse(shared.freshness, {}, {}, test::t0()), Reuse::Fresh) << licence;
  }
  EXPECT_EQ(reason(Answer("max-age=60, proxy-revalidate"), {}, ask), Reason::Authorization);
  EXPECT_EQ(reason(Answer({{"Cache-Control", "public"}, {"CDN-Cache-Control", "max-age=60"}}), {}, ask),
            Reason::Authorization)
      << "the targeted field replaces Cache-Control, public included";
}

TEST(Storability, TheRouteMayKeyShareOrBypassAuthorization) {
  const Ask ask({{"Authorization", "x"}});
  Policy policy;
  policy.authorization = AuthorizationRule::Key;
  EXPECT_EQ(reason(Answer("max-age=60"), policy, ask), Reason::None);
  policy.authorization = AuthorizationRule::Share;
  EXPECT_EQ(reason(Answer("max-age=60"), policy, ask), Reason::None);
  policy.authorization = AuthorizationRule::Bypass;
  EXPECT_EQ(reason(Answer("max-age=60, public"), policy, ask), Reason::Authorization);
}

TEST(Storability, TheRequestsNoStoreIsAboutThisRequestAlone) {
  const Ask ask({{"Cache-Control", "no-store"}});
  const auto verdict = judged(Answer("max-age=60"), {}, ask);
  EXPECT_EQ(verdict.reason, Reason::RequestNoStore);
  EXPECT_TRUE(verdict.by_request);
  const auto both = judged(Answer("private"), {}, ask);
  EXPECT_EQ(both.reason, Reason::Private) << "what holds for every request is what the key is remembered by";
  EXPECT_FALSE(both.by_request);
}

TEST(Storability, VaryStarIsNotStoredUnlessTheRouteIgnoresVary) {
  EXPECT_EQ(reason(Answer({{"Cache-Control", "max-age=60"}, {"Vary", "Foo, *"}})), Reason::VaryStar);
  Policy policy;
  policy.vary = false;
  EXPECT_EQ(reason(Answer({{"Cache-Control", "max-age=60"}, {"Vary", "*"}}), policy), Reason::None);
}

TEST(Storability, PartsAndInterimAnswersAreNever) {
  EXPECT_EQ(reason(Answer({{"Cache-Control", "max-age=60"}, {"Content-Range", "bytes 0-4/10"}}, 206)), Reason::Partial);
  for (const int status : {100, 102, 103, 304, 412, 416}) {
    EXPECT_EQ(reason(Answer({{"Cache-Control", "max-age=60"}}, status)), Reason::Status) << status;
  }
}

TEST(Storability, ABodyThatOnlyTheConnectionEndsIsUnprovenUnlessTheRouteTakesIt) {
  const Answer answer("max-age=60");
  Policy policy;
  EXPECT_EQ(judge({}, answer.view(), policy, answer.times, false, 0).reason, Reason::Unproven);
  policy.store_close_delimited = true;
  EXPECT_EQ(judge({}, answer.view(), policy, answer.times, false, 0).reason, Reason::None);
}

TEST(Storability, ALengthAboveTheLimitIsTooLarge) {
  Policy policy;
  policy.max_object = 100;
  EXPECT_EQ(reason(Answer({{"Cache-Control", "max-age=60"}, {"Content-Length", "101"}}), policy), Reason::TooLarge);
  EXPECT_EQ(reason(Answer({{"Cache-Control", "max-age=60"}, {"Content-Length", "100"}}), policy), Reason::None);
}

TEST(Storability, HopByHopAndNamedFieldsAreDroppedAndAllOthersKept) {
  const auto drop = judged(Answer({{"Cache-Control", "max-age=60"},
                                   {"Connection", "close, X-Once"},
                                   {"Connection", "x-twice"},
                                   {"X-Once", "1"},
                                   {"Keep-Alive", "timeout=5"},
                                   {"Proxy-Authenticate", "Basic"},
                                   {"Proxy-Authentication-Info", "x"},
                                   {"Proxy-Authorization", "x"},
                                   {"Proxy-Connection", "close"},
                                   {"TE", "trailers"},
                                   {"Transfer-Encoding", "chunked"},
                                   {"Upgrade", "h2c"},
                                   {"X-Unknown", "stays"},
                                   {"Content-MD5", "stays"}}))
                        .drop;
  EXPECT_THAT(drop, UnorderedElementsAre("Connection", "close", "X-Once", "x-twice", "Keep-Alive", "Proxy-Authenticate",
                                         "Proxy-Authentication-Info", "Proxy-Authorization", "Proxy-Connection", "TE",
                                         "Transfer-Encoding", "Upgrade"));
}

TEST(Storability, QualifiedPrivateAndNoCacheDropOnlyTheirFields) {
  const auto verdict =
      judged(Answer({{"Cache-Control", "private=\"X-User\", no-cache=\"a, b\""}, {"Cache-Control", "max-age=60"}}));
  EXPECT_TRUE(verdict.storable());
  EXPECT_FALSE(verdict.freshness.no_cache);
  EXPECT_THAT(verdict.drop, UnorderedElementsAre("X-User", "a", "b"));
}

TEST(Storability, AFreshened304IsJudgedAgainWithTheTimesOfTheValidation) {
  Answer freshened({{"Cache-Control", "max-age=3600"}, {"ETag", "\"a\""}, {"Date", date(1000)}});
  freshened.times.requested.mono += 1000s;
  freshened.times.requested.wall += 1000s;
  freshened.times.received = freshened.times.requested;
  const auto f = judged(freshened).freshness;
  EXPECT_EQ(may_reuse(f, {}, {}, test::t0() + 1000s + 3599s), Reuse::Fresh);
}

TEST(Facts, TellWhatOfARequestMatters) {
  const auto none = facts(Ask{});
  EXPECT_FALSE(none.authorization || none.credential != Reason::None || none.no_store || none.range ||
               none.authorization_in_key);
  const auto all =
      facts(Ask({{"authorization", "x"}, {"cookie", "a=b"}, {"range", "bytes=0-"}, {"cache-control", "no-store"}}));
  EXPECT_TRUE(all.authorization && all.credential == Reason::Authorization && all.range && all.no_store &&
              all.directives.no_store);
  EXPECT_FALSE(all.authorization_in_key);
  Policy policy;
  policy.authorization = AuthorizationRule::Key;
  EXPECT_TRUE(facts(Ask({{"Authorization", "x"}}), policy).authorization_in_key);
  policy.authorization = AuthorizationRule::Share;
  EXPECT_FALSE(facts(Ask({{"Authorization", "x"}}), policy).authorization);
  EXPECT_TRUE(facts(Ask({{"Pragma", "no-cache"}})).directives.no_cache);
}

Reason look_up(http::Method method, const Policy& policy = {}, bool content = false, std::string_view text = {}) {
  RequestFacts f;
  f.method = method;
  http::RequestView request;
  request.method = method;
  request.method_text = text.empty() ? http::to_string(method) : text;
  return may_look_up(f, request, {}, content ? UnkeyedContent::Unexpected : UnkeyedContent::None, policy);
}

TEST(LookUp, MethodsAreThoseOfTheRouteAndGetIncludesHead) {
  EXPECT_EQ(look_up(http::Method::Get), Reason::None);
  EXPECT_EQ(look_up(http::Method::Head), Reason::None);
  EXPECT_EQ(look_up(http::Method::Post), Reason::Method);
  EXPECT_EQ(look_up(http::Method::Options), Reason::Method) << "a preflight is cached only where the route says so";
  EXPECT_EQ(look_up(http::Method::Other, {}, false, "M-SEARCH"), Reason::Method);
  Policy policy;
  policy.methods.reset();
  policy.methods.set(static_cast<std::size_t>(http::Method::Get));
  policy.methods.set(static_cast<std::size_t>(http::Method::Options));
  policy.other_methods = {"REPORT"};
  EXPECT_EQ(look_up(http::Method::Head, policy), Reason::None);
  EXPECT_EQ(look_up(http::Method::Options, policy), Reason::None);
  EXPECT_EQ(look_up(http::Method::Other, policy, false, "REPORT"), Reason::None);
  EXPECT_EQ(look_up(http::Method::Other, policy, false, "report"), Reason::Method) << "methods have case";
}

TEST(LookUp, ContentOnGetAndTheRoutesSwitchesBypass) {
  EXPECT_EQ(look_up(http::Method::Get, {}, true), Reason::RequestBody);
  EXPECT_EQ(look_up(http::Method::Head, {}, true), Reason::RequestBody);
  Policy off;
  off.cache = false;
  EXPECT_EQ(look_up(http::Method::Get, off), Reason::CacheOff);
  Policy bypass;
  bypass.authorization = AuthorizationRule::Bypass;
  const Ask ask({{"Authorization", "x"}});
  EXPECT_EQ(may_look_up(facts(ask, bypass), ask.view(), {}, UnkeyedContent::None, bypass), Reason::Authorization);
}

TEST(LookUp, ContentThatNoKeyKnowsOfIsNeverLookedUp) {
  Policy policy;
  policy.methods.set(static_cast<std::size_t>(http::Method::Options));
  for (const auto method : {http::Method::Get, http::Method::Head, http::Method::Options}) {
    EXPECT_EQ(look_up(method, policy, true), Reason::RequestBody) << http::to_string(method);
    EXPECT_EQ(look_up(method, policy, false), Reason::None) << http::to_string(method);
  }
}

TEST(LookUp, ARequestThatBringsTheReasonItselfGoesAlone) {
  const auto f = facts(Ask({{"Authorization", "x"}, {"Cookie", "a=b"}}));
  EXPECT_TRUE(brings(f, Reason::Authorization));
  EXPECT_TRUE(brings(f, Reason::Cookie));
  EXPECT_FALSE(brings(f, Reason::RequestNoStore));
  EXPECT_FALSE(brings(f, Reason::Private));
}

TEST(Post, AnswersLaterGetsWithItsOwnUriAndExplicitFreshness) {
  const auto answers = [](const Answer& a, const Policy& policy = {}) {
    return post_answers_get(a.view(), policy, "http", "shop.example", "/cart?x=1");
  };
  EXPECT_TRUE(answers(Answer({{"Content-Location", "/cart?x=1"}, {"Expires", date(1000)}})));
  EXPECT_TRUE(
      answers(Answer({{"Content-Location", "http://SHOP.example:80/cart?x=1"}, {"Cache-Control", "max-age=9"}})));
  EXPECT_FALSE(answers(Answer({{"Content-Location", "/cart"}, {"Cache-Control", "max-age=9"}})));
  EXPECT_FALSE(
      answers(Answer({{"Content-Location", "http://other.example/cart?x=1"}, {"Cache-Control", "max-age=9"}})));
  EXPECT_FALSE(answers(Answer({{"Content-Location", "/cart?x=1"}}), with_default(60s))) << "not by a configured one";
  EXPECT_FALSE(answers(Answer("max-age=9")));
  EXPECT_FALSE(answers(Answer({{"Content-Location", "/cart?x=1"}, {"Cache-Control", "max-age=9"}}, 404)));
}

}  // namespace
}  // namespace forebay::rules
