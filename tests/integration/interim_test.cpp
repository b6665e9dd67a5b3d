// RFC 9110 section 15.2: 1xx answers are passed on, never stored and never taken for the final one. Which clients get a
// 103 (RFC 8297) is in early_hints_test.cpp.
#include "support/forebay_test.hpp"

namespace forebay::test {
namespace {

class Interim : public ForebayTest {};

/// A browser that navigates.
const FieldLines kNavigates{{"Sec-Fetch-Mode", "navigate"}};

TEST_F(Interim, EarlyHintsAndProcessingComeToTheClientBeforeTheFinalAnswer) {
  auto hold = gate();
  origin.on("/a", Reply::fresh("final")
                      .interim(102)
                      .interim(103, {{"Link", "</s.css>; rel=preload"}, {"X-Also", "1"}})
                      .head_after(hold));
  start();
  auto c = connect();
  c.request("GET", "/a", kNavigates);
  EXPECT_EQ(c.read_message().status, 102);
  const auto hints = c.read_message();
  EXPECT_EQ(hints.status, 103);
  EXPECT_EQ(hints.get("Link"), "</s.css>; rel=preload") << "as they come: the final head is still held back";
  hold->open();
  const auto a = c.read_message();
  EXPECT_EQ(a.status, 200);
  EXPECT_EQ(a.body, "final");
  EXPECT_FALSE(a.has("X-Also"));
}

TEST_F(Interim, NoneIsStoredAndNoneComesOnAHit) {
  origin.on("/a", Reply::fresh("final").interim(103, {{"Link", "</s.css>; rel=preload"}}));
  start();
  EXPECT_THAT(get("/a", kNavigates).interim, SizeIs(1));
  const auto hit = get("/a", kNavigates);
  EXPECT_EQ(hit.x_cache(), "HIT");
  EXPECT_THAT(hit.interim, IsEmpty());
  EXPECT_FALSE(hit.has("Link"));
}

TEST_F(Interim, AnHttp10ClientSeesNone) {
  origin.on("/a", Reply::fresh("final").interim(103, {{"Link", "</s.css>"}}));
  start();
  auto c = connect();
  c.send("GET /a HTTP/1.0\r\nHost: shop.test\r\nSec-Fetch-Mode: navigate\r\n\r\n");
  const auto a = c.read_message();
  EXPECT_EQ(a.status, 200);
  EXPECT_EQ(a.body, "final");
}

TEST_F(Interim, AnUnaskedContinueOfTheOriginIsTheProxysOwnBusiness) {
  origin.on("/a", Reply::fresh("final").interim(100).interim(100));
  start();
  const auto a = get("/a");
  EXPECT_EQ(a.body, "final");
  EXPECT_THAT(a.interim, IsEmpty());
}

TEST_F(Interim, APassedRequestGetsThemToo) {
  origin.on("/a", Reply().body("final").interim(103, {{"Link", "</s.css>"}}));
  start("routes: [{path: /**, cache: false}]\n");
  const auto a = ask("POST", "/a", kNavigates, "x");
  ASSERT_THAT(a.interim, SizeIs(1));
  EXPECT_EQ(a.interim[0].get("Link"), "</s.css>");
  EXPECT_EQ(a.body, "final");
}

TEST_F(Interim, ASwitchOfProtocolsThatNobodyAskedForIsAnError) {
  origin.on("/a", Reply::raw("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nevil"));
  start("routes: [{path: /**, stale: {if_error: 0}}]\norigins: {o: {url: '" + origin.url() +
        "', timeouts: {first_byte: 1s}}}\norigin: o\n");
  EXPECT_EQ(get("/a").status, 502);
}

TEST_F(Interim, AnEndlessStreamOfThemIsNotFollowedForever) {
  std::string flood;
  for (int i = 0; i < 20000; ++i) flood += "HTTP/1.1 103 Early Hints\r\nLink: </s.css>\r\n\r\n";
  origin.on("/a", Reply::raw(flood).close_silently());
  start();
  auto c = connect();
  c.request("GET", "/a", kNavigates);
  int n = 0;
  Answer a;
  do {
    a = c.read_message();
    ++n;
  } while (a.complete() && a.status < 200);
  EXPECT_THAT(a.status, AnyOf(502, 0)) << "after " << n;
  EXPECT_TRUE(alive());
}

}  // namespace
}  // namespace forebay::test
