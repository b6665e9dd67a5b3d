// Time: idle, slow and lingering clients; drain and abort.
#include <gmock/gmock.h>

#include "unit/server/edge.hpp"

namespace forebay::server::test {
namespace {

using PatienceTest = EdgeTest;

TEST_F(PatienceTest, AnIdleConnectionIsClosedInSilence) {
  auto client = connect();
  EXPECT_EQ(client.get("/").status, 200);
  pass(59s);
  EXPECT_EQ(client.get("/").status, 200);
  pass(59s);
  EXPECT_EQ(listener->open_connections(), 1u);
  pass(2s);
  EXPECT_TRUE(client.closed_silently());
  EXPECT_EQ(listener->numbers().rejected_timeout, 0u);
}

TEST_F(PatienceTest, AConnectionThatSendsNothingIsClosedInSilence) {
  auto client = connect();
  until([&] { return listener->open_connections() == 1; });
  pass(61s);
  EXPECT_TRUE(client.closed_silently());
}

TEST_F(PatienceTest, TheWholeHeadMustComeInTimeHoweverItTrickles) {
  auto client = connect();
  // In one piece with a whole request, so that its answer tells that this beginning has been read.
  client.send("GET /whole HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\n");
  EXPECT_EQ(client.reply().body, "/whole");
  for (int i = 0; i < 5; ++i) {
    on_worker([] {});
    pass(1900ms);
    client.send("X: 1\r\n");
  }
  on_worker([] {});
  EXPECT_EQ(handler.refusals(0).size(), 0u);
  pass(600ms);
  EXPECT_EQ(client.reply().status, 408);
  EXPECT_TRUE(client.closed_silently());
  EXPECT_EQ(handler.refusals(1)[0], std::make_pair(Refusal::ClientTimeout, 408));
  EXPECT_EQ(listener->numbers().rejected_timeout, 1u);
}

TEST_F(PatienceTest, ALongIdleConnectionStillServes) {
  auto client = connect();
  EXPECT_EQ(client.get("/" + std::string(10'000, 'x')).status, 200);
  for (int i = 0; i < 5; ++i) {
    on_worker([] {});
    pass(10s);
    on_worker([] {});
    EXPECT_EQ(client.get("/" + std::to_string(i)).body, "/" + std::to_string(i)) << "after its memory was given back";
  }
  pass(10s);
  on_worker([] {});
  client.half_close();
  EXPECT_TRUE(client.closed_silently());
}

TEST_F(PatienceTest, WhoeverLingersIsClosedInTheEnd) {
  auto client = connect();
  client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(client.reply().status, 200);
  EXPECT_EQ(client.rest(), "");
  EXPECT_EQ(listener->open_connections(), 1u) << "the client's side is still open";
  client.send("more");
  pass(3s);
  until([&] { return listener->open_connections() == 0; });
}

TEST_F(PatienceTest, AClientThatFloodsWhileLingeringIsClosedInTheEnd) {
  auto client = connect();
  client.send("BAD\r\n\r\n");
  EXPECT_EQ(client.reply().status, 400);
  const std::string flood(64 * 1024, 'x');
  for (int second = 0; second < 29; ++second) {
    client.send(flood);
    on_worker([] {});
    pass(1s);
  }
  EXPECT_EQ(listener->open_connections(), 1u) << "while it sends, for half a minute";
  for (int second = 0; second < 10 && listener->open_connections() != 0; ++second) {
    client.send(flood);
    on_worker([] {});
    pass(1s);
  }
  until([&] { return listener->open_connections() == 0; });
}

TEST_F(PatienceTest, ATrickleBehindARefusalHoldsNoPlace) {
  auto client = connect();
  client.send("BAD\r\n\r\n");
  EXPECT_EQ(client.reply().status, 400);
  for (int second = 0; second < 7; ++second) {
    client.send("x");
    on_worker([] {});
    pass(1s);
  }
  until([&] { return listener->open_connections() == 0; });
}

TEST_F(PatienceTest, AClientThatStopsSendingIsNotWaitedForSoLong) {
  auto client = connect();
  client.send("BAD\r\n\r\n");
  EXPECT_EQ(client.reply().status, 400);
  on_worker([] {});
  pass(6s);
  until([&] { return listener->open_connections() == 0; });
}

// Most libraries send all of the content before they look for an answer. If the connection ended with content unread,
// the kernel would reset it, and the answer would be lost.
TEST_F(PatienceTest, AClientThatSendsAllItsContentFirstGetsItsRefusalEachTime) {
  const std::string content(3 * 1024 * 1024, 'x');
  const std::string length = "Content-Length: 99999999\r\n";
  const std::string chunk = "300000\r\n" + content + "\r\n";
  std::string chunks;  // no end, and no piece of it says how much is left
  for (int i = 0; i < 48; ++i) chunks += "10000\r\n" + content.substr(0, 0x10000) + "\r\n";
  handler.script = [&](const ExchangePtr& exchange) {
    std::string_view piece;
    while (exchange->body().pull(piece) == net::BodySource::State::Data) {
    }
    AnswerHead head;
    head.status = 413;
    head.length = 0;
    head.close = exchange->request().target != "/chunks";
    exchange->answer(head, http::BodyCursor());
  };
  for (int i = 0; i < 100; ++i) {
    auto client = connect();
    client.small_send_buffer();
    int status = 413;
    bool taken = false;
    if (i % 4 == 0) {
      taken = client.send("POST /length HTTP/1.1\r\nHost: a\r\n" + length + "\r\n" + content);
    } else if (i % 4 == 1) {
      taken = client.send("POST /chunks HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks);
    } else if (i % 4 == 2) {
      taken = client.send("POST /chunked HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk);
    } else {
      taken = client.send("POST /expect HTTP/1.1\r\nHost: a\r\nExpect: x\r\nContent-Length: 3145728\r\n\r\n" + content);
      status = 417;
    }
    ASSERT_TRUE(taken) << i;
    const auto r = client.reply();
    ASSERT_EQ(r.status, status) << i;
    ASSERT_TRUE(r.whole) << i;
    ASSERT_TRUE(client.closed_silently()) << i;
  }
}

TEST_F(PatienceTest, LateAndSlowContentNamesTheSettingThatBoundsIt) {
  handler.script = [&](const ExchangePtr& exchange) { kept.push_back(exchange); };
  auto client = connect();
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf");
  until([&] { return handler.started == 1; });
  on_worker([&] {
    std::string_view piece;
    while (kept[0]->body().pull(piece) == net::BodySource::State::Data) {
    }
  });
  pass(31s);
  const auto r = client.reply();
  EXPECT_EQ(r.status, 408);
  EXPECT_THAT(r.body, testing::AnyOf(testing::HasSubstr("30 s (server.timeouts.body)"),
                                     testing::HasSubstr("500 bytes a second (server.limits.min_rate)")));
  EXPECT_THAT(r.body, testing::HasSubstr("id-of-content"));
  EXPECT_EQ(r.field("X-Request-Id"), "id-of-content");
}

TEST_F(PatienceTest, DrainClosesIdleConnectionsAndEndsBusyOnesBehindTheirAnswer) {
  auto idle = connect();
  idle.get("/");
  keep_exchanges();
  auto busy = connect();
  busy.send("GET /busy HTTP/1.1\r\nHost: a\r\n\r\n");
  until_kept(1);
  listener->drain();
  on_worker([] {});
  pass(600ms);
  EXPECT_TRUE(idle.closed_silently());
  on_worker([&] { answer_text(*kept[0], "done"); });
  const auto r = busy.reply();
  EXPECT_EQ(r.body, "done");
  EXPECT_EQ(r.field("Connection"), "close");
  EXPECT_TRUE(busy.closed_silently());
  busy.close();
  idle.close();
  until([&] { return listener->open_connections() == 0; });
}

TEST_F(PatienceTest, ADrainedConnectionStillAnswersWhatHasArrived) {
  auto fresh = connect();
  until([&] { return listener->open_connections() == 1; });
  listener->drain();
  on_worker([] {});
  pass(20ms);
  fresh.send("GET /late HTTP/1.1\r\nHost: a\r\n\r\n");
  const auto r = fresh.reply();
  EXPECT_EQ(r.body, "/late") << "a connection that is new has a request on its way";
  EXPECT_EQ(r.field("Connection"), "close");
}

TEST_F(PatienceTest, AClientThatAsksOnAndOnHearsOfADrainByAnAnswer) {
  auto busy = connect();
  busy.get("/before");
  handler.drains = true;
  listener->drain();
  on_worker([] {});
  pass(400ms);
  const auto r = busy.get("/after");
  EXPECT_EQ(r.body, "/after");
  EXPECT_EQ(r.field("Connection"), "close");
}

TEST_F(PatienceTest, AnAnswerWhoseHeadWentBeforeTheDrainStillEndsTheConnection) {
  Ref<http::Body> body(new http::Body);
  handler.script = [&](const ExchangePtr& exchange) { exchange->answer(AnswerHead{}, http::BodyCursor(body)); };
  auto client = connect();
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  client.until("\r\n\r\n");
  listener->drain();
  on_worker([] {});
  body->append(slice_of("x"));
  body->finish();
  EXPECT_EQ(client.until("0\r\n\r\n"), "1\r\nx\r\n0\r\n\r\n");
  on_worker([] {});
  pass(600ms);
  EXPECT_TRUE(client.closed_silently());
}

TEST_F(PatienceTest, AnswersCarryCloseWhileTheHandlerDrains) {
  handler.drains = true;
  auto client = connect();
  EXPECT_EQ(client.get("/").field("Connection"), "close");
  EXPECT_TRUE(client.closed_silently());
}

TEST_F(PatienceTest, WhereClientsAreSentAwayIdleConnectionsStayUntilTheirNextAnswer) {
  auto idle = connect(), fresh = connect();
  EXPECT_EQ(idle.get("/").field("Connection"), "");
  handler.away = true;
  pass(5s);
  for (auto* client : {&idle, &fresh}) {
    EXPECT_EQ(client->get("/").field("Connection"), "close");
    EXPECT_TRUE(client->closed_silently());
  }
}

TEST_F(PatienceTest, AbortEndsEverythingAtOnce) {
  keep_exchanges();
  auto busy = connect(), idle = connect();
  busy.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  until_kept(1);
  until([&] { return listener->open_connections() == 2; });
  listener->abort();
  until([&] { return listener->open_connections() == 0; });
  EXPECT_EQ(busy.rest(), "");
  EXPECT_FALSE(handler.tallies(1)[0].completed);
}

TEST_F(PatienceTest, ARequestTakesAsLongAsTheHandlerLikes) {
  keep_exchanges();
  auto client = connect();
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  until_kept(1);
  pass(1h);
  on_worker([&] { answer_text(*kept[0], "at last"); });
  EXPECT_EQ(client.reply().body, "at last");
}

}  // namespace
}  // namespace forebay::server::test
