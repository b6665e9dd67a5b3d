#include "unit/upstream/upstream_fixture.hpp"

namespace forebay::upstream {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Answer : public UpstreamTest {};

constexpr std::string_view kShort = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nETag: \"a\"\r\n\r\nhello";

TEST_F(Answer, ByLengthArrivesWholeAndLeavesTheConnectionForTheNext) {
  ScriptedOrigin server(ScriptedOrigin::always(std::string(kShort)));
  use(server);
  for (int i = 0; i < 3; ++i) {
    const auto& sink = get();
    EXPECT_TRUE(sink.ended);
    EXPECT_EQ(sink.status, 200);
    EXPECT_EQ(sink.body, "hello");
    EXPECT_EQ(sink.fields.view().value(http::FieldId::ETag), "\"a\"");
    EXPECT_EQ(sink.facts.content_length, 5U);
    EXPECT_TRUE(sink.facts.length_delimited);
  }
  EXPECT_EQ(server.connections(), 1);
  EXPECT_EQ(state->numbers().connects, 1U);
  EXPECT_EQ(state->numbers().idle, 1U);
  EXPECT_EQ(state->numbers().active, 0U);
  EXPECT_EQ(state->numbers().in_flight, 0U);
  EXPECT_EQ(state->numbers().answers[1], 3U);
}

TEST_F(Answer, NothingIsHeardBeforeFetchReturns) {
  ScriptedOrigin server(ScriptedOrigin::always(std::string(kShort)));
  auto broken = settings(server.port());
  broken.url.scheme = "https";
  use(std::move(broken));
  RecordingSink sink;
  const auto running = fetch(sink);
  EXPECT_FALSE(sink.over());
  run_until([&] { return sink.over(); });
  EXPECT_EQ(sink.failure, FetchError::Tls);
}

TEST_F(Answer, ChunkedIsDecodedAndItsTrailersStayApart) {
  ScriptedOrigin server(
      ScriptedOrigin::always("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                             "3\r\nabc\r\n1;x=y\r\nd\r\n0\r\nX-Sum: 7\r\nContent-Length: 1\r\n\r\n"));
  use(server);
  for (int i = 0; i < 2; ++i) {
    const auto& sink = get();
    EXPECT_TRUE(sink.ended);
    EXPECT_EQ(sink.body, "abcd");
    EXPECT_EQ(sink.pieces, 1) << "small chunks come joined";
    EXPECT_EQ(sink.trailers.view().value("X-Sum"), "7");
    EXPECT_FALSE(sink.fields.view().has(http::FieldId::ContentLength));
    EXPECT_FALSE(sink.trailers.view().has(http::FieldId::ContentLength));
    EXPECT_FALSE(sink.facts.content_length.has_value());
  }
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(Answer, LargeContentInOddChunksIsTheSameContent) {
  std::string content, wire = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (unsigned i = 0; content.size() < 600'000; ++i) {
    const std::string piece((i * 7919) % 9000 + 1, static_cast<char>('a' + i % 26));
    char size[16];
    std::snprintf(size, sizeof size, "%zx\r\n", piece.size());
    wire.append(size).append(piece).append("\r\n");
    content.append(piece);
  }
  ScriptedOrigin server(ScriptedOrigin::always(wire + "0\r\n\r\n"));
  use(server);
  const auto& sink = get();
  EXPECT_TRUE(sink.ended);
  EXPECT_TRUE(sink.body == content);
}

TEST_F(Answer, UntilCloseIsUnprovenAndEndsWithTheConnection) {
  ScriptedOrigin server([](Peer& peer, int) {
    peer.read_head();
    peer.send("HTTP/1.1 200 OK\r\n\r\nall of it");
  });
  use(server);
  const auto& sink = get();
  EXPECT_TRUE(sink.ended);
  EXPECT_EQ(sink.body, "all of it");
  EXPECT_FALSE(sink.facts.length_delimited);
  EXPECT_EQ(state->numbers().idle, 0U);
}

TEST_F(Answer, UntilCloseThatIsResetIsCut) {
  ScriptedOrigin server([](Peer& peer, int) {
    peer.read_head();
    peer.send("HTTP/1.1 200 OK\r\n\r\nall of it");
    peer.read_exactly(1);  // until the client has it: the test closes nothing, so this waits for the go below
    peer.reset();
  });
  use(server);
  // The script waits for a byte that a GET never sends; a body of one byte after the head gives it.
  ScriptedBody body({}, 1);
  RecordingSink sink;
  const auto running = fetch(sink, "POST", &body);
  run_until([&] { return sink.body == "all of it"; });
  body.more({BodyState::Data, "x"});
  run_until([&] { return sink.over(); });
  EXPECT_EQ(sink.failure, FetchError::Reset);
}

TEST_F(Answer, ToHeadHasALengthAndNoContent) {
  ScriptedOrigin server(ScriptedOrigin::always("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"));
  use(server);
  for (int i = 0; i < 2; ++i) {
    const auto& sink = get("HEAD");
    EXPECT_TRUE(sink.ended);
    EXPECT_EQ(sink.facts.content_length, 5000U);
    EXPECT_FALSE(sink.facts.has_content);
  }
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(Answer, WithoutContentEndsAtItsHead) {
  for (const std::string head :
       {"204 No Content\r\n", "304 Not Modified\r\nContent-Length: 77\r\n", "200 OK\r\nContent-Length: 0\r\n"}) {
    ScriptedOrigin server(ScriptedOrigin::always("HTTP/1.1 " + head + "\r\n"));
    use(server);
    for (int i = 0; i < 2; ++i) {
      const auto& sink = get();
      EXPECT_TRUE(sink.ended) << head;
      EXPECT_FALSE(sink.facts.has_content) << head;
    }
    EXPECT_EQ(server.connections(), 1) << head;
    origin.reset();
  }
}

TEST_F(Answer, ASinkThatEndsAtAHeadWithoutContentLeavesTheConnectionToThePool) {
  ScriptedOrigin server(ScriptedOrigin::always("HTTP/1.1 304 Not Modified\r\nETag: \"1\"\r\n\r\n"));
  use(server);
  for (int i = 0; i < 3; ++i) {
    RecordingSink sink;
    net::SourcePtr running;
    sink.at_head = [&] { running->cancel(); };
    running = fetch(sink);
    run_until([&] { return sink.status == 304; });
    EXPECT_EQ(state->numbers().idle, 1U);
  }
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(Answer, InterimHeadsGoToTheSinkButFor100) {
  ScriptedOrigin server(
      ScriptedOrigin::always("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"
                             "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" +
                             std::string(kShort)));
  use(server);
  const auto& sink = get();
  EXPECT_THAT(sink.interims, ElementsAre(102, 103));
  EXPECT_EQ(sink.status, 200);
  EXPECT_EQ(sink.body, "hello");
  EXPECT_EQ(state->numbers().answers[0], 3U);
}

TEST_F(Answer, InterimHeadsWithoutEndAreRefused) {
  std::string many;
  for (int i = 0; i < 40; ++i) many += "HTTP/1.1 103 Early Hints\r\n\r\n";
  ScriptedOrigin server(ScriptedOrigin::always(many));
  use(server);
  EXPECT_EQ(get().failure, FetchError::Protocol);
}

TEST_F(Answer, ThatFollowsNoGrammarOrTwoIsAProtocolError) {
  const std::string cases[] = {
      "garbage\r\n\r\n",
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
      "HTTP/1.1 20 OK\r\n\r\n",
      "HTTP/2.0 200 OK\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
      "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: +3\r\n\r\nabc",
      "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nabc",
      "HTTP/1.1 200 OK\r\nX y: z\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length:\r\n 0\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\nabc\n0\n\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-3\r\nabc\r\n0\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n11111111111111111\r\nabc\r\n0\r\n\r\n",
  };
  for (const auto& wire : cases) {
    ScriptedOrigin server(ScriptedOrigin::always(wire));
    use(server);
    const auto& sink = get();
    EXPECT_EQ(sink.failure, FetchError::Protocol) << wire;
    EXPECT_FALSE(sink.ended) << wire;
    EXPECT_EQ(state->numbers().idle, 0U) << wire;
    EXPECT_EQ(errors(FetchError::Protocol), 1U) << wire;
    origin.reset();
  }
}

TEST_F(Answer, WithAHeadOverTheLimitIsTooLarge) {
  ScriptedOrigin server([](Peer& peer, int) {
    peer.read_head();
    std::string head = "HTTP/1.1 200 OK\r\n";
    while (head.size() < 64 * 1024) head += "X-Padding: " + std::string(200, 'x') + "\r\n";
    peer.send(head);
    peer.read_rest();
  });
  use(server);
  EXPECT_EQ(get().failure, FetchError::TooLarge);
}

TEST_F(Answer, BytesBehindTheLengthNeverAnswerTheNextRequest) {
  ScriptedOrigin server([](Peer& peer, int n) {
    peer.read_head();
    peer.send(n == 1 ? std::string(kShort) + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil" : std::string(kShort));
    peer.read_rest();
  });
  use(server);
  EXPECT_EQ(get().body, "hello");
  const auto& second = get();
  EXPECT_EQ(second.body, "hello");
  EXPECT_EQ(server.connections(), 2);
}

TEST_F(Answer, ThatClosesIsNotFollowedByAnotherRequest) {
  ScriptedOrigin server([](Peer& peer, int) {
    peer.read_head();
    peer.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello");
    peer.read_rest();
  });
  use(server);
  EXPECT_TRUE(get().ended);
  EXPECT_TRUE(get().ended);
  EXPECT_EQ(server.connections(), 2);
}

// Proof of completeness: wherever it is cut, a framed answer never looks whole.
TEST_F(Answer, CutAtAnyByteIsNeverComplete) {
  const std::string answers[] = {
      std::string(kShort),
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;e=1\r\nde\r\n0\r\nX: y\r\n\r\n",
  };
  for (const auto& answer : answers) {
    std::atomic<std::size_t> cut{0};
    ScriptedOrigin server([&](Peer& peer, int) {
      peer.read_head();
      peer.send(answer.substr(0, cut));
    });
    use(server);
    for (cut = 0; cut < answer.size(); ++cut) {
      const auto& sink = get();
      EXPECT_EQ(sink.failure, FetchError::Reset) << "cut at " << cut;
    }
    EXPECT_TRUE(get().ended);
    EXPECT_EQ(errors(FetchError::Reset), answer.size());
    origin.reset();
  }
}

TEST_F(Answer, IsHeldBackWhileTheSinkWantsNoMore) {
  const std::string content(1'000'000, 'x');
  ScriptedOrigin server(ScriptedOrigin::always("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + content));
  auto o = settings(server.port());
  o.timeouts.between_bytes = 30ms;
  use(std::move(o));
  clock.stop();
  RecordingSink sink;
  net::SourcePtr running;
  sink.at_data = [] { return false; };
  running = fetch(sink);
  while (!sink.over()) {
    const auto before = sink.body.size();
    run_until([&] { return sink.over() || sink.body.size() != before; });
    if (sink.over()) break;
    const auto held = sink.body.size();
    // Longer than between_bytes, which does not run while we hold it back.
    pass(60ms);
    EXPECT_EQ(sink.body.size(), held);
    EXPECT_FALSE(sink.over()) << sink.detail;
    running->resume();
  }
  EXPECT_TRUE(sink.ended);
  EXPECT_TRUE(sink.body == content);
}

TEST_F(Answer, ResumedWithinOnDataIsNotHeldBack) {
  ScriptedOrigin server(ScriptedOrigin::always(std::string(kShort)));
  use(server);
  RecordingSink sink;
  net::SourcePtr running = fetch(sink);
  sink.at_data = [&] {
    running->resume();
    return false;
  };
  run_until([&] { return sink.over(); });
  EXPECT_TRUE(sink.ended);
}

TEST_F(Answer, IsNotHeardAnyMoreAfterCancelOrDropInACallback) {
  ScriptedOrigin server(ScriptedOrigin::always(std::string(kShort)));
  use(server);
  for (const bool in_head : {true, false}) {
    for (const bool drop : {true, false}) {
      auto sink = std::make_unique<RecordingSink>();
      net::SourcePtr running = fetch(*sink);
      bool gone = false;
      const auto leave = [&] {
        if (drop)
          running.reset();
        else
          running->cancel();
        gone = true;
        worker.post([&] { sink.reset(); });
      };
      if (in_head)
        sink->at_head = leave;
      else
        sink->at_data = [&] { return leave(), true; };
      run_until([&] { return gone && !sink; });
      EXPECT_EQ(state->numbers().in_flight, 0U);
      EXPECT_EQ(state->numbers().active, 0U);
    }
  }
  EXPECT_TRUE(get().ended);
}

TEST_F(Answer, HeadTimeGoesIntoTheHistogram) {
  ScriptedOrigin server(ScriptedOrigin::always(std::string(kShort)));
  use(server);
  get();
  std::uint64_t sum = 0;
  for (const auto& bucket : state->numbers().head_seconds_buckets) sum += bucket;
  EXPECT_EQ(sum, 1U);
  EXPECT_GT(state->numbers().head_nanoseconds_sum, 0U);
}

}  // namespace
}  // namespace forebay::upstream
