#include "forebay/content/media_type.hpp"

#include <gtest/gtest.h>

#include <string>

namespace forebay::content {
namespace {

TEST(MediaType, TheEssenceIsTypeAndSubtype) {
  EXPECT_EQ(essence("text/html"), "text/html");
  EXPECT_EQ(essence(" Text/HTML ; charset=utf-8"), "Text/HTML");
  EXPECT_EQ(essence("text/html;a=b;c"), "text/html");
  EXPECT_EQ(essence(""), "");
  EXPECT_EQ(essence(";a=b"), "");
}

TEST(MediaType, TypesAreComparedInAnyCase) {
  EXPECT_TRUE(is_type("Application/GraphQL; charset=utf-8", "application/graphql"));
  EXPECT_TRUE(is_type("\tapplication/graphql", "application/graphql"));
  EXPECT_FALSE(is_type("application/graphql+json", "application/graphql"));
  EXPECT_FALSE(is_type("application/graph", "application/graphql"));
  EXPECT_FALSE(is_type("", "application/graphql"));
}

TEST(MediaType, JsonHasThreeForms) {
  for (const char* type : {"application/json", "Application/JSON", "text/json", "application/json; charset=utf-8",
                           "application/vnd.api+json", "application/problem+JSON;x",
                           "application/graphql-response+json", "application/x-amz-json+json"})
    EXPECT_TRUE(is_json(type)) << type;
  for (const char* type :
       {"", "json", "+json", "/json", "application/", "application/+json", "/a+json", "text/ +json", "a/b/c+json",
        "text /a+json", "application/jsonp", "application/x-json", "application/json-seq", "application/x-ndjson",
        "text/html", "a+json", "text/plain; x=application/json", "application/x-amz-json-1.0"})
    EXPECT_FALSE(is_json(type)) << type;
}

std::string normal(std::string_view type) {
  std::string out = "|";
  const auto charset = append_normal_type(out, type);
  if (charset) return out.substr(1);
  EXPECT_EQ(charset.error(), Errc::Malformed);
  return "refused";
}

TEST(MediaType, TheNormalFormChangesNothingThatReadersTellApart) {
  const std::pair<const char*, const char*> rows[] = {
      {"text/html", "text/html"},
      {"text/HTML", "text/html"},
      {"\ttext/html ", "text/html"},
      {" Text/Html ;\tCharset=UTF-8 ", "text/html;charset=utf-8"},
      {"a/b; X=\"Quoted Text\" ; Y=Z", "a/b;x=\"Quoted Text\";y=Z"},
      {"multipart/form-data; boundary=AbC", "multipart/form-data;boundary=AbC"},
      {R"(a/b;x="A\" B";C=d)", R"(a/b;x="A\" B";c=d)"},
      {"a/b;CHARSET=\"UTF-8\"", "a/b;charset=\"utf-8\""},
      {"a/b;", "a/b;"},
      {"a/b ; ; c=d;", "a/b;;c=d;"},
      {"a/b;x=\"\"", "a/b;x=\"\""},
      {"a/b;x=\"\xC3\xA9\t\"", "a/b;x=\"\xC3\xA9\t\""},
      {"!#$%&'*+-.^_`|~/0", "!#$%&'*+-.^_`|~/0"},
  };
  for (const auto& [type, form] : rows) {
    EXPECT_EQ(normal(type), form) << type;
    EXPECT_EQ(normal(form), form) << "of " << type;
  }
}

TEST(MediaType, WhatIsNoneByTheLetterIsRefused) {
  for (const char* type : {"",
                           " ",
                           "/",
                           "text",
                           "text/",
                           "/html",
                           "application/ json",
                           "application /json",
                           "application / json",
                           "text/html text",
                           "text/html, text/plain",
                           "a/b/c",
                           "a/b;c",
                           "a/b;c=",
                           "a/b;=d",
                           "a/b;c =d",
                           "a/b;c= d",
                           "a/b;c=d e",
                           "a/b;c=\"open",
                           "a/b;c=\"open\\\"",
                           "a/b;c=\"\\",
                           "a/b;c=\"d\"e",
                           "a/b;c=d\"e\"",
                           "a/b;c=\"\x01\"",
                           "a/b;c=\"\x7f\"",
                           "a/b;c=d,e",
                           "a/b;c=d;e",
                           "\"a\"/b",
                           "a/b;c=\xC3\xA9",
                           "\xC3/b",
                           "a/b c=d",
                           "a/b\v;c=d"})
    EXPECT_EQ(normal(type), "refused") << type;
}

TEST(MediaType, TellsItsCharset) {
  const std::pair<const char*, Charset> rows[] = {
      {"a/b", Charset::Unsaid},
      {"a/b;x=utf-7;charset2=utf-7", Charset::Unsaid},
      {"a/b;charset=utf-8", Charset::Utf8},
      {"a/b; Charset=\"UTF-8\"", Charset::Utf8},
      {"a/b;charset=US-ASCII", Charset::Ascii},
      {"a/b;charset=utf-7", Charset::Other},
      {"a/b;charset=utf8", Charset::Other},
      {"a/b;charset=utf-16", Charset::Other},
      {"a/b;charset=\"\"", Charset::Other},
      {"a/b;charset=utf-8;charset=utf-8", Charset::Other},
      {"a/b;charset=utf-8;x=y;charset=utf-7", Charset::Other},
  };
  for (const auto& [type, charset] : rows) {
    std::string out;
    const auto told = append_normal_type(out, type);
    ASSERT_TRUE(told.has_value()) << type;
    EXPECT_EQ(*told, charset) << type;
  }
}

}  // namespace
}  // namespace forebay::content
