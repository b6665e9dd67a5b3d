#include "forebay/content/form.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

namespace forebay::content {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

Pairs read(std::string_view content) {
  std::string buffer;
  std::vector<FormField> fields;
  if (!read_form(content, buffer, fields)) return {{"refused", ""}};
  Pairs pairs;
  for (const auto& field : fields) pairs.emplace_back(field.name, field.value);
  return pairs;
}

TEST(Form, FieldsComeDecodedAndInTheirOrder) {
  struct Row {
    std::string_view content;
    Pairs fields;
  };
  const Row rows[] = {
      {"", {}},
      {"a=1&b=2", {{"a", "1"}, {"b", "2"}}},
      {"b=2&a=1&b=1", {{"b", "2"}, {"a", "1"}, {"b", "1"}}},
      {"a", {{"a", ""}}},
      {"a=", {{"a", ""}}},
      {"=", {{"", ""}}},
      {"=v", {{"", "v"}}},
      {"a=b=c", {{"a", "b=c"}}},
      {"&&a=1&&", {{"a", "1"}}},
      {"a+b=c+d", {{"a b", "c d"}}},
      {"a%20b=c%20d", {{"a b", "c d"}}},
      {"a=%2B%26%3D%25", {{"a", "+&=%"}}},
      {"a=%41%7a%c3%A9", {{"a", "Az\xC3\xA9"}}},
      {"a=%2541", {{"a", "%41"}}},
      {"a=1;b=2", {{"a", "1;b=2"}}},
      {"a=\xC3\xA9|", {{"a", "\xC3\xA9|"}}},
      {"a=%00", {{"a", std::string(1, '\0')}}},
      {"%61=1", {{"a", "1"}}},
  };
  for (const Row& r : rows) EXPECT_EQ(read(r.content), r.fields) << r.content;
}

TEST(Form, APercentWithoutTwoHexDigitsIsRefused) {
  for (const char* content :
       {"a=%", "a=%4", "a=%4g", "a=%g4", "a=%%41", "%=1", "%4=1", "a=%u0041", "b=1&a=%&c=2", "a=%+1", "a=% 1"})
    EXPECT_EQ(read(content), (Pairs{{"refused", ""}})) << content;
}

TEST(Form, BuffersAreUsedAgain) {
  std::string buffer;
  std::vector<FormField> fields;
  ASSERT_TRUE(read_form("a=1&b=2&c=some%20longer%20value%20than%20fits%20in%20place", buffer, fields));
  const auto* const bytes = buffer.data();
  ASSERT_TRUE(read_form("x=9", buffer, fields));
  EXPECT_EQ(buffer.data(), bytes);
  ASSERT_EQ(fields.size(), 1U);
  EXPECT_EQ(fields[0].name, "x");
  EXPECT_EQ(fields[0].value, "9");
}

TEST(Form, ATextIsDecodedBehindWhatIsThere) {
  std::string out = "x";
  EXPECT_TRUE(append_form_decoded("+%41", out));
  EXPECT_EQ(out, "x A");
  EXPECT_FALSE(append_form_decoded("%4", out));
}

TEST(Form, FieldsTellHowTheyWereSent) {
  std::string buffer;
  std::vector<FormField> fields;
  ASSERT_TRUE(read_form("a=x+y&&%61;b&c=", buffer, fields));
  ASSERT_EQ(fields.size(), 3U);
  EXPECT_EQ(fields[0].sent, "a=x+y");
  EXPECT_EQ(fields[1].sent, "%61;b");
  EXPECT_EQ(fields[1].name, "a;b");
  EXPECT_EQ(fields[2].sent, "c=");
}

}  // namespace
}  // namespace forebay::content
