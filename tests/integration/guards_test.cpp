// Guards against cache poisoning by unkeyed input, and against web cache deception.
#include "support/forebay_test.hpp"

namespace forebay::test {
namespace {

class Guards : public ForebayTest {};

const char* const kUnkeyedInputs[] = {
    "X-Original-URL",       "X-Rewrite-URL",          "X-Original-Host",  "X-Host",
    "X-Forwarded-Server",   "X-Forwarded-Prefix",     "X-Forwarded-Path", "X-Forwarded-Scheme",
    "X-HTTP-Host-Override", "X-HTTP-Method-Override", "X-HTTP-Method",    "X-Method-Override"};
// These are replaced by what is true rather than removed.
const char* const kReplacedInputs[] = {"X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "Forwarded"};

FieldLines poison() {
  FieldLines fields;
  for (const auto* name : kUnkeyedInputs) fields.emplace_back(name, "evil.test");
  for (const auto* name : kReplacedInputs) fields.emplace_back(name, name[0] == 'F' ? "host=evil.test" : "evil.test");
  return fields;
}

TEST_F(Guards, WhatFrameworksTrustAndNoKeyHoldsComesOnlyFromTrustedPeers) {
  origin.otherwise([](const Received& r) { return Reply::fresh(r.head); });
  start("routes: [{path: /pass, cache: false}, {path: /cached, methods: [GET, POST]}]\n");
  for (const auto* path : {"/cached", "/pass", "/unrouted"})
    EXPECT_THAT(get(path, poison()).body, Not(HasSubstr("evil"))) << path;
  EXPECT_THAT(ask("POST", "/cached", poison(), "x").body, Not(HasSubstr("evil")));
}

TEST_F(Guards, AWriteMaySayWhichMethodItStandsForAndNothingElse) {
  origin.otherwise([](const Received& r) { return Reply::fresh(r.head); });
  start();
  auto fields = poison();
  for (const auto* name : {"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"}) fields.remove(name);
  fields.emplace_back("X-HTTP-Method-Override", "PATCH");
  EXPECT_THAT(ask("POST", "/a", fields, "x").body, Not(HasSubstr("evil")));
  EXPECT_EQ(origin.last("/a").get("X-HTTP-Method-Override"), "PATCH") << "nobody else gets its answer";
}

TEST_F(Guards, ATrustedPeerMaySayWhatItKnowsOfItsClient) {
  origin.otherwise([](const Received& r) { return Reply().body(r.head); });
  start("server: {threads: 1, trusted_proxies: [127.0.0.0/8]}\nroutes: [{path: /**}]\n");
  get("/a", poison());
  const auto r = origin.last("/a");
  for (const auto* name :
       {"X-Original-Host", "X-Host", "X-Forwarded-Prefix", "X-Forwarded-Scheme", "X-HTTP-Host-Override"})
    EXPECT_EQ(r.get(name), "evil.test") << name;
  for (const auto* name : {"X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Server", "X-Forwarded-Path",
                           "X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"})
    EXPECT_FALSE(r.has(name)) << name << " is what a load balancer passes through";
  EXPECT_EQ(get("/a").x_cache(), "MISS") << "what it says of the place is in the key";
  EXPECT_THAT(r.get("X-Forwarded-Host"), HasSubstr("evil.test"));
}

TEST_F(Guards, OneThatIsPartOfTheKeyIsForwarded) {
  origin.otherwise([](const Received& r) { return Reply::fresh(r.get("X-Host") + r.get("X-Original-URL")); });
  start("routes: [{path: /**, key: {headers: [x-host]}}]\n");
  EXPECT_EQ(get("/a", {{"X-Host", "one"}, {"X-Original-URL", "/evil"}}).body, "one");
  EXPECT_EQ(get("/a", {{"X-Host", "two"}}).body, "two");
  EXPECT_EQ(get("/a", {{"X-Host", "one"}}).x_cache(), "HIT");
}

TEST_F(Guards, RefreshesAndValidationsCarryNoneEither) {
  origin.on("/a",
            {Reply::with("max-age=60, stale-while-revalidate=30", "old").field("Age", "61").field("ETag", "\"v\""),
             Reply::fresh("new")});
  start();
  get("/a");
  EXPECT_EQ(get("/a", poison()).x_cache(), "STALE");
  EXPECT_TRUE(origin.wait_for("/a", 2));
  EXPECT_THAT(origin.last("/a").head, Not(HasSubstr("evil")));
}

TEST_F(Guards, APageUnderTheNameOfAStaticFileIsNotStored) {
  const std::pair<const char*, const char*> types[] = {{"html", "text/html"},
                                                       {"charset", "Text/HTML; charset=utf-8"},
                                                       {"json", "application/json"},
                                                       {"problem", "application/problem+json"},
                                                       {"xhtml", "application/xhtml+xml"}};
  for (const auto* target : {"/account/x.css", "/account/x.js", "/account/x.png", "/account;x.css", "/account/x.CSS",
                             "/account/x.woff2", "/account/a%2Fx.css", "/account/x.css?v=1", "/account/%2e%2e/y/x.ico"})
    for (const auto& [id, type] : types) {
      // Each in a daemon's lifetime once, told apart by a query that is not part of the path.
      const auto path = std::string(target) + (std::string(target).find('?') == std::string::npos ? "?" : "&") + id;
      origin.otherwise(
          [type = std::string(type)](const Received&) { return Reply::fresh("mine").field("Content-Type", type); });
      if (!daemon) start("routes: [{path: /**, pass_memory: 0}]\n");
      const auto a = get(path);
      EXPECT_EQ(a.body, "mine") << "it is passed on";
      EXPECT_EQ(a.x_cache(), "MISS");
      EXPECT_EQ(a.cache_param("detail"), "type_mismatch") << path << " as " << type;
      EXPECT_EQ(get(path).x_cache(), "MISS") << path;
    }
  EXPECT_TRUE(metric_reaches("forebay_cache_not_stored_total", {{"reason", "type_mismatch"}}, 90));
}

TEST_F(Guards, WhatIsOfTheKindItsNameSaysIsStored) {
  struct Case {
    const char* path;
    const char* type;
  };
  const Case cases[] = {
      {"/a/x.css", "text/css"},          {"/a/x.js", "text/javascript"},  {"/a/x.js", "application/javascript"},
      {"/a/x.png", "image/png"},         {"/a/x.svg", "image/svg+xml"},   {"/a/x.html", "text/html"},
      {"/a/x.json", "application/json"}, {"/a/x.css/", "text/html"},      {"/a/css", "text/html"},
      {"/a/x.css.d/y", "text/html"},     {"/a/v1.2", "application/json"}, {"/a/", "text/html"},
      {"/a/x?y.css", "text/html"}};
  int n = 0;
  start("routes: [{path: /**}]\n");
  for (const auto& c : cases) {
    origin.otherwise([&](const Received&) { return Reply::fresh("x").field("Content-Type", c.type); });
    const std::string target = c.path;
    const auto path = target + (target.find('?') == std::string::npos ? "?" : "&") + std::to_string(n++);
    EXPECT_EQ(get(path).x_cache(), "MISS") << c.path;
    EXPECT_EQ(get(path).x_cache(), "HIT") << c.path << " as " << c.type;
  }
}

TEST_F(Guards, ARouteMaySwitchTheSuffixGuardOff) {
  origin.on("/a.css", Reply::fresh("x").field("Content-Type", "text/html"));
  start("routes: [{path: /**, suffix_guard: false}]\n");
  get("/a.css");
  EXPECT_EQ(get("/a.css").x_cache(), "HIT");
}

TEST_F(Guards, ACookieOrARouteByItsSuffixDoesNotLiftTheGuard) {
  origin.otherwise([](const Received& r) { return Reply().field("Content-Type", "text/html").body(r.get("Cookie")); });
  start("routes: [{path: '/**/*.css', ttl: 60s}, {path: '~ .*\\.js', ttl: 60s, request_cookies: share}]\n");
  get("/account/x.css");
  EXPECT_NE(get("/account/x.css").x_cache(), "HIT");
  EXPECT_EQ(get("/account/x.js", {{"Cookie", "sid=alice"}}).body, "sid=alice");
  EXPECT_EQ(get("/account/x.js", {{"Cookie", "sid=bob"}}).body, "sid=bob");
}

}  // namespace
}  // namespace forebay::test
