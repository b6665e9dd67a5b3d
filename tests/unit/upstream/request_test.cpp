#include "unit/upstream/upstream_fixture.hpp"
#include "upstream/request_sender.hpp"

namespace forebay::upstream {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr std::string_view kDone = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

/// What a sender writes before it waits or ends.
struct Written {
  std::string text;
  RequestSender::Next end;
};
Written write_all(RequestSender& sender) {
  Written w;
  // One byte at a time: a socket may take as little.
  while ((w.end = sender.next()) == RequestSender::Next::Write) {
    w.text.push_back(*static_cast<const char*>(sender.parts().front().data()));
    sender.written(1);
  }
  return w;
}

FetchRequest request_of(const http::Fields& fields, std::string_view method, net::BodySource* body) {
  FetchRequest r;
  r.method = http::method_of(method);
  r.method_text = method;
  r.target = "/a?b";
  r.fields = fields;
  r.body = body;
  return r;
}

TEST(RequestSender, FramesEachKindOfContent) {
  const auto chunks = [] {
    return ScriptedBody({{BodyState::Data, "hello world, sixteen"}, {BodyState::Data, "x"}, {BodyState::End, {}}},
                        std::nullopt);
  };
  auto chunked = chunks();
  auto sized = ScriptedBody::whole("abc");
  ScriptedBody empty({{BodyState::End, {}}}, 0);
  const struct {
    std::string_view method;
    net::BodySource* body;
    std::string_view framing_and_content;
  } cases[] = {
      {"GET", nullptr, "\r\n"},
      {"DELETE", nullptr, "\r\n"},
      {"POST", nullptr, "Content-Length: 0\r\n\r\n"},
      {"PUT", &sized, "Content-Length: 3\r\n\r\nabc"},
      {"GET", &empty, "Content-Length: 0\r\n\r\n"},
      {"POST", &chunked, "Transfer-Encoding: chunked\r\n\r\n14\r\nhello world, sixteen\r\n1\r\nx\r\n0\r\n\r\n"},
  };
  http::Fields fields;
  fields.add("Host", "example.org");
  fields.add("X-One", "1");
  for (const auto& c : cases) {
    RequestSender sender(request_of(fields, c.method, c.body));
    const auto written = write_all(sender);
    EXPECT_EQ(written.text, std::string(c.method) + " /a?b HTTP/1.1\r\nHost: example.org\r\nX-One: 1\r\n" +
                                std::string(c.framing_and_content));
    EXPECT_EQ(written.end, RequestSender::Next::Sent);
  }
}

TEST(RequestSender, SendsNoFieldThatIsForItsOwnHopOrFramesTheMessage) {
  http::Fields fields;
  for (const char* name :
       {"Connection", "Keep-Alive", "TE", "Transfer-Encoding", "Content-Length", "Expect", "Upgrade"}) {
    fields.add(name, "5");
  }
  RequestSender sender(request_of(fields, "GET", nullptr));
  EXPECT_EQ(write_all(sender).text, "GET /a?b HTTP/1.1\r\n\r\n");
}

/// Has the url that is asked as its Host.
class HeadOfUrl final : public RequestHead {
 public:
  std::string compose(Origin& origin, const config::Url& url, std::string& target, http::Fields& fields) override {
    target = "/" + origin.state().config().name;
    fields.add("Host", url.authority);
    return {};
  }
  void trim(Origin&, http::Fields&) override {}
};

TEST_F(UpstreamTest, EachAttemptHasTheHeadForItsUrl) {
  use(settings(closed_port()));
  HeadOfUrl head;
  FetchRequest request;
  request.method_text = "GET";
  request.head = &head;
  RequestSender sender(request, origin.get());
  config::Url first, second;
  first.authority = "a.test";
  second.authority = "b.test";
  sender.rewind(first);
  ASSERT_EQ(sender.next(), RequestSender::Next::Write);
  EXPECT_EQ(sender.parts().front(), "GET /web HTTP/1.1\r\nHost: a.test\r\n");
  sender.rewind(second);
  EXPECT_EQ(write_all(sender).text, "GET /web HTTP/1.1\r\nHost: b.test\r\n\r\n");
}

TEST(RequestSender, PassesTrailersBehindTheLastChunk) {
  ScriptedBody body({{BodyState::End, {}}}, std::nullopt);
  body.trailers().add("X-Sum", "9");
  RequestSender sender(request_of({}, "POST", &body));
  EXPECT_THAT(write_all(sender).text, EndsWith("\r\n\r\n0\r\nX-Sum: 9\r\n\r\n"));
}

TEST(RequestSender, BreaksOffWhatIsShorterOrLongerThanItsLength) {
  for (const std::size_t size : {2U, 4U}) {
    ScriptedBody body({{BodyState::Data, std::string(size, 'x')}, {BodyState::End, {}}}, 3);
    RequestSender sender(request_of({}, "POST", &body));
    EXPECT_EQ(write_all(sender).end, RequestSender::Next::Broken) << size;
  }
}

TEST(RequestSender, WritesTheHeadBeforeItWaitsForTheBody) {
  ScriptedBody body({}, 3);
  RequestSender sender(request_of({}, "POST", &body));
  const auto first = write_all(sender);
  EXPECT_EQ(first.text, "POST /a?b HTTP/1.1\r\nContent-Length: 3\r\n\r\n");
  EXPECT_EQ(first.end, RequestSender::Next::Wait);
  body.more({BodyState::Data, "abc"});
  const auto second = write_all(sender);
  EXPECT_EQ(second.text, "abc");
  EXPECT_EQ(second.end, RequestSender::Next::Sent);
}

class RequestBody : public UpstreamTest {};

TEST_F(RequestBody, StreamsAsItComes) {
  ScriptedOrigin server([&](Peer& peer, int) {
    server.note(peer.read_until("\r\n\r\n"));
    server.note(peer.read_until("3\r\nabc\r\n"));
    server.note(peer.read_until("0\r\n\r\n"));
    peer.send(kDone);
    peer.read_rest();
  });
  use(server);
  ScriptedBody body({}, std::nullopt);
  RecordingSink sink;
  const auto running = fetch(sink, "POST", &body);
  run_until([&] { return server.notes().size() == 1; });
  body.more({BodyState::Data, "abc"});
  run_until([&] { return server.notes().size() == 2; });
  body.more({BodyState::End, {}});
  run_until([&] { return sink.over(); });
  EXPECT_TRUE(sink.ended);
  EXPECT_EQ(server.notes().back(), "0\r\n\r\n");
  EXPECT_EQ(state->numbers().idle, 1U);
}

TEST_F(RequestBody, OfManyMegabytesArrivesWhole) {
  const std::string content(8'000'000, 'z');
  ScriptedOrigin server([&](Peer& peer, int) {
    peer.read_head();
    server.note(peer.read_exactly(content.size()));
    peer.send(kDone);
  });
  use(server);
  auto body = ScriptedBody::whole(content);
  EXPECT_TRUE(get("PUT", &body).ended);
  EXPECT_TRUE(server.notes().front() == content);
}

TEST_F(RequestBody, ThatBreaksOffNeverLooksComplete) {
  for (const auto how : {BodyState::Broken, BodyState::TooLarge, BodyState::End}) {
    for (const bool sized : {true, false}) {
      if (how == BodyState::End && !sized) continue;  // that is a whole body
      ScriptedOrigin server([&](Peer& peer, int) {
        peer.read_head();
        server.note(peer.read_rest());
        peer.send(kDone);
      });
      use(server);
      ScriptedBody body({{BodyState::Data, "abc"}, {how, {}}}, sized ? std::optional<std::uint64_t>(9) : std::nullopt);
      const auto& sink = get("POST", &body);
      EXPECT_EQ(sink.failure, FetchError::ClientBody);
      run_until([&] { return server.notes().size() == 1; });
      EXPECT_EQ(server.notes().front(), sized ? "abc" : "3\r\nabc\r\n");
      EXPECT_EQ(state->numbers().failed, 0U) << "it is not the origin's fault";
      EXPECT_TRUE(state->up());
      EXPECT_EQ(server.connections(), 1) << "and asking again helps nobody";
      origin.reset();
    }
  }
}

TEST_F(RequestBody, RefusedEarlyIsSentNoFurtherAndTheConnectionNotReused) {
  ScriptedOrigin server([&](Peer& peer, int n) {
    peer.read_head();
    peer.send(n == 1 ? "HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig" : kDone);
    server.note(peer.read_rest());
  });
  use(server);
  ScriptedBody body({{BodyState::Data, "first"}}, 1000);
  const auto& sink = get("POST", &body);
  EXPECT_TRUE(sink.ended);
  EXPECT_EQ(sink.status, 413);
  EXPECT_EQ(sink.body, "big");
  EXPECT_FALSE(body.waited_for());
  run_until([&] { return server.notes().size() == 1; });
  EXPECT_EQ(state->numbers().idle, 0U);
  EXPECT_TRUE(get().ended);
  EXPECT_EQ(server.connections(), 2);
}

TEST_F(RequestBody, A100WhileTheHeadIsStillBeingWrittenSendsNothingTwice) {
  const std::string target = '/' + std::string(32 * 1024 * 1024, 'a');  // more than the buffers of both sides hold
  ScriptedOrigin server([&](Peer& peer, int) {
    peer.send("HTTP/1.1 100 Continue\r\n\r\n");
    const auto head = peer.read_head();
    server.note(std::to_string(head.size() - target.size()));
    server.note(peer.read_exactly(4));
    peer.send(kDone);
    server.note(peer.read_rest());
  });
  use(server);
  auto body = ScriptedBody::whole("text");
  body.expects = true;
  RecordingSink sink;
  const auto running = fetch(sink, "POST", &body, target);
  run_until([&] { return sink.over(); });
  EXPECT_TRUE(sink.ended) << sink.detail;
  origin->retire();
  run_until([&] { return server.notes().size() == 3; });
  EXPECT_LT(std::stoi(server.notes()[0]), 200);
  EXPECT_EQ(server.notes()[1], "text");
  EXPECT_EQ(server.notes()[2], "");
}

TEST_F(RequestBody, RefusedByAnOriginThatThenClosesStillGivesTheAnswer) {
  ScriptedOrigin server([](Peer& peer, int) {
    peer.read_head();
    peer.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno");
  });
  use(server);
  ScriptedBody body({}, 1'000'000);
  EXPECT_EQ(get("POST", &body).status, 403);
}

TEST_F(RequestBody, MayBeEchoedWhileItIsSent) {
  ScriptedOrigin server([](Peer& peer, int) {
    peer.read_head();
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n");
    peer.send(peer.read_exactly(3));
    peer.send(peer.read_exactly(3));
    peer.read_rest();
  });
  auto o = settings(server.port());
  o.timeouts.between_bytes = 40ms;
  use(std::move(o));
  clock.stop();
  ScriptedBody body({}, 6);
  RecordingSink sink;
  const auto running = fetch(sink, "POST", &body);
  run_until([&] { return sink.status != 0; });
  // The origin has nothing to say while the client sends nothing, so between_bytes does not run.
  pass(100ms);
  EXPECT_FALSE(sink.over());
  body.more({BodyState::Data, "abc"});
  run_until([&] { return sink.body == "abc"; });
  body.more({BodyState::Data, "def"});
  run_until([&] { return sink.over(); });
  EXPECT_EQ(sink.body, "abcdef");
  EXPECT_EQ(state->numbers().idle, 0U) << "an early answer leaves the connection to nobody";
}

}  // namespace
}  // namespace forebay::upstream
