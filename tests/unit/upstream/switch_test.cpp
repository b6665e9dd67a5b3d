// RFC 9110 section 7.8: an origin that switches protocols gives its connection to whoever asked for that.
#include "unit/upstream/upstream_fixture.hpp"

namespace forebay::upstream {
namespace {

using ::testing::HasSubstr;

class Switch : public UpstreamTest {
 protected:
  RecordingSink& ask(std::string_view upgrade) {
    auto& sink = *sinks.emplace_back(std::make_unique<RecordingSink>());
    const auto running = fetch(sink, "GET", nullptr, "/", upgrade);
    run_until([&] { return sink.over(); });
    return sink;
  }
};

std::string agreed(const std::string& fields) { return "HTTP/1.1 101 Switching Protocols\r\n" + fields + "\r\n"; }

TEST_F(Switch, TheSinkGetsTheConnectionAndWhatCameBehindTheHead) {
  ScriptedOrigin server([&](Peer& peer, int) {
    server.note(peer.read_head());
    peer.send(agreed("Upgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\nX-More: 1\r\n") + "early");
    server.note(peer.read_exactly(5));
  });
  auto with_one = settings(server.port());
  with_one.pool.max_connections = 1;
  use(std::move(with_one));
  auto& sink = ask("websocket, foo");
  ASSERT_TRUE(sink.switched);
  EXPECT_EQ(sink.status, 101);
  EXPECT_EQ(sink.fields.view().value("X-More"), "1");
  EXPECT_EQ(sink.early, "early");
  EXPECT_EQ(state->numbers().in_flight, 0U);
  EXPECT_EQ(state->numbers().active, 0U);
  EXPECT_EQ(state->numbers().answers[0], 1U);
  EXPECT_TRUE(state->up());
  EXPECT_THAT(server.notes()[0], HasSubstr("\r\nConnection: upgrade\r\nUpgrade: websocket, foo\r\n"));
  sink.switched->write_some("hello");
  run_until([&] { return server.notes().size() == 2; });
  EXPECT_EQ(server.notes()[1], "hello");
  // It has no permit, so another request finds one.
  auto& other = ask("websocket");
  EXPECT_TRUE(other.switched);
  EXPECT_EQ(server.connections(), 2);
}

TEST_F(Switch, AnotherAnswerIsAnAnswer) {
  ScriptedOrigin server(
      ScriptedOrigin::always("HTTP/1.1 426 Upgrade Required\r\nUpgrade: x\r\nContent-Length: 2\r\n\r\nno"));
  use(server);
  const auto& sink = ask("websocket");
  EXPECT_FALSE(sink.switched);
  EXPECT_EQ(sink.status, 426);
  EXPECT_EQ(sink.body, "no");
  EXPECT_EQ(state->numbers().idle, 1U) << "and the connection is kept";
}

TEST_F(Switch, ToWhatWasNotAskedForIsAProtocolError) {
  const std::string good = "Upgrade: websocket\r\nConnection: upgrade\r\n";
  struct Case {
    std::string asked, fields;
  };
  for (const auto& c : {Case{"", good}, Case{"foo", good}, Case{"websocket", "Upgrade: websocket\r\n"},
                        Case{"websocket", "Connection: upgrade\r\n"},
                        Case{"websocket", "Upgrade: websocket, foo\r\nConnection: upgrade\r\n"},
                        Case{"websocket, foo", "Upgrade: websocket, foo\r\nConnection: upgrade\r\n"},
                        Case{"websocket", good + "Upgrade: websocket\r\n"},
                        Case{"websocket", "Upgrade: websocket/13\r\nConnection: upgrade\r\n"}}) {
    ScriptedOrigin server(ScriptedOrigin::always(agreed(c.fields)));
    use(server);
    const auto& sink = ask(c.asked);
    EXPECT_FALSE(sink.switched) << c.fields;
    EXPECT_EQ(sink.failure, FetchError::Protocol) << c.asked << ": " << c.fields;
    EXPECT_THAT(sink.detail, HasSubstr("101"));
  }
}

TEST_F(Switch, ContentThatMayBeSilentForLongerHasItsOwnLimit) {
  ScriptedOrigin server([](Peer& peer, int) {
    peer.read_head();
    peer.send("HTTP/1.1 200 OK\r\n\r\nfirst");
    peer.read_rest();
  });
  auto hasty = settings(server.port());
  hasty.timeouts.between_bytes = 10s;
  use(std::move(hasty));
  RecordingSink sink;
  net::SourcePtr running;
  sink.at_head = [&] { running->allow_quiet(60s); };
  clock.stop();
  running = fetch(sink);
  run_until([&] { return !sink.body.empty(); });
  pass(59s);
  EXPECT_FALSE(sink.over());
  pass(2s);
  EXPECT_EQ(sink.failure, FetchError::BetweenBytesTimeout);
  EXPECT_THAT(sink.detail, HasSubstr("server.timeouts.tunnel (60 s)"));
}

}  // namespace
}  // namespace forebay::upstream
