#include "forebay/http/accept_encoding.hpp"

#include <gtest/gtest.h>

namespace forebay::http {
namespace {

std::optional<std::string> normal(std::string_view value) {
  std::string out = "before|";
  if (!append_normal_accept_encoding(value, out)) {
    EXPECT_EQ(out, "before|") << value;
    return std::nullopt;
  }
  return out.substr(7);
}

TEST(AcceptEncoding, SpellingsOfOneAbilityHaveOneNormalForm) {
  struct Row {
    const char* value;
    const char* normal;
  };
  const Row rows[] = {{"gzip, br;q=0", "gzip"},
                      {"br;q=0,gzip", "gzip"},
                      {"br, gzip", "br,gzip"},
                      {"gzip, deflate, br, zstd", "br,deflate,gzip,zstd"},
                      {"gzip, gzip", "gzip"},
                      {"GZIP;q=0.5 , Br ; Q=1.0", "br>gzip"},
                      {"br;q=0.9, gzip;q=0.1", "br>gzip"},
                      {"gzip;q=0.000", ""},
                      {"gzip;q=0.001", "gzip"},
                      {"x-gzip, x-compress", "compress,gzip"},
                      {"compress, exotic", "compress,exotic"},
                      {"xz", "xz"},
                      {"", ""},
                      {" , ", ""},
                      {"identity", ""},
                      {"gzip;q=1.0, identity;q=0.5, *;q=0", "gzip"},
                      {"gzip;q=1.0,deflate;q=0.6,identity;q=0.3", "gzip>deflate"},
                      {"gzip, identity", "gzip,identity"},
                      {"identity, gzip;q=0.5", "identity>gzip"},
                      {"identity;q=0", "/identity"},
                      {"gzip, identity;q=0", "gzip/identity"},
                      {"*", "*"},
                      {"*;q=0", "/identity"},
                      {"gzip, *;q=0", "gzip/identity"},
                      {"identity, *;q=0", ""},
                      {"*, br;q=0", "*/br"},
                      {"br;q=1.0, gzip;q=0.8, *;q=0.1", "br>gzip>*"},
                      {"*, identity;q=0", "*/identity"}};
  for (const Row& r : rows) EXPECT_EQ(normal(r.value), r.normal) << r.value;
}

TEST(AcceptEncoding, WhatCannotBeReadHasNoNormalForm) {
  for (const auto* value : {"gzip;q=1.5", "gzip;q=abc", "gzip;q=", "gzip;q=1.0000", "gzip;level=9", "gz ip",
                            "gzip;q=0.5;x", "gzip, gzip;q=0.5", "\"gzip\"", ";q=1", "a/b", "a>b"})
    EXPECT_EQ(normal(value), std::nullopt) << value;
  std::string many;
  for (int i = 0; i < 33; ++i) many += "c" + std::to_string(i) + ",";
  EXPECT_EQ(normal(many), std::nullopt);
}

TEST(AcceptedCodings, SayWhichContentMayBeSent) {
  struct Row {
    std::optional<std::string_view> field;
    const char* encoding;
    bool accepted;
  };
  const Row rows[] = {{std::nullopt, "gzip", true},
                      {"", "gzip", false},
                      {"", "identity", true},
                      {"", "", true},
                      {"identity", "gzip", false},
                      {"gzip", "gzip", true},
                      {"GZip", "x-gzip", true},
                      {"gzip;q=0", "gzip", false},
                      {"gzip;q=x", "gzip", false},
                      {"gzip, gzip;q=0", "gzip", false},
                      {"br", "gzip", false},
                      {"*", "gzip", true},
                      {"*;q=0", "gzip", false},
                      {"*;q=0", "identity", false},
                      {"gzip, *;q=0", "gzip", true},
                      {"*, gzip;q=0", "gzip", false},
                      {"gzip, br", "gzip, br", true},
                      {"gzip", "gzip, br", false},
                      {"identity;q=0", "identity", false}};
  for (const Row& r : rows)
    EXPECT_EQ(AcceptedCodings(r.field).accept(r.encoding), r.accepted)
        << r.field.value_or("(none)") << " / " << r.encoding;
}

TEST(AcceptedCodings, OfALongListRefuseWhatWasNotRead) {
  std::string many;
  for (int i = 0; i < 40; ++i) many += "c" + std::to_string(i) + ",";
  EXPECT_FALSE(AcceptedCodings(many + "gzip").accept("gzip"));
  EXPECT_TRUE(AcceptedCodings("gzip," + many).accept("gzip"));
}

TEST(AcceptedCodings, AgreeWithTheNormalForm) {
  for (const auto* value : {"gzip", "br, gzip;q=0", "*;q=0", "gzip;q=0.3, *;q=0.1", "identity;q=0, br", ""}) {
    const auto form = normal(value);
    ASSERT_TRUE(form);
    const bool named = form->find("gzip") != std::string::npos && form->find("/gzip") == std::string::npos;
    const bool star = form->find('*') != std::string::npos && form->find("/gzip") == std::string::npos;
    EXPECT_EQ(AcceptedCodings(value).accept("gzip"), named || star) << value;
  }
}

TEST(CodingWeights, AreThoseOfTheMembersThatNameThemOrOfTheStar) {
  struct Row {
    const char* value;
    int gzip, br, identity;
  };
  for (const Row& r : {Row{"gzip", 1000, 0, -1}, Row{"gzip;q=0.5, br;q=0.25", 500, 250, -1}, Row{"x-gzip", 1000, 0, -1},
                       Row{"*", 1000, 1000, 1000}, Row{"*;q=0.1, br", 100, 1000, 100}, Row{"*;q=0", 0, 0, 0},
                       Row{"identity;q=0, GZIP", 1000, 0, 0}, Row{"identity;q=0.5", 0, 0, 500},
                       Row{"gzip;q=1, gzip;q=0", 0, 0, -1}, Row{"gzip;q=2, br;q=0.5", 0, 500, -1}, Row{"", 0, 0, -1}}) {
    const std::string_view codings[] = {"gzip", "br", "identity"};
    int weights[3] = {7, 7, 7};
    read_coding_weights(r.value, codings, weights);
    EXPECT_EQ(weights[0], r.gzip) << r.value;
    EXPECT_EQ(weights[1], r.br) << r.value;
    EXPECT_EQ(weights[2], r.identity) << r.value;
  }
}

}  // namespace
}  // namespace forebay::http
