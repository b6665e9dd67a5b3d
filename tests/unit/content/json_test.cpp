#include "forebay/content/json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace forebay::content {
namespace {

using ::testing::Optional;

const std::vector<JsonPointer>& whole() {
  static const std::vector<JsonPointer> pointers = {*JsonPointer::parse("")};
  return pointers;
}

// The canonical text of the whole, or "refused".
std::string canonical(std::string_view text, Numbers numbers = Numbers::Written) {
  CanonicalJson json;
  const auto done = json.read(text, whole(), numbers);
  if (!done) {
    EXPECT_EQ(done.error(), Errc::Malformed) << text;
    EXPECT_EQ(json.value(0), std::nullopt);
    return "refused";
  }
  return std::string(json.value(0).value_or("nothing"));
}

TEST(CanonicalJson, OneValueHasOneText) {
  struct Row {
    const char* text;
    const char* canonical;
  };
  const Row rows[] = {
      {R"({"a":1,"b":2})", R"({"a":1,"b":2})"},
      {"{ \"b\" : 2 ,\r\n\t\"a\" : 1 }  \n", R"({"a":1,"b":2})"},
      {R"({"b":{"d":1,"c":[3,{"f":1,"e":2}]},"a":null})", R"({"a":null,"b":{"c":[3,{"e":2,"f":1}],"d":1}})"},
      {"[ ]", "[]"},
      {"{ }", "{}"},
      {" true ", "true"},
      {"false", "false"},
      {"null", "null"},
      {"\"\"", "\"\""},
      {R"({"":{"":[]}})", R"({"":{"":[]}})"},
      {"[3,1,2,1]", "[3,1,2,1]"},
      // Members go by the bytes of their names: shorter first, upper case before lower, U+FFFD before U+1F600.
      {R"({"aa":1,"a":2,"B":3,"abcdefgh":4,"abcdefghi":5,"abcdefgi":6})",
       R"({"B":3,"a":2,"aa":1,"abcdefgh":4,"abcdefghi":5,"abcdefgi":6})"},
      {"{\"\\ud83d\\ude00\":1,\"\\ufffd\":2}", "{\"\xEF\xBF\xBD\":2,\"\xF0\x9F\x98\x80\":1}"},
      {R"({"a\u0000":1,"a":2})", R"({"a":2,"a\u0000":1})"},
      // Escapes that say nothing go, those that are needed have one form.
      {R"("\u0061\/\u00e9\u20AC")", "\"a/\xC3\xA9\xE2\x82\xAC\""},
      {"\"\xC3\xA9\x7F\"", "\"\xC3\xA9\x7F\""},
      {R"("\b\f\n\r\t\"\\\u0008\u000c\u000a\u000d\u0009\u0022\u005c")", R"("\b\f\n\r\t\"\\\b\f\n\r\t\"\\")"},
      {R"("\u0000\u001F\u000b")", R"("\u0000\u001f\u000b")"},
      {R"({"\u0061":1})", R"({"a":1})"},
      {R"({"b\n":1,"a\"":2})", R"({"a\"":2,"b\n":1})"},
      // Another é, decomposed, stays another.
      {"\"e\xCC\x81\"", "\"e\xCC\x81\""},
  };
  for (const Row& r : rows) {
    EXPECT_EQ(canonical(r.text), r.canonical) << r.text;
    EXPECT_EQ(canonical(r.canonical), r.canonical) << "of " << r.text;
    EXPECT_EQ(canonical(r.text, Numbers::Value), r.canonical) << r.text;
  }
}

TEST(CanonicalJson, WhatTwoReadersCouldTakeForDifferentThingsIsRefused) {
  using std::string_view_literals::operator""sv;
  const std::string_view rows[] = {
      // no JSON
      "",
      " ",
      "{",
      "[",
      "}",
      "nul",
      "nulll",
      "True",
      "NaN",
      "Infinity",
      "-Infinity",
      "undefined",
      "'a'",
      "{a:1}",
      "{'a':1}",
      "[1,]",
      "[,1]",
      "[1 2]",
      "{\"a\":1,}",
      "{\"a\"}",
      "{\"a\":}",
      "{\"a\":1 \"b\":2}",
      "{1:2}",
      "[1}",
      "// a\n1",
      "/* a */ 1",
      "1 // a",
      "\"a",
      "\"a\\\"",
      "\"\\x41\"",
      "\"\\u12\"",
      "\"\\u12G4\"",
      "\"\\",
      "\"\t\"",
      "\"\n\"",
      "\"a\0b\""sv,
      "\x1F"
      "1",
      "\v1",
      "\f1",
      "\xC2\xA0"
      "1",
      "\0"sv,
      "1\0"sv,
      // numbers
      "01",
      "-01",
      "+1",
      "1.",
      ".5",
      "-",
      "-.5",
      "1e",
      "1e+",
      "0x1",
      "1_000",
      "1.e5",
      "00",
      "--1",
      "1.2.3",
      "-a",
      "1ee5",
      // bytes behind the end
      "{} {}",
      "1 1",
      "[]]",
      "{}x",
      "null,",
      "{}\0"sv,
      // names twice, here and there, also under escapes and among many
      R"({"a":1,"a":1})",
      R"({"a":1,"b":2,"a":3})",
      R"({"a":1,"\u0061":2})",
      R"([{"x":{"b":1,"b":2}}])",
      R"({"":1,"":2})",
      R"({"abcdefgh":1,"abcdefgh":2})",
      R"({"abcdefghi":1,"abcdefghi":2})",
      R"({"a":{"a":1},"a":2})",
      R"({"é":1,"\u00e9":2})",
      // invalid UTF-8: stray, overlong, surrogates, beyond U+10FFFF, cut
      "\"\x80\"",
      "\"\xFF\"",
      "\"\xC0\x80\"",
      "\"\xC1\xBF\"",
      "\"\xE0\x9F\xBF\"",
      "\"\xED\xA0\x80\"",
      "\"\xED\xBF\xBF\"",
      "\"\xF0\x8F\xBF\xBF\"",
      "\"\xF4\x90\x80\x80\"",
      "\"\xF5\x80\x80\x80\"",
      "\"\xC3\"",
      "\"\xE2\x82\"",
      "\"\xF0\x9F\x98\"",
      "\"\xC3",
      "{\"\xFF\":1}",
      "\"\\n\xFF\"",
      "\"\\n\xED\xA0\x80\"",
      "\"\\n\xC3\"",
      "\xC3\xA9",
      // lone surrogates in escapes
      R"("\ud800")",
      R"("\udc00")",
      R"("\ud800a")",
      R"("\ud800\n")",
      R"("\ud800\ud800")",
      R"("\ud800\u0041")",
      R"("\udc00\ud800")",
      R"({"\ud800":1})",
      R"("\ud83d \ude00")",
      R"("aaaaaaaaaaaaaaaa\ud800aaaaaaaaaaaaaaaa")",
      // a byte order mark
      "\xEF\xBB\xBF{}",
      "\xFE\xFF\0{\0}"sv,
      "{}\xEF\xBB\xBF",
  };
  for (const auto row : rows) {
    EXPECT_EQ(canonical(row), "refused") << row;
    EXPECT_EQ(canonical("[" + std::string(row) + "]"), row.find_first_not_of(' ') == row.npos ? "[]" : "refused")
        << row;
  }
}

TEST(CanonicalJson, ANameMayNotStandTwiceAmongManyEither) {
  for (const int n : {2, 8, 24, 25, 26, 100, 1000}) {
    std::string text = "{";
    for (int i = 0; i < n; ++i) text += "\"name" + std::to_string(i * 7919 % n) + "\":" + std::to_string(i) + ",";
    EXPECT_NE(canonical(text + "\"z\":0}"), "refused") << n;
    EXPECT_EQ(canonical(text + "\"name" + std::to_string(n / 2) + "\":0}"), "refused") << n;
  }
}

TEST(CanonicalJson, SixtyFourLevelsAreReadAndOneMoreIsNot) {
  const auto nested = [](std::size_t levels, const std::string& open, const std::string& close) {
    std::string text;
    for (std::size_t i = 0; i < levels; ++i) text += open;
    text += "1";
    for (std::size_t i = 0; i < levels; ++i) text += close;
    return text;
  };
  EXPECT_EQ(canonical(nested(64, "[", "]")), nested(64, "[", "]"));
  EXPECT_EQ(canonical(nested(65, "[", "]")), "refused");
  EXPECT_EQ(canonical(nested(64, "{\"a\":", "}")), nested(64, "{\"a\":", "}"));
  EXPECT_EQ(canonical(nested(65, "{\"a\":", "}")), "refused");
  EXPECT_EQ(canonical(nested(100000, "[", "]")), "refused");
  EXPECT_EQ(canonical(std::string(100000, '[')), "refused");
}

TEST(CanonicalJson, NumbersStandAsWritten) {
  for (const char* number : {"1",
                             "1.0",
                             "-0",
                             "0",
                             "1e400",
                             "1E400",
                             "1e401",
                             "1e+400",
                             "2",
                             "2.0",
                             "2e0",
                             "0.1",
                             "1e-5",
                             "123456789012345678901234567890",
                             "18446744073709551615",
                             "18446744073709551616",
                             "9223372036854775808",
                             "-9223372036854775808",
                             "-9223372036854775809",
                             "1e99999999999999999999",
                             "0.10000000000000000000000000000000000000000001",
                             "1234567890123456.7890123456789012e-17"}) {
    EXPECT_EQ(canonical(number), number);
    EXPECT_EQ(canonical("[" + std::string(number) + ", " + number + " ]"),
              "[" + std::string(number) + "," + number + "]");
    EXPECT_EQ(canonical("{\"a\":" + std::string(number) + "}"), "{\"a\":" + std::string(number) + "}");
  }
  EXPECT_NE(canonical("1"), canonical("\"1\""));
}

TEST(CanonicalJson, NumbersByValueAreExactDecimals) {
  struct Row {
    const char* canonical;
    std::vector<const char*> written;
  };
  const Row rows[] = {
      {"0", {"0", "-0", "0.0", "0e0", "-0.000e-100", "0e2147483647", "0E+5"}},
      {"2", {"2", "2.0", "2e0", "2.000", "20e-1", "0.2e1", "0.0002E4", "2E+0", "2e-0", "2e00"}},
      {"-2", {"-2", "-2.0", "-20e-1"}},
      {"20", {"20", "2e1", "20.0", "200e-1"}},
      {"2.5", {"2.5", "25e-1", "2.50", "0.25e1", "250e-2"}},
      {"0.5", {"0.5", "5e-1", "0.50", "50e-2"}},
      {"0.000001", {"0.000001", "1e-6", "10e-7"}},
      {"1e-7", {"0.0000001", "1e-7", "10e-8"}},
      {"1.25e-7", {"0.000000125", "125e-9"}},
      {"100000000000000000000", {"1e20", "100000000000000000000", "10e19"}},
      {"1e+21", {"1e21", "1000000000000000000000"}},
      {"1e+400", {"1e400", "1E+400", "10e399", "0.1e401"}},
      {"1e+401", {"1e401", "10e400"}},
      {"1e-400", {"1e-400", "0.1e-399"}},
      {"1e+2147483647", {"1e2147483647", "10e2147483646"}},
      {"0.1", {"0.1", "1e-1"}},
      // Beyond what a double holds.
      {"0.10000000000000000001", {"0.10000000000000000001", "10000000000000000001e-20"}},
      {"9007199254740993", {"9007199254740993", "9007199254740993.0"}},
      {"1.23456789012345678901234567890123456789e+38", {"123456789012345678901234567890123456789"}},
      {"123456789012345678901", {"123456789012345678901", "12345678901234567890.1e1"}},
      {"12345678901234567890.1", {"12345678901234567890.1", "123456789012345678901e-1"}},
  };
  std::vector<std::string> seen;
  for (const Row& r : rows) {
    for (const char* written : r.written) EXPECT_EQ(canonical(written, Numbers::Value), r.canonical) << written;
    EXPECT_EQ(canonical(r.canonical, Numbers::Value), r.canonical);
    EXPECT_THAT(seen, ::testing::Not(::testing::Contains(r.canonical)));
    seen.emplace_back(r.canonical);
  }
  EXPECT_NE(canonical("2", Numbers::Value), canonical("\"2\"", Numbers::Value));
}

TEST(CanonicalJson, ExponentsOfMoreThanFifteenDigitsAreRefusedByValue) {
  EXPECT_EQ(canonical("1e999999999999999", Numbers::Value), "1e+999999999999999");
  EXPECT_EQ(canonical("10e-000000000000000000999999999999999", Numbers::Value), "1e-999999999999998");
  EXPECT_EQ(canonical("1e1000000000000000", Numbers::Value), "refused");
  EXPECT_EQ(canonical("[{\"a\":-1.5E-1000000000000000}]", Numbers::Value), "refused");
  EXPECT_EQ(canonical("1e1000000000000000"), "1e1000000000000000");
}

TEST(JsonPointer, IsReadAsRfc6901Says) {
  using ::testing::ElementsAre;
  using ::testing::IsEmpty;
  EXPECT_THAT(JsonPointer::parse("")->steps(), IsEmpty());
  EXPECT_THAT(JsonPointer::parse("/")->steps(), ElementsAre(""));
  EXPECT_THAT(JsonPointer::parse("//")->steps(), ElementsAre("", ""));
  EXPECT_THAT(JsonPointer::parse("/query/lang")->steps(), ElementsAre("query", "lang"));
  EXPECT_THAT(JsonPointer::parse("/a~1b/m~0n/~01")->steps(), ElementsAre("a/b", "m~n", "~1"));
  EXPECT_THAT(JsonPointer::parse("/ %|~0")->steps(), ElementsAre(" %|~"));
  EXPECT_EQ(JsonPointer::parse("/a~1b")->text(), "/a~1b");
  for (const char* bad : {"a", "a/b", " /a", "/~", "/~2", "/a~", "#/a"})
    EXPECT_EQ(JsonPointer::parse(bad), std::nullopt) << bad;
}

TEST(CanonicalJson, PointersChooseParts) {
  // The document of RFC 6901 section 5.
  const std::string_view document =
      R"({"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,"g|h":4,"i\\j":5,"k\"l":6," ":7,
    "m~n":8})";
  struct Row {
    const char* pointer;
    const char* value;  // null: nothing
  };
  const Row rows[] = {
      {"/foo", R"(["bar","baz"])"},
      {"/foo/0", R"("bar")"},
      {"/foo/1", R"("baz")"},
      {"/", "0"},
      {"/a~1b", "1"},
      {"/c%d", "2"},
      {"/e^f", "3"},
      {"/g|h", "4"},
      {"/i\\j", "5"},
      {"/k\"l", "6"},
      {"/ ", "7"},
      {"/m~0n", "8"},
      {"/foo/2", nullptr},
      {"/foo/-", nullptr},
      {"/foo/00", nullptr},
      {"/foo/01", nullptr},
      {"/foo/+1", nullptr},
      {"/foo/ 1", nullptr},
      {"/foo/", nullptr},
      {"/foo/1e0", nullptr},
      {"/foo/18446744073709551616", nullptr},
      {"/foo/0/x", nullptr},
      {"/fo", nullptr},
      {"/fooo", nullptr},
      {"//x", nullptr},
  };
  std::vector<JsonPointer> pointers;
  for (const Row& r : rows) pointers.push_back(*JsonPointer::parse(r.pointer));
  CanonicalJson json;
  ASSERT_TRUE(json.read(document, pointers, Numbers::Written));
  for (std::size_t i = 0; i < std::size(rows); ++i) {
    if (rows[i].value == nullptr)
      EXPECT_EQ(json.value(i), std::nullopt) << rows[i].pointer;
    else
      EXPECT_THAT(json.value(i), Optional(std::string_view(rows[i].value))) << rows[i].pointer;
  }
  EXPECT_EQ(json.value(std::size(rows)), std::nullopt);
}

TEST(CanonicalJson, PointersMayLieInOneAnotherAndInScalars) {
  const std::vector<JsonPointer> pointers = {*JsonPointer::parse("/a/b"), *JsonPointer::parse("/a"),
                                             *JsonPointer::parse(""), *JsonPointer::parse("/a"),
                                             *JsonPointer::parse("/a/c/0")};
  CanonicalJson json;
  ASSERT_TRUE(json.read(R"({"a":{"c":[true],"b":null}})", pointers, Numbers::Written));
  EXPECT_EQ(json.value(0), "null");
  EXPECT_EQ(json.value(1), R"({"b":null,"c":[true]})");
  EXPECT_EQ(json.value(2), R"({"a":{"b":null,"c":[true]}})");
  EXPECT_EQ(json.value(3), json.value(1));
  EXPECT_EQ(json.value(4), "true");
  // Another text: what was found before is gone.
  ASSERT_TRUE(json.read("7", pointers, Numbers::Written));
  EXPECT_EQ(json.value(0), std::nullopt);
  EXPECT_EQ(json.value(2), "7");
  ASSERT_FALSE(json.read("7 7", pointers, Numbers::Written));
  EXPECT_EQ(json.value(2), std::nullopt);
}

TEST(CanonicalJson, WhatIsNotChosenIsCheckedToo) {
  const std::vector<JsonPointer> pointers = {*JsonPointer::parse("/a")};
  CanonicalJson json;
  EXPECT_TRUE(json.read(R"({"a":1,"b":{"c":2}})", pointers, Numbers::Written));
  for (const char* text : {R"({"a":1,"b":{"c":2,"c":2}})", R"({"a":1,"b":"\ud800"})", "{\"a\":1,\"b\":\"\xFF\"}",
                           R"({"a":1}x)", R"({"a":1,"b":01})"}) {
    EXPECT_EQ(json.read(text, pointers, Numbers::Written).error(), Errc::Malformed) << text;
    EXPECT_EQ(json.value(0), std::nullopt);
  }
}

TEST(CanonicalJson, StringsOfAnyLengthComeOutWhole) {
  CanonicalJson json;
  for (std::size_t n = 0; n < 5000; n += n < 80 ? 1 : 613) {
    const std::string plain(n, 'x');
    // An escape at the end, so that the parser has to put the string together.
    const std::string text =
        "{\"" + plain + "\\n\":\"" + plain + "\\u00e9" + plain + "\",\"" + plain + "\":\"" + plain + "\"}";
    const std::string expected =
        "{\"" + plain + "\":\"" + plain + "\",\"" + plain + "\\n\":\"" + plain + "\xC3\xA9" + plain + "\"}";
    ASSERT_TRUE(json.read(text, whole(), Numbers::Written)) << n;
    ASSERT_EQ(json.value(0), expected) << n;
  }
}

}  // namespace
}  // namespace forebay::content
