// K10 and K11: RFC 9111 section 4.1.
#include "support/forebay_test.hpp"

namespace forebay::test {
namespace {

class Vary : public ForebayTest {};

TEST_F(Vary, VariantsAreKeptSideBySideAndChosenByTheRequest) {
  origin.on("/a", [](const Received& r) { return Reply::fresh("[" + r.get("X-Lang") + "]").field("Vary", "X-Lang"); });
  start();
  EXPECT_EQ(get("/a", {{"X-Lang", "de"}}).body, "[de]");
  const auto second = get("/a", {{"X-Lang", "fr"}});
  EXPECT_EQ(second.body, "[fr]");
  EXPECT_THAT(second.cache_status(), StartsWith("forebay; fwd=vary-miss"));
  EXPECT_EQ(get("/a").body, "[]") << "absent is a value of its own";
  EXPECT_EQ(get("/a", {{"X-Lang", "de"}}).x_cache(), "HIT");
  EXPECT_EQ(get("/a", {{"X-Lang", "fr"}}).x_cache(), "HIT");
  const auto absent = get("/a");
  EXPECT_EQ(absent.x_cache(), "HIT");
  EXPECT_EQ(absent.body, "[]");
  EXPECT_EQ(origin.count("/a"), 3u);
}

TEST_F(Vary, SeveralFieldsSelectTogetherInAnyNumberOfLines) {
  origin.on("/a", [](const Received& r) {
    return Reply::fresh(r.get("A") + "-" + r.get("B")).field("Vary", "A").field("Vary", " ,b , ");
  });
  start();
  get("/a", {{"A", "1"}, {"B", "1"}});
  EXPECT_EQ(get("/a", {{"A", "1"}, {"B", "2"}}).body, "1-2");
  EXPECT_EQ(get("/a", {{"A", "2"}, {"B", "1"}}).body, "2-1");
  EXPECT_EQ(get("/a", {{"a", "1"}, {"b", "1"}}).x_cache(), "HIT");
}

TEST_F(Vary, WhiteSpaceAndLinesOfAFieldMakeNoVariant) {
  origin.on("/a", Reply::fresh().field("Vary", "X-List"));
  start();
  get("/a", {{"X-List", "a, b"}});
  EXPECT_EQ(get("/a", {{"X-List", "a,b"}}).x_cache(), "HIT");
  EXPECT_EQ(get("/a", {{"X-List", "a  ,  b"}}).x_cache(), "HIT");
  EXPECT_EQ(get("/a", {{"X-List", "a"}, {"X-List", "b"}}).x_cache(), "HIT");
  EXPECT_EQ(get("/a", {{"X-List", "b, a"}}).x_cache(), "MISS");
}

TEST_F(Vary, AcceptLanguageIgnoresCase) {
  origin.on("/a", Reply::fresh().field("Vary", "Accept-Language"));
  start();
  get("/a", {{"Accept-Language", "de-DE, en"}});
  EXPECT_EQ(get("/a", {{"Accept-Language", "DE-de,EN"}}).x_cache(), "HIT");
}

TEST_F(Vary, AcceptEncodingIsNormalised) {
  origin.on("/a", Reply::fresh().field("Vary", "Accept-Encoding"));
  start();
  get("/a", {{"Accept-Encoding", "gzip, br;q=0"}});
  EXPECT_EQ(get("/a", {{"Accept-Encoding", "br;q=0,gzip"}}).x_cache(), "HIT");
  EXPECT_EQ(get("/a", {{"Accept-Encoding", "br"}}).x_cache(), "MISS");
}

TEST_F(Vary, AFieldAbsentFromBothRequestsMatches) {
  origin.on("/a", Reply::fresh().field("Vary", "X-A, X-B"));
  start();
  get("/a", {{"X-A", "1"}});
  EXPECT_EQ(get("/a", {{"X-A", "1"}}).x_cache(), "HIT");
  EXPECT_EQ(get("/a", {{"X-A", "1"}, {"X-B", ""}}).x_cache(), "MISS") << "empty is not absent";
}

TEST_F(Vary, AStarIsNeverReused) {
  origin.on("/a", Reply::fresh().field("Vary", "*"));
  start();
  get("/a");
  const auto a = get("/a");
  EXPECT_NE(a.x_cache(), "HIT");
  EXPECT_EQ(origin.count("/a"), 2u);
}

TEST_F(Vary, ARouteMayIgnoreIt) {
  origin.on("/a", Reply::fresh().field("Vary", "X-Lang"));
  start("routes: [{path: /**, vary: ignore}]\n");
  get("/a", {{"X-Lang", "de"}});
  EXPECT_EQ(get("/a", {{"X-Lang", "fr"}}).x_cache(), "HIT");
}

TEST_F(Vary, BeyondMaxVariantsTheOldestGoesAndOtherKeysStay) {
  origin.otherwise([](const Received& r) { return Reply::fresh(r.get("Origin")).field("Vary", "Origin"); });
  start("routes: [{path: /**, max_variants: 4}]\n");
  get("/other", {{"Origin", "x"}});
  for (int i = 0; i < 50; ++i) get("/a", {{"Origin", "o" + std::to_string(i)}});
  EXPECT_EQ(get("/a", {{"Origin", "o0"}}).x_cache(), "MISS");
  EXPECT_EQ(get("/a", {{"Origin", "o49"}}).x_cache(), "HIT");
  EXPECT_EQ(get("/other", {{"Origin", "x"}}).x_cache(), "HIT");
  EXPECT_TRUE(metric_reaches("forebay_variants_evicted_total", {}, 47));
  EXPECT_LE(metric("forebay_cache_entries"), 5);
}

TEST_F(Vary, AFollowerWhoseRequestDoesNotMatchTheLandedHeadFetchesItsOwn) {
  auto hold = gate();
  origin.on("/a", [hold](const Received& r) {
    auto reply = Reply::fresh(r.get("X-Lang")).field("Vary", "X-Lang");
    if (r.number == 1) reply.after(hold);
    return reply;
  });
  start();
  auto leader = connect();
  leader.request("GET", "/a", {{"X-Lang", "de"}});
  EXPECT_TRUE(origin.wait_for("/a", 1));
  std::vector<Client> others;
  for (int i = 0; i < 20; ++i) {
    others.push_back(connect());
    others.back().request("GET", "/a", {{"X-Lang", i % 2 ? "fr" : "de"}});
  }
  EXPECT_TRUE(metric_reaches("forebay_coalesced_waiting", {}, 20));
  hold->open();
  EXPECT_EQ(leader.read().body, "de");
  for (int i = 0; i < 20; ++i) EXPECT_EQ(others[static_cast<std::size_t>(i)].read().body, i % 2 ? "fr" : "de");
  EXPECT_EQ(origin.count("/a"), 2u) << "the ten of the other variant share one fetch";
}

}  // namespace
}  // namespace forebay::test
