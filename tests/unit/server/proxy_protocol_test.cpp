#include "server/proxy_protocol.hpp"

#include <gtest/gtest.h>

#include "server/worker_listener.hpp"
#include "unit/server/edge.hpp"

namespace forebay::server {
namespace {

using namespace std::string_literals;

const std::string kGet = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";
const std::string kHeader = "PROXY TCP4 192.0.2.77 10.0.0.1 12345 443\r\n";

/// A listener with `proxy_protocol: true` whose worker the test itself is. The balancer is 10.0.0.9.
class ProxyProtocolTest : public testing::Test {
 protected:
  ProxyProtocolTest() {
    handler.server.trusted_proxies.networks = {*http::parse_cidr("10.0.0.0/8")};
    handler.script = [this](const ExchangePtr& exchange) {
      seen = exchange->peer();
      trusted = trusts(handler.server, exchange->peer());
      test::answer_text(*exchange, "hello");
    };
  }
  ~ProxyProtocolTest() override {
    while (!listener->connections.empty()) listener->connections.front().abort();
    worker.io().poll();
    for (const int end : clients) ::close(end);
  }
  static Peer peer_at(std::string_view ip) {
    Peer peer;
    peer.ip = *http::parse_ip(ip);
    peer.has_ip = true;
    peer.address = ip;
    peer.listener = "edge";
    return peer;
  }
  void open(Peer peer = peer_at("10.0.0.9")) {
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
    clients.push_back(ends[1]);
    net::Stream stream(worker.io());
    ASSERT_TRUE(stream.adopt(net::ParkedStream(ends[0])));
    listener->open.fetch_add(1);
    listener->protocol->open(
        listener, {std::move(stream), std::make_shared<const Peer>(std::move(peer)), limits->enter(handler.server)});
  }
  void send(std::string_view text) {
    EXPECT_EQ(::send(clients.back(), text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
    worker.io().poll();
  }
  /// What has come once the worker has nothing to do, and "(end)" if the connection has ended.
  std::string answer() {
    worker.io().poll();
    std::string all;
    char piece[4096];
    ssize_t n = 0;
    while ((n = ::recv(clients.back(), piece, sizeof piece, MSG_DONTWAIT)) > 0)
      all.append(piece, static_cast<std::size_t>(n));
    return n == 0 || errno == ECONNRESET ? all + "(end)" : all;
  }
  void pass(Duration time) {
    clock.advance(time);
    worker.fire_deadlines();
  }
  std::uint64_t malformed() const { return listener->numbers->rejected_malformed; }

  static config::Listener proxied() {
    config::Listener l;
    l.proxy_protocol = true;
    return l;
  }
  ManualClock clock;
  net::Worker worker{0, clock};
  test::FakeHandler handler;
  std::shared_ptr<ConnectionLimits> limits = make_connection_limits();
  std::shared_ptr<WorkerListener> listener =
      std::make_shared<WorkerListener>(worker, handler, std::make_shared<ListenerNumbers>(), make_protocol(proxied()));
  std::vector<int> clients;
  Peer seen;
  bool trusted = false;
};

TEST_F(ProxyProtocolTest, TheClientThatTheHeaderNamesIsThePeer) {
  open();
  send(kHeader + kGet);
  EXPECT_TRUE(answer().starts_with("HTTP/1.1 200 OK\r\n"));
  EXPECT_EQ(seen.address, "192.0.2.77");
  EXPECT_EQ(seen.port, 12345);
  EXPECT_TRUE(seen.has_ip);
  EXPECT_EQ(seen.listener, "edge");
  EXPECT_EQ(seen.scheme, "http");
  EXPECT_FALSE(trusted) << "the balancer is, not the client";
  send(kGet);
  EXPECT_TRUE(answer().starts_with("HTTP/1.1 200 OK\r\n")) << "the header comes once";
  EXPECT_EQ(listener->numbers->open, 1U);
}

TEST_F(ProxyProtocolTest, TheHeaderMayComeInAnyPieces) {
  open();
  for (const char c : kHeader + kGet) send({&c, 1});
  EXPECT_TRUE(answer().starts_with("HTTP/1.1 200 OK\r\n"));
  EXPECT_EQ(seen.address, "192.0.2.77");
}

TEST_F(ProxyProtocolTest, AHeaderLongerThanOneReadIsRead) {
  open();
  const std::size_t more = 5000;
  auto header = "\r\n\r\n\0\r\nQUIT\n\x21\x11"s + static_cast<char>((15 + more) >> 8) +
                static_cast<char>((15 + more) & 0xFF) + "\xC0\x00\x02\x4D\x0A\x00\x00\x01\x30\x39\x01\xBB"s + '\x04' +
                static_cast<char>(more >> 8) + static_cast<char>(more & 0xFF) + std::string(more, 'x');
  send(header + kGet);
  EXPECT_TRUE(answer().starts_with("HTTP/1.1 200 OK\r\n"));
  EXPECT_EQ(seen.address, "192.0.2.77");
}

TEST_F(ProxyProtocolTest, WhatTheBalancerSendsForItselfKeepsItsAddress) {
  open();
  send("\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00"s + kGet);
  EXPECT_TRUE(answer().starts_with("HTTP/1.1 200 OK\r\n"));
  EXPECT_EQ(seen.address, "10.0.0.9");
  EXPECT_TRUE(trusted);
}

TEST_F(ProxyProtocolTest, AClientWithoutAnAddressIsNotTheBalancer) {
  open();
  send("PROXY UNKNOWN\r\n" + kGet);
  EXPECT_TRUE(answer().starts_with("HTTP/1.1 200 OK\r\n"));
  EXPECT_EQ(seen.address, "");
  EXPECT_FALSE(seen.has_ip);
  EXPECT_FALSE(trusted) << "it would choose its own X-Forwarded-For";
  handler.server.trusted_proxies.unix_sockets = true;
  EXPECT_FALSE(trusts(handler.server, seen));
}

TEST_F(ProxyProtocolTest, AnAnnouncedProxyIsTrustedByItsOwnAddress) {
  open();
  send("PROXY TCP4 10.1.2.3 10.0.0.1 1 2\r\n" + kGet);
  EXPECT_EQ(seen.address, "10.1.2.3");
  EXPECT_TRUE(trusted);
}

TEST_F(ProxyProtocolTest, ClientsThatSpeakTlsWithTheBalancerUseHttps) {
  open();
  send("\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x14\xC0\x00\x02\x4D\x0A\x00\x00\x01\x30\x39\x01\xBB\x20\x00\x05\x01\0\0\0\0"s +
       kGet);
  EXPECT_EQ(seen.scheme, "https");
}

TEST_F(ProxyProtocolTest, StrangersAreClosedUnread) {
  for (const auto& peer : {peer_at("192.0.2.1"), Peer()}) {
    open(peer);
    EXPECT_EQ(answer(), "(end)");
    EXPECT_TRUE(listener->connections.empty());
  }
  EXPECT_EQ(malformed(), 2U);
  EXPECT_EQ(listener->open, 0);
  EXPECT_EQ(limits->open(), 0U);
  EXPECT_EQ(handler.started, 0);
}

TEST_F(ProxyProtocolTest, PeersOfAUnixSocketAreTrustedByName) {
  Peer peer;
  peer.unix_socket = true;
  open(peer);
  EXPECT_EQ(answer(), "(end)");
  handler.server.trusted_proxies.unix_sockets = true;
  open(peer);
  send(kHeader + kGet);
  EXPECT_TRUE(answer().starts_with("HTTP/1.1 200 OK\r\n"));
  EXPECT_EQ(seen.address, "192.0.2.77");
  EXPECT_FALSE(seen.unix_socket);
}

TEST_F(ProxyProtocolTest, WithoutAHeaderTheConnectionIsClosed) {
  for (const auto& bytes : {kGet, "PROXY TCP4 nobody\r\n"s + kGet, "\x16\x03\x01"s}) {
    open();
    send(bytes);
    EXPECT_EQ(answer(), "(end)");
  }
  EXPECT_EQ(malformed(), 3U);
  EXPECT_EQ(listener->open, 0);
  EXPECT_EQ(listener->numbers->open, 0U);
  EXPECT_EQ(limits->open(), 0U);
}

TEST_F(ProxyProtocolTest, AnEndWithinTheHeaderIsMalformedAndOneBeforeItIsNot) {
  open();
  ::shutdown(clients.back(), SHUT_WR);
  EXPECT_EQ(answer(), "(end)");
  EXPECT_EQ(malformed(), 0U) << "a look at whether the port is open";
  open();
  send(kHeader.substr(0, 20));
  ::shutdown(clients.back(), SHUT_WR);
  EXPECT_EQ(answer(), "(end)");
  EXPECT_EQ(malformed(), 1U);
}

TEST_F(ProxyProtocolTest, TheHeaderHasADeadlineOfItsOwn) {
  handler.server.timeouts.header = std::chrono::seconds{5};
  open();
  for (int i = 0; i < 4; ++i) {
    send("P"s.substr(i == 0 ? 0 : 1));
    pass(std::chrono::seconds{1});
    EXPECT_EQ(answer(), "");
  }
  pass(std::chrono::seconds{2});
  EXPECT_EQ(answer(), "(end)");
  EXPECT_EQ(listener->numbers->rejected_timeout, 1U);
  EXPECT_EQ(limits->open(), 0U);
}

TEST_F(ProxyProtocolTest, WhoSendsNoHeaderLeavesADrainWithinASecond) {
  open();
  listener->draining = true;
  listener->connections.front().drain();
  send(kHeader + kGet);
  EXPECT_NE(answer().find("Connection: close"), std::string::npos) << "a request on its way is answered";
  open();
  EXPECT_EQ(listener->connections.size(), 2U);
  listener->connections.back().drain();
  pass(std::chrono::milliseconds{1100});
  EXPECT_EQ(answer(), "(end)");
}

TEST_F(ProxyProtocolTest, AConnectionPassedOnDuringADrainDoesNotOutliveIt) {
  open();
  listener->draining = true;
  send(kHeader);
  pass(std::chrono::milliseconds{1100});
  EXPECT_EQ(answer(), "(end)");
}

TEST_F(ProxyProtocolTest, TheAnnouncedAddressIsCountedNotTheBalancers) {
  handler.server.connections_per_address = 1;
  for (const auto* client : {"192.0.2.1", "192.0.2.2"}) {
    open();
    send("PROXY TCP4 " + std::string(client) + " 10.0.0.1 1 2\r\n" + kGet);
    EXPECT_TRUE(answer().starts_with("HTTP/1.1 200 OK\r\n")) << client;
  }
  open();
  send("PROXY TCP4 192.0.2.2 10.0.0.1 1 2\r\n" + kGet);
  EXPECT_TRUE(answer().starts_with("HTTP/1.1 503 Service Unavailable\r\n"));
  EXPECT_EQ(listener->numbers->rejected_limit, 1U);
}

TEST_F(ProxyProtocolTest, AbortEndsAConnectionThatWaitsForItsHeader) {
  open();
  EXPECT_EQ(listener->numbers->open, 1U);
  listener->connections.front().abort();
  EXPECT_EQ(answer(), "(end)");
  EXPECT_EQ(listener->open, 0);
}

}  // namespace
}  // namespace forebay::server
