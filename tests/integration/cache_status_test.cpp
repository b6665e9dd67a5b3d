// Every form of Cache-Status and X-Cache (docs/logging.md), and a reason for every decision.
#include "support/forebay_test.hpp"

namespace forebay::test {
namespace {

class CacheStatus : public ForebayTest {};

TEST_F(CacheStatus, AMissThatIsStoredAndTheHitBehindIt) {
  origin.on("/a", Reply::fresh());
  start();
  const auto miss = get("/a");
  EXPECT_THAT(miss.cache_status(),
              MatchesRegex(std::string("forebay; fwd=uri-miss; (fwd-status=200; )?stored; ") + kTtlOf60));
  EXPECT_EQ(miss.x_cache(), "MISS");
  const auto hit = get("/a");
  EXPECT_THAT(hit.cache_status(), MatchesRegex(std::string("forebay; hit; ") + kTtlOf60));
  EXPECT_EQ(hit.x_cache(), "HIT");
}

TEST_F(CacheStatus, AMissThatIsNotStoredSaysWhy) {
  struct Case {
    const char* path;
    Reply reply;
    const char* reason;
  };
  const Case cases[] = {
      {"/no_freshness", Reply().body("x"), "no_freshness"},
      {"/no_store", Reply::with("no-store"), "no_store"},
      {"/private", Reply::with("private, max-age=60"), "private"},
      {"/set_cookie", Reply::fresh().field("Set-Cookie", "a=1"), "set_cookie"},
      {"/vary_star", Reply::fresh().field("Vary", "*"), "vary_star"},
      {"/status", Reply(302).field("Location", "/x"), "status"},
      {"/partial", Reply(206).field("Cache-Control", "max-age=60").field("Content-Range", "bytes 0-3/9").body("body"),
       "partial"},
      {"/zero_ttl", Reply::with("max-age=0"), "zero_ttl"},
      {"/too_large", Reply::fresh(pattern(30000)), "too_large"},
      {"/unproven", Reply::fresh().until_close(), "unproven"},
  };
  for (const auto& c : cases) origin.on(c.path, c.reply);
  start("routes: [{path: /status, ttl: 60s}, {path: /**, max_object: 20KiB}]\n");
  for (const auto& c : cases) {
    const auto a = get(c.path);
    EXPECT_EQ(a.x_cache(), "MISS") << c.path;
    EXPECT_THAT(a.cache_status(), StartsWith("forebay; fwd=uri-miss")) << c.path;
    EXPECT_EQ(a.cache_param("stored"), "-") << c.path << ": " << a.cache_status();
    EXPECT_EQ(a.cache_param("detail"), c.reason) << a.cache_status();
    EXPECT_TRUE(metric_reaches("forebay_cache_not_stored_total", {{"reason", c.reason}}, 1)) << c.reason;
    const auto line = access_line(c.path);
    const auto at = line.find("cache.reason");
    EXPECT_EQ(at == line.end() ? "" : at->second, c.reason);
  }
}

TEST_F(CacheStatus, EveryKindOfBypass) {
  origin.otherwise([](const Received& r) { return r.path == "/private" ? Reply::with("private") : Reply::fresh(); });
  start(R"(
routes:
  - {path: /off, cache: false}
  - {path: /auth, authorization: bypass}
  - {path: /get, methods: [GET]}
  - {path: /private}
)");
  get("/private");
  const std::pair<Answer, const char*> all[] = {
      {get("/off"), "forebay; fwd=bypass; detail=cache_off"},
      {get("/auth", {{"Authorization", "Basic eA=="}}), "forebay; fwd=bypass; detail=authorization"},
      {ask("PUT", "/get", {}, "x"), "forebay; fwd=method; detail=method"},
      {ask("GET", "/get", {}, "x"), "forebay; fwd=bypass; detail=request_body"},
      {get("/private"), "forebay; fwd=bypass; detail=pass_memory"},
      {get("/unrouted"), "forebay; fwd=bypass; detail=no_route"},
  };
  for (const auto& [a, expected] : all) {
    EXPECT_EQ(a.cache_status(), expected);
    EXPECT_EQ(a.x_cache(), "BYPASS") << expected;
  }
}

TEST_F(CacheStatus, PassMemoryNamesWhatSetItToThoseWhoLookIntoTheCache) {
  const struct {
    const char* path;
    Reply reply;
    const char* cause;
  } cases[] = {
      {"/no_freshness", Reply().body("x"), "no_freshness"},
      {"/no_store", Reply::with("no-store"), "no_store"},
      {"/private", Reply::with("private, max-age=60"), "private"},
      {"/set_cookie", Reply::fresh().field("Set-Cookie", "a=1"), "set_cookie"},
      {"/zero_ttl", Reply::with("max-age=0"), "zero_ttl"},
      {"/length", Reply::fresh(pattern(30000)), "too_large"},
      {"/chunked", Reply::fresh(pattern(30000)).chunked(5000), "too_large"},
  };
  for (const auto& c : cases) origin.on(c.path, c.reply);
  start("diagnostics: {cache_status: key}\nroutes: [{path: /**, max_object: 20KiB, pass_memory: 1h}]\n");
  for (const auto& c : cases) {
    EXPECT_EQ(get(c.path).cache_param("cause"), "-") << c.path;
    const auto pass = get(c.path);
    EXPECT_EQ(pass.cache_param("detail"), "pass_memory") << c.path;
    EXPECT_EQ(pass.cache_param("cause"), c.cause) << pass.cache_status();
    EXPECT_THAT(pass.cache_param("cause-left"), MatchesRegex("3600|35[0-9][0-9]")) << pass.cache_status();
    const auto line = access_line(c.path, [](const auto& l) { return l.at("cache.result") == "bypass"; });
    ASSERT_TRUE(line.contains("cache.cause")) << c.path;
    EXPECT_EQ(line.at("cache.reason"), "pass_memory") << c.path;
    EXPECT_EQ(line.at("cache.cause"), c.cause) << c.path;
    EXPECT_THAT(line.at("cache.cause_left_s"), MatchesRegex("3600|35[0-9][0-9]")) << c.path;
  }
}

TEST_F(CacheStatus, WhatOutgrewTheLimitIsNotCollectedAgainWhileThatIsRemembered) {
  origin.on("/a", {Reply::fresh(pattern(30000)).chunked(5000), Reply::fresh("small").chunked(2),
                   Reply::fresh("small").chunked(2), Reply::fresh("told")});
  start("diagnostics: {cache_status: key}\nroutes: [{path: /**, max_object: 20KiB, pass_memory: 1h}]\n");
  get("/a");
  for (int i = 0; i < 2; ++i) {
    const auto pass = get("/a");
    EXPECT_EQ(pass.body, "small");
    EXPECT_EQ(pass.cache_param("cause"), "too_large") << pass.cache_status();
    EXPECT_THAT(pass.cache_status(), Not(HasSubstr("stored")));
  }
  EXPECT_EQ(get("/a").body, "told") << "its length says that it fits";
  EXPECT_EQ(get("/a").x_cache(), "HIT");
}

TEST_F(CacheStatus, TheCauseIsShownWithTheKeyAlone) {
  origin.otherwise([](const Received&) { return Reply::with("private"); });
  start();
  get("/a");
  EXPECT_EQ(get("/a").cache_status(), "forebay; fwd=bypass; detail=pass_memory");
}

TEST_F(CacheStatus, RevalidatedStaleAndTheRest) {
  origin.on("/reval", [](const Received& r) {
    return r.has("If-None-Match") ? Reply(304).field("ETag", "\"v\"").field("Cache-Control", "max-age=60")
                                  : Reply::with("no-cache").field("ETag", "\"v\"");
  });
  origin.on("/replaced", {Reply::with("no-cache").field("ETag", "\"v\""), Reply::fresh("2")});
  origin.on("/vary", Reply::fresh().field("Vary", "X"));
  start("routes: [{path: /**, client_cache_control: respect}]\n");
  get("/reval");
  const auto reval = get("/reval");
  EXPECT_THAT(reval.cache_status(), MatchesRegex("forebay; fwd=stale; fwd-status=304; stored(; ttl=[0-9]+)?"));
  EXPECT_EQ(reval.x_cache(), "REVALIDATED");
  get("/replaced");
  const auto replaced = get("/replaced");
  EXPECT_THAT(replaced.cache_status(),
              MatchesRegex(std::string("forebay; fwd=stale; (fwd-status=200; )?stored; ") + kTtlOf60));
  get("/vary");
  EXPECT_THAT(get("/vary", {{"X", "1"}}).cache_status(),
              MatchesRegex(std::string("forebay; fwd=vary-miss; (fwd-status=200; )?stored; ") + kTtlOf60));
}

TEST_F(CacheStatus, NoneOnForebaysOwnErrors) {
  origin.on("/down", Reply::hang_up(End::Rst));
  start();
  for (const auto& a :
       {get("/down"), get("/x", {{"Cache-Control", "only-if-cached"}}), send_raw("GET / HTTP/1.1\r\n\r\n")}) {
    EXPECT_GE(a.status, 400);
    EXPECT_FALSE(a.has("Cache-Status"));
  }
  EXPECT_EQ(get("/down").x_cache(), "ERROR");
}

TEST_F(CacheStatus, TheKeyIsShownOnlyWhereTheOperatorAllowsIt) {
  origin.on("/a", Reply::fresh());
  start("diagnostics: {cache_status: key}\nroutes: [{name: shop, path: /**, key: {headers: [X-Tenant]}}]\n");
  get("/a?b=2&a=1", {{"X-Tenant", "acme"}});
  const auto a = get("/a?b=2&a=1", {{"X-Tenant", "acme"}});
  EXPECT_EQ(a.cache_param("key"), "\"shop|GET|" + scheme() + "|shop.test|/a|q:b=2&a=1|h:x-tenant=acme\"")
      << a.cache_status();
  daemon.reset();
  start();
  get("/a");
  EXPECT_THAT(get("/a").cache_status(), Not(HasSubstr("key")));
}

TEST_F(CacheStatus, NameAndFieldsAreSettings) {
  origin.on("/a", Reply::fresh());
  start("diagnostics: {name: edge1, x_cache: false}\nroutes: [{path: /**}]\n");
  EXPECT_THAT(get("/a").cache_status(), StartsWith("edge1; "));
  EXPECT_FALSE(get("/a").has("X-Cache"));
  daemon.reset();
  start("diagnostics: {cache_status: 'off'}\nroutes: [{path: /**}]\n");
  EXPECT_FALSE(get("/a").has("Cache-Status"));
  EXPECT_TRUE(get("/a").has("X-Cache"));
}

}  // namespace
}  // namespace forebay::test
