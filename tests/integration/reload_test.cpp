// A reload swaps the configuration whole, keeps the cache, and a bad file changes nothing.
#include <signal.h>

#include <atomic>
#include <thread>

#include "support/forebay_test.hpp"

namespace forebay::test {
namespace {

class Reload : public ForebayTest {
 protected:
  bool reload(const std::string& yaml, const char* outcome = "applied") {
    const auto before = metric("forebay_config_reloads_total", {{"outcome", outcome}});
    daemon->reload(with_origin(yaml));
    return metric_reaches("forebay_config_reloads_total", {{"outcome", outcome}}, before + 1);
  }
};

TEST_F(Reload, AChangeIsInForceAndWhatIsStoredStays) {
  origin.on("/a", Reply::fresh("a"));
  origin.on("/b", Reply().body("b"));
  start("routes: [{path: /**}]\n");
  get("/a");
  get("/b");
  EXPECT_NE(get("/b").x_cache(), "HIT");
  ASSERT_TRUE(reload("routes: [{path: /**, ttl: 60s}]\n"));
  EXPECT_EQ(get("/a").x_cache(), "HIT") << "the cache is kept";
  get("/b");
  EXPECT_EQ(get("/b").x_cache(), "HIT") << "the new lifetime is in force";
  EXPECT_TRUE(metric_becomes("forebay_config_last_reload_successful", {}, 1));
  EXPECT_EQ(origin.count("/a"), 1u);
}

TEST_F(Reload, AShorterLifetimeCountsForWhatIsStoredAndALongerOneDoesNot) {
  origin.on("/configured", Reply().body("a"));
  origin.on("/stated", Reply::with("max-age=3600", "b"));
  start("routes: [{path: /**, ttl: 1h}]\n");
  get("/configured");
  get("/stated");
  EXPECT_GT(get("/configured").ttl(), 3000);
  ASSERT_TRUE(reload("routes: [{path: /**, ttl: {default: 600s, max: 1000s}}]\n"));
  for (const auto* path : {"/configured", "/stated"}) {
    const auto a = get(path);
    EXPECT_EQ(a.x_cache(), "HIT") << path;
    EXPECT_LE(a.ttl(), path == std::string("/stated") ? 1000 : 600) << path;
    EXPECT_GT(a.ttl(), 300) << path;
  }
  ASSERT_TRUE(reload("routes: [{path: /**, ttl: 1h}]\n"));
  EXPECT_LE(get("/configured").ttl(), 600);
  ASSERT_TRUE(reload("routes: [{path: /**}]\n"));
  EXPECT_NE(get("/configured").x_cache(), "HIT") << "nothing gives it a lifetime any more";
  EXPECT_EQ(get("/stated").x_cache(), "HIT");
  EXPECT_EQ(origin.count("/stated"), 1u);
}

TEST_F(Reload, ABadFileChangesNothingAndIsReported) {
  origin.on("/a", Reply().body("a"));
  start("routes: [{path: /**, ttl: 60s}]\n");
  get("/a");
  for (const std::string bad : {"routes: [{path: /**, ttls: 60s}]\n", "routes: [{path: /**, ttl: 60}]\n", "routes: [\n",
                                "routes: [{path: /**, origin: nobody}]\n"}) {
    ASSERT_TRUE(reload(bad, "rejected")) << bad;
    EXPECT_EQ(get("/a").x_cache(), "HIT");
    EXPECT_TRUE(metric_becomes("forebay_config_last_reload_successful", {}, 0));
  }
  EXPECT_THAT(daemon->log(), HasSubstr("FB1001"));
  EXPECT_EQ(daemon->admin("GET", "/readyz").status, 200);
  ASSERT_TRUE(reload("routes: [{path: /**, cache: false}]\n"));
  EXPECT_EQ(get("/a").x_cache(), "BYPASS");
  EXPECT_TRUE(metric_becomes("forebay_config_last_reload_successful", {}, 1));
}

TEST_F(Reload, AnotherKeyNeverServesWhatWasStoredWithoutIt) {
  origin.otherwise([](const Received& r) { return Reply::fresh(r.get("X-Tenant")); });
  start("routes: [{name: r, path: /**}]\n");
  get("/a", {{"X-Tenant", "one"}});
  ASSERT_TRUE(reload("routes: [{name: r, path: /**, key: {headers: [X-Tenant]}}]\n"));
  EXPECT_EQ(get("/a", {{"X-Tenant", "two"}}).body, "two");
  EXPECT_EQ(get("/a", {{"X-Tenant", "one"}}).body, "one");
  ASSERT_TRUE(reload("routes: [{name: r, path: /**, key: {headers: [X-Tenant]}, set_cookie: strip}]\n"));
  EXPECT_NE(get("/a", {{"X-Tenant", "two"}}).x_cache(), "HIT") << "the fingerprint holds set_cookie too";
}

TEST_F(Reload, ARequestKeepsTheConfigurationItBeganWith) {
  auto hold = gate();
  Origin second;
  second.otherwise([](const Received&) { return Reply::fresh("second"); });
  origin.on("/slow", Reply::fresh("first").after(hold));
  start("routes: [{path: /**}]\n");
  auto c = connect();
  c.request("GET", "/slow");
  EXPECT_TRUE(origin.wait_for("/slow", 1));
  ASSERT_TRUE(reload("origin: " + second.url() + "\nroutes: [{path: /**}]\n"));
  EXPECT_EQ(get("/other").body, "second");
  hold->open();
  const auto a = c.read();
  EXPECT_EQ(a.body, "first");
  EXPECT_EQ(c.get("/another").body, "second") << "the same connection goes on under the new configuration";
}

TEST_F(Reload, NoRequestFailsWhileReloadsFollowEachOther) {
  origin.otherwise([](const Received& r) { return r.number % 3 ? Reply::fresh(r.path) : Reply().body(r.path); });
  start("routes: [{path: /**}]\n");
  std::atomic<bool> stop{false};
  std::atomic<int> failed{0}, done{0};
  const auto load = [&](int id) {
    Client kept(daemon->port());
    for (int i = 0; !stop; ++i) {
      const auto path = "/" + std::to_string((i * 7 + id) % 40);
      const auto a = i % 5 ? kept.get(path) : get(path);
      if (a.status != 200 || a.body != path) ++failed;
      ++done;
    }
  };
  std::thread one(load, 1), two(load, 2);
  // As many as it takes on a busy machine for requests to fall between them.
  for (int i = 0; i < 15 || (done <= 50 && i < 500); ++i)
    EXPECT_TRUE(reload("routes: [{path: /**, ttl: " + std::to_string(1 + i) + "s}]\n"));
  stop = true;
  one.join();
  two.join();
  EXPECT_EQ(failed, 0);
  EXPECT_GT(done, 50);
}

TEST_F(Reload, ListenersMayComeAndGo) {
  origin.on("/a", Reply::fresh("a"));
  const auto path = [&] { return daemon->dir().file("extra.sock"); };
  start("listen: 127.0.0.1:0\nroutes: [{path: /**}]\n");
  const auto port = daemon->port();
  EXPECT_EQ(get("/a").status, 200);
  ASSERT_TRUE(reload("listen: ['127.0.0.1:0', 'unix:" + path() + "']\nroutes: [{path: /**}]\n"));
  Client c(Socket::connect_unix(path()));
  EXPECT_EQ(c.get("/a").status, 200);
  Client same(port);
  EXPECT_EQ(same.get("/a").status, 200) << "an unchanged listener keeps its port";
}

TEST_F(Reload, ShrinkingTheMemoryEvicts) {
  origin.otherwise([](const Received&) { return Reply::fresh(pattern(100000)); });
  start("cache: {memory: 64MiB}\nroutes: [{path: /**}]\n");
  for (int i = 0; i < 100; ++i) get("/" + std::to_string(i));
  EXPECT_TRUE(metric_reaches("forebay_cache_memory_bytes", {}, 9e6));
  ASSERT_TRUE(reload("cache: {memory: 4MiB}\nroutes: [{path: /**}]\n"));
  EXPECT_TRUE(eventually([&] { return metric("forebay_cache_memory_bytes") <= 4 * 1024 * 1024; }));
  EXPECT_TRUE(metric_becomes("forebay_cache_memory_limit_bytes", {}, 4 * 1024 * 1024));
  EXPECT_EQ(get("/fresh").status, 200);
}

}  // namespace
}  // namespace forebay::test
