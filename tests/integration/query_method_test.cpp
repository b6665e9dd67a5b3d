// QUERY (RFC 10008) is safe and idempotent, and cached with its content and what describes the content in the key.
#include "support/content.hpp"
#include "support/forebay_test.hpp"

namespace forebay::test {
namespace {

const FieldLines kJson{{"Content-Type", "application/json"}};

class QueryMethod : public ForebayTest {
 protected:
  void SetUp() override {
    origin.otherwise([](const Received& r) { return Reply::fresh(r.method + ' ' + std::to_string(r.number)); });
  }
  Answer query(const std::string& target, const std::string& body, const FieldLines& fields = kJson) {
    return ask("QUERY", target, fields, body);
  }
  static FieldLines with(FieldLines fields, const std::string& name, const std::string& value) {
    fields.emplace_back(name, value);
    return fields;
  }
};

TEST_F(QueryMethod, TheSecondIdenticalOneIsAHit) {
  start("diagnostics: {cache_status: key}\nroutes: [{name: q, path: /**, methods: [GET, QUERY]}]\n");
  const auto first = query("/a?x=1", "{}");
  EXPECT_EQ(first.x_cache(), "MISS");
  EXPECT_THAT(first.key(), StartsWith("q|QUERY|http|shop.test|/a|q:x=1|b:" + sha256_hex("{}").substr(0, 32) +
                                      "|m:application/json"));
  EXPECT_EQ(origin.last("/a").method, "QUERY");
  EXPECT_EQ(origin.last("/a").body, "{}");
  EXPECT_EQ(origin.last("/a").get("Content-Type"), "application/json");
  const auto second = query("/a?x=1", "{}");
  EXPECT_EQ(second.x_cache(), "HIT");
  EXPECT_EQ(second.body, first.body);
  EXPECT_EQ(query("/a?x=1", "[]").x_cache(), "MISS");
  EXPECT_EQ(query("/a?x=2", "{}").x_cache(), "MISS");
  EXPECT_EQ(get("/a?x=1").x_cache(), "MISS") << "another method is another key";
}

TEST_F(QueryMethod, TypeCodingAndLanguageOfTheContentAreInTheKey) {
  start("routes: [{path: /raw, methods: QUERY}, {path: /json, methods: QUERY, key: {body: ['']}}]\n");
  for (const std::string path : {"/raw", "/json"}) {
    EXPECT_EQ(query(path, "{}").x_cache(), "MISS");
    EXPECT_EQ(query(path, "{}", with(kJson, "Content-Language", "de")).x_cache(), "MISS");
    EXPECT_EQ(query(path, "{}", with(kJson, "Content-Language", "en")).x_cache(), "MISS");
    EXPECT_EQ(query(path, gzip("{}"), with(kJson, "Content-Encoding", "gzip")).x_cache(), "MISS");
    EXPECT_EQ(query(path, "{}", {{"Content-Type", "application/json;v=2"}}).x_cache(), "MISS");
    EXPECT_EQ(query(path, "{}", with(kJson, "Content-Language", "de")).x_cache(), "HIT");
    EXPECT_EQ(query(path, gzip("{}"), with(kJson, "Content-Encoding", "gzip")).x_cache(), "HIT");
    EXPECT_EQ(origin.count(path), 5u);
  }
}

TEST_F(QueryMethod, WithoutAContentTypeItIsNotLookedUp) {
  start("routes: [{path: /**, methods: QUERY}]\n");
  for (int i = 0; i < 2; ++i) {
    const auto a = query("/a", "{}", {});
    EXPECT_EQ(a.status, 200) << "whether it is a request at all is the origin's to judge";
    EXPECT_EQ(a.cache_status(), "forebay; fwd=bypass; detail=body_unparsable");
    EXPECT_EQ(origin.last("/a").body, "{}");
  }
  EXPECT_EQ(origin.count("/a"), 2u);
}

TEST_F(QueryMethod, ContentIsNormalisedForTheKeyAloneAndNotAtAllUnderNoTransform) {
  start("routes: [{path: /**, methods: QUERY, key: {body: ['']}}]\n");
  const std::string one = R"({"a":1,"b":2})", two = R"({ "b":2, "a":1 })";
  EXPECT_EQ(query("/a", one).x_cache(), "MISS");
  EXPECT_EQ(query("/a", two).x_cache(), "HIT");
  const auto raw = with(kJson, "Cache-Control", "no-transform");
  const auto second = query("/a", two, raw);
  EXPECT_NE(second.x_cache(), "HIT") << "the client wants an answer to these very bytes";
  EXPECT_EQ(origin.last("/a").body, two) << "which the origin gets as they are";
  EXPECT_EQ(query("/a", two, raw).x_cache(), "HIT");
  EXPECT_NE(query("/a", R"({"b":2,"a":1})", raw).x_cache(), "HIT");
  EXPECT_EQ(query("/a", "no json at all", raw).x_cache(), "MISS") << "nothing has to be read";
  EXPECT_EQ(query("/a", "no json at all").cache_param("detail"), "body_unparsable");
}

TEST_F(QueryMethod, IsSafeAndInvalidatesNothingEvenWhereTheRouteDoesNotListIt) {
  start("routes: [{path: /**}]\n");
  get("/a");
  const auto a = query("/a", "{}");
  EXPECT_EQ(a.cache_status(), "forebay; fwd=method; detail=method");
  EXPECT_EQ(get("/a").x_cache(), "HIT");
}

TEST_F(QueryMethod, IsSentAgainWithItsContentAfterAConnectionDied) {
  for (const auto how : {End::Fin, End::Rst}) {
    const std::string tag = how == End::Fin ? "fin" : "rst";
    origin.otherwise([how](const Received& r) { return r.nth > 1 ? Reply::hang_up(how) : Reply::fresh(r.body); });
    daemon.reset();
    start("origins: {o: {url: '" + origin.url() + "', retries: 0}}\norigin: o\n" +
          "server: {threads: 1}\nroutes: [{path: /**, methods: [GET, QUERY], key: {body_max: 1MiB}}]\n");
    EXPECT_EQ(get("/warm-" + tag).status, 200);
    const auto path = "/query-" + tag;
    const auto body = pattern(200000);
    const auto a = query(path, body);
    EXPECT_EQ(a.status, 200) << tag;
    EXPECT_TRUE(a.body == body);
    EXPECT_EQ(origin.count(path), 2u);
    EXPECT_EQ(query(path, body).x_cache(), "HIT");
  }
}

TEST_F(QueryMethod, RetriesOnNewConnectionsCountForItAsForAGet) {
  origin.on("/a", {Reply::hang_up(End::Rst), Reply::hang_up(End::Fin), Reply::fresh("third")});
  origin.on("/post", Reply::hang_up(End::Rst));
  start("origins: {o: {url: '" + origin.url() + "', retries: 2}}\norigin: o\n" +
        "routes: [{path: /**, methods: [QUERY, POST]}]\n");
  const auto a = ask("QUERY", "/a", with(kJson, "Transfer-Encoding", "chunked"), chunked("content", 2));
  EXPECT_EQ(a.body, "third");
  EXPECT_EQ(origin.count("/a"), 3u);
  EXPECT_EQ(origin.last("/a").body, "content");
  EXPECT_EQ(ask("POST", "/post", kJson, "{}").status, 502);
  EXPECT_EQ(origin.count("/post"), 1u) << "a POST is not";
}

TEST_F(QueryMethod, AcceptQueryPassesBothOnAMissAndFromTheStore) {
  origin.otherwise([](const Received&) {
    return Reply::fresh("x")
        .field("Accept-Query", "\"application/jsonpath\", application/sql;charset=\"UTF-8\"")
        .field("Content-Location", "/stored/7");
  });
  start("routes: [{path: /**, methods: [GET, QUERY]}]\n");
  for (const auto& a : {query("/a", "{}"), query("/a", "{}"), get("/a"), get("/a"), query("/b", "{}", {})}) {
    EXPECT_EQ(a.get("Accept-Query"), "\"application/jsonpath\", application/sql;charset=\"UTF-8\"");
    EXPECT_EQ(a.get("Content-Location"), "/stored/7");
  }
}

TEST_F(QueryMethod, IdenticalOnesAtATimeAreOneFetchAndAStaleOneIsRefreshedWithItsContent) {
  auto hold = gate();
  origin.on("/a", {Reply::fresh("x").after(hold)});
  origin.on("/s",
            {Reply::with("max-age=60, stale-while-revalidate=30", "old").field("Age", "61"), Reply::fresh("new")});
  start("routes: [{path: /**, methods: QUERY}]\n");
  std::vector<Client> all;
  for (int i = 0; i < 10; ++i) {
    all.push_back(connect());
    all.back().request("QUERY", "/a", kJson, "{}");
  }
  EXPECT_TRUE(metric_reaches("forebay_coalesced_waiting", {}, 9));
  hold->open();
  for (auto& c : all) EXPECT_EQ(c.read("QUERY").body, "x");
  EXPECT_EQ(origin.count("/a"), 1u);

  query("/s", "{}");
  EXPECT_EQ(query("/s", "{}").x_cache(), "STALE");
  EXPECT_TRUE(eventually([&] { return query("/s", "{}").body == "new"; }));
  EXPECT_EQ(origin.last("/s").body, "{}");
  EXPECT_EQ(origin.last("/s").method, "QUERY");
}

TEST_F(QueryMethod, IsCountedUnderItsName) {
  start("routes: [{name: r, path: /**, methods: QUERY}]\n");
  query("/a", "{}");
  EXPECT_TRUE(metric_reaches("forebay_requests_total", {{"route", "r"}, {"method", "QUERY"}}, 1));
  EXPECT_EQ(access_line("/a")["method"], "QUERY");
}

}  // namespace
}  // namespace forebay::test
