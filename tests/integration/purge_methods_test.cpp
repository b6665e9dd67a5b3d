// PURGE and BAN of clients: never forwarded, and off unless the configuration switches them on.
#include "admin_api.hpp"
#include "support/h2_client.hpp"

namespace forebay::test {
namespace {

class PurgeMethods : public AdminApiTest {
 protected:
  void SetUp() override {
    origin.otherwise([](const Received& r) { return Reply::fresh(std::to_string(r.number)); });
  }
  bool hits(const std::string& target, const FieldLines& fields = {}) { return get(target, fields).x_cache() == "HIT"; }
  /// The number of requests that the origin got by these methods.
  std::size_t forwarded(const std::string& path) {
    std::size_t n = 0;
    for (const auto& r : origin.requests(path)) n += r.method != "GET" ? 1 : 0;
    return n;
  }
};

constexpr const char* kSpellings[] = {"PURGE", "BAN", "purge", "Purge", "pURGE", "ban", "Ban"};

TEST_F(PurgeMethods, AreNeverForwardedWhereTheyAreOff) {
  start(R"(
routes:
  - {name: plain, path: /plain}
  - {name: listed, path: /listed, methods: [GET, LOCK]}
  - {name: uncached, path: /uncached, cache: false}
  - {name: bypassed, path: /bypassed, bypass: {headers: [X-B]}}
)");
  for (const std::string path : {"/plain", "/listed", "/uncached", "/bypassed", "/nowhere"}) {
    get(path);
    for (const auto* method : kSpellings) {
      const auto answer = ask(method, path, {{"X-B", "1"}, {"CDN-Loop", "x"}, {"Max-Forwards", "3"}});
      EXPECT_EQ(answer.status, 405) << method << ' ' << path;
      EXPECT_TRUE(is_problem(answer, 405)) << method << ' ' << path;
      EXPECT_THAT(answer.get("Allow"), HasSubstr("GET, HEAD")) << method << ' ' << path;
      EXPECT_EQ(ask(method, path, {}, "content").status, 405) << method << ' ' << path;
    }
    EXPECT_EQ(forwarded(path), 0u) << path;
  }
  EXPECT_TRUE(hits("/plain"));
  EXPECT_EQ(send_raw("PURGE /plain HTTP/1.0\r\n\r\n").status, 405);
  EXPECT_EQ(send_raw("PURGE http://shop.test/plain HTTP/1.1\r\nHost: shop.test\r\n\r\n").status, 405);
  EXPECT_EQ(send_raw("BAN * HTTP/1.1\r\nHost: shop.test\r\n\r\n").status, 405);
  EXPECT_EQ(origin.count(), origin.count("/plain") + origin.count("/listed") + origin.count("/uncached") +
                                origin.count("/bypassed") + origin.count("/nowhere"));
  const auto explained = admin("POST", "/api/v1/explain", R"({"url":"http://shop.test/plain","method":"PURGE"})");
  EXPECT_THAT(explained.body, HasSubstr("Forebay answers 405 itself: PURGE and BAN are not forwarded"));
}

TEST_F(PurgeMethods, AreNeverForwardedOverHttp2) {
  FOREBAY_NOT_OVER_TLS("HTTP/2 by prior knowledge");
  start();
  H2Client c(daemon->port());
  for (const auto* method : kSpellings) EXPECT_EQ(c.answer(c.request(method, "/a", {}, true)).status, 405) << method;
  EXPECT_EQ(origin.count(), 0u);
}

TEST_F(PurgeMethods, OverHttp2AClientPurgesWhereItIsOn) {
  FOREBAY_NOT_OVER_TLS("HTTP/2 by prior knowledge");
  start("purge: {methods: [PURGE]}\nroutes: [{path: /**}]\n");
  H2Client c(daemon->port());
  c.answer(c.get("/a"));
  EXPECT_EQ(c.answer(c.get("/a")).get("x-cache"), "HIT");
  const auto purge = c.answer(c.request("PURGE", "/a", {}, true));
  EXPECT_EQ(purge.status, 200);
  EXPECT_THAT(purge.body, HasSubstr("\"purged\":1"));
  EXPECT_EQ(c.answer(c.request("BAN", "/a", {{"forebay-prefix", "/"}}, true)).status, 405);
  EXPECT_EQ(c.answer(c.get("/a")).get("x-cache"), "MISS");
}

TEST_F(PurgeMethods, PurgeDropsTheUrlAsItIsKeyed) {
  start("purge: {methods: [PURGE]}\nroutes: [{path: '/q/**', key: {query: [id]}}, {path: /**}]\n");
  const FieldLines other{{"Host", "other.test"}};
  for (const auto* target : {"/a", "/a?x=1", "/q/1?id=1&u=1", "/q/1?id=2"}) get(target);
  get("/a", other);
  const auto answer = ask("PURGE", "/a");
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.get("Content-Type"), "application/json");
  EXPECT_EQ(answer.get("Cache-Control"), "no-store");
  EXPECT_FALSE(answer.has("Cache-Status"));
  EXPECT_EQ(members(answer)["purged"], "1");
  EXPECT_EQ(members(answer)["by.url"], "1");
  EXPECT_TRUE(hits("/a?x=1"));
  EXPECT_TRUE(hits("/a", other));
  EXPECT_FALSE(hits("/a"));
  EXPECT_EQ(members(ask("PURGE", "/q/1?u=9&id=1", {}, "content that is not read"))["purged"], "1");
  EXPECT_TRUE(hits("/q/1?id=2"));
  EXPECT_EQ(members(ask("PURGE", "/nothing"))["purged"], "0");
  EXPECT_EQ(forwarded("/a") + forwarded("/q/1"), 0u);
  EXPECT_EQ(ask("BAN", "/a", {{"Forebay-Prefix", "/"}}).status, 405);
  EXPECT_EQ(ask("purge", "/a").status, 405);
}

TEST_F(PurgeMethods, ASoftPurgeKeepsTheValidators) {
  origin.on("/a", {Reply::fresh("old").field("ETag", "\"1\""),
                   Reply(304).field("ETag", "\"1\"").field("Cache-Control", "max-age=60")});
  start("purge: {methods: [PURGE]}\nroutes: [{path: /**}]\n");
  get("/a");
  EXPECT_EQ(ask("PURGE", "/a", {{"Forebay-Purge", "softly"}}).status, 400);
  EXPECT_TRUE(hits("/a"));
  EXPECT_EQ(members(ask("PURGE", "/a", {{"Forebay-Purge", "soft"}}))["mode"], "soft");
  EXPECT_EQ(get("/a").x_cache(), "REVALIDATED");
  EXPECT_TRUE(hits("/a"));
}

TEST_F(PurgeMethods, BanTakesPrefixesAndGlobsOfItsHostOrOfAUrl) {
  start("purge: {methods: [PURGE, BAN]}\nroutes: [{path: /**}]\n");
  const FieldLines other{{"Host", "other.test"}};
  for (const auto* target : {"/p/1", "/p/2.jpg", "/x.jpg"}) {
    get(target);
    get(target, other);
  }
  EXPECT_EQ(ask("BAN", "/").status, 400);
  EXPECT_EQ(ask("BAN", "/", {{"Forebay-Prefix", "p/"}}).status, 400);
  EXPECT_EQ(members(ask("BAN", "/", {{"Forebay-Glob", "*.jpg"}}))["purged"], "2");
  EXPECT_EQ(members(ask("BAN", "/", {{"Forebay-Prefix", "/p/"}}))["purged"], "1");
  EXPECT_TRUE(hits("/p/1", other));
  EXPECT_EQ(members(ask("BAN", "/", {{"Forebay-Prefix", "http://other.test/"}}))["by.prefix"], "3");
}

TEST_F(PurgeMethods, OnlyAddressesOfAllowMay) {
  start("purge: {methods: [PURGE], allow: [10.0.0.0/8]}\nroutes: [{path: /**}]\n");
  get("/a");
  EXPECT_EQ(ask("PURGE", "/a").status, 403);
  EXPECT_EQ(ask("PURGE", "/a", {{"X-Forwarded-For", "10.0.0.1"}}).status, 403) << "its peer is not trusted";
  EXPECT_TRUE(hits("/a"));
  EXPECT_TRUE(log_has("purge: PURGE /a from 127.0.0.1: refused (The address of the client is not in purge.allow.)"));
  EXPECT_TRUE(metric_becomes("forebay_request_errors_total", {{"reason", "forbidden"}}, 2));
}

TEST_F(PurgeMethods, ARequestThatAProxyHasPassedOnIsNotTheProxys) {
  start("purge: {methods: [PURGE]}\nroutes: [{path: /**}]\n");
  get("/a");
  for (const auto& [name, value] : std::vector<std::pair<std::string, std::string>>{{"X-Forwarded-For", "127.0.0.1"},
                                                                                    {"Forwarded", "for=127.0.0.1"},
                                                                                    {"Via", "1.1 nginx"},
                                                                                    {"X-Forwarded-Proto", "https"},
                                                                                    {"X-Real-IP", "::1"}}) {
    const auto answer = ask("PURGE", "/a", {{name, value}});
    EXPECT_EQ(answer.status, 403) << name;
    EXPECT_THAT(answer.body, HasSubstr("server.trusted_proxies")) << name;
    EXPECT_EQ(ask("PURGE", "/a", {{name, value}, {"Connection", name}}).status, 403) << name;
  }
  EXPECT_TRUE(hits("/a"));
  EXPECT_EQ(ask("PURGE", "/a").status, 200);
}

TEST_F(PurgeMethods, BehindATrustedProxyItsClientCounts) {
  start(R"(
server: {threads: 2, trusted_proxies: [127.0.0.0/8]}
purge: {methods: [PURGE], allow: [10.0.0.0/8, 127.0.0.0/8]}
routes: [{path: /**}]
)");
  get("/a");
  const auto by = [&](const FieldLines& fields) { return ask("PURGE", "/a", fields).status; };
  EXPECT_EQ(by({{"X-Forwarded-For", "203.0.113.9"}}), 403);
  EXPECT_EQ(by({{"X-Forwarded-For", "10.0.0.1, 203.0.113.9"}}), 403) << "the client's own claim";
  EXPECT_EQ(by({{"X-Forwarded-For", "203.0.113.9"}, {"Connection", "X-Forwarded-For"}}), 403);
  EXPECT_EQ(by({{"X-Forwarded-For", "unknown"}}), 403);
  EXPECT_EQ(by({{"X-Forwarded-For", "203.0.113.9, unknown, 127.0.0.1"}}), 403);
  EXPECT_EQ(by({{"X-Forwarded-For", "127.0.0.1, unknown"}}), 403) << "a proxy that appends no address";
  EXPECT_EQ(by({{"X-Forwarded-For", "127.0.0.5, x, 127.0.0.5"}}), 403);
  EXPECT_EQ(by({{"X-Forwarded-Proto", "https"}}), 403) << "some proxy has passed it on without naming the client";
  EXPECT_EQ(by({{"X-Forwarded-For", ""}}), 403);
  EXPECT_EQ(by({{"Forwarded", "for=10.0.0.1"}}), 403);
  EXPECT_EQ(by({{"Via", "1.1 proxy"}}), 403);
  EXPECT_TRUE(hits("/a"));
  EXPECT_EQ(by({{"X-Forwarded-For", "203.0.113.9, 10.0.0.1"}}), 200);
  EXPECT_EQ(by({{"X-Forwarded-For", "127.0.0.1"}}), 200);
  EXPECT_EQ(by({}), 200) << "the proxy itself";
  EXPECT_TRUE(log_has("purge: PURGE /a from 10.0.0.1: hard purge of url " + scheme() + "://shop.test/a: 1 entry, 200"));
}

TEST_F(PurgeMethods, ATokenIsRequiredWhereOneIsSetAndTheAddressToo) {
  start("purge: {methods: [PURGE], token: 0123456789abcdef}\nroutes: [{path: /**}]\n");
  get("/a");
  const auto missing = ask("PURGE", "/a");
  EXPECT_EQ(missing.status, 401);
  EXPECT_EQ(missing.get("WWW-Authenticate"), "Bearer realm=\"forebay purge\"");
  for (const auto* wrong : {"Bearer 0123456789abcdee", "Bearer 0123456789abcde", "Basic 0123456789abcdef", "Bearer "})
    EXPECT_EQ(ask("PURGE", "/a", {{"Authorization", wrong}}).status, 401) << wrong;
  EXPECT_EQ(ask("PURGE", "/a", {{"Authorization", "Bearer 0123456789abcdef"}, {"Via", "1.1 x"}}).status, 403);
  EXPECT_TRUE(hits("/a"));
  EXPECT_EQ(ask("PURGE", "/a", {{"Authorization", "bearer 0123456789abcdef"}}).status, 200);
  EXPECT_TRUE(log_has("by right of purge.token: hard purge of url"));
  EXPECT_EQ(daemon->log().find("0123456789abcdef"), std::string::npos);
}

TEST_F(PurgeMethods, AWebPageNeedsAToken) {
  start("purge: {methods: [PURGE]}\nroutes: [{path: /**}]\n");
  EXPECT_EQ(ask("PURGE", "/a", {{"Origin", "http://evil.test"}}).status, 403);
  EXPECT_EQ(ask("PURGE", "/a", {{"Sec-Fetch-Site", "same-origin"}}).status, 403);
}

TEST_F(PurgeMethods, PurgesBeyondTheLimitAre429AndAllAreCounted) {
  start(R"(
admin: {listen: 127.0.0.1:0, changes_per_second: 1}
purge: {methods: [PURGE]}
routes: [{path: /**}]
)");
  int done = 0, refused = 0;
  for (int i = 0; i < 20 && refused == 0; ++i) {
    const auto answer = ask("PURGE", "/a");
    if (answer.status == 200) {
      ++done;
      continue;
    }
    EXPECT_EQ(answer.status, 429);
    EXPECT_EQ(answer.get("Retry-After"), "1");
    ++refused;
  }
  EXPECT_EQ(refused, 1);
  EXPECT_TRUE(metric_becomes("forebay_requests_total", {{"method", "OTHER"}, {"code", "2xx"}}, done));
  EXPECT_TRUE(metric_becomes("forebay_requests_total", {{"method", "OTHER"}, {"code", "4xx"}}, refused));
  EXPECT_EQ(metric("forebay_cache_requests_total", {{"result", "bypass"}}), done);
  const auto line = access_line("/a");
  EXPECT_EQ(line.at("method"), "PURGE");
}

TEST_F(PurgeMethods, AReloadSwitchesThemOnAndOff) {
  start();
  EXPECT_EQ(ask("PURGE", "/a").status, 405);
  daemon->reload(with_origin("purge: {methods: [PURGE]}\nroutes: [{path: /**}]\n"));
  EXPECT_TRUE(eventually([&] { return ask("PURGE", "/a").status == 200; }));
}

TEST_F(PurgeMethods, TheModeIsStatedOnce) {
  start("purge: {methods: [PURGE]}\nroutes: [{path: /**}]\n");
  auto c = connect();
  c.send("PURGE /a HTTP/1.1\r\nHost: shop.test\r\nForebay-Purge: soft\r\nForebay-Purge: hard\r\n\r\n");
  EXPECT_EQ(c.read().status, 400);
}

TEST_F(PurgeMethods, APasswordInATargetIsNotLogged) {
  start("purge: {methods: [PURGE], allow: [192.0.2.0/24]}\nroutes: [{path: /**}]\n");
  auto c = connect();
  c.send("PURGE http://u:hunter2@shop.test/x HTTP/1.1\r\nHost: shop.test\r\n\r\n");
  EXPECT_GE(c.read().status, 400);
  EXPECT_TRUE(log_has("refused (The address of the client is not in purge.allow.)"));
  EXPECT_THAT(daemon->log(), Not(HasSubstr("hunter2")));
}

}  // namespace
}  // namespace forebay::test
