// Origins with names: where requests go when records change, when name servers fail, and when an address does not
// answer.
#include "support/dns_server.hpp"
#include "support/forebay_test.hpp"
#include "unit/upstream/scripted_origin.hpp"

namespace forebay::test {
namespace {

using How = DnsServer::How;
using ::testing::HasSubstr;

class OriginNames : public ForebayTest {
 protected:
  std::uint16_t origin_port() const {
    const auto url = origin.url();
    return static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
  }
  void start_with(const std::string& host, const std::string& origin_options = "") {
    origin.otherwise([](const Received& r) { return Reply().body(r.path); });
    start(configuration(host, origin_options, names));
  }
  std::string configuration(const std::string& host, const std::string& origin_options, const DnsServer& server) const {
    return "origins: {o: {url: 'http://" + host + ":" + std::to_string(origin_port()) + "'" +
           (origin_options.empty() ? "" : ", " + origin_options) + "}}\norigin: o\n" +
           "server: {threads: 2, dns: {servers: ['" + server.address() + "']}}\nroutes: [{path: /**, cache: false}]\n";
  }
  bool resolved(const std::string& result, double at_least) {
    return metric_reaches("forebay_origin_resolutions_total", {{"origin", "o"}, {"result", result}}, at_least);
  }

  DnsServer names;
};

TEST_F(OriginNames, ANameIsAskedAboutOnceForAllRequests) {
  names.set("app.test", {.v4 = {"127.0.0.1"}, .ttl = 3600});
  start_with("app.test", "dns_refresh: 1h, pool: {max_idle: 0}");
  for (int i = 0; i < 20; ++i) EXPECT_EQ(get("/a").status, 200);
  EXPECT_EQ(names.asked("app.test"), 1U);
  EXPECT_TRUE(resolved("found", 1));
}

TEST_F(OriginNames, AChangedRecordReachesNewConnectionsAndIdleOnesToTheOldAddressAreClosed) {
  names.set("app.test", {.v4 = {"127.0.0.1"}, .ttl = 1});
  start_with("app.test", "retries: 0");
  EXPECT_EQ(get("/a").status, 200);
  const auto before = origin.connections();
  names.set("app.test", {.v4 = {"127.0.0.2"}, .ttl = 1});  // nobody listens there
  EXPECT_TRUE(eventually([&] { return metric("forebay_origin_connections", {{"state", "idle"}}) == 0; }));
  EXPECT_TRUE(get_until("/c", 502));
  names.set("app.test", {.v4 = {"127.0.0.1"}, .ttl = 1});
  EXPECT_TRUE(get_until("/d", 200));
  EXPECT_GT(origin.connections(), before) << "the idle one was not used again";
}

TEST_F(OriginNames, TheLastAddressesStayWhileNoNameServerAnswers) {
  for (const auto how : {How::Silent, How::ServerFailed, How::NoName}) {
    names.everything(std::nullopt);
    names.set("app.test", {.v4 = {"127.0.0.1"}, .ttl = 1});
    daemon.reset();
    start_with("app.test", "pool: {max_idle: 0}");
    EXPECT_EQ(get("/a").status, 200);
    names.everything(how);
    EXPECT_TRUE(eventually([&] {
      EXPECT_EQ(get("/b").status, 200);
      return metric("forebay_origin_stale_addresses_total", {{"origin", "o"}}) >= 3;
    }));
    names.everything(std::nullopt);
  }
}

TEST_F(OriginNames, ANameThatCannotBeResolvedIsABadGatewayUntilItCan) {
  start_with("late.test");
  const auto refused = get("/a");
  EXPECT_TRUE(is_problem(refused, 502)) << refused;
  EXPECT_THAT(refused.body, HasSubstr("could not be resolved"));
  EXPECT_TRUE(metric_reaches("forebay_origin_errors_total", {{"origin", "o"}, {"reason", "dns"}}, 1));
  EXPECT_TRUE(resolved("no_name", 1));
  names.set("late.test", {.v4 = {"127.0.0.1"}});
  EXPECT_TRUE(get_until("/a", 200));
}

TEST_F(OriginNames, ASilentNameServerIsAFailureAfterTimeoutsDns) {
  names.set("silent.test", {.how = How::Silent});
  start_with("silent.test", "timeouts: {dns: 100ms}");
  const auto refused = get("/a");
  EXPECT_TRUE(is_problem(refused, 504)) << refused;
  EXPECT_TRUE(metric_reaches("forebay_origin_errors_total", {{"origin", "o"}, {"reason", "dns_timeout"}}, 1));
}

TEST_F(OriginNames, AServiceGivesHostAndPort) {
  const std::string service = "_http._tcp.shop.test";
  names.set("a.shop.test", {.v4 = {"127.0.0.1"}, .ttl = 1});
  names.set(service, {.ttl = 1, .targets = {{1, 1, origin_port(), "a.shop.test"}}});
  origin.otherwise([](const Received& r) { return Reply().body(r.path); });
  start("origins: {o: {url: 'http://" + service + "', srv: true, pool: {max_idle: 0}}}\norigin: o\n" +
        "server: {threads: 2, dns: {servers: ['" + names.address() + "']}}\nroutes: [{path: /**, cache: false}]\n");
  EXPECT_EQ(get("/a").body, "/a");
  // The service moves: nobody listens at its new place, then somebody does.
  names.set(service, {.ttl = 1, .targets = {{1, 1, 1, "a.shop.test"}}});
  EXPECT_TRUE(get_until("/b", 502));
  names.set(service, {.ttl = 1, .targets = {{1, 1, 1, "a.shop.test"}, {2, 1, origin_port(), "a.shop.test"}}});
  EXPECT_TRUE(get_until("/c", 200));
}

TEST_F(OriginNames, AnAddressThatDoesNotAnswerIsOvertaken) {
  const upstream::BlackHole hole(origin_port(), 2);
  names.set("app.test", {.v4 = {"127.0.0.2", "127.0.0.1"}, .ttl = 60});
  start_with("app.test");
  const auto before = Clock::now();
  EXPECT_EQ(get("/a").status, 200);
  EXPECT_GE(Clock::now() - before, std::chrono::milliseconds(240));
  EXPECT_TRUE(metric_becomes("forebay_origin_connects_total", {}, 1));
  EXPECT_EQ(metric("forebay_origin_errors_total", {}), 0);
}

TEST_F(OriginNames, AnUnreachableFamilyCostsNothing) {
  names.set("app.test", {.v4 = {"127.0.0.1"}, .v6 = {"::1"}, .ttl = 60});
  start_with("app.test", "retries: 0");
  for (int i = 0; i < 5; ++i) EXPECT_EQ(get("/a").status, 200);
}

TEST_F(OriginNames, ALongAnswerComesByTcp) {
  std::vector<std::string> many{"127.0.0.1"};
  for (int i = 0; i < 199; ++i) many.push_back("127.0.1." + std::to_string(i));
  names.set("many.test", {.v4 = many, .ttl = 60});
  start_with("many.test");
  EXPECT_EQ(get("/a").status, 200);
  EXPECT_GE(names.by_tcp(), 1U);
}

TEST_F(OriginNames, AReloadChangesTheNameServers) {
  start_with("app.test");
  EXPECT_EQ(get("/a").status, 502);
  DnsServer others;
  others.set("app.test", {.v4 = {"127.0.0.1"}, .ttl = 60});
  daemon->reload(with_origin(configuration("app.test", "", others)));
  EXPECT_TRUE(get_until("/a", 200));
  EXPECT_GE(others.asked("app.test"), 1U);
}

}  // namespace
}  // namespace forebay::test
