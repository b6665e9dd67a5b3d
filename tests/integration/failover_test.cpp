// Where an origin fails, another one is asked in its place: `failover`.
#include <atomic>
#include <map>
#include <mutex>

#include "support/forebay_test.hpp"
#include "support/h2_transport.hpp"

namespace forebay::test {
namespace {

class Failover : public ForebayTest {
 protected:
  /// `main`: further keys of the first origin.
  void start_both(const std::string& main = "", const std::string& route = "path: /**") {
    start("origins:\n  main: {url: '" + origin.url() + "', failover: spare, retries: 0" +
          (main.empty() ? "" : ", " + main) + "}\n  spare: {url: '" + spare.url() +
          "', retries: 0}\norigin: main\nroutes: [{" + route + "}]\n");
  }
  void TearDown() override {
    spare.refuse();
    ForebayTest::TearDown();
    EXPECT_THAT(spare.complaints(), IsEmpty());
  }
  static Reply aged(const std::string& body, const std::string& more = "") {
    return Reply::with("max-age=60" + more, body).field("Age", "100").field("ETag", "\"1\"");
  }
  double failovers() { return metric("forebay_origin_failovers_total", {{"origin", "main"}, {"to", "spare"}}); }

  Origin spare;
};

TEST_F(Failover, WhoRefusesConnectionsIsStoodInForAndTheLogsTellIt) {
  spare.on("/a", Reply::fresh("spare's"));
  origin.on("/b", Reply::fresh("main's"));
  start_both();
  origin.refuse();
  const auto a = get("/a");
  EXPECT_EQ(a.status, 200);
  EXPECT_EQ(a.body, "spare's");
  EXPECT_EQ(a.x_cache(), "MISS");
  EXPECT_EQ(get("/a").x_cache(), "HIT");
  EXPECT_EQ(failovers(), 1);
  auto line = access_line("/a", [](const auto& l) { return l.contains("origin.name"); });
  EXPECT_EQ(line["origin.name"], "spare");
  EXPECT_EQ(line["origin.address"], spare.authority());
  EXPECT_EQ(line["origin.status"], "200");
  EXPECT_EQ(line["origin.failed_origin"], "main");
  EXPECT_EQ(line["origin.failed_by"], "connect");
  EXPECT_FALSE(line.contains("origin.error"));
  EXPECT_THAT(daemon->log(), HasSubstr("origin main fails, and its requests go to spare: "));
  origin.resume();
  EXPECT_EQ(get("/b").body, "main's");
  auto back = access_line("/b");
  EXPECT_EQ(back["origin.name"], "main");
  EXPECT_FALSE(back.contains("origin.failed_origin"));
}

TEST_F(Failover, SilenceACutHeadAndWhatIsNoHttpAreFailures) {
  const std::vector<std::pair<std::string, Reply>> cases{
      {"first_byte_timeout", Reply::silence()},
      {"between_bytes_timeout", Reply::fresh("x").stall(20)},
      {"reset", Reply::fresh("x").cut(20, End::Fin)},
      {"protocol", Reply::raw("garbage\r\n\r\n").close_silently()},
  };
  for (const auto& [why, reply] : cases) {
    origin.on("/" + why, reply);
    spare.on("/" + why, Reply::fresh("spare's"));
  }
  start_both("timeouts: {first_byte: 300ms, between_bytes: 100ms}");
  for (const auto& [why, reply] : cases) {
    EXPECT_EQ(get("/" + why).body, "spare's") << why;
    EXPECT_EQ(access_line("/" + why)["origin.failed_by"], why);
  }
}

TEST_F(Failover, AnswersOfListedStatusesAreDroppedAndTheirConnectionIsKept) {
  origin.otherwise([](const Received& r) {
    return Reply(r.path == "/404"   ? 404
                 : r.path == "/500" ? 500
                                    : 503)
        .field("Cache-Control", "no-store")
        .body("main's");
  });
  spare.otherwise([](const Received&) { return Reply::with("no-store", "spare's"); });
  start_both("passive: {failures: 0}");
  EXPECT_EQ(get("/404").status, 404);
  EXPECT_EQ(get("/500").status, 500);
  EXPECT_EQ(spare.count(), 0u);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(get("/503").body, "spare's");
  EXPECT_EQ(origin.count("/503"), 20u);
  // A connection is closed where its dropped answer has not been read before the other origin answers.
  EXPECT_LT(origin.connections(), 12u);
  EXPECT_EQ(spare.count(), 20u);
  EXPECT_EQ(access_line("/503")["origin.failed_by"], "503");
}

TEST_F(Failover, TheOtherOriginGetsItsOwnHostFieldsAndTheClientsRequest) {
  origin.on("/a", Reply(503));
  spare.on("/a", Reply::fresh("spare's"));
  start("origins:\n  main: {url: '" + origin.url() +
        "', failover: spare, headers: {X-Secret: mains}}\n  spare: {url: '" + spare.url() +
        "', host_header: origin, headers: {X-Key: spares}}\norigin: main\nroutes: [{path: /**}]\n");
  get("/a?b=1", {{"Host", "shop.test"}, {"X-Own", "1"}});
  const auto first = origin.last("/a"), second = spare.last("/a");
  EXPECT_EQ(first.get("Host"), "shop.test");
  EXPECT_EQ(first.get("X-Secret"), "mains");
  EXPECT_FALSE(first.has("X-Key"));
  EXPECT_EQ(second.get("Host"), spare.authority());
  EXPECT_EQ(second.get("X-Key"), "spares");
  EXPECT_FALSE(second.has("X-Secret"));
  EXPECT_EQ(second.get("X-Own"), "1");
  EXPECT_EQ(second.target, "/a?b=1");
  EXPECT_EQ(second.get("X-Request-Id"), first.get("X-Request-Id"));
}

TEST_F(Failover, UnsafeMethodsAreSentOnce) {
  origin.on("/a", Reply(503).body("main's"));
  start_both();
  for (const auto* method : {"POST", "PUT", "PATCH", "DELETE"}) {
    const auto a = ask(method, "/a", {}, "content");
    EXPECT_EQ(a.status, 503) << method;
    EXPECT_EQ(a.body, "main's");
  }
  origin.refuse();
  EXPECT_TRUE(is_problem(ask("POST", "/a", {}, "content"), 502));
  EXPECT_EQ(spare.count(), 0u);
  EXPECT_EQ(failovers(), 0);
}

TEST_F(Failover, TheContentOfAQueryIsSentAgain) {
  origin.on("/a", Reply(503));
  spare.on("/a", Reply::fresh("answer"));
  start_both();
  EXPECT_EQ(ask("QUERY", "/a", {{"Content-Type", "text/plain"}}, "question").body, "answer");
  EXPECT_EQ(origin.last("/a").body, "question");
  EXPECT_EQ(spare.last("/a").body, "question");
}

TEST_F(Failover, AHeadAndARangeAreAnsweredByTheOtherOrigin) {
  for (const auto* path : {"/head", "/part", "/private"}) origin.on(path, Reply(502));
  spare.on("/head", Reply::fresh("0123456789"));
  spare.on("/part", Reply::fresh("0123456789"));
  spare.on("/private", [](const Received& r) {
    if (!r.has("Range")) return Reply::with("private", "0123456789");
    return Reply(206).field("Cache-Control", "private").field("Content-Range", "bytes 2-3/10").body("23");
  });
  start_both();
  const auto head = ask("HEAD", "/head");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.get("Content-Length"), "10");
  const auto part = get("/part", {{"Range", "bytes=2-3"}});
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.body, "23");
  EXPECT_EQ(spare.last("/part").get("Range"), "") << "the whole is fetched for all";
  const auto own = get("/private", {{"Range", "bytes=2-3"}});
  EXPECT_EQ(own.status, 206);
  EXPECT_EQ(own.body, "23");
  EXPECT_EQ(origin.count("/private"), 1u) << "who has answered is asked for the range";
  EXPECT_EQ(spare.count("/private"), 2u);
}

TEST_F(Failover, TheVaryOfTheOtherOriginSelects) {
  origin.refuse();
  spare.on("/a",
           [](const Received& r) { return Reply::fresh(r.get("Accept-Language")).field("Vary", "Accept-Language"); });
  start_both();
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(get("/a", {{"Accept-Language", "de"}}).body, "de");
    EXPECT_EQ(get("/a", {{"Accept-Language", "fr"}}).body, "fr");
  }
  EXPECT_EQ(spare.count("/a"), 2u);
}

TEST_F(Failover, WhoWaitsForTheFetchGetsTheOtherOriginsAnswer) {
  auto hold = gate();
  origin.on("/a", Reply(503).after(hold));
  spare.on("/a", Reply::fresh("spare's"));
  start_both();
  std::vector<Client> all;
  all.reserve(10);
  for (int i = 0; i < 10; ++i) {
    all.push_back(connect());
    all.back().request("GET", "/a");
    if (i == 0) {
      EXPECT_TRUE(origin.wait_for("/a", 1));
    }
  }
  EXPECT_TRUE(metric_reaches("forebay_coalesced_waiting", {}, 9));
  hold->open();
  for (auto& client : all) EXPECT_EQ(client.read().body, "spare's");
  EXPECT_EQ(origin.count("/a"), 1u);
  EXPECT_EQ(spare.count("/a"), 1u);
}

TEST_F(Failover, WhenBothFailTheStaleResponseOrTheSecondFailureIsTheAnswer) {
  origin.on("/kept", {aged("kept", ", stale-if-error=3600"), Reply(503)});
  origin.on("/none", Reply(503).field("Retry-After", "5").body("main's"));
  spare.on("/kept", Reply(502));
  spare.on("/none", Reply(502).body("spare's"));
  start_both();
  get("/kept");
  const auto kept = get("/kept");
  EXPECT_EQ(kept.body, "kept");
  EXPECT_EQ(kept.x_cache(), "STALE");
  EXPECT_EQ(spare.count("/kept"), 1u);
  const auto none = get("/none");
  EXPECT_EQ(none.status, 502);
  EXPECT_EQ(none.body, "spare's");
  spare.refuse();
  EXPECT_EQ(get("/kept").body, "kept");
  EXPECT_TRUE(is_problem(get("/none"), 502));
  auto line = access_line("/none", [](const auto& l) { return l.contains("origin.error"); });
  EXPECT_EQ(line["origin.name"], "spare");
  EXPECT_EQ(line["origin.error"], "connect");
  EXPECT_THAT(line["origin.detail"], EndsWith("; before it main: it answered 503"));
}

TEST_F(Failover, ValidatorsGoToTheOriginThatGaveThemAlone) {
  origin.on("/a", aged("main's"));
  spare.on("/a", aged("spare's"));
  start_both();
  get("/a");
  get("/a");
  EXPECT_EQ(origin.last("/a").get("If-None-Match"), "\"1\"");
  origin.refuse();
  EXPECT_EQ(get("/a").body, "spare's");
  EXPECT_FALSE(spare.last("/a").has("If-None-Match"));
  get("/a");
  EXPECT_EQ(spare.last("/a").get("If-None-Match"), "\"1\"");
  origin.resume();
  EXPECT_EQ(get("/a").body, "main's");
  EXPECT_FALSE(origin.last("/a").has("If-None-Match"));
}

TEST_F(Failover, NothingFailsOverBehindTheHeadOfAnAnswer) {
  origin.on("/a", Reply::fresh(pattern(1000)).cut(500, End::Rst));
  start_both();
  const auto a = get("/a");
  EXPECT_EQ(a.status, 200);
  EXPECT_FALSE(a.complete());
  EXPECT_EQ(spare.count(), 0u);
}

TEST_F(Failover, ATunnelGoesToTheOtherOrigin) {
  if (over_http2()) GTEST_SKIP() << "HTTP/2 has no upgrade";
  spare.take_over("/ws", [](Socket& socket, const std::string&, const Received&) {
    socket.send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
    std::string bytes;
    while (socket.receive(bytes) == Socket::Got::Data) {
      if (!socket.send(bytes)) return;
      bytes.clear();
    }
  });
  origin.on("/ws", Reply(503));
  start_both();
  auto c = connect();
  c.request("GET", "/ws",
            {{"Connection", "Upgrade"},
             {"Upgrade", "websocket"},
             {"Sec-WebSocket-Version", "13"},
             {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}});
  EXPECT_EQ(c.read_message().status, 101);
  c.send("hello");
  EXPECT_EQ(c.read_raw(5), "hello");
  EXPECT_EQ(origin.last("/ws").get("Upgrade"), "websocket");
}

TEST_F(Failover, AnOriginThatIsOutOfUseCostsNoFurtherTimeouts) {
  origin.otherwise([](const Received&) { return Reply::silence(); });
  spare.otherwise([](const Received&) { return Reply::with("no-store", "spare's"); });
  start_both("timeouts: {first_byte: 200ms}, passive: {failures: 2, hold: 1h}");
  for (int i = 0; i < 10; ++i) EXPECT_EQ(get("/" + std::to_string(i)).body, "spare's");
  EXPECT_EQ(origin.count(), 2u);
  EXPECT_EQ(access_line("/9")["origin.failed_by"], "circuit_open");
}

TEST_F(Failover, AFailoverThatHasOneItselfIsTriedAlsoWhileItIsOutOfUse) {
  origin.refuse();
  std::atomic<bool> works{false};
  spare.otherwise(
      [&](const Received&) { return works ? Reply::with("no-store", "spare's") : Reply::hang_up(End::Rst); });
  start("origins:\n  main: {url: '" + origin.url() + "', failover: spare, retries: 0}\n  spare: {url: '" + spare.url() +
        "', failover: third, retries: 0, passive: {failures: 1, hold: 1h}}\n  third: {url: 'http://127.0.0.1:1'}\n"
        "origin: main\nroutes: [{path: /**}]\n");
  EXPECT_EQ(get("/a").status, 502);
  EXPECT_EQ(access_line("/a")["origin.name"], "spare");
  works = true;
  EXPECT_EQ(get("/b").body, "spare's");
}

TEST_F(Failover, AnAuthenticatedConnectionToTheOtherOriginAnswersNothingForAll) {
  if (over_http2()) GTEST_SKIP() << "NTLM is of HTTP/1.1";
  std::mutex mutex;
  std::map<std::size_t, std::string> users;
  spare.otherwise([&](const Received& r) {
    const std::lock_guard lock(mutex);
    auto& who = users[r.connection];
    if (r.has("Authorization")) who = "anna";
    return Reply::fresh(who.empty() ? "for all" : "for " + who);
  });
  start("server: {threads: 1}\norigins:\n  main: {url: '" + origin.url() +
        "', failover: spare, retries: 0}\n  spare: {url: '" + spare.url() +
        "', retries: 0}\norigin: main\nroutes: [{path: /own, origin: spare}, {path: /**}]\n");
  origin.refuse();
  auto anna = connect();
  EXPECT_EQ(anna.get("/own", {{"Authorization", "Negotiate anna"}}).body, "for anna");
  EXPECT_EQ(anna.get("/own").body, "for anna");
  EXPECT_EQ(anna.get("/a").body, "for all");
  EXPECT_EQ(connect().get("/a").body, "for all");
}

TEST_F(Failover, ExplainNamesWhoGaveWhatIsStoredAndWhoWouldBeAsked) {
  FOREBAY_NOT_OVER_TLS("it explains requests over http");
  spare.on("/a", Reply::fresh("spare's"));
  origin.on("/b", Reply::fresh("main's"));
  start_both();
  origin.refuse();
  get("/a", {{"Host", "shop.test"}});
  origin.resume();
  get("/b", {{"Host", "shop.test"}});
  const auto explained = [&](const std::string& path) {
    return Client(daemon->admin_port())
        .ask("POST", "/api/v1/explain", {{"Host", "localhost"}, {"Content-Type", "application/json"}},
             R"({"url": "http://shop.test)" + path + R"("})")
        .body;
  };
  const auto a = explained("/a");
  EXPECT_THAT(a, HasSubstr(R"("stored":{"found":true,"tier":"l1","origin":"spare",)"));
  EXPECT_THAT(
      a,
      HasSubstr(
          "if main gives no answer, does not answer in time, answers 502, 503, 504, or is out of use, spare is asked "
          "in its place"));
  EXPECT_THAT(explained("/b"), HasSubstr(R"("origin":"main","state":"fresh")"));
}

}  // namespace
}  // namespace forebay::test
