// `POST /api/v1/purge`: what it finds, and what it leaves.
#include <atomic>
#include <thread>

#include "admin_api.hpp"

namespace forebay::test {
namespace {

class Purge : public AdminApiTest {
 protected:
  void SetUp() override {
    origin.otherwise(
        [](const Received& r) { return Reply::fresh(std::to_string(r.number)).field("ETag", "\"" + r.path + "\""); });
  }
  Answer purge(const std::string& document) { return admin("POST", "/api/v1/purge", document); }
  /// How many entries a purge has named; -1 when it was refused.
  int purged(const std::string& document) {
    const auto answer = purge(document);
    EXPECT_EQ(answer.status, 200) << document << ' ' << answer.body;
    return answer.status == 200 ? std::stoi(members(answer)["purged"]) : -1;
  }
  void fill(const std::vector<std::string>& targets, const FieldLines& fields = {}) {
    for (const auto& target : targets) EXPECT_EQ(get(target, fields).x_cache(), "MISS") << target;
  }
  bool hits(const std::string& target, const FieldLines& fields = {}) { return get(target, fields).x_cache() == "HIT"; }
};

TEST_F(Purge, AUrlGoesWithEveryMethodKeyPartAndVariant) {
  origin.on("/p",
            [](const Received& r) { return Reply::fresh(std::to_string(r.number)).field("Vary", "Accept-Language"); });
  start(R"(
routes:
  - {name: all, path: /**, methods: [GET, POST], key: {headers: [X-Tenant], cookies: [ab]}}
)");
  const FieldLines json{{"Content-Type", "application/json"}};
  fill({"/p"}, {{"X-Tenant", "a"}});
  fill({"/p"}, {{"X-Tenant", "b"}});
  fill({"/p"}, {{"X-Tenant", "b"}, {"Accept-Language", "de"}});
  fill({"/p"}, {{"Cookie", "ab=1"}});
  EXPECT_EQ(ask("POST", "/p", json, R"({"q":1})").x_cache(), "MISS");
  EXPECT_EQ(ask("POST", "/p", json, R"({"q":2})").x_cache(), "MISS");
  fill({"/p/1", "/p?x"});
  const auto answer = purge(R"({"url": "http://shop.test/p"})");
  EXPECT_EQ(members(answer)["purged"], "6") << answer.body;
  EXPECT_EQ(members(answer)["by.url"], "6");
  EXPECT_EQ(members(answer)["mode"], "hard");
  EXPECT_EQ(members(answer)["dry_run"], "false");
  EXPECT_EQ(answer.get("Content-Type"), "application/json");
  EXPECT_FALSE(hits("/p", {{"X-Tenant", "a"}}));
  EXPECT_EQ(ask("POST", "/p", json, R"({"q":1})").x_cache(), "MISS");
  EXPECT_TRUE(hits("/p/1"));
  EXPECT_TRUE(hits("/p?x"));
}

TEST_F(Purge, AUrlIsFoundUnderEveryKindOfKeyAndTheNextOneStays) {
  start(R"(
routes:
  - {name: nohost, path: /nohost/**, key: {host: false}}
  - {name: noscheme, path: /noscheme/**, key: {scheme: false}}
  - {name: noquery, path: /noquery/**, key: {query: none}}
  - {name: only, path: /only/**, key: {query: [id, page]}}
  - {name: except, path: /except/**, key: {query: {except: [utm_*]}}}
  - {name: sorted, path: /sorted/**, key: {query_sort: true}}
  - {name: capture, path: "/capture/{id}/{rest}", key: {path: [id]}}
  - {name: nopath, path: /nopath/**, key: {path: none, query: [id]}}
  - {name: rewritten, path: /old/**, rewrite: {strip_prefix: /old, add_prefix: /new}}
  - {name: search, path: /search/**, no_vary_search: respect}
  - {name: hosted, host: ["*.test"], path: /hosted/**}
  - {name: rest, path: /**}
)");
  const struct {
    std::string stored, named, neighbour;
  } cases[] = {
      {"/nohost/a", "/nohost/a", "/nohost/b"},
      {"/noscheme/a", "/noscheme/a", "/noscheme/a/b"},
      {"/noquery/a?x=1", "/noquery/a?y=2", "/noquery/b"},
      {"/noquery/a?x=1", "/noquery/a", "/noquery/b"},
      {"/only/a?utm=1&id=7&page=2", "/only/a?page=2&x=3&id=7", "/only/a?id=7"},
      {"/except/a?x=1&utm_source=m", "/except/a?x=1", "/except/a"},
      {"/sorted/a?b=2&a=1", "/sorted/a?a=1&b=2", "/sorted/a?a=1"},
      {"/capture/7/x", "/capture/7/y", "/capture/8/x"},
      {"/nopath/a?id=1&z=1", "/nopath/b?id=1", "/nopath/a?id=2"},
      {"/old/a", "/old/a", "/old/b"},
      {"/search/a?x=1", "/search/a?x=1", "/search/b"},
      {"/hosted/a", "/hosted/a", "/hosted/b"},
      {"/rest/%7Euser/a", "/rest/./x/../~user/%61", "/rest/~user/b"},
      {"/rest/a%2Fb", "/rest/a%2fb", "/rest/a/b"},
      {"/rest/q?a=%7E", "/rest/q?a=~", "/rest/q"},
  };
  for (const auto& c : cases)
    for (const std::string before : {"http://SHOP.test:80", "https://shop.test", ""}) {
      fill({c.stored, c.neighbour});
      EXPECT_EQ(purged("{\"url\": [\"" + before + c.named + "\"]}"), 1) << before << c.named;
      EXPECT_FALSE(hits(c.stored)) << before << c.named;
      EXPECT_TRUE(hits(c.neighbour)) << before << c.named;
      purged(R"({"all": true})");
    }
}

TEST_F(Purge, UnderANoVarySearchRuleAUrlTakesAllThatShareItsResponse) {
  origin.on("/s", [](const Received& r) {
    return Reply::fresh(std::to_string(r.number)).field("No-Vary-Search", "params=(\"utm\")");
  });
  start("routes: [{path: /**, no_vary_search: respect}]\n");
  for (const std::string named : {"http://shop.test/s?q=1", "/s?q=1"}) {
    fill({"/s?q=1&utm=a"});
    EXPECT_TRUE(hits("/s?q=1&utm=b"));
    EXPECT_GE(purged("{\"url\": \"" + named + "\"}"), 1) << named;
    EXPECT_FALSE(hits("/s?q=1&utm=b")) << named;
    purged(R"({"all": true})");
  }
}

TEST_F(Purge, AUrlIsForItsHostAndAPathForEveryHost) {
  start("routes: [{name: keyless, path: /k/**, key: {host: false}}, {path: /**}]\n");
  const FieldLines a{{"Host", "a.test"}}, b{{"Host", "b.test"}}, port{{"Host", "a.test:8080"}};
  const auto fill_all = [&] {
    fill({"/p"}, a);
    fill({"/p"}, b);
    fill({"/p"}, port);
  };
  fill_all();
  EXPECT_EQ(purged(R"({"url": "http://a.test/p"})"), 1);
  EXPECT_FALSE(hits("/p", a));
  EXPECT_TRUE(hits("/p", b));
  EXPECT_TRUE(hits("/p", port));
  EXPECT_EQ(purged(R"({"url": "http://a.test:8080/p"})"), 1);
  EXPECT_EQ(purged(R"({"url": "/p"})"), 2);
  fill_all();
  EXPECT_EQ(purged(R"({"prefix": "http://b.test/"})"), 1);
  EXPECT_EQ(purged(R"({"prefix": "/"})"), 2);
  fill({"/k/1"}, a);
  EXPECT_TRUE(hits("/k/1", b)) << "its key has no host";
  EXPECT_EQ(purged(R"({"url": "http://elsewhere.test/k/1"})"), 1);
}

TEST_F(Purge, PrefixesAndGlobsAreMatchedWithPathsAsRequestsHaveThem) {
  start();
  const auto found = [&](const std::string& document) {
    const auto n = purged(document);
    purged(R"({"all": true})");
    fill({"/p/1", "/p/1?x=1", "/p/12", "/img/a.jpg", "/img/deep/b.jpg", "/img/c.png", "/%7Ea/x"});
    return n;
  };
  found(R"({"all": true})");
  EXPECT_EQ(found(R"({"prefix": "/p/1"})"), 3);
  EXPECT_EQ(found(R"({"prefix": "/x/../%70/"})"), 3);
  EXPECT_EQ(found(R"({"prefix": "/p/1?x"})"), 1);
  EXPECT_EQ(found(R"({"prefix": "/~a"})"), 1);
  EXPECT_EQ(found(R"({"prefix": ["/p/12", "http://shop.test/img/"]})"), 4);
  EXPECT_EQ(found(R"({"glob": "/img/*.jpg"})"), 2);
  EXPECT_EQ(found(R"({"glob": "*.jpg"})"), 2);
  EXPECT_EQ(found(R"({"glob": "http://shop.test/*/1"})"), 2);
  EXPECT_EQ(found(R"({"glob": "/p/*?x=*"})"), 1);
  EXPECT_EQ(found(R"({"prefix": "/nothing/"})"), 0);
}

TEST_F(Purge, RoutesIdsAndEverything) {
  start("routes: [{name: shop, path: '/shop/**'}, {name: rest, path: /**}]\n");
  fill({"/shop/1", "/shop/2", "/other"});
  const auto explained = admin("POST", "/api/v1/explain", "{\"url\": \"" + scheme() + "://shop.test/other\"}");
  const auto id = members(explained)["key.id"];
  ASSERT_EQ(id.size(), 32u) << explained.body;
  EXPECT_EQ(purged("{\"id\": \"" + id + "\"}"), 1);
  EXPECT_FALSE(hits("/other"));
  EXPECT_EQ(purged(R"({"route": "shop"})"), 2);
  fill({"/shop/1"});
  const auto answer = purge(R"({"all": true, "mode": null})");
  EXPECT_EQ(members(answer)["by.all"], "2");
  EXPECT_FALSE(hits("/shop/1"));
}

TEST_F(Purge, ADryRunCountsAndChangesNothing) {
  start();
  fill({"/a", "/b"});
  const auto answer = purge(R"({"prefix": "/", "url": ["/a"], "dry_run": true})");
  EXPECT_EQ(members(answer)["purged"], "2");
  EXPECT_EQ(members(answer)["by.prefix"], "2");
  EXPECT_EQ(members(answer)["by.url"], "1");
  EXPECT_EQ(members(answer)["dry_run"], "true");
  EXPECT_TRUE(hits("/a"));
  EXPECT_EQ(metric("forebay_purges_total"), 0);
  EXPECT_TRUE(log_has("dry run of a hard purge of url /a, prefix /: 2 entries, 200"));
}

TEST_F(Purge, OrdersAreCountedAndAudited) {
  start();
  fill({"/a", "/b"});
  EXPECT_EQ(purged(R"({"url": "http://shop.test/a"})"), 1);
  EXPECT_EQ(purged(R"({"prefix": "/", "mode": "soft"})"), 1);
  EXPECT_EQ(metric("forebay_purges_total", {{"kind", "url"}, {"mode", "hard"}}), 1);
  EXPECT_EQ(metric("forebay_purges_total", {{"kind", "prefix"}, {"mode", "soft"}}), 1);
  EXPECT_EQ(metric("forebay_purged_entries_total", {{"kind", "url"}}), 1);
  EXPECT_EQ(metric("forebay_purged_entries_total", {{"kind", "prefix"}}), 1);
  EXPECT_TRUE(
      log_has("admin: POST /api/v1/purge from 127.0.0.1 by right of this machine: hard purge of url "
              "http://shop.test/a: 1 entry, 200"));
}

TEST_F(Purge, WhatIsMistakenIsRefusedAndPurgesNothing) {
  start("routes: [{name: shop, path: /**}]\n");
  fill({"/a"});
  const std::pair<const char*, const char*> cases[] = {
      {"", "not valid JSON"},
      {"[]", "must be a JSON object"},
      {"{}", "Nothing is named"},
      {R"({"url": []})", "Nothing is named"},
      {R"({"all": false})", "Nothing is named"},
      {R"({"urls": ["/a"]})", "did you mean \\\"url\\\"?"},
      {R"({"dryrun": true, "url": "/a"})", "did you mean \\\"dry_run\\\"?"},
      {R"({"url": 1})", "a string or a list of strings"},
      {R"({"url": ["/a", 1]})", "a string or a list of strings"},
      {R"({"url": "/a", "mode": "softly"})", "\\\"hard\\\" or \\\"soft\\\""},
      {R"({"url": "/a", "dry_run": "true"})", "true or false"},
      {R"({"url": "shop.test/a"})", "write http:// before a host"},
      {R"({"url": "http://shop.test/a#x"})", "without \\\"#\\\""},
      {R"({"url": "/ä"})", "percent-encoded"},
      {R"({"url": "ftp://shop.test/a"})", "is not a URL"},
      {R"({"url": "http://sh op/a"})", "is not a URL"},
      {R"({"url": ""})", "is empty"},
      {R"({"tag": ""})", "is empty"},
      {R"({"prefix": "p/"})", "is not a URL"},
      {R"({"prefix": "/p/."})", "ends in a dot segment"},
      {R"({"glob": "http://*.test/"})", "in its host"},
      {R"({"id": "123"})", "32 hex digits"},
  };
  for (const auto& [document, why] : cases) {
    const auto answer = purge(document);
    EXPECT_EQ(answer.status, 400) << document;
    EXPECT_THAT(answer.body, HasSubstr(why)) << document;
    EXPECT_EQ(members(answer)["code"], "bad_request") << document;
  }
  const auto route = purge(R"({"route": ["shopp"]})");
  EXPECT_EQ(route.status, 422);
  EXPECT_EQ(members(route)["code"], "no_such_route");
  EXPECT_THAT(route.body, HasSubstr("did you mean \\\"shop\\\"?"));
  EXPECT_EQ(purge("{\"tag\": \"" + std::string(9000, 'x') + "\"}").status, 400);
  std::string many;
  for (int i = 0; i < 1001; ++i) many += (many.empty() ? "\"/p" : ",\"/p") + std::to_string(i) + "\"";
  EXPECT_EQ(purge("{\"url\": [" + many + "]}").status, 400);
  EXPECT_EQ(purge("{\"url\": [" + many.substr(0, many.find("\"/p101\"") - 1) + "]}").status, 400) << "101 searches";
  EXPECT_EQ(purge(std::string(1024 * 1024 + 1, ' ')).status, 413);
  EXPECT_EQ(admin("GET", "/api/v1/purge").status, 405);
  EXPECT_TRUE(hits("/a"));
  EXPECT_EQ(metric("forebay_purges_total"), 0);
}

TEST_F(Purge, TheTokenForReadingDoesNotPurge) {
  start("admin: {listen: 127.0.0.1:0, token: 0123456789abcdef, read_token: fedcba9876543210}\nroutes: [{path: /**}]\n");
  fill({"/a"});
  const auto by = [&](const std::string& token) {
    return admin("POST", "/api/v1/purge", R"({"all":true})", {{"Authorization", "Bearer " + token}}).status;
  };
  EXPECT_EQ(by("fedcba9876543210"), 403);
  EXPECT_EQ(by("0123456789abcdee"), 401);
  EXPECT_TRUE(hits("/a"));
  EXPECT_EQ(by("0123456789abcdef"), 200);
  EXPECT_FALSE(hits("/a"));
}

TEST_F(Purge, ASoftPurgeServesStaleWhileOneConditionalRefreshRuns) {
  auto hold = gate();
  origin.on("/a", {Reply::with("max-age=600, stale-while-revalidate=60", "old").field("ETag", "\"1\""),
                   Reply(304).field("ETag", "\"1\"").field("Cache-Control", "max-age=600").after(hold)});
  start();
  get("/a");
  EXPECT_EQ(get("/a").x_cache(), "HIT");
  const auto answer = purge(R"({"url": "/a", "mode": "soft"})");
  EXPECT_EQ(members(answer)["purged"], "1");
  EXPECT_EQ(members(answer)["mode"], "soft");
  for (int i = 0; i < 10; ++i) {
    const auto stale = get("/a");
    EXPECT_EQ(stale.x_cache(), "STALE");
    EXPECT_EQ(stale.body, "old");
  }
  EXPECT_TRUE(origin.wait_for("/a", 2));
  EXPECT_EQ(origin.count("/a"), 2u);
  EXPECT_EQ(origin.last("/a").get("If-None-Match"), "\"1\"");
  hold->open();
  EXPECT_TRUE(eventually([&] { return get("/a").x_cache() == "HIT"; }));
  EXPECT_EQ(origin.count("/a"), 2u);
}

TEST_F(Purge, WithoutAStaleWindowASoftPurgeMakesTheNextRequestValidate) {
  origin.on("/a", {Reply::fresh("old").field("ETag", "\"1\""),
                   Reply(304).field("ETag", "\"1\"").field("Cache-Control", "max-age=600")});
  start("purge: {default: soft}\nroutes: [{path: /**}]\n");
  get("/a");
  EXPECT_EQ(members(purge(R"({"url": "/a"})"))["mode"], "soft") << "as purge.default says";
  const auto validated = get("/a");
  EXPECT_EQ(validated.x_cache(), "REVALIDATED");
  EXPECT_EQ(validated.body, "old");
  EXPECT_EQ(origin.last("/a").get("If-None-Match"), "\"1\"");
  EXPECT_TRUE(hits("/a"));
}

TEST_F(Purge, WhatIsFetchedWhileItIsPurgedIsNotStoredAndItsClientsAreServed) {
  for (const std::string order : {R"({"url": "http://shop.test/a"})", R"({"url": "/a"})", R"({"prefix": "/a"})",
                                  R"({"route": "all"})", R"({"all": true})", R"({"prefix": "/", "mode": "soft"})"}) {
    auto hold = gate();
    const auto before = origin.count("/a");
    origin.on("/a", {Reply::fresh("old").after(hold), Reply::fresh("new")});
    if (!daemon) start("routes: [{name: all, path: /**}]\n");
    auto leader = connect(), follower = connect();
    leader.request("GET", "/a");
    ASSERT_TRUE(origin.wait_for("/a", before + 1)) << order;
    follower.request("GET", "/a");
    ASSERT_TRUE(metric_reaches("forebay_coalesced_waiting", {}, 1)) << order;
    purged(order);
    hold->open();
    EXPECT_EQ(leader.read().body, "old") << order;
    EXPECT_EQ(follower.read().body, "old") << order;
    const auto next = get("/a");
    EXPECT_EQ(next.x_cache(), "MISS") << order;
    EXPECT_EQ(next.body, "new") << order;
    purged(R"({"all": true})");
  }
}

TEST_F(Purge, UnderLoadNoClientGetsWhatWasPurgedBeforeItAsked) {
  std::atomic<int> version{1};
  origin.otherwise([&](const Received&) { return Reply::fresh(std::to_string(version.load())); });
  start();
  std::atomic<bool> stop{false};
  std::atomic<int> asked{0}, failed{0};
  std::vector<std::thread> load;
  for (int t = 0; t < 3; ++t)
    load.emplace_back([&, t] {
      auto c = connect();
      for (int i = 0; !stop; ++i) {
        if (c.get("/p/" + std::to_string((i + t) % 20)).status != 200) ++failed;
        ++asked;
      }
    });
  const char* const orders[] = {R"({"prefix": "/p/"})", R"({"all": true})", R"({"glob": "/p/*", "mode": "soft"})",
                                R"({"url": ["http://shop.test/p/1", "/p/2", "/p/3"]})"};
  for (int i = 0; i < 40; ++i) {
    ++version;
    purged(orders[i % 4]);
    for (const auto* path : {"/p/1", "/p/2", "/p/3"})
      EXPECT_GE(std::stoi(get(path).body), version) << path << " after " << orders[i % 4];
  }
  stop = true;
  for (auto& t : load) t.join();
  EXPECT_GT(asked, 0);
  EXPECT_EQ(failed, 0);
}

TEST_F(Purge, AfterAReloadEntriesOfTheRoutesThatAreThereAreFound) {
  start("routes: [{name: a, path: '/a/**'}, {name: rest, path: /**}]\n");
  fill({"/a/1", "/b/1"});
  daemon->reload(with_origin("routes: [{name: other, path: '/a/**'}, {name: rest, path: /**}]\n"));
  ASSERT_TRUE(metric_reaches("forebay_config_reloads_total", {{"outcome", "applied"}}, 1));
  EXPECT_EQ(purge(R"({"route": "a"})").status, 422);
  EXPECT_EQ(purged(R"({"url": "http://shop.test/a/1"})"), 1) << "it comes back with its route";
  EXPECT_TRUE(hits("/b/1"));
  EXPECT_EQ(purged(R"({"route": "rest"})"), 1);
}

// A purge finds what it names by the routes that there are.
TEST_F(Purge, WhatWasStoredUnderAnEarlierFormOfARouteDoesNotComeBackWithIt) {
  for (const std::string other : {"[{name: shop, path: /**}]", "[{name: shop, path: '/else/**'}]",
                                  "[{name: else, path: /**, key: {path: none}}]"}) {
    SCOPED_TRACE(other);
    const std::string first = "routes: [{name: shop, path: /**, key: {query: [id]}}]\n";
    const auto reload = [&](const std::string& yaml) {
      const auto before = metric("forebay_config_reloads_total", {{"outcome", "applied"}});
      daemon->reload(with_origin(yaml));
      ASSERT_TRUE(metric_reaches("forebay_config_reloads_total", {{"outcome", "applied"}}, before + 1));
    };
    start(first);
    fill({"/p/1?id=7&x=1"});
    EXPECT_TRUE(hits("/p/1?id=7&x=1"));
    reload("routes: " + other + "\n");
    purge(R"({"url": "http://shop.test/p/1?id=7&x=1"})");
    reload(first);
    EXPECT_FALSE(hits("/p/1?id=7&x=1"));
    EXPECT_EQ(daemon->stop().value_or(-1), 0);
  }
}

}  // namespace
}  // namespace forebay::test
