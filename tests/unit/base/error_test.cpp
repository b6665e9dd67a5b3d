#include "forebay/base/error.hpp"

#include <gtest/gtest.h>

namespace forebay {
namespace {

TEST(Errc, ConvertsToAnErrorCodeThatKnowsItsWords) {
  const std::error_code code = Errc::TooLarge;
  EXPECT_EQ(code.category(), forebay_category());
  EXPECT_EQ(code.message(), "too large");
  EXPECT_EQ(code, Errc::TooLarge);
  EXPECT_NE(code, Errc::TooMany);
}

TEST(Errc, EveryOneHasWordsOfItsOwn) {
  for (int i = 1; i <= static_cast<int>(Errc::Cancelled); ++i) {
    EXPECT_NE(to_string(static_cast<Errc>(i)), "unknown error") << i;
    for (int j = 1; j < i; ++j) EXPECT_NE(to_string(static_cast<Errc>(i)), to_string(static_cast<Errc>(j)));
  }
  EXPECT_EQ(to_string(static_cast<Errc>(999)), "unknown error");
}

TEST(Result, HoldsAValueOrTheReason) {
  const Result<int> good = 7, bad = Errc::Malformed;
  EXPECT_EQ(*good, 7);
  EXPECT_EQ(bad.error(), Errc::Malformed);
  EXPECT_THROW((void)bad.value(), std::system_error);
}

}  // namespace
}  // namespace forebay
