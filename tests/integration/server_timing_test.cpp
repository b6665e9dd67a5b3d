// Server-Timing: the result and the times of the access log, for those who may see them.
#include <cmath>
#include <cstdlib>

#include "support/forebay_test.hpp"

namespace forebay::test {
namespace {

const char* const kOn = "diagnostics: {server_timing: on}\nroutes: [{path: /**}]\n";

class ServerTiming : public ForebayTest {
 protected:
  /// The duration of a metric in milliseconds; -1 without it.
  static double duration(const Answer& a, const std::string& name) {
    const auto field = ", " + a.get("Server-Timing") + ",";
    const auto at = field.find(", " + name + ";dur=");
    return at == std::string::npos ? -1 : std::atof(field.c_str() + at + name.size() + 7);
  }
};

TEST_F(ServerTiming, IsOffByDefault) {
  origin.on("/a", Reply::fresh());
  start();
  EXPECT_FALSE(get("/a").has("Server-Timing"));
  EXPECT_FALSE(get("/a").has("Server-Timing"));
}

TEST_F(ServerTiming, SaysTheResultAndTheOriginsTimeAsTheLogDoes) {
  origin.on("/a", Reply::fresh().drip(1, milliseconds(1)));
  start(kOn);
  const auto miss = get("/a");
  EXPECT_THAT(miss.get("Server-Timing"), StartsWith("cache;desc=miss, origin;dur="));
  EXPECT_EQ(get("/a").get("Server-Timing"), "cache;desc=hit");
  const auto line = access_line("/a", [](const auto& l) { return l.at("cache.result") == "miss"; });
  EXPECT_LE(std::abs(duration(miss, "origin") - std::atof(line.at("time.origin_ttfb_ms").c_str())), 1.0);
}

TEST_F(ServerTiming, SaysHowLongAFollowerHasWaited) {
  auto hold = gate();
  origin.on("/a", Reply::fresh().after(hold));
  start(kOn);
  auto first = connect(), second = connect();
  first.request("GET", "/a");
  ASSERT_TRUE(origin.wait_for("/a", 1));
  second.request("GET", "/a");
  ASSERT_TRUE(metric_reaches("forebay_coalesced_waiting", {}, 1));
  hold->open();
  first.read();
  const auto answer = second.read();
  EXPECT_THAT(answer.get("Server-Timing"), StartsWith("cache;desc=coalesced, wait;dur="));
  const auto line = access_line("/a", [](const auto& l) { return l.at("cache.result") == "coalesced"; });
  ASSERT_FALSE(line.empty());
  EXPECT_LE(std::abs(duration(answer, "wait") - std::atof(line.at("time.wait_ms").c_str())), 1.0);
}

TEST_F(ServerTiming, StandsBehindTheOriginsOwnAndIsNotStored) {
  origin.on("/a", Reply::fresh().field("Server-Timing", "db;dur=53").field("ETag", "\"1\""));
  start(kOn);
  EXPECT_THAT(get("/a").get("Server-Timing"), StartsWith("db;dur=53, cache;desc=miss, origin;dur="));
  EXPECT_EQ(get("/a").get("Server-Timing"), "db;dur=53, cache;desc=hit");
  EXPECT_EQ(get("/a", {{"Range", "bytes=0-1"}}).get("Server-Timing"), "db;dur=53, cache;desc=hit");
  const auto unchanged = get("/a", {{"If-None-Match", "\"1\""}});
  EXPECT_EQ(unchanged.status, 304);
  EXPECT_THAT(unchanged.get("Server-Timing"), EndsWith("cache;desc=hit"));
}

TEST_F(ServerTiming, IsOnForebaysOwnErrorsToo) {
  start("diagnostics: {server_timing: on}\nroutes: [{path: /a}]\n");
  origin.refuse();
  const auto a = get("/a");
  EXPECT_TRUE(is_problem(a, 502)) << a;
  EXPECT_EQ(a.get("Server-Timing"), "cache;desc=error");
}

TEST_F(ServerTiming, IsForTheListedNetworksAlone) {
  origin.on("/a", Reply::fresh());
  start(
      "diagnostics: {server_timing: [192.0.2.0/24]}\nserver: {trusted_proxies: [127.0.0.1]}\n"
      "routes: [{path: /**}]\n");
  EXPECT_FALSE(get("/a").has("Server-Timing"));
  EXPECT_FALSE(get("/a", {{"X-Forwarded-For", "192.0.3.1"}}).has("Server-Timing"));
  EXPECT_TRUE(get("/a", {{"X-Forwarded-For", "192.0.2.1"}}).has("Server-Timing"));
  daemon->reload(with_origin("diagnostics: {server_timing: [127.0.0.0/8]}\nroutes: [{path: /**}]\n"));
  EXPECT_TRUE(eventually([&] {
    return get("/a", {{"X-Forwarded-For", "192.0.3.1"}}).has("Server-Timing");
  })) << "the field of a peer that is not trusted names nobody";
}

}  // namespace
}  // namespace forebay::test
