// Content that is read for the key is forwarded once and completely, in bounded memory.
#include <csignal>

#include "body_keys.hpp"
#include "support/h2_transport.hpp"

namespace forebay::test {
namespace {

class KeyedBodies : public BodyKeysTest {};

TEST_F(KeyedBodies, AChunkedBodyThatMissesReachesTheOriginOnceAndWhole) {
  start("routes: [{path: /**, methods: POST, key: {body_max: 1MiB}}]\n");
  for (const std::size_t n : {0u, 1u, 5000u, 300000u}) {
    const auto target = "/" + std::to_string(n);
    const auto a = ask("POST", target, with(kJson, "Transfer-Encoding", "chunked"), chunked(pattern(n), 777));
    EXPECT_EQ(a.x_cache(), "MISS");
    EXPECT_EQ(origin.count(target), 1u);
    const auto r = origin.last(target);
    EXPECT_TRUE(r.complete);
    EXPECT_TRUE(r.body == pattern(n)) << n;
    EXPECT_EQ(post(target, pattern(n), with(kJson, "Content-Length", std::to_string(n))).x_cache(), "HIT") << n;
  }
}

TEST_F(KeyedBodies, ABodyOverTheLimitStreamsThroughByteForByte) {
  start("routes: [{path: /**, methods: POST, key: {body_max: 10KiB}}]\n");
  for (const std::size_t n : {10u * 1024u + 1u, 100000u, 3000000u}) {
    const auto body = pattern(n);
    expect_bypass("/length", body, kJson, "body_too_large");
    const auto a = ask("POST", "/chunked", with(kJson, "Transfer-Encoding", "chunked"), chunked(body, 5000));
    EXPECT_EQ(a.cache_status(), "forebay; fwd=bypass; detail=body_too_large");
    EXPECT_TRUE(origin.last("/chunked").body == body) << n;
    EXPECT_TRUE(origin.last("/chunked").complete);
  }
  EXPECT_EQ(post("/length", pattern(10 * 1024)).x_cache(), "MISS") << "exactly the limit is keyed";
  EXPECT_EQ(post("/length", pattern(10 * 1024)).x_cache(), "HIT");
}

TEST_F(KeyedBodies, ABodyOverTheLimitIsOnItsWayBeforeItsEndHasCome) {
  start("routes: [{path: /**, methods: POST, key: {body_max: 1KiB}, request_buffer: 0}]\n");
  const auto body = pattern(5000);
  auto known = connect();
  known.send("POST /length HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 5000\r\n\r\n" + body.substr(0, 100));
  EXPECT_TRUE(origin.wait_until("/length", [&](const Received& r) { return r.body == body.substr(0, 100); }));
  known.send(body.substr(100));
  EXPECT_EQ(known.read("POST").cache_param("detail"), "body_too_large");
  EXPECT_TRUE(origin.last("/length").body == body);

  auto unknown = connect();
  unknown.send("POST /chunked HTTP/1.1\r\nHost: shop.test\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n" +
               body.substr(0, 2000) + "\r\n");
  EXPECT_TRUE(origin.wait_until("/chunked", [&](const Received& r) { return r.body == body.substr(0, 2000); }))
      << "what was read ahead goes first, and once";
  unknown.send(chunked(body.substr(2000), 1500));
  EXPECT_EQ(unknown.read("POST").cache_param("detail"), "body_too_large");
  EXPECT_TRUE(origin.last("/chunked").body == body);
  EXPECT_TRUE(origin.last("/chunked").complete);
}

TEST_F(KeyedBodies, AnEndlessBodyIsHeldBackByTheOriginAndNotByMemory) {
  auto hold = gate();
  origin.on_head("/slow", Reply::fresh().after(hold));  // the origin does not read
  start("server: {threads: 1, limits: {request_body: 1GiB}}\nroutes: [{path: /**, methods: POST}]\n");
  auto c = connect();
  c.send("POST /slow HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 134217728\r\n\r\n");
  const std::string piece(1 << 20, 'x');
  std::size_t sent = 0;
  while (sent < 128 && c.socket().send(piece, milliseconds{500})) ++sent;
  EXPECT_LT(sent, 100u) << "MiB taken, though the origin reads nothing: only sockets may hold them";
  EXPECT_TRUE(alive());
  c.socket().close();
  hold->open();
}

TEST_F(KeyedBodies, ABodyOverTheLimitOfRequestsIs413WhetherAnnouncedOrNot) {
  start("server: {threads: 1, limits: {request_body: 4KiB}}\nroutes: [{path: /**, methods: POST}]\n");
  EXPECT_TRUE(is_problem(post("/a", pattern(5000)), 413));
  const auto a = ask("POST", "/a", with(kJson, "Transfer-Encoding", "chunked"), chunked(pattern(5000)));
  EXPECT_EQ(a.status, 413) << a;
  EXPECT_EQ(origin.count("/a"), 0u) << "it is read before anything goes to the origin";
}

TEST_F(KeyedBodies, ABodyInManySegmentsIsOneBody) {
  start("routes: [{path: /**, methods: POST, key: {body: [/a]}}]\n");
  const std::string body = R"({"a":[1,2,3]})";
  for (const bool coded : {false, true}) {
    auto c = connect();
    const std::string request = "POST /a HTTP/1.1\r\nHost: shop.test\r\nContent-Type: application/json\r\n" +
                                (coded ? "Transfer-Encoding: chunked\r\n\r\n" + chunked(body, 3)
                                       : "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    for (const char byte : request) c.send(std::string(1, byte));
    EXPECT_EQ(c.read("POST").x_cache(), coded ? "HIT" : "MISS");
  }
  EXPECT_EQ(origin.count("/a"), 1u);
  EXPECT_EQ(origin.last("/a").body, body);
}

TEST_F(KeyedBodies, PipelinedRequestsWithBodiesKeepTheirOrderAndTheirBodies) {
  start("routes: [{path: /**, methods: [GET, POST]}]\n");
  auto c = connect();
  const std::string evil = "GET /smuggled HTTP/1.1\r\nHost: shop.test\r\n\r\n";
  std::string all;
  for (int i = 0; i < 20; ++i) {
    all += "POST /p HTTP/1.1\r\nHost: shop.test\r\nContent-Length: " + std::to_string(evil.size() + 1) + "\r\n\r\n" +
           evil + std::to_string(i % 4);
    all += "POST /q HTTP/1.1\r\nHost: shop.test\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(evil, 9);
    all += "GET /g HTTP/1.1\r\nHost: shop.test\r\n\r\n";
  }
  c.send(all);
  // Over HTTP/2 they are under way at the same time.
  testing::Matcher<std::string> hit("HIT");
  if (over_http2()) hit = testing::AnyOf("HIT", "COALESCED");
  for (int i = 0; i < 20; ++i) {
    for (const auto& [method, misses] : {std::pair("POST", 4), std::pair("POST", 1), std::pair("GET", 1)}) {
      const auto answer = c.read(method);
      if (i < misses) {
        EXPECT_EQ(answer.x_cache(), "MISS") << i;
      } else {
        EXPECT_THAT(answer.x_cache(), hit) << i;
      }
    }
  }
  EXPECT_EQ(c.pending(), "");
  EXPECT_EQ(origin.count("/smuggled"), 0u);
  EXPECT_EQ(origin.count(), 6u);
}

TEST_F(KeyedBodies, ExpectContinueIsAnsweredBeforeTheBodyIsKeyed) {
  start("routes: [{path: /**, methods: POST, key: {body_max: 1KiB}}]\n");
  auto c = connect();
  for (const auto* expected : {"MISS", "HIT"}) {
    c.send("POST /a HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
    EXPECT_EQ(c.read_message("POST").status, 100) << expected;
    c.send("body");
    EXPECT_EQ(c.read_message("POST").x_cache(), expected) << "one interim answer, then the final one";
  }
  c.send("POST /big HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 2000\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(c.read_message("POST").status, 100);
  c.send(pattern(2000));
  EXPECT_EQ(c.read_message("POST").x_cache(), "BYPASS");
  EXPECT_TRUE(origin.last("/big").body == pattern(2000));
  EXPECT_EQ(origin.count("/a"), 1u);
}

TEST_F(KeyedBodies, AnOriginThatSpeaksBeforeTheBodyOrAsksForItIsUnderstood) {
  origin.on("/hints", Reply::fresh("x").interim(100).interim(102));
  start("routes: [{path: /**, methods: POST}]\n");
  const auto a = post("/hints", "body");
  EXPECT_EQ(a.body, "x");
  EXPECT_EQ(a.interim.size(), 1u) << "102 is passed on, 100 is the proxy's own business";
  EXPECT_EQ(post("/hints", "body").x_cache(), "HIT");
}

TEST_F(KeyedBodies, IdenticalPostsAtATimeAreOneFetchAndOthersAreNot) {
  auto hold = gate();
  origin.otherwise([hold](const Received& r) { return Reply::fresh("for " + r.body).after(hold); });
  start("routes: [{path: /**, methods: POST, key: {body: [/q]}}]\n");
  std::vector<Client> all;
  for (int i = 0; i < 40; ++i) {
    all.push_back(connect());
    const std::string body = "{\"q\":" + std::to_string(i % 2) + ",\"client\":" + std::to_string(i) + "}";
    if (i % 3 == 0)
      all.back().request("POST", "/a", with(kJson, "Transfer-Encoding", "chunked"), chunked(body, 4));
    else
      all.back().request("POST", "/a", kJson, body);
  }
  EXPECT_TRUE(metric_reaches("forebay_coalesced_waiting", {}, 38));
  EXPECT_TRUE(origin.wait_for("/a", 2));
  hold->open();
  std::size_t coalesced = 0;
  for (int i = 0; i < 40; ++i) {
    const auto a = all[static_cast<std::size_t>(i)].read("POST");
    EXPECT_EQ(a.status, 200);
    EXPECT_THAT(a.body, StartsWith("for {\"q\":" + std::to_string(i % 2) + ","));
    coalesced += a.x_cache() == "COALESCED";
  }
  EXPECT_EQ(coalesced, 38u);
  EXPECT_EQ(origin.count("/a"), 2u);
}

TEST_F(KeyedBodies, AStalePostIsServedAtOnceAndRefreshedBehindItWithItsBody) {
  for (const std::string path : {"/length", "/chunked"})
    origin.on(path,
              {Reply::with("max-age=60, stale-while-revalidate=30", "old").field("Age", "61"), Reply::fresh("new")});
  start("routes: [{path: /**, methods: POST, key: {body: [/q], body_max: 1MiB}}]\n");
  const std::string first = R"({"q":1,"from":"first","fill":")" + std::string(200000, 'a') + "\"}";
  const std::string second = R"({"q":1,"from":"second","fill":")" + std::string(200000, 'b') + "\"}";
  for (const std::string path : {"/length", "/chunked"}) {
    EXPECT_EQ(post(path, first).body, "old");
    const auto stale = path == "/length"
                           ? post(path, second)
                           : ask("POST", path, with(kJson, "Transfer-Encoding", "chunked"), chunked(second, 3000));
    EXPECT_EQ(stale.x_cache(), "STALE");
    EXPECT_THAT(stale.cache_status(), MatchesRegex("forebay; hit; ttl=-[0-9]+; detail=stale-while-revalidate"));
    EXPECT_EQ(stale.body, "old");
    EXPECT_TRUE(origin.wait_until(path, [&](const Received& r) { return r.complete && r.body == second; }))
        << "the refresh carries the body of the request that started it";
    EXPECT_EQ(origin.last(path).method, "POST");
    EXPECT_EQ(origin.last(path).get("Content-Type"), "application/json");
    EXPECT_TRUE(eventually([&] { return post(path, first).body == "new"; }));
    EXPECT_EQ(origin.count(path), 2u);
  }
}

TEST_F(KeyedBodies, AStalePostIsValidatedWithItsBodyAndAFailedOneCovered) {
  const auto aged = [](const char* more) {
    return Reply::with(std::string("max-age=60") + more, "old").field("Age", "61").field("ETag", "\"v\"");
  };
  origin.on("/304", {aged(""), Reply(304).field("ETag", "\"v\"").field("Cache-Control", "max-age=60")});
  origin.on("/503", {aged(", stale-if-error=300"), Reply(503).body("down")});
  start("routes: [{path: /**, methods: POST, pass_memory: 0}]\n");
  post("/304", "content");
  EXPECT_EQ(post("/304", "content").x_cache(), "REVALIDATED");
  EXPECT_EQ(origin.last("/304").get("If-None-Match"), "\"v\"");
  EXPECT_EQ(origin.last("/304").body, "content");
  EXPECT_EQ(post("/304", "content").x_cache(), "HIT");
  post("/503", "content");
  const auto covered = post("/503", "content");
  EXPECT_EQ(covered.body, "old");
  EXPECT_THAT(covered.cache_status(), HasSubstr("detail=stale-if-error"));
}

TEST_F(KeyedBodies, AClientThatBreaksOffInTheMiddleOfItsBodyLeavesNoTrace) {
  start("routes: [{path: /**, methods: POST, key: {body: [/a]}}]\n");
  for (const bool reset : {false, true}) {
    for (const bool coded : {false, true}) {
      auto c = connect();
      c.send(std::string("POST /a HTTP/1.1\r\nHost: shop.test\r\nContent-Type: application/json\r\n") +
             (coded ? "Transfer-Encoding: chunked\r\n\r\n7\r\n{\"a\":1}\r\n" : "Content-Length: 8\r\n\r\n{\"a\":1}"));
      if (reset)
        c.socket().reset();
      else
        c.socket().finish_sending();
      if (!reset) {
        EXPECT_THAT(c.read("POST").status, AnyOf(400, 408, 0));
      }
      EXPECT_TRUE(alive());
    }
  }
  for (const auto& r : origin.requests("/a")) EXPECT_FALSE(r.complete) << r.head << r.body;
  const auto reached = origin.count("/a");
  EXPECT_EQ(post("/a", R"({"a":1})").x_cache(), "MISS") << "and nothing of it was stored, nor does a flight hang";
  EXPECT_EQ(origin.count("/a"), reached + 1);
  EXPECT_EQ(reached, 0u) << "the key was never complete, so there was nothing to ask for";
}

TEST_F(KeyedBodies, ABodyThatCannotBeParsedOrStopsComingReachesNobody) {
  start("server: {threads: 1, timeouts: {body: 200ms}}\nroutes: [{path: /**, methods: POST}]\n");
  auto bent = connect();
  bent.send("POST /a HTTP/1.1\r\nHost: shop.test\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\nzz\r\n");
  EXPECT_EQ(bent.read("POST").status, 400);
  EXPECT_TRUE(bent.closed());
  auto slow = connect();
  slow.send("POST /a HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 10\r\n\r\npart");
  EXPECT_EQ(slow.read("POST").status, 408);
  EXPECT_TRUE(slow.closed());
  EXPECT_EQ(origin.count("/a"), 0u);
}

TEST_F(KeyedBodies, TwoHundredBodiesAtATimeAreEachKeyedForThemselves) {
  origin.otherwise([](const Received& r) { return Reply::fresh(sha256_hex(r.body)); });
  start("routes: [{path: /**, methods: POST}]\n");
  std::vector<Client> all;
  std::vector<std::string> bodies;
  for (int i = 0; i < 200; ++i) {
    bodies.push_back(pattern(60000) + std::to_string(i));
    all.push_back(connect());
    all.back().send("POST /u HTTP/1.1\r\nHost: shop.test\r\nContent-Length: " + std::to_string(bodies.back().size()) +
                    "\r\n\r\n" + bodies.back().substr(0, 30000));
  }
  EXPECT_EQ(origin.count("/u"), 0u);
  for (std::size_t i = 0; i < all.size(); ++i) all[i].send(bodies[i].substr(30000));
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i].read("POST").body, sha256_hex(bodies[i])) << i;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto again = all[i].ask("POST", "/u", {}, bodies[i]);
    EXPECT_EQ(again.x_cache(), "HIT") << i;
    EXPECT_EQ(again.body, sha256_hex(bodies[i])) << i;
  }
}

TEST_F(KeyedBodies, AFetchGoesOnForTheOthersWhenItsClientLeaves) {
  auto hold = gate();
  origin.on("/a", [hold](const Received& r) { return Reply::fresh(r.body).after(hold); });
  start("routes: [{path: /**, methods: POST}]\n");
  auto leader = connect();
  leader.request("POST", "/a", kJson, pattern(50000));
  EXPECT_TRUE(origin.wait_for("/a", 1));
  auto follower = connect();
  follower.request("POST", "/a", kJson, pattern(50000));
  EXPECT_TRUE(metric_reaches("forebay_coalesced_waiting", {}, 1));
  leader.socket().reset();
  hold->open();
  EXPECT_TRUE(follower.read("POST").body == pattern(50000));
  EXPECT_EQ(post("/a", pattern(50000)).x_cache(), "HIT");
  EXPECT_EQ(origin.count("/a"), 1u);
}

TEST_F(KeyedBodies, WhoWaitedForAnAnswerThatIsNotForThemAsksWithTheirOwnBody) {
  auto hold = gate();
  origin.on("/a", [hold](const Received& r) { return Reply::with("private", r.get("X-Who") + r.body).after(hold); });
  start("routes: [{path: /**, methods: POST, key: {body: [/q]}}]\n");
  std::vector<Client> all;
  const auto body = [](int i) { return "{\"q\":1,\"who\":" + std::to_string(i) + "}"; };
  for (int i = 0; i < 12; ++i) {
    all.push_back(connect());
    all.back().request("POST", "/a", with(kJson, "X-Who", std::to_string(i)), body(i));
  }
  EXPECT_TRUE(metric_reaches("forebay_coalesced_waiting", {}, 11));
  hold->open();
  for (int i = 0; i < 12; ++i)
    EXPECT_EQ(all[static_cast<std::size_t>(i)].read("POST").body, std::to_string(i) + body(i)) << "nobody else's";
  EXPECT_EQ(origin.count("/a"), 12u);
}

TEST_F(KeyedBodies, WhoWaitedTooLongAsksWithTheirOwnBody) {
  auto hold = gate();
  origin.on("/a", [hold](const Received& r) {
    auto reply = Reply::fresh(r.body);
    return r.number == 1 ? reply.after(hold) : reply;
  });
  start("routes: [{path: /**, methods: POST, key: {body: [/q]}, coalesce: {wait: 100ms}}]\n");
  auto slow = connect();
  slow.request("POST", "/a", kJson, R"({"q":1,"n":1})");
  EXPECT_TRUE(origin.wait_for("/a", 1));
  const auto a = post("/a", R"({"q":1,"n":2})");
  EXPECT_EQ(a.body, R"({"q":1,"n":2})");
  hold->open();
  EXPECT_EQ(slow.read("POST").body, R"({"q":1,"n":1})");
}

TEST_F(KeyedBodies, VariantsOfAPostAreFetchedWithTheirBodies) {
  origin.on("/a",
            [](const Received& r) { return Reply::fresh(r.get("X-Lang") + ':' + r.body).field("Vary", "X-Lang"); });
  start("routes: [{path: /**, methods: POST}]\n");
  for (const auto* expected : {"MISS", "HIT"})
    for (const auto* lang : {"de", "fr"}) {
      const auto a = post("/a", "content", with(kJson, "X-Lang", lang));
      EXPECT_EQ(a.x_cache(), expected);
      EXPECT_EQ(a.body, std::string(lang) + ":content");
    }
}

TEST_F(KeyedBodies, APostFromTheStoreIsWholeWhateverItsConditionsAndRangesSay) {
  origin.on("/a", Reply::fresh("0123456789").field("ETag", "\"v\"").field("Last-Modified", http_date(-1000)));
  start("routes: [{path: /**, methods: [GET, POST]}]\n");
  post("/a", "content");
  for (const auto& [name, value] : FieldLines{{"Range", "bytes=0-1"}, {"If-Modified-Since", http_date()}}) {
    const auto a = post("/a", "content", with(kJson, name, value));
    EXPECT_EQ(a.status, 200) << name << ": it concerns GET alone";
    EXPECT_EQ(a.body, "0123456789") << name;
  }
  // RFC 9110 section 13.1.2: on a POST a matching If-None-Match is never a 304.
  EXPECT_THAT(post("/a", "content", with(kJson, "If-None-Match", "\"v\"")).status, AnyOf(200, 412));
}

TEST_F(KeyedBodies, OldClientsAndThoseThatCloseAreServed) {
  start("routes: [{path: /**, methods: POST}]\n");
  for (const auto* expected : {"MISS", "HIT"}) {
    auto c = connect();
    c.send("POST /a HTTP/1.0\r\nHost: shop.test\r\nContent-Length: 4\r\n\r\nbo");
    c.send("dy");
    EXPECT_EQ(c.read("POST").x_cache(), expected);
    EXPECT_TRUE(c.closed());
  }
  auto half = connect();
  half.send("POST /a HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 4\r\n\r\nbody");
  half.socket().finish_sending();
  EXPECT_EQ(half.read("POST").x_cache(), "HIT") << "whoever has sent all may say so";
}

TEST_F(KeyedBodies, ADrainWaitsForABodyThatIsOnItsWay) {
  start("routes: [{path: /**, methods: POST}]\n");
  auto c = connect();
  c.send("POST /a HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 8\r\n\r\nhalf");
  EXPECT_TRUE(metric_reaches("forebay_requests_in_flight", {}, 1));
  daemon->signal(SIGTERM);
  EXPECT_TRUE(eventually([&] { return daemon->log().find("stopping") != std::string::npos; }));
  c.send("half");
  const auto a = c.read("POST");
  EXPECT_EQ(a.status, 200) << a;
  EXPECT_EQ(origin.last("/a").body, "halfhalf");
}

TEST_F(KeyedBodies, OneThatNeverComesDoesNotOutliveTheDrain) {
  start("shutdown: {drain: 300ms}\nroutes: [{path: /**, methods: POST}]\n");
  auto c = connect();
  c.send("POST /a HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 8\r\n\r\nhalf");
  EXPECT_TRUE(metric_reaches("forebay_requests_in_flight", {}, 1));
  daemon->signal(SIGTERM);
  EXPECT_TRUE(c.closed());
  EXPECT_EQ(origin.count("/a"), 0u);
  EXPECT_EQ(daemon->wait_exit().value_or(-1), 0);
}

TEST_F(KeyedBodies, BodiesBeyondTheMemoryOfTheCacheArePassedOnUnkeyed) {
  start("cache: {memory: 1MiB}\nserver: {threads: 1}\nroutes: [{path: /**, methods: POST, key: {body_max: 512KiB}}]\n");
  std::vector<Client> all;
  const auto body = pattern(500000);
  for (int i = 0; i < 12; ++i) {
    all.push_back(connect());
    all.back().send("POST /u HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 500000\r\n\r\n" + body.substr(0, 490000));
  }
  for (auto& c : all) c.send(body.substr(490000));
  for (auto& c : all) EXPECT_EQ(c.read("POST").status, 200) << "each is answered, looked up or not";
  for (const auto& r : origin.requests("/u")) EXPECT_TRUE(r.complete && r.body == body);
  EXPECT_LE(metric("forebay_cache_memory_bytes"), 1 << 20);
  EXPECT_TRUE(eventually([&] { return post("/u", pattern(1000)).x_cache() == "HIT"; })) << "the room comes back";
}

}  // namespace
}  // namespace forebay::test
