#include "forebay/base/base64.hpp"

#include <gtest/gtest.h>

namespace forebay {
namespace {

TEST(Base64, IsThatOfRfc4648) {
  for (const auto& [plain, coded] : {std::pair<std::string, std::string>{"", ""},
                                     {"f", "Zg=="},
                                     {"fo", "Zm8="},
                                     {"foo", "Zm9v"},
                                     {"foob", "Zm9vYg=="},
                                     {"fooba", "Zm9vYmE="},
                                     {"foobar", "Zm9vYmFy"}}) {
    EXPECT_EQ(to_base64(plain), coded);
    EXPECT_EQ(from_base64(coded), plain);
  }
  EXPECT_EQ(from_base64("Zg"), "f");
  for (const auto* bad : {"Z", "Zg=", "Zh==", "Zg===", "Zm9v=", "Zm 9v", "Zm9-", "="})
    EXPECT_FALSE(from_base64(bad)) << bad;
  EXPECT_EQ(from_base64("Zh==", StrayBits::Ignored), "f");
  EXPECT_FALSE(from_base64("Z", StrayBits::Ignored));
}

}  // namespace
}  // namespace forebay
