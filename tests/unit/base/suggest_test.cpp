#include "forebay/base/suggest.hpp"

#include <gtest/gtest.h>

namespace forebay {
namespace {

TEST(Suggest, ATransposedPairIsOneEdit) {
  EXPECT_EQ(edit_distance("chekc", "check"), 1U);
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
  EXPECT_EQ(edit_distance("same", "same"), 0U);
}

TEST(Suggest, OnlyWhatIsNearIsSuggested) {
  const std::vector<std::string_view> words{"--listen", "--origin", "--ttl", "--set"};
  EXPECT_EQ(nearest("--lisen", words), "--listen");
  EXPECT_EQ(nearest("--orgiin", words), "--origin");
  EXPECT_EQ(nearest("--tll", words), "--ttl");
  EXPECT_EQ(nearest("--frobnicate", words), std::nullopt);
}

TEST(Suggest, IsTheNearestWithinAThirdInSnakeCase) {
  const std::vector<std::string_view> words{"ttl", "stale", "methods", "max_object"};
  EXPECT_EQ(nearest("tll", words), "ttl");
  EXPECT_EQ(nearest("methdos", words), "methods");
  EXPECT_EQ(nearest("maxObject", words), "max_object");
  EXPECT_EQ(nearest("max-object", words), "max_object");
  EXPECT_EQ(nearest("zebra", words), std::nullopt);
  EXPECT_EQ(nearest("", words), std::nullopt);
  EXPECT_EQ(edit_distance("ab", "ba"), 1u);
}

}  // namespace
}  // namespace forebay
