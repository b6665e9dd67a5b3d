// Invalidation by writes (RFC 9111 section 4.4).
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
  const std::string http = scheme() + "://";
  script("/loc", Reply(201));
  script("/cloc", Reply(201));
  script("/abs", Reply(201));
  script("/foreign", Reply(201));
  script("/w", Reply(201).field("Location", "/loc").field("Content-Location", "/cloc"));
  script("/w2", Reply(201).field("Location", http + "shop.test/abs"));
  script("/w3", Reply(201).field("Location", http + "elsewhere.test/foreign"));
  script("/dir/w4", Reply(201).field("Location", "../loc"));
  start();
  EXPECT_TRUE(dropped_by("POST", "/w", "/loc"));
  EXPECT_TRUE(dropped_by("POST", "/w", "/cloc"));
  EXPECT_TRUE(dropped_by("POST", "/w2", "/abs"));
  EXPECT_FALSE(dropped_by("POST", "/w3", "/foreign"));
  EXPECT_TRUE(dropped_by("POST", "/dir/w4", "/loc"));
}

TEST_F(Invalidation, TheLocationOfARedirectStays) {
  script("/home", Reply(201));
  for (const int status : {301, 302, 303, 307, 308})
    script("/login" + std::to_string(status), Reply(status).field("Location", "/home"));
  script("/moved", Reply(303).field("Location", "/other").field("Content-Location", "/home"));
  start();
  for (const int status : {301, 302, 303, 307, 308})
    EXPECT_FALSE(dropped_by("POST", "/login" + std::to_string(status), "/home")) << status;
  EXPECT_TRUE(dropped_by("POST", "/login303", "/login303"));
  EXPECT_TRUE(dropped_by("POST", "/moved", "/home"));
}

TEST_F(Invalidation, AWriteThroughAnyRouteDropsWhatAnotherStored) {
  script("/a", Reply(200).body("ok"));
  start(R"(
routes:
  - {name: reads, path: /**, methods: [GET, HEAD, REPORT]}
  - {name: off, path: /a, methods: [GET, PUT, POST], cache: false}
  - {name: writes, path: /a, methods: [PATCH, DELETE], bypass: {headers: [X-Write], cookies: [w], query: [w]}}
)");
  EXPECT_FALSE(dropped_by("REPORT", "/a", "/a")) << "a route that caches it declares it a read";
  const auto dropped = [&](const std::string& method, const FieldLines& fields) {
    const auto before = get("/a").body;
    EXPECT_EQ(get("/a").x_cache(), "HIT");
    EXPECT_EQ(ask(method, "/a", fields, "x").status, 200);
    return get("/a").body != before;
  };
  for (const auto* method : {"PUT", "POST", "FROB"}) EXPECT_TRUE(dropped(method, {})) << method;
  for (const auto* method : {"PATCH", "DELETE"}) {
    EXPECT_FALSE(dropped(method, {})) << method;
    EXPECT_TRUE(dropped(method, {{"X-Write", "1"}})) << method;
    EXPECT_TRUE(dropped(method, {{"Cookie", "w=1"}})) << method;
  }
}

TEST_F(Invalidation, AWriteThatNoRouteMatchesDropsWhatItNames) {
  script("/a", Reply(200));
  script("/write", Reply(204).field("Content-Location", "/a"));
  start("routes: [{path: /a}]\n");
  EXPECT_TRUE(dropped_by("POST", "/write", "/a"));
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

TEST_F(Invalidation, APostThatAnswersLaterGetsIsNotStoredAfterAPurgeThatItDoesNotKnow) {
  auto hold = gate();
  origin.on("/a", [hold](const Received& r) {
    if (r.method == "PUT") return Reply(204);
    if (r.method == "POST") return Reply::with("max-age=60", "posted").field("Content-Location", "/a").after(hold);
    return Reply::fresh("got");
  });
  start();
  auto slow = connect();
  slow.request("POST", "/a", {}, "x");
  EXPECT_TRUE(origin.wait_for("/a", 1));
  EXPECT_EQ(ask("PUT", "/a", {}, "y").status, 204);
  hold->open();
  EXPECT_EQ(slow.read().body, "posted");
  const auto a = get("/a");
  EXPECT_EQ(a.body, "got");
  EXPECT_EQ(a.x_cache(), "MISS");
}

}  // namespace
}  // namespace forebay::test
