// Every limit has its status and its counter, and hits of others go on.
#include <optional>

#include "support/forebay_test.hpp"

namespace forebay::test {
namespace {

class Limits : public ForebayTest {
 protected:
  void SetUp() override {
    origin.otherwise([](const Received& r) { return Reply::fresh(std::to_string(r.body.size())); });
  }
  void expect_error(const char* reason, const char* label = "route", const char* value = "_none") {
    EXPECT_TRUE(metric_reaches("forebay_request_errors_total", {{"reason", reason}, {label, value}}, 1)) << reason;
  }
};

TEST_F(Limits, ATargetTooLongIs414) {
  start("server: {threads: 1, limits: {request_target: 1KiB}}\nroutes: [{path: /**}]\n");
  EXPECT_EQ(get("/" + std::string(1000, 'a')).status, 200);
  EXPECT_TRUE(is_problem(get("/" + std::string(2000, 'a')), 414));
  expect_error("target_too_long");
}

TEST_F(Limits, AHeadTooLargeOrWithTooManyFieldsIs431) {
  start("server: {threads: 1, limits: {request_header: 4KiB, header_count: 20}}\nroutes: [{path: /**}]\n");
  EXPECT_EQ(get("/a", {{"X", std::string(3000, 'x')}}).status, 200);
  EXPECT_TRUE(is_problem(get("/a", {{"X", std::string(5000, 'x')}}), 431));
  FieldLines many;
  for (int i = 0; i < 30; ++i) many.emplace_back("X" + std::to_string(i), "v");
  EXPECT_TRUE(is_problem(get("/a", many), 431));
  expect_error("header_too_large");
}

TEST_F(Limits, AHundredKilobytesOfTenThousandFieldsDoNotPinAThread) {
  start();
  std::string head = "GET /a HTTP/1.1\r\nHost: shop.test\r\n";
  for (int i = 0; i < 10000; ++i) head += "X" + std::to_string(i) + ": v\r\n";
  // By the daemon's own time: what else runs on the machine does not count.
  const auto before = metric("process_cpu_seconds_total");
  for (int i = 0; i < 20; ++i) EXPECT_EQ(send_raw(head + "\r\n").status, 431);
  EXPECT_LT(metric("process_cpu_seconds_total") - before, 10);
}

TEST_F(Limits, AnEndlessHeadIsRefusedAtTheLimit) {
  start();
  auto c = connect();
  const std::string piece = "X-Long: " + std::string(8000, 'y') + "\r\n";
  c.send("GET /a HTTP/1.1\r\nHost: shop.test\r\n");
  const auto before = metric("process_resident_memory_bytes");
  for (int i = 0; i < 2000; ++i) c.send(piece);
  EXPECT_TRUE(is_problem(c.read(), 431)) << "what is sent behind the limit is dropped, and the client hears of it";
  EXPECT_TRUE(c.closed());
  // A sanitizer keeps what was freed, and TLS frees buffers for each piece.
  if (!over_tls() || !sanitized()) {
    EXPECT_LT(metric("process_resident_memory_bytes") - before, 8'000'000) << "sixteen megabytes of head were kept";
  }
  EXPECT_TRUE(alive());
}

TEST_F(Limits, ABodyTooLargeIs413WhetherAnnouncedOrNot) {
  start("server: {threads: 1, limits: {request_body: 10KiB}}\nroutes: [{path: /**}]\n");
  EXPECT_EQ(ask("POST", "/ok", {}, std::string(10240, 'b')).body, "10240");
  auto announced = connect();
  announced.send("POST /big HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 10241\r\n\r\n");
  EXPECT_TRUE(is_problem(announced.read(), 413));
  EXPECT_EQ(origin.count("/big"), 0u);
  auto chunked = connect();
  chunked.send("POST /chunked HTTP/1.1\r\nHost: shop.test\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 20; ++i)
    if (!chunked.send("400\r\n" + std::string(1024, 'b') + "\r\n")) break;
  EXPECT_EQ(chunked.read().status, 413);
  for (const auto& r : origin.requests("/chunked"))
    EXPECT_TRUE(eventually([&] { return !origin.last("/chunked").complete; })) << r.head;
  EXPECT_TRUE(metric_reaches("forebay_request_errors_total", {{"reason", "body_too_large"}}, 2));
}

TEST_F(Limits, ASlowHeadIs408AndAnIdleConnectionIsClosedWithoutAWord) {
  start("server: {threads: 1, timeouts: {header: 200ms, idle: 5m}}\nroutes: [{path: /**}]\n");
  auto slow = connect();
  slow.send("GET /a HTTP/1.1\r\nHost:");
  EXPECT_TRUE(is_problem(slow.read(), 408));
  EXPECT_TRUE(slow.closed());
  expect_error("client_timeout");
  daemon.reset();
  start("server: {threads: 1, timeouts: {header: 5m, idle: 300ms}}\nroutes: [{path: /**}]\n");
  // A slow client may be idle for so long before it has sent anything.
  std::optional<Client> idle;
  EXPECT_TRUE(eventually([&] {
    idle.emplace(connect());
    return idle->get("/a").status == 200;
  }));
  EXPECT_TRUE(idle->closed());
}

TEST_F(Limits, ADripDoesNotProlongTheTimeOfTheHead) {
  start("server: {threads: 1, timeouts: {header: 400ms}}\nroutes: [{path: /**}]\n");
  auto c = connect();
  c.send("GET /a HTTP/1.1\r\nHost: shop.test\r\n");
  Socket::Got got = Socket::Got::Timeout;
  std::string answer;
  for (int i = 0; i < 100 && got == Socket::Got::Timeout; ++i) {
    c.send("X: y\r\n");
    got = c.socket().receive(answer, milliseconds{50});
  }
  EXPECT_EQ(got, Socket::Got::Data) << "each piece came well within the time, all together did not";
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 408 "));
}

TEST_F(Limits, ABodyThatStopsComingEndsTheRequest) {
  start("server: {threads: 1, timeouts: {body: 200ms}}\nroutes: [{path: /**}]\n");
  auto c = connect();
  c.send("POST /a HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 100\r\n\r\nhalf");
  EXPECT_THAT(c.read().status, AnyOf(408, 0));
  EXPECT_TRUE(origin.count("/a") == 0 || eventually([&] { return origin.last("/a").broken; }))
      << "it never looks complete";
}

TEST_F(Limits, AClientThatDoesNotReadIsCutOff) {
  origin.on("/big", Reply::fresh(pattern(7000000)));
  start("server: {threads: 1, timeouts: {write: 300ms}}\nroutes: [{path: /**}]\n");
  EXPECT_TRUE(eventually([&] {
    const auto a = get("/big");
    return a.complete() && a.x_cache() == "HIT";
  }));
  const auto before = metric("forebay_connections_rejected_total", {{"reason", "timeout"}});
  Socket s = Socket::connect(daemon->port());
  s.receive_buffer(4096);
  Client stuck(std::move(s));
  stuck.request("GET", "/big");
  EXPECT_TRUE(metric_reaches("forebay_connections_rejected_total", {{"reason", "timeout"}}, before + 1));
  EXPECT_FALSE(stuck.read().complete());
  EXPECT_EQ(get("/a").status, 200);
}

TEST_F(Limits, ConnectionsBeyondTheLimitAreRefusedAndCountedAndComeBack) {
  start("server: {threads: 2, max_connections: 10}\nroutes: [{path: /**}]\n");
  std::vector<Client> all;
  for (int i = 0; i < 10; ++i) {
    all.push_back(connect());
    EXPECT_EQ(all.back().get("/a").status, 200);
  }
  {
    auto over = connect();
    over.request("GET", "/a");
    EXPECT_THAT(over.read().status, AnyOf(503, 0));
    EXPECT_TRUE(over.closed());
  }
  EXPECT_TRUE(metric_reaches("forebay_connections_rejected_total", {{"reason", "limit"}}, 1));
  EXPECT_EQ(all.front().get("/a").x_cache(), "HIT") << "those that are in go on";
  all.clear();
  EXPECT_TRUE(eventually([&] { return get("/a").status == 200; }));
}

TEST_F(Limits, ConnectionsOfOneAddressAreLimitedWhereConfigured) {
  start("server: {threads: 2, limits: {connections_per_address: 3}}\nroutes: [{path: /**}]\n");
  std::vector<Client> all;
  for (int i = 0; i < 3; ++i) {
    all.push_back(connect());
    EXPECT_EQ(all.back().get("/a").status, 200);
  }
  auto over = connect();
  over.request("GET", "/a");
  EXPECT_THAT(over.read().status, AnyOf(503, 429, 0));
  EXPECT_EQ(daemon->admin("GET", "/livez").status, 200);
}

TEST_F(Limits, ATrustedProxyMayHaveMoreConnectionsThanAnAddress) {
  start(
      "server: {threads: 2, trusted_proxies: [127.0.0.0/8], limits: {connections_per_address: 1}}\n"
      "routes: [{path: /**}]\n");
  std::vector<Client> all;
  for (int i = 0; i < 3; ++i) {
    all.push_back(connect());
    EXPECT_EQ(all.back().get("/a").status, 200);
  }
}

TEST_F(Limits, ManySlowClientsDoNotHoldUpAHit) {
  start();
  get("/a");
  std::vector<Client> slow;
  for (int i = 0; i < 500; ++i) {
    slow.push_back(connect());
    slow.back().send("GET /x HTTP/1.1\r\nHost: sh");
  }
  for (int i = 0; i < 20; ++i) EXPECT_EQ(get("/a").x_cache(), "HIT");
}

TEST_F(Limits, AnObjectOverMaxObjectPassesThroughWholeAndIsRemembered) {
  const auto big = pattern(500000);
  origin.on("/length", Reply::fresh(big));
  origin.on("/chunked", Reply::fresh(big).chunked(20000));
  start("cache: {max_object: 100KiB}\nroutes: [{path: /**}]\n");
  for (const auto* path : {"/length", "/chunked"}) {
    const auto first = get(path);
    EXPECT_TRUE(first.complete());
    EXPECT_TRUE(first.body == big) << path;
    const auto second = get(path);
    EXPECT_TRUE(second.body == big);
    EXPECT_EQ(second.x_cache(), "BYPASS") << path;
    EXPECT_EQ(second.cache_param("detail"), "pass_memory") << path;
  }
  EXPECT_TRUE(metric_reaches("forebay_cache_not_stored_total", {{"reason", "too_large"}}, 2));
  EXPECT_EQ(metric("forebay_cache_entries"), 0);
}

TEST_F(Limits, ARoutesMaxObjectIsItsOwn) {
  origin.otherwise([](const Received&) { return Reply::fresh(pattern(5000)); });
  start("routes: [{path: /small/*, max_object: 1KiB}, {path: /**}]\n");
  get("/small/a");
  EXPECT_NE(get("/small/a").x_cache(), "HIT");
  get("/a");
  EXPECT_EQ(get("/a").x_cache(), "HIT");
}

TEST_F(Limits, TheCacheNeverHoldsMoreThanItsMemory) {
  origin.otherwise([](const Received&) { return Reply::fresh(pattern(200000)); });
  start("cache: {memory: 4MiB}\nroutes: [{path: /**}]\n");
  for (int i = 0; i < 100; ++i) EXPECT_EQ(get("/" + std::to_string(i)).status, 200);
  EXPECT_LE(metric("forebay_cache_memory_bytes"), 4 * 1024 * 1024);
  EXPECT_GT(metric("forebay_cache_entries"), 2);
  EXPECT_TRUE(metric_reaches("forebay_cache_evictions_total", {{"reason", "capacity"}}, 50));
}

}  // namespace
}  // namespace forebay::test
