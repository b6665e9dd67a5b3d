#include "forebay/http/cookie.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace forebay::http {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Of Cookie lines: pairs as `name=value`, or `name` alone.
std::vector<std::string> cookies(const std::vector<std::string>& lines) {
  std::vector<Field> fields{{"X-Cookie", "no=cookie", FieldId::Other}};
  for (const auto& line : lines) fields.push_back({"Cookie", line, FieldId::Cookie});
  fields.push_back({"Set-Cookie", "not=this", FieldId::SetCookie});
  std::vector<std::string> out;
  for_each_cookie(FieldsView(fields), [&out](const CookiePair& pair) {
    EXPECT_TRUE(pair.has_value || pair.value.empty());
    out.push_back(std::string(pair.name) + (pair.has_value ? "=" + std::string(pair.value) : ""));
  });
  return out;
}

TEST(Cookie, PairsComeInOrderFromAllLines) {
  EXPECT_THAT(cookies({"a=1; b=2", "c=3"}), ElementsAre("a=1", "b=2", "c=3"));
  EXPECT_THAT(cookies({"b=2; a=1; b=1"}), ElementsAre("b=2", "a=1", "b=1"));
  EXPECT_THAT(cookies({}), IsEmpty());
}

TEST(Cookie, BlanksAndEmptyPiecesAreNothing) {
  EXPECT_THAT(cookies({""}), IsEmpty());
  EXPECT_THAT(cookies({";; ;\t;"}), IsEmpty());
  EXPECT_THAT(cookies({"  a = 1 ;b=2;;\tc=3;  "}), ElementsAre("a=1", "b=2", "c=3"));
}

TEST(Cookie, ANameWithoutAValueIsUnlikeAnEmptyValue) {
  EXPECT_THAT(cookies({"a; b=; =c; ="}), ElementsAre("a", "b=", "=c", "="));
}

TEST(Cookie, AValueStandsAsSent) {
  EXPECT_THAT(cookies({"a=b=c; q=\"x y\"; e=%20,+; A=1"}), ElementsAre("a=b=c", "q=\"x y\"", "e=%20,+", "A=1"));
  // A quoted value does not protect a semicolon (RFC 6265 section 4.1.1 has none in values).
  EXPECT_THAT(cookies({"q=\"x;y\""}), ElementsAre("q=\"x", "y\""));
}

}  // namespace
}  // namespace forebay::http
