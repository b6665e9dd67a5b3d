#include "unit/upstream/upstream_fixture.hpp"

namespace forebay::upstream {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kHello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

class Timeouts : public UpstreamTest {
 protected:
  /// A fetch that must fail in this way, and how long it took.
  Duration fails_with(FetchError error, std::string_view method = "GET", net::BodySource* body = nullptr) {
    const auto start = clock.now().mono;
    worker.tick();
    const auto& sink = get(method, body);
    EXPECT_EQ(sink.failure, error) << sink.detail;
    EXPECT_EQ(errors(error), 1U);
    EXPECT_TRUE(is_timeout(error) || error == FetchError::Queue);
    return clock.now().mono - start;
  }
};

TEST_F(Timeouts, ConnectThatNeverEndsIsAConnectTimeout) {
  BlackHole hole;
  auto o = settings(hole.port());
  o.timeouts.connect = 60ms;
  o.retries = 3;
  use(std::move(o));
  EXPECT_GE(fails_with(FetchError::ConnectTimeout), 60ms);
  EXPECT_THAT(sinks.back()->detail, HasSubstr(": no connection within timeouts.connect (60 ms)"));
  EXPECT_EQ(state->numbers().retries, 0U);
}

TEST_F(Timeouts, SilenceAfterTheRequestIsAFirstByteTimeoutAndNotRetried) {
  ScriptedOrigin server([](Peer& peer, int) { peer.read_rest(); });
  auto o = settings(server.port());
  o.timeouts.first_byte = 60ms;
  o.retries = 3;
  use(std::move(o));
  EXPECT_GE(fails_with(FetchError::FirstByteTimeout), 60ms);
  EXPECT_EQ(sinks.back()->detail,
            "127.0.0.1:" + std::to_string(server.port()) + ": no answer within timeouts.first_byte (60 ms)");
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(Timeouts, FirstByteRunsFromTheEndOfTheRequest) {
  ScriptedOrigin server([](Peer& peer, int) { peer.read_rest(); });
  auto o = settings(server.port());
  o.timeouts.first_byte = 50ms;
  use(std::move(o));
  clock.stop();
  ScriptedBody body({}, 3);
  RecordingSink sink;
  const auto running = fetch(sink, "POST", &body);
  run_until([&] { return body.waited_for(); });
  pass(120ms);
  EXPECT_FALSE(sink.over()) << "the client's delay is not the origin's";
  body.more({BodyState::Data, "abc"});
  worker.io().poll();
  pass(49ms);
  EXPECT_FALSE(sink.over());
  pass(5ms);
  run_until([&] { return sink.over(); });
  EXPECT_EQ(sink.failure, FetchError::FirstByteTimeout);
}

TEST_F(Timeouts, OriginThatReadsNothingOfALargeBodyIsAFirstByteTimeout) {
  ScriptedOrigin server([&](Peer& peer, int) {
    peer.read_head();
    while (server.notes().empty()) std::this_thread::yield();
  });
  auto o = settings(server.port());
  o.timeouts.first_byte = 60ms;
  use(std::move(o));
  auto body = ScriptedBody::whole(std::string(32'000'000, 'x'));
  fails_with(FetchError::FirstByteTimeout, "POST", &body);
  server.note("go");
}

TEST_F(Timeouts, SilenceWithinTheAnswerIsABetweenBytesTimeout) {
  for (const std::string_view begun :
       {"HTTP/1.1 200", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\nhe"}) {
    ScriptedOrigin server([&](Peer& peer, int) {
      peer.read_head();
      peer.send(begun);
      peer.read_rest();
    });
    auto o = settings(server.port());
    o.timeouts.between_bytes = 50ms;
    use(std::move(o));
    EXPECT_GE(fails_with(FetchError::BetweenBytesTimeout), 50ms) << begun;
    EXPECT_EQ(state->numbers().active, 0U);
    origin.reset();
  }
}

TEST_F(Timeouts, InterimAnswerStartsFirstByteAnew) {
  ScriptedOrigin server([](Peer& peer, int) {
    peer.read_head();
    peer.send("HTTP/1.1 103 Early Hints\r\n\r\n");
    peer.read_rest();
  });
  auto o = settings(server.port());
  o.timeouts.first_byte = 60ms;
  o.timeouts.between_bytes = 1ms;
  use(std::move(o));
  fails_with(FetchError::FirstByteTimeout);
}

TEST_F(Timeouts, FullPoolIsAQueueTimeout) {
  ScriptedOrigin server([](Peer& peer, int) { peer.read_rest(); });
  auto o = settings(server.port());
  o.pool.max_connections = 1;
  o.pool.queue_timeout = 50ms;
  use(std::move(o));
  RecordingSink first;
  const auto running = fetch(first);
  run_until([&] { return server.connections() == 1; });
  EXPECT_GE(fails_with(FetchError::Queue), 50ms);
  EXPECT_EQ(sinks.back()->detail, "no connection was free within pool.queue_timeout (50 ms)");
  EXPECT_EQ(state->numbers().failed, 0U) << "nothing was asked";
  EXPECT_FALSE(first.over());
}

}  // namespace
}  // namespace forebay::upstream
