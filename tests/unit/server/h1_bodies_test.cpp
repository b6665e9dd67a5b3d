// Content of requests: pulled, read off, refused.
#include <gmock/gmock.h>

#include "unit/server/edge.hpp"

namespace forebay::server::test {
namespace {

using State = net::BodySource::State;

/// Pulls a request's content to its end, then answers with it.
struct Echo final : Waiter {
  explicit Echo(ExchangePtr of) : exchange(std::move(of)) {}
  void woken() override {
    std::string_view bytes;
    for (;;) {
      last = exchange->body().pull(bytes);
      if (last != State::Data) break;
      text += bytes;
    }
    if (last == State::Wait) return exchange->body().wait(*this);
    if (last == State::End) answer_text(*exchange, text);
    if (last == State::TooLarge) answer_text(*exchange, "too large", 413);
    if (last == State::Broken && cuts) exchange->cut();
    ended = true;
  }
  ExchangePtr exchange;
  std::string text;
  State last = State::Wait;
  bool ended = false, cuts = true;
};

struct BodiesTest : EdgeTest {
  BodiesTest() {
    handler.script = [this](const ExchangePtr& exchange) {
      if (exchange->request().target != "/echo") return answer_text(*exchange, exchange->request().target);
      echoes.push_back(std::make_unique<Echo>(exchange));
      echoes.back()->woken();
    };
  }
  ~BodiesTest() override { echoes.clear(); }
  void TearDown() override {
    EdgeTest::TearDown();
    echoes.clear();
  }
  std::vector<std::unique_ptr<Echo>> echoes;
};

TEST_F(BodiesTest, ContentIsPulledInEveryFraming) {
  auto client = connect();
  client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
  EXPECT_EQ(client.reply().body, "hello");
  client.send(
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nT: "
      "v\r\n\r\n");
  EXPECT_EQ(client.reply().body, "abcdefg");
  client.send("POST /echo HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(client.reply().body, "");
  EXPECT_EQ(client.get("/next").body, "/next");
  const auto tallies = handler.tallies(4);
  EXPECT_EQ(tallies[0].bytes_in, 5u);
  EXPECT_EQ(tallies[1].bytes_in, 7u);
}

TEST_F(BodiesTest, ContentMayComeByteByByte) {
  auto client = connect();
  const std::string text =
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA\r\n0123456789\r\n0\r\nT: "
      "v\r\n\r\n";
  for (const char c : text) {
    client.send(std::string_view(&c, 1));
    on_worker([] {});
  }
  EXPECT_EQ(client.reply().body, "abc0123456789");
}

TEST_F(BodiesTest, LongContentStreamsThroughABoundedBuffer) {
  std::string body(5'000'000, 'x');
  for (std::size_t i = 0; i < body.size(); i += 1000) body[i] = static_cast<char>('a' + i / 1000 % 26);
  auto client = connect();
  std::thread sender([&] {
    client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  });
  sender.join();
  const auto r = client.reply();
  EXPECT_EQ(r.body.size(), body.size());
  EXPECT_TRUE(r.body == body);
}

TEST_F(BodiesTest, ContentThatNobodyPullsIsReadOffAndTheConnectionGoesOn) {
  auto client = connect();
  client.send("POST /hit HTTP/1.1\r\nHost: a\r\nContent-Length: 30\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n.....");
  EXPECT_EQ(client.reply().body, "/hit");
  client.send("GET /next HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(client.reply().body, "/next");
  client.send("POST /hit HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n");
  EXPECT_EQ(client.reply().body, "/hit");
  client.send("0\r\n\r\nGET /last HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(client.reply().body, "/last");
  EXPECT_EQ(handler.started, 4);
}

TEST_F(BodiesTest, MuchUnreadContentEndsTheConnectionButTheAnswerArrives) {
  auto client = connect();
  client.send("POST /hit HTTP/1.1\r\nHost: a\r\nContent-Length: 5000000\r\n\r\n");
  const auto r = client.reply();
  EXPECT_EQ(r.body, "/hit");
  EXPECT_EQ(r.field("Connection"), "close");
  EXPECT_TRUE(client.closed_silently());
}

TEST_F(BodiesTest, MalformedUnreadContentEndsTheConnectionBehindTheAnswer) {
  auto client = connect();
  client.send(
      "POST /hit HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nGET /smuggled HTTP/1.1\r\nHost: "
      "a\r\n\r\n");
  EXPECT_EQ(client.reply().body, "/hit");
  EXPECT_TRUE(client.closed_silently());
  EXPECT_EQ(handler.started, 1);
}

TEST_F(BodiesTest, TheFirstPullSends100Continue) {
  auto client = connect();
  client.send("POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  EXPECT_EQ(client.until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("hello");
  const auto r = client.reply();
  EXPECT_EQ(r.body, "hello");
  EXPECT_FALSE(r.has("Connection"));
}

TEST_F(BodiesTest, No100WhereContentHasComeAlready) {
  auto client = connect();
  client.send("POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello");
  EXPECT_EQ(client.reply().status, 200);
}

TEST_F(BodiesTest, AnAnswerInPlaceOf100EndsTheConnection) {
  auto client = connect();
  client.send("POST /hit HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  const auto r = client.reply();
  EXPECT_EQ(r.body, "/hit");
  EXPECT_EQ(r.field("Connection"), "close");
  EXPECT_TRUE(client.closed_silently());
}

TEST_F(BodiesTest, MalformedContentIs400BeforeAnAnswer) {
  auto client = connect();
  client.send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcXX\r\n");
  const auto r = client.reply();
  EXPECT_EQ(r.status, 400);
  EXPECT_EQ(r.field("Connection"), "close");
  EXPECT_TRUE(client.closed_silently());
  EXPECT_EQ(handler.tallies(1)[0].status, 400);
  EXPECT_EQ(handler.tallies(1)[0].bytes_out, r.body.size());
  on_worker([&] {
    EXPECT_EQ(echoes[0]->last, State::Broken);
    EXPECT_TRUE(echoes[0]->exchange->gone());
  });
}

TEST_F(BodiesTest, ContentThatEndsEarlyIsBrokenNeverComplete) {
  for (const char* text : {"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel",
                           "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"}) {
    auto client = connect();
    client.send(text);
    client.half_close();
    EXPECT_EQ(client.reply().status, 400) << text;
    on_worker([&] { EXPECT_EQ(echoes.back()->last, State::Broken) << text; });
  }
}

TEST_F(BodiesTest, ChunkedContentOverTheLimitIsTooLarge) {
  on_worker([&] { handler.server.request_body = 10; });
  auto client = connect();
  client.send(
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
      "chunked\r\n\r\n8\r\n12345678\r\n8\r\n12345678\r\n0\r\n\r\n");
  const auto r = client.reply();
  EXPECT_EQ(r.status, 413);
  EXPECT_EQ(r.field("Connection"), "close");
  EXPECT_TRUE(client.closed_silently());
}

TEST_F(BodiesTest, ContentThatStopsComingIs408) {
  on_worker([&] { handler.server.min_rate = 0; });
  auto client = connect();
  client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe");
  until([&] { return !echoes.empty() && echoes[0]->text == "he"; });
  pass(29s);
  client.send("l");
  until([&] { return echoes[0]->text == "hel"; });
  pass(29s);
  EXPECT_EQ(handler.finished_so_far(), 0u) << "the time runs between reads";
  pass(2s);
  EXPECT_EQ(client.reply().status, 408);
  EXPECT_TRUE(client.closed_silently());
  EXPECT_EQ(handler.tallies(1)[0].status, 408);
  EXPECT_EQ(listener->numbers().rejected_timeout, 1u);
}

TEST_F(BodiesTest, ContentThatComesSlowerThanTheMinimumRateIs408) {
  auto client = connect();
  client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nx");
  until([&] { return !echoes.empty() && echoes[0]->text == "x"; });
  for (std::size_t i = 2; i <= 19; ++i) {
    pass(1s);
    client.send("x");
    until([&] { return echoes[0]->text.size() == i; });
  }
  EXPECT_EQ(handler.finished_so_far(), 0u) << "the rate is counted over twenty seconds";
  pass(3s);
  EXPECT_EQ(client.reply().status, 408);
  EXPECT_TRUE(client.closed_silently());
}

TEST_F(BodiesTest, ContentAtTheMinimumRateIsTaken) {
  auto client = connect();
  client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n");
  for (std::size_t i = 1; i <= 12; ++i) {
    pass(10s);
    client.send(std::string(5000, 'x'));
    if (i < 12) until([&] { return !echoes.empty() && echoes[0]->text.size() == i * 5000; });
  }
  EXPECT_EQ(client.reply().status, 200);
}

TEST_F(BodiesTest, ASlowPullerIsNotTheClientsFault) {
  keep_exchanges();
  auto client = connect();
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe");
  until_kept(1);
  pass(5min);
  on_worker([&] { answer_text(*kept[0], "late"); });
  EXPECT_EQ(client.reply().body, "late");
}

TEST_F(BodiesTest, AResetWakesWhoWaitsForContent) {
  auto client = connect();
  client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe");
  until([&] { return !echoes.empty() && echoes[0]->text == "he"; });
  client.reset();
  until([&] { return echoes[0]->ended; });
  EXPECT_EQ(echoes[0]->last, State::Broken);
}

TEST_F(BodiesTest, AnEarlyAnswerEndsThePullAndTheRestIsReadOff) {
  auto client = connect();
  client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe");
  until([&] { return !echoes.empty() && echoes[0]->text == "he"; });
  on_worker([&] { answer_text(*echoes[0]->exchange, "early"); });
  EXPECT_EQ(client.reply().body, "early");
  until([&] { return echoes[0]->ended; });
  EXPECT_EQ(echoes[0]->last, State::Broken);
  client.send("lloGET /next HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(client.reply().body, "/next");
}

TEST_F(BodiesTest, TheViewPulledLastKeepsItsBytesWhileTheConnectionReadsOn) {
  std::string_view view;
  handler.script = [&](const ExchangePtr& exchange) {
    if (!kept.empty()) return answer_text(*exchange, "second");
    kept.push_back(exchange);
    EXPECT_EQ(exchange->body().pull(view), State::Data);
    answer_text(*exchange, "early");
  };
  auto client = connect();
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
  EXPECT_EQ(client.reply().body, "early");
  for (int i = 0; i < 50; ++i) EXPECT_EQ(client.get("/" + std::string(500, 'x')).body, "second");
  on_worker([&] { EXPECT_EQ(view, "hello"); });
  client.close();
  until([&] { return listener->open_connections() == 0; });
  on_worker([&] { EXPECT_EQ(view, "hello"); });
}

TEST_F(BodiesTest, TrailersAreKnownAfterTheEnd) {
  std::string trailer;
  handler.script = [&](const ExchangePtr& exchange) {
    std::string_view bytes;
    State s;
    while ((s = exchange->body().pull(bytes)) == State::Data) {
    }
    if (s == State::End) trailer = exchange->body().trailers().view().value("X-Sum").value_or("");
    EXPECT_FALSE(exchange->body().length());
    answer_text(*exchange, "ok");
  };
  auto client = connect();
  client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 7\r\n\r\n");
  EXPECT_EQ(client.reply().body, "ok");
  EXPECT_EQ(trailer, "7");
}

}  // namespace
}  // namespace forebay::server::test
