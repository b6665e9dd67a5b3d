// Expect: 100-continue, RFC 9110 section 10.1.1: the origin's word goes before the upload.
#include "support/forebay_test.hpp"

namespace forebay::test {
namespace {

class Expect : public ForebayTest {
 protected:
  void SetUp() override {
    origin.otherwise([](const Received& r) { return Reply().body("got " + std::to_string(r.body.size())); });
  }
  static std::string asking(const std::string& target, const std::string& framing = "Content-Length: 4") {
    return "POST " + target + " HTTP/1.1\r\nHost: shop.test\r\nExpect: 100-continue\r\n" + framing + "\r\n\r\n";
  }
};

TEST_F(Expect, TheOriginsInvitationIsTheClients) {
  origin.invite("/a");
  start();
  auto c = connect();
  for (int i = 1; i <= 2; ++i) {
    c.send(asking("/a"));
    EXPECT_TRUE(origin.wait_for("/a", static_cast<std::size_t>(i))) << "the head goes first";
    EXPECT_EQ(origin.last("/a").get("Expect"), "100-continue");
    EXPECT_EQ(c.read_message("POST").status, 100);
    c.send("body");
    const auto a = c.read_message("POST");
    EXPECT_EQ(a.status, 200) << "one 100, then the answer";
    EXPECT_EQ(a.body, "got 4");
  }
  EXPECT_EQ(origin.connections(), 1u) << "the connection serves on";
}

TEST_F(Expect, AFinalAnswerOfTheOriginComesBeforeTheUpload) {
  for (const int status : {200, 307, 401, 413, 417, 500})
    origin.on_head("/" + std::to_string(status), Reply(status).body("final"));
  start();
  for (const int status : {200, 307, 401, 413, 417, 500}) {
    for (const std::string framing : {"Content-Length: 1000000", "Transfer-Encoding: chunked"}) {
      auto c = connect();
      c.send(asking("/" + std::to_string(status), framing));
      const auto a = c.read_message("POST");
      EXPECT_EQ(a.status, status) << "and no 100 before it";
      EXPECT_EQ(a.body, "final");
      EXPECT_EQ(a.get("Connection"), "close") << "whether the content comes nobody can tell";
      EXPECT_TRUE(c.closed());
    }
  }
  EXPECT_EQ(get("/next").body, "got 0") << "and no connection of the origin is used again that still waits for content";
}

TEST_F(Expect, AnOriginThatSaysNothingDoesNotKeepTheClientWaiting) {
  start();
  auto c = connect();
  const auto began = Clock::now();
  c.send(asking("/a"));
  EXPECT_EQ(c.read_message("POST").status, 100);
  EXPECT_GE(Clock::now() - began, milliseconds{900}) << "the origin has its second";
  c.send("body");
  EXPECT_EQ(c.read_message("POST").body, "got 4");
  EXPECT_EQ(c.get("/next").status, 200);
}

TEST_F(Expect, AClientThatDoesNotWaitIsServedWithoutAn100) {
  start();
  auto c = connect();
  c.send(asking("/a") + "body");
  const auto a = c.read_message("POST");
  EXPECT_EQ(a.status, 200);
  EXPECT_EQ(a.body, "got 4");
  c.send(asking("/late"));
  EXPECT_TRUE(origin.wait_for("/late", 1));
  c.send("body");
  EXPECT_EQ(c.read_message("POST").body, "got 4") << "it may give up waiting: then no 100 is needed either";
}

TEST_F(Expect, WithoutContentItIsNothingToWaitFor) {
  start();
  auto c = connect();
  c.send(asking("/a", "Content-Length: 0"));
  EXPECT_EQ(c.read_message("POST").status, 200);
  EXPECT_FALSE(origin.last("/a").has("Expect"));
}

TEST_F(Expect, OtherInterimAnswersGoOnBeforeThe100) {
  origin.on_head("/a", Reply(401).interim(102).body("no"));
  start();
  auto c = connect();
  c.send(asking("/a"));
  EXPECT_EQ(c.read_message("POST").status, 102);
  EXPECT_EQ(c.read_message("POST").status, 401);
}

TEST_F(Expect, An100ThatNobodyAskedForGoesNoFurther) {
  origin.on("/a", Reply().interim(100).body("x"));
  start();
  const auto a = ask("POST", "/a", {}, "body");
  EXPECT_THAT(a.interim, IsEmpty());
  EXPECT_EQ(a.body, "x");
}

TEST_F(Expect, WhereTheContentIsInTheKeyForebayInvitesItself) {
  origin.on("/a", Reply::fresh("answer"));
  start("routes: [{path: /**, methods: POST, key: {body_max: 1KiB}}]\n");
  auto c = connect();
  c.send(asking("/a"));
  EXPECT_EQ(c.read_message("POST").status, 100);
  EXPECT_EQ(origin.count("/a"), 0u) << "nobody else has been asked";
  c.send("body");
  EXPECT_EQ(c.read_message("POST").x_cache(), "MISS");
  EXPECT_FALSE(origin.last("/a").has("Expect"));
  origin.on_head("/big", Reply(413).body("no"));
  c.send(asking("/big", "Content-Length: 2000"));
  EXPECT_EQ(c.read_message("POST").status, 413) << "what is too long for a key is the origin's to judge";
}

TEST_F(Expect, ADeadIdleConnectionIsReplacedAndAskedAgain) {
  origin.on("/warm", Reply().body("warm"));
  start("server: {threads: 1}\nroutes: [{path: /**}]\n");
  EXPECT_EQ(get("/warm").status, 200);
  EXPECT_TRUE(metric_reaches("forebay_origin_connections", {{"state", "idle"}}, 1));
  origin.on_head("/a", Reply::hang_up(End::Rst));
  auto c = connect();
  std::string put = asking("/a");
  put.replace(0, 4, "PUT");
  c.send(put);
  EXPECT_TRUE(origin.wait_for("/a", 2));
  for (const auto& r : origin.requests("/a")) EXPECT_EQ(r.get("Expect"), "100-continue");
  EXPECT_EQ(c.read_message("PUT").status, 502);
}

TEST_F(Expect, ExpectContinueIsNotInvitedWhereTheAnswerIsAnError) {
  start("server: {threads: 1, limits: {request_body: 1KiB}}\nroutes: [{path: /**}]\n");
  auto c = connect();
  c.send("POST /a HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 4000\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(c.read_message().status, 413);
  EXPECT_TRUE(c.closed());
}

TEST_F(Expect, AnUnknownExpectationIs417) {
  start();
  EXPECT_EQ(ask("POST", "/a", {{"Expect", "miracles"}}, "x").status, 417);
  EXPECT_EQ(origin.count(), 0u);
}

TEST_F(Expect, AnHttp10ClientIsNotInvitedToContinue) {
  start();
  auto c = connect();
  c.send("POST /a HTTP/1.0\r\nHost: shop.test\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\nbody");
  EXPECT_EQ(c.read_message().status, 200);
}

}  // namespace
}  // namespace forebay::test
