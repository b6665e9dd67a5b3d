// Prefixes rewritten, and fields set and removed towards origin and client: none of it touches the key.
#include "support/forebay_test.hpp"

namespace forebay::test {
namespace {

class Rewrite : public ForebayTest {
 protected:
  void SetUp() override {
    origin.otherwise([](const Received& r) { return Reply::fresh(r.target + ' ' + std::to_string(r.number)); });
  }
  bool reload(const std::string& yaml) {
    const auto before = metric("forebay_config_reloads_total", {{"outcome", "applied"}});
    daemon->reload(with_origin(yaml));
    return metric_reaches("forebay_config_reloads_total", {{"outcome", "applied"}}, before + 1);
  }
};

TEST_F(Rewrite, PrefixesAreStrippedAndAddedForTheOriginAlone) {
  start(R"(
diagnostics: {cache_status: key}
routes:
  - {name: strip, path: /strip/**, rewrite: {strip_prefix: /strip}}
  - {name: add, path: /add/**, rewrite: {add_prefix: /v2}}
  - {name: both, path: /api/**, rewrite: {strip_prefix: /api/v1, add_prefix: /internal/shop}}
  - {name: slash, path: /slash/**, rewrite: {strip_prefix: /slash/}}
  - {name: plain, path: /**}
)");
  struct Case {
    const char* target;
    const char* origins;
    const char* keyed;
  };
  const Case cases[] = {
      {"/strip/a/b?x=%7e&y", "/a/b?x=%7e&y", "strip|GET|http|shop.test|/strip/a/b|q:x=~&y"},
      {"/strip/", "/", "strip|GET|http|shop.test|/strip/"},
      {"/strip", "/", "strip|GET|http|shop.test|/strip"},
      {"/strip?q", "/?q", "strip|GET|http|shop.test|/strip|q:q"},
      {"/stripe/a", "/stripe/a", "plain|GET|http|shop.test|/stripe/a"},
      {"/add/a", "/v2/add/a", "add|GET|http|shop.test|/add/a"},
      {"/api/v1/item%2F7", "/internal/shop/item%2F7", "both|GET|http|shop.test|/api/v1/item%252F7"},
      {"/api/v10/item", "/internal/shop/api/v10/item", "both|GET|http|shop.test|/api/v10/item"},
      {"/api/./v1/x/../item", "/internal/shop/item", "both|GET|http|shop.test|/api/v1/item"},
      {"/api/v1/../../secret", "/secret", "plain|GET|http|shop.test|/secret"},
      {"/slash/a", "/a", "slash|GET|http|shop.test|/slash/a"},
  };
  for (const auto& c : cases) {
    const auto before = origin.count();
    const auto miss = get(c.target);
    EXPECT_EQ(miss.status, 200) << c.target;
    EXPECT_EQ(origin.count(), before + 1) << c.target;
    EXPECT_THAT(miss.body, StartsWith(std::string(c.origins) + ' ')) << c.target;
    EXPECT_EQ(miss.key(), c.keyed) << c.target;
    EXPECT_EQ(get(c.target).x_cache(), "HIT") << c.target;
  }
}

TEST_F(Rewrite, TwoPathsThatBecomeOneForTheOriginStayTwoEntries) {
  start("routes: [{path: /a/**, rewrite: {strip_prefix: /a}}, {path: /b/**, rewrite: {strip_prefix: /b}}]\n");
  const auto a = get("/a/x");
  EXPECT_EQ(get("/b/x").x_cache(), "MISS");
  EXPECT_EQ(get("/a/x").body, a.body);
  EXPECT_EQ(origin.count("/x"), 2u);
}

TEST_F(Rewrite, HoldsForEveryMethodAndForWhatIsNotCached) {
  start(
      "routes: [{path: /p/**, cache: false, rewrite: {strip_prefix: /p}},"
      " {path: /q/**, methods: [POST], rewrite: {strip_prefix: /q, add_prefix: /r}}]\n");
  get("/p/a");
  EXPECT_EQ(origin.count("/a"), 1u);
  ask("POST", "/q/a", {}, "content");
  EXPECT_EQ(origin.last("/r/a").body, "content");
  ask("DELETE", "/q/a");
  EXPECT_EQ(origin.last("/r/a").method, "DELETE");
}

TEST_F(Rewrite, AWriteStillInvalidatesTheUrlThatClientsKnow) {
  start("routes: [{path: /api/**, rewrite: {strip_prefix: /api, add_prefix: /v2}}, {path: /**}]\n");
  get("/api/a");
  get("/v2/a");
  get("/a");
  EXPECT_EQ(get("/api/a").x_cache(), "HIT");
  ask("DELETE", "/api/a");
  EXPECT_EQ(get("/api/a").x_cache(), "MISS");
  EXPECT_EQ(get("/v2/a").x_cache(), "HIT") << "another URL, whatever the origin makes of it";
  EXPECT_EQ(get("/a").x_cache(), "HIT");
}

TEST_F(Rewrite, RefreshesAndValidationsAreRewrittenToo) {
  origin.on("/a",
            {Reply::with("max-age=60, stale-while-revalidate=30", "old").field("Age", "61"), Reply::fresh("new")});
  start("routes: [{path: /api/**, rewrite: {strip_prefix: /api}, request_headers: {set: {X-Edge: one}}}]\n");
  get("/api/a");
  EXPECT_EQ(get("/api/a").x_cache(), "STALE");
  EXPECT_TRUE(origin.wait_for("/a", 2));
  EXPECT_EQ(origin.last("/a").get("X-Edge"), "one");
  EXPECT_TRUE(eventually([&] { return get("/api/a").body == "new"; }));
}

TEST_F(Rewrite, AnotherRewriteAfterAReloadNeverServesWhatWasFetchedUnderTheOld) {
  start("routes: [{name: r, path: /**, rewrite: {add_prefix: /one}}]\n");
  EXPECT_THAT(get("/a").body, StartsWith("/one/a"));
  ASSERT_TRUE(reload("routes: [{name: r, path: /**, rewrite: {add_prefix: /two}}]\n"));
  EXPECT_THAT(get("/a").body, StartsWith("/two/a"));
}

TEST_F(Rewrite, FieldsTowardsTheOriginAreRemovedAndSetAndNoPartOfTheKey) {
  start(R"(
diagnostics: {cache_status: key}
routes:
  - name: r
    path: /a
    key: {headers: [X-Tenant]}
    request_headers: {set: {X-Tenant: fixed, X-Edge: "a, b"}, remove: [Accept-Language, X-Tenant, 'X-Gone']}
  - {path: /off, cache: false, request_headers: {set: {X-Edge: off}, remove: [X-Gone]}}
)");
  const FieldLines sent{
      {"X-Tenant", "one"}, {"Accept-Language", "de"}, {"x-gone", "1"}, {"X-Kept", "2"}, {"X-Edge", "c"}};
  const auto a = get("/a", sent);
  EXPECT_EQ(a.key(), "r|GET|http|shop.test|/a|h:x-tenant=one") << "of what the client sent";
  const auto r = origin.last("/a");
  EXPECT_EQ(r.get("X-Tenant"), "fixed");
  EXPECT_EQ(r.get("X-Edge"), "a, b") << "over what is there";
  EXPECT_FALSE(r.has("Accept-Language"));
  EXPECT_FALSE(r.has("X-Gone"));
  EXPECT_EQ(r.get("X-Kept"), "2");
  EXPECT_EQ(get("/a", {{"X-Tenant", "two"}}).x_cache(), "MISS");
  EXPECT_EQ(get("/a", {{"X-Tenant", "one"}}).x_cache(), "HIT");
  get("/off", sent);
  EXPECT_EQ(origin.last("/off").get("X-Edge"), "off");
  EXPECT_FALSE(origin.last("/off").has("X-Gone"));
}

TEST_F(Rewrite, ARequestFieldThatIsSetOrRemovedChangesNoDecision) {
  origin.on("/auth", [](const Received& r) { return Reply::fresh(r.get("Authorization")); });
  origin.on("/cond", [](const Received& r) { return Reply::fresh(r.get("If-None-Match")).field("ETag", "\"v\""); });
  start(R"(
routes:
  - {path: /auth, request_headers: {remove: [Authorization]}}
  - {path: /set, request_headers: {set: {Authorization: Basic c2VydmljZQ==}}}
)");
  EXPECT_EQ(get("/auth", {{"Authorization", "Bearer alice"}}).cache_param("detail"), "authorization")
      << "judged by what the client sent";
  EXPECT_EQ(get("/set").x_cache(), "MISS");
  EXPECT_EQ(get("/set").x_cache(), "HIT") << "the service's own credentials are the same for all";
  EXPECT_EQ(origin.last("/set").get("Authorization"), "Basic c2VydmljZQ==");
}

TEST_F(Rewrite, FieldsTowardsTheClientOnEveryKindOfAnswer) {
  origin.on("/a", Reply::fresh("body").field("ETag", "\"v\"").field("Server", "origin/1").field("X-Secret", "1"));
  origin.on("/down", Reply::hang_up(End::Rst));
  origin.on("/private", Reply::with("private").field("Server", "origin/1").field("X-Secret", "1"));
  start(R"(
routes:
  - path: /**
    methods: [GET, POST]
    response_headers: {set: {X-Frame-Options: DENY, Server: edge}, remove: [X-Secret, Server]}
)");
  const std::vector<std::pair<const char*, Answer>> all{
      {"miss", get("/a")},
      {"hit", get("/a")},
      {"304", get("/a", {{"If-None-Match", "\"v\""}})},
      {"head", ask("HEAD", "/a")},
      {"range", get("/a", {{"Range", "bytes=0-1"}})},
      {"not stored", get("/private")},
      {"bypass", ask("DELETE", "/a")},
      {"502", get("/down")},
      {"504", get("/nothing", {{"Cache-Control", "only-if-cached"}})},
  };
  const int statuses[] = {200, 200, 304, 200, 206, 200, 200, 502, 504};
  std::size_t i = 0;
  for (const auto& [what, a] : all) {
    EXPECT_EQ(a.status, statuses[i++]) << what;
    EXPECT_TRUE(a.complete()) << what;
    EXPECT_EQ(a.get("X-Frame-Options"), "DENY") << what;
    EXPECT_EQ(a.get("Server"), "edge") << what << ": removed, then set";
    EXPECT_FALSE(a.has("X-Secret")) << what;
  }
}

TEST_F(Rewrite, AFieldThatIsSetTowardsTheClientDecidesNothingOfStoring) {
  origin.on("/a", Reply::fresh("x"));
  origin.on("/b", Reply::with("no-store"));
  start("routes: [{path: /**, response_headers: {set: {Cache-Control: 'max-age=5'}}}]\n");
  const auto a = get("/a");
  EXPECT_EQ(a.get("Cache-Control"), "max-age=5") << "instead of the origin's";
  EXPECT_EQ(get("/a").x_cache(), "HIT");
  EXPECT_GT(get("/a").ttl(), 40) << "what is stored has the origin's lifetime";
  EXPECT_EQ(get("/b").cache_param("detail"), "no_store");
  EXPECT_EQ(get("/b").get("Cache-Control"), "max-age=5");
}

TEST_F(Rewrite, AChangeOfResponseFieldsHoldsAtOnceForWhatIsStored) {
  origin.on("/a", Reply::fresh("x").field("X-Origin", "1"));
  start("routes: [{name: r, path: /**, response_headers: {set: {X-V: one}}}]\n");
  EXPECT_EQ(get("/a").get("X-V"), "one");
  ASSERT_TRUE(reload("routes: [{name: r, path: /**, response_headers: {set: {X-V: two}, remove: [X-Origin]}}]\n"));
  const auto a = get("/a");
  EXPECT_EQ(a.x_cache(), "HIT");
  EXPECT_EQ(a.get("X-V"), "two");
  EXPECT_FALSE(a.has("X-Origin"));
  ASSERT_TRUE(reload("routes: [{name: r, path: /**}]\n"));
  EXPECT_FALSE(get("/a").has("X-V")) << "it was never stored";
  EXPECT_EQ(get("/a").get("X-Origin"), "1");
  EXPECT_EQ(origin.count("/a"), 1u);
}

}  // namespace
}  // namespace forebay::test
