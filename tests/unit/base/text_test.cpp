#include "forebay/base/text.hpp"

#include <gtest/gtest.h>

namespace forebay {
namespace {

TEST(Utf8, WhatIsNoUtf8IsReplacedByteByByte) {
  for (const auto* good : {"", "plain", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xed\x9f\xbf"})
    EXPECT_TRUE(is_utf8(good)) << good;
  for (const auto* bad : {"\x80", "\xc0\xaf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xc3", "\xf8"})
    EXPECT_FALSE(is_utf8(bad));
  EXPECT_EQ(as_utf8("a\xff\xc3\xa4\xc3"), "a\xef\xbf\xbd\xc3\xa4\xef\xbf\xbd");
}

TEST(Utf8, ScalarValuesAreWrittenInTheShortestForm) {
  std::string out;
  for (const unsigned code : {0x24u, 0xE9u, 0x20ACu, 0x1F600u}) append_utf8(out, code);
  EXPECT_EQ(out, "$\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
  EXPECT_TRUE(is_utf8(out));
}

TEST(Hex, DigitsAreReadInEitherCaseAndWrittenInOne) {
  const std::string_view digits = "0123456789abcdefABCDEF";
  for (int byte = -128; byte < 128; ++byte) {
    const char c = static_cast<char>(byte);
    const auto at = digits.find(c);
    const int value = at == std::string_view::npos ? -1 : static_cast<int>(at < 16 ? at : at - 6);
    EXPECT_EQ(hex_value(c), value) << byte;
    EXPECT_EQ(is_lower_hex({&c, 1}), at < 16) << byte;
  }
  std::string out;
  append_hex(out, 0x0A);
  append_number<16>(out, 0xBEEFu);
  append_percent_encoded(out, 0xFE);
  append_number(out, -7);
  EXPECT_EQ(out, "0abeef%FE-7");
}

TEST(Hex, APercentEncodingIsAPercentAndTwoDigits) {
  for (int byte = 0; byte < 256; ++byte) {
    std::string text;
    append_percent_encoded(text, static_cast<unsigned char>(byte));
    EXPECT_EQ(percent_decoded(text + "41"), byte);
    EXPECT_EQ(percent_decoded(lower_case(text)), byte);
  }
  for (const auto* none : {"", "%", "%4", "4141", "%g1", "%1g", "% 1", "%-1"})
    EXPECT_EQ(percent_decoded(none), -1) << none;
}

TEST(Case, OnlyLettersOfAsciiHaveOne) {
  EXPECT_EQ(lower_case("AZaz09[`\xc3\x89"), "azaz09[`\xc3\x89");
  EXPECT_EQ(upper_case("AZaz09{@\xc3\xa9"), "AZAZ09{@\xc3\xa9");
  EXPECT_TRUE(less_ignoring_case("ab", "AC"));
  EXPECT_FALSE(less_ignoring_case("AB", "ab"));
  EXPECT_TRUE(less_ignoring_case("a", "AB"));
}

TEST(JsonString, IsEscapedAsRfc8785Says) {
  std::string out = "x";
  append_json_string(out, std::string_view("\0a\"\\/\x1f\x7f\b\xC3\xA9\n", 11), kCanonicalJsonEscapes);
  EXPECT_EQ(out, "x\"\\u0000a\\\"\\\\/\\u001f\x7f\\b\xC3\xA9\\n\"");
}

TEST(JsonString, ForPeopleHasNoControlBytesAndNoBrokenUtf8) {
  std::string out;
  append_json_string(out, "a\x7f\xff\xc3\xa9\xc3\t");
  EXPECT_EQ(out, "\"a\\u007f\\ufffd\xc3\xa9\\ufffd\\t\"");
}

}  // namespace
}  // namespace forebay
