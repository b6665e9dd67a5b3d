#include "cache/glob.hpp"

#include <gtest/gtest.h>

#include <random>

#include "forebay/http/list.hpp"

namespace forebay::cache {
namespace {

TEST(Glob, AStarIsAnyText) {
  EXPECT_TRUE(Glob("/a").matches("/a"));
  EXPECT_FALSE(Glob("/a").matches("/ab"));
  EXPECT_TRUE(Glob("").matches(""));
  EXPECT_TRUE(Glob("*").matches(""));
  EXPECT_TRUE(Glob("**").matches("x"));
  EXPECT_TRUE(Glob("/img/*.jpg").matches("/img/a/b.jpg"));
  EXPECT_FALSE(Glob("/img/*.jpg").matches("/img/a.png"));
  EXPECT_FALSE(Glob("aba*ba").matches("aba")) << "begin and end share nothing";
  EXPECT_TRUE(Glob("*aab*").matches("aaab"));
  EXPECT_TRUE(Glob("*ab*ab*").matches("abab"));
  EXPECT_FALSE(Glob("*ab*ab*").matches("aba"));
}

TEST(Glob, IsWhatTheGeneralOneIs) {
  std::mt19937 random(7);
  const auto text = [&](const char* from, std::size_t letters, std::size_t longest) {
    std::string made(random() % (longest + 1), ' ');
    for (auto& c : made) c = from[random() % letters];
    return made;
  };
  int matched = 0;
  for (int i = 0; i < 200'000; ++i) {
    const auto pattern = text("ab*", 3, 8), subject = text("ab", 2, 12);
    const bool expected = http::glob_match(pattern, subject);
    matched += expected;
    ASSERT_EQ(Glob(pattern).matches(subject), expected) << pattern << " and " << subject;
  }
  EXPECT_GT(matched, 1000);
}

// Without it this takes minutes.
TEST(Glob, LongTextsThatNearlyFitTakeNoLonger) {
  const std::string text(16'384, 'a');
  const Glob glob("/*" + std::string(500, 'a') + "b*" + std::string(500, 'a') + "b");
  const Glob other("*" + std::string(1000, 'a') + "b*");
  for (int i = 0; i < 200; ++i) {
    EXPECT_FALSE(glob.matches("/" + text));
    EXPECT_FALSE(other.matches(text));
  }
}

}  // namespace
}  // namespace forebay::cache
