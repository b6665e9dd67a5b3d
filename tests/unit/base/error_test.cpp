#include "forebay/base/error.hpp"

#include <gtest/gtest.h>

namespace forebay {
namespace {

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
  try {
    (void)bad.value();
    FAIL() << "nobody looked whether there is a value";
  } catch (const std::runtime_error& e) {
    EXPECT_STREQ(e.what(), "malformed");
  }
}

}  // namespace
}  // namespace forebay
