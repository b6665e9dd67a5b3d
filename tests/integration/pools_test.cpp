// Origins of several urls: their shares, health checks, circuit breakers, and the limit of requests in flight.
#include <deque>

#include "support/forebay_test.hpp"

namespace forebay::test {
namespace {

class Pools : public ForebayTest {
 protected:
  /// `origin` and two more, each of which answers its number.
  Pools() {
    others.emplace_back();
    others.emplace_back();
    for (std::size_t i = 0; i < 3; ++i) answer(i);
  }
  Origin& at(std::size_t i) { return i == 0 ? origin : others[i - 1]; }
  void answer(std::size_t i) {
    at(i).otherwise([i](const Received&) { return Reply().body(std::to_string(i)); });
  }
  void start_pool(const std::string& options, const std::string& rest = "routes: [{path: /**, cache: false}]\n") {
    std::string urls;
    for (std::size_t i = 0; i < 3; ++i) urls += (i == 0 ? "'" : ", '") + at(i).url() + "'";
    start("origins: {pool: {urls: [" + urls + "], slow_start: 0s" + (options.empty() ? "" : ", " + options) +
          "}}\norigin: pool\nserver: {threads: 2}\n" + rest);
  }
  std::map<std::string, int> answers(int n, std::string_view method = "GET") {
    std::map<std::string, int> by;
    for (int i = 0; i < n; ++i) {
      const auto a = ask(method, "/" + std::to_string(i));
      ++by[a.status == 200 ? a.body : std::to_string(a.status)];
    }
    return by;
  }
  /// How many requests all urls have got.
  std::size_t asked(const std::string& path = {}) {
    std::size_t sum = 0;
    for (std::size_t i = 0; i < 3; ++i) sum += path.empty() ? at(i).count() : at(i).count(path);
    return sum;
  }
  Metrics::Labels url(std::size_t i) { return {{"origin", "pool"}, {"url", at(i).url()}}; }
  double up(std::size_t i) { return metric("forebay_origin_up", url(i)); }

  std::deque<Origin> others;
};

TEST_F(Pools, OfAnOriginWithOneUrlTheLogSaysThatRequestsStillGoToIt) {
  start("origins: {one: {urls: ['" + origin.url() +
        "'], passive: {failures: 3, hold: 1h}}}\norigin: one\nroutes: [{path: /**, cache: false}]\n");
  origin.refuse();
  for (int i = 0; i < 4; ++i) EXPECT_EQ(get("/" + std::to_string(i)).status, 502);
  EXPECT_TRUE(eventually([&] { return daemon->log().find("so requests still go to it") != std::string::npos; }));
  EXPECT_THAT(daemon->log(), Not(HasSubstr("out of use")));
}

TEST_F(Pools, ShareTheRequests) {
  start_pool("");
  const auto by = answers(60);
  for (const auto* i : {"0", "1", "2"}) EXPECT_NEAR(by.at(i), 20, 2) << i;  // two workers, each with its own turns
  for (std::size_t i = 0; i < 3; ++i) {
    auto labels = url(i);
    labels["code"] = "2xx";
    EXPECT_TRUE(metric_reaches("forebay_origin_requests_total", labels, 18));
  }
}

TEST_F(Pools, AUrlThatRefusesIsReplacedForEveryMethodAndThenLeftOut) {
  start_pool("passive: {failures: 3, hold: 1h}");
  others[0].refuse();
  const auto by = answers(30);
  EXPECT_EQ(by.size(), 2U);
  EXPECT_EQ(by.count("1"), 0U);
  const auto posts = answers(10, "POST");
  EXPECT_EQ(posts.count("0") + posts.count("2"), posts.size());
  EXPECT_TRUE(metric_becomes("forebay_origin_up", url(1), 0));
  auto labels = url(1);
  labels["reason"] = "connect";
  EXPECT_TRUE(metric_becomes("forebay_origin_errors_total", labels, 3));
  EXPECT_THAT(daemon->log(), HasSubstr("origin pool (" + at(1).url() + ") is out of use: its requests fail"));
  const auto ready = daemon->admin("GET", "/readyz?origins=1");
  EXPECT_EQ(ready.status, 200) << "the origin is up: two of its urls are";
  EXPECT_THAT(ready.body, HasSubstr("\"" + at(1).url() + "\":\"down\""));
}

TEST_F(Pools, WhoeverComesBackIsUsedAgain) {
  start_pool("passive: {failures: 1, hold: 100ms}");
  others[0].refuse();
  answers(6);
  EXPECT_TRUE(metric_becomes("forebay_origin_up", url(1), 0));
  others[0].resume();
  EXPECT_TRUE(eventually([&] { return answers(3).count("1") == 1; }));
  EXPECT_EQ(up(1), 1);
  EXPECT_TRUE(
      eventually([&] { return daemon->log().find("(" + at(1).url() + ") answers again") != std::string::npos; }));
}

TEST_F(Pools, HealthChecksTakeAUrlOutAndBringItBack) {
  std::atomic<bool> sick{false};
  others[1].on("/healthz", [&](const Received&) { return Reply(sick ? 503 : 200).body("x"); });
  for (auto* o : {&origin, &others[0]}) o->on("/healthz", Reply(204));
  start_pool("health: {path: /healthz, interval: 100ms, timeout: 100ms, up_after: 2, down_after: 2}");
  for (std::size_t i = 0; i < 3; ++i) {
    auto labels = url(i);
    labels["result"] = "passed";
    EXPECT_TRUE(metric_reaches("forebay_origin_health_checks_total", labels, 1));
  }
  sick = true;
  EXPECT_TRUE(metric_becomes("forebay_origin_up", url(2), 0));
  const auto by = answers(10);
  EXPECT_EQ(by.count("2"), 0U);
  auto admin = Client(daemon->admin_port());
  const auto explained =
      admin.ask("POST", "/api/v1/explain", {{"Host", "localhost"}}, R"({"method": "GET", "url": "http://a/new"})").body;
  EXPECT_THAT(explained, HasSubstr(" of the origin pool is out of use: its health checks fail\""));
  EXPECT_THAT(explained, HasSubstr("\"2 of 3 urls of pool are in use\""));
  sick = false;
  EXPECT_TRUE(metric_becomes("forebay_origin_up", url(2), 1));
  EXPECT_TRUE(eventually([&] { return answers(3).count("2") == 1; }));
  EXPECT_THAT(daemon->log(), HasSubstr("its health check (/healthz) fails, the last time: it answers with 503"));
  // Neither stored nor counted.
  EXPECT_TRUE(metric_becomes("forebay_requests_in_flight", {}, 0));
  EXPECT_EQ(metric("forebay_requests_total"), metric("forebay_requests_total", {{"method", "GET"}}));
  EXPECT_THAT(daemon->log(), Not(HasSubstr("\"/healthz\"")));
  const auto last = others[1].last("/healthz");
  EXPECT_EQ(last.get("User-Agent"), "forebay-health-check");
  EXPECT_EQ(last.get("Host"), others[1].authority());
}

TEST_F(Pools, TheLastUrlIsTriedByOneAndTheOthersGetStaleOr503) {
  start_pool("passive: {failures: 1}, retries: 0",
             "routes: [{path: /**, stale: {if_error: 1h}, ttl: {default: 1ms}}]\n");
  ASSERT_EQ(get("/kept").status, 200);
  const auto gate = std::make_shared<Gate>();
  for (std::size_t i = 0; i < 3; ++i) {
    at(i).refuse();
    // Each time another path: nothing is stored that could stand in.
    EXPECT_TRUE(eventually([&, n = 0]() mutable {
      return get("/x" + std::to_string(i) + "/" + std::to_string(++n)).status != 200 && up(i) == 0;
    }));
  }
  for (std::size_t i = 0; i < 3; ++i) {
    for (const auto* path : {"/slow0", "/slow1", "/slow2"}) at(i).on(path, Reply::hang_up(End::Rst).after(gate));
    at(i).resume();
  }
  // Three requests try the three urls; until they are answered, nobody else does.
  std::vector<Client> trying;
  for (int i = 0; i < 3; ++i) {
    trying.push_back(connect());
    trying.back().request("GET", "/slow" + std::to_string(i));
  }
  EXPECT_TRUE(eventually([&] { return asked("/slow0") + asked("/slow1") + asked("/slow2") == 3; }));
  const auto refused = get("/new");
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.get("Retry-After"), "1");
  EXPECT_TRUE(metric_reaches("forebay_origin_errors_total", {{"reason", "circuit_open"}}, 1));
  EXPECT_EQ(get("/kept").status, 200) << "stale";
  gate->open();
}

TEST_F(Pools, NoMoreThanMaxConcurrencyAreInFlightAndHitsDoNotWait) {
  const auto gate = std::make_shared<Gate>();
  for (std::size_t i = 0; i < 3; ++i) {
    at(i).on("/hit", Reply::fresh("hit"));
    at(i).otherwise([&](const Received& r) { return Reply::fresh(r.path).after(gate); });
  }
  start_pool("max_concurrency: 4", "routes: [{path: /**}]\n");
  ASSERT_EQ(get("/hit").status, 200);
  std::vector<Client> clients;
  for (int i = 0; i < 40; ++i) {
    clients.push_back(connect());
    clients.back().request("GET", "/" + std::to_string(i));
  }
  EXPECT_TRUE(metric_becomes("forebay_origin_places_used", {{"origin", "pool"}}, 4));
  EXPECT_TRUE(metric_becomes("forebay_origin_places_waiting", {{"origin", "pool"}}, 36));
  EXPECT_EQ(metric("forebay_origin_places", {{"origin", "pool"}}), 4);
  EXPECT_EQ(get("/hit").body, "hit");
  EXPECT_EQ(asked(), 5U) << "with the one that is a hit now";
  gate->open();
  for (auto& c : clients) EXPECT_EQ(c.read().status, 200);
  EXPECT_EQ(asked(), 41U);
  EXPECT_TRUE(metric_becomes("forebay_origin_places_used", {{"origin", "pool"}}, 0));
}

}  // namespace
}  // namespace forebay::test
