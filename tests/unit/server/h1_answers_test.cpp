// Answers on their way out: framing, growing bodies, slow and vanishing clients.
#include <gmock/gmock.h>

#include "unit/server/edge.hpp"

namespace forebay::server::test {
namespace {

using testing::HasSubstr;
using AnswersTest = EdgeTest;

AnswerHead head_with(std::optional<std::uint64_t> length) {
  AnswerHead head;
  head.length = length;
  return head;
}

std::string pattern(std::size_t n) {
  std::string s(n, 0);
  for (std::size_t i = 0; i < n; ++i) s[i] = static_cast<char>('a' + i * 7 / 3 % 26);
  return s;
}

TEST_F(AnswersTest, BodiesOfEverySizeArriveWholeAndInOrder) {
  const std::vector<std::size_t> sizes{0, 1, 1000, 16384, 16385, 70'000, 3'000'000};
  handler.script = [&](const ExchangePtr& exchange) {
    const auto n = std::stoul(std::string(exchange->request().target.substr(1)));
    exchange->answer(head_with(n), body_of(pattern(n)));
  };
  auto client = connect();
  for (const auto n : sizes) client.send("GET /" + std::to_string(n) + " HTTP/1.1\r\nHost: a\r\n\r\n");
  for (const auto n : sizes) {
    const auto r = client.reply();
    EXPECT_EQ(r.body.size(), n);
    EXPECT_TRUE(r.body == pattern(n)) << n;
    EXPECT_TRUE(r.whole);
  }
  const auto tallies = handler.tallies(sizes.size());
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    EXPECT_EQ(tallies[i].bytes_out, sizes[i]);
    EXPECT_TRUE(tallies[i].completed);
  }
}

TEST_F(AnswersTest, ManySlicesGoOutInOrder) {
  std::string all;
  std::vector<Slice> parts;
  for (int i = 0; i < 200; ++i) {
    const auto piece = pattern(static_cast<std::size_t>(1 + i * 97 % 5000));
    all += piece;
    parts.push_back(slice_of(piece));
  }
  handler.script = [&](const ExchangePtr& exchange) {
    exchange->answer(head_with(all.size()), http::BodyCursor(parts));
  };
  auto client = connect();
  EXPECT_TRUE(client.get("/").body == all);
  handler.script = [&](const ExchangePtr& exchange) { exchange->answer(head_with({}), http::BodyCursor(parts)); };
  const auto r = client.get("/");
  EXPECT_EQ(r.field("Transfer-Encoding"), "chunked");
  EXPECT_TRUE(r.body == all);
}

struct GrowingTest : AnswersTest {
  GrowingTest() {
    handler.script = [this](const ExchangePtr& exchange) {
      exchange->answer(head_with(length), http::BodyCursor(body));
    };
  }
  Ref<http::Body> body{new http::Body};
  std::optional<std::uint64_t> length;
};

TEST_F(GrowingTest, WhatIsThereIsSentWithoutWaitingForMore) {
  auto client = connect();
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(client.until("\r\n\r\n"), HasSubstr("Transfer-Encoding: chunked\r\n"));
  body->append(slice_of("one"));
  EXPECT_EQ(client.until("one\r\n"), "3\r\none\r\n");
  body->append(slice_of("four"));
  EXPECT_EQ(client.until("four\r\n"), "4\r\nfour\r\n");
  http::Fields trailers;
  trailers.add("X-Sum", "9");
  body->finish(trailers);
  EXPECT_EQ(client.until("\r\n\r\n"), "0\r\nX-Sum: 9\r\n\r\n");
  EXPECT_EQ(client.take(0), "");
  EXPECT_TRUE(handler.tallies(1)[0].completed);
}

TEST_F(GrowingTest, TheNextRequestIsServedAfterTheEnd) {
  auto client = connect();
  client.send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
  client.until("\r\n\r\n");
  body->append(slice_of(pattern(100'000)));
  body->finish();
  EXPECT_TRUE(client.until("0\r\n\r\n").size() > 100'000);
  EXPECT_EQ(client.reply().body.size(), 100'000u);
}

TEST_F(GrowingTest, AStatedLengthNeedsNoChunks) {
  length = 6;
  auto client = connect();
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  client.until("\r\n\r\n");
  body->append(slice_of("abc"));
  EXPECT_EQ(client.take(3), "abc");
  body->append(slice_of("def"));
  EXPECT_EQ(client.take(3), "def");
  EXPECT_TRUE(handler.tallies(1)[0].completed) << "its length ends it, whatever the body does then";
}

TEST_F(GrowingTest, MoreThanTheStatedLengthIsCutOff) {
  length = 4;
  body->append(slice_of("abcdefgh"));
  body->finish();
  auto client = connect();
  EXPECT_EQ(client.get("/").body, "abcd");
  EXPECT_EQ(client.get("/").body, "abcd") << "the framing stayed true";
}

TEST_F(GrowingTest, LessThanTheStatedLengthNeverLooksComplete) {
  length = 10;
  body->append(slice_of("abc"));
  body->finish();
  auto client = connect();
  EXPECT_FALSE(client.get("/").whole);
  EXPECT_FALSE(handler.tallies(1)[0].completed);
}

TEST_F(GrowingTest, ABodyThatBreaksNeverLooksComplete) {
  const struct {
    const char* request;
    std::optional<std::uint64_t> length;
    const char* name;
  } cases[] = {{"GET / HTTP/1.1\r\nHost: a\r\n\r\n", {}, "chunked"},
               {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 10, "length"},
               {"GET / HTTP/1.0\r\n\r\n", {}, "until close"}};
  std::size_t n = 0;
  for (const auto& c : cases) {
    on_worker([&] {
      body = new http::Body;
      length = c.length;
    });
    auto client = connect();
    client.send(c.request);
    client.send("");
    until([&] { return handler.started == static_cast<int>(n + 1); });
    body->append(slice_of("abc"));
    body->break_off();
    EXPECT_FALSE(client.reply().whole) << c.name;
    EXPECT_FALSE(handler.tallies(++n).back().completed) << c.name;
  }
}

TEST_F(GrowingTest, UntilCloseTo10EndsWithTheConnection) {
  auto client = connect();
  client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  client.until("\r\n\r\n");
  body->append(slice_of("abc"));
  body->finish();
  EXPECT_EQ(client.rest(), "abc");
  EXPECT_FALSE(client.was_reset());
}

TEST_F(GrowingTest, AClientThatLeavesLetsGoOfTheBody) {
  auto client = connect();
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  client.until("\r\n\r\n");
  until([&] { return body->readers() == 1; });
  client.reset();
  until([&] { return body->readers() == 0; });
  EXPECT_FALSE(handler.tallies(1)[0].completed);
}

TEST_F(AnswersTest, NoContentWhereThereIsNone) {
  handler.script = [](const ExchangePtr& exchange) {
    AnswerHead head;
    const auto target = exchange->request().target;
    head.status = target == "/204" ? 204 : target == "/304" ? 304 : 200;
    head.length = 5;
    exchange->answer(head, body_of("hello"));
  };
  auto client = connect();
  client.send(
      "HEAD /200 HTTP/1.1\r\nHost: a\r\n\r\nGET /204 HTTP/1.1\r\nHost: a\r\n\r\nGET /304 HTTP/1.1\r\nHost: a\r\n\r\n"
      "GET /200 HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(client.reply(http::Method::Head).field("Content-Length"), "5");
  EXPECT_FALSE(client.reply().has("Content-Length"));
  const auto r = client.reply();
  EXPECT_EQ(r.status, 304);
  EXPECT_EQ(r.body, "");
  EXPECT_EQ(client.reply().body, "hello");
  EXPECT_EQ(handler.tallies(4)[0].bytes_out, 0u);
}

TEST_F(AnswersTest, InterimResponsesGoOutBeforeTheAnswerButNotTo10) {
  handler.script = [](const ExchangePtr& exchange) {
    const http::Field link{"Link", "</a>", http::FieldId::Link};
    exchange->interim(103, http::FieldsView({&link, 1}));
    exchange->interim(101, {});
    exchange->interim(100, {});
    answer_text(*exchange, "done");
  };
  auto client = connect();
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(client.until("\r\n\r\n"), "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
  EXPECT_EQ(client.reply().body, "done");
  auto old = connect();
  old.send("GET / HTTP/1.0\r\n\r\n");
  EXPECT_EQ(old.reply().status, 200);
}

TEST_F(AnswersTest, AnInterimResponseIsNotHeldBack) {
  keep_exchanges();
  auto client = connect();
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  until_kept(1);
  on_worker([&] { kept[0]->interim(102, {}); });
  EXPECT_EQ(client.until("\r\n\r\n"), "HTTP/1.1 102 Processing\r\n\r\n");
  on_worker([&] { answer_text(*kept[0], "done"); });
  EXPECT_EQ(client.reply().body, "done");
}

TEST_F(AnswersTest, CutResetsTheConnectionAfterEarlierAnswers) {
  handler.script = [](const ExchangePtr& exchange) {
    if (exchange->request().target == "/cut") return exchange->cut();
    answer_text(*exchange, "fine");
  };
  auto client = connect();
  client.send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(client.reply().body, "fine");
  client.send("GET /cut HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(client.rest(), "");
  EXPECT_TRUE(client.was_reset());
  const auto tallies = handler.tallies(2);
  EXPECT_TRUE(tallies[0].completed);
  EXPECT_FALSE(tallies[1].completed);
  EXPECT_EQ(tallies[1].status, 0);
}

TEST_F(AnswersTest, TheHandlerMayEndTheConnection) {
  handler.script = [](const ExchangePtr& exchange) {
    AnswerHead head = head_with(2);
    head.close = true;
    exchange->answer(head, body_of("ok"));
  };
  auto client = connect();
  EXPECT_EQ(client.get("/").field("Connection"), "close");
  EXPECT_TRUE(client.closed_silently());
}

TEST_F(AnswersTest, DateIsAddedWhereTheHandlerHasNone) {
  handler.script = [](const ExchangePtr& exchange) {
    AnswerHead head = head_with(0);
    head.has_date = false;
    exchange->answer(head, {});
  };
  auto client = connect();
  EXPECT_EQ(client.get("/").field("Date"), "Mon, 01 Jan 2024 00:00:00 GMT");
  pass(61s);
  auto later = connect();
  EXPECT_EQ(later.get("/").field("Date"), "Mon, 01 Jan 2024 00:01:01 GMT");
}

TEST_F(AnswersTest, ASlowReaderGetsItAllAndHoldsUpNobody) {
  const std::string large = pattern(12'000'000);
  handler.script = [&](const ExchangePtr& exchange) {
    if (exchange->request().target == "/large") return exchange->answer(head_with(large.size()), body_of(large));
    answer_text(*exchange, "quick");
  };
  auto slow = connect();
  slow.small_receive_buffer();
  slow.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
  slow.until("\r\n\r\n");
  auto quick = connect();
  for (int i = 0; i < 10; ++i) EXPECT_EQ(quick.get("/").body, "quick");
  EXPECT_TRUE(slow.take(large.size()) == large);
  for (const auto& t : handler.tallies(11)) EXPECT_TRUE(t.completed);
}

TEST_F(AnswersTest, AReaderWithoutProgressIsCutOff) {
  on_worker([&] { handler.server.min_rate = 0; });
  const std::string large = pattern(12'000'000);
  handler.script = [&](const ExchangePtr& exchange) { exchange->answer(head_with(large.size()), body_of(large)); };
  auto client = connect();
  client.small_receive_buffer();
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  client.until("\r\n\r\n");
  pass(59s);
  EXPECT_EQ(handler.finished_so_far(), 0u);
  // The kernel may still take some, which prolongs the wait; not for long.
  for (int i = 0; i < 1000 && handler.finished_so_far() == 0; ++i) pass(61s);
  const auto tally = handler.tallies(1)[0];
  EXPECT_FALSE(tally.completed);
  EXPECT_LT(tally.bytes_out, large.size());
  until([&] { return listener->open_connections() == 0; });
  EXPECT_EQ(listener->numbers().rejected_timeout, 1u);
}

TEST_F(AnswersTest, AClientThatNeverReadsDoesNotMakeTheEdgeQueueForever) {
  const std::string medium = pattern(10'000);
  handler.script = [&](const ExchangePtr& exchange) { exchange->answer(head_with(medium.size()), body_of(medium)); };
  auto client = connect();
  client.small_receive_buffer();
  std::string requests;
  for (int i = 0; i < 1000; ++i) requests += "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  std::size_t sent = 0;
  for (int i = 0; i < 200; ++i) {
    sent += client.try_send(requests);
    on_worker([] {});
  }
  // 10 kB for each 27 bytes: had all been answered, gigabytes would wait in memory. Only the socket's buffers are full.
  EXPECT_LT(static_cast<std::size_t>(handler.started) * medium.size(), 64u * 1024 * 1024);
  EXPECT_GT(handler.started, 0);
  listener.reset();
}

}  // namespace
}  // namespace forebay::server::test
