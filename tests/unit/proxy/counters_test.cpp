#include "forebay/proxy/counters.hpp"

#include <gtest/gtest.h>

#include <set>

namespace forebay::proxy {
namespace {

TEST(Counters, ErrorReasonsAreTheClosedListOfTheMetric) {
  const std::vector<std::string> wanted{"bad_request",    "header_too_large", "target_too_long", "body_too_large",
                                        "client_timeout", "overload",         "no_route",        "loop",
                                        "only_if_cached", "connect",          "timeout",         "protocol",
                                        "queue",          "coalesce",         "upgrade",         "forbidden"};
  ASSERT_EQ(wanted.size(), static_cast<std::size_t>(RequestError::kCount));
  for (std::size_t i = 0; i < wanted.size(); ++i) EXPECT_EQ(to_string(static_cast<RequestError>(i)), wanted[i]);
}

TEST(Counters, MethodsOutsideTheListShareOther) {
  EXPECT_EQ(method_label_text(method_label(http::Method::Get)), "GET");
  EXPECT_EQ(method_label_text(method_label(http::Method::Query)), "QUERY");
  for (const auto m : {http::Method::Trace, http::Method::Connect, http::Method::Other})
    EXPECT_EQ(method_label_text(method_label(m)), "OTHER");
}

TEST(Counters, EveryResultHasTheLatencyClassOfTheContract) {
  using R = rules::CacheResult;
  const std::vector<std::pair<R, std::string_view>> table{
      {R::Hit, "hit"},          {R::Stale, "hit"}, {R::StaleError, "miss"}, {R::Coalesced, "wait"},
      {R::Revalidated, "miss"}, {R::Miss, "miss"}, {R::Bypass, "bypass"},   {R::Error, "error"}};
  ASSERT_EQ(table.size(), rules::kCacheResults);
  for (const auto& [result, text] : table) EXPECT_EQ(latency_class_text(latency_class(result)), text);
}

TEST(CounterRegistry, ARouteKeepsItsNumbersByName) {
  CounterRegistry registry(2, {1, 2, 3}, 10);
  auto& first = registry.of("api", 1);
  first.stored.add(3);
  EXPECT_EQ(&registry.of("api", 1), &first);
  EXPECT_NE(&registry.of("api", 0), &first);
  const auto rows = registry.rows();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].route, "api");
  ASSERT_EQ(rows[0].workers.size(), 2U);
  EXPECT_EQ(rows[0].workers[1]->stored.read(), 3U);
}

TEST(CounterRegistry, RoutesBeyondTheMostShareOtherAndNoneIsNotCounted) {
  CounterRegistry registry(1, {}, 2);
  registry.of("_none", 0);
  registry.of("a", 0);
  registry.of("b", 0);
  auto& c = registry.of("c", 0);
  EXPECT_EQ(&registry.of("d", 0), &c);
  EXPECT_EQ(&registry.of("_other", 0), &c);
  EXPECT_NE(&registry.of("a", 0), &c);
  std::set<std::string> names;
  for (const auto& row : registry.rows()) names.insert(row.route);
  EXPECT_EQ(names, (std::set<std::string>{"_none", "_other", "a", "b"}));
}

TEST(RouteCounters, StoredSizesFallIntoTheirBuckets) {
  RouteCounters c;
  c.count_stored(256);
  c.count_stored(257);
  c.count_stored(100'000'000);
  EXPECT_EQ(c.stored.read(), 3U);
  EXPECT_EQ(c.object_bytes.bucket(0), 1U);
  EXPECT_EQ(c.object_bytes.bucket(1), 1U);
  EXPECT_EQ(c.object_bytes.bucket(kObjectBounds.size()), 1U);
}

}  // namespace
}  // namespace forebay::proxy
