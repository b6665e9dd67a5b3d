// A HEAD that finds nothing stored: the origin is asked by GET, the client gets the head, and the store the whole.
#include "support/forebay_test.hpp"

namespace forebay::test {
namespace {

class Head : public ForebayTest {
 protected:
  Answer head(std::string_view target, const FieldLines& fields = {}) { return ask("HEAD", target, fields); }
  /// The methods by which the origin was asked for a path, in order.
  std::string methods(const std::string& path) {
    std::string all;
    for (const auto& r : origin.requests(path)) all += (all.empty() ? "" : " ") + r.method;
    return all;
  }
  /// Waits until the answer for a path is stored.
  bool stored(const std::string& path, const FieldLines& fields = {}) {
    return eventually([&] { return head(path, fields).x_cache() == "HIT"; });
  }
};

TEST_F(Head, TwiceIsMissThenHitAndAGetHasTheWhole) {
  origin.on("/length", Reply::fresh("content").field("X-Own", "1"));
  origin.on("/chunked", Reply::fresh("content").chunked(3));
  origin.on("/empty", Reply::fresh(""));
  origin.on("/204", Reply(204).field("Cache-Control", "max-age=60"));
  origin.on("/404", Reply(404).field("Cache-Control", "max-age=60").body("none"));
  start();
  for (const std::string path : {"/length", "/chunked", "/empty", "/204", "/404"}) {
    const auto first = head(path);
    EXPECT_EQ(first.x_cache(), "MISS") << path;
    EXPECT_EQ(first.cache_param("stored"), "") << first.cache_status();
    EXPECT_EQ(first.cache_param("detail"), "-") << first.cache_status();
    ASSERT_TRUE(stored(path)) << path;
    const auto whole = get(path);
    EXPECT_EQ(whole.x_cache(), "HIT") << path;
    EXPECT_EQ(whole.body, path == "/length" || path == "/chunked" ? "content" : path == "/404" ? "none" : "") << path;
    EXPECT_EQ(methods(path), "GET") << path;
  }
  EXPECT_EQ(head("/length").get("Content-Length"), "7");
  EXPECT_EQ(head("/length").get("X-Own"), "1");
  const auto line = access_line("/length", [](const auto& l) { return l.at("cache.result") == "miss"; });
  ASSERT_TRUE(line.contains("origin.method"));
  EXPECT_EQ(line.at("method"), "HEAD");
  EXPECT_EQ(line.at("origin.method"), "GET");
}

TEST_F(Head, NeverWaitsForTheBody) {
  auto hold = gate();
  origin.on("/a", Reply::fresh(pattern(1000)).gate_at(10, hold));
  origin.on("/b", Reply::fresh("b"));
  start();
  auto c = connect();
  const auto a = c.ask("HEAD", "/a");
  EXPECT_EQ(a.status, 200);
  EXPECT_EQ(a.get("Content-Length"), "1000");
  EXPECT_EQ(c.get("/b").body, "b") << "the connection is free for the next";
  EXPECT_EQ(c.ask("HEAD", "/a").x_cache(), "COALESCED") << "the head is there, the body is not";
  hold->open();
  ASSERT_TRUE(stored("/a"));
  EXPECT_EQ(get("/a").body, pattern(1000));
  EXPECT_EQ(methods("/a"), "GET");
}

TEST_F(Head, ItsClientMayLeaveAndTheBodyIsStoredAllTheSame) {
  auto before = gate(), within = gate();
  origin.on("/before", Reply::fresh("content").after(before));
  origin.on("/within", Reply::fresh("content").gate_at(3, within));
  start();
  {
    auto c = connect();
    c.request("HEAD", "/before");
    EXPECT_TRUE(origin.wait_for("/before", 1));
    auto d = connect();
    EXPECT_EQ(d.ask("HEAD", "/within").status, 200);
  }
  before->open();
  within->open();
  EXPECT_TRUE(stored("/before"));
  EXPECT_TRUE(stored("/within"));
  EXPECT_EQ(get("/within").body, "content");
  EXPECT_EQ(methods("/before"), "GET");
  EXPECT_EQ(methods("/within"), "GET");
}

TEST_F(Head, AGetThatJoinsGetsTheWholeBody) {
  auto before = gate(), within = gate();
  origin.on("/before", Reply::fresh(pattern(200000)).after(before));
  origin.on("/within", Reply::fresh(pattern(200000)).chunked(1000).gate_at(150000, within));
  start();
  auto first = connect(), second = connect(), third = connect();
  first.request("HEAD", "/before");
  EXPECT_TRUE(origin.wait_for("/before", 1));
  second.request("GET", "/before");
  third.request("HEAD", "/before");
  EXPECT_TRUE(metric_reaches("forebay_coalesced_waiting", {}, 2));
  before->open();
  EXPECT_EQ(first.read("HEAD").status, 200);
  EXPECT_TRUE(second.read().body == pattern(200000));
  EXPECT_EQ(third.read("HEAD").x_cache(), "COALESCED");
  EXPECT_EQ(methods("/before"), "GET");

  EXPECT_EQ(head("/within").status, 200);
  second.request("GET", "/within");
  auto part = second.read_head();
  EXPECT_EQ(part.x_cache(), "COALESCED");
  within->open();
  second.read_content(part);
  EXPECT_TRUE(part.body == pattern(200000));
  EXPECT_EQ(methods("/within"), "GET");
}

TEST_F(Head, AGetThatJoinedFetchesForItselfWhereTheAnswerIsForOneAlone) {
  auto hold = gate();
  origin.on("/private", [hold](const Received& r) {
    auto reply = Reply::with("private", r.method + std::to_string(r.number));
    return r.number == 1 ? reply.after(hold) : reply;
  });
  start();
  auto first = connect(), second = connect(), third = connect();
  first.request("HEAD", "/private");
  EXPECT_TRUE(origin.wait_for("/private", 1));
  second.request("GET", "/private");
  third.request("HEAD", "/private");
  EXPECT_TRUE(metric_reaches("forebay_coalesced_waiting", {}, 2));
  hold->open();
  EXPECT_EQ(first.read("HEAD").cache_param("detail"), "private");
  EXPECT_THAT(second.read().body, MatchesRegex("GET[23]"));
  EXPECT_EQ(third.read("HEAD").cache_param("detail"), "method") << "it goes as a HEAD";
  EXPECT_THAT(methods("/private"), AnyOf("GET GET HEAD", "GET HEAD GET"));
}

TEST_F(Head, OneThatWaitsForAGetIsServedFromItsHead) {
  auto before = gate(), within = gate();
  origin.on("/a", Reply::fresh("content").after(before).gate_at(3, within));
  start();
  auto first = connect(), second = connect();
  first.request("GET", "/a");
  EXPECT_TRUE(origin.wait_for("/a", 1));
  second.request("HEAD", "/a");
  EXPECT_TRUE(metric_reaches("forebay_coalesced_waiting", {}, 1));
  before->open();
  const auto h = second.read("HEAD");
  EXPECT_EQ(h.x_cache(), "COALESCED");
  EXPECT_EQ(h.get("Content-Length"), "7");
  within->open();
  EXPECT_EQ(first.read().body, "content");
  EXPECT_EQ(origin.count("/a"), 1u);
}

TEST_F(Head, WhatMayNotBeStoredEndsTheFetchAtItsHeadAndIsRemembered) {
  auto never = gate();
  const std::pair<std::string, Reply> cases[] = {
      {"no_store", Reply::with("no-store", pattern(100000)).gate_at(10, never)},
      {"no_freshness", Reply().body(pattern(100000)).gate_at(10, never)},
      {"set_cookie", Reply::fresh(pattern(100000)).field("Set-Cookie", "a=1").gate_at(10, never)},
      {"too_large", Reply::fresh(pattern(100000)).gate_at(10, never)},
      {"endless", Reply().field("Content-Type", "text/event-stream").chunked().body("data").gate_at(1, never)},
      {"type_mismatch", Reply::fresh(pattern(100)).field("Content-Type", "text/html").gate_at(10, never)},
  };
  const auto path_of = [](const std::string& reason) {
    return "/" + reason + (reason == "type_mismatch" ? ".css" : "");
  };
  for (const auto& [reason, reply] : cases) origin.on(path_of(reason), reply);
  start("routes: [{path: /**, max_object: 50KiB, pass_memory: 1h}]\n");
  for (const auto& [reason, reply] : cases) {
    const auto path = path_of(reason);
    const auto first = head(path);
    EXPECT_EQ(first.status, 200) << reason;
    EXPECT_EQ(first.cache_param("detail"), reason) << first.cache_status();
    const auto next = head(path);
    EXPECT_EQ(next.cache_status(), "forebay; fwd=bypass; detail=pass_memory") << reason;
    EXPECT_EQ(methods(path), "GET HEAD") << reason;
    EXPECT_TRUE(metric_reaches("forebay_cache_not_stored_total", {{"reason", reason}}, 1)) << reason;
  }
  EXPECT_TRUE(eventually([&] { return metric("forebay_origin_requests_in_flight") == 0; }))
      << "nothing is left of them";
  never->open();
}

TEST_F(Head, AChunkedBodyThatOutgrowsTheLimitEndsWhenNobodyReadsIt) {
  auto never = gate();
  origin.on("/a", Reply::fresh(pattern(300000)).chunked(5000).gate_at(200000, never));
  start("routes: [{path: /**, max_object: 100KiB, pass_memory: 1h}]\n");
  EXPECT_EQ(head("/a").status, 200);
  EXPECT_TRUE(metric_reaches("forebay_cache_not_stored_total", {{"reason", "too_large"}}, 1));
  EXPECT_TRUE(eventually([&] { return metric("forebay_origin_requests_in_flight") == 0; }));
  EXPECT_EQ(head("/a").cache_param("detail"), "pass_memory");
  EXPECT_EQ(methods("/a"), "GET HEAD");
  never->open();
}

TEST_F(Head, ItGoesToTheOriginAsItIsWhereNothingCouldBeStored) {
  origin.otherwise([](const Received&) { return Reply::fresh("content"); });
  start(R"(
routes:
  - {path: /off, cache: false}
  - {path: /as-it-is, convert_head: false}
  - {path: /bypass, bypass: {headers: [X-Preview]}}
  - {path: /**}
)");
  const struct {
    std::string path;
    FieldLines fields;
    const char* status;
  } cases[] = {
      {"/off", {}, "forebay; fwd=bypass; detail=cache_off"},
      {"/as-it-is", {}, "forebay; fwd=uri-miss; detail=method"},
      {"/bypass", {{"X-Preview", "1"}}, "forebay; fwd=bypass; detail=rule_header"},
      {"/no-store", {{"Cache-Control", "no-store"}}, "forebay; fwd=uri-miss; detail=request_no_store"},
      {"/if-match", {{"If-Match", "\"1\""}}, "forebay; fwd=uri-miss; detail=precondition"},
      {"/signed",
       {{"Authorization", "AWS4-HMAC-SHA256 Credential=a, SignedHeaders=host, Signature=0"}},
       "forebay; fwd=uri-miss; detail=signed"},
      {"/presigned?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-SignedHeaders=host&X-Amz-Signature=0",
       {},
       "forebay; fwd=uri-miss; detail=signed"},
      {"/goog?X-Goog-Signature=0", {}, "forebay; fwd=uri-miss; detail=signed"},
      {"/cloudfront?Policy=a&Signature=b&Key-Pair-Id=c", {}, "forebay; fwd=uri-miss; detail=signed"},
      {"/azure?sv=1&sig=b", {}, "forebay; fwd=uri-miss; detail=signed"},
      {"/cookie", {{"Cookie", "sid=1"}}, "forebay; fwd=uri-miss; detail=cookie"},
      {"/basic", {{"Authorization", "Basic YTpi"}}, "forebay; fwd=uri-miss; detail=authorization"},
      {"/stream", {{"Accept", "text/event-stream"}}, "forebay; fwd=uri-miss; detail=method"},
      {"/nobody", {}, "forebay; fwd=bypass; detail=no_route"},
  };
  for (const auto& c : cases) {
    if (c.path == "/nobody") continue;
    for (int i = 0; i < 2; ++i) EXPECT_EQ(head(c.path, c.fields).cache_status(), c.status) << c.path;
    EXPECT_EQ(methods(c.path.substr(0, c.path.find('?'))), "HEAD HEAD") << c.path;
  }
  EXPECT_EQ(head("/cached", {{"Cache-Control", "only-if-cached"}}).status, 504);
  EXPECT_EQ(origin.count("/cached"), 0u);
}

TEST_F(Head, WhatIsStaleIsValidatedByAHead) {
  origin.otherwise([](const Received&) { return Reply::fresh("content").field("Age", "61").field("ETag", "\"1\""); });
  start();
  get("/a");
  EXPECT_EQ(head("/a").cache_param("fwd"), "stale");
  EXPECT_EQ(methods("/a"), "GET HEAD");
}

TEST_F(Head, ALengthAloneProlongsNoConfiguredLifetime) {
  const auto counted = [](auto make) {
    return [make, n = std::make_shared<std::atomic<int>>(0)](const Received&) {
      const int number = ++*n;
      return make(number).body(std::to_string(number));
    };
  };
  origin.on("/ttl", counted([](int) { return Reply(); }));
  origin.on("/said", counted([](int n) { return n == 1 ? Reply::with("max-age=1") : Reply::fresh(); }));
  start("defaults: {stale: {if_error: 1h}}\nroutes: [{path: /said}, {path: /**, ttl: 1s}]\n");
  for (const auto* path : {"/ttl", "/said"}) {
    EXPECT_EQ(get(path).body, "1");
    EXPECT_TRUE(eventually([&] { return head(path).cache_param("fwd") == "stale"; })) << path;
  }
  EXPECT_EQ(get("/said").body, "1") << "the origin has said by the HEAD that it is fresh";
  EXPECT_NE(get("/ttl").body, "1") << "nobody has said that it is the same";
}

TEST_F(Head, ASuccessDoesNotProlongAStoredError) {
  origin.otherwise([](const Received& r) {
    return r.method == "HEAD" ? Reply::with("max-age=60").chunked(4) : Reply(404).field("Cache-Control", "max-age=1");
  });
  start("defaults: {stale: {if_error: 1h}}\n");
  EXPECT_EQ(get("/a").status, 404);
  EXPECT_TRUE(eventually([&] { return head("/a").cache_param("fwd") == "stale"; }));
  EXPECT_NE(get("/a").x_cache(), "HIT");
}

TEST_F(Head, OneWithinAStaleWindowStartsNoFetch) {
  origin.otherwise([](const Received&) { return Reply::fresh("content").field("Age", "61"); });
  start("routes: [{path: /**, stale: {while_revalidate: 1h}}]\n");
  get("/a");
  EXPECT_EQ(head("/a").x_cache(), "STALE");
  EXPECT_EQ(get("/a").x_cache(), "STALE");
  EXPECT_TRUE(origin.wait_for("/a", 2)) << "of the GET";
  EXPECT_EQ(methods("/a"), "GET GET");
}

TEST_F(Head, ItsConditionsAndItsRangeStayAtHome) {
  origin.otherwise([](const Received&) { return Reply::fresh("content").field("ETag", "\"1\""); });
  start();
  EXPECT_EQ(head("/same", {{"If-None-Match", "\"1\""}}).status, 304);
  EXPECT_EQ(head("/other", {{"If-None-Match", "\"2\""}}).status, 200);
  const auto part = head("/range", {{"Range", "bytes=0-1"}});
  EXPECT_EQ(part.status, 200);
  EXPECT_EQ(part.get("Content-Length"), "7");
  for (const std::string path : {"/same", "/other", "/range"}) {
    EXPECT_TRUE(stored(path));
    EXPECT_EQ(methods(path), "GET");
    EXPECT_FALSE(origin.last(path).has("If-None-Match"));
    EXPECT_FALSE(origin.last(path).has("Range"));
  }
  origin.on("/private", Reply::with("private", "content").field("ETag", "\"1\""));
  EXPECT_EQ(head("/private", {{"If-None-Match", "\"1\""}}).status, 304) << "of the head that has come";
  EXPECT_EQ(head("/private2", {{"Range", "bytes=0-1"}}).status, 200);
}

TEST_F(Head, OneForAnotherVariantFetchesThatVariant) {
  origin.otherwise([](const Received& r) { return Reply::fresh(r.get("X-Lang")).field("Vary", "X-Lang"); });
  start();
  EXPECT_EQ(get("/a", {{"X-Lang", "de"}}).body, "de");
  EXPECT_EQ(head("/a", {{"X-Lang", "fr"}}).cache_param("fwd"), "vary-miss");
  EXPECT_TRUE(stored("/a", {{"X-Lang", "fr"}}));
  EXPECT_EQ(get("/a", {{"X-Lang", "fr"}}).body, "fr");
  EXPECT_EQ(get("/a", {{"X-Lang", "de"}}).x_cache(), "HIT");
  EXPECT_EQ(methods("/a"), "GET GET");
}

TEST_F(Head, WithoutCoalescingItStoresAsWell) {
  origin.otherwise([](const Received&) { return Reply::fresh("content"); });
  start("routes: [{path: /**, coalesce: {enabled: false}}]\n");
  EXPECT_EQ(head("/a").x_cache(), "MISS");
  // Else the next one would fetch for itself.
  EXPECT_TRUE(metric_reaches("forebay_cache_stored_total", {}, 1));
  EXPECT_TRUE(stored("/a"));
  EXPECT_EQ(methods("/a"), "GET");
}

TEST_F(Head, ARefreshStoresWhereNothingIsStoredAndElseValidates) {
  origin.otherwise([](const Received&) { return Reply::fresh("content").field("ETag", "\"1\""); });
  start("routes: [{path: /**, client_refresh: {token: let-me-in}}]\n");
  const FieldLines refresh{{"Forebay-Refresh", "let-me-in"}};
  EXPECT_EQ(head("/a", refresh).x_cache(), "MISS");
  // Nobody joins the fetch of a refresh: before that is stored, the next request would fetch for itself.
  EXPECT_TRUE(metric_reaches("forebay_cache_stored_total", {}, 1));
  EXPECT_TRUE(stored("/a"));
  EXPECT_EQ(head("/a", refresh).x_cache(), "MISS");
  EXPECT_EQ(methods("/a"), "GET HEAD");
}

TEST_F(Head, OfGraphqlOverGetAndUnderANoVarySearchRule) {
  origin.on("/graphql", Reply::fresh(R"({"data":{}})").field("Content-Type", "application/json"));
  origin.on("/search", Reply::fresh("found").field("No-Vary-Search", "params=(\"utm\")"));
  start(R"(
routes:
  - {path: /graphql, methods: [GET, POST], key: {graphql: true}}
  - {path: /search, no_vary_search: respect}
)");
  EXPECT_EQ(head("/graphql?query=%7Ba%7D").x_cache(), "MISS");
  EXPECT_TRUE(stored("/graphql?query=%7Ba%7D"));
  EXPECT_EQ(ask("POST", "/graphql", {{"Content-Type", "application/json"}}, R"({"query":"{a}"})").x_cache(), "HIT");
  EXPECT_EQ(head("/search?q=1&utm=a").x_cache(), "MISS");
  EXPECT_TRUE(stored("/search?q=1&utm=b"));
  EXPECT_EQ(get("/search?q=1").body, "found");
  EXPECT_EQ(methods("/graphql"), "GET");
  EXPECT_EQ(methods("/search"), "GET");
}

TEST_F(Head, OriginsThatAnswerAHeadDifferentlyOrNotAtAll) {
  origin.on("/refuses", [](const Received& r) { return r.method == "HEAD" ? Reply(405) : Reply::fresh("content"); });
  origin.on("/http10", Reply::fresh("content").http10());
  origin.on("/close", Reply::fresh("content").http10().until_close());
  origin.on("/stored-close", Reply::fresh("content").http10().until_close());
  start("routes: [{path: /stored-close, close_delimited: store}, {path: /**, pass_memory: 1h}]\n");
  EXPECT_EQ(head("/refuses").status, 200);
  for (const std::string path : {"/http10", "/stored-close"}) {
    EXPECT_EQ(head(path).x_cache(), "MISS") << path;
    EXPECT_TRUE(stored(path)) << path;
    EXPECT_EQ(get(path).body, "content") << path;
    EXPECT_EQ(methods(path), "GET") << path;
  }
  EXPECT_EQ(head("/close").cache_param("detail"), "unproven");
  EXPECT_EQ(head("/close").cache_param("detail"), "pass_memory");
  EXPECT_EQ(methods("/close"), "GET HEAD");
}

TEST_F(Head, AFailureIsTheOriginsAndNothingIsRemembered) {
  origin.on("/503", Reply(503).body("down"));
  origin.on("/500", Reply(500).body("broken"));
  origin.on("/reset", Reply::hang_up(End::Rst));
  start();
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(head("/503").status, 503);
    EXPECT_EQ(head("/500").status, 500);
    EXPECT_EQ(head("/reset").status, 502);
  }
  EXPECT_EQ(methods("/503"), "GET GET");
  EXPECT_EQ(methods("/500"), "GET GET");
}

TEST_F(Head, ABodyThatBreaksOffBehindItIsNotStored) {
  origin.on("/a", {Reply::fresh(pattern(5000)).cut(2000, End::Rst), Reply::fresh(pattern(5000))});
  start();
  EXPECT_EQ(head("/a").status, 200);
  EXPECT_TRUE(metric_reaches("forebay_cache_not_stored_total", {{"reason", "truncated"}}, 1));
  EXPECT_TRUE(get("/a").body == pattern(5000));
}

TEST_F(Head, AfterTheLastPlaceIsTakenItWaitsForASecondFetchLikeOthers) {
  auto hold = gate();
  origin.on("/a", Reply::fresh("content").after(hold));
  start("routes: [{path: /**, coalesce: {max_waiters: 1}}]\n");
  std::vector<Client> all;
  for (int i = 0; i < 4; ++i) all.push_back(connect());
  all[0].request("HEAD", "/a");
  EXPECT_TRUE(origin.wait_for("/a", 1));
  all[1].request("HEAD", "/a");
  EXPECT_TRUE(metric_reaches("forebay_coalesced_waiting", {}, 1));
  all[2].request("HEAD", "/a");
  EXPECT_TRUE(origin.wait_for("/a", 2));
  all[3].request("HEAD", "/a");
  EXPECT_TRUE(metric_reaches("forebay_coalesced_waiting", {}, 2));
  hold->open();
  for (auto& c : all) EXPECT_EQ(c.read("HEAD").status, 200);
  EXPECT_EQ(methods("/a"), "GET GET");
}

}  // namespace
}  // namespace forebay::test
