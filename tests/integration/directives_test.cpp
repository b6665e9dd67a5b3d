// What a request's Cache-Control does, RFC 9111 section 5.2.1, under `client_cache_control`.
#include "support/forebay_test.hpp"

namespace forebay::test {
namespace {

class Directives : public ForebayTest {};

const char* const kCC = "Cache-Control";
const char* const kRespect = "routes: [{path: /**, client_cache_control: respect}]\n";

TEST_F(Directives, AnUnclosedQuoteHidesNoRestriction) {
  origin.otherwise([](const Received& r) {
    return Reply::with(r.path == "/private"    ? "max-age=60, ext=\"a, private"
                       : r.path == "/no-store" ? "ext=\"a\\\", no-store, max-age=60"
                       : r.path == "/public"   ? "max-age=60, ext=\"a, public, must-revalidate"
                                               : "max-age=60, ext=\"a, private\"",
                       r.get("Authorization"));
  });
  start();
  for (const auto* path : {"/private", "/no-store"}) {
    get(path);
    EXPECT_NE(get(path).x_cache(), "HIT") << path;
  }
  EXPECT_EQ(get("/public", {{"Authorization", "alice"}}).cache_param("detail"), "authorization");
  EXPECT_EQ(get("/public", {{"Authorization", "bob"}}).body, "bob");
  get("/closed");
  EXPECT_EQ(get("/closed").x_cache(), "HIT") << "inside closed quotes nothing is a directive";
}

TEST_F(Directives, AreIgnoredByDefaultSoThatAFloodOfNoCacheCostsTheOriginNothing) {
  origin.on("/a", Reply::fresh().field("ETag", "\"v\""));
  start();
  get("/a");
  for (const auto* value : {"no-cache", "max-age=0", "min-fresh=600"})
    EXPECT_EQ(get("/a", {{kCC, value}}).x_cache(), "HIT") << value;
  EXPECT_EQ(get("/a", {{"Pragma", "no-cache"}}).x_cache(), "HIT");
  EXPECT_EQ(origin.count("/a"), 1u);
}

TEST_F(Directives, AReloadOfAFreshImmutableResponseAsksNobody) {
  origin.on("/a", Reply::with("max-age=600, immutable").field("ETag", "\"v\""));
  origin.on("/stale", Reply::with("max-age=0, immutable").field("ETag", "\"v\""));
  start(kRespect);
  for (const auto* path : {"/a", "/stale"}) EXPECT_THAT(get(path).get(kCC), EndsWith("immutable"));
  EXPECT_EQ(get("/a", {{kCC, "max-age=0"}}).x_cache(), "HIT");
  EXPECT_EQ(get("/a", {{kCC, "max-age=0"}, {"If-None-Match", "\"v\""}}).status, 304);
  EXPECT_EQ(origin.count("/a"), 1u);
  EXPECT_THAT(get("/a").get(kCC), EndsWith("immutable")) << "clients may use it themselves";
  get("/a", {{kCC, "no-cache"}});
  EXPECT_EQ(origin.count("/a"), 2u) << "a reload that says no-cache is forced";
  get("/stale", {{kCC, "max-age=0"}});
  EXPECT_EQ(origin.count("/stale"), 2u);
}

TEST_F(Directives, OnlyIfCachedAlwaysCounts) {
  origin.on("/a", Reply::fresh());
  start();
  const auto miss = get("/a", {{kCC, "only-if-cached"}});
  EXPECT_TRUE(is_problem(miss, 504)) << miss;
  EXPECT_EQ(origin.count("/a"), 0u);
  get("/a");
  EXPECT_EQ(get("/a", {{kCC, "only-if-cached"}}).x_cache(), "HIT");
  EXPECT_TRUE(metric_reaches("forebay_request_errors_total", {{"reason", "only_if_cached"}}, 1));
}

TEST_F(Directives, NoStoreForbidsStoringAndNotAnswering) {
  origin.on("/a", Reply::fresh());
  start();
  const auto first = get("/a", {{kCC, "no-store"}});
  EXPECT_EQ(first.x_cache(), "MISS");
  EXPECT_EQ(first.cache_param("detail"), "request_no_store");
  EXPECT_EQ(get("/a").x_cache(), "MISS") << "it was not stored";
  EXPECT_EQ(get("/a", {{kCC, "no-store"}}).x_cache(), "HIT") << "it is answered as usual";
}

TEST_F(Directives, AreHonouredWhereTheRouteRespectsThem) {
  origin.otherwise([](const Received& r) {
    if (r.has("If-None-Match")) return Reply(304).field("ETag", "\"v\"").field(kCC, "max-age=60");
    return Reply::with("max-age=60", "x").field("ETag", "\"v\"").field("Age", "30");
  });
  start(kRespect);
  int n = 0;
  const auto second = [&](const FieldLines& fields) {
    const auto path = "/" + std::to_string(n++);
    get(path);
    return get(path, fields).x_cache();
  };
  EXPECT_EQ(second({{kCC, "no-cache"}}), "REVALIDATED") << "by validating, not by fetching anew";
  EXPECT_EQ(second({{kCC, "max-age=0"}}), "REVALIDATED");
  EXPECT_EQ(second({{kCC, "max-age=20"}}), "REVALIDATED");
  EXPECT_EQ(second({{kCC, "max-age=40"}}), "HIT");
  EXPECT_EQ(second({{kCC, "min-fresh=20"}}), "HIT");
  EXPECT_EQ(second({{kCC, "min-fresh=40"}}), "REVALIDATED");
  EXPECT_EQ(second({{kCC, "unknown=1"}}), "HIT");
  EXPECT_EQ(second({{"Pragma", "no-cache"}}), "REVALIDATED");
  EXPECT_EQ(second({{"Pragma", "no-cache"}, {kCC, "max-age=40"}}), "HIT") << "Pragma counts only without Cache-Control";
}

TEST_F(Directives, MaxStaleTakesAStaleAnswerUnlessTheOriginForbidsIt) {
  origin.on("/a", Reply::with("max-age=60", "old").field("Age", "70").field("ETag", "\"v\""));
  origin.on("/must", Reply::with("max-age=60, must-revalidate", "old").field("Age", "70").field("ETag", "\"v\""));
  start(kRespect);
  get("/a");
  get("/must");
  EXPECT_EQ(get("/a", {{kCC, "max-stale=100"}}).x_cache(), "STALE");
  EXPECT_EQ(get("/a", {{kCC, "max-stale"}}).x_cache(), "STALE");
  EXPECT_EQ(origin.count("/a"), 1u);
  get("/a", {{kCC, "max-stale=5"}});
  EXPECT_EQ(origin.count("/a"), 2u);
  get("/must", {{kCC, "max-stale=100"}});
  EXPECT_EQ(origin.count("/must"), 2u);
}

}  // namespace
}  // namespace forebay::test
