#include "forebay/http/list.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace forebay::http {
namespace {

std::vector<std::string> members(std::string_view list) {
  std::vector<std::string> out;
  for_each_member(list, [&out](std::string_view m) { out.emplace_back(m); });
  return out;
}

TEST(List, MembersAreTrimmedAndEmptyOnesSkipped) {
  using ::testing::ElementsAre;
  using ::testing::IsEmpty;
  EXPECT_THAT(members("a,b"), ElementsAre("a", "b"));
  EXPECT_THAT(members(" , a ,\t,, b c\t,"), ElementsAre("a", "b c"));
  EXPECT_THAT(members(""), IsEmpty());
  EXPECT_THAT(members(" ,\t, "), IsEmpty());
  EXPECT_THAT(members("a=\"x,y\", b"), ElementsAre("a=\"x,y\"", "b"));
  EXPECT_THAT(members("\"a\\\",b\", c"), ElementsAre("\"a\\\",b\"", "c"));
  EXPECT_THAT(members("\"open, end"), ElementsAre("\"open, end"));
  EXPECT_THAT(members("\"x\\"), ElementsAre("\"x\\"));
}

TEST(List, AMemberIsFoundWholeAndInAnyCase) {
  EXPECT_TRUE(has_member("gzip, Chunked", "chunked"));
  EXPECT_TRUE(has_member(", *", "*"));
  EXPECT_FALSE(has_member("xchunked", "chunked"));
  EXPECT_FALSE(has_member("\"chunked\"", "chunked"));
  EXPECT_FALSE(has_member("", "chunked"));
}

TEST(List, AQuotedStringLosesItsQuotesOrIsRefused) {
  std::string out;
  EXPECT_TRUE(unquote("\"a\\\"b\\\\\"", out));
  EXPECT_EQ(out, "a\"b\\");
  EXPECT_TRUE(unquote("\"\"", out));
  EXPECT_EQ(out, "");
  for (const char* bad : {"", "\"", "a", "\"a", "a\"", "\"a\"b\"", "\"a\\\"", "'a'", "\"\x01\""}) {
    EXPECT_FALSE(unquote(bad, out)) << bad;
  }
}

TEST(Glob, StarsStandForAnything) {
  struct Row {
    const char* pattern;
    const char* text;
    bool match;
  };
  const Row rows[] = {{"*", "", true},          {"*", "abc", true},       {"", "", true},          {"", "a", false},
                      {"utm_*", "utm_", true},  {"utm_*", "utm_x", true}, {"utm_*", "utm", false}, {"*b", "aab", true},
                      {"a*b*c", "a1b2c", true}, {"a*b*c", "acb", false},  {"a**b", "ab", true},    {"A*", "abc", false},
                      {"*ab", "aaab", true},    {"a*a", "a", false}};
  for (const Row& r : rows) EXPECT_EQ(glob_match(r.pattern, r.text), r.match) << r.pattern << " " << r.text;
  EXPECT_TRUE(glob_match("X-*", "x-Tenant", true));
  EXPECT_TRUE(glob_match("*.example.COM", "A.EXAMPLE.com", true));
}

TEST(Glob, ManyStarsDoNotTakeForever) {
  std::string pattern;
  for (int i = 0; i < 50; ++i) pattern += "*a";
  EXPECT_FALSE(glob_match(pattern + "b", std::string(5000, 'a')));
}

TEST(Decimal, TakesDigitsOnlyAndClamps) {
  struct Row {
    const char* text;
    std::uint64_t max, value;
    bool good;
  };
  const Row rows[] = {{"0", 10, 0, true},
                      {"007", 10, 7, true},
                      {"10", 10, 10, true},
                      {"11", 10, 10, true},
                      {"99999999999999999999999999", 1000, 1000, true},
                      {"18446744073709551615", UINT64_MAX, UINT64_MAX, true},
                      {"18446744073709551616", UINT64_MAX, UINT64_MAX, true},
                      {"18446744073709551614", UINT64_MAX, UINT64_MAX - 1, true},
                      {"9", 5, 5, true},
                      {"", 10, 0, false},
                      {"+1", 10, 0, false},
                      {"-1", 10, 0, false},
                      {" 1", 10, 0, false},
                      {"1 ", 10, 0, false},
                      {"0x1", 10, 0, false},
                      {"1.0", 10, 0, false},
                      {"99999999999999999999999999x", 10, 0, false}};
  for (const Row& r : rows) {
    std::uint64_t n = 0;
    EXPECT_EQ(parse_decimal(r.text, r.max, n), r.good) << r.text;
    if (!r.good) continue;
    EXPECT_EQ(n, r.value) << r.text;
  }
}

TEST(List, QuotesHoldOnlyWhereAllReadersFindTheSameMembers) {
  for (const char* list : {"", "a", "a, b", "a=\"b\"", "a=\"b, c\", d", "a=\"b\\\"c\", d", "a=\"\"", "a=\"b\" ;c=\"d\"",
                           "a=\"b\\\\\" , c"})
    EXPECT_TRUE(quotes_hold(list)) << list;
  for (const char* list : {"\"", "a=\"b, c", "a=\"b\\\", c", "a\"b, c\"", "\"a\"", "a, \"b", "a= \"b\"", "a=\"b\"c",
                           "a=\"b\\", "a=\"b\" c", "a=b\", c", "a=\"b\"\"c\""})
    EXPECT_FALSE(quotes_hold(list)) << list;
}

TEST(List, PiecesAreWhatStandsBetweenCommas) {
  const auto pieces = [](std::string_view list) {
    std::vector<std::string> all;
    for_each_piece(list, [&](std::string_view p) { all.emplace_back(p); });
    return all;
  };
  using testing::ElementsAre;
  EXPECT_THAT(pieces("a=\"b, private"), ElementsAre("a=\"b", "private"));
  EXPECT_THAT(pieces(" \"a\" ,, \\\"b\t,\", c\""), ElementsAre("a", "b", "c"));
  EXPECT_THAT(pieces(""), testing::IsEmpty());
  EXPECT_TRUE(has_piece("x=\"y, Close", "close"));
  EXPECT_FALSE(has_piece("x-close", "close"));
}

}  // namespace
}  // namespace forebay::http
