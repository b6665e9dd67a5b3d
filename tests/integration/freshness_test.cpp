// Which responses are stored, and for how long: docs/caching.md, RFC 9111 sections 3, 4.2 and 5.2, RFC 9213.
#include "support/forebay_test.hpp"

namespace forebay::test {
namespace {

class Freshness : public ForebayTest {
 protected:
  struct Case {
    std::string path;   ///< Selects the route.
    FieldLines fields;  ///< What the origin sends.
    bool hit;           ///< Whether the second request is one.
    int status = 200;
  };
  void check(const std::vector<Case>& cases) {
    for (std::size_t i = 0; i < cases.size(); ++i) {
      Reply reply(cases[i].status);
      for (const auto& [n, v] : cases[i].fields) reply.field(n, v);
      reply.body("b");
      if (cases[i].fields.has("-Date")) reply.without_date();
      origin.on(cases[i].path + '/' + std::to_string(i), reply);
    }
    for (std::size_t i = 0; i < cases.size(); ++i) {
      const auto path = cases[i].path + '/' + std::to_string(i);
      std::string what = path;
      for (const auto& [n, v] : cases[i].fields) what += " [" + n + ": " + v + "]";
      const auto first = get(path);
      EXPECT_EQ(first.status, cases[i].status) << what;
      const auto second = get(path);
      EXPECT_EQ(second.status, cases[i].status) << what;
      EXPECT_EQ(second.x_cache() == "HIT", cases[i].hit) << what << " -> " << second.cache_status();
      EXPECT_EQ(origin.count(path), cases[i].hit ? 1u : 2u) << what;
    }
  }
};

const char* const kCC = "Cache-Control";

TEST_F(Freshness, ExplicitLifetimesDecideByTheOrderOfTheRfc) {
  start();
  check({
      {"/x", {{kCC, "max-age=60"}}, true},
      {"/x", {{kCC, "Max-Age=60"}}, true},
      {"/x", {{kCC, "public"}}, false},
      {"/x", {}, false},
      {"/x", {{kCC, "s-maxage=60"}}, true},
      {"/x", {{kCC, "s-maxage=60, max-age=0"}}, true},
      {"/x", {{kCC, "s-maxage=0, max-age=60"}}, false},
      {"/x", {{"Expires", http_date(60)}}, true},
      {"/x", {{"Expires", http_date(-60)}}, false},
      {"/x", {{"Expires", "0"}}, false},
      {"/x", {{kCC, "max-age=60"}, {"Expires", http_date(-60)}}, true},
      {"/x", {{kCC, "max-age=0"}, {"Expires", http_date(60)}}, false},
      {"/x", {{"Date", http_date(-3600)}, {"Expires", http_date(60)}}, true},
      {"/x", {{"Date", http_date(3600)}, {"Expires", http_date(3660)}}, true},
      {"/x", {{"Date", http_date(3600)}, {"Expires", http_date(60)}}, false},
      {"/x", {{"Date", "nonsense"}, {"Expires", http_date(60)}}, true},
      {"/x", {{"Expires", "Thu, 01 Jan 2099 00:00:00 UTC"}}, false},
      {"/x", {{"Expires", "Thu,  01 Jan 2099 00:00:00 GMT"}}, false},
      {"/x", {{"Expires", "Thu 01 Jan 2099 00:00:00 GMT"}}, false},
      {"/x", {{"Expires", "Thu, 01-Jan-2099 00:00:00 GMT"}}, false},
      {"/x", {{"Expires", "Thu, 01 Jan 99 00:00:00 GMT"}}, false},
      {"/x", {{"Expires", "thu, 01 jan 2099 00:00:00 gmt"}}, true},
      {"/x", {{"Expires", "Thu Jan  1 00:00:00 2099"}}, true},
      {"/x", {{kCC, "max-age=60, max-age=0"}}, true},
      {"/x", {{kCC, "max-age=0, max-age=60"}}, false},
      {"/x", {{kCC, "max-age=\"60\""}}, true},
      {"/x", {{kCC, "max-age='60'"}}, false},
      {"/x", {{kCC, "max-age=60.5"}}, false},
      {"/x", {{kCC, "max-age=-60"}}, false},
      {"/x", {{kCC, "max-age=99999999999999999999"}}, true},
      {"/x", {{kCC, "max-age=60, unknown=1"}}, true},
  });
}

TEST_F(Freshness, AgeAndDateCountAgainstTheLifetime) {
  start();
  check({
      {"/x", {{kCC, "max-age=60"}, {"Age", "30"}}, true},
      {"/x", {{kCC, "max-age=60"}, {"Age", "60"}}, false},
      {"/x", {{kCC, "max-age=60"}, {"Age", "3000"}}, false},
      {"/x", {{kCC, "max-age=60"}, {"Age", "abc"}}, true},
      {"/x", {{kCC, "max-age=60"}, {"Age", "-5"}}, true},
      {"/x", {{kCC, "max-age=60"}, {"Age", "0, 3000"}}, true},
      {"/x", {{kCC, "max-age=60"}, {"Age", "3000, 0"}}, false},
      {"/x", {{kCC, "max-age=60"}, {"Age", "99999999999999999999"}}, false},
      {"/x", {{kCC, "max-age=60"}, {"Date", http_date(-3600)}}, false},
      {"/x", {{kCC, "max-age=60"}, {"Date", http_date(3600)}}, true},
      {"/x", {{kCC, "max-age=60"}, {"Date", http_date(3600)}, {"Age", "3000"}}, false},
      {"/x", {{kCC, "max-age=60"}, {"-Date", "1"}}, true},
  });
}

TEST_F(Freshness, WhatForbidsStoringForbidsItWhateverTheLifetime) {
  start("routes: [{path: /lifted/*, ttl: {default: 60s, min: 60s}}, {path: /**}]\n");
  check({
      {"/x", {{kCC, "max-age=60, no-store"}}, false},
      {"/x", {{kCC, "max-age=60"}, {kCC, "no-store"}}, false},
      {"/x", {{kCC, "max-age=60, private"}}, false},
      {"/x", {{kCC, "max-age=60, No-Store"}}, false},
      {"/x", {{kCC, "max-age=60"}, {"Vary", "*"}}, false},
      {"/x", {{kCC, "max-age=60"}, {"Vary", "Accept, *"}}, false},
      {"/x", {{kCC, "max-age=60"}, {"Vary", "Accept"}, {"Vary", "*"}}, false},
      {"/x", {{kCC, "max-age=60"}, {"Vary", ",, *"}}, false},
      {"/x", {{kCC, "max-age=60"}, {"Set-Cookie", "a=1"}}, false},
      {"/lifted", {{kCC, "no-store"}}, false},
      {"/lifted", {{kCC, "private"}}, false},
      {"/lifted", {{kCC, "no-cache"}}, false},
      {"/lifted", {{kCC, "max-age=0"}}, true},
      {"/lifted", {}, true},
  });
}

TEST_F(Freshness, AnyFinalStatusIsStoredWithExplicitFreshness) {
  start();
  check({
      {"/x", {{kCC, "max-age=60"}}, true, 201},
      {"/x", {{kCC, "max-age=60"}}, true, 204},
      {"/x", {{kCC, "max-age=60"}}, true, 299},
      {"/x", {{kCC, "max-age=60"}, {"Location", "/y"}}, true, 302},
      {"/x", {{kCC, "max-age=60"}, {"Location", "/y"}}, true, 303},
      {"/x", {{kCC, "max-age=60"}}, true, 400},
      {"/x", {{kCC, "max-age=60"}}, true, 404},
      {"/x", {{kCC, "max-age=60"}}, true, 499},
      {"/x", {{kCC, "max-age=60"}}, true, 500},
      {"/x", {{kCC, "max-age=60"}}, true, 599},
      {"/x", {{kCC, "max-age=60, must-understand"}}, false, 599},
      {"/x", {{kCC, "max-age=60, must-understand, no-store"}}, true, 200},
      {"/x", {{kCC, "max-age=60"}}, false, 206},
      {"/x", {}, false, 404},
      {"/x", {}, false, 500},
  });
}

TEST_F(Freshness, ARoutesLifetimesApplyToListedStatusesWhereTheOriginSaysNothing) {
  start(R"(
routes:
  - {path: /d/*, ttl: 60s}
  - {path: /s/*, ttl: {default: 60s, status: {"404": 0, 503: 60s, 5xx: 0}}}
  - {path: /max/*, ttl: {default: 60s, max: 0}}
  - {path: /ignore/*, ttl: 60s, origin_cache_control: ignore}
  - {path: /override/*, ttl: 60s, origin_cache_control: override}
  - {path: /off/*, ttl: 60s, cache: false}
)");
  check({
      {"/d", {}, true},
      {"/d", {}, true, 404},
      {"/d", {}, true, 301},
      {"/d", {}, false, 302},
      {"/d", {}, false, 500},
      {"/d", {}, false, 429},
      {"/d", {{kCC, "max-age=0"}}, false},
      {"/d", {{kCC, "no-store"}}, false},
      {"/d", {{"Expires", "0"}}, false},
      {"/s", {}, false, 404},
      {"/s", {}, true, 503},
      {"/s", {}, false, 500},
      {"/s", {}, true, 200},
      {"/max", {{kCC, "max-age=60"}}, false},
      {"/ignore", {{kCC, "max-age=0"}}, true},
      {"/ignore", {{kCC, "no-store"}}, false},
      {"/ignore", {{kCC, "private"}}, false},
      {"/override", {{kCC, "no-store"}}, true},
      {"/override", {{kCC, "private"}}, true},
      {"/override", {{kCC, "no-store"}, {"Set-Cookie", "a=1"}}, false},
      {"/override", {{kCC, "no-store"}, {"Vary", "*"}}, false},
      {"/off", {{kCC, "max-age=60"}}, false},
  });
}

TEST_F(Freshness, ARoutesLifetimeCountsFromTheReceipt) {
  origin.on("/a", Reply().field("Age", "300").body("x"));
  start("routes: [{path: /**, ttl: 200s}]\n");
  get("/a");
  const auto a = get("/a");
  EXPECT_EQ(a.x_cache(), "HIT");
  EXPECT_GE(a.age(), 300) << "the age is told as it is";
  EXPECT_LE(a.ttl(), 200);
  EXPECT_GT(a.ttl(), 50);
}

TEST_F(Freshness, HeuristicFreshnessIsOffUnlessTheRouteTurnsItOn) {
  start("routes: [{path: /h/*, ttl: {heuristic: 10%}}, {path: /**}]\n");
  const std::string old = http_date(-100000);
  check({
      {"/x", {{"Last-Modified", old}}, false},
      {"/h", {{"Last-Modified", old}}, true},
      {"/h", {{"Last-Modified", old}}, true, 404},
      {"/h", {{"Last-Modified", old}}, false, 302},
      {"/h", {{"Last-Modified", old}, {kCC, "public"}}, true, 302},
      {"/h", {{"Last-Modified", old}, {kCC, "max-age=x"}}, false},
      {"/h", {{"Last-Modified", old}, {"Expires", "0"}}, false},
      {"/h", {}, false},
  });
}

TEST_F(Freshness, TargetedFieldsReplaceCacheControlAndExpiresBothWays) {
  const char* const cdn = "CDN-Cache-Control";
  const char* const own = "Forebay-Cache-Control";
  start(
      "routes: [{path: /strip/*, targeted: {strip: true}}, {path: /sc/*, targeted: {fields: [Surrogate-Control]}}, "
      "{path: /**}]\n");
  check({
      {"/x", {{cdn, "max-age=60"}, {kCC, "no-store"}}, true},
      {"/x", {{cdn, "no-store"}, {kCC, "max-age=60"}}, false},
      {"/x", {{cdn, "no-cache"}, {kCC, "max-age=60"}}, false},
      {"/x", {{cdn, "private"}, {kCC, "max-age=60"}}, false},
      {"/x", {{cdn, "max-age=0"}, {kCC, "max-age=60"}}, false},
      {"/x", {{cdn, "public"}, {"Expires", http_date(60)}}, false},
      {"/x", {{cdn, ""}, {kCC, "max-age=60"}}, true},
      {"/x", {{cdn, "max-age=0, ="}, {kCC, "max-age=60"}}, true},
      {"/x", {{cdn, "max-age = 0"}, {kCC, "max-age=60"}}, true},
      {"/x", {{cdn, "MAX-AGE=60"}, {kCC, "max-age=60"}}, true},
      {"/x", {{cdn, "max-age=\"60\""}, {kCC, "max-age=60"}}, false},
      {"/x", {{own, "max-age=60"}, {cdn, "no-store"}}, true},
      {"/x", {{own, "no-store"}, {cdn, "max-age=60"}, {kCC, "max-age=60"}}, false},
      {"/x", {{cdn, "max-age=60"}, {"Age", "100"}}, false},
      {"/x", {{"Surrogate-Control", "max-age=60"}}, false},
      {"/sc", {{"Surrogate-Control", "max-age=60"}, {kCC, "max-age=0"}}, true},
  });
  origin.on("/pass",
            Reply::fresh().field(cdn, "max-age=60").field(own, "max-age=60").field("Surrogate-Control", "x=1"));
  origin.on("/strip/1", Reply::fresh().field(cdn, "max-age=60"));
  for (const auto& a : {get("/pass"), get("/pass")}) {
    EXPECT_EQ(a.get(cdn), "max-age=60") << "passed on unless the route strips it";
    EXPECT_FALSE(a.has(own));
    EXPECT_FALSE(a.has("Surrogate-Control"));
  }
  for (const auto& a : {get("/strip/1"), get("/strip/1")}) EXPECT_FALSE(a.has(cdn));
}

TEST_F(Freshness, SetCookieIsStrippedOrStoredOnlyWhereTheRouteSaysSo) {
  for (const auto* path : {"/strip", "/store", "/none"})
    origin.on(path, Reply::fresh().field("Set-Cookie", "sid=secret"));
  start(R"(
routes:
  - {path: /strip, set_cookie: strip}
  - {path: /store, set_cookie: store}
  - {path: /none}
)");
  for (const auto& a : {get("/strip"), get("/strip")}) EXPECT_FALSE(a.has("Set-Cookie")) << "on the miss as well";
  EXPECT_EQ(origin.count("/strip"), 1u);
  for (const auto& a : {get("/store"), get("/store")}) EXPECT_EQ(a.get("Set-Cookie"), "sid=secret");
  EXPECT_EQ(origin.count("/store"), 1u);
  for (const auto& a : {get("/none"), get("/none")}) EXPECT_EQ(a.get("Set-Cookie"), "sid=secret");
  EXPECT_EQ(origin.count("/none"), 2u);
}

TEST_F(Freshness, PrivateAndNoCacheWithFieldNamesConcernOnlyThoseFields) {
  origin.on("/p", Reply::with("max-age=60, private=\"X-Secret\"").field("X-Secret", "s").field("X-Open", "o"));
  origin.on("/n", Reply::with("max-age=60, no-cache=\"X-Secret\"").field("X-Secret", "s").field("X-Open", "o"));
  start();
  for (const auto* path : {"/p", "/n"}) {
    get(path);
    const auto second = get(path);
    EXPECT_FALSE(second.x_cache() == "HIT" && second.has("X-Secret")) << path;
    EXPECT_EQ(second.get("X-Open"), "o") << path;
  }
}

TEST_F(Freshness, RetryAfterCapsTheLifetimeOfAStored503) {
  origin.on("/a", Reply(503).field("Retry-After", "5").body("x"));
  start("routes: [{path: /**, ttl: {status: {503: 60s}}}]\n");
  get("/a");
  const auto second = get("/a");
  EXPECT_EQ(second.x_cache(), "HIT");
  EXPECT_LE(std::atoi(second.cache_param("ttl").c_str()), 5);
}

}  // namespace
}  // namespace forebay::test
