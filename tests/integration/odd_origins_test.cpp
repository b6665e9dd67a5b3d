// Origins that are odd but legal, and origins that are neither: what they send never brings anything out of step.
#include "support/forebay_test.hpp"

namespace forebay::test {
namespace {

class OddOrigins : public ForebayTest {
 protected:
  void SetUp() override {
    origin.otherwise([](const Received& r) { return Reply::fresh("right " + r.path); });
  }
  // After the odd answer, whatever it gave, other requests on the same worker get their own.
  void in_step() {
    for (int i = 0; i < 3; ++i) {
      const auto path = "/right-" + std::to_string(next_++);
      EXPECT_EQ(get(path).body, "right " + path);
    }
  }
  int next_ = 0;
};

const char* const kOneWorker = "server: {threads: 1}\nroutes: [{path: /**}]\n";

TEST_F(OddOrigins, LegalVarietyIsUnderstood) {
  const std::pair<const char*, const char*> cases[] = {
      {"/no-reason", "HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok"},
      {"/lower-case", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"},
      {"/no-space", "HTTP/1.1 200 OK\r\nContent-Length:2\r\nX:\r\n\r\nok"},
      {"/upper-hex", "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"},
      {"/extensions", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b;c=\"d\"\r\nok\r\n0;e\r\n\r\n"},
      {"/trailers", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n"},
      {"/latin1", "HTTP/1.1 200 O\xcb\r\nContent-Length: 2\r\nX: \xe4\r\n\r\nok"},
      {"/reason", "HTTP/1.1 200 Not At All What You Think\r\nContent-Length: 2\r\n\r\nok"},
  };
  for (const auto& [path, bytes] : cases) origin.on(path, Reply::raw(bytes));
  start(kOneWorker);
  for (const auto& [path, bytes] : cases) {
    const auto a = get(path);
    EXPECT_EQ(a.status, 200) << path << a;
    EXPECT_EQ(a.body, "ok") << path;
    EXPECT_FALSE(a.fields.has("X-Sum"));
  }
  in_step();
}

TEST_F(OddOrigins, ContentWhereNoneMayBeIsNeverTheNextAnswer) {
  const std::string evil = "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 4\r\n\r\nevil";
  const std::pair<const char*, std::string> cases[] = {
      {"/204-length", "HTTP/1.1 204 No Content\r\nContent-Length: " + std::to_string(evil.size()) + "\r\n\r\n" + evil},
      {"/204-chunked", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + evil},
      {"/304-chunked", "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + evil},
      {"/103-length",
       "HTTP/1.1 103 Early\r\nContent-Length: 4\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" + evil},
      {"/205", "HTTP/1.1 205 Reset\r\nContent-Length: 0\r\n\r\n" + evil},
      {"/length-twice", "HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok" + evil},
      {"/http10-chunked",
       "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n2\r\nok\r\n0\r\n\r\n" + evil},
      {"/chunked-surplus", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n" + evil},
  };
  for (const auto& [path, bytes] : cases) origin.on(path, Reply::raw(bytes));
  start("origins: {o: {url: '" + origin.url() + "', timeouts: {first_byte: 5s, between_bytes: 5s}}}\norigin: o\n" +
        kOneWorker);
  for (const auto& [path, bytes] : cases) {
    for (const auto* method : {"GET", "HEAD"}) {
      const auto a = ask(method, path);
      EXPECT_NE(a.body, "evil") << path;
      EXPECT_NE(a.end, Ending::Malformed) << path << a;
      in_step();
    }
  }
}

TEST_F(OddOrigins, ControlBytesInAHeadNeverReachTheClient) {
  const std::string nul(1, '\0');
  const std::vector<std::string> heads{"X: a\rb",         "X: a" + nul + "b", "X: a\x07", "X\x01: a",
                                       "X: a\r\n\x01: b", "Location: /a\x0b", "X: a\x7f"};
  for (std::size_t i = 0; i < heads.size(); ++i)
    origin.on("/" + std::to_string(i), Reply::raw("HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\n" + heads[i] +
                                                  "\r\nContent-Length: 2\r\n\r\nok"));
  start(kOneWorker);
  for (std::size_t i = 0; i < heads.size(); ++i) {
    const auto a = get("/" + std::to_string(i));
    EXPECT_NE(a.end, Ending::Malformed) << heads[i] << a;
    EXPECT_THAT(a.status, AnyOf(200, 502)) << heads[i];
  }
  in_step();
}

TEST_F(OddOrigins, EndlessThingsOfTheOriginAreBounded) {
  std::string extensions =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;" + std::string(3000000, 'e') + "\r\nok\r\n0\r\n\r\n";
  std::string trailers = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n";
  for (int i = 0; i < 100000; ++i) trailers += "X-T: " + std::to_string(i) + "\r\n";
  std::string tiny = "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 200000; ++i) tiny += "1\r\nx\r\n";
  origin.on("/extensions", Reply::raw(extensions).close_silently());
  origin.on("/trailers", Reply::raw(trailers + "\r\n").close_silently());
  origin.on("/tiny", Reply::raw(tiny + "0\r\n\r\n").close_silently());
  origin.on("/status-line", Reply::raw("HTTP/1.1 200 " + std::string(3000000, 'r')).close_silently());
  start(kOneWorker);
  EXPECT_FALSE(get("/extensions").complete());
  EXPECT_FALSE(get("/trailers").complete());
  EXPECT_EQ(get("/status-line").status, 502);
  const auto tiny_answer = get("/tiny");
  EXPECT_TRUE(tiny_answer.complete());
  EXPECT_EQ(tiny_answer.body.size(), 200000u);
  EXPECT_TRUE(eventually([&] { return metric("forebay_cache_memory_bytes") < 16e6; }));
  in_step();
}

TEST_F(OddOrigins, AnOriginThatClosesIdleConnectionsAtAnyMomentCostsNoRequest) {
  origin.otherwise(
      [](const Received& r) { return r.number % 2 ? Reply().body(r.path).close_silently() : Reply().body(r.path); });
  start(kOneWorker);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(get("/" + std::to_string(i)).body, "/" + std::to_string(i));
}

TEST_F(OddOrigins, AHerdOfRangesOnAColdKeyIsOneFetch) {
  auto hold = gate();
  origin.on("/a", Reply::fresh(pattern(50000)).after(hold));
  start();
  std::vector<Client> all;
  for (int i = 0; i < 100; ++i) {
    all.push_back(connect());
    all.back().request("GET", "/a", {{"Range", "bytes=" + std::to_string(i) + "-" + std::to_string(i + 9)}});
  }
  EXPECT_TRUE(metric_reaches("forebay_coalesced_waiting", {}, 99));
  hold->open();
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto a = all[i].read();
    EXPECT_EQ(a.status, 206);
    EXPECT_EQ(a.body, pattern(50000).substr(i, 10));
  }
  EXPECT_EQ(origin.count("/a"), 1u);
}

TEST_F(OddOrigins, HeadsOnAColdKeyAreAnsweredAndStoreNoEmptyBody) {
  auto hold = gate();
  origin.on("/a", Reply::fresh("12345").after(hold));
  start();
  std::vector<Client> all;
  for (int i = 0; i < 20; ++i) {
    all.push_back(connect());
    all.back().request("HEAD", "/a");
  }
  EXPECT_TRUE(origin.wait_for("/a", 1));
  hold->open();
  for (auto& c : all) {
    const auto a = c.read("HEAD");
    EXPECT_EQ(a.status, 200);
    EXPECT_EQ(a.get("Content-Length"), "5");
  }
  EXPECT_EQ(get("/a").body, "12345");
}

}  // namespace
}  // namespace forebay::test
