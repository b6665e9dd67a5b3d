#include "support/forebay_test.hpp"

namespace forebay::test {
namespace {

class Routes : public ForebayTest {};

TEST_F(Routes, TheFirstInFileOrderWhoseHostPathAndMethodsMatchWins) {
  origin.otherwise([](const Received&) { return Reply().body("x"); });
  start(R"(
routes:
  - {name: exact, path: /a/b, ttl: 60s}
  - {name: host, host: "*.special.test", path: /**, ttl: 60s}
  - {name: segment, path: "/users/{id}", ttl: 60s}
  - {name: rest, path: "/files/{rest+}", ttl: 60s}
  - {name: glob, path: "/img/*.png", ttl: 60s}
  - {name: regex, path: "~ ^/v[0-9]+/.*$", ttl: 60s}
  - {name: last, path: /**}
)");
  struct Case {
    const char* target;
    const char* host;
    const char* route;
  };
  const Case cases[] = {
      {"/a/b", "x", "exact"},           {"/a/b/", "x", "last"},        {"/any", "www.special.test", "host"},
      {"/any", "special.test", "last"}, {"/users/42", "x", "segment"}, {"/users/42/x", "x", "last"},
      {"/files/a/b", "x", "rest"},      {"/files/", "x", "last"},      {"/img/a.png", "x", "glob"},
      {"/img/d/a.png", "x", "last"},    {"/v12/x", "x", "regex"},      {"/v/x", "x", "last"},
      {"/a/./c/../b", "x", "exact"},    {"/a/%62", "x", "exact"},      {"/a%2Fb", "x", "last"}};
  for (const auto& c : cases) EXPECT_EQ(get(c.target, {{"Host", c.host}}).status, 200) << c.target;
  EXPECT_TRUE(eventually([&] { return daemon->access().size() >= std::size(cases); }));
  const auto lines = daemon->access();
  ASSERT_EQ(lines.size(), std::size(cases));
  // Lines of different workers may change places: look each one up.
  for (const auto& c : cases) {
    const bool found = std::any_of(lines.begin(), lines.end(), [&](auto line) {
      return line["route"] == c.route && line["host"] == c.host &&
             (line["path"] == c.target || std::string(c.target).find_first_of(".%") != std::string::npos);
    });
    EXPECT_TRUE(found) << c.target << " on " << c.host << " should be route " << c.route;
  }
}

TEST_F(Routes, AMethodThatNoRouteListsIsForwardedUncachedByTheFirstThatMatchesOtherwise) {
  origin.on("/w", Reply::fresh("x"));
  start("routes: [{name: r, path: /w, methods: [GET]}]\n");
  const auto a = ask("PUT", "/w", {}, "x");
  EXPECT_EQ(a.status, 200);
  EXPECT_EQ(a.cache_status(), "forebay; fwd=method; detail=method");
  EXPECT_TRUE(metric_reaches("forebay_cache_requests_total", {{"route", "r"}, {"result", "bypass"}}, 1));
}

TEST_F(Routes, WithoutAMatchTheDefaultOriginIsAskedUncached) {
  origin.on("/x", Reply::fresh("x"));
  start("routes: [{path: /other}]\n");
  for (int i = 0; i < 2; ++i) {
    const auto a = get("/x");
    EXPECT_EQ(a.body, "x");
    EXPECT_EQ(a.x_cache(), "BYPASS");
    EXPECT_EQ(a.cache_param("detail"), "no_route");
  }
  EXPECT_EQ(origin.count("/x"), 2u);
}

TEST_F(Routes, WithoutAMatchAndWithoutADefaultOriginItIs404) {
  start_without_origin("origins: {o: '" + origin.url() + "'}\nroutes: [{path: /other, origin: o}]\n");
  const auto a = get("/x");
  EXPECT_TRUE(is_problem(a, 404)) << a;
  EXPECT_EQ(origin.count(), 0u);
  EXPECT_TRUE(metric_reaches("forebay_request_errors_total", {{"reason", "no_route"}, {"route", "_none"}}, 1));
}

TEST_F(Routes, EachRouteHasItsOrigin) {
  Origin second;
  second.on("/b", Reply::fresh("second"));
  origin.on("/a", Reply::fresh("first"));
  start("origins: {one: '" + origin.url() + "', two: '" + second.url() +
        "'}\norigin: one\nroutes: [{path: /a, origin: one}, {path: /b, origin: two}]\n");
  EXPECT_EQ(get("/a").body, "first");
  EXPECT_EQ(get("/b").body, "second");
}

TEST_F(Routes, ARouteWithoutCacheOnlyForwards) {
  origin.on("/a", Reply::fresh("x"));
  start("routes: [{path: /**, cache: false}]\n");
  for (int i = 0; i < 2; ++i) EXPECT_EQ(get("/a").cache_status(), "forebay; fwd=bypass; detail=cache_off");
  EXPECT_EQ(origin.count("/a"), 2u);
}

TEST_F(Routes, AGetWithContentIsNotLookedUp) {
  origin.on("/a", [](const Received& r) { return Reply::fresh("got " + r.body); });
  start();
  EXPECT_EQ(get("/a").body, "got ");
  const auto a = ask("GET", "/a", {}, "content");
  EXPECT_EQ(a.body, "got content");
  EXPECT_EQ(a.cache_status(), "forebay; fwd=bypass; detail=request_body");
  EXPECT_EQ(get("/a").body, "got ");
}

}  // namespace
}  // namespace forebay::test
