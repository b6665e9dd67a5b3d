#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "forebay/content/graphql.hpp"

namespace forebay::content {
namespace {

std::string normal(std::string_view text) {
  GraphqlDocument document;
  const auto done = read_graphql(text, document);
  if (done) return document.normal;
  EXPECT_EQ(done.error(), Errc::Malformed);
  return "refused";
}

GraphqlDocument document(std::string_view text) {
  GraphqlDocument out;
  EXPECT_TRUE(read_graphql(text, out)) << text;
  return out;
}

TEST(GraphqlDocument, WhatIsInsignificantGoes) {
  struct Row {
    std::string_view text;
    const char* normal;
  };
  const Row rows[] = {
      {"{ a }", "{a}"},
      {"\xEF\xBB\xBF{\t a ,\r\n b \r c,,, # a comment { \" \n d }\n# end", "{a b c d}"},
      {"{ a \xEF\xBB\xBF b }", "{a b}"},
      {"query { a }", "query{a}"},
      {"query Q ( $a : Int = 1 , $b : [ S ! ] ! ) @ d ( x : 2 ) { f ( a : $a ) }",
       "query Q($a:Int=1$b:[S!]!)@d(x:2){f(a:$a)}"},
      {"{ alias : field @ include ( if : true ) { ... F ... on T { x } ... { y } ... @ skip ( if : $s ) { z } } }",
       "{alias:field@include(if:true){...F...on T{x}...{y}...@skip(if:$s){z}}}"},
      {"fragment F on T @d { a } query { ...F }", "fragment F on T@d{a}query{...F}"},
      {"{ f(a: 1, b: -2, c: 1.5e+10, d: 0, e: -0.0E1) }", "{f(a:1 b:-2 c:1.5e+10 d:0 e:-0.0E1)}"},
      {"{ f(l: [1 2 -3 4.0 a B null true $v]) }", "{f(l:[1 2 -3 4.0 a B null true$v])}"},
      {"{ f(o: {a: 1, b: {c: [\"x\", \"y\"]}}) }", "{f(o:{a:1 b:{c:[\"x\" \"y\"]}})}"},
      {"{ f(l: [\"\" \"a\" \"\"\"b\"\"\" \"\"]) }", "{f(l:[\"\" \"a\" \"\"\"b\"\"\" \"\"])}"},
      {"{ f(l: [1 ...]) }", "{f(l:[1 ...])}"},
      // Strings stand as written: blanks, commas and hashes in them, escapes, quotes.
      {R"({ f(s: " a,  # \" \\ \u00e9 \u{1F600} ") })", R"({f(s:" a,  # \" \\ \u00e9 \u{1F600} ")})"},
      {"{ f(s: \"\"\" a\n  , # \"b\" \"\"c \\\"\"\" \\x \r\n\"\"\") }",
       "{f(s:\"\"\" a\n  , # \"b\" \"\"c \\\"\"\" \\x \r\n\"\"\")}"},
      {"{ f(s: \"\xC3\xA9\xF0\x9F\x98\x80\t\x7F\") } # \xE2\x82\xAC", "{f(s:\"\xC3\xA9\xF0\x9F\x98\x80\t\x7F\")}"},
      // Names that are words elsewhere.
      {"query query { query mutation on fragment }", "query query{query mutation on fragment}"},
      {"query mutation { a }", "query mutation{a}"},
      {"fragment query on on { a } { a }", "fragment query on on{a}{a}"},
      {"{a}{b}query C{c}", "{a}{b}query C{c}"},
      {"{_ __typename _1}", "{_ __typename _1}"},
      {"{a&b|c!}", "{a&b|c!}"},
  };
  for (const Row& r : rows) {
    EXPECT_EQ(normal(r.text), r.normal) << r.text;
    EXPECT_EQ(normal(r.normal), r.normal);
  }
}

TEST(GraphqlDocument, WhatIsNoListOfExecutableDefinitionsIsRefused) {
  using std::string_view_literals::operator""sv;
  const std::string_view rows[] = {
      // no operation
      "",
      " ",
      "#",
      ",",
      "\xEF\xBB\xBF",
      "fragment F on T { a }",
      "query",
      "query Q",
      "a",
      "\"a\"",
      "1",
      "[a]",
      "(a)",
      "$a",
      "@d {a}",
      // brackets
      "{",
      "}",
      "{a",
      "{a}}",
      "{a]",
      "{(})",
      "{a(b: [1)]}",
      "query(",
      "query($a:Int {a}",
      "query($a:[Int}) {a}",
      "{a)",
      "{a}{",
      "query {a",
      // unknown tokens
      "{a ? b}",
      "{a; b}",
      "{a.b}",
      "{a..b}",
      "{..a}",
      "{%}",
      "{a*}",
      "{'a'}",
      "{`a`}",
      "{a/b}",
      "{a\\b}",
      "{~}",
      "{a+1}",
      "{^}",
      "{<a>}",
      "{\xC3\xA9}",
      "{a\xC2\xA0}",
      "{a\0}"sv,
      "{a\x01}",
      "{a\x0B}",
      "{a\x0C}",
      "{a\x7F}",
      "{a \xFE\xFF}",
      "{a}\0"sv,
      // numbers
      "{f(a:01)}",
      "{f(a:1.)}",
      "{f(a:.5)}",
      "{f(a:-)}",
      "{f(a:1e)}",
      "{f(a:1e+)}",
      "{f(a:1x)}",
      "{f(a:1.5x)}",
      "{f(a:0xF)}",
      "{f(a:1.2.3)}",
      "{f(a:1_0)}",
      "{f(a:-a)}",
      "{f(a:00)}",
      "{f(a:1...)}",
      "{f(a:1.0.)}",
      "{f(a:+1)}",
      "{f(a:--1)}",
      // strings
      "{f(a:\")}",
      "{f(a:\"a)}",
      "{f(a:\"a\nb\")}",
      "{f(a:\"a\rb\")}",
      "{f(a:\"\\\")}",
      "{f(a:\"\\x\")}",
      "{f(a:\"\\u12\")}",
      "{f(a:\"\\u12G4\")}",
      "{f(a:\"\\u{}\")}",
      "{f(a:\"\\u{12\")}",
      "{f(a:\"\\u{xy}\")}",
      "{f(a:\"\x01\")}",
      "{f(a:\"\0\")}"sv,
      "{f(a:\"\"\")}",
      "{f(a:\"\"\"a\"\")}",
      "{f(a:\"\"\"a\\\"\"\")}",
      "{f(a:\"\"\"\x02\"\"\")}",
      "{f(a:\"\"\"\"\")}",
      "{f(a:\"\\",
      // invalid UTF-8, in strings and in comments
      "{f(a:\"\xFF\")}",
      "{f(a:\"\xC0\x80\")}",
      "{f(a:\"\xED\xA0\x80\")}",
      "{f(a:\"\xF4\x90\x80\x80\")}",
      "{f(a:\"\xC3\")}",
      "{f(a:\"\"\"\x80\"\"\")}",
      "{a} # \xFF",
      "{a} # \xE2\x82",
      "{a} # \x01\n",
      "{a} #\0\n"sv,
      "\xEF\xBB{a}",
      "{f(a:\"\xE2\x82",
      // something else at the top
      "type T { a: Int }",
      "schema { query: Q }",
      "extend type T { a: Int }",
      "scalar S",
      "directive @d on FIELD",
      "input I { a: Int }",
      "enum E { A }",
      "union U = A",
      "interface I { a: Int }",
      "{a} type T { a: Int }",
      "\"description\" type T { a: Int }",
      "\"description\" query { a }",
      "Query { a }",
      "QUERY { a }",
      "queries { a }",
      "query, Q, R { a }",
      // heads that are none
      "query Q Q2 { a }",
      "query 1 { a }",
      "query { a } b",
      "query Q [a] { a }",
      "query Q : T { a }",
      "query @ { a }",
      "query @d (x: 1)",
      "query @d d { a }",
      "query Q mutation { a }",
      "query Q query R { a }",
      "query ($a: Int) ($b: Int) { a }",
      "query @d ($a: Int) @e(",
      "{a} fragment F { a }",
      "{a} fragment on on T { a }",
      "{a} fragment F of T { a }",
      "{a} fragment F on { a }",
      "{a} fragment F on T",
      "{a} fragment F on T U { a }",
      "{a} fragment F ($a: Int) on T { a }",
      "mutation",
      "subscription S",
      "query $a { a }",
      "query ! { a }",
  };
  for (const auto row : rows) EXPECT_EQ(normal(row), "refused") << row;
}

TEST(GraphqlDocument, OperationsAreCountedAndNamed) {
  struct Row {
    const char* text;
    unsigned operations;
    bool reads_only;
    const char* only_name;
  };
  const Row rows[] = {
      {"{a}", 1, true, ""},
      {"query{a}", 1, true, ""},
      {"query Q{a}", 1, true, "Q"},
      {"query Q{a}query R{b}", 2, true, ""},
      {"{a}query Q{a}", 2, true, ""},
      {"fragment F on T{a}query Q{...F}", 1, true, "Q"},
      {"query Q{...F}fragment F on T{a}", 1, true, "Q"},
      {"mutation{a}", 1, false, ""},
      {"mutation M{a}", 1, false, "M"},
      {"subscription S{a}", 1, false, "S"},
      {"query Q{a}mutation M{b}", 2, false, ""},
      {"mutation M{a}query Q{b}", 2, false, ""},
      {"query Q{a}subscription S{b}query R{c}", 3, false, ""},
      {"# mutation\nquery Q{mutation subscription}", 1, true, "Q"},
      {"query mutation{a}", 1, true, "mutation"},
      {"query($mutation:Int=1){a(s:\"}mutation M{a}\")}", 1, true, ""},
      {"{a(s:\"\"\"}mutation M{a}\"\"\")}", 1, true, ""},
      {"{a#}mutation M{a}\n}", 1, true, ""},
      {"{a#}\r}mutation M{a}", 2, false, ""},
      {"{a(s:\"\\\"\")}mutation M{a}", 2, false, ""},
      {"{a(s:\"\"\"\\\"\"\"\"\"\")}mutation M{a}", 2, false, ""},
      {"{a(s:\"\" t:\"\")}mutation M{a(s:\"\")}", 2, false, ""},
      {"query($o:I={a:{b:1}}){a}", 1, true, ""},
      {"query Q($o:I={a:1})@d(x:{y:2})@e{a}mutation{b}", 2, false, ""},
  };
  for (const Row& r : rows) {
    const auto read = document(r.text);
    EXPECT_EQ(read.operations, r.operations) << r.text;
    EXPECT_EQ(read.reads_only, r.reads_only) << r.text;
    EXPECT_EQ(read.only_name, r.only_name) << r.text;
  }
}

TEST(GraphqlDocument, TwoHundredLevelsAreReadAndOneMoreIsNot) {
  const auto nested = [](std::size_t levels) { return std::string(levels, '{') + "a" + std::string(levels, '}'); };
  EXPECT_EQ(normal(nested(200)), nested(200));
  EXPECT_EQ(normal(nested(201)), "refused");
  EXPECT_EQ(normal("{a(l:" + std::string(198, '[') + std::string(198, ']') + ")}").size(), 403U);
  EXPECT_EQ(normal("{a(l:" + std::string(199, '[') + std::string(199, ']') + ")}"), "refused");
  EXPECT_EQ(normal(std::string(100000, '{')), "refused");
}

TEST(GraphqlDocument, AnObjectIsFilledAnew) {
  GraphqlDocument out;
  ASSERT_TRUE(read_graphql("mutation M{a}", out));
  ASSERT_TRUE(read_graphql("{b}", out));
  EXPECT_EQ(out.normal, "{b}");
  EXPECT_EQ(out.operations, 1U);
  EXPECT_TRUE(out.reads_only);
  EXPECT_EQ(out.only_name, "");
}

// Documents of random tokens: spacing never changes the normal form, and another token always does.
TEST(GraphqlDocument, EqualTokensHaveOneNormalFormAndDifferentOnesNever) {
  std::mt19937_64 random(11);
  const auto below = [&random](std::size_t n) { return random() % n; };
  const std::vector<std::string> tokens = {"a",
                                           "b",
                                           "ab",
                                           "_1",
                                           "1",
                                           "-1",
                                           "12",
                                           "1.5",
                                           "1e5",
                                           "\"\"",
                                           "\"a\"",
                                           "\" \"",
                                           "\"#,\"",
                                           "\"\"\"a\"\"\"",
                                           "\"\"\"\"\"\"",
                                           "...",
                                           "$",
                                           "!",
                                           ":",
                                           "=",
                                           "@",
                                           "&",
                                           "|",
                                           "on",
                                           "query",
                                           "mutation"};
  const std::vector<std::string> spaces = {" ", "\n", ",", "\t", "\r\n", "\xEF\xBB\xBF", "#x{\"\n", " , "};
  const auto write = [&](const std::vector<std::string>& list) {
    std::string text;
    for (const auto& token : list) {
      // Always something between two tokens: whether it was needed must not show.
      do text += spaces[below(spaces.size())];
      while (below(3) == 0);
      text += token;
    }
    return text;
  };
  for (int i = 0; i < 5000; ++i) {
    std::vector<std::string> list = {"{"};
    for (std::size_t n = below(12); n > 0; --n) list.push_back(tokens[below(tokens.size())]);
    list.emplace_back("}");
    const std::string one = normal(write(list));
    ASSERT_NE(one, "refused") << write(list);
    ASSERT_EQ(normal(write(list)), one);
    ASSERT_EQ(normal(one), one);
    auto other = list;
    switch (below(3)) {
      case 0:
        other.insert(other.begin() + 1 + static_cast<std::ptrdiff_t>(below(list.size() - 1)),
                     tokens[below(tokens.size())]);
        break;
      case 1:
        if (list.size() > 2) other.erase(other.begin() + 1);
        break;
      default:
        if (list.size() > 2) other[1] = other[1] == "c" ? "d" : "c";
    }
    if (other != list) {
      ASSERT_NE(normal(write(other)), one);
    }
  }
}

}  // namespace
}  // namespace forebay::content
