#include "forebay/http/date.hpp"
#include "proxied.hpp"

// Retry-After of a 429 or 503 (RFC 9110 section 10.2.3) delays refreshes and retries of its key.

namespace forebay::proxy {
namespace {

using http::Method;
using net::FetchError;
using ::testing::HasSubstr;

class RetryAfterTest : public ProxiedTest {
 protected:
  /// A stored response whose lifetime is over.
  void store_stale(const std::string& route = "stale: {if_error: 1h}") {
    configure(route);
    store("/a", kTagged, "kept");
    pass(2min);
  }
  /// A refused fetch in the foreground.
  void refuse(const std::string& retry_after, int status = 503) {
    get("/a");
    source().head(status, {{"Retry-After", retry_after}}, 0, false);
  }
  /// Whether a request gets the stored response without a fetch.
  bool is_served_unasked() {
    const auto before = asked();
    auto& client = get("/a");
    return asked() == before && client.status == 200 && client.read() == "kept";
  }
};

TEST_F(RetryAfterTest, MeanwhileTheStaleResponseIsServedWithoutAsking) {
  store_stale();
  refuse("9");
  EXPECT_EQ(clients.back()->status, 200);
  for (int i = 0; i < 8; ++i, pass(1s)) ASSERT_TRUE(is_served_unasked()) << i;
  auto& client = *clients.back();
  EXPECT_EQ(client.cache(), "STALE");
  EXPECT_THAT(client.field("Cache-Status"), HasSubstr("forebay; hit; ttl=-"));
  EXPECT_THAT(client.field("Cache-Status"), HasSubstr("; detail=stale-if-error"));
  EXPECT_EQ(client.notes().result, rules::CacheResult::StaleError);
  EXPECT_TRUE(core.tasks.empty());
  pass(2s);
  EXPECT_FALSE(is_served_unasked());
  source().answer(200, kTagged, "new");
  EXPECT_EQ(clients.back()->read(), "new");
}

TEST_F(RetryAfterTest, ADateCountsAsWell) {
  store_stale();
  refuse(http::format_date(clock.now().wall + 8s));
  pass(6s);
  EXPECT_TRUE(is_served_unasked());
  pass(3s);
  EXPECT_FALSE(is_served_unasked());
}

TEST_F(RetryAfterTest, ALongOneIsGrantedAsFurtherAnswersConfirmItAndFiveMinutesAreTheMost) {
  store_stale();
  for (const Duration pause : {10s, 20s, 40s, 80s, 160s, 300s, 300s}) {
    refuse("86400");
    EXPECT_EQ(clients.back()->read(), "kept");
    pass(pause - 1s);
    EXPECT_TRUE(is_served_unasked()) << pause.count();
    pass(1s);
  }
  get("/a");
  source().answer(200, kTagged, "kept");
  pass(2min);
  refuse("86400");
  pass(10s);
  EXPECT_FALSE(is_served_unasked()) << "an answer begins it anew";
}

TEST_F(RetryAfterTest, WhatTheOriginSaysToOneClientIsNoPauseForOthers) {
  store_stale("stale: {if_error: 1h, errors: [4xx, 503]}, authorization: share");
  const std::vector<FieldList> whose{{{"Authorization", "Basic x"}}, {{"Cookie", "session=1"}}, {{"X-Api-Key", "1"}}};
  for (const auto& fields : whose) {
    get("/a", fields);
    source().head(503, {{"Retry-After", "60"}}, 0, false);
    ASSERT_FALSE(is_served_unasked()) << fields[0].first;
    source().fail(FetchError::Connect);
  }
  refuse("60", 429);
  ASSERT_FALSE(is_served_unasked());
  source().fail(FetchError::Connect);
  refuse("60");
  EXPECT_TRUE(is_served_unasked());
}

TEST_F(RetryAfterTest, ACredentialInTheKeyHasItsOwn) {
  const FieldList anna{{"Authorization", "Basic a"}};
  configure("stale: {if_error: 1h}, authorization: key");
  get("/a", anna);
  source().answer(200, kTagged, "kept");
  pass(2min);
  get("/a", anna);
  source().head(503, {{"Retry-After", "9"}}, 0, false);
  const auto before = asked();
  EXPECT_EQ(get("/a", anna).read(), "kept");
  EXPECT_EQ(asked(), before);
}

TEST_F(RetryAfterTest, AnErrorToAClientThatWantsAFreshResponseAnewSetsNone) {
  configure("stale: {if_error: 1h, while_revalidate: 1h}, client_cache_control: respect");
  store("/a", kTagged, "kept");
  pass(55s);
  get("/a", {{"Cache-Control", "no-cache"}});
  source().head(503, {{"Retry-After", "60"}}, 0, false);
  pass(6s);
  const auto before = asked();
  EXPECT_EQ(get("/a").cache(), "STALE");
  EXPECT_EQ(asked(), before + 1) << "the refresh starts";
}

TEST_F(RetryAfterTest, WhatCannotBeReadAndWhatIsOverCountsAsNothing) {
  store_stale();
  for (const auto& text : {std::string("soon"), std::string("-5"), std::string("0"), std::string(),
                           http::format_date(clock.now().wall - 1h)}) {
    refuse(text);
    EXPECT_FALSE(is_served_unasked()) << text;
    source().fail(FetchError::Connect);
    EXPECT_EQ(clients.back()->read(), "kept");
  }
}

TEST_F(RetryAfterTest, ItCountsWithinTheWindowAlone) {
  store_stale("stale: {if_error: 2m}");
  pass(54s);
  refuse("120");
  pass(5s);
  EXPECT_TRUE(is_served_unasked());
  pass(2s);
  EXPECT_FALSE(is_served_unasked());
  source().answer(503, {}, "down");
  EXPECT_EQ(clients.back()->status, 503);
}

TEST_F(RetryAfterTest, ARefreshWaitsForItToo) {
  store_stale("stale: {while_revalidate: 1h}");
  EXPECT_EQ(get("/a").cache(), "STALE");
  source().head(503, {{"Retry-After", "10"}}, 0, false);
  const auto before = asked();
  pass(9s);
  EXPECT_EQ(get("/a").cache(), "STALE");
  EXPECT_EQ(asked(), before);
  pass(2s);
  EXPECT_EQ(get("/a").cache(), "STALE");
  EXPECT_EQ(asked(), before + 1);
  source().fail(FetchError::Connect);
  pass(2s);
  get("/a");
  EXPECT_EQ(asked(), before + 2) << "the pause of a failure without it is a second";
}

TEST_F(RetryAfterTest, AnErrorThatStaleIfErrorDoesNotCoverIsAskedForAgain) {
  store_stale("stale: {if_error: 1h, errors: [500]}");
  refuse("60");
  EXPECT_FALSE(is_served_unasked());
}

TEST_F(RetryAfterTest, WithoutAStoredResponseTheOriginIsAsked) {
  for (int i = 1; i <= 3; ++i) {
    refuse("60");
    EXPECT_EQ(asked(), static_cast<std::size_t>(i));
    EXPECT_EQ(clients.back()->field("Retry-After"), "60");
  }
}

TEST_F(RetryAfterTest, OtherKeysAreNotConcerned) {
  configure("stale: {if_error: 1h}");
  store("/b", kTagged, "other");
  store_stale();
  refuse("60");
  const auto before = asked();
  get("/b");
  EXPECT_EQ(asked(), before + 1);
}

TEST_F(RetryAfterTest, AResponseThatIsStoredEndsIt) {
  configure("stale: {if_error: 1h}");
  const auto german = FieldList{{"Accept-Language", "de"}};
  const auto varied = FieldList{{"Cache-Control", "max-age=60"}, {"Vary", "Accept-Language"}};
  store("/a", varied, "kept");
  pass(2min);
  refuse("60");
  ASSERT_TRUE(is_served_unasked());
  get("/a", german);
  source().answer(200, varied, "deutsch");
  EXPECT_TRUE(is_served_unasked()) << "another variant says nothing of this one";
  pass(10s);
  EXPECT_FALSE(is_served_unasked());
  source().answer(200, varied, "kept");
  pass(2min);
  EXPECT_FALSE(is_served_unasked());
}

TEST_F(RetryAfterTest, AClientThatWantsItValidatedHasTheOriginAsked) {
  store_stale("stale: {if_error: 1h}, client_cache_control: respect");
  refuse("60");
  ASSERT_TRUE(is_served_unasked());
  const auto before = asked();
  for (const auto* wish : {"no-cache", "max-age=0", "max-age=30", "min-fresh=1"}) {
    get("/a", {{"Cache-Control", wish}});
    source().fail(FetchError::Connect);
  }
  EXPECT_EQ(asked(), before + 4);
}

TEST_F(RetryAfterTest, AHeadAndARangeAreAnsweredFromTheStoreToo) {
  store_stale();
  refuse("60");
  const auto before = asked();
  EXPECT_EQ(ask(Method::Head, "/a").status, 200);
  auto& part = get("/a", {{"Range", "bytes=0-1"}});
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.read(), "ke");
  EXPECT_EQ(get("/a", {{"If-None-Match", "\"1\""}}).status, 304);
  EXPECT_EQ(asked(), before);
}

}  // namespace
}  // namespace forebay::proxy
