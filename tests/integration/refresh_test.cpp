// Early refreshes, and refreshes that a client may ask for.
#include <thread>

#include "support/forebay_test.hpp"

namespace forebay::test {
namespace {

class Refresh : public ForebayTest {
 protected:
  // Fresh for so short that its last nine tenths, in which a refresh of 90% is due, begin soon.
  static Reply brief() { return Reply::with("max-age=4", "old").field("ETag", "\"old\""); }
  /// Asks until the origin is asked a second time; all answers come from the store.
  void expect_hits_until_refresh(const std::string& path, const std::string& method = "GET",
                                 const std::string& body = {}) {
    EXPECT_TRUE(eventually([&] {
      const auto a = ask(method, path, {}, body);
      EXPECT_THAT(a.cache_status(), MatchesRegex("forebay; hit; ttl=[0-9]+"));
      return origin.count(path) >= 2;
    }));
  }
};

const char* const kAhead =
    "routes: [{path: /off, methods: [GET, POST]}, {path: /**, methods: [GET, POST], "
    "key: {body: [/q]}, refresh_ahead: 90%}]\n";

TEST_F(Refresh, AHitWithinTheLastShareOfALifetimeStartsOneRefreshAndIsItselfAHit) {
  auto hold = gate();
  origin.on("/late", {brief(), Reply::fresh("new").after(hold)});
  origin.on("/early", Reply::with("max-age=600", "old"));
  origin.on("/off", {brief(), Reply::fresh("new")});
  start(kAhead);
  for (const auto* path : {"/late", "/early", "/off"}) get(path);
  expect_hits_until_refresh("/late");
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(get("/late").body, "old") << "the refresh is held back: only an answer from the store can arrive";
    EXPECT_EQ(get("/early").body, "old");
    EXPECT_EQ(get("/off").body, "old");
  }
  EXPECT_EQ(origin.count("/late"), 2u) << "one at a time";
  EXPECT_EQ(origin.last("/late").get("If-None-Match"), "\"old\"") << "it asks whether anything has changed";
  hold->open();
  EXPECT_TRUE(eventually([&] { return get("/late").body == "new"; }));
  EXPECT_EQ(get("/late").x_cache(), "HIT");
  EXPECT_EQ(origin.count("/late"), 2u);
  EXPECT_EQ(origin.count("/early"), 1u);
  EXPECT_EQ(origin.count("/off"), 1u);
  EXPECT_TRUE(
      metric_reaches("forebay_cache_revalidations_total", {{"mode", "background"}, {"outcome", "modified"}}, 1));
}

TEST_F(Refresh, A304ToAnEarlyRefreshBeginsTheLifetimeAnew) {
  origin.on("/a", {brief(), Reply(304).field("ETag", "\"old\"").field("Cache-Control", "max-age=60")});
  start(kAhead);
  get("/a");
  expect_hits_until_refresh("/a");
  EXPECT_TRUE(eventually([&] { return get("/a").ttl() > 50; }));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(get("/a").body, "old");
  EXPECT_EQ(origin.count("/a"), 2u);
}

TEST_F(Refresh, AnEarlyRefreshThatFailsCostsNobodyAnything) {
  origin.on("/503", {brief(), Reply(503).body("down")});
  origin.on("/rst", {brief(), Reply::hang_up(End::Rst)});
  start("origins: {o: {url: '" + origin.url() + "', retries: 0}}\norigin: o\nserver: {threads: 1}\n" + kAhead);
  for (const auto* path : {"/503", "/rst"}) {
    get(path);
    expect_hits_until_refresh(path);
    const auto before = origin.count(path);
    for (int i = 0; i < 20; ++i) {
      const auto a = get(path);
      EXPECT_EQ(a.x_cache(), "HIT") << path;
      EXPECT_EQ(a.body, "old");
    }
    EXPECT_LE(origin.count(path), before + 2) << "an origin in trouble is not asked at every hit";
  }
}

TEST_F(Refresh, AnEarlyRefreshOfAPostCarriesTheBody) {
  origin.on("/a", {brief(), Reply::fresh("new")});
  start(kAhead);
  ask("POST", "/a", {}, R"({"q":1,"n":1})");
  expect_hits_until_refresh("/a", "POST", R"({"q":1,"n":2})");
  EXPECT_TRUE(origin.wait_until("/a", [](const Received& r) { return r.body == R"({"q":1,"n":2})" && r.complete; }));
  EXPECT_TRUE(eventually([&] { return ask("POST", "/a", {}, R"({"q":1})").body == "new"; }));
  EXPECT_EQ(origin.count("/a"), 2u);
}

// That it is never seen expired is tested where time is the test's own; here a slow machine may miss a moment.
TEST_F(Refresh, AHotKeyUnderAutoIsRefreshedBehindHitsAndCostsLittleMoreThanOneFetchALifetime) {
  constexpr seconds kLifetime{2};
  origin.on("/hot", [](const Received& r) {
    std::this_thread::sleep_for(milliseconds{20});  // what a fetch costs is what early refresh is weighted by
    return Reply::with("max-age=2", std::to_string(r.number));
  });
  start("routes: [{path: /**, refresh_ahead: auto}]\n");
  const auto before = Clock::now();
  get("/hot");
  std::vector<std::jthread> clients;
  for (int i = 0; i < 2; ++i)
    clients.emplace_back([&](const std::stop_token& stop) {
      auto c = connect();
      while (!stop.stop_requested()) c.get("/hot");
    });
  EXPECT_TRUE(metric_reaches("forebay_cache_revalidations_total", {{"mode", "background"}}, 2));
  clients.clear();
  const auto lifetimes = static_cast<std::size_t>((Clock::now() - before) / kLifetime) + 1;
  EXPECT_LE(origin.count("/hot"), lifetimes + lifetimes / 4 + 2) << "at most 1.2 fetches in each of " << lifetimes;
}

TEST_F(Refresh, AColdKeyUnderAutoIsNeverRefreshedEarly) {
  origin.otherwise([](const Received&) { return Reply::with("max-age=1"); });
  start("routes: [{path: /**, refresh_ahead: auto}]\n");
  for (int i = 0; i < 100; ++i) get("/cold" + std::to_string(i));
  std::this_thread::sleep_for(milliseconds{700});  // late in the lifetime, which is real time here
  int hits = 0;
  for (int i = 0; i < 100; ++i) hits += get("/cold" + std::to_string(i)).x_cache() == "HIT";
  EXPECT_TRUE(metric_reaches("forebay_requests_total", {}, 200));
  std::size_t refreshed = 0;
  for (int i = 0; i < 100; ++i) refreshed += origin.count("/cold" + std::to_string(i)) - 1;
  EXPECT_EQ(refreshed, static_cast<std::size_t>(100 - hits)) << "only what had expired was fetched again";
  EXPECT_EQ(metric("forebay_cache_revalidations_total", {{"mode", "background"}}), 0);
}

TEST_F(Refresh, AClientWithTheTokenFetchesAnewAndReplacesTheEntry) {
  origin.on("/a", [](const Received& r) { return Reply::fresh(std::to_string(r.number)).field("ETag", "\"v\""); });
  start("routes: [{path: /**, client_refresh: {token: let-me-in}}]\n");
  EXPECT_EQ(get("/a").body, "1");
  const auto fresh = get("/a", {{"Forebay-Refresh", "let-me-in"}});
  EXPECT_EQ(fresh.body, "2");
  EXPECT_EQ(fresh.x_cache(), "MISS");
  EXPECT_THAT(fresh.cache_status(),
              MatchesRegex(std::string("forebay; fwd=request; (fwd-status=200; )?stored; ") + kTtlOf60));
  const auto hit = get("/a");
  EXPECT_EQ(hit.x_cache(), "HIT");
  EXPECT_EQ(hit.body, "2") << "replaced for all";
  EXPECT_EQ(origin.count("/a"), 2u);
  EXPECT_FALSE(origin.last("/a").has("Forebay-Refresh")) << "the token goes no further";
  EXPECT_THAT(daemon->access_text() + daemon->log(), Not(HasSubstr("let-me-in")));
  EXPECT_EQ(get("/new", {{"Forebay-Refresh", "let-me-in"}}).status, 500)
      << "where nothing is stored it is a plain miss";
}

TEST_F(Refresh, WithoutTheTokenThereAreThreeAnswers) {
  origin.otherwise([](const Received& r) { return Reply::fresh(std::to_string(r.number)); });
  start(R"(
routes:
  - {path: /default, client_refresh: {token: t0ken}}
  - {path: /ignore, client_refresh: {token: t0ken, otherwise: ignore}}
  - {path: /warn, client_refresh: {token: t0ken, otherwise: warn}}
  - {path: /forbid, client_refresh: {token: t0ken, otherwise: forbid}}
  - {path: /unset}
)");
  for (const std::string path : {"/default", "/ignore", "/warn", "/forbid", "/unset"}) {
    get(path);
    for (const auto* token : {"wrong", "", "t0ke", "t0ken0", "T0KEN", "t0ken, t0ken"}) {
      const auto a = get(path, {{"Forebay-Refresh", token}});
      if (path == "/forbid") {
        EXPECT_TRUE(is_problem(a, 403)) << path << ' ' << token << a;
        EXPECT_FALSE(a.has("Cache-Status"));
      } else {
        EXPECT_EQ(a.x_cache(), "HIT") << path << ' ' << token;
        EXPECT_EQ(a.get("Forebay-Refresh"), path == "/warn" ? "refused" : "") << path;
      }
    }
    EXPECT_EQ(origin.count(path), 1u) << path;
    const auto plain = get(path);
    EXPECT_EQ(plain.x_cache(), "HIT") << path << " without asking";
    EXPECT_FALSE(plain.has("Forebay-Refresh")) << path;
  }
  EXPECT_EQ(get("/warn", {{"Forebay-Refresh", "t0ken"}}).x_cache(), "MISS");
  EXPECT_EQ(get("/forbid", {{"Forebay-Refresh", "t0ken"}}).x_cache(), "MISS");
  const auto warned = ask("HEAD", "/warn", {{"Forebay-Refresh", "no"}});
  EXPECT_EQ(warned.get("Forebay-Refresh"), "refused");
}

TEST_F(Refresh, TheTokenMayStandInAFile) {
  origin.otherwise([](const Received& r) { return Reply::fresh(std::to_string(r.number)); });
  const TempDir dir;
  write_file(dir.file("token"), "from-a-file\n");
  start("routes: [{path: /**, client_refresh: {token_file: " + dir.file("token") + "}}]\n");
  get("/a");
  EXPECT_EQ(get("/a", {{"Forebay-Refresh", "from-a-file"}}).x_cache(), "MISS");
  EXPECT_EQ(get("/a", {{"Forebay-Refresh", "other"}}).x_cache(), "HIT");
}

TEST_F(Refresh, AnAskedForRefreshThatFailsLeavesTheEntryToTheOthers) {
  origin.on("/a", {Reply::fresh("good"), Reply(503).body("down"), Reply::hang_up(End::Rst), Reply::hang_up(End::Rst),
                   Reply::fresh("new")});
  start("origins: {o: {url: '" + origin.url() + "', retries: 0}}\norigin: o\n" +
        "server: {threads: 1}\nroutes: [{path: /**, client_refresh: {token: t}}]\n");
  get("/a");
  EXPECT_THAT(get("/a", {{"Forebay-Refresh", "t"}}).status, AnyOf(503, 200));
  EXPECT_EQ(get("/a").body, "good");
  EXPECT_THAT(get("/a", {{"Forebay-Refresh", "t"}}).status, AnyOf(502, 200));
  EXPECT_EQ(get("/a").body, "good");
  EXPECT_EQ(get("/a", {{"Forebay-Refresh", "t"}}).body, "new");
  EXPECT_EQ(get("/a").body, "new");
}

TEST_F(Refresh, AnAskedForRefreshOfAPostSendsItsBodyAndReplacesItsEntryAlone) {
  origin.otherwise([](const Received& r) { return Reply::fresh(std::to_string(r.number)); });
  start("routes: [{path: /**, methods: POST, client_refresh: {token: t}}]\n");
  EXPECT_EQ(ask("POST", "/a", {}, "one").body, "1");
  EXPECT_EQ(ask("POST", "/a", {}, "two").body, "2");
  EXPECT_EQ(ask("POST", "/a", {{"Forebay-Refresh", "t"}}, "one").body, "3");
  EXPECT_EQ(origin.last("/a").body, "one");
  EXPECT_EQ(ask("POST", "/a", {}, "one").body, "3");
  EXPECT_EQ(ask("POST", "/a", {}, "two").body, "2");
}

TEST_F(Refresh, DirectivesOfClientsAreNoWayAroundTheToken) {
  origin.otherwise([](const Received& r) { return Reply::fresh(std::to_string(r.number)); });
  start("routes: [{path: /**, methods: [GET, POST], client_refresh: {token: t}}]\n");
  get("/a");
  ask("POST", "/a", {}, "x");
  auto c = connect();
  for (int i = 0; i < 30; ++i)
    for (const auto* value : {"no-cache", "max-age=0", "max-age=0, no-cache", "min-fresh=9999"}) {
      EXPECT_EQ(c.get("/a", {{"Cache-Control", value}, {"Pragma", "no-cache"}}).x_cache(), "HIT") << value;
      EXPECT_EQ(c.ask("POST", "/a", {{"Cache-Control", value}}, "x").x_cache(), "HIT") << value;
    }
  EXPECT_EQ(origin.count("/a"), 2u) << "a flood of no-cache costs the origin nothing";
}

TEST_F(Refresh, DirectivesCountWhereTheRouteRespectsThem) {
  origin.otherwise([](const Received& r) { return Reply::fresh(std::to_string(r.number)); });
  start("routes: [{path: /**, methods: [GET, POST], client_cache_control: respect}]\n");
  ask("POST", "/a", {}, "x");
  const auto a = ask("POST", "/a", {{"Cache-Control", "no-cache"}}, "x");
  EXPECT_THAT(a.cache_status(), StartsWith("forebay; fwd=request"));
  EXPECT_EQ(a.body, "2");
  EXPECT_EQ(ask("POST", "/a", {}, "x").body, "2");
  EXPECT_EQ(origin.last("/a").body, "x");
}

}  // namespace
}  // namespace forebay::test
