#include "forebay/admin/metrics.hpp"

#include <gmock/gmock.h>

#include <cstdio>
#include <cstdlib>
#include <set>
#include <sstream>

#include "operators.hpp"

namespace forebay::admin {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

std::string metrics(Operators& operators) { return exposition(operators.sources(), AdminCounters{}); }

TEST(Metrics, NumbersOfAllWorkersAreSummed) {
  Operators operators;
  operators.counters.of("api", 0).requests[0][1].add(2);
  operators.counters.of("api", 1).requests[0][1].add(3);
  operators.counters.of("api", 0).response_bytes[0].add(10);
  operators.counters.of("api", 1).in_flight.add();
  const auto text = metrics(operators);
  EXPECT_THAT(text, HasSubstr("forebay_requests_total{route=\"api\",method=\"GET\",code=\"2xx\"} 5\n"));
  EXPECT_THAT(text, HasSubstr("forebay_response_bytes_total{route=\"api\",source=\"cache\"} 10\n"));
  EXPECT_THAT(text, HasSubstr("forebay_requests_in_flight{route=\"api\"} 1\n"));
}

TEST(Metrics, EveryResultOfARouteExistsFromTheStart) {
  Operators operators;
  operators.counters.of("api", 0);
  const auto text = metrics(operators);
  for (const auto* result : {"hit", "stale", "stale_error", "coalesced", "revalidated", "miss", "bypass", "error"})
    EXPECT_THAT(text,
                HasSubstr("forebay_cache_requests_total{route=\"api\",result=\"" + std::string(result) + "\"} 0\n"));
}

TEST(Metrics, HistogramsAreCumulativeAndInSeconds) {
  Operators operators;
  auto& c = operators.counters.of("api", 1);
  const auto& bounds = operators.counters.bounds();
  for (const std::uint64_t ns : {500'000ULL, 500'000'000ULL, 5'000'000'000ULL})
    c.duration[0].observe(ns, bounds.data(), bounds.size());
  const auto text = metrics(operators);
  const std::string name = "forebay_request_duration_seconds";
  const std::string labels = "route=\"api\",cache=\"hit\"";
  EXPECT_THAT(text, HasSubstr(name + "_bucket{" + labels + ",le=\"0.001\"} 1\n"));
  EXPECT_THAT(text, HasSubstr(name + "_bucket{" + labels + ",le=\"1\"} 2\n"));
  EXPECT_THAT(text, HasSubstr(name + "_bucket{" + labels + ",le=\"+Inf\"} 3\n"));
  EXPECT_THAT(text, HasSubstr(name + "_count{" + labels + "} 3\n"));
  EXPECT_THAT(text, HasSubstr(name + "_sum{" + labels + "} 5.5005"));
  EXPECT_THAT(text, Not(HasSubstr("cache=\"miss\"")));
}

TEST(Metrics, StateAndReloadsAreTold) {
  Operators operators;
  operators.status.state = State::Draining;
  operators.status.reloads_rejected = 2;
  operators.status.last_reload_successful = false;
  const auto text = metrics(operators);
  EXPECT_THAT(text, HasSubstr("forebay_state{state=\"draining\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("forebay_state{state=\"ready\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("forebay_config_reloads_total{outcome=\"rejected\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("forebay_config_last_reload_successful 0\n"));
}

TEST(Metrics, ListenersOriginsAndTheProcessAreThere) {
  Operators operators;
  operators.runtime->origins.at("web")->numbers().connects = 4;
  const auto text = metrics(operators);
  EXPECT_THAT(text, HasSubstr("forebay_connections{listener=\"web\",protocol=\"http1\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("forebay_connections_rejected_total{listener=\"web\",reason=\"malformed\"} 4\n"));
  EXPECT_THAT(text, HasSubstr("forebay_origin_connects_total{origin=\"web\"} 4\n"));
  EXPECT_THAT(text, HasSubstr("forebay_origin_up{origin=\"web\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("forebay_access_log_dropped_total 7\n"));
  EXPECT_THAT(text, HasSubstr("forebay_cache_memory_limit_bytes 1048576\n"));
  EXPECT_THAT(text, HasSubstr("forebay_worker_lag_seconds{worker=\"0\"} 0\n"));
  EXPECT_THAT(text, ContainsRegex("process_resident_memory_bytes [1-9]"));
  EXPECT_THAT(text, ContainsRegex("process_open_fds [1-9]"));
  EXPECT_THAT(text, ContainsRegex("process_start_time_seconds [1-9]"));
}

TEST(Metrics, EachMetricHasOneHelpAndOneTypeAndCountersEndInTotal) {
  Operators operators;
  operators.counters.of("api", 0).count_stored(100);
  std::istringstream lines(metrics(operators));
  std::set<std::string> helped, typed;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string hash, what, name, kind;
    words >> hash >> what >> name >> kind;
    if (hash != "#") continue;
    if (what == "HELP") {
      EXPECT_TRUE(helped.insert(name).second) << name;
      EXPECT_FALSE(kind.empty()) << name;
    } else {
      EXPECT_TRUE(typed.insert(name).second) << name;
      EXPECT_EQ(kind == "counter", name.ends_with("_total")) << line;
    }
  }
  EXPECT_EQ(helped, typed);
  EXPECT_GT(typed.size(), 40U);
}

TEST(Metrics, TheExpositionPassesPromtool) {
  if (std::system("command -v promtool >/dev/null 2>&1") != 0)
    GTEST_SKIP() << "promtool (package prometheus) is not installed";
  Operators operators;
  auto& c = operators.counters.of("api", 0);
  c.count_stored(100);
  c.requests[0][1].add();
  c.errors[0].add();
  c.not_stored[1].add();
  c.duration[0].observe(1, operators.counters.bounds().data(), operators.counters.bounds().size());
  FILE* promtool = ::popen("promtool check metrics 2>&1", "w");
  ASSERT_NE(promtool, nullptr);
  const auto text = metrics(operators);
  ASSERT_EQ(std::fwrite(text.data(), 1, text.size(), promtool), text.size());
  EXPECT_EQ(::pclose(promtool), 0);
}

}  // namespace
}  // namespace forebay::admin
