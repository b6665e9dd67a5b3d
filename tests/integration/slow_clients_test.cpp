// Slow clients: they hold no connection to an origin that others wait for, and who has left takes no place.
#include <thread>

#include "support/forebay_test.hpp"

namespace forebay::test {
namespace {

class SlowClients : public ForebayTest {
 protected:
  void SetUp() override {
    origin.otherwise([](const Received& r) { return Reply().body("got " + std::to_string(r.body.size())); });
  }
  void start_with_pool(int connections, const std::string& route = "{path: /**}", const std::string& more = {}) {
    start("server: {threads: 2" + more + "}\norigins: {o: {url: '" + origin.url() +
          "', pool: {max_connections: " + std::to_string(connections) + "}}}\norigin: o\nroutes: [" + route + "]\n");
  }
  /// The pool has its default size. A machine on which a request waits for a connection for long has time.
  void start_with_default_pool() {
    origin.on("/big", Reply::with("no-store").body("").repeat(std::string(50'000, 'x'), 400));
    origin.on("/chunked", Reply::with("no-store").body("").chunked().repeat(std::string(50'000, 'x'), 400));
    start("server: {threads: 2}\norigins: {o: {url: '" + origin.url() +
          "', pool: {queue_timeout: 20s}}}\norigin: o\nroutes: [{path: /**}]\n");
  }
  Client upload(std::size_t at_once) {
    auto c = connect();
    c.send("POST /slow HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 100000\r\n\r\n" + std::string(at_once, 'x'));
    return c;
  }
  /// Clients that ask for the path and read nothing of it. All of them hold a connection to the origin.
  std::vector<Client> readers_of_nothing(const std::string& path, std::size_t n) {
    std::vector<Client> all;
    for (std::size_t i = 0; i < n; ++i) {
      auto socket = Socket::connect(daemon->port());
      socket.receive_buffer(4096);
      all.emplace_back(std::move(socket)).request("GET", path);
    }
    EXPECT_TRUE(origin.wait_for(path, n));
    return all;
  }
  /// Misses that are answered while the clients of `uploads` send a byte each now and then.
  void expect_answers_beside(std::vector<Client>& uploads) {
    for (int i = 0; i < 6; ++i) {
      for (auto& c : uploads) c.send("x");
      const auto path = "/miss" + std::to_string(i);
      EXPECT_EQ(get(path).status, 200) << path;
      EXPECT_EQ(ask("POST", path, {}, "body").body, "got 4") << path;
    }
    EXPECT_EQ(metric("forebay_origin_errors_total"), 0) << "it is not the origin's fault";
  }
  Client slow_reader(const std::string& path) {
    auto c = connect();
    c.request("GET", path);
    EXPECT_EQ(c.read_head().status, 200);
    return c;
  }
};

TEST_F(SlowClients, UploadsOfAByteNowAndThenHoldNoConnection) {
  start_with_pool(4);
  std::vector<Client> slow;
  for (int i = 0; i < 40; ++i) {
    slow.push_back(connect());
    slow.back().send("POST /slow HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 100000\r\n\r\nx");
  }
  for (int i = 0; i < 20; ++i) {
    for (auto& c : slow) c.send("x");
    EXPECT_EQ(get("/miss" + std::to_string(i)).status, 200);
  }
  EXPECT_EQ(origin.count("/slow"), 0u);
}

TEST_F(SlowClients, ReadersOfALargeUnstoredAnswerGiveWay) {
  origin.on("/big", Reply::with("no-store", std::string(20'000'000, 'x')));
  start_with_pool(4);
  std::vector<Client> slow;
  for (int i = 0; i < 4; ++i) slow.push_back(slow_reader("/big"));
  for (int i = 0; i < 20; ++i) EXPECT_EQ(get("/miss" + std::to_string(i)).status, 200);
  EXPECT_EQ(metric("forebay_origin_errors_total"), 0) << "it is not the origin's fault";
  int whole = 0;
  for (auto& c : slow) {
    whole += c.read_raw(20'000'000).size() == 20'000'000 ? 1 : 0;
  }
  EXPECT_LT(whole, 4) << "one at least was cut off";
  EXPECT_GT(whole, 0) << "and no more than it took";
}

TEST_F(SlowClients, UploadsThatHoldAConnectionGiveWay) {
  start_with_pool(2, "{path: /**, request_buffer: 0}");
  std::vector<Client> slow;
  for (int i = 0; i < 2; ++i) {
    slow.push_back(connect());
    slow.back().send("POST /slow HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 100000\r\n\r\nx");
  }
  EXPECT_TRUE(origin.wait_for("/slow", 2));
  for (int i = 0; i < 10; ++i) EXPECT_EQ(get("/miss" + std::to_string(i)).status, 200);
  EXPECT_TRUE(origin.wait_until("/slow", [](const Received& r) { return r.broken; }));
}

constexpr std::size_t kDefaultPool = 256;

TEST_F(SlowClients, AsManyOfEachAsTheDefaultPoolHasConnectionsHoldNoneThatOthersWaitFor) {
  start_with_default_pool();
  const auto readers = readers_of_nothing("/big", kDefaultPool);
  std::vector<Client> uploads;
  for (std::size_t i = 0; i < kDefaultPool; ++i) uploads.push_back(upload(1));
  expect_answers_beside(uploads);
  EXPECT_EQ(origin.count("/slow"), 0u) << "their content is not there yet";
}

// Of an answer without a length the rest may be short, so it is read on. That must not take a turn of all of them.
TEST_F(SlowClients, ReadersOfAnswersWithoutALengthGiveWayAsSoon) {
  start_with_default_pool();
  const auto readers = readers_of_nothing("/chunked", kDefaultPool);
  std::vector<Client> none;
  expect_answers_beside(none);
}

TEST_F(SlowClients, UploadsBeyondTheBufferThatHoldTheWholeDefaultPoolGiveWay) {
  start_with_default_pool();
  std::vector<Client> uploads;
  for (std::size_t i = 0; i < kDefaultPool; ++i) uploads.push_back(upload(70'000));
  EXPECT_TRUE(origin.wait_for("/slow", kDefaultPool));
  expect_answers_beside(uploads);
}

TEST_F(SlowClients, AStalledLeaderGivesWayAndWhoFollowsItGetsTheWholeAnswer) {
  const auto body = pattern(8'000'000);
  auto rest = gate();
  origin.on("/big", Reply::fresh(body).chunked(50'000).gate_at(50'000, rest));
  // What waits for a connection presses sooner than one reader of a shared body may hold up the others.
  start("server: {threads: 2}\norigins: {o: {url: '" + origin.url() +
        "', pool: {max_connections: 1, queue_timeout: 1s}}}\norigin: o\ncache: {max_object: 100KiB}\n"
        "routes: [{path: /**}]\n");
  auto socket = Socket::connect(daemon->port());
  socket.receive_buffer(65'536);
  Client leader(std::move(socket));
  leader.request("GET", "/big");
  EXPECT_EQ(leader.read_head().status, 200);
  std::vector<Client> followers;
  std::vector<Answer> answers(2);
  for (auto& a : answers) {
    followers.push_back(connect());
    followers.back().request("GET", "/big");
    a = followers.back().read_head();
    ASSERT_EQ(a.status, 200);
  }
  ASSERT_EQ(origin.count("/big"), 1u);
  auto waiting = connect();
  waiting.request("GET", "/miss");
  EXPECT_TRUE(metric_reaches("forebay_connections", {}, 4));
  rest->open();
  {
    std::vector<std::jthread> reading;
    for (std::size_t i = 0; i < answers.size(); ++i)
      reading.emplace_back([&, i] { followers[i].read_content(answers[i]); });
    EXPECT_TRUE(get_until("/other"));
  }
  for (const auto& a : answers) {
    EXPECT_TRUE(a.complete()) << a.body.size();
    EXPECT_TRUE(a.body == body);
  }
  EXPECT_LT(leader.read_raw(body.size()).size(), body.size());
  EXPECT_EQ(origin.count("/big"), 1u);
}

TEST_F(SlowClients, WithoutAQueueNobodyIsCutOff) {
  origin.on("/big", Reply::with("no-store", std::string(20'000'000, 'x')));
  start_with_pool(4);
  auto slow = slow_reader("/big");
  for (int i = 0; i < 10; ++i) EXPECT_EQ(get("/miss" + std::to_string(i)).status, 200);
  EXPECT_EQ(slow.read_raw(20'000'000).size(), 20'000'000u);
}

TEST_F(SlowClients, WhoLeavesTheQueueGivesUpItsPlace) {
  auto hold = gate();
  origin.on("/hold", Reply().body("held").after(hold));
  start_with_pool(1);
  auto first = connect();
  first.request("GET", "/hold");
  EXPECT_TRUE(origin.wait_for("/hold", 1));
  std::vector<Client> queued;
  for (const std::string method : {"GET", "POST", "HEAD"}) {
    queued.push_back(connect());
    queued.back().request(method, "/" + method, {}, method == "POST" ? "body" : "");
  }
  EXPECT_TRUE(metric_reaches("forebay_connections", {}, 4));
  for (auto& c : queued) c.socket().reset();
  EXPECT_TRUE(eventually([&] { return metric("forebay_connections") <= 1; }));
  hold->open();
  EXPECT_EQ(first.read().body, "held");
  EXPECT_EQ(get("/after").status, 200);
  for (const std::string path : {"/GET", "/POST", "/HEAD"}) EXPECT_EQ(origin.count(path), 0u) << path;
}

TEST_F(SlowClients, ContentForAKeyHasATimeInAll) {
  origin.on("/a", Reply::fresh("answer"));
  start("server: {threads: 1, timeouts: {body: 400ms}}\nroutes: [{path: /**, methods: POST}]\n");
  auto c = connect();
  c.send("POST /a HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 10000\r\n\r\n");
  for (int i = 0; i < 200 && c.quiet(milliseconds{50}); ++i) c.send("x");
  EXPECT_EQ(c.read("POST").status, 408);
  EXPECT_EQ(origin.count("/a"), 0u);
}

/// What the daemon's memory grows by while `open` holds its connections, per connection.
class ConnectionMemory : public SlowClients {
 protected:
  static constexpr int kMany = 3000;
  static double most(bool idle) { return !over_tls() ? 8192 : idle ? 20 * 1024 : 24 * 1024; }
  void SetUp() override {
    SlowClients::SetUp();
    start("server: {threads: 2}\nroutes: [{path: /**}]\n");
    if (sanitized()) GTEST_SKIP() << "a sanitizer takes memory of its own";
    // What is allocated once is not counted.
    std::vector<Client> first;
    for (int i = 0; i < 200; ++i) {
      first.push_back(connect());
      EXPECT_EQ(first.back().get("/warm").status, 200);
    }
  }
  double memory() { return metric("process_resident_memory_bytes"); }
  void expect_little(bool idle, const std::function<void(Client&)>& use) {
    ASSERT_TRUE(eventually([&] { return metric("forebay_connections") == 0; }));
    const auto before = memory();
    std::vector<Client> all;
    for (int i = 0; i < kMany; ++i) {
      all.push_back(connect());
      use(all.back());
    }
    ASSERT_TRUE(metric_reaches("forebay_connections", {}, kMany));
    EXPECT_TRUE(eventually([&] { return (memory() - before) / kMany <= most(idle); })) << (memory() - before) / kMany;
    EXPECT_EQ(get("/another").status, 200);
  }
};

TEST_F(ConnectionMemory, OfAnIdleOneIsLittle) {
  expect_little(true, [](Client& c) { EXPECT_EQ(c.get("/warm").status, 200); });
}

TEST_F(ConnectionMemory, OfOneThatSendsNothingIsLittle) {
  expect_little(true, [](Client&) {});
}

TEST_F(ConnectionMemory, OfOneInTheMiddleOfAHeadIsLittle) {
  expect_little(false, [](Client& c) {
    c.send("GET / HTTP/1.1\r\nHost: shop.test\r\nUser-Agent: " + std::string(300, 'x'));
    c.send("x");
  });
}

TEST_F(ConnectionMemory, OfOneInTheMiddleOfItsContentIsLittle) {
  expect_little(false, [](Client& c) {
    c.send("POST /slow HTTP/1.1\r\nHost: shop.test\r\nUser-Agent: " + std::string(100, 'x') +
           "\r\nContent-Length: 100000\r\n\r\nx");
    c.send("x");
  });
}

/// Clients that ask for large answers which may be stored, and read next to nothing of them.
class PinningClients : public SlowClients {
 protected:
  static constexpr std::size_t kLarge = 7'000'000;  // more than the kernel takes for a client that does not read
  static constexpr double kQuarter = 16.0 * 1024 * 1024;
  void SetUp() override {
    SlowClients::SetUp();
    const auto answer = [](const Received& r) {
      return r.method == "POST" ? Reply(204) : Reply::fresh(std::string(kLarge, 'x'));
    };
    for (const std::string name : {"/slow", "/other"})
      for (int i = 0; i < 12; ++i) origin.on(name + std::to_string(i), answer);
  }
  void start_small() { start("server: {threads: 2}\ncache: {memory: 64MiB}\nroutes: [{path: /**}]\n"); }
  Client reads_its_head(const std::string& path) {
    auto socket = Socket::connect(daemon->port());
    socket.receive_buffer(65'536);
    Client c(std::move(socket));
    c.request("GET", path);
    EXPECT_EQ(c.read_head().status, 200);
    return c;
  }
  /// Other answers take the place of all that is stored.
  void evict_all() {
    for (int i = 0; i < 12; ++i) EXPECT_EQ(get("/other" + std::to_string(i)).body.size(), kLarge);
  }
  double stalled() { return metric("forebay_connections_rejected_total", {{"reason", "stalled"}}); }
  double pinned() { return metric("forebay_cache_pinned_bytes"); }
};

TEST_F(PinningClients, WhoStallsOnEvictedAnswersIsDisconnectedAboveAQuarterOfTheMemory) {
  start_small();
  std::vector<Client> slow;
  // Half of them read what is stored, the others what is being fetched for them.
  for (int i = 0; i < 3; ++i) {
    const auto path = "/slow" + std::to_string(i);
    EXPECT_EQ(get(path).body.size(), kLarge);
    slow.push_back(reads_its_head(path));
  }
  for (int i = 3; i < 6; ++i) {
    slow.push_back(reads_its_head("/slow" + std::to_string(i)));
    // The fetch ends although its client does not read.
    EXPECT_EQ(get("/slow" + std::to_string(i)).body.size(), kLarge);
  }
  EXPECT_EQ(stalled(), 0);
  evict_all();
  EXPECT_TRUE(metric_reaches("forebay_connections_rejected_total", {{"reason", "stalled"}}, 4));
  EXPECT_TRUE(eventually([&] { return pinned() <= kQuarter; }));
  EXPECT_THAT(daemon->log(), HasSubstr("more than a quarter of cache.memory"));
  int whole = 0;
  for (auto& c : slow) whole += c.read_raw(kLarge).size() == kLarge ? 1 : 0;
  EXPECT_EQ(whole, 6 - stalled()) << "the others may go on";
  EXPECT_TRUE(eventually([&] { return pinned() == 0; }));
}

TEST_F(PinningClients, WhoStallsOnStoredAnswersIsLeftAlone) {
  start_small();
  const auto paths = {"/slow0", "/slow1", "/slow2", "/slow3"};
  for (const std::string path : paths) EXPECT_EQ(get(path).body.size(), kLarge);
  std::vector<Client> of_stored, of_dropped;
  for (int i = 0; i < 4; ++i) of_stored.push_back(reads_its_head("/slow0"));
  for (const auto* path : {"/slow1", "/slow2", "/slow3"}) of_dropped.push_back(reads_its_head(path));
  // A write drops them from the cache: 21 MB and more, as the chunks are.
  for (const auto* path : {"/slow1", "/slow2", "/slow3"}) EXPECT_EQ(ask("POST", path).status, 204);
  EXPECT_TRUE(metric_reaches("forebay_connections_rejected_total", {{"reason", "stalled"}}, 1));
  EXPECT_EQ(get("/slow0").x_cache(), "HIT");
  for (auto& c : of_stored) EXPECT_EQ(c.read_raw(kLarge).size(), kLarge);
  int whole = 0;
  for (auto& c : of_dropped) whole += c.read_raw(kLarge).size() == kLarge ? 1 : 0;
  EXPECT_EQ(whole, 3 - stalled());
  EXPECT_GE(whole, 1) << "one fits in any case";
}

}  // namespace
}  // namespace forebay::test
