#include "forebay/rules/tags.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "heads.hpp"

namespace forebay::rules {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

std::vector<std::string> read(const std::vector<std::pair<std::string, std::string>>& lines, std::size_t most = 64,
                              std::size_t* dropped = nullptr) {
  http::Fields fields;
  for (const auto& [name, value] : lines) fields.add(name, value);
  TagList tags(most);
  tags.read(fields, {"Cache-Tag", "Surrogate-Key"});
  if (dropped) *dropped = tags.dropped();
  return tags.all();
}

TEST(Tags, CommasAndBlanksSeparateThemInEachFieldAndLine) {
  EXPECT_THAT(read({{"Cache-Tag", "a,b , c"}}), ElementsAre("a", "b", "c"));
  EXPECT_THAT(read({{"Cache-Tag", "a b"}, {"cache-tag", "c"}}), ElementsAre("a", "b", "c"));
  EXPECT_THAT(read({{"Surrogate-Key", "  a\tb, c,,  "}}), ElementsAre("a", "b", "c"));
  EXPECT_THAT(read({{"Surrogate-Key", "/items, /items/1"}}), ElementsAre("/items", "/items/1"));
  EXPECT_THAT(read({{"Cache-Tag", ""}, {"Surrogate-Key", " , "}, {"xkey", "a"}}), IsEmpty());
}

TEST(Tags, EachCountsOnceAndCaseMatters) {
  std::size_t dropped = 0;
  EXPECT_THAT(read({{"Cache-Tag", "a, A, a"}, {"Surrogate-Key", "A b"}}, 3, &dropped), ElementsAre("a", "A", "b"));
  EXPECT_EQ(dropped, 0u);
}

TEST(Tags, WhatIsBeyondTheMostIsCountedAndNotKept) {
  std::size_t dropped = 0;
  EXPECT_THAT(read({{"Cache-Tag", "a b c d c a"}}, 2, &dropped), ElementsAre("a", "b"));
  EXPECT_EQ(dropped, 3u);
  EXPECT_THAT(read({{"Cache-Tag", "a"}}, 0, &dropped), IsEmpty());
  EXPECT_EQ(dropped, 1u);
}

TEST(Tags, ATagHasAnyBytesButControlBytesUpToALength) {
  EXPECT_TRUE(is_tag("caf\xC3\xA9"));
  EXPECT_TRUE(is_tag("\xFF"));
  EXPECT_TRUE(is_tag("two words"));
  EXPECT_FALSE(is_tag(""));
  EXPECT_FALSE(is_tag("a\x01"));
  EXPECT_FALSE(is_tag("a\x7F"));
  EXPECT_TRUE(is_tag(std::string(kLongestTag, 'x')));
  EXPECT_FALSE(is_tag(std::string(kLongestTag + 1, 'x')));
  std::size_t dropped = 0;
  EXPECT_THAT(read({{"Cache-Tag", "a " + std::string(kLongestTag + 1, 'x') + " b"}}, 64, &dropped),
              ElementsAre("a", "b"));
  EXPECT_EQ(dropped, 1u);
}

std::vector<std::string> groups(std::initializer_list<const char*> lines) {
  http::Fields fields;
  for (const auto* line : lines) fields.add("Cache-Groups", line);
  return read_groups(fields, "Cache-Groups");
}

TEST(Groups, AreTheStringsOfAList) {
  EXPECT_THAT(groups({"\"a\", \"b c\""}), ElementsAre("a", "b c"));
  EXPECT_THAT(groups({"\"a\";x=1", "\"b\", \"a\""}), ElementsAre("a", "b"));
  EXPECT_THAT(groups({"\"a\", token, 1, (\"b\"), \"\""}), ElementsAre("a"));
  EXPECT_THAT(groups({"\"a\", b c"}), IsEmpty()) << "no list";
  EXPECT_THAT(groups({}), IsEmpty());
}

TEST(Groups, ManyAndLongOnesAreRead) {
  std::string line;
  for (int i = 0; i < 200; ++i) line += (i == 0 ? "\"" : ", \"") + std::to_string(100 + i) + std::string(61, 'g') + '"';
  EXPECT_THAT(groups({line.c_str()}), SizeIs(kMostGroups));
}

TEST(Groups, TheirNamesAreThoseOfNoTagAndNoOtherOrigin) {
  const auto name = group_tag("https", "a.test", "g");
  EXPECT_FALSE(is_tag(name));
  EXPECT_NE(name, group_tag("http", "a.test", "g"));
  EXPECT_NE(name, group_tag("https", "b.test", "g"));
  EXPECT_EQ(name, "cache-group https://a.test g");
}

}  // namespace
}  // namespace forebay::rules
