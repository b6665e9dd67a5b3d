// Connections of clients: keep-alive, HTTP/1.0, pipelining, half-close. RFC 9112 section 9.
#include "support/forebay_test.hpp"

namespace forebay::test {
namespace {

class Connections : public ForebayTest {
 protected:
  void SetUp() override {
    origin.otherwise([](const Received& r) { return Reply::fresh(r.path); });
  }
};

TEST_F(Connections, OneConnectionCarriesManyRequests) {
  start();
  auto c = connect();
  for (int i = 0; i < 50; ++i) EXPECT_EQ(c.get("/" + std::to_string(i % 7)).body, "/" + std::to_string(i % 7));
  EXPECT_TRUE(metric_reaches("forebay_connections_accepted_total", {}, 1));
  EXPECT_TRUE(metric_becomes("forebay_connections_accepted_total", {{"listener", "127.0.0.1:0"}}, 1));
}

TEST_F(Connections, CloseIsHonoured) {
  start();
  auto c = connect();
  const auto a = c.get("/a", {{"Connection", "close"}});
  EXPECT_EQ(a.get("Connection"), "close");
  EXPECT_TRUE(c.closed());
}

TEST_F(Connections, Http10ClosesUnlessKeepAliveIsAsked) {
  start();
  auto c = connect();
  c.send("GET /a HTTP/1.0\r\nHost: shop.test\r\n\r\n");
  EXPECT_EQ(c.read().body, "/a");
  EXPECT_TRUE(c.closed());
  auto kept = connect();
  for (int i = 0; i < 2; ++i) {
    kept.send("GET /a HTTP/1.0\r\nHost: shop.test\r\nConnection: keep-alive\r\n\r\n");
    const auto a = kept.read();
    EXPECT_EQ(a.body, "/a");
    EXPECT_TRUE(same_name(a.get("Connection"), "keep-alive"));
  }
}

TEST_F(Connections, AHalfClosedClientStillGetsItsAnswer) {
  auto hold = gate();
  origin.on("/slow", Reply::fresh("late").after(hold));
  start();
  auto c = connect();
  c.request("GET", "/slow");
  c.socket().finish_sending();
  EXPECT_TRUE(origin.wait_for("/slow", 1));
  hold->open();
  EXPECT_EQ(c.read().body, "late");
  EXPECT_TRUE(c.closed());
}

TEST_F(Connections, PipelinedRequestsOfMixedSpeedKeepTheirOrder) {
  auto hold = gate();
  origin.on("/slow", Reply::fresh("/slow").after(hold));
  start();
  get("/fast");
  auto c = connect();
  c.request("GET", "/slow");
  c.request("GET", "/fast");
  c.request("POST", "/post", {}, "body");
  c.request("HEAD", "/fast");
  c.request("GET", "/fast");
  EXPECT_TRUE(origin.wait_for("/slow", 1));
  hold->open();
  EXPECT_EQ(c.read().body, "/slow");
  EXPECT_EQ(c.read().body, "/fast");
  EXPECT_EQ(c.read("POST").body, "/post");
  EXPECT_EQ(c.read("HEAD").status, 200);
  EXPECT_EQ(c.read().body, "/fast");
  EXPECT_EQ(c.pending(), "");
}

TEST_F(Connections, APipelineThatIsCutInTheMiddleIsAnsweredAsFarAsItWent) {
  start();
  auto c = connect();
  c.send("GET /a HTTP/1.1\r\nHost: shop.test\r\n\r\nGET /b HTTP/1.1\r\nHos");
  c.socket().finish_sending();
  EXPECT_EQ(c.read().body, "/a");
  c.closed();
  EXPECT_EQ(origin.count("/b"), 0u);
}

TEST_F(Connections, ClientsThatLeaveMidwayLeakNothing) {
  origin.on("/big", Reply::fresh(pattern(3000000)));
  start();
  for (int i = 0; i < 30; ++i) {
    auto c = connect();
    c.request("GET", i % 3 ? "/big" : "/big?" + std::to_string(i));
    if (i % 2) c.read_head();
    if (i % 5) c.socket().reset();
  }
  EXPECT_TRUE(eventually([&] { return metric("forebay_connections") == 0; }));
  EXPECT_TRUE(eventually([&] { return metric("forebay_requests_in_flight") == 0; }));
  EXPECT_TRUE(alive());
}

TEST_F(Connections, AnAnswerWithoutAKnownLengthIsChunkedForHttp11) {
  origin.on("/c", Reply().chunked(3).body("0123456789").trailer("X-Sum", "45"));
  start();
  auto c = connect();
  const auto a = c.get("/c");
  EXPECT_EQ(a.framing, Answer::Framing::Chunked);
  EXPECT_EQ(a.body, "0123456789");
  EXPECT_FALSE(a.fields.has("X-Sum")) << "a trailer is never merged into the head";
  EXPECT_EQ(c.get("/a").status, 200);
}

}  // namespace
}  // namespace forebay::test
