#include "explained.hpp"

namespace forebay::proxy {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

class ExplainResponse : public ExplainedTest {
 protected:
  Explanation judged(const FieldList& fields, int status = 200, const std::string& url = "http://h/a") {
    Asked asked{"GET", url};
    asked.status = status;
    asked.response_fields = fields;
    return offline(asked);
  }
};

TEST_F(ExplainResponse, EachLifetimeComesFromASettingOrAFieldThatIsNamed) {
  configure(R"(
defaults: {ttl: {max: 1h}}
policies:
  listing: {ttl: {default: 2m, status: {404: 10s, 5xx: 1s}}}
routes:
  - {name: short, path: /short, ttl: 30s}
  - {name: bounded, path: /bounded, ttl: {min: 20s}}
  - {name: guess, path: /guess, ttl: {heuristic: 10%}}
  - {name: bare, path: /bare}
  - {name: listed, path: /**, policy: listing}
)");
  struct Case {
    const char* path;
    int status;
    FieldList fields;
    std::int64_t ttl;
    const char* source;
    const char* setting;
  };
  const std::vector<Case> cases{
      {"/a", 200, {}, 120, "default", "policies.listing.ttl.default"},
      {"/short", 200, {}, 30, "default", "routes.short.ttl.default"},
      {"/a", 404, {}, 10, "status", "policies.listing.ttl.status.404"},
      {"/a", 502, {}, 1, "status", "policies.listing.ttl.status.5xx"},
      {"/a", 200, {{"Cache-Control", "max-age=15"}}, 15, "max-age", "the response's Cache-Control max-age"},
      {"/a",
       200,
       {{"Cache-Control", "max-age=15, s-maxage=5"}},
       5,
       "s-maxage",
       "the response's Cache-Control s-maxage"},
      {"/a",
       200,
       {{"CDN-Cache-Control", "max-age=7"}, {"Cache-Control", "max-age=15"}},
       7,
       "targeted",
       "the response's CDN-Cache-Control max-age"},
      {"/a",
       200,
       {{"Date", "Mon, 01 Jan 2024 00:00:00 GMT"}, {"Expires", "Mon, 01 Jan 2024 00:00:40 GMT"}},
       40,
       "expires",
       "the response's Expires"},
      {"/bounded", 200, {{"Cache-Control", "max-age=5"}}, 20, "min", "routes.bounded.ttl.min"},
      {"/a", 200, {{"Cache-Control", "max-age=9999"}}, 3600, "max", "defaults.ttl.max"},
      {"/guess",
       200,
       {{"Date", "Mon, 01 Jan 2024 00:00:00 GMT"}, {"Last-Modified", "Sun, 31 Dec 2023 23:43:20 GMT"}},
       100,
       "heuristic",
       "routes.guess.ttl.heuristic"},
      {"/bare", 200, {{"Cache-Control", "max-age=1"}}, 1, "max-age", "the response's Cache-Control max-age"},
  };
  for (const auto& c : cases) {
    const auto e = judged(c.fields, c.status, std::string("http://h") + c.path);
    ASSERT_TRUE(e.response);
    EXPECT_TRUE(e.response->storable) << c.setting;
    EXPECT_EQ(e.response->ttl_s, c.ttl) << c.setting;
    EXPECT_EQ(e.response->ttl_source, c.source);
    EXPECT_EQ(e.response->ttl_setting, c.setting);
    EXPECT_EQ(e.cache_status, "forebay; fwd=uri-miss; stored; ttl=" + std::to_string(c.ttl));
  }
}

TEST_F(ExplainResponse, WhatAMaximumCutsAMinimumLiftsJitterTakesAndAgeUsesIsSaid) {
  configure("routes: [{name: r, path: /**, ttl: {min: 10s, max: 1m, jitter: 5%}}]\n");
  const auto cut = judged({{"Cache-Control", "max-age=3600"}});
  EXPECT_THAT(cut.notes, Contains("the response's Cache-Control max-age is 3600 s; routes.r.ttl.max lowers it"));
  EXPECT_THAT(cut.notes, Contains(HasSubstr("up to 5 %")));
  EXPECT_THAT(judged({{"Cache-Control", "max-age=1"}}).notes,
              Contains(HasSubstr("is 1 s; routes.r.ttl.min raises it")));
  const auto old = judged({{"Cache-Control", "max-age=30"}, {"Age", "12"}});
  EXPECT_EQ(old.response->ttl_s, 18);
  EXPECT_THAT(old.notes, Contains("the response is 12 s old, of a lifetime of 30 s"));
  const auto busy = judged({{"Cache-Control", "max-age=30"}, {"Retry-After", "3"}}, 503);
  EXPECT_EQ(busy.response->ttl_s, 3);
  EXPECT_THAT(busy.notes, Contains(HasSubstr("Retry-After")));
}

TEST_F(ExplainResponse, TheWindowsForStaleResponsesHaveTheirSetting) {
  configure("defaults: {stale: {while_revalidate: 1m}}\nroutes: [{name: r, path: /**, stale: {if_error: 1h}}]\n");
  const auto by_route = judged({{"Cache-Control", "max-age=5"}});
  EXPECT_EQ(by_route.response->swr_s, 60);
  EXPECT_EQ(by_route.response->swr_setting, "defaults.stale.while_revalidate");
  EXPECT_EQ(by_route.response->sie_s, 3600);
  EXPECT_EQ(by_route.response->sie_setting, "routes.r.stale.if_error");
  const auto by_origin = judged({{"Cache-Control", "max-age=5, stale-while-revalidate=7, stale-if-error=8"}});
  EXPECT_EQ(by_origin.response->swr_s, 7);
  EXPECT_EQ(by_origin.response->swr_setting, "the response's Cache-Control stale-while-revalidate");
  EXPECT_EQ(by_origin.response->sie_s, 8);
  const auto strict = judged({{"Cache-Control", "max-age=5, must-revalidate"}});
  EXPECT_EQ(strict.response->swr_s, 0);
  EXPECT_EQ(strict.response->swr_setting, "");
}

TEST_F(ExplainResponse, WhatIsNotStoredHasItsReason) {
  configure(R"(
routes:
  - {name: small, path: /small, max_object: 10B}
  - {name: cookies, path: /cookies, ttl: 1m}
  - {name: heads, path: /heads, convert_head: false}
  - {name: r, path: /**}
)");
  struct Case {
    Asked asked;
    const char* reason;
  };
  const FieldList fresh{{"Cache-Control", "max-age=60"}};
  const std::vector<Case> cases{
      {{"GET", "http://h/a", {}, {}, 200, {}}, "no_freshness"},
      {{"GET", "http://h/a", {}, {}, 200, {{"Cache-Control", "no-store"}}}, "no_store"},
      {{"GET", "http://h/a", {}, {}, 200, {{"Cache-Control", "private"}}}, "private"},
      {{"GET", "http://h/a", {}, {}, 200, {{"Cache-Control", "max-age=60"}, {"Set-Cookie", "a=1"}}}, "set_cookie"},
      {{"GET", "http://h/a", {}, {}, 200, {{"Cache-Control", "max-age=60"}, {"Vary", "*"}}}, "vary_star"},
      {{"GET", "http://h/a", {}, {}, 206, fresh}, "partial"},
      {{"GET", "http://h/a", {}, {}, 503, {}}, "origin_error"},
      {{"GET", "http://h/a", {{"Authorization", "x"}}, {}, 200, fresh}, "authorization"},
      {{"GET", "http://h/a", {{"Cache-Control", "no-store"}}, {}, 200, fresh}, "request_no_store"},
      {{"GET", "http://h/cookies", {{"Cookie", "a=1"}}, {}, 200, {}}, "cookie"},
      {{"GET", "http://h/a.css", {}, {}, 200, {{"Cache-Control", "max-age=60"}, {"Content-Type", "text/html"}}},
       "type_mismatch"},
      {{"GET", "http://h/small", {}, {}, 200, fresh, "more than ten bytes"}, "too_large"},
      {{"HEAD", "http://h/heads", {}, {}, 200, fresh}, "method"},
      {{"HEAD", "http://h/a", {}, {}, 200, {{"Cache-Control", "private"}}}, "private"},
  };
  for (const auto& c : cases) {
    auto asked = c.asked;
    if (!asked.status) asked.status = 200;
    const auto e = offline(asked);
    ASSERT_TRUE(e.response) << c.reason;
    EXPECT_FALSE(e.response->storable) << c.reason;
    EXPECT_EQ(rules::to_string(e.response->reason), std::string_view(c.reason));
    EXPECT_EQ(e.cache_status, std::string("forebay; fwd=uri-miss; detail=") + c.reason);
  }
}

TEST_F(ExplainResponse, AHeadThatFindsNothingFetchesByGetAndIsStored) {
  configure("routes: [{name: r, path: /**}]\n");
  const auto e =
      offline(Asked{"HEAD", "http://h/a", {{"Range", "bytes=0-1"}}, {}, 200, {{"Cache-Control", "max-age=60"}}});
  ASSERT_TRUE(e.response);
  EXPECT_TRUE(e.response->storable);
  EXPECT_EQ(e.cache_status, "forebay; fwd=uri-miss; stored; ttl=60");
  EXPECT_THAT(e.notes, Contains(HasSubstr("gets a GET")));
}

TEST_F(ExplainResponse, ALifetimeOfZeroIsSaidToBeOfTheFieldThatMadeItSo) {
  configure("routes: [{name: r, path: /r, ttl: {default: 15s, status: {404: 0s}}}, {name: bare, path: /**}]\n");
  struct Case {
    const char* path;
    int status;
    FieldList fields;
    const char* why;
    const char* source;
    const char* setting;
  };
  const std::string over = ", which overrides routes.r.ttl.default (15 s)";
  const std::vector<Case> cases{
      {"/r",
       200,
       {{"Expires", "0"}},
       "its lifetime is zero: the response says Expires: 0",
       "expires",
       "the response's Expires"},
      {"/r",
       200,
       {{"Cache-Control", "public, max-age=x"}},
       "its lifetime is zero: the response says Cache-Control: max-age=x",
       "max-age",
       "the response's Cache-Control max-age"},
      {"/r",
       200,
       {{"Cache-Control", "max-age=0"}},
       "its lifetime is zero: the response says Cache-Control: max-age=0",
       "max-age",
       "the response's Cache-Control max-age"},
      {"/r",
       200,
       {{"CDN-Cache-Control", "max-age=0"}},
       "its lifetime is zero: the response says CDN-Cache-Control: max-age=0",
       "targeted",
       "the response's CDN-Cache-Control max-age"},
  };
  for (const auto& c : cases) {
    const auto e = judged(c.fields, c.status, std::string("http://h") + c.path);
    EXPECT_FALSE(e.response->storable);
    EXPECT_EQ(e.response->reason, rules::Reason::ZeroTtl);
    EXPECT_EQ(e.response->ttl_source, c.source);
    EXPECT_EQ(e.response->ttl_setting, c.setting);
    EXPECT_THAT(e.notes, Contains(c.why + over));
    EXPECT_THAT(e.notes,
                Contains("it would be stored with `origin_cache_control: ignore` (for 15 s by routes.r.ttl.default), "
                         "or `ttl.min`, or an ETag or Last-Modified from the origin (for validation)"));
  }
  const auto bare = judged({{"Expires", "0"}}, 200, "http://h/a");
  EXPECT_THAT(bare.notes, Contains("its lifetime is zero: the response says Expires: 0"));
  EXPECT_THAT(bare.notes, Contains(HasSubstr("`origin_cache_control: ignore` with a `ttl.default`, or `ttl.min`")));
  const auto meant = judged({}, 404, "http://h/r");
  EXPECT_THAT(meant.notes, Contains("its lifetime is zero: set by routes.r.ttl.status.404"));
  EXPECT_THAT(meant.notes, Not(Contains(HasSubstr("it would be stored"))));
}

TEST_F(ExplainResponse, WhatCannotBeValidatedOrHasBeenUsedUpIsNotSaidToHaveALifetimeOfZero) {
  configure("routes: [{name: r, path: /**, ttl: 15s}]\n");
  const auto no_cache = judged({{"Cache-Control", "no-cache"}});
  EXPECT_EQ(no_cache.response->reason, rules::Reason::ZeroTtl);
  EXPECT_THAT(no_cache.notes, Contains("the response says Cache-Control: no-cache, which requires validation at each "
                                       "use, and has no ETag or Last-Modified for it"));
  EXPECT_THAT(no_cache.notes, Contains(AllOf(HasSubstr("`origin_cache_control: ignore` (for 15 s by"),
                                             Not(HasSubstr("ttl.min")), HasSubstr("ETag"))));
  EXPECT_THAT(no_cache.notes, Not(Contains(HasSubstr("lifetime is zero"))));
  const auto old = judged({{"Cache-Control", "max-age=60"}, {"Age", "90"}});
  EXPECT_EQ(old.response->reason, rules::Reason::ZeroTtl);
  EXPECT_THAT(old.notes, Contains(HasSubstr("it is 90 s old, of a lifetime of 60 s (the response's Cache-Control "
                                            "max-age)")));
}

TEST_F(ExplainResponse, WhatIsNotStoredHasTheSourceOfItsLifetimeAllTheSame) {
  configure("routes: [{name: r, path: /**}]\n");
  const auto e = judged({{"Cache-Control", "max-age=60"}, {"Set-Cookie", "a=1"}});
  EXPECT_FALSE(e.response->storable);
  EXPECT_EQ(e.response->ttl_s, 60);
  EXPECT_EQ(e.response->ttl_source, "max-age");
  EXPECT_EQ(e.response->ttl_setting, "the response's Cache-Control max-age");
  EXPECT_EQ(judged({}).response->ttl_source, "");
}

TEST_F(ExplainResponse, APostWhoseAnswerStandsForAGetIsJudgedAsOne) {
  configure("routes: [{name: r, path: /**}]\n");
  Asked asked{"POST", "http://h/a", {}, "x", 200, {{"Cache-Control", "max-age=60"}, {"Content-Location", "/a"}}};
  const auto e = offline(asked);
  EXPECT_TRUE(e.response->storable);
  EXPECT_EQ(e.cache_status, "forebay; fwd=method; detail=method");
  asked.response_fields.pop_back();
  EXPECT_FALSE(offline(asked).response->storable);
}

TEST_F(ExplainResponse, AGraphqlResponseWithErrorsIsNotStored) {
  configure("routes: [{name: g, path: /g, methods: [GET, POST], key: {graphql: true}, ttl: 1m}]\n");
  Asked asked{"GET", "http://h/g?query=%7Ba%7D", {}, {}, 200, {{"Content-Type", "application/json"}}};
  asked.response_content = R"({"data":{"a":1}})";
  auto e = offline(asked);
  EXPECT_TRUE(e.response->storable);
  EXPECT_EQ(e.cache_status, "forebay; fwd=miss; ttl=60") << "its head has gone before that is known";
  asked.response_content = R"({"data":null,"errors":[{"message":"no"}]})";
  e = offline(asked);
  EXPECT_FALSE(e.response->storable);
  EXPECT_EQ(rules::to_string(e.response->reason), "graphql_errors");
}

TEST_F(ExplainResponse, A304FreshensWhatIsStoredAndAnErrorIsHiddenByIt) {
  configure("routes: [{name: r, path: /**, stale: {if_error: 1h}}]\n");
  const Asked asked{"GET", "http://h/a"};
  keep(asked, {{"Cache-Control", "max-age=60"}, {"ETag", "\"1\""}});
  clock_.advance(100s);
  Asked not_modified = asked;
  not_modified.status = 304;
  not_modified.response_fields = {{"ETag", "\"1\""}, {"Cache-Control", "max-age=20"}};
  auto e = live(not_modified);
  EXPECT_EQ(e.result, "revalidated");
  EXPECT_EQ(e.cache_status, "forebay; fwd=stale; fwd-status=304; stored");
  EXPECT_EQ(e.response->ttl_s, 20);
  Asked failing = asked;
  failing.status = 503;
  e = live(failing);
  EXPECT_EQ(e.result, "stale_error");
  EXPECT_EQ(e.cache_status, "forebay; fwd=stale; fwd-status=503; ttl=-40; detail=stale-if-error");
  EXPECT_EQ(rules::to_string(e.response->reason), "origin_error");
}

TEST_F(ExplainResponse, BesideAHitItIsJudgedForLater) {
  configure("routes: [{name: r, path: /**}]\n");
  Asked asked{"GET", "http://h/a"};
  keep(asked, {{"Cache-Control", "max-age=60"}});
  asked.status = 200;
  asked.response_fields = {{"Cache-Control", "max-age=5"}};
  const auto e = live(asked);
  EXPECT_EQ(e.cache_status, "forebay; hit; ttl=60");
  EXPECT_EQ(e.response->ttl_s, 5);
}

TEST_F(ExplainResponse, OnARouteThatCompressesTheCodingIsTold) {
  configure("routes: [{path: /**, ttl: 60s, compress: [br, gzip]}]\n");
  const auto notes = [&](FieldList request, FieldList response) {
    Asked asked{"GET", "http://h/a", std::move(request)};
    response.emplace_back("Content-Length", "5000");
    asked.response_fields = std::move(response);
    asked.status = 200;
    return offline(asked).notes;
  };
  const FieldList gzip{{"Accept-Encoding", "gzip"}};
  EXPECT_THAT(notes(gzip, {{"Content-Type", "text/html"}}), Contains(HasSubstr("hits get gzip once it is made")));
  EXPECT_THAT(notes({{"Accept-Encoding", "gzip, br"}}, {{"Content-Type", "text/html"}}),
              Contains(HasSubstr("hits get br")));
  EXPECT_THAT(notes({}, {{"Content-Type", "text/html"}}), Contains(HasSubstr("sent as identity")));
  EXPECT_THAT(notes(gzip, {{"Content-Type", "image/png"}}), Contains(HasSubstr("compress_types")));
  EXPECT_THAT(notes(gzip, {{"Content-Type", "text/html"}, {"Cache-Control", "no-transform"}}),
              Contains(HasSubstr("no-transform")));
  configure("routes: [{path: /**, ttl: 60s}]\n");
  EXPECT_THAT(notes(gzip, {{"Content-Type", "text/html"}}), Not(Contains(HasSubstr("identity"))));
}

}  // namespace
}  // namespace forebay::proxy
