// Settings that no other file is about; each changes what a client or an operator sees.
#include <atomic>
#include <set>

#include "support/forebay_test.hpp"

namespace forebay::test {
namespace {

class Settings : public ForebayTest {};

TEST_F(Settings, JitterOnlyShortensTheLifetime) {
  origin.otherwise([](const Received&) { return Reply::with("max-age=1000"); });
  start("routes: [{path: /**, ttl: {jitter: 50%}}]\n");
  std::set<int> seen;
  for (int i = 0; i < 40; ++i) {
    const auto ttl = std::atoi(get("/" + std::to_string(i)).cache_param("ttl").c_str());
    EXPECT_LE(ttl, 1000);
    EXPECT_GE(ttl, 500 - kSlack);
    seen.insert(ttl);
  }
  EXPECT_GT(seen.size(), 10u);
}

TEST_F(Settings, TtlMinAndMaxClampWhatTheOriginSays) {
  origin.on("/long/a", Reply::with("max-age=100000"));
  origin.on("/short/a", Reply::with("max-age=1"));
  start("routes: [{path: /long/*, ttl: {max: 500s}}, {path: /short/*, ttl: {min: 500s}}]\n");
  for (const auto* path : {"/long/a", "/short/a"}) {
    get(path);
    const auto ttl = std::atoi(get(path).cache_param("ttl").c_str());
    EXPECT_THAT(ttl, CountedDownFrom(500)) << path;
  }
}

TEST_F(Settings, WhatIsNotKeptAfterStalenessIsNotValidated) {
  origin.on("/a", Reply::with("max-age=0").field("ETag", "\"v\""));
  start("cache: {keep: 0}\nroutes: [{path: /**, pass_memory: 0}]\n");
  get("/a");
  get("/a");
  EXPECT_FALSE(origin.last("/a").has("If-None-Match"));
  EXPECT_EQ(get("/a").x_cache(), "MISS");
}

TEST_F(Settings, StaleErrorsNameWhatCounts) {
  const auto aged = Reply::with("max-age=60, stale-if-error=300", "old").field("Age", "61").field("ETag", "\"v\"");
  std::atomic<bool> fails{false};
  for (const auto* path : {"/connect", "/timeout"})
    for (const auto* kind : {"/rst", "/slow"}) {
      const auto failure = kind == std::string("/rst") ? Reply::hang_up(End::Rst) : Reply::silence();
      origin.on(std::string(path) + kind, [&fails, aged, failure](const Received&) { return fails ? failure : aged; });
    }
  start(patient_and_hasty("timeouts: {first_byte: 150ms}") +
        "routes: [{path: /connect/rst, stale: {errors: [connect]}}, {path: /timeout/rst, stale: {errors: [timeout]}},"
        " {path: /connect/slow, origin: hasty, stale: {errors: [connect]}},"
        " {path: /timeout/slow, origin: hasty, stale: {errors: [timeout]}}]\n");
  for (const auto* path : {"/connect/rst", "/connect/slow", "/timeout/rst", "/timeout/slow"})
    EXPECT_TRUE(get_until(path)) << path;
  fails = true;
  EXPECT_EQ(get("/connect/rst").body, "old");
  EXPECT_EQ(get("/connect/slow").status, 504);
  EXPECT_EQ(get("/timeout/rst").status, 502);
  EXPECT_EQ(get("/timeout/slow").body, "old");
}

TEST_F(Settings, RoutesBeyondTheLimitOfMetricsShareOneLabel) {
  origin.otherwise([](const Received&) { return Reply::fresh(); });
  start(
      "metrics: {max_routes: 2}\nroutes: [{name: a, path: /a}, {name: b, path: /b}, {name: c, path: /c}, {name: d, "
      "path: /d}]\n");
  for (const auto* path : {"/a", "/b", "/c", "/d"}) get(path);
  EXPECT_TRUE(metric_reaches("forebay_requests_total", {{"route", "_other"}}, 2));
  EXPECT_TRUE(metric_becomes("forebay_requests_total", {{"route", "a"}}, 1));
  EXPECT_EQ(metric("forebay_requests_total", {{"route", "c"}}), 0);
}

TEST_F(Settings, TheAdminListenerMayBeOff) {
  origin.on("/a", Reply::fresh("a"));
  start("admin: {listen: 'off'}\nroutes: [{path: /**}]\n");
  EXPECT_EQ(get("/a").body, "a");
}

TEST_F(Settings, PoliciesAndDefaultsApplyBelowTheRoute) {
  origin.otherwise([](const Received&) { return Reply().body("x"); });
  start(R"(
defaults: {ttl: {default: 1000s, max: 900s}}
policies:
  short: {ttl: {default: 400s}}
routes:
  - {path: /default}
  - {path: /policy, policy: short}
  - {path: /route, policy: short, ttl: 200s}
)");
  const auto ttl = [&](const char* path) { return std::atoi(get(path).cache_param("ttl").c_str()); };
  EXPECT_THAT(ttl("/default"), CountedDownFrom(900));
  EXPECT_THAT(ttl("/policy"), CountedDownFrom(400));
  EXPECT_THAT(ttl("/route"), CountedDownFrom(200));
}

TEST_F(Settings, TheRequestIdIsMadeForwardedAndKeptFromATrustedName) {
  origin.otherwise([](const Received&) { return Reply().body("x"); });
  start("tracing: {request_id: X-Trace}\nroutes: [{path: /**}]\n");
  get("/made");
  EXPECT_NE(origin.last("/made").get("X-Trace"), "");
  get("/given", {{"X-Trace", "client-id-1"}});
  EXPECT_EQ(origin.last("/given").get("X-Trace"), "client-id-1");
  EXPECT_EQ(access_line("/given")["request_id"], "client-id-1");
  EXPECT_EQ(access_line("/made")["request_id"], origin.last("/made").get("X-Trace"));
}

TEST_F(Settings, TraceContextIsPassedOnUnlessTheOperatorSaysNo) {
  const char* const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  origin.otherwise([](const Received&) { return Reply().body("x"); });
  start();
  get("/a", {{"traceparent", parent}, {"tracestate", "k=v"}});
  EXPECT_THAT(origin.last("/a").get("traceparent"), StartsWith("00-0af7651916cd43dd8448eb211c80319c-"));
  EXPECT_EQ(origin.last("/a").get("tracestate"), "k=v");
  EXPECT_EQ(access_line("/a")["trace_id"], "0af7651916cd43dd8448eb211c80319c");
}

}  // namespace
}  // namespace forebay::test
