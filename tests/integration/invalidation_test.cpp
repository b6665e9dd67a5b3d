// I6: RFC 9111 section 4.4 and contract section 2.8, "Writes".
#include "support/forebay_test.hpp"

namespace forebay::test {
namespace {

class Invalidation : public ForebayTest {
 protected:
  // GET answers are fresh and numbered; other methods get what the test says.
  void script(const std::string& path, Reply to_write) {
    origin.on(path, [to_write](const Received& r) {
      return r.method == "GET" || r.method == "HEAD" ? Reply::fresh(std::to_string(r.number)).field("Vary", "X-V")
                                                     : to_write;
    });
  }
  bool dropped_by(const std::string& method, const std::string& target, const std::string& watched) {
    const auto before = get(watched).body;
    EXPECT_EQ(get(watched).x_cache(), "HIT");
    ask(method, target, {}, "x");
    return get(watched).body != before;
  }
};

TEST_F(Invalidation, UnsafeMethodsThatSucceedDropTheUri) {
  script("/a", Reply(200).body("ok"));
  start();
  for (const auto* method : {"POST", "PUT", "PATCH", "DELETE", "M-SEARCH", "FROB"})
    EXPECT_TRUE(dropped_by(method, "/a", "/a")) << method;
  EXPECT_FALSE(dropped_by("OPTIONS", "/a", "/a"));
}

TEST_F(Invalidation, OnlyA2xxOr3xxCounts) {
  for (const int status : {200, 201, 204, 302, 303, 304, 400, 404, 409, 500, 503}) {
    const auto path = "/s" + std::to_string(status);
    script(path, Reply(status).field("X", "y"));
  }
  start();
  for (const int status : {200, 201, 204, 302, 303})
    EXPECT_TRUE(dropped_by("POST", "/s" + std::to_string(status), "/s" + std::to_string(status))) << status;
  for (const int status : {400, 404, 409, 500, 503})
    EXPECT_FALSE(dropped_by("POST", "/s" + std::to_string(status), "/s" + std::to_string(status))) << status;
}

TEST_F(Invalidation, LocationAndContentLocationOfTheSameOriginGoToo) {
  script("/loc", Reply(201));
  script("/cloc", Reply(201));
  script("/abs", Reply(201));
  script("/foreign", Reply(201));
  script("/w", Reply(201).field("Location", "/loc").field("Content-Location", "/cloc"));
  script("/w2", Reply(201).field("Location", "http://shop.test/abs"));
  script("/w3", Reply(201).field("Location", "http://elsewhere.test/foreign"));
  script("/dir/w4", Reply(201).field("Location", "../loc"));
  start();
  EXPECT_TRUE(dropped_by("POST", "/w", "/loc"));
  EXPECT_TRUE(dropped_by("POST", "/w", "/cloc"));
  EXPECT_TRUE(dropped_by("POST", "/w2", "/abs"));
  EXPECT_FALSE(dropped_by("POST", "/w3", "/foreign"));
  EXPECT_TRUE(dropped_by("POST", "/dir/w4", "/loc"));
}

TEST_F(Invalidation, AllVariantsOfTheUriGo) {
  script("/a", Reply(204));
  start();
  const auto one = get("/a", {{"X-V", "1"}}).body;
  const auto two = get("/a", {{"X-V", "2"}}).body;
  ask("DELETE", "/a");
  EXPECT_NE(get("/a", {{"X-V", "1"}}).body, one);
  EXPECT_NE(get("/a", {{"X-V", "2"}}).body, two);
}

TEST_F(Invalidation, KeysWithoutTheQueryGoToo) {
  script("/a", Reply(204));
  start("routes: [{path: /a, key: {query: none}}, {path: /**}]\n");
  const auto before = get("/a?x=1").body;
  EXPECT_EQ(get("/a?x=2").x_cache(), "HIT");
  ask("DELETE", "/a?x=1");
  EXPECT_NE(get("/a?x=1").body, before);
}

TEST_F(Invalidation, AnotherHostOrUriStays) {
  script("/a", Reply(204));
  script("/b", Reply(204));
  start();
  const auto other = get("/a", {{"Host", "other.test"}}).body;
  const auto b = get("/b").body;
  ask("DELETE", "/a");
  EXPECT_EQ(get("/a", {{"Host", "other.test"}}).body, other);
  EXPECT_EQ(get("/b").body, b);
}

TEST_F(Invalidation, ARouteMaySwitchItOff) {
  script("/a", Reply(204));
  start("routes: [{path: /**, invalidate_on_write: false}]\n");
  EXPECT_FALSE(dropped_by("DELETE", "/a", "/a"));
}

TEST_F(Invalidation, AFailedWriteAnswerOfForebayItselfInvalidatesNothing) {
  origin.on("/a", [](const Received& r) { return r.method == "GET" ? Reply::fresh("g") : Reply::hang_up(End::Rst); });
  start();
  get("/a");
  EXPECT_EQ(ask("POST", "/a", {}, "x").status, 502);
  EXPECT_EQ(get("/a").x_cache(), "HIT");
}

TEST_F(Invalidation, AFetchThatBeganBeforeTheWriteIsNotStored) {
  auto hold = gate();
  origin.on("/a", [hold](const Received& r) {
    if (r.method == "POST") return Reply(200).body("ok");
    return r.number == 1 ? Reply::fresh("before").after(hold) : Reply::fresh("after");
  });
  start();
  auto early = connect();
  early.request("GET", "/a");
  EXPECT_TRUE(origin.wait_for("/a", 1));
  EXPECT_EQ(ask("POST", "/a", {}, "x").status, 200);
  hold->open();
  EXPECT_EQ(early.read().body, "before");
  EXPECT_EQ(get("/a").body, "after");
}

TEST_F(Invalidation, APostWithContentLocationEqualToItsUriAnswersLaterGets) {
  origin.on("/a", [](const Received& r) {
    if (r.method == "POST") return Reply::with("max-age=60", "posted").field("Content-Location", "/a");
    return Reply::fresh("got");
  });
  origin.on("/b", [](const Received& r) {
    if (r.method == "POST") return Reply::with("max-age=60", "posted").field("Content-Location", "/other");
    return Reply::fresh("got");
  });
  start();
  EXPECT_EQ(ask("POST", "/a", {}, "x").body, "posted");
  const auto a = get("/a");
  EXPECT_EQ(a.body, "posted");
  EXPECT_EQ(a.x_cache(), "HIT");
  ask("POST", "/b", {}, "x");
  EXPECT_EQ(get("/b").body, "got");
}

}  // namespace
}  // namespace forebay::test
