// `/api/v1/entries`: what is stored, by pages, and one of it.
#include <set>

#include "admin_api.hpp"

namespace forebay::test {
namespace {

class Entries : public AdminApiTest {
 protected:
  void SetUp() override {
    origin.otherwise([](const Received& r) { return Reply::fresh(r.target).field("ETag", "\"e\""); });
  }
  std::map<std::string, std::string> list(const std::string& query = {}) {
    const auto answer = admin("GET", "/api/v1/entries" + query);
    EXPECT_EQ(answer.status, 200) << query << ' ' << answer.body;
    return members(answer);
  }
  /// The URLs of a listing, in its order.
  std::vector<std::string> urls(const std::string& query = {}) {
    auto all = list(query);
    std::vector<std::string> out;
    for (int i = 0;; ++i) {
      const auto at = all.find("entries[" + std::to_string(i) + "].url");
      if (at == all.end()) return out;
      out.push_back(at->second.substr(at->second.find("://") + 3));
    }
  }
  std::string id_of(const std::string& target) {
    return members(
        admin("POST", "/api/v1/explain", "{\"url\":\"" + scheme() + "://shop.test" + target + "\"}"))["key.id"];
  }
};

TEST_F(Entries, SayWhatIsStored) {
  origin.on("/p/1", Reply::fresh("0123456789").field("Vary", "Accept-Language"));
  start("routes: [{name: shop, path: '/p/**'}, {name: rest, path: /**}]\n");
  get("/p/1?page=2&x=%7E", {{"Accept-Language", "de"}});
  get("/p/1?page=2&x=%7E", {{"Accept-Language", "de"}});
  auto all = list();
  EXPECT_EQ(all["entries[0].url"], scheme() + "://shop.test/p/1?page=2&x=~");
  EXPECT_EQ(all["entries[0].route"], "shop");
  EXPECT_EQ(all["entries[0].method"], "GET");
  EXPECT_EQ(all["entries[0].key"], "shop|GET|" + scheme() + "|shop.test|/p/1|q:page=2&x=~");
  EXPECT_EQ(all["entries[0].id"].size(), 32u);
  EXPECT_EQ(all["entries[0].status"], "200");
  EXPECT_EQ(all["entries[0].state"], "fresh");
  EXPECT_EQ(all["entries[0].size"], "10");
  EXPECT_EQ(all["entries[0].hits"], "1");
  EXPECT_EQ(all["entries[0].variant.accept-language"], "de");
  EXPECT_THAT(std::stol(all["entries[0].ttl_s"]), CountedDownFrom(60));
  EXPECT_EQ(all.count("entries[1].url"), 0u);
}

TEST_F(Entries, ArePagedAndEachIsThereOnce) {
  start();
  for (int i = 0; i < 250; ++i) get("/p/" + std::to_string(i));
  std::set<std::string> seen;
  std::string cursor;
  int pages = 0;
  do {
    const auto query = "?limit=100" + (cursor.empty() ? "" : "&cursor=" + cursor);
    for (const auto& url : urls(query)) EXPECT_TRUE(seen.insert(url).second) << url;
    cursor = list(query)["cursor"];
    if (cursor == "null") cursor.clear();
    ++pages;
  } while (!cursor.empty() && pages < 20);
  EXPECT_EQ(seen.size(), 250u);
  EXPECT_GE(pages, 3);
}

TEST_F(Entries, AreFilteredAndSorted) {
  origin.on("/p/big", Reply::fresh(std::string(5000, 'x')));
  origin.on("/p/stale", Reply::with("max-age=60").field("Age", "100").field("ETag", "\"1\""));
  start("routes: [{name: shop, path: '/p/**'}, {name: rest, path: /**}]\n");
  for (const auto* target : {"/p/big", "/p/stale", "/p/1", "/p/2", "/other"}) get(target);
  for (int i = 0; i < 3; ++i) get("/p/1");
  get("/other", {{"Host", "b.test"}});
  admin("POST", "/api/v1/purge", R"({"url": "/p/2", "mode": "soft"})");
  EXPECT_EQ(urls("?route=shop").size(), 4u);
  EXPECT_EQ(urls("?prefix=/p/").size(), 4u);
  EXPECT_EQ(urls("?prefix=http://b.test/"), std::vector<std::string>{"b.test/other"});
  EXPECT_EQ(urls("?glob=*big"), std::vector<std::string>{"shop.test/p/big"});
  EXPECT_EQ(urls("?state=stale"), std::vector<std::string>{"shop.test/p/stale"});
  EXPECT_EQ(urls("?state=purged"), std::vector<std::string>{"shop.test/p/2"});
  EXPECT_EQ(urls("?state=fresh").size(), 4u);
  EXPECT_EQ(urls("?tag=none").size(), 0u);
  EXPECT_EQ(urls("?sort=size&limit=1"), std::vector<std::string>{"shop.test/p/big"});
  EXPECT_EQ(urls("?sort=hits&limit=1"), std::vector<std::string>{"shop.test/p/1"});
  EXPECT_EQ(urls("?sort=age&limit=1"), std::vector<std::string>{"shop.test/p/big"});
  EXPECT_EQ(urls("?sort=age").size(), 6u);
  EXPECT_EQ(list("?sort=size&limit=2")["cursor"], "null");
}

TEST_F(Entries, MistakenQueriesAreRefused) {
  start("routes: [{name: shop, path: /**}]\n");
  const std::pair<const char*, const char*> cases[] = {
      {"?limit=0", "from 1 to 1000"},
      {"?limit=1001", "from 1 to 1000"},
      {"?limit=x", "from 1 to 1000"},
      {"?sort=sise", "did you mean size?"},
      {"?state=old", "fresh, stale, purged"},
      {"?cursor=1", "that an answer has given"},
      {"?sort=size&cursor=00000000000000000000000000000000", "one page"},
      {"?prefix=p", "is not a URL"},
      {"?route=shopp", "did you mean"},
      {"?prefix=/a&glob=/b", "together"},
      {"?page=2", "Unknown parameter"}};
  for (const auto& [query, why] : cases) {
    const auto answer = admin("GET", std::string("/api/v1/entries") + query);
    EXPECT_EQ(answer.status, 400) << query;
    EXPECT_THAT(answer.body, HasSubstr(why)) << query;
  }
  EXPECT_EQ(admin("POST", "/api/v1/entries").status, 405);
}

TEST_F(Entries, SecretsAreNotShown) {
  origin.on("/a", Reply::fresh("x").field("Set-Cookie", "sid=hunter2").field("Vary", "X-Api-Key"));
  start("routes: [{path: /**, set_cookie: store, credentials: [], key: {headers: [X-Auth-Token], cookies: [sid]}}]\n");
  get("/a?token=hunter2&n=1", {{"X-Auth-Token", "hunter2"}, {"Cookie", "sid=hunter2"}, {"X-Api-Key", "hunter2"}});
  const auto listed = admin("GET", "/api/v1/entries");
  EXPECT_THAT(listed.body, AllOf(HasSubstr("(redacted)"), HasSubstr("n=1"), Not(HasSubstr("hunter2"))));
  const auto one = admin("GET", "/api/v1/entries/" + members(listed)["entries[0].id"]);
  EXPECT_EQ(one.status, 200);
  EXPECT_THAT(one.body, AllOf(HasSubstr("(redacted)"), Not(HasSubstr("hunter2"))));
}

TEST_F(Entries, OneHasItsVariantsAndForTheTokenItsBody) {
  origin.on("/a", [](const Received& r) {
    return Reply::fresh("for " + r.get("X-V")).field("Vary", "X-V").field("X-Mark", "m");
  });
  origin.on("/binary", Reply::fresh(std::string("\xFF\x00\x01", 3)));
  start("admin: {listen: 127.0.0.1:0, token: 0123456789abcdef, read_token: fedcba9876543210}\nroutes: [{path: /**}]\n");
  get("/a", {{"X-V", "1"}});
  get("/a", {{"X-V", "2"}});
  get("/binary");
  const auto path = "/api/v1/entries/" + id_of("/a");
  auto one = members(admin("GET", path));
  EXPECT_EQ(one["url"], scheme() + "://shop.test/a");
  EXPECT_EQ(one.count("variants[0].body"), 0u);
  const std::set<std::string> values{one["variants[0].variant.x-v"], one["variants[1].variant.x-v"]};
  EXPECT_EQ(values, (std::set<std::string>{"1", "2"}));
  EXPECT_THAT(admin("GET", path).body, HasSubstr(R"(["X-Mark","m"])"));
  auto with_body = members(admin("GET", path + "?body=1"));
  EXPECT_EQ(with_body["variants[0].body"], "for " + with_body["variants[0].variant.x-v"]);
  EXPECT_EQ(with_body["variants[0].body_truncated"], "false");
  EXPECT_EQ(members(admin("GET", "/api/v1/entries/" + id_of("/binary") + "?body=1"))["variants[0].body_base64"],
            "/wAB");
  EXPECT_EQ(admin("GET", path + "?body=raw").status, 400) << "which one?";
  const auto raw = admin("GET", path + "?body=raw&variant=" + one["variants[1].variant_id"]);
  EXPECT_EQ(raw.body, "for " + one["variants[1].variant.x-v"]);
  EXPECT_EQ(raw.get("Content-Type"), "application/octet-stream");
  EXPECT_EQ(raw.get("Content-Disposition"), "attachment");
  const FieldLines reader{{"Authorization", "Bearer fedcba9876543210"}};
  EXPECT_EQ(admin("GET", path, {}, reader).status, 200);
  EXPECT_EQ(admin("GET", path + "?body=1", {}, reader).status, 403);
  EXPECT_EQ(admin("GET", path + "?body=raw", {}, reader).status, 403);
  EXPECT_EQ(admin("GET", path + "?body=2").status, 400);
  EXPECT_EQ(admin("GET", path + "?variant=0000").status, 404);
  EXPECT_EQ(admin("GET", "/api/v1/entries/123").status, 400);
  EXPECT_EQ(admin("GET", "/api/v1/entries/" + std::string(32, '0')).status, 404);
}

TEST_F(Entries, OneIsRemoved) {
  start();
  get("/a");
  get("/b");
  const auto path = "/api/v1/entries/" + id_of("/a");
  const auto gone = admin("DELETE", path);
  EXPECT_EQ(gone.status, 200) << gone.body;
  EXPECT_EQ(members(gone)["purged"], "1");
  EXPECT_EQ(get("/a").x_cache(), "MISS");
  EXPECT_EQ(get("/b").x_cache(), "HIT");
  const auto none = admin("DELETE", "/api/v1/entries/" + std::string(32, '0'));
  EXPECT_EQ(none.status, 404);
  EXPECT_EQ(members(none)["code"], "not_stored");
  EXPECT_EQ(admin("DELETE", "/api/v1/entries/xyz").status, 400);
  EXPECT_TRUE(log_has("admin: DELETE " + path + " from 127.0.0.1 by right of this machine: hard purge of id"));
}

TEST_F(Entries, APageOfLongKeysEndsAtAMebibyteAndTheCursorGoesOn) {
  start();
  const std::string tail(6000, 'x');
  for (int i = 0; i < 120; ++i) ASSERT_EQ(get("/p/" + std::to_string(i) + "?" + tail).status, 200);
  std::set<std::string> seen;
  std::string cursor;
  int pages = 0;
  do {
    const auto answer = admin("GET", "/api/v1/entries?limit=1000" + (cursor.empty() ? "" : "&cursor=" + cursor));
    EXPECT_LT(answer.body.size(), 1280u * 1024);
    const auto page = members(answer);
    for (int i = 0; page.count("entries[" + std::to_string(i) + "].url") != 0; ++i)
      EXPECT_TRUE(seen.insert(page.at("entries[" + std::to_string(i) + "].url")).second);
    const auto at = page.find("cursor");
    cursor = at == page.end() || at->second == "null" ? "" : at->second;
  } while (!cursor.empty() && ++pages < 10);
  EXPECT_EQ(seen.size(), 120u);
  EXPECT_GE(pages, 1);
  EXPECT_LT(admin("GET", "/api/v1/entries?limit=1000&sort=hits").body.size(), 1280u * 1024);
}

TEST_F(Entries, SecretsInContentTagsAndUrlsAreNotShown) {
  origin.on("/q", Reply::fresh("x")
                      .field("Vary", "Referer")
                      .field("Link", "</n?token=hunter2&n=1>; rel=next, </o?n=2>; rel=prev")
                      .field("Content-Location", "/q?n=3&token=hunter2#token=hunter2"));
  start(R"(routes:
  - path: /**
    methods: [GET, POST]
    key: {body: [/q]}
    tags: {add: ["pw-{body:/q/password}", "open-{body:/q/a}"]}
)");
  ask("POST", "/q", {{"Content-Type", "application/json"}, {"Referer", "http://x.test/?n=4&token=hunter2"}},
      R"({"q":{"a":1,"password":"hunter2"}})");
  const auto listed = admin("GET", "/api/v1/entries");
  EXPECT_THAT(listed.body,
              AllOf(HasSubstr("pw-(redacted)"), HasSubstr("open-1"), HasSubstr("n=4"), Not(HasSubstr("hunter2"))));
  const auto one = admin("GET", "/api/v1/entries/" + members(listed)["entries[0].id"]);
  EXPECT_EQ(one.status, 200);
  EXPECT_THAT(one.body, AllOf(HasSubstr("n=1"), HasSubstr("n=2"), HasSubstr("n=3"), Not(HasSubstr("hunter2"))));
}

}  // namespace
}  // namespace forebay::test
