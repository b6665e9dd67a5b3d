// Timeouts, pools, and the safe use of a connection that the origin may just have closed.
#include <sys/socket.h>

#include "support/forebay_test.hpp"

namespace forebay::test {
namespace {

class OriginSide : public ForebayTest {
 protected:
  void start_with(const std::string& origin_options, const std::string& rest = "routes: [{path: /**}]\n") {
    start("origins: {o: {url: '" + origin.url() + "'" + (origin_options.empty() ? "" : ", " + origin_options) +
          "}}\norigin: o\n" + "server: {threads: 1}\n" + rest);
  }
};

TEST_F(OriginSide, ConnectionsAreReused) {
  origin.otherwise([](const Received& r) { return Reply::fresh(r.path); });
  start_with("");
  for (int i = 0; i < 30; ++i) EXPECT_EQ(get("/" + std::to_string(i)).status, 200);
  EXPECT_EQ(origin.connections(), 1u);
  EXPECT_TRUE(metric_reaches("forebay_origin_connects_total", {{"origin", "o"}}, 1));
  EXPECT_TRUE(metric_becomes("forebay_origin_connects_total", {}, 1));
  EXPECT_TRUE(eventually([&] { return metric("forebay_origin_connections", {{"state", "idle"}}) == 1; }));
}

TEST_F(OriginSide, ANameBelowLocalhostIsLoopbackWhateverTheResolverSays) {
  origin.on("/a", Reply::fresh("here"));
  const auto port = origin.url().substr(origin.url().rfind(':'));
  for (const char* host : {"app.localhost", "localhost", "LOCALHOST", "app.localhost."}) {
    daemon.reset();
    start("origin: 'http://" + std::string(host) + port + "'\n");
    EXPECT_EQ(get("/a").body, "here") << host;
  }
}

TEST_F(OriginSide, AConnectionThatTheOriginClosesIsNotReused) {
  origin.otherwise([](const Received& r) { return Reply::fresh(r.path).close(); });
  start_with("");
  for (int i = 0; i < 5; ++i) EXPECT_EQ(get("/" + std::to_string(i)).status, 200);
  EXPECT_EQ(origin.connections(), 5u);
}

TEST_F(OriginSide, AnHttp10OriginIsUnderstood) {
  origin.on("/length", Reply::fresh("ten").http10());
  origin.on("/close", Reply::fresh("ten").http10().until_close());
  start_with("");
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(get("/length").body, "ten");
    EXPECT_EQ(get("/close").body, "ten");
  }
}

TEST_F(OriginSide, AReusedConnectionThatBreaksBeforeAnyByteIsReplacedSilentlyForIdempotentRequests) {
  for (const auto how : {End::Fin, End::Rst}) {
    const std::string tag = how == End::Fin ? "fin" : "rst";
    origin.otherwise([how](const Received& r) { return r.nth > 1 ? Reply::hang_up(how) : Reply().body(r.path); });
    daemon.reset();
    start_with("retries: 0");
    EXPECT_EQ(get("/warm-" + tag).status, 200);
    EXPECT_EQ(get("/get-" + tag).body, "/get-" + tag);
    EXPECT_EQ(origin.count("/get-" + tag), 2u);
    EXPECT_THAT(ask("PUT", "/put-" + tag, {}, "content").status, AnyOf(200, 502))
        << "content that is gone cannot be repeated";
    for (const auto& r : origin.requests("/put-" + tag)) EXPECT_EQ(r.body, "content") << "never a part of it";
    EXPECT_EQ(ask("HEAD", "/head-" + tag).status, 200);
  }
}

TEST_F(OriginSide, APostIsNeverSentTwice) {
  origin.otherwise([](const Received& r) { return r.nth > 1 ? Reply::hang_up(End::Rst) : Reply().body("x"); });
  start_with("retries: 3");
  EXPECT_EQ(get("/warm").status, 200);
  const auto a = ask("POST", "/post", {}, "content");
  EXPECT_THAT(a.status, AnyOf(200, 502));
  EXPECT_EQ(origin.count("/post"), 1u);
}

TEST_F(OriginSide, AnAnswerThatHasBegunIsNeverRepeated) {
  origin.otherwise([](const Received& r) {
    return r.path == "/warm" ? Reply().body("x") : Reply::fresh(pattern(1000)).cut(10, End::Rst);
  });
  start_with("retries: 3");
  get("/warm");
  EXPECT_EQ(get("/a").status, 502);
  EXPECT_EQ(origin.count("/a"), 1u);
}

TEST_F(OriginSide, RetriesCountAttemptsOnNewConnectionsForSafeMethods) {
  origin.otherwise([](const Received&) { return Reply::hang_up(End::Fin); });
  start_with("retries: 2");
  EXPECT_EQ(get("/get").status, 502);
  EXPECT_EQ(origin.count("/get"), 3u);
  EXPECT_EQ(ask("POST", "/post", {}, "x").status, 502);
  EXPECT_EQ(origin.count("/post"), 1u);
  EXPECT_TRUE(metric_reaches("forebay_origin_retries_total", {{"origin", "o"}}, 2));
}

TEST_F(OriginSide, ARetryThatSucceedsIsNotSeenByTheClient) {
  origin.on("/a", {Reply::hang_up(End::Rst), Reply::fresh("second")});
  start_with("retries: 1");
  const auto a = get("/a");
  EXPECT_EQ(a.body, "second");
  EXPECT_EQ(a.x_cache(), "MISS");
}

TEST_F(OriginSide, TheFirstByteTimeoutIsA504WithItsOwnCounter) {
  origin.on("/a", Reply::silence());
  start_with("timeouts: {first_byte: 150ms}, retries: 0");
  const auto before = Clock::now();
  const auto a = get("/a");
  EXPECT_TRUE(is_problem(a, 504)) << a;
  EXPECT_GE(Clock::now() - before, milliseconds{100});
  EXPECT_TRUE(metric_reaches("forebay_origin_errors_total", {{"reason", "first_byte_timeout"}}, 1));
  EXPECT_TRUE(metric_reaches("forebay_request_errors_total", {{"reason", "timeout"}}, 1));
}

TEST_F(OriginSide, TheConnectTimeoutIsA504WithItsOwnCounter) {
  std::uint16_t port = 0;
  Socket deaf = Socket::listen(port);
  ::listen(deaf.fd(), 0);  // room for one in the queue; further handshakes get no answer
  std::vector<Socket> queued;
  queued.push_back(Socket::connect(port));
  start("origins: {o: {url: 'http://127.0.0.1:" + std::to_string(port) +
        "', timeouts: {connect: 200ms}, retries: 0}}\norigin: o\nroutes: [{path: /**}]\n");
  EXPECT_TRUE(is_problem(get("/a"), 504));
  EXPECT_TRUE(metric_reaches("forebay_origin_errors_total", {{"reason", "connect_timeout"}}, 1));
}

TEST_F(OriginSide, APartOfAHeadIsNoFirstAnswerEither) {
  origin.on("/a", Reply::fresh("x").stall(20));
  start_with("timeouts: {first_byte: 150ms, between_bytes: 150ms}, retries: 0");
  EXPECT_TRUE(is_problem(get("/a"), 504));
}

TEST_F(OriginSide, TheTimeoutBetweenBytesCutsTheAnswer) {
  const auto reply = Reply::fresh(pattern(10000));
  origin.on("/a", Reply(reply).stall(reply.size() - 5000));
  start_with("timeouts: {between_bytes: 150ms}, retries: 0");
  const auto a = get("/a");
  EXPECT_EQ(a.status, 200);
  EXPECT_FALSE(a.complete());
  EXPECT_NE(a.end, Ending::Timeout) << "the client is told by a cut, not left waiting";
  EXPECT_TRUE(metric_reaches("forebay_origin_errors_total", {{"reason", "between_bytes_timeout"}}, 1));
  EXPECT_EQ(metric("forebay_cache_entries"), 0);
}

TEST_F(OriginSide, ASlowDripThatKeepsTheTimeoutIsTaken) {
  // All of it takes longer than the time between two bytes may be; each piece takes far less.
  origin.on("/a", Reply::fresh(pattern(40)).drip(4, milliseconds{250}));
  start_with("timeouts: {first_byte: 5m, between_bytes: 2s}");
  EXPECT_EQ(get("/a").body, pattern(40));
  EXPECT_EQ(get("/a").x_cache(), "HIT");
}

TEST_F(OriginSide, MaxConnectionsIsALimitOfTheProcessAndTheQueueEndsIn503) {
  auto hold = gate();
  origin.otherwise([hold](const Received& r) { return Reply::fresh(r.path).after(hold); });
  start("origins: {o: {url: '" + origin.url() +
        "', pool: {max_connections: 3, queue_timeout: 200ms}}}\norigin: o\nroutes: [{path: /**}]\n");
  std::vector<Client> all;
  for (int i = 0; i < 3; ++i) {
    all.push_back(connect());
    all.back().request("GET", "/" + std::to_string(i));
  }
  EXPECT_TRUE(eventually([&] { return origin.count() == 3; }));
  const auto over = get("/over");
  EXPECT_TRUE(is_problem(over, 503)) << over;
  EXPECT_EQ(origin.count("/over"), 0u);
  EXPECT_TRUE(metric_reaches("forebay_origin_errors_total", {{"reason", "queue"}}, 1));
  EXPECT_TRUE(metric_reaches("forebay_request_errors_total", {{"reason", "queue"}}, 1));
  hold->open();
  for (auto& c : all) EXPECT_EQ(c.read().status, 200);
  EXPECT_LE(origin.connections(), 3u);
}

TEST_F(OriginSide, QueuedRequestsAreServedInOrderAsConnectionsComeFree) {
  origin.otherwise([](const Received& r) { return Reply::fresh(r.path); });
  start("origins: {o: {url: '" + origin.url() +
        "', pool: {max_connections: 2, queue_timeout: 5m}}}\norigin: o\nroutes: [{path: /**}]\n");
  std::vector<Client> all;
  for (int i = 0; i < 100; ++i) {
    all.push_back(connect());
    all.back().request("GET", "/" + std::to_string(i));
  }
  for (int i = 0; i < 100; ++i) EXPECT_EQ(all[static_cast<std::size_t>(i)].read().body, "/" + std::to_string(i));
  EXPECT_LE(origin.open_connections(), 2u);
}

TEST_F(OriginSide, IdleConnectionsAreClosedAfterTheirTime) {
  origin.on("/a", Reply::fresh());
  start_with("pool: {idle_timeout: 100ms}");
  get("/a");
  EXPECT_TRUE(eventually([&] { return origin.open_connections() == 0; }));
}

TEST_F(OriginSide, AResponseHeadOverTheLimitIsA502) {
  origin.on("/a", Reply::fresh().field("X-Big", std::string(100000, 'x')));
  auto many = Reply::fresh();
  for (int i = 0; i < 10000; ++i) many.field("X" + std::to_string(i), "v");
  origin.on("/many", many);
  start_with("retries: 0");
  EXPECT_TRUE(is_problem(get("/a"), 502));
  EXPECT_TRUE(is_problem(get("/many"), 502));
  EXPECT_TRUE(metric_reaches("forebay_origin_errors_total", {{"reason", "too_large"}}, 2));
  EXPECT_TRUE(alive());
}

TEST_F(OriginSide, APassWhoseClientLeavesClosesTheOriginsConnection) {
  auto never = gate();
  origin.on("/a", Reply::with("private", pattern(3000000)).gate_at(1000, never));
  start_with("");
  {
    auto c = connect();
    c.request("POST", "/a", {}, "x");
    EXPECT_TRUE(never->reached());
    c.socket().reset();
  }
  EXPECT_TRUE(eventually([&] { return metric("forebay_origin_connections", {{"state", "active"}}) == 0; }));
}

}  // namespace
}  // namespace forebay::test
