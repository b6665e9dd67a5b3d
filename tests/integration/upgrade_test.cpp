// RFC 9110 section 7.8: a connection that switches protocols becomes a tunnel. Nothing of it is stored or shared, and
// nothing goes through before the origin has agreed.
#include <signal.h>
#include <sys/resource.h>

#include <thread>

#include "support/forebay_test.hpp"
#include "support/h2_transport.hpp"

namespace forebay::test {
namespace {

const std::string kAgreed =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
const FieldLines kHandshake{{"Connection", "Upgrade"},
                            {"Upgrade", "websocket"},
                            {"Sec-WebSocket-Version", "13"},
                            {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}};

FieldLines with(FieldLines fields, const std::string& name, const std::string& value) {
  fields.remove(name);
  if (!value.empty()) fields.emplace_back(name, value);
  return fields;
}

class Upgrade : public ForebayTest {
 protected:
  void SetUp() override {
    if (over_http2()) GTEST_SKIP() << "HTTP/2 has no upgrade";
  }
  /// An origin that agrees and gives every byte back.
  void echo_at(const std::string& path) {
    origin.take_over(path, [](Socket& socket, const std::string& early, const Received&) {
      socket.send(kAgreed + early);
      std::string bytes;
      while (socket.receive(bytes) == Socket::Got::Data) {
        if (!socket.send(bytes)) return;
        bytes.clear();
      }
    });
  }
  /// A client that has sent its handshake, and what it was answered.
  std::pair<Client, Answer> shake_hands(const std::string& path, const FieldLines& fields = kHandshake) {
    auto c = connect();
    c.request("GET", path, fields);
    auto a = c.read_message();
    return {std::move(c), std::move(a)};
  }
};

TEST_F(Upgrade, TheClientAndTheOriginTalkThroughATunnel) {
  echo_at("/ws");
  start();
  auto [c, a] = shake_hands("/ws?room=1");
  EXPECT_EQ(a.status, 101);
  EXPECT_EQ(a.get("Upgrade"), "websocket");
  EXPECT_EQ(a.get("Connection"), "upgrade");
  EXPECT_EQ(a.get("Sec-WebSocket-Accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  EXPECT_EQ(a.cache_status(), "forebay; fwd=bypass; detail=upgrade");
  for (const auto& word :
       {std::string("first"), std::string("second"), std::string("\0\r\n\r\nGET / HTTP/1.1\r\n\r\n", 22)}) {
    c.send(word);
    EXPECT_EQ(c.read_raw(word.size()), word);
  }
  const auto asked = origin.last("/ws");
  EXPECT_EQ(asked.get("Connection"), "upgrade");
  EXPECT_EQ(asked.get("Upgrade"), "websocket");
  EXPECT_EQ(asked.get("Sec-WebSocket-Key"), "dGhlIHNhbXBsZSBub25jZQ==");
  EXPECT_EQ(asked.target, "/ws?room=1");
  EXPECT_EQ(origin.count(), 1U) << "what goes through the tunnel is no request";
}

TEST_F(Upgrade, BytesBehindTheRequestWaitUntilTheOriginHasAgreed) {
  std::string before, after;
  origin.take_over("/ws", [&](Socket& socket, const std::string& early, const Received&) {
    before = early;
    socket.receive(before, milliseconds{200});
    socket.send(kAgreed);
    while (after.size() < 9 && socket.receive(after) == Socket::Got::Data) continue;
    socket.send("seen");
  });
  start();
  auto c = connect();
  std::string head = "GET /ws HTTP/1.1\r\nHost: shop.test\r\n";
  for (const auto& [name, value] : kHandshake) head.append(name).append(": ").append(value).append("\r\n");
  c.send(head + "\r\npipelined");
  EXPECT_EQ(c.read_message().status, 101);
  EXPECT_EQ(c.read_raw(4), "seen");
  EXPECT_EQ(before, "");
  EXPECT_EQ(after, "pipelined");
}

TEST_F(Upgrade, WhatTheOriginSendsWithItsAgreementReachesTheClient) {
  origin.take_over("/ws", [](Socket& socket, const std::string&, const Received&) {
    socket.send(kAgreed + "welcome");
    std::string ignored;
    socket.receive(ignored);
  });
  start();
  auto [c, a] = shake_hands("/ws");
  EXPECT_EQ(a.status, 101);
  EXPECT_EQ(c.read_raw(7), "welcome");
}

// A client in front of us may think that it has a tunnel already: what it sends then must not become a request.
TEST_F(Upgrade, ARefusalIsPassedOnAndEndsTheConnectionWithWhatFollows) {
  origin.on("/secret", Reply::fresh("secret"));
  start();
  for (const int status : {200, 401, 404, 426, 503}) {
    const auto path = "/refused/" + std::to_string(status);
    origin.on(path, Reply(status).field("Cache-Control", "max-age=60").body("no"));
    auto c = connect();
    std::string head = "GET " + path + " HTTP/1.1\r\nHost: shop.test\r\n";
    for (const auto& [name, value] : kHandshake) head.append(name).append(": ").append(value).append("\r\n");
    c.send(head + "\r\nGET /secret HTTP/1.1\r\nHost: shop.test\r\n\r\n");
    const auto a = c.read_message();
    EXPECT_EQ(a.status, status);
    EXPECT_EQ(a.body, "no");
    EXPECT_EQ(a.get("Connection"), "close");
    EXPECT_EQ(a.cache_status(), "forebay; fwd=bypass; detail=upgrade");
    EXPECT_TRUE(c.closed()) << status;
  }
  EXPECT_EQ(origin.count("/secret"), 0U);
  EXPECT_EQ(get("/refused/200").x_cache(), "MISS") << "the answer to an upgrade is not stored";
}

TEST_F(Upgrade, IsNotAnsweredFromTheCacheAndDoesNotWaitForOthers) {
  const auto hold = gate();
  origin.on("/ws", [&](const Received& r) {
    return r.has("Upgrade") ? Reply(403).body("refused") : Reply::fresh("page").after(hold);
  });
  start();
  auto plain = connect();
  plain.request("GET", "/ws");
  EXPECT_TRUE(origin.wait_for("/ws", 1));
  EXPECT_EQ(shake_hands("/ws").second.status, 403) << "a fetch of the same URL is under way";
  hold->open();
  EXPECT_EQ(plain.read().body, "page");
  EXPECT_EQ(shake_hands("/ws").second.status, 403);
  EXPECT_EQ(get("/ws").x_cache(), "HIT") << "and what is stored stays";
}

TEST_F(Upgrade, WhateverElseComesWithUpgradeIsAnOrdinaryRequest) {
  origin.otherwise([](const Received& r) { return Reply::fresh(r.has("Upgrade") ? "upgrade" : "plain"); });
  start("routes: [{path: /off/**, upgrade: []}, {path: /foo, upgrade: [foo/1]}, {path: /**}]\n");
  struct Case {
    std::string what, method, path;
    FieldLines fields;
    std::string body;
  };
  const std::vector<Case> cases{
      {"the route lists none", "GET", "/off/1", kHandshake, ""},
      {"another protocol than the route's", "GET", "/foo", kHandshake, ""},
      {"another version", "GET", "/foo", with(kHandshake, "Upgrade", "foo/2"), ""},
      {"h2c is never forwarded", "GET", "/a", with(kHandshake, "Upgrade", "h2c"), ""},
      {"nor is TLS", "GET", "/b", with(kHandshake, "Upgrade", "TLS/1.0"), ""},
      {"Connection does not name Upgrade", "GET", "/c", with(kHandshake, "Connection", "keep-alive"), ""},
      {"there is no Connection", "GET", "/d", with(kHandshake, "Connection", ""), ""},
      {"there is no Upgrade", "GET", "/e", with(kHandshake, "Upgrade", ""), ""},
      {"it is a POST", "POST", "/f", kHandshake, ""},
      {"it has content", "GET", "/g", kHandshake, "content"},
      {"it is a HEAD", "HEAD", "/h", kHandshake, ""},
  };
  for (const auto& c : cases) {
    auto client = connect();
    const auto a = client.ask(c.method, c.path, c.fields, c.body);
    EXPECT_EQ(a.status, 200) << c.what;
    EXPECT_EQ(a.body, c.method == "HEAD" ? "" : "plain") << c.what;
    EXPECT_FALSE(origin.last(c.path).has("Connection")) << c.what;
    EXPECT_EQ(client.get("/next").status, 200) << c.what << ": the connection goes on";
  }
  auto old = connect();
  old.send("GET /old HTTP/1.0\r\nHost: shop.test\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n");
  EXPECT_EQ(old.read().body, "plain") << "HTTP/1.0 has no upgrade";
}

TEST_F(Upgrade, OnlyTheProtocolsThatTheRouteListsAreAskedFor) {
  echo_at("/ws");
  start("routes: [{path: /**, upgrade: [websocket, foo/2]}]\n");
  auto [c, a] = shake_hands("/ws", with(kHandshake, "Upgrade", "h2c, WebSocket, foo/1, FOO/2, h2"));
  EXPECT_EQ(a.status, 101);
  EXPECT_EQ(origin.last("/ws").get("Upgrade"), "WebSocket, FOO/2");
  auto lines = kHandshake;
  lines.emplace_back("Upgrade", "foo/2");
  EXPECT_EQ(shake_hands("/ws", lines).second.status, 101) << "in two lines";
  EXPECT_EQ(origin.last("/ws").get("Upgrade"), "websocket, foo/2");
}

TEST_F(Upgrade, ASwitchToWhatNobodyAskedForIs502) {
  start();
  int n = 0;
  for (const std::string fields : {"Upgrade: h2c\r\nConnection: upgrade\r\n", "Connection: upgrade\r\n",
                                   "Upgrade: websocket\r\n", "Upgrade: websocket, foo\r\nConnection: upgrade\r\n",
                                   "Upgrade: websocket\r\nUpgrade: foo\r\nConnection: upgrade\r\n"}) {
    const auto path = "/" + std::to_string(++n);
    origin.on(path, Reply::raw("HTTP/1.1 101 Switching Protocols\r\n" + fields + "\r\nevil"));
    const auto [c, a] = shake_hands(path);
    EXPECT_TRUE(is_problem(a, 502)) << fields << a;
  }
}

TEST_F(Upgrade, WithoutARouteTheDefaultsDecide) {
  echo_at("/ws");
  start("routes: [{path: /other}]\n");
  EXPECT_EQ(shake_hands("/ws").second.status, 101);
  daemon->reload(with_origin("defaults: {upgrade: []}\nroutes: [{path: /other}]\n"));
  EXPECT_TRUE(eventually([&] { return metric("forebay_config_reloads_total", {{"outcome", "applied"}}) == 1; }));
  origin.on("/ws", Reply(400).body("no handshake"));
  EXPECT_EQ(shake_hands("/ws").second.status, 400);
  EXPECT_FALSE(origin.last("/ws").has("Upgrade"));
}

TEST_F(Upgrade, AnEndOfOneSideIsPassedOnWhileTheOtherStillSends) {
  std::string got;
  origin.take_over("/ws", [&](Socket& socket, const std::string& early, const Received&) {
    got = early;
    socket.send(kAgreed);
    while (socket.receive(got) == Socket::Got::Data) continue;
    socket.send("all " + std::to_string(got.size()));
  });
  start();
  auto [c, a] = shake_hands("/ws");
  EXPECT_EQ(a.status, 101);
  c.send("12345");
  c.socket().finish_sending();
  EXPECT_EQ(c.read_raw(5), "all 5");
  EXPECT_TRUE(c.closed());
  EXPECT_TRUE(metric_reaches("forebay_tunnels_closed_total", {{"reason", "closed"}}, 1));
}

TEST_F(Upgrade, ABrokenOriginBreaksTheClientsConnection) {
  origin.take_over("/ws", [](Socket& socket, const std::string&, const Received&) {
    std::string word;
    socket.send(kAgreed);
    socket.receive(word);
    socket.reset();
  });
  start();
  auto [c, a] = shake_hands("/ws");
  c.send("x");
  EXPECT_TRUE(c.closed());
  EXPECT_TRUE(metric_reaches("forebay_tunnels_closed_total", {{"reason", "origin_reset"}}, 1));
}

TEST_F(Upgrade, ABrokenClientBreaksTheOriginsConnection) {
  const auto broken = gate();
  origin.take_over("/ws", [&](Socket& socket, const std::string&, const Received&) {
    std::string word;
    socket.send(kAgreed);
    if (socket.receive(word) != Socket::Got::Data) broken->open();
  });
  start();
  auto [c, a] = shake_hands("/ws");
  EXPECT_EQ(a.status, 101);
  c.socket().reset();
  EXPECT_TRUE(metric_reaches("forebay_tunnels_closed_total", {{"reason", "client_reset"}}, 1));
  EXPECT_TRUE(broken->wait({}));
}

TEST_F(Upgrade, ATunnelWithoutTrafficEnds) {
  echo_at("/ws");
  start("server: {timeouts: {tunnel: 300ms}}\nroutes: [{path: /**}]\n");
  auto [c, a] = shake_hands("/ws");
  EXPECT_EQ(a.status, 101);
  EXPECT_TRUE(c.closed());
  EXPECT_TRUE(metric_reaches("forebay_tunnels_closed_total", {{"reason", "idle"}}, 1));
}

TEST_F(Upgrade, AClientThatTakesNothingIsCutOff) {
  const auto cut = gate();
  origin.take_over("/ws", [&](Socket& socket, const std::string&, const Received&) {
    socket.send(kAgreed);
    const std::string much(1 << 20, 'x');
    while (socket.send(much)) continue;
    cut->open();
  });
  start("server: {timeouts: {write: 500ms, tunnel: 1h}}\nroutes: [{path: /**}]\n");
  auto [c, a] = shake_hands("/ws");
  EXPECT_TRUE(metric_reaches("forebay_tunnels_closed_total", {{"reason", "stalled"}}, 1));
  EXPECT_TRUE(cut->wait({}));
}

// Nothing is read of either side then, so that only the kernel tells that one has left.
TEST_F(Upgrade, AClientThatIsResetWhileBothSidesAreFullEndsTheTunnel) {
  const auto full = gate(), cut = gate();
  const std::string much(64 << 20, 'x');
  origin.take_over("/ws", [&](Socket& socket, const std::string&, const Received&) {
    socket.send(kAgreed);
    socket.send(much, milliseconds{300});
    full->open();
    while (socket.send(much)) continue;
    cut->open();
  });
  start("server: {timeouts: {write: 1h, tunnel: 1h}}\nroutes: [{path: /**}]\n");
  auto [c, a] = shake_hands("/ws");
  EXPECT_FALSE(c.socket().send(much, milliseconds{300}));
  EXPECT_TRUE(full->wait({}));
  c.socket().reset();
  EXPECT_TRUE(metric_reaches("forebay_tunnels_closed_total", {}, 1));
  EXPECT_TRUE(cut->wait({}));
}

TEST_F(Upgrade, AnOriginThatIsResetWhileBothSidesAreFullEndsTheTunnel) {
  const auto leave = gate();
  const std::string much(64 << 20, 'x');
  origin.take_over("/ws", [&](Socket& socket, const std::string&, const Received&) {
    socket.send(kAgreed);
    socket.send(much, milliseconds{300});
    leave->wait({});
    socket.reset();
  });
  start("server: {timeouts: {write: 1h, tunnel: 1h}}\nroutes: [{path: /**}]\n");
  auto [c, a] = shake_hands("/ws");
  EXPECT_FALSE(c.socket().send(much, milliseconds{300}));
  leave->open();
  EXPECT_TRUE(metric_reaches("forebay_tunnels_closed_total", {}, 1));
  EXPECT_FALSE(c.socket().send(much));
}

TEST_F(Upgrade, MoreTunnelsThanTheLimitAre503) {
  echo_at("/ws");
  start("server: {limits: {tunnels: 1}}\nroutes: [{path: /**}]\n");
  {
    auto [c, a] = shake_hands("/ws");
    EXPECT_EQ(a.status, 101);
    const auto [other, refused] = shake_hands("/ws");
    EXPECT_TRUE(is_problem(refused, 503));
    EXPECT_EQ(refused.get("Retry-After"), "1");
    EXPECT_EQ(origin.count("/ws"), 1U) << "the origin is not asked";
    EXPECT_TRUE(metric_becomes("forebay_request_errors_total", {{"reason", "upgrade"}}, 1));
    EXPECT_EQ(get("/any").status, 500) << "other requests go on";
  }
  EXPECT_TRUE(metric_reaches("forebay_tunnels_closed_total", {}, 1));
  EXPECT_EQ(shake_hands("/ws").second.status, 101);
}

TEST_F(Upgrade, ATunnelTakesNoConnectionFromThePool) {
  echo_at("/ws");
  origin.on("/a", Reply::fresh("a"));
  start("origins: {o: {url: '" + origin.url() + "', pool: {max_connections: 1}}}\norigin: o\nroutes: [{path: /**}]\n");
  auto [c, a] = shake_hands("/ws");
  EXPECT_EQ(a.status, 101);
  auto [d, b] = shake_hands("/ws");
  EXPECT_EQ(b.status, 101);
  EXPECT_EQ(get("/a").body, "a");
  c.send("still here");
  EXPECT_EQ(c.read_raw(10), "still here");
}

TEST_F(Upgrade, LogAndMetricsTellOfTheTunnelWhenItHasEnded) {
  echo_at("/ws");
  start();
  {
    auto [c, a] = shake_hands("/ws");
    EXPECT_TRUE(metric_becomes("forebay_tunnels", {}, 1));
    EXPECT_TRUE(metric_becomes("forebay_tunnels_opened_total", {}, 1));
    EXPECT_TRUE(metric_becomes("forebay_requests_in_flight", {}, 0)) << "the request has been answered";
    c.send("12345");
    EXPECT_EQ(c.read_raw(5), "12345");
    EXPECT_TRUE(metric_reaches("forebay_tunnel_bytes_total", {{"direction", "from_client"}}, 5));
    EXPECT_EQ(daemon->access_text().find("/ws"), std::string::npos);
  }
  auto line = access_line("/ws");
  EXPECT_EQ(line["status"], "101");
  EXPECT_EQ(line["bytes_in"], "5");
  EXPECT_EQ(line["bytes_out"], "5");
  EXPECT_EQ(line["cache.result"], "bypass");
  EXPECT_EQ(line["cache.reason"], "upgrade");
  EXPECT_EQ(line["tunnel.protocol"], "websocket");
  EXPECT_EQ(line["tunnel.end"], "closed");
  EXPECT_EQ(line["completed"], "");
  EXPECT_TRUE(metric_becomes("forebay_tunnels", {}, 0));
  EXPECT_TRUE(metric_becomes("forebay_tunnel_bytes_total", {{"direction", "from_origin"}}, 5));
  EXPECT_TRUE(metric_becomes("forebay_requests_total", {{"code", "1xx"}}, 1));
}

TEST_F(Upgrade, SixteenMebibytesEachWayArriveWholeThoughNobodyReadsAtFirst) {
  echo_at("/ws");
  start();
  auto c = connect();
  c.socket().receive_buffer(65'536);
  c.request("GET", "/ws", kHandshake);
  EXPECT_EQ(c.read_message().status, 101);
  const auto sent = pattern(16 << 20);
  std::thread sender([&] { EXPECT_TRUE(c.socket().send(sent)); });
  EXPECT_TRUE(metric_reaches("forebay_tunnel_bytes_total", {{"direction", "from_client"}}, 1 << 16));
  EXPECT_LT(metric("forebay_tunnel_bytes_total", {{"direction", "from_client"}}), 16 << 20)
      << "it waits for the reader";
  const auto got = c.read_raw(sent.size());
  sender.join();
  EXPECT_TRUE(got == sent);
  EXPECT_TRUE(metric_becomes("forebay_tunnel_bytes_total", {{"direction", "from_origin"}}, 16 << 20));
}

TEST_F(Upgrade, AThousandTunnelsAtATime) {
  rlimit files{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &files), 0);
  files.rlim_cur = files.rlim_max;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &files), 0);
  constexpr int kMany = 1000;
  echo_at("/ws");
  start();
  std::vector<Client> all;
  for (int i = 0; i < kMany; ++i) {
    all.push_back(connect());
    all.back().request("GET", "/ws", kHandshake);
  }
  for (auto& c : all) ASSERT_EQ(c.read_message().status, 101);
  EXPECT_TRUE(metric_becomes("forebay_tunnels", {}, kMany));
  for (int i = 0; i < kMany; ++i) all[static_cast<std::size_t>(i)].send(std::to_string(10000 + i));
  for (int i = 0; i < kMany; ++i) EXPECT_EQ(all[static_cast<std::size_t>(i)].read_raw(5), std::to_string(10000 + i));
  all.clear();
  EXPECT_TRUE(metric_reaches("forebay_tunnels_closed_total", {{"reason", "closed"}}, kMany));
  EXPECT_TRUE(metric_becomes("forebay_tunnels", {}, 0));
}

// --- when the process ends ---

const std::string kGoingAway{"\x88\x02\x03\xe9", 4};

TEST_F(Upgrade, AWebSocketIsToldThatTheServerGoesAwayAndEndsInOrder) {
  std::string got;
  origin.take_over("/ws", [&](Socket& socket, const std::string&, const Received&) {
    socket.send(kAgreed);
    socket.send(std::string("\x81\x05hel", 5));  // the first part of a frame
    std::string word;
    while (word.find("go") == std::string::npos && socket.receive(word) == Socket::Got::Data) continue;
    socket.send("lo");
    while (socket.receive(got) == Socket::Got::Data) {
      if (got.find("reply") == std::string::npos) continue;
      socket.send(std::string("\x88\x00", 2));  // the origin's own Close goes nowhere
      return;
    }
  });
  start("shutdown: {drain: 1h}\nroutes: [{path: /**}]\n");
  auto [c, a] = shake_hands("/ws");
  EXPECT_EQ(c.read_raw(5), std::string("\x81\x05hel", 5));
  daemon->signal(SIGTERM);
  EXPECT_TRUE(eventually([&] { return daemon->log().find("stopping") != std::string::npos; }));
  c.send("go");
  EXPECT_EQ(c.read_raw(2), "lo") << "the Close frame never comes within another one";
  EXPECT_EQ(c.read_raw(4), kGoingAway);
  c.send("reply");
  EXPECT_TRUE(c.closed());
  EXPECT_EQ(got, "reply");
  EXPECT_EQ(daemon->wait_exit().value_or(-1), 0);
  EXPECT_EQ(access_line("/ws")["tunnel.end"], "drain");
}

TEST_F(Upgrade, ATunnelThatDoesNotEndIsClosedWhenTheDrainTimeHasPassed) {
  const auto ended = gate();
  origin.take_over("/ws", [&](Socket& socket, const std::string&, const Received&) {
    socket.send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: foo\r\nConnection: upgrade\r\n\r\n");
    std::string word;
    if (socket.receive(word) != Socket::Got::Data) ended->open();
  });
  start("shutdown: {drain: 300ms}\nroutes: [{path: /**, upgrade: [foo]}]\n");
  auto [c, a] = shake_hands("/ws", with(kHandshake, "Upgrade", "foo"));
  EXPECT_EQ(a.status, 101);
  daemon->signal(SIGTERM);
  EXPECT_TRUE(c.closed()) << "and no frame comes before: the protocol is not known";
  EXPECT_EQ(daemon->wait_exit().value_or(-1), 0);
  EXPECT_TRUE(ended->wait({}));
}

}  // namespace
}  // namespace forebay::test
