#include "forebay/base/noticed.hpp"

#include <gtest/gtest.h>

namespace forebay {
namespace {

TEST(Noticed, EachKeyIsNewOnce) {
  Noticed noticed;
  for (const std::uint64_t key : {0, 1, 77}) {
    EXPECT_TRUE(noticed.first(key)) << key;
    EXPECT_FALSE(noticed.first(key)) << key;
  }
}

TEST(Noticed, NothingIsNewWhenItIsFull) {
  Noticed noticed;
  for (std::uint64_t key = 1; key <= Noticed::kMost; ++key) EXPECT_TRUE(noticed.first(key)) << key;
  EXPECT_FALSE(noticed.first(Noticed::kMost + 1));
  EXPECT_FALSE(noticed.first(1));
}

}  // namespace
}  // namespace forebay
