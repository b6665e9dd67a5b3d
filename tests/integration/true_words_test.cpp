// What Cache-Status, the access log and the counters say of an answer is true, also where it shows late.
#include "support/forebay_test.hpp"

namespace forebay::test {
namespace {

class TrueWords : public ForebayTest {
 protected:
  void expect_not_stored(const std::string& path, const std::string& reason) {
    const auto line = access_line(path);
    ASSERT_TRUE(line.contains("cache.stored")) << path;
    EXPECT_EQ(line.at("cache.stored"), "false") << path;
    EXPECT_TRUE(line.contains("cache.reason")) << path;
    if (line.contains("cache.reason")) {
      EXPECT_EQ(line.at("cache.reason"), reason) << path;
    }
    EXPECT_TRUE(metric_reaches("forebay_cache_not_stored_total", {{"reason", reason}}, 1)) << path;
  }
};

TEST_F(TrueWords, ABodyThatOutgrowsTheLimitOnItsWaySaysSoInTheLog) {
  origin.on("/chunked", Reply::fresh(pattern(300000)).chunked(5000));
  origin.on("/close", Reply::fresh(pattern(300000)).until_close());
  start("routes: [{path: /**, max_object: 100KiB, close_delimited: store}]\n");
  for (const auto* path : {"/chunked", "/close"}) {
    EXPECT_TRUE(get(path).body == pattern(300000));
    expect_not_stored(path, "too_large");
  }
}

TEST_F(TrueWords, ABodyThatBreaksOffSaysSoInTheLog) {
  origin.on("/length", Reply::fresh(pattern(5000)).cut(2000, End::Fin));
  origin.on("/chunked", Reply::fresh(pattern(5000)).chunked(500).cut(3000, End::Rst));
  origin.on(
      "/bad-chunk",
      Reply::raw("HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz"));
  start();
  for (const auto* path : {"/length", "/chunked", "/bad-chunk"}) {
    EXPECT_FALSE(get(path).complete());
    expect_not_stored(path, "truncated");
    EXPECT_EQ(access_line(path).at("completed"), "false");
  }
}

TEST_F(TrueWords, AGraphqlAnswerSaysAtItsEndWhetherItIsStored) {
  origin.on("/graphql", [](const Received& r) {
    const bool bad = r.body.find("bad") != std::string::npos;
    return Reply::fresh(bad ? R"({"errors":[{"message":"x"}]})" : R"({"data":{}})")
        .field("Content-Type", "application/json");
  });
  start("routes: [{path: /graphql, methods: [POST], key: {graphql: true}}]\n");
  const auto send = [&](const std::string& name) {
    return ask("POST", "/graphql", {{"Content-Type", "application/json"}}, R"({"query":"{)" + name + R"(}"})");
  };
  EXPECT_EQ(send("bad").cache_param("stored"), "-");
  expect_not_stored("/graphql", "graphql_errors");
  EXPECT_EQ(send("good").cache_param("stored"), "-") << "its head has gone before that is known";
  EXPECT_TRUE(access_line("/graphql", [](const auto& line) {
                return line.at("cache.stored") == "true";
              }).contains("cache.stored"));
}

TEST_F(TrueWords, WhatAWriteHasMadeStaleOnItsWayIsNotSaidToBeStored) {
  auto hold = gate();
  origin.on("/a",
            [hold](const Received& r) { return r.method == "GET" ? Reply::fresh("old").after(hold) : Reply(204); });
  start();
  auto reader = connect();
  reader.request("GET", "/a");
  EXPECT_TRUE(origin.wait_for("/a", 1));
  EXPECT_EQ(ask("PUT", "/a", {}, "new").status, 204);
  hold->open();
  EXPECT_EQ(reader.read().cache_param("stored"), "-");
  EXPECT_EQ(access_line("/a", [](const auto& line) { return line.at("method") == "GET"; }).at("cache.stored"), "false");
  EXPECT_EQ(get("/a").cache_param("stored"), "");
}

TEST_F(TrueWords, StaleWhileRevalidateIsSaidOnlyWhereThatWindowApplied) {
  origin.on("/plain", Reply::with("max-age=0", "x").field("ETag", "\"1\""));
  origin.on("/window", Reply::with("max-age=0, stale-while-revalidate=600", "x").field("ETag", "\"1\""));
  start("routes: [{path: /**, client_cache_control: respect}]\n");
  get("/plain");
  get("/window");
  const FieldLines max_stale{{"Cache-Control", "max-stale=600"}};
  const auto plain = get("/plain", max_stale);
  EXPECT_EQ(plain.x_cache(), "STALE");
  EXPECT_EQ(plain.cache_param("detail"), "max-stale") << plain;
  EXPECT_EQ(get("/window", max_stale).cache_param("detail"), "stale-while-revalidate");
}

TEST_F(TrueWords, AKeyThatHoldsMoreThanTheUriCannotTellAUriMiss) {
  origin.otherwise([](const Received&) { return Reply::fresh("x"); });
  start(R"(routes:
  - {path: /tenant, key: {headers: [X-Tenant]}}
  - {path: /cookie, key: {cookies: [lang]}}
  - {path: /body, methods: [POST]}
  - {path: /ignored, methods: [POST], key: {body: none}}
  - {path: /**}
)");
  for (const auto* tenant : {"a", "b"}) {
    const auto a = get("/tenant", {{"X-Tenant", tenant}});
    EXPECT_EQ(a.cache_param("fwd"), "miss") << a;
    EXPECT_EQ(a.cache_param("stored"), "");
  }
  EXPECT_EQ(get("/cookie").cache_param("fwd"), "miss");
  EXPECT_EQ(ask("POST", "/body", {}, "content").cache_param("fwd"), "miss");
  EXPECT_EQ(ask("POST", "/ignored", {}, "content").cache_param("fwd"), "uri-miss");
  EXPECT_EQ(get("/a").cache_param("fwd"), "uri-miss");
}

TEST_F(TrueWords, ARangeBeyondWhatIsThereOfAFillIsPartial) {
  auto rest = gate();
  const auto body = pattern(4000000);
  origin.on("/a", [rest, body](const Received& r) {
    if (r.has("Range"))
      return Reply(206).field("Content-Range", "bytes 3999990-3999999/4000000").body(body.substr(3999990));
    return Reply::fresh(body).gate_at(1000, rest);
  });
  start();
  auto leader = connect();
  leader.request("GET", "/a");
  EXPECT_EQ(leader.read_head().status, 200);
  const auto a = get("/a", {{"Range", "bytes=3999990-"}});
  EXPECT_EQ(a.status, 206) << a;
  EXPECT_EQ(a.cache_param("fwd"), "partial") << a;
  EXPECT_EQ(a.cache_param("detail"), "range");
  EXPECT_EQ(a.cache_param("stored"), "-");
  rest->open();
}

}  // namespace
}  // namespace forebay::test
