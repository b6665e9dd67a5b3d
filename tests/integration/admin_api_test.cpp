// The operators' endpoints: who may use them, what they answer, and what they change.
#include <signal.h>

#include <atomic>
#include <thread>

#include "admin_api.hpp"

namespace forebay::test {
namespace {

class AdminApi : public AdminApiTest {};

struct Path {
  const char* method;
  const char* path;
};
constexpr Path kReads[] = {{"GET", "/api/v1/status"},  {"GET", "/api/v1/routes"}, {"GET", "/api/v1/routes/all"},
                           {"GET", "/api/v1/origins"}, {"GET", "/api/v1/config"}, {"GET", "/api/v1/log/level"},
                           {"GET", "/api/v1/stats"},   {"GET", "/api/v1/events"}, {"GET", "/api/v1/keys"},
                           {"GET", "/api/v1/entries"}};
constexpr Path kChanges[] = {{"POST", "/api/v1/purge"},   {"POST", "/api/v1/config/check"}, {"POST", "/api/v1/warm"},
                             {"POST", "/api/v1/reload"},  {"POST", "/api/v1/drain"},        {"POST", "/api/v1/undrain"},
                             {"PUT", "/api/v1/log/level"}};

TEST_F(AdminApi, ReadsAreForThisMachineAndForTheToken) {
  start("admin: {listen: 127.0.0.1:0, token: 0123456789abcdef}\nroutes: [{name: all, path: /**}]\n");
  for (const auto& [method, path] : kReads) {
    EXPECT_EQ(admin(method, path).status, 200) << path;
    EXPECT_EQ(admin("HEAD", path).status, 200) << path;
    EXPECT_EQ(admin(method, path, {}, {{"Authorization", "Bearer 0123456789abcdef"}, {"Host", "any.test"}}).status, 200)
        << path;
    EXPECT_EQ(admin(method, path, {}, {{"Authorization", "Bearer 0123456789abcdeF"}}).status, 401) << path;
    EXPECT_EQ(admin(method, path, {}, {{"Host", "evil.test"}}).status, 403) << path;
    EXPECT_EQ(admin(method, path, {}, {{"Origin", "http://evil.test"}}).status, 403) << path;
    EXPECT_EQ(admin(method, path, {}, {{"Sec-Fetch-Site", "cross-site"}}).status, 403) << path;
    EXPECT_EQ(admin(method, path).get("Cache-Control"), "no-store") << path;
    const auto other = admin("POST", path);
    EXPECT_EQ(other.status, 405) << path;
  }
}

TEST_F(AdminApi, ChangesAreForThisMachineAndForTheTokenAndNeverByGet) {
  start("admin: {listen: 127.0.0.1:0, token: 0123456789abcdef}\nroutes: [{path: /**}]\n");
  for (const auto& [method, path] : kChanges) {
    const auto wrong = admin(method, path, {}, {{"Authorization", "Bearer 0123456789abcde"}});
    EXPECT_EQ(wrong.status, 401) << path;
    EXPECT_THAT(wrong.get("Content-Type"), StartsWith("application/problem+json"));
    EXPECT_EQ(members(wrong)["code"], "unauthorized");
    EXPECT_EQ(admin(method, path, {}, {{"Host", "evil.test"}}).status, 403) << path;
    EXPECT_EQ(admin(method, path, {}, {{"Origin", "http://evil.test"}}).status, 403) << path;
    EXPECT_EQ(admin(method, path, {}, {{"Origin", "null"}}).status, 403) << path;
    EXPECT_EQ(admin(method, path, {}, {{"Sec-Fetch-Site", "same-site"}}).status, 403) << path;
    if (std::string_view(path) != "/api/v1/log/level") {
      const auto get = admin("GET", path);
      EXPECT_EQ(get.status, 405) << path;
      EXPECT_EQ(get.get("Allow"), method) << path;
    }
    EXPECT_EQ(admin("DELETE", path).status, 405) << path;
  }
  EXPECT_EQ(daemon->admin("GET", "/readyz").status, 200) << "nothing was done";
  EXPECT_EQ(metric("forebay_config_reloads_total"), 0);
}

TEST_F(AdminApi, WithoutLoopbackATokenIsNeeded) {
  start("admin: {listen: 127.0.0.1:0, token: 0123456789abcdef, allow_loopback: false}\nroutes: [{path: /**}]\n");
  EXPECT_EQ(admin("GET", "/api/v1/status").status, 401);
  EXPECT_EQ(admin("POST", "/api/v1/drain").status, 401);
  EXPECT_EQ(admin("POST", "/api/v1/undrain", {}, {{"Authorization", "Bearer 0123456789abcdef"}}).status, 202);
  EXPECT_EQ(admin("GET", "/readyz").status, 200);
}

TEST_F(AdminApi, ContentThatIsMalformedOrTooLargeChangesNothing) {
  start();
  for (const auto* path : {"/api/v1/drain", "/api/v1/undrain", "/api/v1/reload"}) {
    for (const auto* bad : {"{", "[1]", "\"x\"", "{\"unknown\":\"1s\"}", "{\"delay\":{}}"}) {
      const auto answer = admin("POST", path, bad);
      EXPECT_EQ(answer.status, 400) << path << ' ' << bad;
      EXPECT_EQ(members(answer)["code"], "bad_request") << path << ' ' << bad;
    }
    EXPECT_EQ(admin("POST", path, std::string(5000, ' ')).status, 413) << path;
  }
  EXPECT_EQ(admin("PUT", "/api/v1/log/level", R"({"level":"loud"})").status, 400);
  EXPECT_EQ(admin("PUT", "/api/v1/log/level", std::string(5000, ' ')).status, 413);
  EXPECT_EQ(admin("GET", "/readyz").status, 200);
  EXPECT_EQ(metric("forebay_config_reloads_total"), 0);
}

TEST_F(AdminApi, StatusRoutesAndOriginsTellWhatHasHappened) {
  origin.on("/shop/a", Reply::fresh("a"));
  start("routes: [{name: shop, path: '/shop/**', ttl: 60s}, {name: rest, path: /**, cache: false}]\n");
  get("/shop/a");
  get("/shop/a");
  get("/other");
  ASSERT_TRUE(metric_reaches("forebay_requests_total", {}, 3));
  auto status = members(admin("GET", "/api/v1/status"));
  EXPECT_EQ(status["state"], "ready");
  EXPECT_NE(status["version"], "");
  EXPECT_EQ(status["totals.requests"], "3");
  EXPECT_EQ(status["totals.results.hit"], "1");
  EXPECT_EQ(status["totals.origin_requests"], "2");
  EXPECT_EQ(status["totals.entries"], "1");
  EXPECT_THAT(status["config.file"], HasSubstr("forebay.yaml"));
  const auto listeners = admin("GET", "/api/v1/status").body;
  EXPECT_THAT(listeners, HasSubstr("\"address\":\"127.0.0.1:" + std::to_string(daemon->port()) + '"'));

  auto shop = members(admin("GET", "/api/v1/routes/shop"));
  EXPECT_EQ(shop["path"], "/shop/**");
  EXPECT_EQ(shop["ttl.default_s"], "60");
  EXPECT_EQ(shop["counters.requests"], "2");
  EXPECT_EQ(shop["counters.results.hit"], "1");
  EXPECT_EQ(shop["counters.stored"], "1");
  const auto routes = admin("GET", "/api/v1/routes");
  EXPECT_THAT(routes.body, AllOf(HasSubstr("\"name\":\"shop\""), HasSubstr("\"name\":\"rest\"")));
  EXPECT_EQ(admin("GET", "/api/v1/routes/shopp").status, 404);
  EXPECT_THAT(admin("GET", "/api/v1/origins").body, AllOf(HasSubstr(origin.url()), HasSubstr("\"2xx\":")));
}

TEST_F(AdminApi, TheConfigurationShowsNoSecret) {
  start("admin: {listen: 127.0.0.1:0, token: 0123456789abcdef}\nroutes: [{name: shop, path: '/shop/**', ttl: 42s}]\n");
  const auto config = admin("GET", "/api/v1/config");
  EXPECT_EQ(config.get("Content-Type"), "application/yaml");
  EXPECT_THAT(config.body, AllOf(HasSubstr("42s"), HasSubstr("(redacted)"), Not(HasSubstr("0123456789abcdef"))));
}

TEST_F(AdminApi, AReloadAppliesAndSaysWhatHasChanged) {
  origin.on("/a", Reply().body("a"));
  start("routes: [{name: all, path: /**}]\n");
  edit("drain: 30s", "drain: 7s");
  edit("threads: 2", "threads: 3");
  const auto before = members(admin("GET", "/api/v1/status"))["config.hash"];
  const auto reload = admin("POST", "/api/v1/reload");
  EXPECT_EQ(reload.status, 200) << reload.body;
  EXPECT_EQ(members(reload)["applied"], "true");
  EXPECT_THAT(reload.body, HasSubstr("\"shutdown.drain\""));
  EXPECT_THAT(reload.body, HasSubstr(R"("restart_required":["server.threads"])"));
  EXPECT_NE(members(admin("GET", "/api/v1/status"))["config.hash"], before);
  EXPECT_EQ(metric("forebay_config_reloads_total", {{"outcome", "applied"}}), 1);
  const auto again = admin("POST", "/api/v1/reload", "{}");
  EXPECT_THAT(again.body, HasSubstr(R"("changed":["server.threads"])"));
  EXPECT_TRUE(log_has("admin: POST /api/v1/reload from 127.0.0.1 by right of this machine: applied, 200"));
}

TEST_F(AdminApi, AReloadOfABadFileIs422AndChangesNothing) {
  origin.on("/a", Reply().body("a"));
  start("routes: [{path: /**, ttl: 60s}]\n");
  get("/a");
  const auto hash = members(admin("GET", "/api/v1/status"))["config.hash"];
  write_file(daemon->config_path(), with_origin("routes: [{path: /**, ttls: 5s}]\n"));
  const auto reload = admin("POST", "/api/v1/reload");
  EXPECT_EQ(reload.status, 422);
  EXPECT_THAT(reload.get("Content-Type"), StartsWith("application/problem+json"));
  EXPECT_EQ(members(reload)["code"], "configuration_rejected");
  EXPECT_EQ(members(reload)["applied"], "false");
  EXPECT_THAT(reload.body, HasSubstr("\"code\":\"FB1001\""));
  EXPECT_EQ(get("/a").x_cache(), "HIT");
  auto status = members(admin("GET", "/api/v1/status"));
  EXPECT_EQ(status["config.hash"], hash);
  EXPECT_EQ(status["config.last_reload_successful"], "false");
  EXPECT_EQ(status["config.reloads.rejected"], "1");
  EXPECT_TRUE(log_has("admin: POST /api/v1/reload from 127.0.0.1 by right of this machine: rejected (1 error), 422"));
}

TEST_F(AdminApi, ConcurrentReloadsAreAllAnsweredAndHitsGoOn) {
  origin.on("/a", Reply::fresh("a"));
  start();
  get("/a");
  std::atomic<int> applied{0}, failed{0};
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < 6; ++i)
    threads.emplace_back([&] {
      for (int n = 0; n < 5; ++n)
        if (admin("POST", "/api/v1/reload").status == 200) ++applied;
    });
  std::thread load([&] {
    while (!stop)
      if (get("/a").body != "a") ++failed;
  });
  for (auto& t : threads) t.join();
  stop = true;
  load.join();
  EXPECT_EQ(applied, 30);
  EXPECT_EQ(failed, 0);
  EXPECT_LE(metric("forebay_config_reloads_total", {{"outcome", "applied"}}), 30);
  EXPECT_EQ(metric("forebay_config_reloads_total", {{"outcome", "rejected"}}), 0);
}

TEST_F(AdminApi, ChangesBeyondTheLimitAre429) {
  start("admin: {listen: 127.0.0.1:0, changes_per_second: 1}\nroutes: [{path: /**}]\n");
  int refused = 0;
  for (int i = 0; i < 20 && refused == 0; ++i) {
    const auto answer = admin("POST", "/api/v1/undrain");
    if (answer.status == 202) continue;
    EXPECT_EQ(answer.status, 429);
    EXPECT_EQ(answer.get("Retry-After"), "1");
    EXPECT_EQ(members(answer)["code"], "too_many_changes");
    ++refused;
  }
  EXPECT_EQ(refused, 1);
  EXPECT_EQ(admin("GET", "/api/v1/status").status, 200);
}

TEST_F(AdminApi, TheLevelOfTheLogGoesBackByItself) {
  start("log: {level: warn}\nroutes: [{path: /**}]\n");
  const auto level = [&] { return members(admin("GET", "/api/v1/log/level"))["level"]; };
  EXPECT_EQ(level(), "warn");
  EXPECT_EQ(admin("PUT", "/api/v1/log/level", R"({"level":"debug"})").status, 200);
  EXPECT_EQ(level(), "debug");
  daemon->signal(SIGUSR2);
  EXPECT_TRUE(log_has("state: ready")) << "it is written at level info";
  EXPECT_EQ(admin("PUT", "/api/v1/log/level", R"({"level":"error","for":"50ms"})").status, 200);
  EXPECT_TRUE(eventually([&] { return level() == "warn"; }));
  EXPECT_TRUE(log_has("admin: PUT /api/v1/log/level from 127.0.0.1 by right of this machine: level error"))
      << "whatever the level is";
}

TEST_F(AdminApi, RequestsAreCountedByEndpoint) {
  start();
  admin("GET", "/api/v1/status");
  admin("GET", "/api/v1/routes/none");
  admin("PUT", "/api/v1/log/level", "{");
  EXPECT_EQ(metric("forebay_admin_requests_total", {{"endpoint", "status"}, {"code", "2xx"}}), 1);
  EXPECT_EQ(metric("forebay_admin_requests_total", {{"endpoint", "route"}, {"code", "4xx"}}), 1);
  EXPECT_EQ(metric("forebay_admin_requests_total", {{"endpoint", "log_level"}, {"code", "4xx"}}), 1);
}

}  // namespace
}  // namespace forebay::test
