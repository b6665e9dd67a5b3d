// One fetch for many. Every order of events is forced by a gate; nothing depends on how fast the machine is.
#include "support/forebay_test.hpp"

namespace forebay::test {
namespace {

class Coalescing : public ForebayTest {
 protected:
  std::vector<Client> herd(std::size_t n, const std::string& path, const FieldLines& fields = {}) {
    std::vector<Client> all;
    all.reserve(n);
    for (std::size_t i = 0; i < n; ++i) all.push_back(connect());
    for (auto& c : all) c.request("GET", path, fields);
    return all;
  }
};

TEST_F(Coalescing, AThousandColdRequestsMakeOneFetchAndAllGetItsAnswer) {
  auto hold = gate();
  origin.on("/a", Reply::fresh(pattern(2000)).after(hold));
  start();
  auto all = herd(1000, "/a");
  EXPECT_TRUE(metric_reaches("forebay_coalesced_waiting", {}, 999));
  hold->open();
  int misses = 0;
  for (auto& c : all) {
    const auto a = c.read();
    EXPECT_EQ(a.status, 200);
    EXPECT_TRUE(a.body == pattern(2000));
    misses += a.x_cache() == "MISS";
    if (a.x_cache() != "MISS") {
      EXPECT_EQ(a.x_cache(), "COALESCED");
      EXPECT_THAT(a.cache_status(), StartsWith("forebay; fwd=uri-miss; collapsed"));
    }
  }
  EXPECT_EQ(misses, 1);
  EXPECT_EQ(origin.count("/a"), 1u);
  EXPECT_TRUE(metric_reaches("forebay_coalesced_requests_total", {{"outcome", "served"}}, 999));
  EXPECT_TRUE(metric_becomes("forebay_coalesced_waiting", {}, 0));
}

TEST_F(Coalescing, NobodyWaitsOnAStreamWithoutAnEnd) {
  for (const std::string type : {"text/event-stream", "multipart/x-mixed-replace;boundary=b", "application/x-ndjson",
                                 "application/grpc-web+proto"}) {
    const auto path = "/" + type.substr(0, type.find_first_of("/-")) + std::to_string(type.size());
    auto rest = gate(), head = gate();
    origin.on(path, Reply().field("Content-Type", type).chunked(4).body("one two ").gate_at(4, rest).after(head));
    if (!daemon) start("routes: [{path: /**, ttl: {default: 60s, min: 5s, status: {200: 60s}}}]\n");
    auto all = herd(3, path);
    EXPECT_TRUE(origin.wait_for(path, 1));
    head->open();
    for (auto& c : all) {
      const auto answer = c.read_head();
      EXPECT_THAT(answer.x_cache(), AnyOf("MISS", "BYPASS")) << type;  // the latter once the first head has come
      EXPECT_EQ(answer.cache_param("stored"), "-") << type;
      EXPECT_FALSE(c.read_raw(4).empty()) << "what there is comes at once";
    }
    EXPECT_TRUE(origin.wait_for(path, 3)) << "each has its own";
    auto late = connect();
    late.request("GET", path);
    EXPECT_EQ(late.read_head().cache_param("detail"), "pass_memory") << type;
    EXPECT_EQ(late.read_raw(4).size(), 4u);
    rest->open();
  }
}

TEST_F(Coalescing, WhoAsksForAStreamAloneWaitsForNoHead) {
  auto head = gate();
  origin.on("/a", Reply().field("Content-Type", "text/event-stream").chunked(4).body("data").after(head));
  origin.on("/stated", Reply::fresh("x").field("Content-Type", "application/x-ndjson"));
  start("routes: [{path: /**, ttl: 60s}]\n");
  auto all = herd(3, "/a", {{"Accept", "text/event-stream"}});
  EXPECT_TRUE(origin.wait_for("/a", 3)) << "although no head has come";
  head->open();
  for (auto& c : all) EXPECT_EQ(c.read().body, "data");
  get("/stated", {{"Accept", "application/x-ndjson"}});
  EXPECT_EQ(get("/stated", {{"Accept", "application/x-ndjson"}}).x_cache(), "HIT") << "what has a lifetime is stored";
}

TEST_F(Coalescing, AFollowerThatJoinsMidwayStreamsWhatIsThereBeforeTheRestArrives) {
  auto rest = gate();
  for (const auto* path : {"/length", "/chunked"}) {
    auto reply = Reply::fresh(pattern(200000)).gate_at(100000, rest);
    if (path == std::string("/chunked")) reply.chunked(7000);
    origin.on(path, reply);
  }
  start();
  for (const auto* path : {"/length", "/chunked"}) {
    auto leader = connect();
    leader.request("GET", path);
    EXPECT_EQ(leader.read_head().status, 200);
    EXPECT_EQ(leader.read_raw(90000).size(), 90000u);
    auto follower = connect();
    follower.request("GET", path);
    const auto head = follower.read_head();
    EXPECT_EQ(head.status, 200) << path;
    EXPECT_EQ(follower.read_raw(90000).size(), 90000u)
        << path << ": the first half is there while the rest is held back";
  }
  rest->open();
  for (const auto* path : {"/length", "/chunked"}) {
    EXPECT_TRUE(eventually([&] { return get(path).x_cache() == "HIT"; }));
    EXPECT_TRUE(get(path).body == pattern(200000));
    EXPECT_EQ(origin.count(path), 1u);
  }
}

TEST_F(Coalescing, TheLeadersClientMayLeaveAndTheFillGoesOn) {
  auto rest = gate();
  origin.on("/a", Reply::fresh(pattern(100000)).gate_at(50000, rest));
  start();
  auto leader = connect();
  leader.request("GET", "/a");
  EXPECT_EQ(leader.read_head().status, 200);
  auto follower = connect();
  follower.request("GET", "/a");
  auto answer = follower.read_head();
  EXPECT_EQ(answer.status, 200);
  leader.socket().reset();
  rest->open();
  follower.read_content(answer);
  EXPECT_TRUE(answer.complete());
  EXPECT_TRUE(answer.body == pattern(100000));
  EXPECT_EQ(get("/a").x_cache(), "HIT");
  EXPECT_EQ(origin.count("/a"), 1u);
}

TEST_F(Coalescing, AFillWithoutAnyClientLeftIsFinishedAndStored) {
  auto rest = gate();
  origin.on("/a", Reply::fresh(pattern(100000)).gate_at(50000, rest));
  start();
  {
    auto only = connect();
    only.request("GET", "/a");
    EXPECT_EQ(only.read_head().status, 200);
    only.socket().reset();
  }
  rest->open();
  EXPECT_TRUE(eventually([&] { return get("/a").x_cache() == "HIT"; }));
  EXPECT_EQ(origin.count("/a"), 1u);
}

TEST_F(Coalescing, ALeaderThatLeavesBeforeTheHeadDoesNotFailItsFollowers) {
  auto hold = gate();
  origin.on("/a", Reply::fresh("x").after(hold));
  start();
  auto leader = connect();
  leader.request("GET", "/a");
  EXPECT_TRUE(origin.wait_for("/a", 1));
  auto all = herd(20, "/a");
  EXPECT_TRUE(metric_reaches("forebay_coalesced_waiting", {}, 20));
  leader.socket().reset();
  hold->open();
  for (auto& c : all) EXPECT_EQ(c.read().body, "x");
  EXPECT_LE(origin.count("/a"), 2u);
}

TEST_F(Coalescing, UncacheableAnswersAreRememberedAndNotQueuedOn) {
  origin.on("/first", Reply::with("private", "x"));
  start();
  EXPECT_EQ(get("/first").x_cache(), "MISS");
  auto hold = gate();
  origin.on("/first", Reply::with("private", "x").after(hold));
  auto all = herd(100, "/first");
  EXPECT_TRUE(origin.wait_for("/first", 101)) << "all hundred are at the origin at the same time";
  hold->open();
  for (auto& c : all) {
    const auto a = c.read();
    EXPECT_EQ(a.x_cache(), "BYPASS");
    EXPECT_EQ(a.cache_status(), "forebay; fwd=bypass; detail=pass_memory");
  }
}

TEST_F(Coalescing, AHerdThatMeetsAnUncacheableAnswerGoesOnInParallel) {
  auto first = gate();
  auto others = gate();
  origin.on("/a", [=](const Received& r) { return Reply::with("private", "x").after(r.number == 1 ? first : others); });
  start();
  auto all = herd(50, "/a");
  EXPECT_TRUE(metric_reaches("forebay_coalesced_waiting", {}, 49));
  first->open();
  EXPECT_TRUE(origin.wait_for("/a", 50)) << "the followers fetch in parallel, each for itself";
  others->open();
  for (auto& c : all) EXPECT_EQ(c.read().status, 200);
  EXPECT_EQ(origin.count("/a"), 50u);
}

// A client that closes and one that only has nothing more to say look the same.
TEST_F(Coalescing, NothingIsFetchedForFollowersThatHaveLeft) {
  const std::vector<std::pair<std::string, Reply>> answers{
      {"/private", Reply::with("private", "x")},
      {"/garbage", Reply::raw("garbage\r\n\r\n").close_silently()},
      {"/bearer", Reply::with("max-age=60", "x")},
      {"/shared", Reply::fresh("x")},
  };
  std::map<std::string, GatePtr> gates;
  for (const auto& [path, reply] : answers) {
    gates[path] = gate();
    origin.on(path, Reply(reply).after(gates[path]));
  }
  origin.on("/other", Reply::with("no-store", "x"));
  start("server: {threads: 1}\nroutes: [{path: /**}]\n");
  for (const auto& [path, reply] : answers) {
    auto leader = connect();
    leader.request("GET", path, path == "/bearer" ? FieldLines{{"Authorization", "Bearer t"}} : FieldLines{});
    ASSERT_TRUE(origin.wait_for(path, 1));
    auto all = herd(20, path);
    EXPECT_TRUE(metric_reaches("forebay_coalesced_waiting", {}, 20)) << path;
    all.clear();
    for (int i = 0; i < 3; ++i) EXPECT_EQ(get("/other").status, 200);  // the worker has seen them leave
    gates[path]->open();
    EXPECT_TRUE(metric_reaches("forebay_coalesced_waiting", {}, 0)) << path;
    (void)leader.read();
    EXPECT_EQ(get("/other").status, 200);
    EXPECT_EQ(origin.count(path), 1u) << path;
  }
}

TEST_F(Coalescing, AFollowerThatOnlyEndsItsSideGetsWhatOthersFetch) {
  auto hold = gate();
  origin.on("/a", Reply::fresh("x").after(hold));
  origin.on("/other", Reply::with("no-store", "x"));
  start("server: {threads: 1}\nroutes: [{path: /**}]\n");
  auto leader = connect();
  leader.request("GET", "/a");
  ASSERT_TRUE(origin.wait_for("/a", 1));
  auto follower = connect();
  follower.request("GET", "/a");
  EXPECT_TRUE(metric_reaches("forebay_coalesced_waiting", {}, 1));
  follower.socket().finish_sending();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(get("/other").status, 200);
  hold->open();
  EXPECT_EQ(follower.read().body, "x");
}

TEST_F(Coalescing, PassMemoryEndsWhenAStorableAnswerComes) {
  origin.on("/a", {Reply::with("private", "x"), Reply::fresh("y")});
  start();
  get("/a");
  EXPECT_EQ(get("/a").body, "y");
  EXPECT_EQ(get("/a").x_cache(), "HIT");
  EXPECT_EQ(origin.count("/a"), 2u);
}

TEST_F(Coalescing, PassMemoryOfARouteWithoutOneIsNeverSet) {
  origin.on("/a", Reply::with("private", "x"));
  start("routes: [{path: /**, pass_memory: 0}]\n");
  get("/a");
  EXPECT_EQ(get("/a").x_cache(), "MISS");
}

TEST_F(Coalescing, WhatOneRequestBroughtIsNotRemembered) {
  origin.on("/a", Reply::fresh("x"));
  start();
  EXPECT_EQ(get("/a", {{"Authorization", "Bearer t"}}).status, 200);
  EXPECT_EQ(get("/a", {{"Cache-Control", "no-store"}}).status, 200);
  EXPECT_EQ(get("/a").x_cache(), "MISS") << "no pass memory";
  EXPECT_EQ(get("/a").x_cache(), "HIT");
}

TEST_F(Coalescing, AFailingFetchWith500WaitersIsAtMostTwoFetches) {
  const std::vector<std::pair<std::string, Reply>> failures{
      {"/503", Reply(503).field("Retry-After", "7").body("origin's words").close()},
      {"/fin", Reply::hang_up(End::Fin)},
      {"/rst", Reply::hang_up(End::Rst)},
      {"/garbage", Reply::raw("garbage\r\n\r\n").close_silently()},
  };
  std::map<std::string, GatePtr> gates;
  for (const auto& [path, reply] : failures) {
    gates[path] = gate();
    origin.on(path, Reply(reply).after(gates[path]));
  }
  start();
  for (const auto& [path, reply] : failures) {
    auto all = herd(500, path);
    EXPECT_TRUE(metric_reaches("forebay_coalesced_waiting", {}, 499)) << path;
    gates[path]->open();
    int own = 0;
    for (auto& c : all) {
      const auto a = c.read();
      EXPECT_EQ(a.status, path == "/503" ? 503 : 502) << path;
      if (path == "/503") {
        EXPECT_EQ(a.get("Retry-After"), "7");
        own += a.body == "origin's words";
      } else {
        EXPECT_TRUE(is_problem(a, 502)) << path << a;
      }
    }
    EXPECT_LE(own, 1) << "the origin's error body goes to the leader alone";
    EXPECT_LE(origin.count(path), 2u) << path;
  }
}

TEST_F(Coalescing, WaitersOfAFailingFetchGetTheStaleEntry) {
  auto hold = gate();
  origin.on("/a", {Reply::with("max-age=60, stale-if-error=300", "old").field("Age", "61").field("ETag", "\"o\""),
                   Reply(503).body("down").after(hold)});
  start("routes: [{path: /**, pass_memory: 0}]\n");  // an answer that comes stale counts as zero_ttl
  get("/a");
  auto all = herd(100, "/a");
  EXPECT_TRUE(metric_reaches("forebay_coalesced_waiting", {}, 99));
  hold->open();
  for (auto& c : all) {
    const auto a = c.read();
    EXPECT_EQ(a.body, "old");
    EXPECT_THAT(a.cache_status(), HasSubstr("detail=stale-if-error"));
  }
  EXPECT_LE(origin.count("/a"), 3u);
}

TEST_F(Coalescing, AWaitThatRunsOutStartsOneSupersedingFetchWhichTheRestJoins) {
  auto never = gate();
  origin.on("/a", [never](const Received& r) {
    return r.number == 1 ? Reply::fresh("slow").after(never) : Reply::fresh("second");
  });
  start("routes: [{path: /**, coalesce: {wait: 300ms}}]\n");
  auto leader = connect();
  leader.request("GET", "/a");
  EXPECT_TRUE(origin.wait_for("/a", 1));
  auto all = herd(99, "/a");
  for (auto& c : all) EXPECT_EQ(c.read().body, "second");
  EXPECT_EQ(origin.count("/a"), 2u) << "a slow origin never meets the whole herd";
  never->open();
}

TEST_F(Coalescing, AnOriginThatNeverAnswersIsAskedTwiceAndEveryWaiterIsAnswered) {
  auto never = gate();
  origin.on("/a", Reply::fresh("never").after(never));
  // The first fetch must not end before the last client has come.
  start("origins: {o: {url: '" + origin.url() + "', timeouts: {first_byte: 3s}, retries: 0}}\norigin: o\n" +
        "routes: [{path: /**, coalesce: {wait: 100ms}}]\n");
  auto all = herd(20, "/a");
  for (auto& c : all) EXPECT_EQ(c.read().status, 504);
  EXPECT_LE(origin.count("/a"), 2u) << "one fetch, and one that superseded it";
  never->open();
}

TEST_F(Coalescing, AWaitThatRunsOutIs504WhereTheRouteSaysError) {
  auto hold = gate();
  origin.on("/a", Reply::fresh("slow").after(hold));
  start("routes: [{path: /**, coalesce: {wait: 100ms, on_timeout: error}}]\n");
  auto leader = connect();
  leader.request("GET", "/a");
  EXPECT_TRUE(origin.wait_for("/a", 1));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(is_problem(get("/a"), 504));
  EXPECT_TRUE(metric_reaches("forebay_request_errors_total", {{"reason", "coalesce"}}, 3));
  EXPECT_TRUE(metric_reaches("forebay_coalesced_requests_total", {{"outcome", "timeout"}}, 3));
  hold->open();
  EXPECT_EQ(leader.read().body, "slow");
  EXPECT_EQ(origin.count("/a"), 1u);
}

TEST_F(Coalescing, BeyondMaxWaitersTheTimeoutActionAppliesAtOnce) {
  auto hold = gate();
  origin.on("/a", Reply::fresh("slow").after(hold));
  start("routes: [{path: /**, coalesce: {wait: 5m, on_timeout: error, max_waiters: 5}}]\n");
  auto leader = connect();
  leader.request("GET", "/a");
  EXPECT_TRUE(origin.wait_for("/a", 1));
  auto all = herd(5, "/a");
  EXPECT_TRUE(metric_reaches("forebay_coalesced_waiting", {}, 5));
  EXPECT_EQ(get("/a").status, 504);
  hold->open();
  for (auto& c : all) EXPECT_EQ(c.read().body, "slow");
}

TEST_F(Coalescing, ARouteMaySwitchItOff) {
  auto hold = gate();
  origin.on("/a", Reply::fresh("x").after(hold));
  start("routes: [{path: /**, coalesce: {enabled: false}}]\n");
  auto all = herd(10, "/a");
  EXPECT_TRUE(origin.wait_for("/a", 10));
  hold->open();
  for (auto& c : all) EXPECT_EQ(c.read().body, "x");
}

TEST_F(Coalescing, FollowersGetTheHeadWhenItComesAndNotWithTheBody) {
  auto body = gate();
  auto hold = gate();
  origin.on("/a", Reply::fresh("0123456789").after(hold).gate_at(5, body));
  start();
  auto all = herd(10, "/a");
  EXPECT_TRUE(metric_reaches("forebay_coalesced_waiting", {}, 9));
  hold->open();
  std::vector<Answer> heads;
  for (auto& c : all) heads.push_back(c.read_head());
  body->open();
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(heads[i].status, 200);
    all[i].read_content(heads[i]);
    EXPECT_EQ(heads[i].body, "0123456789");
  }
}

TEST_F(Coalescing, ASlowFollowerDoesNotHoldUpTheFill) {
  const auto body = pattern(7000000);  // more than the kernel's buffers take
  origin.on("/a", Reply::fresh(body));
  start();
  Socket slow = Socket::connect(daemon->port());
  slow.receive_buffer(65536);
  Client stuck(std::move(slow));
  stuck.request("GET", "/a");
  EXPECT_TRUE(origin.wait_for("/a", 1));
  const auto a = get("/a");
  EXPECT_TRUE(a.complete());
  EXPECT_TRUE(a.body == body);
  EXPECT_TRUE(eventually([&] { return get("/a").x_cache() == "HIT"; }));
  EXPECT_TRUE(stuck.read().body == body);
  EXPECT_EQ(origin.count("/a"), 1u);
}

TEST_F(Coalescing, AReaderThatHoldsUpTheOthersOfAnOversizedBodyIsCutOffAndNeverEndedAsIfComplete) {
  const auto body = pattern(20000000);
  auto rest = gate();
  origin.on("/a", Reply::fresh(body).chunked(50000).gate_at(50000, rest));
  start("cache: {max_object: 100KiB}\nroutes: [{path: /**}]\n");
  Socket slow = Socket::connect(daemon->port());
  slow.receive_buffer(65536);
  Client stuck(std::move(slow));
  stuck.request("GET", "/a");
  EXPECT_EQ(stuck.read_head().status, 200);
  auto good = connect();
  good.request("GET", "/a");
  auto answer = good.read_head();
  EXPECT_EQ(answer.status, 200);
  rest->open();
  good.read_content(answer);
  EXPECT_TRUE(answer.complete());
  EXPECT_TRUE(answer.body == body);
  Answer cut;
  cut.status = 200;
  cut.version = "HTTP/1.1";
  cut.fields.emplace_back("Transfer-Encoding", "chunked");
  stuck.read_content(cut);
  EXPECT_FALSE(cut.complete());
  EXPECT_EQ(metric("forebay_cache_entries"), 0);
}

TEST_F(Coalescing, RequestsOfDifferentVariantsDoNotBlockEachOther) {
  auto de = gate();
  origin.on("/a", [de](const Received& r) {
    auto reply = Reply::fresh(r.get("X-Lang")).field("Vary", "X-Lang");
    if (r.get("X-Lang") == "de" && r.number > 1) reply.after(de);
    return reply;
  });
  start();
  get("/a", {{"X-Lang", "en"}});  // now the Vary list is known
  auto waiting = herd(5, "/a", {{"X-Lang", "de"}});
  EXPECT_TRUE(origin.wait_for("/a", 2));
  EXPECT_EQ(get("/a", {{"X-Lang", "fr"}}).body, "fr");
  de->open();
  for (auto& c : waiting) EXPECT_EQ(c.read().body, "de");
  EXPECT_EQ(origin.count("/a"), 3u);
}

// Each holds its head while it waits, and that is charged.
TEST_F(Coalescing, RequestsThatWaitTakeNoMoreThanTheMemoryHasRoomFor) {
  auto hold = gate();
  origin.on("/a", Reply::fresh("answer").after(hold));
  start("cache: {memory: 4MiB}\nroutes: [{path: /**, coalesce: {wait: 60s}}]\n");
  auto leader = connect();
  leader.request("GET", "/a");
  ASSERT_TRUE(origin.wait_for("/a", 1));
  const auto before = metric("forebay_cache_memory_bytes");
  const FieldLines large{{"X-Large", std::string(28 * 1024, 'x')}};
  std::vector<Client> all;
  for (int i = 0; i < 240; ++i) {
    all.push_back(connect());
    all.back().request("GET", "/a", large);
  }
  // 28 KiB and some for each: less than 150 of them fit.
  EXPECT_TRUE(metric_reaches("forebay_coalesced_waiting", {}, 60));
  EXPECT_TRUE(eventually([&] { return metric("forebay_request_errors_total", {{"reason", "coalesce"}}) >= 80; }));
  EXPECT_GT(metric("forebay_cache_memory_bytes"), before + 60 * 28 * 1024);
  EXPECT_TRUE(alive());
  hold->open();
  EXPECT_EQ(leader.read().body, "answer");
  int served = 0, refused = 0;
  for (auto& c : all) {
    const auto a = c.read();
    served += a.status == 200;
    refused += a.status == 504;
  }
  EXPECT_EQ(served + refused, 240);
  EXPECT_GE(served, 60);
  EXPECT_GE(refused, 80);
  EXPECT_TRUE(eventually([&] { return metric("forebay_cache_memory_bytes") < before + 64 * 1024; })) << "given back";
}

}  // namespace
}  // namespace forebay::test
