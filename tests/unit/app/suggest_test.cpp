#include "app/suggest.hpp"

#include <gtest/gtest.h>

namespace forebay::app {
namespace {

TEST(Suggest, ATransposedPairIsOneEdit) {
  EXPECT_EQ(edit_distance("chekc", "check"), 1U);
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
  EXPECT_EQ(edit_distance("same", "same"), 0U);
}

TEST(Suggest, OnlyWhatIsNearIsSuggested) {
  const std::vector<std::string> words{"--listen", "--origin", "--ttl", "--set"};
  EXPECT_EQ(nearest("--lisen", words), "--listen");
  EXPECT_EQ(nearest("--orgiin", words), "--origin");
  EXPECT_EQ(nearest("--tll", words), "--ttl");
  EXPECT_EQ(nearest("--frobnicate", words), std::nullopt);
}

}  // namespace
}  // namespace forebay::app
