// The PROXY protocol: a load balancer in front names the client, and nobody else may.
#include "support/forebay_test.hpp"

namespace forebay::test {
namespace {

using namespace std::string_literals;

class ProxyProtocol : public ForebayTest {
 protected:
  void SetUp() override {
    origin.otherwise([](const Received&) { return Reply::with("no-store", "x"); });
  }
  void start_trusting(const std::string& networks, const std::string& more = {}) {
    start("server: {threads: 2, trusted_proxies: " + networks + more +
          "}\nlisten: [{address: '127.0.0.1:0', name: edge, proxy_protocol: true}]\nroutes: [{path: /**}]\n");
  }
  Client announced(const std::string& header) {
    auto c = connect();
    c.send(header);
    return c;
  }
  static std::string tcp4(const std::string& client) { return "PROXY TCP4 " + client + " 127.0.0.1 4321 80\r\n"; }
  static std::string tcp6(const std::string& client) { return "PROXY TCP6 " + client + " ::1 4321 80\r\n"; }
  double rejected(const char* reason) {
    return metric("forebay_connections_rejected_total", {{"listener", "edge"}, {"reason", reason}});
  }
};

TEST_F(ProxyProtocol, TheAnnouncedAddressIsTheClientsEverywhere) {
  start_trusting("[127.0.0.0/8]");
  auto four = announced(tcp4("192.0.2.77"));
  EXPECT_EQ(four.get("/four").status, 200);
  EXPECT_EQ(origin.last("/four").get("X-Forwarded-For"), "192.0.2.77");
  EXPECT_THAT(origin.last("/four").get("Forwarded"), StartsWith("for=192.0.2.77;"));
  EXPECT_EQ(access_line("/four")["remote"], "192.0.2.77");
  EXPECT_EQ(access_line("/four")["client"], "192.0.2.77");
  auto six = announced(tcp6("2001:db8::1"));
  EXPECT_EQ(six.get("/six").status, 200);
  EXPECT_EQ(origin.last("/six").get("X-Forwarded-For"), "2001:db8::1");
  EXPECT_EQ(access_line("/six")["remote"], "2001:db8::1");
}

TEST_F(ProxyProtocol, TheAnnouncedClientsClaimsAreNotBelieved) {
  start_trusting("[127.0.0.0/8, 10.0.0.0/8]");
  auto stranger = announced(tcp4("192.0.2.77"));
  stranger.get("/stranger", {{"X-Forwarded-For", "6.6.6.6"}, {"X-Forwarded-Proto", "https"}});
  EXPECT_EQ(origin.last("/stranger").get("X-Forwarded-For"), "192.0.2.77");
  EXPECT_EQ(origin.last("/stranger").get("X-Forwarded-Proto"), "http");
  EXPECT_EQ(access_line("/stranger")["client"], "192.0.2.77");
  auto proxy = announced(tcp4("10.1.2.3"));
  proxy.get("/proxy", {{"X-Forwarded-For", "6.6.6.6"}, {"X-Forwarded-Proto", "https"}});
  EXPECT_EQ(origin.last("/proxy").get("X-Forwarded-For"), "6.6.6.6, 10.1.2.3");
  EXPECT_EQ(origin.last("/proxy").get("X-Forwarded-Proto"), "https");
  EXPECT_EQ(access_line("/proxy")["client"], "6.6.6.6");
}

TEST_F(ProxyProtocol, NobodyIsAdvisedToTrustAnAnnouncedClientsNetwork) {
  start_trusting("[127.0.0.0/8]");
  auto stranger = announced(tcp4("192.0.2.77"));
  stranger.get("/stranger", {{"X-Forwarded-For", "6.6.6.6"}});
  ASSERT_TRUE(eventually([&] { return daemon->log().find("are replaced") != std::string::npos; }));
  EXPECT_THAT(daemon->log(), HasSubstr("fields of clients named by PROXY headers in 192.0.2.0/24 are replaced"));
  EXPECT_THAT(daemon->log(), Not(HasSubstr("set server.trusted_proxies")));
}

TEST_F(ProxyProtocol, AClientWithoutAnAddressHasNoneAndIsNotBelieved) {
  start_trusting("[127.0.0.0/8]");
  auto hidden = announced("PROXY UNKNOWN\r\n");
  hidden.get("/hidden", {{"X-Forwarded-For", "6.6.6.6"}});
  EXPECT_EQ(origin.last("/hidden").get("X-Forwarded-For"), "");
  EXPECT_THAT(origin.last("/hidden").get("Forwarded"), StartsWith("for=unknown"));
  auto balancer = announced("\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00"s);
  balancer.get("/balancer", {{"X-Forwarded-For", "6.6.6.6"}});
  EXPECT_EQ(origin.last("/balancer").get("X-Forwarded-For"), "6.6.6.6, 127.0.0.1") << "LOCAL: the balancer itself";
}

TEST_F(ProxyProtocol, OthersThanTrustedProxiesAreClosed) {
  start_trusting("[127.0.0.2/32]");
  for (int i = 0; i < 3; ++i) {
    auto c = announced(tcp4("192.0.2.77") + "GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(c.read().status, 0);
  }
  EXPECT_TRUE(metric_reaches("forebay_connections_rejected_total", {{"listener", "edge"}, {"reason", "malformed"}}, 3));
  EXPECT_EQ(origin.count("/a"), 0U);
  const auto log = daemon->log();
  const auto line = "connections from 127.0.0.0/24 are closed";
  EXPECT_THAT(log, HasSubstr(line));
  EXPECT_THAT(log.substr(log.find(line) + 1), Not(HasSubstr(line))) << "once for each network";
  Client balancer(Socket::connect_from("127.0.0.2", daemon->port()));
  balancer.send(tcp4("192.0.2.77"));
  EXPECT_EQ(balancer.get("/b").status, 200);
}

TEST_F(ProxyProtocol, AMissingOrMalformedHeaderCloses) {
  start_trusting("[127.0.0.0/8]");
  for (const auto& bytes : {"GET /a HTTP/1.1\r\nHost: a\r\n\r\n"s, "PROXY TCP4 nobody\r\nGET /a HTTP/1.1\r\n\r\n"s,
                            "PROXY UNKNOWN "s + std::string(100, 'x')}) {
    auto c = announced(bytes);
    EXPECT_EQ(c.read().status, 0);
  }
  EXPECT_TRUE(metric_reaches("forebay_connections_rejected_total", {{"listener", "edge"}, {"reason", "malformed"}}, 3));
  EXPECT_THAT(daemon->log(), HasSubstr("do not begin with a valid PROXY header"));
  EXPECT_EQ(origin.count("/a"), 0U);
}

TEST_F(ProxyProtocol, AHeaderThatDoesNotComeInTimeCloses) {
  start_trusting("[127.0.0.0/8]", ", timeouts: {header: 200ms}");
  auto c = connect();
  c.send("PROXY TCP4 192");
  EXPECT_EQ(c.read().status, 0);
  EXPECT_TRUE(metric_reaches("forebay_connections_rejected_total", {{"listener", "edge"}, {"reason", "timeout"}}, 1));
  EXPECT_EQ(rejected("malformed"), 0);
}

TEST_F(ProxyProtocol, LimitsAreOfTheAnnouncedAddress) {
  start_trusting("[127.0.0.0/8]", ", limits: {connections_per_address: 1}");
  auto one = announced(tcp4("192.0.2.1")), two = announced(tcp4("192.0.2.2"));
  EXPECT_EQ(one.get("/a").status, 200);
  EXPECT_EQ(two.get("/a").status, 200) << "both come from the balancer's address";
  auto again = announced(tcp4("192.0.2.2"));
  EXPECT_EQ(again.read().status, 503);
  // Of IPv6 the /64 counts, which is what one host has.
  auto six = announced(tcp6("2001:db8::1")), other = announced(tcp6("2001:db8:0:1::1"));
  EXPECT_EQ(six.get("/a").status, 200);
  EXPECT_EQ(other.get("/a").status, 200);
  auto neighbour = announced(tcp6("2001:db8::2"));
  EXPECT_EQ(neighbour.read().status, 503);
}

TEST_F(ProxyProtocol, AUnixSocketMayCarryItToo) {
  const TempDir dir;
  const auto path = dir.file("s");
  start("server: {threads: 2, trusted_proxies: [unix]}\nlisten: [{address: 'unix:" + path +
        "', proxy_protocol: true}, '127.0.0.1:0']\nroutes: [{path: /**}]\n");
  Client c(Socket::connect_unix(path));
  c.send(tcp4("192.0.2.77"));
  c.get("/a", {{"X-Forwarded-For", "6.6.6.6"}});
  EXPECT_EQ(origin.last("/a").get("X-Forwarded-For"), "192.0.2.77");
}

TEST_F(ProxyProtocol, AReloadSwitchesItOnWithoutLosingTheSocket) {
  std::uint16_t port = 0;
  { const auto taken = Socket::listen(port); }
  const auto config = [&](const char* on) {
    return "server: {threads: 2, trusted_proxies: [127.0.0.0/8]}\nlisten: [{address: '127.0.0.1:" +
           std::to_string(port) + "', proxy_protocol: " + on + "}]\nroutes: [{path: /**}]\n";
  };
  start(config("false"));
  EXPECT_EQ(Client(port).get("/a").status, 200);
  daemon->reload(with_origin(config("true")));
  ASSERT_TRUE(metric_reaches("forebay_config_reloads_total", {{"outcome", "applied"}}, 1));
  ASSERT_TRUE(eventually([&] {
    Client c(port);
    c.send(tcp4("192.0.2.77"));
    return c.get("/b").status == 200;
  }));
  EXPECT_EQ(origin.last("/b").get("X-Forwarded-For"), "192.0.2.77");
}

TEST_F(ProxyProtocol, ConnectionsThatWaitForTheirHeaderDoNotHoldUpTheEnd) {
  start_trusting("[127.0.0.0/8]");
  auto silent = connect();
  ASSERT_TRUE(metric_reaches("forebay_connections", {{"listener", "edge"}}, 1));
  EXPECT_EQ(daemon->stop().value_or(-1), 0);
  EXPECT_TRUE(silent.closed());
}

}  // namespace
}  // namespace forebay::test
