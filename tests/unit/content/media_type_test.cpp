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

TEST(MediaType, TheNormalFormIsLowerCaseAndWithoutBlanks) {
  struct Row {
    const char* type;
    const char* normal;
  };
  const Row rows[] = {
      {"", ""},
      {"text/HTML", "text/html"},
      {" Text/Html ;\tCharset = UTF-8 ", "text/html;charset=utf-8"},
      {"a/b; X=\"Quoted Text\"; Y=Z", "a/b;x=\"Quoted Text\";y=z"},
      {R"(a/b;x="A\" B";C)", R"(a/b;x="A\" B";c)"},
      {"a/b;x=\"Open End", "a/b;x=\"Open End"},
      {"a/b;x=\"\\", "a/b;x=\"\\"},
  };
  for (const Row& r : rows) {
    std::string out = "|";
    append_normal_type(out, r.type);
    EXPECT_EQ(out, std::string("|") + r.normal) << r.type;
  }
}

}  // namespace
}  // namespace forebay::content
