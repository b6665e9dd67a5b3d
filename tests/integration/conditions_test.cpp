// Conditions of routes beside host, path and method, and bypass by values: which request is whose, and that no doubt
// ends in the cache.
#include "body_keys.hpp"

namespace forebay::test {
namespace {

class MatchConditions : public BodyKeysTest {
 protected:
  /// Sends it twice: a route that caches answers the second by itself. Gives the route of the access log, or the reason
  /// why it was not looked up.
  std::string taken_by(std::string_view method, const std::string& target, const FieldLines& fields,
                       const std::string& body = {}) {
    ask(method, target, fields, body);
    const auto a = ask(method, target, fields, body);
    EXPECT_EQ(a.status, 200) << a;
    if (a.x_cache() == "HIT") return a.key().substr(0, a.key().find('|'));
    return a.x_cache() + ' ' + a.cache_param("detail");
  }
  static FieldLines op(const std::string& value) {
    return {{"Content-Type", "application/json"}, {"X-Amz-Target", value}};
  }
};

TEST_F(MatchConditions, ChooseAmongRoutesOfOnePathByFieldAndDoubtIsABypass) {
  start(R"(
diagnostics: {cache_status: key}
routes:
  - {name: reads, path: /, methods: POST, match: {headers: {X-Amz-Target: ["*.Get*", "*.Query"]}}, key: {body: [""]}}
  - {name: other, path: /, methods: POST, match: {headers: {X-Amz-Target: true}}, cache: false, invalidate_on_write: false}
  - {name: plain, path: /**, methods: [GET, POST]}
)");
  EXPECT_EQ(taken_by("POST", "/", op("Db.GetItem"), "{}"), "reads");
  EXPECT_EQ(taken_by("POST", "/", op("Db.Query"), R"({"a":1})"), "reads");
  EXPECT_EQ(taken_by("POST", "/", op("Db.PutItem"), "{}"), "BYPASS cache_off");
  EXPECT_EQ(taken_by("POST", "/", kJson, "{}"), "plain") << "the same content, and another key";
  EXPECT_EQ(taken_by("POST", "/", op("Db.getItem"), "{}"), "BYPASS match_header") << "case";
  EXPECT_EQ(taken_by("POST", "/", with(op("Db.GetItem"), "X-Amz-Target", "Db.PutItem"), "{}"), "BYPASS match_header");
  EXPECT_EQ(taken_by("POST", "/", with(op("Db.PutItem"), "X-Amz-Target", "Db.GetItem"), "{}"), "BYPASS match_header");
  EXPECT_EQ(taken_by("POST", "/", with(op("Db.GetItem"), "X-Amz-Target", "Db.GetItem"), "{}"), "reads");
  EXPECT_EQ(taken_by("POST", "/", with(op("Db.GetItem"), "X_Amz_Target", "Db.PutItem"), "{}"), "BYPASS match_header");
  EXPECT_EQ(taken_by("POST", "/", with(kJson, "X_Amz_Target", "Db.PutItem"), "{}"), "BYPASS match_header");
  const auto line = access_line("/", [](const auto& l) {
    const auto reason = l.find("cache.reason");
    return reason != l.end() && reason->second == "match_header";
  });
  EXPECT_EQ(line.at("route"), "reads");
  EXPECT_EQ(line.at("cache.result"), "bypass");
  EXPECT_TRUE(metric_reaches("forebay_cache_requests_total", {{"route", "reads"}, {"result", "bypass"}}, 10));
}

TEST_F(MatchConditions, ChooseByQueryAndDoubtIsABypass) {
  start(R"(
diagnostics: {cache_status: key}
routes:
  - {name: json, path: /report, match: {query: {format: json, draft: false}}, key: {query: [page]}}
  - {name: rest, path: /**, key: {query: [page]}}
)");
  EXPECT_EQ(taken_by("GET", "/report?format=json&page=1", {}), "json");
  EXPECT_EQ(taken_by("GET", "/report?format=%6Ason&page=2", {}), "json");
  EXPECT_EQ(taken_by("GET", "/report?format=csv", {}), "rest");
  EXPECT_EQ(taken_by("GET", "/report", {}), "rest");
  EXPECT_EQ(taken_by("GET", "/report?format=json&draft", {}), "rest");
  for (const char* doubtful : {"/report?format=json&format=csv", "/report?format=csv&format=json",
                               "/report?Format=json", "/report?format[]=json", "/report?a=1;format=json",
                               "/report?format=JSON", "/report?format=json&x.draft=1", "/report?format=json;a=1"})
    EXPECT_EQ(taken_by("GET", doubtful, {}), "BYPASS match_query") << doubtful;
}

TEST_F(MatchConditions, ChooseByMembersAndWhatCannotBeReadIsABypass) {
  start(R"(
diagnostics: {cache_status: key}
routes:
  - {name: consistent, path: /db, methods: POST, match: {body: {/ConsistentRead: true}}, cache: false,
     key: {body_max: 1KiB}}
  - {name: reads, path: /db, methods: POST, match: {body: {/op: "get*", /dry: [false, null]}}, key: {body_max: 2KiB}}
  - {name: all, path: /**, methods: [GET, POST], key: {body: none}}
)");
  EXPECT_EQ(taken_by("POST", "/db", kJson, R"({"op":"getItem"})"), "reads");
  EXPECT_EQ(taken_by("POST", "/db", kJson, R"({"op":"getItem","dry":false,"ConsistentRead":false})"), "reads");
  EXPECT_EQ(taken_by("POST", "/db", kJson, R"({"op":"getItem","ConsistentRead":true})"), "BYPASS cache_off");
  EXPECT_EQ(taken_by("POST", "/db", kJson, R"({"op":"getItem","dry":true})"), "all");
  EXPECT_EQ(taken_by("POST", "/db", kJson, R"({"op":"list"})"), "all");
  EXPECT_EQ(taken_by("POST", "/db", {}, ""), "all") << "no content has no members";
  EXPECT_EQ(taken_by("GET", "/db", {}), "all");
  EXPECT_EQ(taken_by("POST", "/db", with(kJson, "Content-Encoding", "gzip"), gzip(R"({"op":"getThis"})")), "reads");
  const std::pair<FieldLines, std::string> unreadable[] = {
      {kJson, R"({"op":"getItem","ConsistentRead":"true"})"},
      {kJson, R"({"op":"getItem","ConsistentRead":false,"ConsistentRead":true})"},
      {kJson, R"({"op":"getItem","consistentread":true})"},
      {kJson, "ConsistentRead=true"},
      {kJson, R"({"op":"list"} {})"},
      {kJson, R"({"op":"list","pad":")" + std::string(1024, 'x') + "\"}"},
      {with(kJson, "Content-Encoding", "compress"), R"({"op":"list"})"},
      {with(kJson, "Content-Encoding", "gzip"), R"({"op":"list"})"},
      {with(kJson, "Content-Type", "text/plain"), R"({"op":"list"})"},
      {{{"Content-Type", "application/json; charset=utf-16"}}, R"({"op":"list"})"},
      {kJson, R"([{"op":"getItem"}])"},
  };
  for (const auto& [fields, body] : unreadable) expect_bypass("/db", body, fields, "match_body");
}

TEST_F(MatchConditions, OneAfterAnotherIsAskedAboutTheSameContent) {
  start(R"(
diagnostics: {cache_status: key}
routes:
  - {name: a, path: /rpc, methods: POST, match: {body: {/method: a}}}
  - {name: b, path: /rpc, methods: POST, match: {headers: {X-Mode: fast}, body: {/method: b}}}
  - {name: c, path: /rpc, methods: POST, match: {body: {/method: c}}, key: {body_max: 64B}}
  - {name: rest, path: /**, cache: false}
)");
  EXPECT_EQ(taken_by("POST", "/rpc", kJson, R"({"method":"a"})"), "a");
  EXPECT_EQ(taken_by("POST", "/rpc", kJson, R"({"method":"b"})"), "BYPASS cache_off");
  EXPECT_EQ(taken_by("POST", "/rpc", with(kJson, "X-Mode", "fast"), R"({"method":"b"})"), "b");
  EXPECT_EQ(taken_by("POST", "/rpc", kJson, R"({"method":"c"})"), "c");
  EXPECT_EQ(taken_by("POST", "/rpc", kJson, R"({"method":"d"})"), "BYPASS cache_off");
  const std::string large = R"({"method":"d","pad":")" + std::string(100, 'x') + "\"}";
  EXPECT_EQ(taken_by("POST", "/rpc", kJson, large), "BYPASS match_body") << "over the bound of c";
}

TEST_F(MatchConditions, ContentThatComesSlowlyIsReadAndReachesTheOriginWhole) {
  start(R"(
routes:
  - {name: reads, path: /db, methods: POST, match: {body: {/op: get}}, key: {body_max: 4KiB}}
  - {name: writes, path: /db, methods: POST, match: {body: {/op: put}}, origin: )" +
        origin.url() + R"(, cache: false}
  - {name: rest, path: /**, cache: false}
)");
  const auto slowly = [&](const std::string& body, bool coded) {
    auto c = connect();
    const std::string request =
        "POST /db HTTP/1.1\r\nHost: shop.test\r\nContent-Type: application/json\r\nX-Request-Id: slow-1\r\n" +
        (coded ? "Transfer-Encoding: chunked\r\n\r\n" + chunked(body, 5)
               : "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    for (std::size_t at = 0; at < request.size(); at += 7) c.send(request.substr(at, 7));
    return c.read("POST");
  };
  const std::string get = R"({"op":"get","id":7})", put = R"({"op":"put","id":7})";
  for (const bool coded : {false, true}) {
    EXPECT_EQ(slowly(get, coded).x_cache(), coded ? "HIT" : "MISS");
    EXPECT_EQ(origin.last("/db").body, get);
    const auto written = slowly(put, coded);
    EXPECT_EQ(written.cache_param("detail"), "cache_off");
    EXPECT_EQ(origin.last("/db").body, put);
    EXPECT_EQ(origin.last("/db").get("X-Request-Id"), "slow-1");
    EXPECT_TRUE(origin.last("/db").complete);
    EXPECT_EQ(slowly(get, true).x_cache(), "MISS") << "the write has made it stale";
    EXPECT_EQ(slowly(R"({"op":)", coded).cache_param("detail"), "match_body");
    EXPECT_EQ(slowly(get, true).x_cache(), "MISS") << "and so has what may be one";
    EXPECT_EQ(slowly(put, true).cache_param("detail"), "cache_off");
    EXPECT_EQ(slowly(get, false).x_cache(), "MISS");
  }
  const auto large = pattern(20000);
  const auto a = slowly(large, true);
  EXPECT_EQ(a.cache_status(), "forebay; fwd=bypass; detail=match_body");
  EXPECT_TRUE(origin.last("/db").body == large);
  EXPECT_TRUE(metric_reaches("forebay_cache_requests_total", {{"route", "writes"}, {"result", "bypass"}}, 4));
  for (const char* route : {"reads", "writes", "rest"})
    EXPECT_TRUE(eventually([&] { return metric("forebay_requests_in_flight", {{"route", route}}) == 0; })) << route;
}

TEST_F(MatchConditions, ContentIsReadOnlyWhereTheHeadLeavesTheAnswerOpen) {
  origin.on_head("/up", Reply(403).body("no"));
  start(R"(
routes:
  - {name: reads, path: /up, methods: POST, match: {headers: {X-Op: read}, body: {/a: 1}}}
  - {name: rest, path: /**, methods: POST, cache: false}
)");
  auto c = connect();
  c.send("POST /up HTTP/1.1\r\nHost: shop.test\r\nX-Op: write\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n");
  const auto refused = c.read("POST");
  EXPECT_EQ(refused.status, 403) << "the origin answers before any content is asked for";
  EXPECT_TRUE(refused.interim.empty());
  auto d = connect();
  d.send("POST /up HTTP/1.1\r\nHost: shop.test\r\nX-Op: read\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n");
  EXPECT_EQ(d.read_message("POST").status, 100) << "the route is known only with the content";
  d.send(R"({"a": 2 })");
  EXPECT_EQ(d.read("POST").status, 403);
}

TEST_F(MatchConditions, ARequestThatNoConditionLetsInIsForwardedUncachedOrRefused) {
  start("routes: [{path: /a, match: {headers: {X-Op: read}}}]\n");
  EXPECT_EQ(get("/a", {{"X-Op", "read"}}).x_cache(), "MISS");
  EXPECT_EQ(get("/a", {{"X-Op", "write"}}).cache_status(), "forebay; fwd=bypass; detail=no_route");
}

TEST_F(MatchConditions, WhatMayBeAWriteMakesReadsStale) {
  start(R"(
routes:
  - {name: reads, path: /db, methods: POST, match: {headers: {X-Op: "get*"}}}
  - {name: rest, path: /**, cache: false}
)");
  const FieldLines read{{"X-Op", "getItem"}};
  const auto stored = [&] { return post("/db", "7", read).x_cache() == "HIT"; };
  post("/db", "7", read);
  EXPECT_TRUE(stored());
  post("/db", "7", {{"X-Op", "putItem"}});
  EXPECT_FALSE(stored()) << "a write by another route";
  EXPECT_TRUE(stored());
  post("/db", "7", {{"X-Op", "getItem"}, {"X-Op", "putItem"}});
  EXPECT_FALSE(stored()) << "one that nobody can tell from a write";
}

TEST_F(MatchConditions, WhatNoConditionLetsInIsForwardedByTheFirstRouteOfItsPath) {
  origin.otherwise([](const Received& r) { return Reply().body(r.path + " " + r.get("X-Route")); });
  start(R"(
routes:
  - {name: asks, path: /a, ttl: 60s, methods: POST, match: {body: {/op: read}}}
  - {name: reads, path: /a, ttl: 60s, methods: GET, request_headers: {set: {X-Route: reads}}}
)");
  auto client = connect();
  const auto post = [&](const std::string& content) {
    return client.ask("POST", "/a", {{"Content-Type", "application/json"}}, content);
  };
  const auto write = post(R"({"op":"write"})");
  EXPECT_EQ(write.body, "/a reads");
  EXPECT_EQ(write.cache_param("fwd"), "method");
  EXPECT_EQ(client.ask("PUT", "/a", {{"Content-Type", "application/json"}}, R"({"op":"write"})").body, "/a reads")
      << "nobody asks what is in it for the route of another method";
  post(R"({"op":"read"})");
  EXPECT_EQ(post(R"({"op":"read"})").x_cache(), "HIT");
}

TEST_F(MatchConditions, AnotherConditionAfterAReloadFindsNothingOfWhatWasStoredUnderTheOld) {
  const auto config = [&](const std::string& mode) {
    return with_origin("routes: [{name: r, path: /a, match: {headers: {X-Mode: " + mode + "}}}]\n");
  };
  start("routes: [{name: r, path: /a, match: {headers: {X-Mode: light}}}]\n");
  get("/a", {{"X-Mode", "light"}});
  EXPECT_EQ(get("/a", {{"X-Mode", "light"}}).x_cache(), "HIT");
  daemon->reload(config("dark"));
  ASSERT_TRUE(metric_reaches("forebay_config_reloads_total", {{"outcome", "applied"}}, 1));
  EXPECT_EQ(get("/a", {{"X-Mode", "dark"}}).x_cache(), "MISS") << "the field is not in the key";
}

class BypassByValue : public BodyKeysTest {};

TEST_F(BypassByValue, KeepsARequestFromTheCacheByWhatItSays) {
  start(R"(
defaults: {bypass: {headers: [X-Preview]}}
routes:
  - path: /**
    methods: [GET, POST]
    bypass:
      headers: {X-Env: [staging, "dev-*"]}
      cookies: {beta: "1"}
      query: {nocache: ["1", "true"]}
)");
  get("/a");
  get("/a?nocache=0");
  EXPECT_EQ(get("/a").x_cache(), "HIT");
  EXPECT_EQ(get("/a", {{"X-Env", "live"}}).x_cache(), "HIT");
  EXPECT_EQ(get("/a?nocache=0").x_cache(), "HIT");
  EXPECT_EQ(get("/a", {{"X-Env", "staging"}}).cache_param("detail"), "rule_header");
  EXPECT_EQ(get("/a", {{"X-Env", "dev-7"}}).cache_param("detail"), "rule_header");
  EXPECT_EQ(get("/a", {{"X-Preview", ""}}).cache_param("detail"), "rule_header") << "of the layer below";
  EXPECT_EQ(get("/a", {{"Cookie", "beta=1"}}).cache_param("detail"), "rule_cookie");
  EXPECT_EQ(get("/a?nocache=1").cache_param("detail"), "rule_query");
  EXPECT_EQ(get("/a?nocache=%31").cache_param("detail"), "rule_query");
}

TEST_F(BypassByValue, OfAMemberHoldsWhateverIsInTheKeyAndWhereNobodyCanRead) {
  start(R"(
routes:
  - {path: /all, methods: POST, bypass: {body: {/ConsistentRead: true}}, key: {body_max: 1KiB}}
  - {path: /none, methods: POST, bypass: {body: {/ConsistentRead: true}}, key: {body: none, body_max: 1KiB}}
)");
  for (const std::string path : {"/all", "/none"}) {
    const std::string plain = R"({"a":1,"ConsistentRead":false})";
    EXPECT_EQ(post(path, plain).x_cache(), "MISS");
    EXPECT_EQ(post(path, plain).x_cache(), "HIT");
    for (const std::string& body :
         {std::string(R"({"a":1,"ConsistentRead":true})"), std::string("no JSON"),
          std::string(R"([{"ConsistentRead":true}])"), std::string(R"({"ConsistentRead":"true"})"),
          "{\"pad\":\"" + std::string(2000, 'x') + "\"}"})
      expect_bypass(path, body, kJson, "rule_body");
    EXPECT_EQ(post(path, plain).x_cache(), "MISS") << "what was bypassed may have been a write";
  }
}

TEST_F(BypassByValue, AValueOfACookieDoesNotEndTheGuardForCookies) {
  origin.otherwise([](const Received& r) { return Reply().body(std::to_string(r.number)); });
  start("routes: [{path: /**, ttl: 60s, bypass: {cookies: {theme: dark}}}]\n");
  EXPECT_EQ(get("/a", {{"Cookie", "theme=dark"}}).cache_param("detail"), "rule_cookie");
  EXPECT_EQ(get("/a", {{"Cookie", "theme=light"}}).cache_param("detail"), "cookie");
}

}  // namespace
}  // namespace forebay::test
