// The step between accept and protocol: handshake, deadline, limits, and who takes over.
#include "server/tls_protocol.hpp"

#include <gmock/gmock.h>

#include "forebay/net/tls_server.hpp"
#include "server/worker_listener.hpp"
#include "support/h2_frames.hpp"
#include "unit/net/tls_fixture.hpp"
#include "unit/server/edge.hpp"

namespace forebay::server {
namespace {

using net::TlsHandshake;
using testing::HasSubstr;
using testing::StartsWith;

/// Stands for HTTP/2: remembers what it was given.
class OtherProtocol final : public Protocol {
 public:
  explicit OtherProtocol(std::vector<Accepted>& taken) : taken_(taken) {}
  void open(const std::shared_ptr<WorkerListener>&, Accepted accepted) override {
    taken_.push_back(std::move(accepted));
  }

 private:
  std::vector<Accepted>& taken_;
};

/// A listener without a listener, whose worker the test itself is.
class TlsProtocolTest : public testing::Test {
 protected:
  TlsProtocolTest() {
    std::signal(SIGPIPE, SIG_IGN);
    settings.certificates = {{folder.write("cert", identity.cert_pem), folder.write("key", identity.key_pem), ""}};
    handler.script = [this](const ExchangePtr& exchange) {
      peers.push_back(exchange->peer());
      test::answer_text(*exchange, exchange->request().target);
    };
    std::vector<net::TlsFinding> findings;
    listener->tls = net::TlsServer::make(settings, {"main", true, nullptr, &clock}, findings);
    EXPECT_TRUE(listener->tls);
  }
  ~TlsProtocolTest() override {
    while (!listener->connections.empty()) listener->connections.front().abort();
    taken.clear();
    worker.io().poll();
  }

  void open(ConnectionLimits::Place place, const std::string& alpn = "", std::string early = "") {
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
    net::Stream stream(worker.io());
    ASSERT_TRUE(stream.adopt(net::ParkedStream(ends[0])));
    wire = ends[1];
    client.error = 0;
    client.connect(ends[1], "shop.test", alpn);
    Peer peer;
    peer.address = "192.0.2.1";
    listener->open.fetch_add(1);
    listener->protocol->open(listener,
                             {std::move(stream), std::make_shared<const Peer>(peer), std::move(place), early});
  }
  ConnectionLimits::Place place() { return limits->enter(Peer{}, handler.server); }
  bool shake() {
    bool over = false;
    for (int i = 0; i < 100 && !over; ++i) {
      over = client.step();
      poll();
    }
    return over && client.error == 0;
  }
  std::string ask(const std::string& target) {
    EXPECT_TRUE(client.send("GET " + target + " HTTP/1.1\r\nHost: shop.test\r\n\r\n"));
    poll();
    return client.take();
  }
  void poll() {
    worker.io().restart();
    worker.io().poll();
  }
  void pass(Duration d) {
    clock.advance(d);
    worker.fire_deadlines();
    poll();
  }
  std::uint64_t handshakes(TlsHandshake result) const {
    return listener->numbers->handshakes[static_cast<std::size_t>(result)];
  }

  ManualClock clock;
  net::Worker worker{0, clock};
  net::test::Folder folder;
  const net::test::Identity identity = net::test::make_identity({.names = {"shop.test"}});
  config::ListenerTls settings;
  test::FakeHandler handler;
  std::vector<Peer> peers;
  std::vector<Accepted> taken;
  std::shared_ptr<ConnectionLimits> limits = make_connection_limits();
  std::shared_ptr<WorkerListener> listener = std::make_shared<WorkerListener>(
      worker, handler, std::make_shared<ListenerNumbers>(),
      std::make_unique<TlsProtocol>(std::make_unique<H1Protocol>(std::make_unique<OtherProtocol>(taken))));
  net::test::TlsClient client;
  int wire = -1;
};

TEST_F(TlsProtocolTest, AConnectionShakesHandsAndThenSpeaksHttp) {
  open(place());
  EXPECT_EQ(listener->connections.size(), 1U);
  EXPECT_EQ(listener->numbers->open, 1U);
  ASSERT_TRUE(shake());
  EXPECT_THAT(ask("/first"), StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(ask("/second"), HasSubstr("/second"));
  ASSERT_EQ(peers.size(), 2U);
  EXPECT_EQ(peers[0].scheme, "https");
  EXPECT_EQ(peers[0].address, "192.0.2.1");
  ASSERT_TRUE(peers[0].tls);
  EXPECT_EQ(peers[0].tls->server_name, "shop.test");
  EXPECT_EQ(listener->connections.size(), 1U);
  EXPECT_EQ(listener->numbers->open, 1U);
  EXPECT_EQ(listener->open, 1);
  EXPECT_EQ(handshakes(TlsHandshake::Full), 1U);
  EXPECT_EQ(limits->open(), 1U);
  listener->connections.front().abort();
  EXPECT_EQ(listener->open, 0);
  EXPECT_EQ(limits->open(), 0U);
}

TEST_F(TlsProtocolTest, WithoutTlsConnectionsArePlain) {
  listener->tls = nullptr;
  open(place());
  ASSERT_GT(::send(wire, "GET /plain HTTP/1.1\r\nHost: a\r\n\r\n", 32, MSG_NOSIGNAL), 0);
  poll();
  ASSERT_EQ(peers.size(), 1U);
  EXPECT_EQ(peers[0].scheme, "http");
  EXPECT_FALSE(peers[0].tls);
}

TEST_F(TlsProtocolTest, AlpnChoosesWhoTakesOver) {
  open(place(), "\x02h2\x08http/1.1");
  ASSERT_TRUE(shake());
  ASSERT_EQ(taken.size(), 1U);
  EXPECT_TRUE(taken[0].peer->tls);
  EXPECT_TRUE(taken[0].place);
  EXPECT_EQ(limits->open(), 1U) << "the place goes with it";
  EXPECT_EQ(listener->numbers->open, 0U) << "the next protocol counts its own connections";
  EXPECT_EQ(listener->open, 1);
  open(place(), "\x08http/1.1");
  ASSERT_TRUE(shake());
  EXPECT_EQ(taken.size(), 1U);
  EXPECT_EQ(listener->connections.size(), 1U);
}

TEST_F(TlsProtocolTest, AHandshakeThatTakesTooLongIsEnded) {
  handler.server.timeouts.header = std::chrono::seconds{5};
  open(place());
  client.step();
  poll();
  pass(std::chrono::seconds{4});
  EXPECT_EQ(listener->connections.size(), 1U);
  pass(std::chrono::seconds{2});
  EXPECT_TRUE(listener->connections.empty());
  EXPECT_EQ(listener->open, 0);
  EXPECT_EQ(listener->numbers->open, 0U);
  EXPECT_EQ(limits->open(), 0U);
  EXPECT_EQ(handshakes(TlsHandshake::Timeout), 1U);
  EXPECT_EQ(listener->numbers->rejected_timeout, 1U);
}

TEST_F(TlsProtocolTest, ADrainGivesAHandshakeASecond) {
  open(place());
  listener->draining = true;
  listener->connections.front().drain();
  pass(std::chrono::milliseconds{900});
  EXPECT_EQ(listener->connections.size(), 1U);
  pass(std::chrono::milliseconds{200});
  EXPECT_TRUE(listener->connections.empty());
}

TEST_F(TlsProtocolTest, WhoeverShakesHandsDuringADrainIsDrainedToo) {
  open(place());
  listener->draining = true;
  listener->connections.front().drain();
  ASSERT_TRUE(shake());
  EXPECT_EQ(listener->connections.size(), 1U);
  pass(std::chrono::seconds{2});
  EXPECT_TRUE(listener->connections.empty()) << "an idle connection";
}

TEST_F(TlsProtocolTest, AHandshakeThatBeginsDuringADrainHasASecond) {
  listener->draining = true;
  open(place());
  pass(std::chrono::milliseconds{900});
  EXPECT_EQ(listener->connections.size(), 1U);
  pass(std::chrono::milliseconds{200});
  EXPECT_TRUE(listener->connections.empty());
}

TEST_F(TlsProtocolTest, WhoeverAgreesOnHttp2DuringADrainIsToldOfTheEnd) {
  const auto tls = listener->tls;
  listener = std::make_shared<WorkerListener>(worker, handler, std::make_shared<ListenerNumbers>(),
                                              make_protocol(config::Listener{}));
  listener->tls = tls;
  open(place(), "\x02h2");
  listener->draining = true;
  listener->connections.front().drain();
  ASSERT_TRUE(shake());
  forebay::test::h2::Incoming in;
  in.feed(client.take());
  ASSERT_EQ(in.goaways.size(), 1U);
  EXPECT_EQ(in.goaways[0].first, 0x7fffffffU);
  ASSERT_EQ(in.pings, 1U);
  auto request = forebay::test::h2::request("/last");
  for (auto& [name, value] : request)
    if (name == ":scheme") value = "https";
  ASSERT_TRUE(client.send(forebay::test::h2::kPreface + forebay::test::h2::settings() +
                          forebay::test::h2::headers(1, request, true)));
  poll();
  in.feed(client.take());
  EXPECT_EQ(in.on(1).body, "/last");
  pass(std::chrono::milliseconds{1100});
  in.feed(client.take());
  ASSERT_EQ(in.goaways.size(), 2U);
  EXPECT_EQ(in.goaways[1].first, 1U);
  pass(std::chrono::seconds{3});
  EXPECT_TRUE(listener->connections.empty());
}

TEST_F(TlsProtocolTest, AnAbortEndsAHandshake) {
  open(place());
  listener->connections.front().abort();
  poll();
  EXPECT_TRUE(listener->connections.empty());
  EXPECT_EQ(listener->open, 0);
  EXPECT_EQ(limits->open(), 0U);
}

TEST_F(TlsProtocolTest, AClientThatLeavesIsNotCountedAsRejected) {
  open(place());
  client.step();
  client.ssl.reset();
  poll();
  EXPECT_TRUE(listener->connections.empty());
  EXPECT_EQ(handshakes(TlsHandshake::Closed), 1U);
  EXPECT_EQ(listener->numbers->rejected_tls, 0U);
}

TEST_F(TlsProtocolTest, AFailedHandshakeIsCountedWithItsReason) {
  open(place(), "\x04smtp");
  EXPECT_FALSE(shake());
  EXPECT_TRUE(listener->connections.empty());
  EXPECT_EQ(handshakes(TlsHandshake::Alpn), 1U);
  EXPECT_EQ(listener->numbers->rejected_tls, 1U);
  EXPECT_EQ(listener->open, 0);
}

TEST_F(TlsProtocolTest, HttpWithoutTlsIsAnsweredInHttp) {
  open(place());
  const std::string request = "DELETE /x HTTP/1.1\r\nHost: a\r\n\r\n";
  ASSERT_GT(::send(wire, request.data(), request.size(), MSG_NOSIGNAL), 0);
  poll();
  char answer[4096];
  const auto n = ::recv(wire, answer, sizeof answer, MSG_DONTWAIT);
  ASSERT_GT(n, 0);
  const std::string text(answer, static_cast<std::size_t>(n));
  EXPECT_THAT(text, StartsWith("HTTP/1.1 400 Bad Request\r\n"));
  EXPECT_THAT(text, HasSubstr("urn:forebay:error:plain_http"));
  EXPECT_EQ(handler.last_refused().code, "plain_http");
  EXPECT_EQ(handshakes(TlsHandshake::PlainHttp), 1U);
  EXPECT_EQ(listener->numbers->rejected_malformed, 1U);
  EXPECT_EQ(listener->numbers->rejected_tls, 0U);
}

TEST_F(TlsProtocolTest, WhoHasNoPlaceIsToldSoOverTls) {
  open({});
  EXPECT_EQ(listener->refusing, 1U);
  ASSERT_TRUE(shake());
  poll();
  EXPECT_THAT(client.take(), StartsWith("HTTP/1.1 503 "));
  EXPECT_EQ(listener->numbers->rejected_limit, 1U);
  while (!listener->connections.empty()) listener->connections.front().abort();
  EXPECT_EQ(listener->refusing, 0U);
}

TEST_F(TlsProtocolTest, ConnectionsKeepTheTlsThatTheyBeganWith) {
  open(place());
  client.step();
  listener->tls = nullptr;  // a reload
  ASSERT_TRUE(shake());
  EXPECT_THAT(ask("/a"), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(TlsProtocolTest, BytesThatAnEarlierStepHasReadAreTheFirstOfTheHandshake) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
  client.connect(ends[1]);
  client.step();
  char hello[2000];
  const auto n = ::recv(ends[0], hello, sizeof hello, 0);
  ASSERT_GT(n, 0);
  net::Stream stream(worker.io());
  ASSERT_TRUE(stream.adopt(net::ParkedStream(ends[0])));
  listener->open.fetch_add(1);
  listener->protocol->open(listener, {std::move(stream), std::make_shared<const Peer>(), place(),
                                      std::string(hello, static_cast<std::size_t>(n))});
  poll();
  ASSERT_TRUE(shake());
  EXPECT_THAT(ask("/a"), StartsWith("HTTP/1.1 200 OK\r\n"));
}

}  // namespace
}  // namespace forebay::server
