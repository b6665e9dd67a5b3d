// RFC 8297: 103 Early Hints go to the clients that understand them, and to the one whose request they answer.
#include "support/forebay_test.hpp"
#include "support/h2_client.hpp"
#include "support/h2_transport.hpp"

namespace forebay::test {
namespace {

class EarlyHints : public ForebayTest {};

const FieldLines kNavigates{{"Sec-Fetch-Mode", "navigate"}};

TEST_F(EarlyHints, OverHttp11OnlyABrowserThatNavigatesGetsThem) {
  if (over_http2()) GTEST_SKIP() << "of HTTP/1.1";
  origin.on("/a",
            Reply().field("Cache-Control", "no-store").body("page").interim(103, {{"Link", "</s.css>; rel=preload"}}));
  start();
  for (const char* mode : {"cors", "no-cors", "websocket", ""}) {
    const auto a = get("/a", {{"Sec-Fetch-Mode", mode}});
    EXPECT_EQ(a.body, "page");
    EXPECT_THAT(a.interim, IsEmpty()) << mode;
  }
  EXPECT_THAT(get("/a").interim, IsEmpty());
  EXPECT_EQ(metric("forebay_early_hints_total"), 0);
  const auto a = get("/a", kNavigates);
  ASSERT_THAT(a.interim, SizeIs(1));
  EXPECT_EQ(a.interim[0].status, 103);
  EXPECT_EQ(a.interim[0].get("Link"), "</s.css>; rel=preload");
  EXPECT_TRUE(metric_becomes("forebay_early_hints_total", {{"source", "origin"}}, 1));
}

TEST_F(EarlyHints, ARouteCanKeepThemBack) {
  origin.on("/a", Reply::fresh("page").interim(102).interim(103, {{"Link", "</s.css>; rel=preload"}}));
  start("routes: [{path: /**, early_hints: off}]\n");
  const auto a = get("/a", kNavigates);
  EXPECT_EQ(a.body, "page");
  ASSERT_THAT(a.interim, SizeIs(1));
  EXPECT_EQ(a.interim[0].status, 102) << "other interim answers are passed on";
}

TEST_F(EarlyHints, FieldsThatAreNotForClientsStayHere) {
  origin.on("/a", Reply::fresh("page").interim(103, {{"Link", "</s.css>; rel=preload"},
                                                     {"Surrogate-Control", "x"},
                                                     {"Connection", "X-Hop"},
                                                     {"X-Hop", "1"},
                                                     {"X-Removed", "1"},
                                                     {"Content-Length", "3"}}));
  start("routes: [{path: /**, response_headers: {remove: [X-Removed], set: {X-Set: \"1\"}}}]\n");
  const auto a = get("/a", kNavigates);
  ASSERT_THAT(a.interim, SizeIs(1));
  EXPECT_EQ(a.interim[0].head, "HTTP/1.1 103 Early Hints\r\nLink: </s.css>; rel=preload\r\n\r\n");
}

TEST_F(EarlyHints, OnlyTheRequestThatTheOriginAnswersGetsThem) {
  const auto hold = gate();
  origin.on("/a", Reply::fresh("page").interim(103, {{"Link", "</s.css>; rel=preload"}}).head_after(hold));
  start();
  auto leader = connect();
  leader.request("GET", "/a", kNavigates);
  EXPECT_EQ(leader.read_message().status, 103);
  auto follower = connect();
  follower.request("GET", "/a", kNavigates);
  EXPECT_TRUE(metric_reaches("forebay_coalesced_waiting", {}, 1));
  hold->open();
  EXPECT_EQ(leader.read_message().body, "page");
  const auto a = follower.read();
  EXPECT_EQ(a.x_cache(), "COALESCED");
  EXPECT_THAT(a.interim, IsEmpty()) << "it is not known whether they were for others";
}

TEST_F(EarlyHints, OverHttp2EveryClientGetsThem) {
  if (over_tls()) GTEST_SKIP() << "by prior knowledge";
  const auto hold = gate();
  origin.on("/a", Reply::fresh("page").interim(103, {{"Link", "</s.css>; rel=preload"}}).head_after(hold));
  start();
  H2Client c(daemon->port());
  const auto id = c.get("/a");
  EXPECT_TRUE(c.until([&] { return c.in.on(id).interim.size() == 1; }));
  EXPECT_EQ(c.in.on(id).interim[0].status, 103);
  EXPECT_EQ(c.in.on(id).interim[0].get("link"), "</s.css>; rel=preload");
  hold->open();
  EXPECT_EQ(c.answer(id).body, "page");
}

TEST_F(EarlyHints, OverHttp2TheLinksOfAStoredPageComeBeforeTheOriginHasAnswered) {
  if (over_tls()) GTEST_SKIP() << "by prior knowledge";
  const auto hold = gate();
  origin.on("/a", {Reply::with("max-age=0", "old")
                       .field("Link", "</s.css>; rel=preload; as=style, </2>; rel=next")
                       .field("ETag", "\"1\""),
                   Reply::fresh("new").after(hold)});
  start("routes: [{path: /**, early_hints: replay}]\n");
  H2Client c(daemon->port());
  EXPECT_EQ(c.answer(c.get("/a")).body, "old");
  const auto id = c.get("/a");
  EXPECT_TRUE(c.until([&] { return c.in.on(id).interim.size() == 1; }));
  EXPECT_EQ(c.in.on(id).interim[0].status, 103);
  EXPECT_EQ(c.in.on(id).interim[0].get("link"), "</s.css>; rel=preload; as=style");
  EXPECT_EQ(c.in.on(id).status, 0);
  EXPECT_TRUE(metric_reaches("forebay_early_hints_total", {{"source", "cache"}}, 1));
  hold->open();
  EXPECT_EQ(c.answer(id).body, "new");
}

TEST_F(EarlyHints, StoredLinksAreNotSentAheadOverHttp11) {
  if (over_http2()) GTEST_SKIP() << "of HTTP/1.1";
  const auto hold = gate();
  origin.on("/a", {Reply::with("max-age=0", "old").field("Link", "</s.css>; rel=preload").field("ETag", "\"1\""),
                   Reply::fresh("new").after(hold)});
  start("routes: [{path: /**, early_hints: replay}]\n");
  EXPECT_EQ(get("/a").body, "old");
  auto c = connect();
  c.request("GET", "/a", kNavigates);
  EXPECT_TRUE(origin.wait_for("/a", 2));
  hold->open();
  const auto a = c.read();
  EXPECT_EQ(a.body, "new");
  EXPECT_THAT(a.interim, IsEmpty());
}

}  // namespace
}  // namespace forebay::test
