#include "support/forebay_test.hpp"

namespace forebay::test {
namespace {

class Hits : public ForebayTest {};

TEST_F(Hits, AFreshResponseIsServedFromTheStoreAndTheOriginIsAskedOnce) {
  origin.on("/a", Reply::fresh("hello").field("ETag", "\"v1\"").field("Content-Type", "text/plain"));
  start();
  const auto miss = get("/a");
  const auto hit = get("/a");
  EXPECT_EQ(miss.status, 200);
  EXPECT_EQ(miss.body, "hello");
  EXPECT_EQ(miss.x_cache(), "MISS");
  EXPECT_EQ(hit.status, 200);
  EXPECT_EQ(hit.body, "hello");
  EXPECT_EQ(hit.x_cache(), "HIT");
  EXPECT_EQ(hit.get("ETag"), "\"v1\"");
  EXPECT_EQ(hit.get("Content-Type"), "text/plain");
  EXPECT_EQ(hit.get("Date"), miss.get("Date")) << "Date is sent on untouched";
  EXPECT_TRUE(hit.has("Age"));
  EXPECT_EQ(hit.fields.count("Age"), 1u);
  EXPECT_EQ(origin.count("/a"), 1u);
}

TEST_F(Hits, AgeOnAHitContinuesTheAgeThatTheOriginStated) {
  origin.on("/a", Reply::fresh().field("Age", "20"));
  start();
  get("/a");
  const auto hit = get("/a");
  EXPECT_EQ(hit.x_cache(), "HIT");
  EXPECT_GE(hit.age(), 20);
  EXPECT_LT(hit.age(), 20 + kSlack);
}

TEST_F(Hits, UnknownAndRepeatedFieldsAreKeptAndConnectionFieldsAreNot) {
  origin.on("/a", Reply::fresh()
                      .field("X-Unknown", "kept")
                      .field("Link", "</a>; rel=a")
                      .field("Link", "</b>; rel=b")
                      .field("Connection", "X-Hop, keep-alive")
                      .field("X-Hop", "dropped")
                      .field("Keep-Alive", "timeout=5")
                      .field("Proxy-Authenticate", "Basic"));
  start();
  for (const auto& a : {get("/a"), get("/a")}) {
    EXPECT_EQ(a.get("X-Unknown"), "kept");
    EXPECT_EQ(a.get("Link"), "</a>; rel=a, </b>; rel=b");
    EXPECT_FALSE(a.has("X-Hop"));
    EXPECT_FALSE(a.has("Keep-Alive"));
    EXPECT_FALSE(a.has("Proxy-Authenticate"));
  }
  EXPECT_EQ(origin.count("/a"), 1u);
}

TEST_F(Hits, BodiesOfEverySizeComeBackByteForByte) {
  const std::size_t sizes[] = {0, 1, 1023, 65536, 262143, 262145, 1048576, 3000000};
  for (const auto n : sizes) origin.on("/" + std::to_string(n), Reply::fresh(pattern(n)));
  for (const auto n : sizes) origin.on("/c" + std::to_string(n), Reply::fresh(pattern(n)).chunked(10000));
  start();
  for (const auto n : sizes) {
    for (const std::string prefix : {"/", "/c"}) {
      const auto path = prefix + std::to_string(n);
      const auto miss = get(path);
      const auto hit = get(path);
      EXPECT_TRUE(miss.complete()) << path;
      EXPECT_TRUE(miss.body == pattern(n)) << path;
      EXPECT_TRUE(hit.complete()) << path;
      EXPECT_TRUE(hit.body == pattern(n)) << path;
      EXPECT_EQ(hit.x_cache(), "HIT") << path;
      EXPECT_EQ(hit.get("Content-Length"), std::to_string(n)) << path << ": the length is known once all is stored";
    }
  }
}

TEST_F(Hits, HeadIsAnsweredFromAStoredGetWithTheSameFieldsAndNoBody) {
  origin.on("/a", Reply::fresh("12345").field("ETag", "\"v\"").field("Last-Modified", http_date(-1000)));
  start();
  get("/a");
  const auto g = get("/a");
  auto c = connect();
  const auto h = c.ask("HEAD", "/a");
  EXPECT_EQ(h.status, 200);
  EXPECT_EQ(h.x_cache(), "HIT");
  EXPECT_EQ(h.body, "");
  EXPECT_EQ(h.get("Content-Length"), "5");
  for (const auto& [name, value] : g.fields) {
    if (name == "Age" || name == "Cache-Status" || same_name(name, "X-Request-Id")) continue;
    EXPECT_EQ(h.get(name), g.get(name)) << name;
  }
  const auto next = c.get("/a");
  EXPECT_EQ(next.body, "12345") << "no content slipped in behind the HEAD";
  EXPECT_EQ(origin.count("/a"), 1u);
}

TEST_F(Hits, AHeadMissIsAnsweredAndNeverStoredAsAnEmptyGet) {
  origin.on("/a", Reply::fresh("12345"));
  start();
  const auto h = ask("HEAD", "/a");
  EXPECT_EQ(h.status, 200);
  EXPECT_EQ(h.get("Content-Length"), "5");
  EXPECT_EQ(get("/a").body, "12345");
  EXPECT_EQ(get("/a").body, "12345");
}

TEST_F(Hits, AnAnswerToAnUnknownMethodIsNeverStored) {
  origin.on("/a", Reply::fresh());
  start();
  for (const auto* method : {"POST", "PUT", "PATCH", "OPTIONS", "BREW"}) {
    const auto first = ask(method, "/a", {}, "x");
    const auto second = ask(method, "/a", {}, "x");
    EXPECT_EQ(first.status, 200) << method;
    EXPECT_EQ(second.x_cache(), "BYPASS") << method;
    EXPECT_EQ(second.cache_status(), "forebay; fwd=method; detail=method") << method;
  }
  EXPECT_EQ(origin.count("/a"), 10u);
}

TEST_F(Hits, QueryHostAndSchemeArePartsOfTheKey) {
  origin.otherwise([](const Received& r) { return Reply::fresh(r.get("Host") + r.target); });
  start();
  const FieldLines a{{"Host", "a.test"}}, b{{"Host", "b.test"}};
  EXPECT_EQ(get("/x", a).body, "a.test/x");
  EXPECT_EQ(get("/x", b).body, "b.test/x");
  EXPECT_EQ(get("/x?", a).x_cache(), "MISS") << "an empty query is unlike none";
  EXPECT_EQ(get("/x?q=1", a).body, "a.test/x?q=1");
  EXPECT_EQ(get("/x?q=2", a).body, "a.test/x?q=2");
  EXPECT_EQ(get("/x?q", a).x_cache(), "MISS") << "?q is unlike ?q=";
  EXPECT_EQ(get("/x?q=", a).x_cache(), "MISS");
  EXPECT_EQ(get("/x?q=1", a).x_cache(), "HIT");
  EXPECT_EQ(get("/x", {{"Host", over_tls() ? "A.TEST:443" : "A.TEST:80"}}).x_cache(), "HIT")
      << "case and the default port make no other host";
  EXPECT_EQ(get("/x", {{"Host", "a.test:8080"}}).x_cache(), "MISS");
}

TEST_F(Hits, TheOrderOfTheQueryCountsUnlessTheRouteSortsIt) {
  origin.otherwise([](const Received& r) { return Reply::fresh(r.target); });
  start("routes: [{path: /except, key: {query: {except: [u]}}}, {path: /**}]\n");
  for (const std::string path : {"/q", "/except"}) {
    EXPECT_EQ(get(path + "?b=2&a=1").body, path + "?b=2&a=1");
    EXPECT_EQ(get(path + "?a=1&b=2").body, path + "?a=1&b=2");
    EXPECT_EQ(get(path + "?b=2&%61=1").x_cache(), "HIT") << "percent-encoded unreserved bytes are decoded";
    get(path + "?f[][k]=a&f[][v]=1&f[][k]=b&f[][v]=2");
    EXPECT_EQ(get(path + "?f[][k]=a&f[][k]=b&f[][v]=1&f[][v]=2").x_cache(), "MISS");
    get(path + "?a[]=1&a%5B%5D=2");
    EXPECT_EQ(get(path + "?a%5B%5D=2&a[]=1").x_cache(), "MISS");
  }
}

TEST_F(Hits, ASortedQueryIsSentAsItCame) {
  origin.otherwise([](const Received& r) { return Reply::fresh(r.target); });
  start("routes: [{path: /**, key: {query_sort: true}}]\n");
  EXPECT_EQ(get("/q?b=2&a=1").body, "/q?b=2&a=1");
  EXPECT_EQ(get("/q?a=1&b=2").x_cache(), "HIT");
  get("/q?f[][k]=a&f[][v]=1&f[][k]=b&f[][v]=2");
  EXPECT_EQ(get("/q?f[][k]=a&f[][k]=b&f[][v]=1&f[][v]=2").x_cache(), "MISS");
  EXPECT_EQ(get("/q?z=1&f[][k]=a&f[][v]=1&f[][k]=b&f[][v]=2").x_cache(), "MISS");
  EXPECT_EQ(get("/q?f[][k]=a&f[][v]=1&f[][k]=b&f[][v]=2&z=1").x_cache(), "HIT");
  EXPECT_EQ(get("/q?a=1&a=2").x_cache(), "MISS");
  EXPECT_EQ(get("/q?a=2&a=1").x_cache(), "MISS") << "values of one name keep their order";
  EXPECT_EQ(get("/q?b=2&%61=1").x_cache(), "HIT") << "percent-encoded unreserved bytes are decoded";
}

TEST_F(Hits, ARouteChoosesQueryNamesAndHeadersOfTheKey) {
  origin.otherwise([](const Received& r) { return Reply::fresh(r.target + r.get("X-Tenant")); });
  start(R"(
routes:
  - {path: /list, key: {query: [a, "f_*"]}}
  - {path: /none, key: {query: none}}
  - {path: /except, key: {query: {except: ["utm_*"]}}}
  - {path: /headers, key: {headers: [X-Tenant]}}
  - {path: /nohost, key: {host: false}}
)");
  get("/list?a=1&f_x=2&z=3");
  EXPECT_EQ(get("/list?z=9&f_x=2&a=1").x_cache(), "HIT");
  EXPECT_EQ(get("/list?f_x=2").x_cache(), "MISS");
  get("/none?a=1");
  EXPECT_EQ(get("/none?b=2").x_cache(), "HIT");
  get("/except?a=1&utm_s=1");
  EXPECT_EQ(get("/except?utm_t=2&a=1").x_cache(), "HIT");
  EXPECT_EQ(get("/except?a=2").x_cache(), "MISS");
  EXPECT_EQ(get("/headers", {{"X-Tenant", "a"}}).x_cache(), "MISS");
  EXPECT_EQ(get("/headers", {{"X-Tenant", "b"}}).x_cache(), "MISS");
  EXPECT_EQ(get("/headers").x_cache(), "MISS") << "absent";
  EXPECT_EQ(get("/headers", {{"X-Tenant", ""}}).x_cache(), "MISS") << "empty is unlike absent";
  EXPECT_EQ(get("/headers", {{"X-Tenant", "a"}}).body, "/headersa");
  EXPECT_EQ(get("/headers", {{"X-Tenant", "a"}, {"Cookie", "x=1"}}).x_cache(), "HIT");
  get("/nohost", {{"Host", "a.test"}});
  EXPECT_EQ(get("/nohost", {{"Host", "b.test"}}).x_cache(), "HIT");
}

TEST_F(Hits, PipelinedRequestsAreAnsweredInOrder) {
  origin.otherwise([](const Received& r) { return Reply::fresh(r.path); });
  start();
  get("/hit");
  auto c = connect();
  std::string all;
  for (int i = 0; i < 40; ++i)
    all += "GET " + std::string(i % 2 ? "/hit" : "/" + std::to_string(i)) + " HTTP/1.1\r\nHost: shop.test\r\n\r\n";
  c.send(all);
  for (int i = 0; i < 40; ++i) EXPECT_EQ(c.read().body, i % 2 ? "/hit" : "/" + std::to_string(i));
  EXPECT_EQ(c.pending(), "");
}

TEST_F(Hits, AnHttp10ClientGetsAStoredChunkedAnswerWithoutChunks) {
  origin.on("/a", Reply::fresh(pattern(5000)).chunked(100));
  start();
  auto miss = connect();
  miss.send("GET /a HTTP/1.0\r\nHost: shop.test\r\n\r\n");
  const auto first = miss.read();
  EXPECT_TRUE(first.complete());
  EXPECT_TRUE(first.body == pattern(5000));
  EXPECT_FALSE(first.has("Transfer-Encoding"));
  EXPECT_TRUE(miss.closed());
  auto hit = connect();
  hit.send("GET /a HTTP/1.0\r\nHost: shop.test\r\n\r\n");
  EXPECT_TRUE(hit.read().body == pattern(5000));
  EXPECT_TRUE(hit.closed());
  EXPECT_EQ(origin.count("/a"), 1u);
}

TEST_F(Hits, TheUnreadBodyOfARequestThatNeedsNoneDoesNotBecomeTheNextRequest) {
  origin.on("/a", Reply::fresh("a"));
  start("routes: [{path: /**, methods: [GET, OPTIONS]}]\n");
  auto c = connect();
  const std::string evil = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n";
  for (const auto* method : {"OPTIONS", "OPTIONS", "GET", "HEAD"}) {
    EXPECT_EQ(c.ask(method, "/a", {}, evil).status, 200) << method;
    EXPECT_EQ(c.get("/a").status, 200);
    EXPECT_EQ(c.pending(), "");
  }
  EXPECT_EQ(origin.count("/smuggled"), 0u);
}

TEST_F(Hits, APreflightIsCachedByOriginMethodAndHeadersOnlyWhereTheRouteSaysSo) {
  origin.otherwise([](const Received& r) { return Reply::fresh(r.get("Origin")); });
  start("routes: [{path: /yes, methods: [GET, OPTIONS]}, {path: /no}]\n");
  const FieldLines one{{"Origin", "http://one"}, {"Access-Control-Request-Method", "PUT"}};
  const FieldLines two{{"Origin", "http://two"}, {"Access-Control-Request-Method", "PUT"}};
  EXPECT_EQ(ask("OPTIONS", "/yes", one).body, "http://one");
  EXPECT_EQ(ask("OPTIONS", "/yes", two).body, "http://two");
  EXPECT_EQ(ask("OPTIONS", "/yes", one).x_cache(), "HIT");
  EXPECT_EQ(get("/yes").x_cache(), "MISS") << "another method is another key";
  ask("OPTIONS", "/no", one);
  EXPECT_EQ(ask("OPTIONS", "/no", one).x_cache(), "BYPASS");
}

}  // namespace
}  // namespace forebay::test
