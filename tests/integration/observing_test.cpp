// What the process does now: statistics, their stream, events, requests as they end, hot keys, and what hits are worth.
#include <signal.h>

#include <thread>

#include "admin_api.hpp"

namespace forebay::test {
namespace {

class Observing : public AdminApiTest {
 protected:
  std::map<std::string, std::string> json(const std::string& path) {
    const auto answer = admin("GET", path);
    EXPECT_EQ(answer.status, 200) << path << ": " << answer.body;
    return members(answer);
  }
  /// Below zero where there is none.
  static double number(const std::map<std::string, std::string>& document, const std::string& path) {
    const auto found = document.find(path);
    return found == document.end() || found->second == "null" ? -1 : std::stod(found->second);
  }
  /// A reader of a stream. Its content comes as chunks, whose sizes are removed.
  class Stream {
   public:
    Stream(std::uint16_t port, const std::string& path) : client_(port) {
      client_.request("GET", path, {{"Host", "127.0.0.1"}});
      head = client_.read_head();
    }
    /// The next event of this kind, or a comment (kind ":"); empty when the stream ends before, or when none comes in
    /// time though others do.
    std::string next(const std::string& kind) {
      const auto wanted = kind == ":" ? ":" : "event: " + kind + "\ndata: ";
      for (const auto until = Clock::now() + kPatience; Clock::now() < until;) {
        for (auto end = text_.find("\n\n"); end != std::string::npos; end = text_.find("\n\n")) {
          const auto event = text_.substr(0, end);
          text_.erase(0, end + 2);
          if (event.starts_with(wanted)) return event.substr(wanted.size());
        }
        if (!more()) return {};
      }
      return {};
    }
    /// Whether it ends in order.
    bool ends() {
      for (const auto until = Clock::now() + kPatience; Clock::now() < until && more();) {
      }
      return complete_;
    }
    Client& client() { return client_; }
    Answer head;

   private:
    bool more() {
      std::string size;
      while (!size.ends_with("\r\n")) {
        const auto byte = client_.read_raw(1);
        if (byte.empty()) return false;
        size += byte;
      }
      const auto n = std::stoul(size, nullptr, 16);
      complete_ = n == 0;
      if (n == 0) return false;
      const auto data = client_.read_raw(n);
      text_ += data;
      client_.read_raw(2);
      return data.size() == n;
    }
    Client client_;
    std::string text_;
    bool complete_ = false;
  };
  Stream stream(const std::string& path) { return {daemon->admin_port(), path}; }
};

TEST_F(Observing, StatisticsShowTheRequestsOfTheLastMinute) {
  origin.on("/a", Reply::fresh("aaaa"));
  start("routes: [{name: shop, path: /**}]\n");
  for (int i = 0; i < 4; ++i) get("/a");
  ASSERT_TRUE(eventually([&] { return number(json("/api/v1/stats"), "last_minute.routes.shop.hit_ratio") == 0.75; }));
  const auto stats = json("/api/v1/stats?window=60s");
  EXPECT_EQ(stats.at("window_s"), "60");
  EXPECT_EQ(stats.at("step_s"), "1");
  EXPECT_EQ(stats.at("state"), "ready");
  EXPECT_EQ(number(stats, "last_minute.hit_ratio"), 0.75);
  EXPECT_EQ(stats.at("current.entries"), "1");
  EXPECT_GT(std::stod(stats.at("last_minute.requests")), 0);
  EXPECT_GT(std::stod(stats.at("last_minute.routes.shop.bytes_from_cache")), 0);
  EXPECT_GT(std::stod(stats.at("last_minute.origin_requests")), 0);
  const auto text = admin("GET", "/api/v1/stats").body;
  EXPECT_THAT(text, HasSubstr("\"hit_p99_ms\":["));
  EXPECT_THAT(admin("GET", "/api/v1/stats?window=1h").body, HasSubstr("\"step_s\":10"));
  EXPECT_THAT(admin("GET", "/api/v1/stats?window=60s").body, Not(ContainsRegex("[0-9]E-?[0-9]")));
  const auto route = admin("GET", "/api/v1/stats?window=5m&route=shop");
  EXPECT_THAT(route.body, HasSubstr("\"route\":\"shop\""));
  EXPECT_EQ(number(json("/api/v1/status"), "last_minute.hit_ratio"), 0.75);
}

TEST_F(Observing, ParametersThatAreWrongAre400WithWhatThereIs) {
  start("routes: [{name: shop, path: /**}]\n");
  for (const auto& [path, why] : std::vector<std::pair<const char*, const char*>>{
           {"/api/v1/stats?window=59s", "between 60s and 1h"},
           {"/api/v1/stats?window=2h", "between 60s and 1h"},
           {"/api/v1/stats?window=x", "between 60s and 1h"},
           {"/api/v1/stats?windw=60s", "known parameters are window, route"},
           {"/api/v1/stats/stream?window=60s", "this path takes none"},
           {"/api/v1/events?limit=0", "between 1 and 1000"},
           {"/api/v1/events?limit=1001", "between 1 and 1000"},
           {"/api/v1/keys?by=hits", "requests, misses, bytes or uncacheable"},
           {"/api/v1/keys?limit=many", "between 1 and 500"},
           {"/api/v1/requests/stream?filter=rout%3Dx", "did you mean route?"},
           {"/api/v1/requests/stream?filter=status%3D200&filter=path", "At byte 12 of the filter"}}) {
    const auto answer = admin("GET", path);
    EXPECT_EQ(answer.status, 400) << path;
    EXPECT_THAT(members(answer)["detail"], HasSubstr(why)) << path;
  }
  EXPECT_EQ(admin("GET", "/api/v1/stats?route=none").status, 404);
}

TEST_F(Observing, TheStreamOfStatisticsComesEachSecondAndEndsWithTheProcess) {
  origin.on("/a", Reply::fresh("a"));
  start("routes: [{name: shop, path: /**}]\n");
  auto live = stream("/api/v1/stats/stream");
  EXPECT_EQ(live.head.status, 200);
  EXPECT_THAT(live.head.get("Content-Type"), StartsWith("text/event-stream"));
  EXPECT_EQ(live.head.get("Cache-Control"), "no-store");
  const auto first = flatten_json(live.next("stats"));
  ASSERT_TRUE(first);
  EXPECT_EQ(first->at("state"), "ready");
  daemon->signal(SIGHUP);
  ASSERT_TRUE(metric_reaches("forebay_config_reloads_total", {{"outcome", "applied"}}, 1));
  get("/a");
  bool seen = false;
  for (int i = 0; i < 100 && !seen; ++i) {
    const auto next = flatten_json(live.next("stats"));
    ASSERT_TRUE(next) << "the reload has ended it";
    seen = next->count("routes.shop.requests") == 1;
  }
  EXPECT_TRUE(seen);
  EXPECT_EQ(admin("POST", "/api/v1/drain").status, 202);
  ASSERT_TRUE(eventually([&] { return flatten_json(live.next("stats")).value().at("state") == "draining"; }));
  EXPECT_EQ(admin("HEAD", "/api/v1/stats/stream").status, 200);
  daemon->signal(SIGTERM);
  EXPECT_TRUE(live.ends());
  EXPECT_EQ(daemon->wait_exit(), 0);
}

TEST_F(Observing, StreamsAreForOperators) {
  start("admin: {listen: 127.0.0.1:0, read_token: 0123456789abcdef, allow_loopback: false}\nroutes: [{path: /**}]\n");
  for (const auto* path : {"/api/v1/stats/stream", "/api/v1/requests/stream"}) {
    EXPECT_EQ(admin("GET", path).status, 401) << path;
    EXPECT_EQ(admin("POST", path).status, 401) << path;
    EXPECT_EQ(admin("HEAD", path, {}, {{"Authorization", "Bearer 0123456789abcdef"}}).status, 200) << path;
  }
}

TEST_F(Observing, OnlySoManyReadersHaveAStream) {
  start();
  std::vector<std::unique_ptr<Stream>> readers;
  for (int i = 0; i < 8; ++i) {
    readers.push_back(std::make_unique<Stream>(daemon->admin_port(), "/api/v1/requests/stream"));
    ASSERT_EQ(readers.back()->head.status, 200);
  }
  const auto refused = admin("GET", "/api/v1/requests/stream");
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(members(refused)["code"], "too_many_streams");
  EXPECT_EQ(admin("HEAD", "/api/v1/requests/stream").status, 200) << "it takes no place";
  readers.pop_back();
  EXPECT_TRUE(eventually([&] { return stream("/api/v1/requests/stream").head.status == 200; }))
      << "who has left makes room";
}

TEST_F(Observing, RequestsAreSeenLiveAsTheLogHasThemThoughItIsOff) {
  origin.on("/a", Reply::fresh("a"));
  origin.on("/bad", Reply(500));
  start("routes: [{name: shop, path: /**}]\nlog: {access: {output: \"off\", redact: {query: [token]}}}\n");
  get("/before");
  auto all = stream("/api/v1/requests/stream");
  auto errors = stream("/api/v1/requests/stream?filter=status%3E%3D500+and&filter=path~/bad");
  ASSERT_EQ(errors.head.status, 200);
  auto client = connect();  // its worker passes them on in their order
  client.get("/a?token=secret", {{"User-Agent", "a"}, {"X-Request-Id", "one"}});
  client.get("/a?token=secret");
  client.get("/bad");
  const auto miss = flatten_json(all.next("request")).value();
  EXPECT_EQ(miss.at("path"), "/a");
  EXPECT_EQ(miss.at("query"), "token=REDACTED");
  EXPECT_EQ(miss.at("route"), "shop");
  EXPECT_EQ(miss.at("cache.result"), "miss");
  EXPECT_EQ(flatten_json(all.next("request")).value().at("cache.result"), "hit");
  EXPECT_EQ(flatten_json(all.next("request")).value().at("path"), "/bad");
  const auto bad = flatten_json(errors.next("request")).value();
  EXPECT_EQ(bad.at("path"), "/bad");
  EXPECT_EQ(bad.at("status"), "500");
  // Refused before there was a request.
  send_raw("GET / HTTP/1.1\r\nHost: a\r\nBad Field: x\r\n\r\n");
  EXPECT_EQ(flatten_json(all.next("request")).value().at("status"), "400");
  daemon->signal(SIGTERM);
  EXPECT_TRUE(all.ends());
  EXPECT_EQ(daemon->wait_exit(), 0);
}

TEST_F(Observing, AReaderThatDoesNotReadLosesRequestsAndDelaysNobody) {
  origin.on("/a", Reply::fresh("a"));
  start();
  auto slow = stream("/api/v1/requests/stream");
  slow.client().socket().receive_buffer(4096);  // else the kernel takes megabytes in its place
  const std::string long_name(8000, 'x');
  auto c = connect();
  for (int i = 0; i < 1500; ++i) ASSERT_EQ(c.get("/a?" + long_name).status, 200);
  const auto dropped = flatten_json(slow.next("dropped"));
  ASSERT_TRUE(dropped);
  EXPECT_GT(std::stol(dropped->at("dropped")), 0);
}

TEST_F(Observing, EventsTellWhatHasHappened) {
  start("routes: [{name: shop, path: /**}]\nadmin: {listen: 127.0.0.1:0}\n");
  daemon->signal(SIGHUP);
  ASSERT_TRUE(metric_reaches("forebay_config_reloads_total", {{"outcome", "applied"}}, 1));
  daemon->reload(with_origin("routes: [{path: /**, ttls: 5s}]\n"));
  ASSERT_TRUE(metric_reaches("forebay_config_reloads_total", {{"outcome", "rejected"}}, 1));
  admin("POST", "/api/v1/drain");
  admin("POST", "/api/v1/undrain");
  admin("PUT", "/api/v1/log/level", R"({"level":"warn","for":"20ms"})");
  ASSERT_TRUE(eventually([&] { return json("/api/v1/events?limit=1")["events[0].text"].ends_with("again"); }));
  const auto events = json("/api/v1/events");
  const auto is = [&](int i, const std::string& kind, const std::string& text) {
    const auto at = "events[" + std::to_string(i) + "].";
    EXPECT_EQ(events.at(at + "kind"), kind) << i;
    EXPECT_THAT(events.at(at + "text"), HasSubstr(text)) << i;
  };
  is(0, "log_level", "again");
  is(1, "log_level", "level warn for");
  is(2, "undrain", "no longer draining");
  is(3, "drain", "draining");
  is(4, "reload", "rejected (1 error)");
  EXPECT_EQ(events.at("events[4].detail.outcome"), "rejected");
  is(5, "reload", "applied");
  is(6, "start", "ready");
  EXPECT_EQ(events.at("events[6].id"), "1");
  EXPECT_EQ(events.count("events[7].id"), 0U);
}

TEST_F(Observing, PurgesAreEvents) {
  origin.on("/a", Reply::fresh("a"));
  start();
  get("/a");
  EXPECT_EQ(admin("POST", "/api/v1/purge", R"({"url":["/a"],"dry_run":true})").status, 200);
  EXPECT_EQ(admin("POST", "/api/v1/purge", R"({"url":["/a"]})").status, 200);
  const auto events = json("/api/v1/events");
  EXPECT_EQ(events.at("events[0].kind"), "purge");
  EXPECT_EQ(events.at("events[0].detail.purged"), "1");
  EXPECT_EQ(events.at("events[0].detail.mode"), "hard");
  EXPECT_THAT(events.at("events[0].text"), HasSubstr("/a"));
  EXPECT_EQ(events.at("events[1].kind"), "start") << "a dry run is none";
}

TEST_F(Observing, OriginsThatFailAndComeBackAreEvents) {
  std::atomic<bool> works{false};
  origin.on("/a", [&](const Received&) { return works ? Reply::fresh("a") : Reply().cut(0, End::Rst); });
  start("origins: {shop: {url: '" + origin.url() +
        "', retries: 0, passive: {failures: 2, hold: 100ms}}}\norigin: shop\nroutes: [{path: /**}]\n");
  get("/a");
  get("/a");
  ASSERT_TRUE(eventually([&] { return json("/api/v1/events?limit=1")["events[0].kind"] == "circuit"; }));
  const auto opened = json("/api/v1/events?limit=1");
  EXPECT_EQ(opened.at("events[0].detail.state"), "open");
  EXPECT_EQ(opened.at("events[0].detail.origin"), "shop");
  EXPECT_EQ(opened.at("events[0].detail.url"), origin.url());
  works = true;
  EXPECT_TRUE(get_until("/a"));
  EXPECT_TRUE(eventually([&] { return json("/api/v1/events?limit=1")["events[0].detail.state"] == "closed"; }));
}

TEST_F(Observing, HotKeysAreRankedByRequestsMissesBytesAndUncacheableAnswers) {
  origin.on("/hot", Reply::fresh("h"));
  origin.on("/big", Reply::fresh(std::string(100'000, 'b')));
  origin.on("/private", Reply::with("private"));
  start("routes: [{name: shop, path: /**}]\n");
  for (int i = 0; i < 10; ++i) get("/hot");
  for (int i = 0; i < 3; ++i) get("/big");
  for (int i = 0; i < 5; ++i) get("/private");
  ASSERT_TRUE(metric_reaches("forebay_requests_total", {{"route", "shop"}}, 18));
  auto hot = json("/api/v1/keys");
  EXPECT_EQ(hot["by"], "requests");
  EXPECT_EQ(hot["total"], "18");
  EXPECT_THAT(hot["keys[0].key"], HasSubstr("/hot"));
  EXPECT_EQ(hot["keys[0].count"], "10");
  EXPECT_EQ(hot["keys[0].error"], "0");
  EXPECT_THAT(hot["keys[1].key"], HasSubstr("/private"));
  EXPECT_THAT(hot["keys[2].key"], HasSubstr("/big"));
  EXPECT_THAT(hot["keys[0].id"], MatchesRegex("[0-9a-f]+"));
  const auto first = [&](const std::string& by) {
    auto keys = json("/api/v1/keys?limit=1&by=" + by);
    EXPECT_EQ(keys.count("keys[1].key"), 0U) << by;
    return keys["keys[0].key"] + ' ' + keys["keys[0].count"];
  };
  EXPECT_THAT(first("bytes"), AllOf(HasSubstr("/big"), EndsWith(" 300000")));
  EXPECT_THAT(first("uncacheable"), AllOf(HasSubstr("/private"), EndsWith(" 5")));
  EXPECT_THAT(json("/api/v1/keys?by=misses")["keys[0].count"], Not(IsEmpty()));
}

TEST_F(Observing, ValueIsWhatAReplayedSequenceSparesTheOrigin) {
  origin.on("/a", [](const Received& r) {
    return r.has("If-None-Match") ? Reply(304).field("ETag", "\"v\"").field("Cache-Control", "no-cache")
                                  : Reply::with("no-cache").field("ETag", "\"v\"").body("aaaa");
  });
  origin.on("/b", Reply::fresh(std::string(1000, 'b')).field("ETag", "\"b\""));
  origin.on("/c", Reply::with("private").body("c"));
  start("origins: {shop: {url: '" + origin.url() +
        "', cost_per_million: 2.5}}\norigin: shop\nroutes: [{name: r, path: /**}]\n");
  get("/a");          // fetched
  get("/a");          // validated: the origin was asked
  get("/b");          // fetched
  get("/b");          // spared
  ask("HEAD", "/b");  // spared, but for the content
  get("/c");          // never stored
  get("/c");
  get("/b", {{"If-None-Match", "\"x\""}});                                 // spared
  EXPECT_EQ(get("/b", {{"If-None-Match", "\"b\""}}).status, 304);          // spared, without content
  EXPECT_EQ(get("/b", {{"Range", "bytes=0-9"}}).status, 206);              // spared, ten bytes
  EXPECT_EQ(get("/b", {{"Range", "bytes=0-4,10-14,20-24"}}).status, 206);  // spared, fifteen bytes
  EXPECT_EQ(get("/b", {{"Range", "bytes=2000-"}}).status, 416);            // spared, without content
  const Metrics::Labels route{{"route", "r"}};
  EXPECT_TRUE(metric_becomes("forebay_requests_total", route, 12));
  EXPECT_EQ(metric("forebay_saved_origin_requests_total", route), 7);
  EXPECT_EQ(metric("forebay_saved_origin_bytes_total", route), 2025);
  EXPECT_NEAR(metric("forebay_saved_cost_total", route), 7 * 2.5 / 1e6, 1e-12);
  EXPECT_GT(metric("forebay_saved_origin_seconds_total", route), 0);
  const auto numbers = json("/api/v1/routes/r");
  EXPECT_EQ(numbers.at("counters.saved_origin_requests"), "7");
  EXPECT_EQ(numbers.at("counters.saved_origin_bytes"), "2025");
  EXPECT_NEAR(std::stod(numbers.at("counters.saved_cost")), 17.5e-6, 1e-12);
}

TEST_F(Observing, SilentConnectionsNeitherKeepProbesOutNorEndStreams) {
  start();
  auto live = stream("/api/v1/stats/stream");
  std::vector<std::unique_ptr<Client>> silent;
  for (int i = 0; i < 300; ++i) {
    silent.push_back(std::make_unique<Client>(daemon->admin_port()));
    if (i % 2 == 0) silent.back()->send("GET /livez HTTP/1.1\r\nHost:");
  }
  EXPECT_EQ(admin("GET", "/livez").status, 200);
  EXPECT_FALSE(live.next("stats").empty());
  EXPECT_FALSE(live.next("stats").empty());
}

}  // namespace
}  // namespace forebay::test
