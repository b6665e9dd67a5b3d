#include "forebay/rules/compression.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "heads.hpp"

namespace forebay::rules::test {
namespace {

using content::Compression;

Policy compressing() {
  Policy policy;
  policy.compress.codings = {Compression::Zstd, Compression::Brotli, Compression::Gzip};
  return policy;
}

Uncompressed of(Lines lines, std::optional<std::uint64_t> length = 5000, int status = 200,
                const Policy& policy = compressing()) {
  return may_compress(status, fields(lines).view(), length, policy);
}

TEST(Compression, OnlyTextLikeTypesAreCompressed) {
  for (const char* type :
       {"text/html", "TEXT/HTML; charset=utf-8", "text/css", "application/json", "application/problem+json",
        "application/javascript", "application/xml", "application/atom+xml", "image/svg+xml", "application/wasm"})
    EXPECT_EQ(of({{"Content-Type", type}}), Uncompressed::None) << type;
  for (const char* type : {"image/png", "application/octet-stream", "font/woff2", "application/jsonp", "video/mp4", ""})
    EXPECT_EQ(of({{"Content-Type", type}}), Uncompressed::Type) << type;
  EXPECT_EQ(of({}), Uncompressed::Type) << "nobody knows what it is";
}

TEST(Compression, AShortBodyAndAVeryLongOneStayAsTheyAre) {
  EXPECT_EQ(of({{"Content-Type", "text/html"}}, 1023), Uncompressed::Small);
  EXPECT_EQ(of({{"Content-Type", "text/html"}}, 1024), Uncompressed::None);
  EXPECT_EQ(of({{"Content-Type", "text/html"}}, std::nullopt), Uncompressed::None) << "it may become long";
  EXPECT_EQ(of({{"Content-Type", "text/html"}}, kMostCompressed), Uncompressed::None);
  EXPECT_EQ(of({{"Content-Type", "text/html"}}, kMostCompressed + 1), Uncompressed::Large);
}

TEST(Compression, TheHeadSaysWhatIsLeftAsItIs) {
  struct Case {
    const char *name, *value;
    Uncompressed why;
  };
  for (const auto& c : {
           Case{"Content-Encoding", "gzip", Uncompressed::Encoded},
           Case{"Content-Encoding", "x-own", Uncompressed::Encoded},
           Case{"Content-Encoding", "identity", Uncompressed::None},
           Case{"Cache-Control", "max-age=60, No-Transform", Uncompressed::NoTransform},
           Case{"CDN-Cache-Control", "no-transform", Uncompressed::NoTransform},
           Case{"Set-Cookie", "a=1", Uncompressed::SetCookie},
           Case{"Content-Range", "bytes 0-1/5", Uncompressed::Status},
           Case{"Vary", "Cookie", Uncompressed::Private},
           Case{"Vary", "Accept, AUTHORIZATION", Uncompressed::Private},
           Case{"Vary", "X-Api-Key", Uncompressed::Private},
           Case{"Vary", "*", Uncompressed::Private},
           Case{"Vary", "Accept-Language, Accept-Encoding", Uncompressed::None},
           Case{"Signature-Input", "sig1=(\"content-digest\")", Uncompressed::Signed},
           Case{"ETag", "\"1\"", Uncompressed::None},
       })
    EXPECT_EQ(of({{"Content-Type", "text/html"}, {c.name, c.value}}), c.why) << c.name << ": " << c.value;
}

TEST(Compression, APartAndAStatusWithoutContentAreLeftAsTheyAre) {
  for (const int status : {204, 206, 304})
    EXPECT_EQ(of({{"Content-Type", "text/html"}}, 5000, status), Uncompressed::Status) << status;
  for (const int status : {200, 203, 404, 410, 500})
    EXPECT_EQ(of({{"Content-Type", "text/html"}}, 5000, status), Uncompressed::None) << status;
}

TEST(Compression, IsOffUnlessTheRouteSaysSo) {
  EXPECT_EQ(of({{"Content-Type", "text/html"}}, 5000, 200, Policy{}), Uncompressed::Off);
}

TEST(Compression, ARequestMayForbidIt) {
  const auto policy = compressing();
  const auto of_request = [&](const Ask& ask) {
    return may_get_compressed(facts(ask, policy), ask.view().fields, policy);
  };
  EXPECT_EQ(of_request(Ask({{"Accept-Encoding", "gzip"}})), Uncompressed::None);
  EXPECT_EQ(of_request(Ask({{"Cache-Control", "no-transform"}})), Uncompressed::NoTransform);
  EXPECT_EQ(of_request(Ask({{"Cookie", "a=1"}})), Uncompressed::None) << "what all get is no secret of one";
}

TEST(Compression, WhatIsKeptForOneClientIsNotCompressed) {
  auto policy = compressing();
  policy.compress.keyed_secrets = true;
  const auto of_request = [&](const Ask& ask) {
    return may_get_compressed(facts(ask, policy), ask.view().fields, policy);
  };
  EXPECT_EQ(of_request(Ask({{"Cookie", "a=1"}})), Uncompressed::Private);
  EXPECT_EQ(of_request(Ask({{"X-Api-Key", "a"}})), Uncompressed::Private);
  EXPECT_EQ(of_request(Ask({{"Accept", "text/html"}})), Uncompressed::None);
  policy.compress.keyed_secrets = false;
  policy.authorization = AuthorizationRule::Key;
  EXPECT_EQ(of_request(Ask({{"Authorization", "Bearer a"}})), Uncompressed::Private);
  auto asked = facts(Ask(), policy);
  asked.secret_in_query = true;
  EXPECT_EQ(may_get_compressed(asked, {}, policy), Uncompressed::Private);
}

std::string chosen(std::optional<std::string_view> field,
                   std::vector<Compression> order = {Compression::Zstd, Compression::Brotli, Compression::Gzip}) {
  const auto choice = choose_codings(field, order);
  std::string text;
  for (const auto coding : choice.list()) text.append(text.empty() ? "" : " ").append(to_string(coding));
  return text;
}

TEST(Compression, TheRequestAndThenTheRouteChooseTheCoding) {
  struct Case {
    const char *field, *codings;
  };
  for (const auto& c : {
           Case{"gzip", "gzip"},
           Case{"x-gzip", "gzip"},
           Case{"gzip, deflate, br, zstd", "zstd br gzip"},
           Case{"GZIP;q=1.0, BR;Q=0.5", "gzip br"},
           Case{"br;q=0.5, gzip;q=0.8, zstd;q=0.1", "gzip br zstd"},
           Case{"br;q=0.5, gzip;q=0.5, zstd;q=0.5", "zstd br gzip"},
           Case{"*", "zstd br gzip"},
           Case{"*;q=0.5, gzip", "gzip zstd br"},
           Case{"*, zstd;q=0", "br gzip"},
           Case{"gzip;q=0", ""},
           Case{"gzip, *;q=0", "gzip"},
           Case{"identity", ""},
           Case{"identity;q=1, gzip;q=0.5", ""},
           Case{"identity;q=0.5, gzip;q=1, br;q=0.2", "gzip"},
           Case{"identity;q=0, gzip", "gzip"},
           Case{"identity, gzip", "gzip"},
           Case{"", ""},
           Case{"deflate, compress", ""},
           Case{"gzip;q=x", ""},
           Case{"gzip;q=0, gzip;q=1", ""},
           Case{"gzip;level=9", ""},
       })
    EXPECT_EQ(chosen(c.field), c.codings) << c.field;
  EXPECT_EQ(chosen(std::nullopt), "") << "without Accept-Encoding it is identity";
  EXPECT_EQ(chosen("gzip, br, zstd", {Compression::Gzip, Compression::Brotli}), "gzip br");
}

TEST(Compression, DigestsOfIdentityAndItsRangesGoNoFurther) {
  for (const char* name : {"Content-Digest", "repr-digest", "Digest", "Content-MD5", "x-amz-checksum-crc32",
                           "x-goog-hash", "Accept-Ranges", "Content-Encoding"})
    EXPECT_FALSE(belongs_on_compressed({name, "x", http::field_id(name)})) << name;
  for (const char* name : {"ETag", "Last-Modified", "Content-Type", "Cache-Control", "X-Own", "Content-Language"})
    EXPECT_TRUE(belongs_on_compressed({name, "x", http::field_id(name)})) << name;
}

TEST(Compression, ARangeIsOfIdentityUnlessItsValidatorMayBeThatOfAnotherForm) {
  const auto over = [](Lines lines) { return ranges_over_identity(fields(lines).view()); };
  EXPECT_TRUE(over({{"Range", "bytes=0-1"}}));
  EXPECT_TRUE(over({{"Range", "bytes=0-1"}, {"If-Range", "\"a\""}}));
  EXPECT_FALSE(over({{"Range", "bytes=0-1"}, {"If-Range", "W/\"a\""}}));
  EXPECT_FALSE(over({{"Range", "bytes=0-1"}, {"If-Range", "Mon, 30 Nov 2026 08:00:00 GMT"}}));
  EXPECT_FALSE(over({{"If-Range", "\"a\""}}));
}

}  // namespace
}  // namespace forebay::rules::test
