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

std::string readings(std::string_view name) {
  std::string buffer = "what was there before", out;
  for (const auto reading : NameReadings(name, buffer)) out.append(out.empty() ? "" : " | ").append(reading);
  return out;
}

TEST(NameReadings, AreAllThatReadersMakeOfAName) {
  const std::pair<const char*, const char*> rows[] = {
      {"lang", "lang"},
      {"", ""},
      {"a-b_c~d;e", "a-b_c~d;e"},
      {"%24filter", "%24filter | $filter"},
      {"%6c+", "%6c+ | l  | l_"},
      {"%zz%4", "%zz%4 | %zz%4"},
      {"f%5Bx%5D", "f%5Bx%5D | f[x] | f | f_x] | f"},
      {"f[]", "f[] | f[] | f | f_] | f"},
      {"f[x][y]", "f[x][y] | f[x][y] | f | f[x] | f_x]_y] | f"},
      {"a.b", "a.b | a.b | a_b"},
      {"a.b[c]", "a.b[c] | a.b[c] | a.b | a_b_c] | a_b"},
      {"+lang", "+lang |  lang | lang"},
      {"+", "+ |   | "},
      {"a[b", "a[b | a[b | a | a_b | a"},
      {"[", "[ | [ |  | _ | "},
  };
  for (const auto& [name, all] : rows) EXPECT_EQ(readings(name), all) << name;
}

std::vector<std::string> names_in(std::string_view piece) {
  std::vector<std::string> names;
  EXPECT_FALSE(any_name_between_semicolons(piece, [&](std::string_view name) {
    names.emplace_back(name);
    return false;
  }));
  return names;
}

TEST(Semicolons, SeparateForSomeReaders) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(names_in("a=1"), Names{}) << "without one there is nothing that others do not see";
  EXPECT_EQ(names_in("a%3Bb=1"), Names{});
  EXPECT_EQ(names_in("a=1;b=2;c"), (Names{"a", "b", "c"}));
  EXPECT_EQ(names_in(";;a;"), Names{"a"});
  EXPECT_EQ(names_in("a;=x"), (Names{"a", ""}));
  EXPECT_TRUE(any_name_between_semicolons("a=1;b=2", [](std::string_view name) { return name == "b"; }));
}

}  // namespace
}  // namespace forebay::content
