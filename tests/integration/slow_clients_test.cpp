// Slow clients: they hold no connection to an origin that others wait for, and who has left takes no place.
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
    queued.back().request(method, "/queued", {}, method == "POST" ? "body" : "");
  }
  EXPECT_TRUE(metric_reaches("forebay_connections", {}, 4));
  for (auto& c : queued) c.socket().reset();
  EXPECT_TRUE(eventually([&] { return metric("forebay_connections") <= 1; }));
  hold->open();
  EXPECT_EQ(first.read().body, "held");
  EXPECT_EQ(get("/after").status, 200);
  EXPECT_EQ(origin.count("/queued"), 0u);
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

}  // namespace
}  // namespace forebay::test
