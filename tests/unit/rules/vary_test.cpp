#include "forebay/rules/vary.hpp"

#include <gmock/gmock.h>

#include "unit/rules/heads.hpp"

namespace forebay::rules {
namespace {

using test::fields;
using test::Lines;
using testing::ElementsAre;

TEST(ReadVary, ABrokenQuoteMatchesNothing) {
  for (const auto* value : {"\"Accept, X-Tenant", "Accept, \"X-Tenant", "A=\"b, *", "\"*\""}) {
    const auto owned = test::fields({{"Vary", value}});
    EXPECT_TRUE(read_vary(owned).any) << value;
  }
}

TEST(Vary, NamesAreLowerCaseSortedAndOnlyOnce) {
  const auto list = read_vary(fields({{"Vary", "Foo, ,Bar"}, {"vary", "foo,Accept-Encoding"}}));
  EXPECT_FALSE(list.any);
  EXPECT_THAT(list.names, ElementsAre("accept-encoding", "bar", "foo"));
  EXPECT_TRUE(read_vary(fields({{"Vary", " , "}})).empty());
  EXPECT_TRUE(read_vary(fields({})).empty());
}

TEST(Vary, AStarAnywhereInAnyLineMatchesNothing) {
  for (const auto* text : {"*", "*, *", ", *", "*, Foo", "Foo, *", "Foo ,*, Bar"}) {
    EXPECT_TRUE(read_vary(fields({{"Vary", text}})).any) << text;
  }
  EXPECT_TRUE(read_vary(fields({{"Vary", ""}, {"Vary", "*"}})).any);
  EXPECT_TRUE(read_vary(fields({{"Vary", "*"}, {"Vary", "*"}})).any);
  EXPECT_TRUE(read_vary(fields({{"Vary", "Foo Bar"}})).any) << "what is no name cannot be compared";
}

TEST(Vary, MoreNamesThanAnyOriginNeedsCountAsAStar) {
  std::string names;
  for (int i = 0; i < 64; ++i) names += "x-" + std::to_string(i) + ",";
  EXPECT_FALSE(read_vary(fields({{"Vary", names}})).any);
  EXPECT_TRUE(read_vary(fields({{"Vary", names + "x-64"}})).any);
}

std::string key(const std::vector<std::string>& names, Lines request) {
  std::string out = "before|";
  append_secondary_key(names, fields(request), out);
  return out;
}

TEST(SecondaryKey, IsTheSameForRequestsThatDifferInFormOnly) {
  const std::vector<std::string> foo{"foo"};
  EXPECT_EQ(key(foo, {{"Foo", "1"}}), key(foo, {{"fOO", "1"}, {"Other", "3"}}));
  EXPECT_EQ(key(foo, {{"Foo", "1, 2"}}), key(foo, {{"Foo", "1"}, {"Foo", "2"}}));
  EXPECT_EQ(key(foo, {{"Foo", "1,2"}}), key(foo, {{"Foo", " 1,\t 2 "}}));
  EXPECT_EQ(key(foo, {}), key(foo, {{"Bar", "1"}})) << "absent from both matches";
  EXPECT_EQ(key({"bar", "foo"}, {{"Foo", "1"}, {"Bar", "2"}}), key({"bar", "foo"}, {{"Bar", "2"}, {"Foo", "1"}}));
}

TEST(SecondaryKey, DiffersWhereTheAnswerMay) {
  const std::vector<std::string> foo{"foo"};
  EXPECT_NE(key(foo, {{"Foo", "1"}}), key(foo, {{"Foo", "2"}}));
  EXPECT_NE(key(foo, {}), key(foo, {{"Foo", ""}})) << "absent is not empty";
  EXPECT_NE(key(foo, {{"Foo", "a"}}), key(foo, {{"Foo", "A"}}));
  EXPECT_NE(key(foo, {{"Foo", "\"a , b\""}}), key(foo, {{"Foo", "\"a,b\""}})) << "quoted text is left alone";
  EXPECT_NE(key(foo, {{"Foo", "a b"}}), key(foo, {{"Foo", "ab"}}));
  const std::vector<std::string> two{"bar", "foo"};
  EXPECT_NE(key(two, {{"Foo", "1"}}), key(two, {{"Bar", "1"}}));
  EXPECT_NE(key(two, {{"Bar", "1"}, {"Foo", ""}}), key(two, {{"Bar", "1"}}));
}

TEST(SecondaryKey, AppendsAndLeavesWhatStoodThere) {
  EXPECT_TRUE(key({"foo"}, {{"Foo", "1"}}).starts_with("before|"));
  std::string trailing = "keep  ";
  append_secondary_key({"foo"}, fields({{"Foo", ", x"}}), trailing);
  EXPECT_TRUE(trailing.starts_with("keep  "));
}

TEST(SecondaryKey, AcceptEncodingIsReducedToTheCodingsAcceptedAndTheirOrder) {
  const std::vector<std::string> names{"accept-encoding"};
  EXPECT_EQ(key(names, {{"Accept-Encoding", "gzip, br;q=0"}}), key(names, {{"Accept-Encoding", "br;q=0,gzip"}}));
  EXPECT_NE(key(names, {{"Accept-Encoding", "gzip, xz"}}), key(names, {{"Accept-Encoding", "GZIP"}}))
      << "an origin may know codings that we do not";
  EXPECT_NE(key(names, {{"Accept-Encoding", "gzip;q=0.5, br"}}), key(names, {{"Accept-Encoding", "gzip, br;q=0.5"}}));
  EXPECT_NE(key(names, {{"Accept-Encoding", "gzip;q=x"}}), key(names, {{"Accept-Encoding", "gzip"}}));
  EXPECT_NE(key(names, {{"Accept-Encoding", ""}}), key(names, {})) << "no field accepts every coding";
  EXPECT_NE(key(names, {{"Accept-Encoding", "gzip"}}), key(names, {{"Accept-Encoding", "br"}}));
  EXPECT_NE(key(names, {{"Accept-Encoding", "gzip"}}), key(names, {}));
}

TEST(SecondaryKey, AcceptLanguageIgnoresOrderCaseAndSpaceButNotWeight) {
  const std::vector<std::string> names{"accept-language"};
  const auto language = [&](std::string_view value) { return key(names, {{"Accept-Language", value}}); };
  EXPECT_EQ(language("en, de"), language("de, en"));
  EXPECT_EQ(language("en, de"), language("eN, De"));
  EXPECT_EQ(language("en, de"), language(" en ,   de"));
  EXPECT_EQ(language("en;q=0.50, de"), language("de;q=1, en; Q=0.5"));
  EXPECT_EQ(language("en, en, de"), language("en, de"));
  EXPECT_NE(language("en, de;q=0.5"), language("de, en;q=0.5"));
  EXPECT_NE(language("en, de"), language("en"));
  EXPECT_NE(language("en"), language("en-GB"));
  EXPECT_NE(language("en;q=0.5"), language("en;500")) << "nobody can send a normal form";
  EXPECT_NE(language("en;q=x"), language("en"));
}

TEST(SecondaryKey, ManyLanguagesAreTakenAsWritten) {
  std::string many, reversed;
  for (int i = 0; i < 40; ++i) {
    const std::string tag = "x" + std::to_string(i);
    many += tag + ", ";
    reversed = tag + ", " + reversed;
  }
  const std::vector<std::string> names{"accept-language"};
  EXPECT_NE(key(names, {{"Accept-Language", many}}), key(names, {{"Accept-Language", reversed}}));
  EXPECT_EQ(key(names, {{"Accept-Language", many}}), key(names, {{"Accept-Language", many}}));
}

}  // namespace
}  // namespace forebay::rules
