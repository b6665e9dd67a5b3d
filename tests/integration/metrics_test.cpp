// What Prometheus and probes see.
#include <set>

#include "support/forebay_test.hpp"

namespace forebay::test {
namespace {

class MetricsPage : public ForebayTest {};

TEST_F(MetricsPage, TheSumOverResultsIsAllRequestsOfARoute) {
  origin.on("/a", Reply::fresh("12345"));
  origin.on("/p", Reply::with("private"));
  origin.on("/down", Reply::hang_up(End::Fin));
  start("routes: [{name: r, path: /**}]\n");
  for (int i = 0; i < 10; ++i) get("/a");
  for (int i = 0; i < 3; ++i) get("/p");
  ask("POST", "/a", {}, "x");
  get("/down");
  const Metrics::Labels route{{"route", "r"}};
  EXPECT_TRUE(metric_reaches("forebay_requests_total", route, 15));
  const auto m = daemon->metrics();
  EXPECT_EQ(m.sum("forebay_requests_total", route), 15);
  EXPECT_EQ(m.sum("forebay_cache_requests_total", route), 15);
  const auto result = [&](const char* word) {
    return m.sum("forebay_cache_requests_total", {{"route", "r"}, {"result", word}});
  };
  EXPECT_EQ(result("hit"), 9);
  EXPECT_EQ(result("miss"), 2);
  EXPECT_EQ(result("bypass"), 3);
  EXPECT_EQ(result("error"), 1);
  EXPECT_EQ(m.sum("forebay_requests_total", {{"route", "r"}, {"method", "GET"}, {"code", "2xx"}}), 13);
  EXPECT_EQ(m.sum("forebay_requests_total", {{"route", "r"}, {"method", "POST"}, {"code", "2xx"}}), 1);
  EXPECT_EQ(m.sum("forebay_requests_total", {{"route", "r"}, {"code", "5xx"}}), 1);
  EXPECT_EQ(m.sum("forebay_request_duration_seconds_count", route), 15);
  EXPECT_EQ(m.sum("forebay_request_duration_seconds_count", {{"route", "r"}, {"cache", "hit"}}), 9);
  EXPECT_EQ(m.sum("forebay_response_bytes_total", {{"route", "r"}, {"source", "cache"}}), 45);
  EXPECT_EQ(m.sum("forebay_request_bytes_total", route), 1);
  EXPECT_EQ(m.sum("forebay_cache_stored_total", route), 1);
  EXPECT_EQ(m.sum("forebay_cache_not_stored_total", {{"route", "r"}, {"reason", "private"}}), 3);
  EXPECT_EQ(m.sum("forebay_requests_in_flight", route), 0);
}

TEST_F(MetricsPage, AllResultSeriesOfARouteExistFromTheStart) {
  start("routes: [{name: one, path: /one}, {name: two, path: /**}]\n");
  const auto m = daemon->metrics();
  for (const auto* route : {"one", "two"})
    for (const auto* result : {"hit", "stale", "stale_error", "coalesced", "revalidated", "miss", "bypass", "error"})
      EXPECT_EQ(m.series("forebay_cache_requests_total", {{"route", route}, {"result", result}}), 1u)
          << route << ' ' << result;
}

TEST_F(MetricsPage, TheMetricsOfTheContractAreThereWithTheirTypes) {
  origin.on("/a", Reply::fresh());
  start();
  get("/a");
  ask("POST", "/a", {}, "x");
  EXPECT_TRUE(metric_reaches("forebay_requests_total", {}, 2));
  const auto types = daemon->metrics().types();
  const std::pair<const char*, const char*> expected[] = {
      {"forebay_build_info", "gauge"},
      {"forebay_state", "gauge"},
      {"forebay_config_last_reload_successful", "gauge"},
      {"forebay_config_last_reload_success_timestamp_seconds", "gauge"},
      {"forebay_config_reloads_total", "counter"},
      {"forebay_connections", "gauge"},
      {"forebay_connections_accepted_total", "counter"},
      {"forebay_connections_rejected_total", "counter"},
      {"forebay_requests_in_flight", "gauge"},
      {"forebay_requests_total", "counter"},
      {"forebay_request_duration_seconds", "histogram"},
      {"forebay_request_bytes_total", "counter"},
      {"forebay_response_bytes_total", "counter"},
      {"forebay_cache_requests_total", "counter"},
      {"forebay_cache_stored_total", "counter"},
      {"forebay_cache_entries", "gauge"},
      {"forebay_cache_memory_bytes", "gauge"},
      {"forebay_cache_memory_limit_bytes", "gauge"},
      {"forebay_cache_evictions_total", "counter"},
      {"forebay_cache_object_bytes", "histogram"},
      {"forebay_coalesced_waiting", "gauge"},
      {"forebay_origin_requests_total", "counter"},
      {"forebay_origin_response_seconds", "histogram"},
      {"forebay_origin_connections", "gauge"},
      {"forebay_origin_connects_total", "counter"},
      {"forebay_worker_lag_seconds", "gauge"},
      {"forebay_log_messages_total", "counter"},
      {"forebay_access_log_dropped_total", "counter"},
      {"process_cpu_seconds_total", "counter"},
      {"process_open_fds", "gauge"},
      {"process_resident_memory_bytes", "gauge"},
      {"process_start_time_seconds", "gauge"},
  };
  for (const auto& [name, type] : expected) {
    const auto found = types.find(name);
    EXPECT_EQ(found == types.end() ? "" : found->second, type) << name;
  }
  for (const auto& [name, type] : types) EXPECT_THAT(name, AnyOf(StartsWith("forebay_"), StartsWith("process_")));
}

TEST_F(MetricsPage, LabelsNeverHoldPathsHostsOrTags) {
  origin.otherwise([](const Received&) { return Reply::fresh(); });
  start("routes: [{name: r, path: /**}]\n");
  for (int i = 0; i < 20; ++i) get("/secret-path-" + std::to_string(i), {{"Host", "secret-host.test"}});
  ask("FROBNICATE", "/x");
  EXPECT_TRUE(metric_reaches("forebay_requests_total", {{"method", "OTHER"}}, 1));
  const auto page = daemon->admin("GET", "/metrics").body;
  EXPECT_THAT(page, Not(HasSubstr("secret")));
  EXPECT_THAT(page, Not(HasSubstr("FROB")));
}

TEST_F(MetricsPage, RefusedBeforeRoutingIsRouteNoneAndResultError) {
  start();
  send_raw("GET / HTTP/1.1\r\n\r\n");
  EXPECT_TRUE(metric_reaches("forebay_request_errors_total", {{"route", "_none"}, {"reason", "bad_request"}}, 1));
  EXPECT_TRUE(metric_reaches("forebay_cache_requests_total", {{"route", "_none"}, {"result", "error"}}, 1));
}

TEST_F(MetricsPage, OriginsRefreshesAndEvictionsAreCounted) {
  origin.on("/a", [](const Received& r) {
    return r.has("If-None-Match") ? Reply(304).field("ETag", "\"v\"").field("Cache-Control", "no-cache")
                                  : Reply::with("no-cache").field("ETag", "\"v\"");
  });
  origin.on("/404", Reply(404));
  start("origins: {shop: '" + origin.url() + "'}\norigin: shop\nroutes: [{path: /**}]\n");
  get("/a");
  get("/a");
  get("/404");
  EXPECT_TRUE(metric_reaches("forebay_origin_requests_total", {{"origin", "shop"}}, 3));
  EXPECT_TRUE(metric_becomes("forebay_origin_requests_total", {{"origin", "shop"}, {"code", "2xx"}}, 1));
  EXPECT_TRUE(metric_becomes("forebay_origin_requests_total", {{"origin", "shop"}, {"code", "3xx"}}, 1));
  EXPECT_TRUE(metric_becomes("forebay_origin_requests_total", {{"origin", "shop"}, {"code", "4xx"}}, 1));
  EXPECT_TRUE(
      metric_reaches("forebay_cache_revalidations_total", {{"mode", "foreground"}, {"outcome", "not_modified"}}, 1));
  EXPECT_TRUE(metric_becomes("forebay_origin_requests_in_flight", {}, 0));
}

TEST_F(MetricsPage, HitsAreCreditedWithWhatTheySpared) {
  origin.on("/a", Reply::fresh(std::string(1000, 'x')));
  start("routes: [{name: r, path: /**}]\n");
  for (int i = 0; i < 5; ++i) get("/a");
  EXPECT_TRUE(metric_reaches("forebay_saved_origin_requests_total", {{"route", "r"}}, 4));
  EXPECT_TRUE(metric_becomes("forebay_saved_origin_bytes_total", {{"route", "r"}}, 4000));
  EXPECT_GT(metric("forebay_saved_origin_seconds_total", {{"route", "r"}}), 0);
}

TEST_F(MetricsPage, HistogramsHaveTheBucketsOfTheContract) {
  origin.on("/a", Reply::fresh());
  start();
  get("/a");
  EXPECT_TRUE(metric_reaches("forebay_request_duration_seconds_count", {{"cache", "miss"}}, 1));
  std::set<double> bounds;
  const auto m = daemon->metrics();
  for (const auto& s : m.samples())
    if (s.name == "forebay_request_duration_seconds_bucket" && s.labels.at("le") != "+Inf")
      bounds.insert(std::stod(s.labels.at("le")));
  EXPECT_EQ(bounds, (std::set<double>{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
                                      1, 2.5, 5, 10, 30}));
}

TEST_F(MetricsPage, ProbesAnswer) {
  start();
  const auto ready = daemon->admin("GET", "/readyz");
  EXPECT_EQ(ready.status, 200);
  EXPECT_THAT(ready.body, HasSubstr("\"status\":\"ready\""));
  EXPECT_EQ(ready.get("Cache-Control"), "no-store");
  EXPECT_EQ(daemon->admin("GET", "/livez").status, 200);
  const auto version = daemon->admin("GET", "/version");
  EXPECT_EQ(version.status, 200);
  EXPECT_THAT(version.body, HasSubstr("version"));
  const auto metrics = daemon->admin("GET", "/metrics");
  EXPECT_THAT(metrics.get("Content-Type"), StartsWith("text/plain"));
  EXPECT_TRUE(is_problem(daemon->admin("GET", "/nothing-here"), 404));
  EXPECT_TRUE(metric_becomes("forebay_state", {{"state", "ready"}}, 1));
  EXPECT_TRUE(metric_becomes("forebay_state", {}, 1));
}

TEST_F(MetricsPage, NothingOfTheAdminListenerIsOnTheClientPort) {
  origin.otherwise([](const Received& r) { return Reply().body("origin " + r.path); });
  start();
  for (const auto* path : {"/metrics", "/livez", "/readyz", "/version", "/api/v1/status"})
    EXPECT_EQ(get(path).body, std::string("origin ") + path);
  EXPECT_EQ(origin.count(), 5u);
}

}  // namespace
}  // namespace forebay::test
