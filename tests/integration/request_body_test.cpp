// Bodies of requests: streamed in bounded memory, replayed never wrongly, and cut where the client was cut.
#include "support/forebay_test.hpp"

namespace forebay::test {
namespace {

class RequestBody : public ForebayTest {
 protected:
  void SetUp() override {
    origin.otherwise([](const Received& r) { return Reply().body("got " + std::to_string(r.body.size())); });
  }
};

TEST_F(RequestBody, BodiesOfEverySizeReachTheOriginByteForByte) {
  start();
  for (const std::size_t n : {0u, 1u, 1000u, 65537u, 3000000u}) {
    const auto a = ask("POST", "/p" + std::to_string(n), {{"Content-Length", std::to_string(n)}}, pattern(n));
    EXPECT_EQ(a.status, 200) << n;
    EXPECT_TRUE(origin.last("/p" + std::to_string(n)).body == pattern(n)) << n;
    EXPECT_EQ(origin.last("/p" + std::to_string(n)).get("Content-Length"), std::to_string(n))
        << "a known length stays known";
  }
}

TEST_F(RequestBody, AChunkedBodyIsPassedOnAsItComes) {
  start();
  auto c = connect();
  c.send("POST /a HTTP/1.1\r\nHost: shop.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n");
  EXPECT_TRUE(origin.wait_until("/a", [](const Received& r) { return r.body == "first"; }))
      << "streamed: the rest is not sent yet";
  c.send("6\r\nsecond\r\n0\r\nX-Trailer: t\r\n\r\n");
  EXPECT_EQ(c.read().body, "got 11");
  EXPECT_EQ(origin.last("/a").body, "firstsecond");
  EXPECT_TRUE(origin.last("/a").complete);
}

TEST_F(RequestBody, ABodyByLengthIsStreamedToo) {
  start();
  auto c = connect();
  c.send("PUT /a HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 11\r\n\r\nfirst");
  EXPECT_TRUE(origin.wait_until("/a", [](const Received& r) { return r.body == "first"; }));
  c.send("second");
  EXPECT_EQ(c.read("PUT").body, "got 11");
}

TEST_F(RequestBody, ABodyThatIsCutNeverLooksCompleteToTheOrigin) {
  start();
  for (const bool reset : {false, true}) {
    for (const std::string head : {"Content-Length: 100", "Transfer-Encoding: chunked"}) {
      const std::string path = std::string("/") + (reset ? "rst" : "fin") + (head[0] == 'C' ? "-length" : "-chunked");
      auto c = connect();
      c.send("POST " + path + " HTTP/1.1\r\nHost: shop.test\r\n" + head + "\r\n\r\n" +
             (head[0] == 'C' ? "part" : "4\r\npart\r\n"));
      EXPECT_TRUE(origin.wait_until(path, [](const Received& r) { return r.body == "part"; })) << path;
      if (reset)
        c.socket().reset();
      else
        c.socket().close();
      EXPECT_TRUE(origin.wait_until(path, [](const Received& r) { return r.broken; })) << path;
      EXPECT_FALSE(origin.last(path).complete) << path;
    }
  }
}

TEST_F(RequestBody, ABodyThatCannotBeParsedMidwayNeverLooksComplete) {
  start();
  auto c = connect();
  c.send("POST /a HTTP/1.1\r\nHost: shop.test\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n");
  EXPECT_TRUE(origin.wait_until("/a", [](const Received& r) { return r.body == "part"; }));
  c.send("zz\r\nGET /smuggled HTTP/1.1\r\n\r\n");
  EXPECT_TRUE(origin.wait_until("/a", [](const Received& r) { return r.broken; }));
  EXPECT_THAT(c.read().status, AnyOf(400, 0));
  EXPECT_TRUE(c.closed());
  EXPECT_EQ(origin.count("/smuggled"), 0u);
}

TEST_F(RequestBody, ExpectContinueIsAnsweredBeforeTheBodyIsSent) {
  start();
  auto c = connect();
  c.send("POST /a HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
  const auto interim = c.read_message();
  EXPECT_EQ(interim.status, 100);
  c.send("body");
  const auto a = c.read();
  EXPECT_EQ(a.body, "got 4");
  EXPECT_EQ(c.get("/next").status, 200);
}

TEST_F(RequestBody, ExpectContinueIsNotInvitedWhereTheAnswerIsAnError) {
  start("server: {threads: 1, limits: {request_body: 1KiB}}\nroutes: [{path: /**}]\n");
  auto c = connect();
  c.send("POST /a HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 4000\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(c.read_message().status, 413);
  EXPECT_TRUE(c.closed());
}

TEST_F(RequestBody, AnUnknownExpectationIs417) {
  start();
  EXPECT_EQ(ask("POST", "/a", {{"Expect", "miracles"}}, "x").status, 417);
  EXPECT_EQ(origin.count(), 0u);
}

TEST_F(RequestBody, AnHttp10ClientIsNotInvitedToContinue) {
  start();
  auto c = connect();
  c.send("POST /a HTTP/1.0\r\nHost: shop.test\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\nbody");
  EXPECT_EQ(c.read_message().status, 200);
}

TEST_F(RequestBody, AnEarlyAnswerOfTheOriginIsPassedOnAndItsConnectionNotReused) {
  origin.on_head("/early", Reply(413).body("no thanks"));
  start();
  auto c = connect();
  c.send("POST /early HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 1000000\r\n\r\n" + std::string(1000, 'x'));
  const auto a = c.read();
  EXPECT_EQ(a.status, 413);
  EXPECT_EQ(a.body, "no thanks");
  EXPECT_EQ(get("/next").body, "got 0");
}

TEST_F(RequestBody, TheBodyOfARefusedRequestIsNotTakenForTheNextRequest) {
  start("routes: [{path: /a, cache: false}]\n");
  auto c = connect();
  const std::string evil = "GET /smuggled HTTP/1.1\r\nHost: shop.test\r\n\r\n";
  c.send("POST /a HTTP/1.1\r\nHost: shop.test\r\nCDN-Loop: " +
         [&] {
           get("/a");
           return origin.last("/a").get("CDN-Loop");
         }() +
         "\r\nContent-Length: " + std::to_string(evil.size()) + "\r\n\r\n" + evil);
  EXPECT_EQ(c.read().status, 508);
  c.closed(milliseconds{200});
  EXPECT_EQ(c.pending(), "");
  EXPECT_EQ(origin.count("/smuggled"), 0u);
}

TEST_F(RequestBody, TwoHundredUploadsAtATimeArriveWhole) {
  start();
  std::vector<Client> all;
  const auto body = pattern(50000);
  for (int i = 0; i < 200; ++i) {
    all.push_back(connect());
    all.back().send("POST /u HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 50000\r\n\r\n" + body.substr(0, 25000));
  }
  for (auto& c : all) c.send(body.substr(25000));
  for (auto& c : all) EXPECT_EQ(c.read().body, "got 50000");
  for (const auto& r : origin.requests("/u")) EXPECT_TRUE(r.body == body);
}

}  // namespace
}  // namespace forebay::test
