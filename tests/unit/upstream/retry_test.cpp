#include "unit/upstream/upstream_fixture.hpp"

namespace forebay::upstream {
namespace {

constexpr std::string_view kHello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

class Retry : public UpstreamTest {
 protected:
  /// Answers the first request of each connection, and breaks when a second one comes.
  static void one_each(Peer& peer, int) {
    peer.read_head();
    peer.send(kHello);
    peer.read_head();
    peer.reset();
  }
};

TEST_F(Retry, ReusedConnectionThatBreaksBeforeAnyByteIsReplacedOnceForIdempotentMethods) {
  for (const std::string_view method : {"GET", "DELETE", "OPTIONS"}) {
    ScriptedOrigin server(one_each);
    use(server);
    get();
    const auto& sink = get(method);
    EXPECT_TRUE(sink.ended) << method;
    EXPECT_EQ(server.connections(), 2) << method;
    EXPECT_EQ(state->numbers().failed, 0U) << "silently";
    EXPECT_EQ(state->numbers().retries, 1U);
    origin.reset();
  }
}

TEST_F(Retry, ReusedConnectionThatBreaksIsNotReplacedForPost) {
  ScriptedOrigin server(one_each);
  auto o = settings(server.port());
  o.retries = 3;
  use(std::move(o));
  get();
  EXPECT_EQ(get("POST").failure, FetchError::Reset);
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(Retry, ASmallBodyOfAnIdempotentMethodIsSentAgainOnTheReplacement) {
  ScriptedOrigin server([](Peer& peer, int n) {
    peer.read_head();
    if (n == 2) {
      peer.send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n" + peer.read_exactly(3));
      return;
    }
    peer.send(kHello);
    peer.read_head();
    peer.reset();
  });
  use(server);
  get();
  auto body = ScriptedBody::whole("abc");
  const auto& sink = get("PUT", &body);
  EXPECT_TRUE(sink.ended);
  EXPECT_EQ(sink.body, "abc");
  EXPECT_EQ(server.connections(), 2);
}

TEST_F(Retry, ABodyTooLargeToKeepIsNotSentAgain) {
  ScriptedOrigin server(one_each);
  use(server);
  get();
  auto body = ScriptedBody::whole(std::string(64 * 1024 + 1, 'x'));
  EXPECT_EQ(get("PUT", &body).failure, FetchError::Reset);
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(Retry, ABodyOfPostIsNotSentAgain) {
  ScriptedOrigin server(one_each);
  use(server);
  get();
  auto body = ScriptedBody::whole("abc");
  EXPECT_EQ(get("POST", &body).failure, FetchError::Reset);
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(Retry, ReplacementThatBreaksTooIsAFailure) {
  ScriptedOrigin server([](Peer& peer, int n) {
    peer.read_head();
    if (n == 1) {
      peer.send(kHello);
      peer.read_head();
    }
  });
  use(server);
  get();
  EXPECT_EQ(get().failure, FetchError::Reset);
  EXPECT_EQ(server.connections(), 2);
}

TEST_F(Retry, NewConnectionThatBreaksIsRetriedForSafeMethodsOnly) {
  const struct {
    std::string_view method;
    unsigned retries;
    int connections;
  } cases[] = {{"GET", 0, 1}, {"GET", 1, 2}, {"HEAD", 2, 3}, {"PUT", 2, 1}, {"DELETE", 2, 1}, {"POST", 2, 1}};
  for (const auto& c : cases) {
    ScriptedOrigin server([](Peer& peer, int) { peer.read_head(); });
    auto o = settings(server.port());
    o.retries = c.retries;
    use(std::move(o));
    EXPECT_EQ(get(c.method).failure, FetchError::Reset) << c.method;
    EXPECT_EQ(server.connections(), c.connections) << c.method;
    EXPECT_EQ(errors(FetchError::Reset), static_cast<unsigned>(c.connections));
    EXPECT_EQ(state->numbers().retries, static_cast<unsigned>(c.connections) - 1);
    origin.reset();
  }
}

TEST_F(Retry, RetryThatSucceedsGivesTheAnswer) {
  ScriptedOrigin server([](Peer& peer, int n) {
    if (!peer.read_head().empty() && n > 1) peer.send(kHello);
  });
  auto o = settings(server.port());
  o.retries = 1;
  use(std::move(o));
  auto& sink = *sinks.emplace_back(std::make_unique<RecordingSink>());
  const auto running = fetch(sink);
  run_until([&] { return sink.over(); });
  EXPECT_EQ(sink.body, "hello");
  EXPECT_EQ(running->times().attempts, 2U);
  EXPECT_EQ(state->numbers().failed, 1U);
}

TEST_F(Retry, NothingIsAskedAgainOnceAByteOfTheAnswerHasCome) {
  for (const std::string_view begun :
       {"H", "HTTP/1.1 103 Early Hints\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel"}) {
    ScriptedOrigin server([&](Peer& peer, int) {
      peer.read_head();
      peer.send(begun);
    });
    auto o = settings(server.port());
    o.retries = 5;
    use(std::move(o));
    EXPECT_EQ(get().failure, FetchError::Reset);
    EXPECT_EQ(server.connections(), 1);
    origin.reset();
  }
}

TEST_F(Retry, ConnectThatFailsReachedNobodySoAnyMethodIsTriedAgain) {
  for (const std::string_view method : {"GET", "POST"}) {
    auto o = settings(closed_port());
    o.retries = 2;
    use(std::move(o));
    auto body = ScriptedBody::whole("abc");
    const auto& sink = get(method, method == "POST" ? &body : nullptr);
    EXPECT_EQ(sink.failure, FetchError::Connect);
    EXPECT_FALSE(body.begun());
    EXPECT_EQ(errors(FetchError::Connect), 3U);
    EXPECT_EQ(state->numbers().connects, 0U);
    EXPECT_EQ(state->numbers().failed, 3U);
    origin.reset();
  }
}

TEST_F(Retry, OriginIsDownAfterFiveFailuresAndUpWithTheNextAnswer) {
  std::atomic<bool> well{false};
  ScriptedOrigin server([&](Peer& peer, int) {
    if (!peer.read_head().empty() && well) peer.send(kHello);
  });
  use(server);
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(state->up());
    get();
  }
  EXPECT_FALSE(state->up());
  well = true;
  get();
  EXPECT_TRUE(state->up());
}

}  // namespace
}  // namespace forebay::upstream
