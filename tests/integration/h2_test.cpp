// HTTP/2 towards clients: the same cache, the same answers.
#include "support/forebay_test.hpp"
#include "support/h2_client.hpp"

namespace forebay::test {
namespace {

class Http2 : public ForebayTest {
 protected:
  void SetUp() override { FOREBAY_NOT_OVER_TLS("HTTP/2 by prior knowledge"); }
  H2Client connect_h2(const std::vector<std::pair<std::uint16_t, std::uint32_t>>& settings = {}) {
    return H2Client(daemon->port(), settings);
  }
};

TEST_F(Http2, AMissOfOneVersionIsAHitOfTheOther) {
  origin.on("/a", Reply::fresh("same"));
  start();
  auto c = connect_h2();
  const auto& miss = c.answer(c.get("/a"));
  EXPECT_EQ(miss.status, 200);
  EXPECT_EQ(miss.body, "same");
  EXPECT_EQ(miss.get("x-cache"), "MISS");
  auto plain = Client(daemon->port());
  EXPECT_EQ(plain.get("/a").x_cache(), "HIT");
  const auto& hit = c.answer(c.get("/a"));
  EXPECT_EQ(hit.get("x-cache"), "HIT");
  EXPECT_EQ(hit.get("content-length"), "4");
  EXPECT_EQ(origin.count("/a"), 1U);
  const auto line = access_line("/a");
  EXPECT_EQ(access_line("/a", [](const auto& l) { return l.at("proto") == "HTTP/2.0"; }).empty(), false);
}

TEST_F(Http2, RequestsOfBothVersionsShareOneFetch) {
  auto hold = gate();
  origin.on("/a", Reply::fresh("once").after(hold));
  start();
  auto c = connect_h2();
  std::vector<std::uint32_t> streams;
  for (int i = 0; i < 20; ++i) streams.push_back(c.get("/a"));
  auto plain = Client(daemon->port());
  plain.request("GET", "/a");
  EXPECT_TRUE(metric_reaches("forebay_coalesced_waiting", {}, 20));
  hold->open();
  for (const auto id : streams) EXPECT_EQ(c.answer(id).body, "once");
  EXPECT_EQ(plain.read().body, "once");
  EXPECT_EQ(origin.count("/a"), 1U);
}

TEST_F(Http2, AClientThatClosesTheConnectionEndsASilentEventStream) {
  const auto hold = gate();
  origin.on(
      "/a",
      Reply().field("Content-Type", "text/event-stream").body("data: 1\n\ndata: 2\n\n").chunked(9).gate_at(9, hold));
  start();
  {
    auto c = connect_h2();
    const auto id = c.get("/a");
    EXPECT_TRUE(c.until([&] { return c.in.on(id).body == "data: 1\n\n"; }));
    EXPECT_EQ(metric("forebay_origin_requests_in_flight"), 1);
  }
  EXPECT_TRUE(eventually([&] { return metric("forebay_origin_requests_in_flight") == 0; }));
  hold->open();
}

TEST_F(Http2, AClientThatCancelsDoesNotEndTheFetchOfOthers) {
  auto hold = gate();
  origin.on("/a", Reply::fresh("for the other").after(hold));
  start();
  auto c = connect_h2();
  const auto leader = c.get("/a");
  EXPECT_TRUE(origin.wait_for("/a", 1));
  const auto follower = c.get("/a");
  EXPECT_TRUE(metric_reaches("forebay_coalesced_waiting", {}, 1));
  c.send(h2::rst_stream(leader));
  hold->open();
  EXPECT_EQ(c.answer(follower).body, "for the other");
  EXPECT_EQ(c.in.on(leader).status, 0);
}

TEST_F(Http2, TheOriginGetsAnOrdinaryRequest) {
  origin.on("/a", Reply::fresh());
  start();
  auto c = connect_h2();
  c.answer(
      c.get("/a?q=1", {{"cookie", "a=1"}, {"cookie", "b=2"}, {"te", "trailers"}, {"x-own", "v"}, {"priority", "u=1"}}));
  ASSERT_EQ(origin.count("/a"), 1U);
  const auto seen = origin.requests("/a").front();
  EXPECT_EQ(seen.target, "/a?q=1");
  EXPECT_EQ(seen.fields.get("Host"), "shop.test");
  EXPECT_EQ(seen.fields.count("Cookie"), 1U);
  EXPECT_EQ(seen.fields.get("Cookie"), "a=1; b=2");
  EXPECT_EQ(seen.fields.get("X-Own"), "v");
  EXPECT_THAT(seen.fields.get("Via"), HasSubstr("2.0 "));
  EXPECT_FALSE(seen.fields.has("TE"));
}

TEST_F(Http2, MalformedRequestsNeverReachTheOrigin) {
  start();
  const std::vector<h2::Lines> bad{
      {{"x", "a\r\nTransfer-Encoding: chunked"}},
      {{"transfer-encoding", "chunked"}},
      {{"content-length", "5"}},
      {{"host", "other.test"}},
      {{"x\r\ny", "z"}},
      {{"connection", "x"}},
  };
  for (const auto& more : bad) {
    auto c = connect_h2();
    EXPECT_EQ(c.answer(c.get("/bad", more)).reset, h2::kProtocolError) << more[0].first;
  }
  EXPECT_EQ(origin.count("/bad"), 0U);
  EXPECT_TRUE(metric_reaches("forebay_connections_rejected_total", {{"reason", "malformed"}}, 6));
  const auto line = access_line("/bad");
  EXPECT_EQ(line.at("status"), "400");
}

TEST_F(Http2, APostBodyReachesTheOriginWhole) {
  origin.on("/up", Reply().body("taken"));
  start("routes: [{path: /**, methods: [GET, POST]}]\n");
  auto c = connect_h2();
  const auto content = pattern(300'000);
  const auto id = c.request("POST", "/up", {}, false);
  std::size_t sent = 0, all = 0;
  while (sent < content.size()) {
    ASSERT_TRUE(c.until([&] { return 65536 + c.in.on(id).credit > sent && 65535 + c.in.credit > all; }));
    const auto most = std::min<std::size_t>({16384, content.size() - sent,
                                             static_cast<std::size_t>(65536 + c.in.on(id).credit - sent),
                                             static_cast<std::size_t>(65535 + c.in.credit - all)});
    sent += most;
    all += most;
    c.send(h2::data(id, std::string_view(content).substr(sent - most, most), sent == content.size()));
  }
  EXPECT_EQ(c.answer(id).body, "taken");
  EXPECT_TRUE(origin.requests("/up").front().body == content);
}

TEST_F(Http2, UploadsThatWaitForTheirOriginKeepNoOtherUploadBack) {
  auto hold = gate();
  origin.on("/busy/first", Reply().body("first").after(hold));
  origin.on("/busy/up", Reply().body("late"));
  origin.on("/up", Reply().body("taken"));
  // One request holds the only connection to `busy`, so that nobody reads the content of others.
  start("origins: {busy: {url: '" + origin.url() + "', pool: {max_connections: 1, queue_timeout: 5m}}, free: {url: '" +
        origin.url() +
        "'}}\nroutes: [{path: /busy/**, origin: busy, cache: false, request_buffer: 0}, "
        "{path: /**, origin: free, cache: false}]\n");
  auto c = connect_h2();
  const auto first = c.get("/busy/first");
  EXPECT_TRUE(origin.wait_for("/busy/first", 1));
  const std::string piece(16384, 'u');
  std::size_t all = 0;
  const auto send_piece = [&](std::uint32_t id, bool ends) {
    if (!c.until([&] { return 65535 + c.in.credit >= all + piece.size(); })) return false;
    all += piece.size();
    return c.send(h2::data(id, piece, ends));
  };
  std::vector<std::uint32_t> stalled;
  for (int i = 0; i < 20; ++i) {
    stalled.push_back(c.request("POST", "/busy/up", {}, false));
    for (int n = 0; n < 4; ++n) ASSERT_TRUE(send_piece(stalled.back(), n == 3)) << i;
  }
  const auto id = c.request("POST", "/up", {}, false);
  for (std::size_t sent = 0; sent < 16 * piece.size(); sent += piece.size()) {
    ASSERT_TRUE(c.until([&] { return 65536 + c.in.on(id).credit >= sent + piece.size(); }));
    ASSERT_TRUE(send_piece(id, sent == 15 * piece.size()));
  }
  EXPECT_EQ(c.answer(id).body, "taken");
  EXPECT_EQ(origin.count("/busy/up"), 0U);
  hold->open();
  EXPECT_EQ(c.answer(first).body, "first");
  for (const auto upload : stalled) EXPECT_EQ(c.answer(upload).body, "late");
  EXPECT_EQ(origin.requests("/busy/up").front().body.size(), 4 * piece.size());
}

TEST_F(Http2, TrailersPassBothWays) {
  origin.on("/up", Reply().chunked().body("x").trailer("X-Sum", "1"));
  start();
  auto c = connect_h2();
  const auto id = c.request("POST", "/up", {}, false);
  c.send(h2::data(id, "abc", false) + h2::headers(id, {{"x-check", "abc"}}, true));
  const auto& answer = c.answer(id);
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.trailers, ElementsAre(testing::Pair("x-sum", "1")));
  EXPECT_EQ(origin.requests("/up").front().trailers.get("X-Check"), "abc");
}

TEST_F(Http2, LargeAnswersFollowTheCreditOfTheClient) {
  const auto content = pattern(3'000'000);
  origin.on("/large", Reply::fresh(content));
  start();
  auto c = connect_h2();
  for (int i = 0; i < 2; ++i) {
    const auto& answer = c.answer(c.get("/large"));
    EXPECT_TRUE(answer.body == content);
  }
  EXPECT_EQ(origin.count("/large"), 1U);
}

TEST_F(Http2, ManyStreamsAtATime) {
  start();
  for (int i = 0; i < 100; ++i)
    origin.on("/" + std::to_string(i), Reply::fresh(pattern(1000 + static_cast<std::size_t>(i))));
  auto c = connect_h2();
  for (int round = 0; round < 2; ++round) {
    std::vector<std::uint32_t> streams;
    for (int i = 0; i < 100; ++i) streams.push_back(c.get("/" + std::to_string(i)));
    for (int i = 0; i < 100; ++i)
      EXPECT_TRUE(c.answer(streams[static_cast<std::size_t>(i)]).body == pattern(1000 + static_cast<std::size_t>(i)));
  }
}

TEST_F(Http2, AnAnswerThatBreaksOffIsReset) {
  origin.on("/cut", Reply().field("Cache-Control", "no-store").body(pattern(100'000)).cut(50'000, End::Rst));
  start();
  auto c = connect_h2();
  const auto& answer = c.answer(c.get("/cut"));
  EXPECT_EQ(answer.reset, h2::kInternalError);
  EXPECT_FALSE(answer.ended);
  origin.on("/next", Reply::fresh("next"));
  EXPECT_EQ(c.answer(c.get("/next")).body, "next");
}

TEST_F(Http2, InterimResponsesOfTheOriginPass) {
  origin.on("/a", Reply::fresh().interim(103, {{"Link", "</a.css>; rel=preload"}}));
  start();
  auto c = connect_h2();
  const auto& answer = c.answer(c.get("/a"));
  ASSERT_EQ(answer.interim.size(), 1U);
  EXPECT_EQ(answer.interim[0].status, 103);
}

TEST_F(Http2, DrainFinishesEveryStream) {
  auto hold = gate();
  origin.on("/slow", Reply::fresh("whole").after(hold));
  start("shutdown: {drain: 10m}\nroutes: [{path: /**}]\n");
  auto c = connect_h2();
  const auto one = c.get("/slow");
  EXPECT_TRUE(origin.wait_for("/slow", 1));
  daemon->signal(SIGTERM);
  EXPECT_TRUE(c.until([&] { return !c.in.goaways.empty(); }));
  EXPECT_TRUE(c.until([&] { return c.in.goaways.size() == 2; }));
  EXPECT_EQ(c.in.goaways[1].first, one);
  hold->open();
  EXPECT_EQ(c.answer(one).body, "whole");
  EXPECT_TRUE(c.closed());
  EXPECT_EQ(daemon->wait_exit().value_or(-1), 0);
}

TEST_F(Http2, AbuseIsCounted) {
  start();
  auto c = connect_h2();
  std::string pings;
  for (int i = 0; i < 5000; ++i) pings += h2::ping();
  c.send(pings);
  EXPECT_TRUE(c.until([&] { return !c.in.goaways.empty(); }));
  EXPECT_EQ(c.in.goaways[0].second, h2::kEnhanceYourCalm);
  EXPECT_TRUE(metric_reaches("forebay_http2_abuse_total", {{"kind", "ping"}}, 1));
}

TEST_F(Http2, AListenerWithoutHttp2RefusesThePreface) {
  start("listen: [{address: '127.0.0.1:0', http2: false}]\nroutes: [{path: /**}]\n");
  auto c = Client(daemon->port());
  c.send(h2::kPreface);
  const auto a = c.read();
  EXPECT_EQ(a.status, 505);
  EXPECT_THAT(a.body, HasSubstr("uses HTTP/2"));
}

TEST_F(Http2, ConnectionsAreCountedByProtocol) {
  start();
  auto c = connect_h2();
  c.answer(c.get("/"));
  EXPECT_TRUE(metric_becomes("forebay_connections", {{"protocol", "http2"}}, 1));
}

}  // namespace
}  // namespace forebay::test
