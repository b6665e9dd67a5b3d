#include <gtest/gtest.h>

#include "forebay/rules/storability.hpp"
#include "unit/rules/heads.hpp"

namespace forebay::rules {
namespace {

using test::Answer;

bool deceptive(std::string_view path, std::string_view type) {
  return is_deceptive(path, Answer({{"Content-Type", type}}).view());
}

TEST(SuffixGuard, APageUnderTheNameOfAStaticFileIsDeceptive) {
  for (const auto* path : {"/account/x.css",   "/account/x.CSS",   "/account.js",
                           "/account/.css",    "/account;a.css",   "/account%3Ba.css",
                           "/account%2Fa.css", "/account%3Fa.css", "/account%23a.css",
                           "/account%0Aa.css", "/account%5Ca.css", "/account.css;jsessionid=1",
                           "/account.css%3Bx", "/a.css;b/c.png",   "/x.woff2",
                           "/x.jpeg",          "/x.svg",           "/x.pdf",
                           "/x.wasm",          "/x.js.gz",         "/x.gz",
                           "/x.min.mjs"}) {
    EXPECT_TRUE(deceptive(path, "text/html")) << path;
    EXPECT_TRUE(deceptive(path, "application/json; charset=utf-8")) << path;
  }
}

TEST(SuffixGuard, OtherNamesAreNot) {
  for (const auto* path : {"/",
                           "/account",
                           "/account/",
                           "/x.css/",
                           "/x.css/account",
                           "/index.html",
                           "/data.json",
                           "/feed.xml",
                           "/api/v1.2",
                           "/css",
                           "/x.cssx",
                           "/x.php",
                           "/x.css.map",
                           "/site.webmanifest",
                           "/data.json.gz",
                           "/sitemap.xml.gz",
                           "/a.css/b",
                           "/a;b",
                           "/a%2Fb",
                           "*",
                           ""}) {
    for (const auto* type : {"text/html", "application/json", "text/xml"}) {
      EXPECT_FALSE(deceptive(path, type)) << path << " " << type;
    }
  }
}

TEST(SuffixGuard, TheTypesAreThoseOfDocumentsAndOfData) {
  for (const auto* type : {"text/html", "TEXT/HTML;charset=utf-8", " text/html ;x=y", "application/xhtml+xml",
                           "application/json", "application/problem+json", "application/vnd.api+JSON; v=1",
                           "application/xml", "text/xml", "application/atom+xml", "image/svg+xml"}) {
    EXPECT_TRUE(deceptive("/a.png", type)) << type;
  }
  for (const auto* type : {"image/png", "text/css", "text/plain", "application/javascript", "application/octet-stream",
                           "", "text/htmlx", "application/jsonp"}) {
    EXPECT_FALSE(deceptive("/a.png", type)) << type;
  }
  EXPECT_FALSE(is_deceptive("/a.png", Answer(test::Lines{}).view()));
}

TEST(SuffixGuard, AnSvgMayBeXmlAndNothingElse) {
  for (const auto* path : {"/a.svg", "/a.SVG", "/a.svgz", "/a.svg.gz", "/a.svg;v=1"}) {
    for (const auto* type : {"image/svg+xml", "text/xml", "application/xml; charset=utf-8"}) {
      EXPECT_FALSE(deceptive(path, type)) << path << " " << type;
    }
    EXPECT_TRUE(deceptive(path, "text/html") && deceptive(path, "application/json")) << path;
  }
  EXPECT_TRUE(deceptive("/a.svg;b.css", "text/xml")) << "read by another, it is a style sheet";
}

Reason judged(const Answer& answer, std::string_view path, const Policy& policy = {}) {
  return judge({}, answer.view(), policy, answer.times, true, 0, path).reason;
}

TEST(SuffixGuard, WhatIsDeceptiveIsNotStoredUnlessTheRouteSaysSo) {
  const Answer page({{"Cache-Control", "public, max-age=60"}, {"Content-Type", "text/html"}});
  EXPECT_EQ(judged(page, "/account/x.css"), Reason::TypeMismatch);
  EXPECT_EQ(judged(page, "/account"), Reason::None);
  EXPECT_EQ(judged(page, ""), Reason::None);
  Policy off;
  off.suffix_guard = false;
  EXPECT_EQ(judged(page, "/account/x.css", off), Reason::None);
  const auto verdict = judge({}, page.view(), {}, page.times, true, 0, "/account/x.css");
  EXPECT_FALSE(verdict.by_request) << "the key is remembered as one that is not stored";
}

TEST(SuffixGuard, ComesBehindWhatTheOriginForbidsAndBeforeLifetimes) {
  EXPECT_EQ(judged(Answer({{"Cache-Control", "no-store"}, {"Content-Type", "text/html"}}), "/x.css"), Reason::NoStore);
  EXPECT_EQ(judged(Answer({{"Content-Type", "text/html"}}), "/x.css"), Reason::TypeMismatch);
  Policy policy;
  policy.origin_cache_control = OriginCacheControl::Override;
  policy.ttl.fallback = 60s;
  EXPECT_EQ(judged(Answer({{"Cache-Control", "no-store"}, {"Content-Type", "text/html"}}), "/x.css", policy),
            Reason::TypeMismatch)
      << "it holds whatever the route does with the origin's Cache-Control";
}

}  // namespace
}  // namespace forebay::rules
