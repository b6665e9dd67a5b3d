// Origins over TLS: what is sent to whom, and what becomes of a handshake that fails.
#include <csignal>
#include <filesystem>
#include <thread>

#include "support/certificates.hpp"
#include "unit/upstream/other_worker.hpp"
#include "unit/upstream/upstream_fixture.hpp"

namespace forebay::upstream {
namespace {

using net::TlsHandshake;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::string_view kHello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

class TlsOrigin : public UpstreamTest {
 protected:
  TlsOrigin() {
    std::signal(SIGPIPE, SIG_IGN);  // the origin's OpenSSL writes without MSG_NOSIGNAL
    std::string name = (std::filesystem::temp_directory_path() / "forebay-ca-XXXXXX").string();
    const int file = ::mkstemp(name.data());
    EXPECT_EQ(::write(file, who.cert_pem.data(), who.cert_pem.size()), static_cast<ssize_t>(who.cert_pem.size()));
    ::close(file);
    ca = name;
    SSL_CTX_use_certificate(context.get(), who.certificate.get());
    SSL_CTX_use_PrivateKey(context.get(), who.key.get());
    SSL_CTX_set_session_id_context(context.get(), reinterpret_cast<const unsigned char*>("test"), 4);
  }
  ~TlsOrigin() override { std::filesystem::remove(ca); }

  config::Origin secured(const ScriptedOrigin& server) const {
    auto o = settings(server.port());
    o.url.scheme = "https";
    o.tls.ca = ca;
    return o;
  }
  void use_tls(config::Origin o) {
    std::vector<net::TlsFinding> findings;
    auto tls = net::TlsClient::make(o, clock, findings);
    ASSERT_TRUE(tls) << (findings.empty() ? "" : findings[0].message);
    use(std::move(o));
    state->use_tls({std::move(tls)});
  }
  /// Shakes hands, then answers each request with these bytes.
  ScriptedOrigin::Script always(std::string answer) {
    return [this, answer = std::move(answer)](Peer& peer, int) {
      if (!peer.secure(context.get())) return;
      while (!peer.read_head().empty()) peer.send(answer);
    };
  }
  /// One answer on each connection, then its end; with close_notify or without.
  ScriptedOrigin::Script once(std::string answer, bool notifies) {
    return [this, answer = std::move(answer), notifies](Peer& peer, int) {
      if (!peer.secure(context.get())) return;
      peer.read_head();
      peer.send(answer);
      if (notifies) peer.say_end();
    };
  }
  std::uint64_t handshakes(TlsHandshake result) {
    return state->numbers().handshakes[static_cast<std::size_t>(result)];
  }

  const forebay::test::Identity who = forebay::test::make_identity({.names = {"IP:127.0.0.1", "shop.test"}});
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context{SSL_CTX_new(TLS_server_method()), SSL_CTX_free};
  std::string ca;
};

TEST_F(TlsOrigin, AConnectionIsUsedAgain) {
  ScriptedOrigin server(always(std::string(kHello)));
  use_tls(secured(server));
  for (int i = 0; i < 3; ++i) {
    const auto& sink = get();
    EXPECT_TRUE(sink.ended) << sink.detail;
    EXPECT_EQ(sink.body, "hello");
  }
  EXPECT_EQ(server.connections(), 1);
  EXPECT_EQ(state->numbers().idle, 1U);
  EXPECT_EQ(handshakes(TlsHandshake::Full), 1U);
}

TEST_F(TlsOrigin, ANewConnectionResumesASession) {
  ScriptedOrigin server(once("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello", true));
  use_tls(secured(server));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(get().body, "hello");
  EXPECT_EQ(server.connections(), 3);
  EXPECT_EQ(handshakes(TlsHandshake::Full), 1U);
  EXPECT_EQ(handshakes(TlsHandshake::Resumed), 2U);
}

TEST_F(TlsOrigin, AnotherContextIsForNewConnectionsOnly) {
  ScriptedOrigin server(always(std::string(kHello)));
  use_tls(secured(server));
  EXPECT_TRUE(get().ended);
  auto other = secured(server);
  other.tls.sni = "other.test";
  std::vector<net::TlsFinding> findings;
  state->use_tls({net::TlsClient::make(other, clock, findings)});
  EXPECT_TRUE(get().ended);
  EXPECT_EQ(server.connections(), 1);
  origin->retire();
  EXPECT_EQ(get().failure, FetchError::Tls);
}

TEST_F(TlsOrigin, ACertificateForAnotherNameEndsTheFetchBeforeAnythingIsSent) {
  ScriptedOrigin server([&](Peer& peer, int) {
    server.note(peer.secure(context.get()) ? peer.read_head() : "refused");
    peer.read_rest();
  });
  auto o = secured(server);
  o.tls.sni = "other.test";
  use_tls(std::move(o));
  const auto& sink = get();
  EXPECT_EQ(sink.failure, FetchError::Tls);
  EXPECT_EQ(sink.detail,
            "127.0.0.1:" + std::to_string(server.port()) + ": TLS: its certificate is not for \"other.test\"");
  EXPECT_EQ(handshakes(TlsHandshake::PeerCertificate), 1U);
  EXPECT_EQ(errors(FetchError::Tls), 1U);
  run_until([&] { return !server.notes().empty(); });
  EXPECT_THAT(server.notes()[0], testing::AnyOf("refused", ""));
}

TEST_F(TlsOrigin, NothingIsSentInPlainText) {
  ScriptedOrigin server([&](Peer& peer, int) {
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    server.note(peer.read_rest());
  });
  use_tls(secured(server));
  auto& sink = *sinks.emplace_back(std::make_unique<RecordingSink>());
  const auto running = fetch(sink, "GET", nullptr, "/secret");
  run_until([&] { return sink.over(); });
  EXPECT_EQ(sink.failure, FetchError::Tls);
  EXPECT_THAT(sink.detail, HasSubstr("it speaks HTTP without TLS"));
  EXPECT_EQ(handshakes(TlsHandshake::PlainHttp), 1U);
  run_until([&] { return !server.notes().empty(); });
  EXPECT_THAT(server.notes()[0], testing::Not(HasSubstr("secret")));
}

TEST_F(TlsOrigin, WithoutMeansNothingIsSent) {
  ScriptedOrigin server([&](Peer& peer, int) { server.note(peer.read_rest()); });
  use(secured(server));
  const auto& sink = get();
  EXPECT_EQ(sink.failure, FetchError::Tls);
  run_until([&] { return !server.notes().empty(); });
  EXPECT_EQ(server.notes()[0], "");
}

TEST_F(TlsOrigin, AHandshakeHasTheTimeOfTheConnect) {
  ScriptedOrigin server([&](Peer& peer, int) { peer.read_rest(); });
  clock.stop();
  use_tls(secured(server));
  RecordingSink sink;
  const auto running = fetch(sink);
  run_until([&] { return server.connections() == 1 && state->numbers().active == 1; });
  pass(4min);
  EXPECT_FALSE(sink.over());
  pass(1min);
  EXPECT_EQ(sink.failure, FetchError::TlsTimeout);
  EXPECT_THAT(sink.detail, HasSubstr("within timeouts.connect (300 s)"));
  EXPECT_EQ(handshakes(TlsHandshake::Timeout), 1U);
  EXPECT_EQ(state->numbers().active, 0U);
}

TEST_F(TlsOrigin, AFetchThatIsCancelledInTheHandshakeLeavesNothing) {
  ScriptedOrigin server([&](Peer& peer, int) { peer.read_rest(); });
  use_tls(secured(server));
  RecordingSink sink;
  auto running = fetch(sink);
  run_until([&] { return state->numbers().active == 1; });
  running.reset();
  EXPECT_EQ(state->numbers().active, 0U);
  worker.io().poll();
  EXPECT_FALSE(sink.over());
}

TEST_F(TlsOrigin, AHandshakeThatFailsIsTriedAgainWithAnyMethod) {
  ScriptedOrigin server([&](Peer& peer, int number) {
    if (number == 1) return;  // closes
    if (!peer.secure(context.get())) return;
    server.note(peer.read_head());
    peer.send(kHello);
    peer.read_rest();
  });
  auto o = secured(server);
  o.retries = 1;
  use_tls(std::move(o));
  const auto& sink = get("POST");
  EXPECT_TRUE(sink.ended) << sink.detail;
  EXPECT_EQ(server.connections(), 2);
  EXPECT_EQ(handshakes(TlsHandshake::Closed), 1U);
  EXPECT_EQ(handshakes(TlsHandshake::Full), 1U);
  EXPECT_EQ(state->numbers().retries, 1U);
}

TEST_F(TlsOrigin, AnAnswerThatEndsWithTheConnectionIsWholeByCloseNotifyAlone) {
  for (const bool notifies : {true, false}) {
    ScriptedOrigin server(once("HTTP/1.1 200 OK\r\n\r\nhello", notifies));
    use_tls(secured(server));
    const auto& sink = get();
    EXPECT_EQ(sink.body, "hello");
    EXPECT_EQ(sink.ended, notifies);
    if (notifies) continue;
    EXPECT_EQ(sink.failure, FetchError::Reset);
    EXPECT_THAT(sink.detail, HasSubstr("without close_notify"));
  }
}

TEST_F(TlsOrigin, AnAnswerWithALengthOfItsOwnNeedsNoCloseNotify) {
  for (const auto* answer : {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
                             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"}) {
    ScriptedOrigin server(once(answer, false));
    use_tls(secured(server));
    const auto& sink = get();
    EXPECT_TRUE(sink.ended) << sink.detail;
    EXPECT_EQ(sink.body, "hello");
  }
}

TEST_F(TlsOrigin, AnAnswerThatIsCutIsAFailureWithCloseNotifyToo) {
  for (const bool notifies : {true, false}) {
    ScriptedOrigin server(once("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello", notifies));
    use_tls(secured(server));
    EXPECT_EQ(get().failure, FetchError::Reset);
  }
}

TEST_F(TlsOrigin, LargeContentGoesBothWays) {
  const std::string large(3'000'000, 'x');
  ScriptedOrigin server([&](Peer& peer, int) {
    if (!peer.secure(context.get())) return;
    peer.read_head();
    server.note(peer.read_exactly(large.size()));
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(large.size()) + "\r\n\r\n" + large);
    peer.read_rest();
  });
  use_tls(secured(server));
  auto body = ScriptedBody::whole(large);
  const auto& sink = get("PUT", &body);
  EXPECT_TRUE(sink.ended) << sink.detail;
  EXPECT_TRUE(sink.body == large);
  EXPECT_TRUE(server.notes()[0] == large);
}

TEST_F(TlsOrigin, AnIdleConnectionThatTheOriginClosesIsReplaced) {
  ScriptedOrigin server([&](Peer& peer, int) {
    if (!peer.secure(context.get())) return;
    peer.read_head();
    peer.send(kHello);
    peer.say_end();
    server.note("closed");
    peer.read_rest();
  });
  use_tls(secured(server));
  for (std::size_t i = 1; i <= 3; ++i) {
    EXPECT_EQ(get().body, "hello");
    run_until([&] { return server.notes().size() == i; });
  }
  // Whether the end is seen before the next request is sent is up to the kernel.
  EXPECT_EQ(server.connections(), 3);
}

TEST_F(TlsOrigin, AFreeConnectionChangesHandsWithItsSession) {
  ScriptedOrigin server(always(std::string(kHello)));
  auto o = secured(server);
  o.pool.max_connections = 1;
  use_tls(std::move(o));
  OtherWorker other(clock, state);
  EXPECT_EQ(get().body, "hello");
  RecordingSink theirs;
  net::SourcePtr running;
  std::atomic<bool> ended{false};
  theirs.at_end = [&] { ended = true; };
  FetchRequest request;
  request.method_text = "GET";
  request.target = "/";
  other.on_worker([&] {
    running = other.origin().fetch(request, 16 * 1024);
    running->start(theirs);
  });
  run_until([&] { return ended.load(); });
  other.on_worker([&] {
    EXPECT_EQ(theirs.body, "hello");
    running.reset();
  });
  EXPECT_EQ(get().body, "hello") << "and back again";
  EXPECT_EQ(server.connections(), 1);
  EXPECT_EQ(handshakes(TlsHandshake::Full), 1U);
}

TEST_F(TlsOrigin, TwoWorkersShareTheSessionsOfAnOrigin) {
  ScriptedOrigin server(once("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello", true));
  use_tls(secured(server));
  OtherWorker other(clock, state);
  constexpr int kEach = 20;
  std::atomic<int> ended{0};
  std::vector<RecordingSink> theirs(kEach);
  std::vector<net::SourcePtr> running;
  FetchRequest request;
  request.method_text = "GET";
  request.target = "/";
  for (auto& sink : theirs) sink.at_end = [&] { ++ended; };
  other.on_worker([&] {
    for (auto& sink : theirs) running.emplace_back(other.origin().fetch(request, 16 * 1024))->start(sink);
  });
  for (int i = 0; i < kEach; ++i) EXPECT_EQ(get().body, "hello");
  run_until([&] { return ended == kEach; });
  other.on_worker([&] { running.clear(); });
  EXPECT_EQ(handshakes(TlsHandshake::Full) + handshakes(TlsHandshake::Resumed), 2U * kEach);
}

TEST_F(TlsOrigin, AnOriginThatWantsACertificateOfOursSaysSo) {
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    SSL_CTX_set_max_proto_version(context.get(), version);
    ScriptedOrigin server([&](Peer& peer, int) {
      EXPECT_FALSE(peer.secure(context.get()));
      peer.drop_tls();
      peer.shutdown_send();
      peer.read_rest();  // else the alert might be lost by a reset
    });
    use_tls(secured(server));
    const auto& sink = get();
    EXPECT_EQ(sink.failure, FetchError::Tls) << sink.detail;
    EXPECT_THAT(sink.detail, HasSubstr("it refuses with the alert"));
  }
}

TEST_F(TlsOrigin, AnotherProtocolIsSpokenOverTls) {
  ScriptedOrigin server([&](Peer& peer, int) {
    if (!peer.secure(context.get())) return;
    peer.read_head();
    peer.send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\nearly");
    server.note(peer.read_exactly(5));
    peer.send("there");  // and ends without close_notify
  });
  use_tls(secured(server));
  auto& sink = *sinks.emplace_back(std::make_unique<RecordingSink>());
  const auto running = fetch(sink, "GET", nullptr, "/", "websocket");
  run_until([&] { return sink.over(); });
  ASSERT_TRUE(sink.switched) << sink.detail;
  EXPECT_EQ(sink.early, "early");
  sink.switched->write_some("hello");
  run_until([&] { return !server.notes().empty(); });
  EXPECT_EQ(server.notes()[0], "hello");
  char room[64];
  std::string got;
  sink.switched->read(room, [&](const net::IoResult& r) { got.assign(room, r.bytes); });
  run_until([&] { return !got.empty(); });
  EXPECT_EQ(got, "there");
  std::optional<net::Io> end;
  sink.switched->read(room, [&](const net::IoResult& r) { end = r.state; });
  run_until([&] { return end.has_value(); });
  EXPECT_EQ(end, net::Io::End) << "the protocol has an end of its own";
}

}  // namespace
}  // namespace forebay::upstream
