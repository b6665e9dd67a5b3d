// Requests as they arrive: framing, limits, what is turned away.
#include <gmock/gmock.h>

#include "unit/server/edge.hpp"

namespace forebay::server::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using RequestsTest = EdgeTest;

TEST_F(RequestsTest, ConnectionServesOneRequestAfterTheOther) {
  auto client = connect();
  for (int i = 0; i < 5; ++i) {
    const auto r = client.get("/" + std::to_string(i));
    EXPECT_EQ(r.status, 200);
    EXPECT_EQ(r.body, "/" + std::to_string(i));
    EXPECT_FALSE(r.has("Connection"));
  }
  EXPECT_EQ(listener->numbers().accepted, 1u);
  EXPECT_EQ(listener->open_connections(), 1u);
}

TEST_F(RequestsTest, AnExchangeAndItsNotesAreReused) {
  auto client = connect();
  for (int i = 0; i < 20; ++i) client.get("/");
  handler.tallies(20);
  EXPECT_EQ(handler.notes_made, 1);
}

TEST_F(RequestsTest, ReadsOneByteAtATime) {
  auto client = connect();
  for (const char c : std::string("GET /slow HTTP/1.1\r\nHost: a\r\nX: 1\r\n\r\n")) {
    client.send(std::string_view(&c, 1));
    on_worker([] {});
  }
  EXPECT_EQ(client.reply().body, "/slow");
}

TEST_F(RequestsTest, AnswersPipelinedRequestsInOrder) {
  auto client = connect();
  constexpr int kRequests = 10'000;
  std::thread sender([&] {
    std::string all;
    for (int i = 0; i < kRequests; ++i) all += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: a\r\n\r\n";
    client.send(all);
  });
  for (int i = 0; i < kRequests; ++i) {
    const auto r = client.reply();
    ASSERT_EQ(r.body, "/" + std::to_string(i));
  }
  sender.join();
  for (const auto& t : handler.tallies(kRequests)) ASSERT_TRUE(t.completed);
}

TEST_F(RequestsTest, APipelinedRequestWaitsForTheAnswerBeforeIt) {
  keep_exchanges();
  auto client = connect();
  client.send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
  until_kept(1);
  on_worker([&] { EXPECT_EQ(kept.size(), 1u); });
  on_worker([&] { answer_text(*kept[0], "one"); });
  EXPECT_EQ(client.reply().body, "one");
  until_kept(2);
  on_worker([&] { answer_text(*kept[1], "two"); });
  EXPECT_EQ(client.reply().body, "two");
}

TEST_F(RequestsTest, TurnsAwayWhatIsNotHttpAndCloses) {
  const struct {
    const char* name;
    std::string text;
    int status;
    Refusal reason;
    const char* says;
  } cases[] = {
      {"garbage", "\x01\x02 hello\r\n\r\n", 400, Refusal::BadRequest, "does not begin with a method"},
      {"TLS", "\x16\x03\x01 hello\r\n\r\n", 400, Refusal::BadRequest, "uses TLS"},
      {"no Host", "GET / HTTP/1.1\r\n\r\n", 400, Refusal::BadRequest, "The Host field is missing"},
      {"two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, Refusal::BadRequest, "appears more than once"},
      {"space before the colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400, Refusal::BadRequest,
       "A header field is malformed"},
      {"folded line", "GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\n\r\n", 400, Refusal::BadRequest, "folded lines"},
      {"bare LF", "GET / HTTP/1.1\nHost: a\n\n", 400, Refusal::BadRequest, "CR LF"},
      {"length and coding",
       "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
       Refusal::BadRequest, "length of its content in more than one way"},
      {"two lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc", 400,
       Refusal::BadRequest, "length of its content in more than one way"},
      {"coding in 1.0", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
       Refusal::BadRequest, "HTTP/1.0 has no Transfer-Encoding"},
      {"unknown coding", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501,
       Refusal::BadRequest, "The only supported transfer coding"},
      {"bad version", "GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505, Refusal::BadRequest, "Only HTTP/1.1 and HTTP/1.0"},
      {"unknown expectation", "GET / HTTP/1.1\r\nHost: a\r\nExpect: miracles\r\n\r\n", 417, Refusal::BadRequest,
       "not 100-continue"},
      {"long target", "GET /" + std::string(20'000, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n", 414, Refusal::TargetTooLong,
       "16384 bytes (server.limits.request_target)"},
      {"long header", "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(40'000, 'a') + "\r\n\r\n", 431,
       Refusal::HeaderTooLarge, "32768 bytes (server.limits.request_header)"},
      {"many fields",
       "GET / HTTP/1.1\r\nHost: a\r\n" +
           [] {
             std::string s;
             for (int i = 0; i < 10'000; ++i) s += "a: b\r\n";
             return s;
           }() +
           "\r\n",
       431, Refusal::HeaderTooLarge, "100 (server.limits.header_count)"},
      {"long content", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n", 413, Refusal::BodyTooLarge,
       "10485760 bytes (server.limits.request_body)"},
  };
  std::size_t n = 0;
  for (const auto& c : cases) {
    auto client = connect();
    client.send(c.text + "GET /next HTTP/1.1\r\nHost: a\r\n\r\n");
    const auto r = client.reply();
    EXPECT_EQ(r.status, c.status) << c.name;
    EXPECT_EQ(r.field("Content-Type"), "application/problem+json") << c.name;
    EXPECT_EQ(r.field("Connection"), "close") << c.name;
    EXPECT_EQ(r.field("X-Cache"), "ERROR") << c.name;
    EXPECT_EQ(r.field("Date"), "Mon, 01 Jan 2024 00:00:00 GMT") << c.name;
    EXPECT_THAT(r.body, HasSubstr("urn:forebay:error:")) << c.name;
    EXPECT_THAT(r.body, HasSubstr(c.says)) << c.name;
    const auto id = "id-" + std::to_string(n + 1);
    EXPECT_THAT(r.body, HasSubstr("\"request_id\":\"" + id + '"')) << c.name;
    EXPECT_EQ(r.field("X-Request-Id"), id) << c.name;
    EXPECT_TRUE(client.closed_silently()) << c.name;
    EXPECT_EQ(handler.refusals(n + 1)[n], std::make_pair(c.reason, c.status)) << c.name;
    ++n;
  }
  EXPECT_EQ(handler.started, 0) << "nothing behind a refused message is a request";
  EXPECT_EQ(listener->numbers().rejected_malformed, n);
}

TEST_F(RequestsTest, ARefusalIsToldWithWhatWasReadBeforeIt) {
  struct Case {
    std::string text;
    const char *code, *method, *target, *id, *says;
  };
  const std::string own = "Host: a\r\nX-Request-Id: mine\r\n";
  const Case cases[] = {
      {"GET /m?q=1 HTTP/1.1\r\n" + own + "bad line\r\n\r\n", "bad_request", "GET", "/m?q=1", "mine", "malformed"},
      {"GET /f HTTP/1.1\r\n" + own + "X: " + std::string(40'000, 'a') + "\r\n\r\n", "header_too_large", "GET", "/f",
       "mine", "server.limits.request_header"},
      {"GET /v HTTP/2.0\r\n" + own + "\r\n", "version_not_supported", "GET", "/v", "mine",
       "Only HTTP/1.1 and HTTP/1.0"},
      {"POST /l HTTP/1.1\r\n" + own + "Content-Length: 99999999\r\n\r\n", "body_too_large", "POST", "/l", "mine",
       "server.limits.request_body"},
      {"POST /e HTTP/1.1\r\n" + own + "Expect: x\r\n\r\n", "expectation_failed", "POST", "/e", "mine", "Expect"},
      {"POST /c HTTP/1.1\r\n" + own + "Transfer-Encoding: gzip, chunked\r\n\r\n", "not_implemented", "POST", "/c",
       "mine", "chunked"},
      {"\x16\x03\x01\x02\x40", "bad_request", "", "", "id-7", "uses TLS"},
  };
  std::size_t n = 0;
  for (const auto& c : cases) {
    auto client = connect();
    client.send(c.text);
    const auto r = client.reply();
    EXPECT_THAT(r.body, HasSubstr(c.says)) << c.text;
    EXPECT_EQ(r.field("X-Request-Id"), c.id) << c.text;
    handler.refusals(++n);
    const auto told = handler.last_refused();
    EXPECT_EQ(told.code, c.code) << c.text;
    EXPECT_EQ(told.method, c.method) << c.text;
    EXPECT_EQ(told.target, c.target) << c.text;
    EXPECT_EQ(told.id, c.id) << c.text;
    EXPECT_THAT(told.detail, HasSubstr(c.says)) << c.text;
    EXPECT_EQ(told.bytes_out, r.body.size()) << c.text;
  }
}

TEST_F(RequestsTest, AnswersBeforeABadRequestStillGoOut) {
  auto client = connect();
  client.send("GET /good HTTP/1.1\r\nHost: a\r\n\r\nBAD\r\n\r\n");
  EXPECT_EQ(client.reply().body, "/good");
  EXPECT_EQ(client.reply().status, 400);
  EXPECT_TRUE(client.closed_silently());
}

TEST_F(RequestsTest, ARefusalTakesTheFormOfAcceptAndHeadHasNoContent) {
  auto client = connect();
  client.send("POST / HTTP/1.1\r\nHost: a\r\nAccept: text/plain\r\nExpect: x\r\n\r\n");
  EXPECT_EQ(client.reply().field("Content-Type"), "text/plain; charset=utf-8");
  auto other = connect();
  other.send("HEAD / HTTP/1.1\r\nHost: a\r\nExpect: x\r\n\r\n");
  EXPECT_EQ(other.reply(http::Method::Head).status, 417);
  EXPECT_TRUE(other.closed_silently());
}

TEST_F(RequestsTest, AClientThatSendsNothingAndLeavesIsNothing) {
  for (const char* text : {"", "\r\n", "\r\n\r\n"}) {
    auto client = connect();
    client.send(text);
    client.half_close();
    EXPECT_TRUE(client.closed_silently()) << text;
  }
  EXPECT_EQ(listener->numbers().rejected_malformed, 0u);
  until([&] { return listener->open_connections() == 0; });
}

TEST_F(RequestsTest, AHeadThatIsCutShortIs400) {
  auto client = connect();
  client.send("GET / HTTP/1.1\r\nHost:");
  client.half_close();
  EXPECT_EQ(client.reply().status, 400);
  EXPECT_EQ(handler.started, 0);
}

TEST_F(RequestsTest, EmptyLinesBeforeARequestAreSkipped) {
  auto client = connect();
  client.send("\r\n\r\nGET /a HTTP/1.1\r\nHost: a\r\n\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(client.reply().body, "/a");
  EXPECT_EQ(client.reply().body, "/b");
}

TEST_F(RequestsTest, AHalfClosedClientIsAnswered) {
  keep_exchanges();
  auto client = connect();
  client.send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
  client.half_close();
  until_kept(1);
  on_worker([&] {
    EXPECT_FALSE(kept[0]->gone());
    answer_text(*kept[0], "one");
  });
  EXPECT_EQ(client.reply().body, "one");
  until_kept(2);
  on_worker([&] { answer_text(*kept[1], "two"); });
  EXPECT_EQ(client.reply().body, "two");
  EXPECT_TRUE(client.closed_silently());
}

TEST_F(RequestsTest, AHalfClosedClientLeavesAnAnswerWithoutAnEnd) {
  for (const bool before : {false, true}) {
    Ref<http::Body> body(new http::Body);
    on_worker([&] {
      kept.clear();
      keep_exchanges();
    });
    const auto answer = [&] {
      kept[0]->end_is_leaving();
      kept[0]->answer(AnswerHead{}, http::BodyCursor(body));
    };
    auto client = connect();
    client.send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n");
    until_kept(1);
    if (before) {
      client.half_close();
      until([&] { return kept[0]->ended(); });
      on_worker(answer);
    } else {
      on_worker(answer);
      client.until("\r\n\r\n");
      on_worker([&] { EXPECT_FALSE(kept[0]->gone()); });
      client.half_close();
    }
    until([&] { return kept[0]->gone(); });
    EXPECT_FALSE(handler.tallies(before ? 2 : 1).back().completed);
  }
}

struct GoneWaiter final : Waiter {
  std::atomic<bool> was_woken{false};
  void woken() override { was_woken = true; }
};

TEST_F(RequestsTest, AClientThatResetsIsGoneAndItsAnswerGoesNowhere) {
  GoneWaiter waiter;
  handler.script = [&](const ExchangePtr& exchange) {
    exchange->on_gone(&waiter);
    kept.push_back(exchange);
  };
  auto client = connect();
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  until_kept(1);
  client.reset();
  until([&] { return kept[0]->gone(); });
  EXPECT_TRUE(waiter.was_woken);
  const auto tally = handler.tallies(1)[0];
  EXPECT_EQ(tally.status, 0);
  EXPECT_FALSE(tally.completed);
  on_worker([&] {
    answer_text(*kept[0], "nobody hears");
    kept[0]->interim(103, {});
    kept[0]->cut();
    std::string_view out;
    EXPECT_EQ(kept[0]->body().pull(out), net::BodySource::State::Broken);
    EXPECT_EQ(kept[0]->peer().address, "127.0.0.1") << "who it was can still be asked";
  });
  EXPECT_EQ(listener->open_connections(), 0u);
}

TEST_F(RequestsTest, AnExchangeThatATaskStillHoldsIsNotReused) {
  handler.script = [this](const ExchangePtr& exchange) {
    kept.push_back(exchange);
    answer_text(*exchange, "x");
  };
  auto client = connect();
  client.get("/1");
  client.get("/2");
  on_worker([&] { EXPECT_NE(kept[0], kept[1]); });
}

TEST_F(RequestsTest, LimitsOfANewConfigurationCountFromTheNextRequest) {
  auto client = connect();
  EXPECT_EQ(client.get("/" + std::string(200, 'a')).status, 200);
  on_worker([&] { handler.server.request_limits.target = 100; });
  EXPECT_EQ(client.get("/short").status, 200);
  EXPECT_EQ(client.get("/" + std::string(200, 'a')).status, 414);
}

TEST_F(RequestsTest, ConnectionFieldAndVersionDecideHowLongItLasts) {
  const struct {
    const char* text;
    bool lasts;
    const char* connection;
  } cases[] = {
      {"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", false, "close"},
      {"GET / HTTP/1.1\r\nHost: a\r\nConnection: x, CLOSE\r\n\r\n", false, "close"},
      {"GET / HTTP/1.0\r\n\r\n", false, "close"},
      {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true, "keep-alive"},
      {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", true, ""},
  };
  for (const auto& c : cases) {
    auto client = connect();
    client.send(c.text);
    EXPECT_EQ(client.reply().field("Connection"), c.connection) << c.text;
    if (c.lasts) {
      EXPECT_EQ(client.get("/again").body, "/again") << c.text;
    } else {
      EXPECT_TRUE(client.closed_silently()) << c.text;
    }
  }
}

TEST_F(RequestsTest, NothingBehindAClosingRequestIsServed) {
  auto client = connect();
  client.send("GET /1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(client.reply().body, "/1");
  EXPECT_TRUE(client.closed_silently());
  EXPECT_EQ(handler.started, 1);
}

TEST_F(RequestsTest, TheTallyTellsWhenAndHowMuch) {
  keep_exchanges();
  auto client = connect();
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  until_kept(1);
  on_worker([&] {
    clock.advance(30ms);
    worker.tick();
    answer_text(*kept[0], "12345");
  });
  client.reply();
  const auto t = handler.tallies(1)[0];
  EXPECT_EQ(t.status, 200);
  EXPECT_EQ(t.bytes_out, 5u);
  EXPECT_EQ(t.first_byte - t.started, 30ms);
  EXPECT_EQ(t.finished - t.started, 30ms);
  EXPECT_TRUE(t.completed);
}

TEST_F(RequestsTest, TheTallyTellsWhenTheFinalHeadWentNotAnInterimOne) {
  keep_exchanges();
  auto client = connect();
  client.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n");
  until_kept(1);
  on_worker([&] {
    std::string_view view;
    EXPECT_EQ(kept[0]->body().pull(view), net::BodySource::State::Wait);
    kept[0]->interim(103, {});
  });
  EXPECT_EQ(client.until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(client.until("\r\n\r\n"), "HTTP/1.1 103 Early Hints\r\n\r\n");
  on_worker([&] {
    clock.advance(30ms);
    worker.tick();
    answer_text(*kept[0], "12345");
  });
  client.reply();
  const auto t = handler.tallies(1)[0];
  EXPECT_EQ(t.first_byte - t.started, 30ms);
}

TEST_F(RequestsTest, BytesBehindAnUpgradeAreTheNextRequest) {
  auto client = connect();
  client.send(
      "GET /1 HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(client.reply().body, "/1");
  EXPECT_EQ(client.reply().body, "/2");
}

}  // namespace
}  // namespace forebay::server::test
