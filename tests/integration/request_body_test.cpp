// Bodies of requests: streamed in bounded memory, replayed never wrongly, and cut where the client was cut.
#include <atomic>

#include "support/content.hpp"
#include "support/forebay_test.hpp"

namespace forebay::test {
namespace {

// Nothing is read ahead, so that what the client has sent is at the origin.
constexpr std::string_view kStreaming = "routes: [{path: /**, request_buffer: 0}]\n";

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
  start(kStreaming);
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
  start(kStreaming);
  auto c = connect();
  c.send("PUT /a HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 11\r\n\r\nfirst");
  EXPECT_TRUE(origin.wait_until("/a", [](const Received& r) { return r.body == "first"; }));
  c.send("second");
  EXPECT_EQ(c.read("PUT").body, "got 11");
}

TEST_F(RequestBody, ABodyThatIsCutNeverLooksCompleteToTheOrigin) {
  start(kStreaming);
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
  start(kStreaming);
  auto c = connect();
  c.send("POST /a HTTP/1.1\r\nHost: shop.test\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n");
  EXPECT_TRUE(origin.wait_until("/a", [](const Received& r) { return r.body == "part"; }));
  c.send("zz\r\nGET /smuggled HTTP/1.1\r\n\r\n");
  EXPECT_TRUE(origin.wait_until("/a", [](const Received& r) { return r.broken; }));
  EXPECT_THAT(c.read().status, AnyOf(400, 0));
  EXPECT_TRUE(c.closed());
  EXPECT_EQ(origin.count("/smuggled"), 0u);
}

TEST_F(RequestBody, ASmallBodyIsWholeBeforeTheOriginHearsOfIt) {
  start();
  for (const bool sized : {true, false}) {
    const std::string path = sized ? "/sized" : "/chunked";
    auto c = connect();
    c.send("POST " + path + " HTTP/1.1\r\nHost: shop.test\r\n" +
           (sized ? "Content-Length: 11\r\n\r\nfirst" : "Transfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n"));
    EXPECT_EQ(get("/other").status, 200);
    EXPECT_EQ(origin.count(path), 0u);
    c.send(sized ? "second" : "6\r\nsecond\r\n0\r\n\r\n");
    EXPECT_EQ(c.read("POST").body, "got 11");
    EXPECT_EQ(origin.last(path).body, "firstsecond");
    EXPECT_EQ(origin.last(path).get("Content-Length"), "11") << "its length is known by then";
    EXPECT_EQ(c.get("/next").status, 200) << "the connection goes on";
  }
}

TEST_F(RequestBody, OfALargeBodyTheFirstPartIsThereBeforeTheOriginHearsOfIt) {
  start("routes: [{path: /**, request_buffer: 4KiB}]\n");
  const auto body = pattern(20000);
  for (const bool sized : {true, false}) {
    const std::string path = sized ? "/sized" : "/chunked";
    const auto framed = [&](const std::string& piece) {
      return sized || piece.empty() ? piece : chunked(piece, 1000).substr(0, chunked(piece, 1000).size() - 5);
    };
    auto c = connect();
    c.send("POST " + path + " HTTP/1.1\r\nHost: shop.test\r\n" +
           (sized ? "Content-Length: 20000" : "Transfer-Encoding: chunked") + "\r\n\r\n" +
           framed(body.substr(0, 3000)));
    EXPECT_EQ(get("/other").status, 200);
    EXPECT_EQ(origin.count(path), 0u);
    c.send(framed(body.substr(3000, 2000)));
    EXPECT_TRUE(origin.wait_until(path, [&](const Received& r) { return r.body == body.substr(0, 5000); }))
        << "then it streams";
    c.send(framed(body.substr(5000)) + (sized ? "" : "0\r\n\r\n"));
    EXPECT_EQ(c.read("POST").body, "got 20000");
    EXPECT_TRUE(origin.last(path).body == body);
  }
}

TEST_F(RequestBody, ABodyOfExactlyTheBufferIsOne) {
  start("routes: [{path: /**, request_buffer: 1KiB}]\n");
  for (const std::size_t n : {1023u, 1024u, 1025u}) {
    const auto path = "/" + std::to_string(n);
    EXPECT_EQ(ask("POST", path, {}, pattern(n)).body, "got " + std::to_string(n));
    EXPECT_EQ(ask("POST", path + "c", {{"Transfer-Encoding", "chunked"}}, chunked(pattern(n), 100)).body,
              "got " + std::to_string(n));
    EXPECT_TRUE(origin.last(path + "c").body == pattern(n));
  }
}

TEST_F(RequestBody, TrailersOfABufferedBodyReachTheOrigin) {
  start();
  auto c = connect();
  c.send("POST /a HTTP/1.1\r\nHost: shop.test\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\nX-Sum: 7\r\n\r\n");
  EXPECT_EQ(c.read("POST").body, "got 4");
  EXPECT_EQ(origin.last("/a").trailers.get("X-Sum"), "7");
  EXPECT_EQ(c.get("/next").status, 200);
  EXPECT_FALSE(origin.last("/next").trailers.has("X-Sum"));
}

TEST_F(RequestBody, PipelinedBodiesThatComeInPiecesKeepTheirOrder) {
  start();
  auto c = connect();
  std::string all;
  for (int i = 0; i < 10; ++i) {
    const auto body = pattern(static_cast<std::size_t>(i) * 700);
    all += "POST /p" + std::to_string(i) + " HTTP/1.1\r\nHost: shop.test\r\n" +
           (i % 2 ? "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body
                  : "Transfer-Encoding: chunked\r\n\r\n" + chunked(body, 333));
  }
  for (std::size_t at = 0; at < all.size(); at += 977) c.send(all.substr(at, 977));
  for (int i = 0; i < 10; ++i) EXPECT_EQ(c.read("POST").body, "got " + std::to_string(i * 700));
  for (int i = 0; i < 10; ++i)
    EXPECT_TRUE(origin.last("/p" + std::to_string(i)).body == pattern(static_cast<std::size_t>(i) * 700));
}

TEST_F(RequestBody, AnHttp10ClientsBodyIsBufferedToo) {
  start();
  auto c = connect();
  c.send("POST /a HTTP/1.0\r\nHost: shop.test\r\nContent-Length: 8\r\n\r\nhalf");
  EXPECT_EQ(get("/other").status, 200);
  EXPECT_EQ(origin.count("/a"), 0u);
  c.send("half");
  EXPECT_EQ(c.read("POST").body, "got 8");
}

TEST_F(RequestBody, ABufferedBodyIsSentAgainWhereAnIdleConnectionTurnsOutDead) {
  origin.on("/warm", Reply().body("warm"));
  start("server: {threads: 1}\nroutes: [{path: /**}]\n");
  std::atomic<int> tries = 0;
  origin.on("/a", [&](const Received& r) {
    return ++tries == 1 ? Reply::hang_up(End::Rst) : Reply().body("got " + std::to_string(r.body.size()));
  });
  EXPECT_EQ(get("/warm").status, 200);
  EXPECT_TRUE(metric_reaches("forebay_origin_connections", {{"state", "idle"}}, 1));
  EXPECT_EQ(ask("PUT", "/a", {}, pattern(60000)).body, "got 60000");
  EXPECT_TRUE(origin.last("/a").body == pattern(60000));
  EXPECT_EQ(tries, 2);
}

TEST_F(RequestBody, AClientThatLeavesBeforeItsBodyIsWholeCostsTheOriginNothing) {
  start();
  for (const bool reset : {true, false}) {
    auto c = connect();
    c.send("POST /gone HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 100\r\n\r\nhalf");
    EXPECT_TRUE(metric_reaches("forebay_connections", {}, 1));
    reset ? c.socket().reset() : c.socket().close();
    EXPECT_TRUE(eventually([&] { return metric("forebay_connections") == 0; }));
  }
  EXPECT_TRUE(alive());
  EXPECT_EQ(origin.count("/gone"), 0u);
}

TEST_F(RequestBody, AnEarlyAnswerOfTheOriginIsPassedOnAndItsConnectionNotReused) {
  origin.on_head("/early", Reply(413).body("no thanks"));
  start();
  auto c = connect();
  c.send("POST /early HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 1000000\r\n\r\n" + std::string(100000, 'x'));
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
