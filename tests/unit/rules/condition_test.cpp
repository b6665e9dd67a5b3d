#include "forebay/rules/condition.hpp"

#include <gtest/gtest.h>

#include "unit/rules/heads.hpp"

namespace forebay::rules {
namespace {

using test::Lines;
using FieldList = std::vector<std::pair<std::string_view, std::string_view>>;

ValueCondition values(std::vector<std::string> globs) { return {false, false, std::move(globs)}; }
const ValueCondition kThere{true, false, {}};
const ValueCondition kAbsent{false, true, {}};

std::string_view word(Verdict verdict) {
  return verdict == Verdict::Yes ? "yes" : verdict == Verdict::No ? "no" : "unclear";
}

TEST(FieldCondition, ComparesWholeValuesWithGlobs) {
  struct Case {
    ValueCondition asked;
    FieldList lines;
    std::string_view expected;
  };
  const Case cases[] = {
      {values({"*.Get*"}), {{"X-Op", "Db.GetItem"}}, "yes"},
      {values({"*.Get*"}), {{"x-op", "Db.GetItem"}}, "yes"},
      {values({"*.Get*"}), {{"X-Op", "Db.PutItem"}}, "no"},
      {values({"*.Get*"}), {}, "no"},
      {values({"*.Get*", "*.Query"}), {{"X-Op", "Db.Query"}}, "yes"},
      {values({"a"}), {{"X-Op", "a, b"}}, "unclear"},
      {values({""}), {{"X-Op", ""}}, "yes"},
      {kThere, {{"X-Op", ""}}, "yes"},
      {kThere, {}, "no"},
      {kAbsent, {}, "yes"},
      {kAbsent, {{"X-Op", "a"}}, "no"},
      {{false, true, {"a"}}, {}, "yes"},
      {{false, true, {"a"}}, {{"X-Op", "a"}}, "yes"},
      {{false, true, {"a"}}, {{"X-Op", "b"}}, "no"},
      // A value that only its case keeps from what is asked.
      {values({"*.Get*"}), {{"X-Op", "Db.getItem"}}, "unclear"},
      {values({"staging"}), {{"X-Op", "STAGING"}}, "unclear"},
      {values({"staging", "STAGING"}), {{"X-Op", "STAGING"}}, "yes"},
      // Several lines.
      {values({"a"}), {{"X-Op", "a"}, {"X-Op", "a"}}, "yes"},
      {values({"a"}), {{"X-Op", "a"}, {"x-op", "b"}}, "unclear"},
      {values({"*"}), {{"X-Op", "a"}, {"X-Op", "b"}}, "unclear"},
      {values({"c"}), {{"X-Op", "a"}, {"X-Op", "b"}}, "unclear"},
      {kThere, {{"X-Op", "a"}, {"X-Op", "b"}}, "yes"},
      {kAbsent, {{"X-Op", "a"}, {"X-Op", "b"}}, "no"},
      // Other spellings.
      {values({"a"}), {{"X_Op", "a"}}, "unclear"},
      {values({"a"}), {{"X-Op", "b"}, {"X.Op", "a"}}, "unclear"},
      {kThere, {{"X_Op", "a"}}, "unclear"},
      {kAbsent, {{"X_Op", "a"}}, "unclear"},
      {values({"a"}), {{"X-Opp", "a"}}, "no"},
  };
  for (const auto& c : cases) {
    http::Fields fields;
    std::string said;
    for (const auto& [name, value] : c.lines) {
      fields.add(name, value);
      said.append(name).append(": ").append(value).append("; ");
    }
    EXPECT_EQ(word(field_meets({"x-op", c.asked}, fields.view())), c.expected) << said;
  }
}

TEST(ParameterCondition, ComparesDecodedValuesAndTrustsNoSpelling) {
  struct Case {
    ValueCondition asked;
    std::optional<std::string_view> query;
    std::string_view expected;
  };
  const auto json = values({"json"});
  const Case cases[] = {
      {json, "format=json", "yes"},
      {json, "a=1&format=%6Ason&b=2", "yes"},
      {json, "f%6Frmat=json", "yes"},
      {json, "format=xml", "no"},
      {json, "format", "no"},
      {values({""}), "format", "yes"},
      {json, "", "no"},
      {json, std::nullopt, "no"},
      {kAbsent, std::nullopt, "yes"},
      {kAbsent, "a=1", "yes"},
      {kAbsent, "format", "no"},
      {kThere, "format=", "yes"},
      {kThere, "a=format", "no"},
      {json, "format=json&format=json", "yes"},
      {json, "format=json&format=xml", "unclear"},
      {kThere, "format=json&format=xml", "yes"},
      {json, "format=JSON", "unclear"},
      {json, "Format=json", "unclear"},
      {json, "format[]=json", "unclear"},
      {json, "format[x]=json", "unclear"},
      {json, "format%5B%5D=json", "unclear"},
      {json, "?format=json", "unclear"},
      {json, "a=1;format=json", "unclear"},
      {json, "format=json;a=1", "unclear"},
      {json, "format=%zz", "unclear"},
      {json, "format=json%00", "unclear"},
      {json, "format=js+on", "unclear"},
      {kAbsent, "FORMAT=1", "unclear"},
      {kAbsent, "a=1;format=1", "unclear"},
  };
  for (const auto& c : cases)
    EXPECT_EQ(word(parameter_meets({"format", c.asked}, c.query)), c.expected) << c.query.value_or("(none)");
}

TEST(ParameterCondition, IsUnclearWhereSomeReadersStopBeforeTheEnd) {
  std::string query = "format=json";
  for (int i = 0; i < 300; ++i) query += "&a=1";
  EXPECT_EQ(parameter_meets({"format", values({"json"})}, query), Verdict::Unclear);
}

TEST(HeadConditions, HaveToHoldTogetherAndOneThatFailsBeatsOneThatIsUnclear) {
  Conditions asked;
  asked.headers = {{"x-a", values({"1"})}, {"x-b", values({"2"})}};
  asked.query = {{"q", values({"3"})}};
  const auto judged = [&](Lines lines, std::string_view query) {
    return match_head(asked, test::fields(lines).view(), query);
  };
  EXPECT_EQ(judged({{"X-A", "1"}, {"X-B", "2"}}, "q=3").verdict, Verdict::Yes);
  const auto no = judged({{"X-A", "1"}, {"X_A", "1"}, {"X-B", "9"}}, "q=3");
  EXPECT_EQ(no.verdict, Verdict::No);
  EXPECT_EQ(no.reason, Reason::MatchHeader);
  EXPECT_EQ(no.at, 1u);
  const auto unclear = judged({{"X-A", "1"}, {"X-B", "2"}}, "q=3&q=4");
  EXPECT_EQ(unclear.verdict, Verdict::Unclear);
  EXPECT_EQ(unclear.reason, Reason::MatchQuery);
}

TEST(BodyCondition, AListWhereAMemberIsAskedForIsUnclear) {
  const auto on = [](std::string_view pointer, JsonValue asked, std::string_view document) {
    content::CanonicalJson json;
    const BodyConditions conditions{{*content::JsonPointer::parse(pointer)}, {{asked}}};
    const auto judged = match_content(conditions, json, document).verdict;
    EXPECT_EQ(may_meet_any(conditions, json, document), judged != Verdict::No) << document;
    return word(judged);
  };
  const JsonValue set{JsonValue::Kind::Text, "set*"}, nothing{JsonValue::Kind::Nothing};
  for (const auto* batch :
       {R"([{"method":"setX"}])", R"([{"method":"get"},{"method":"setX"}])", R"([[{"method":"a"}]])", "[]", "[1]"}) {
    EXPECT_EQ(on("/method", set, batch), "unclear") << batch;
    EXPECT_EQ(on("/method", nothing, batch), "unclear") << batch;
  }
  EXPECT_EQ(on("/params/of", set, R"({"params":[{"of":"x"}]})"), "unclear");
  EXPECT_EQ(on("/params/of/a", set, R"({"params":{"of":[{"a":"x"}]}})"), "unclear");
  EXPECT_EQ(on("/params/0", set, R"({"params":["setX"]})"), "yes");
  EXPECT_EQ(on("/params/1", set, R"({"params":["setX"]})"), "no") << "the place of an element is asked for";
  EXPECT_EQ(on("/params/of", set, R"({"params":"x"})"), "no");
  EXPECT_EQ(on("/params/of", set, R"({"of":[1]})"), "no");
}

TEST(FieldCondition, AListOfWhichOneMemberMeetsIsUnclear) {
  const auto on = [](std::vector<std::string> globs, std::string_view line) {
    const auto fields = test::fields({{"X-Op", std::string(line)}});
    return word(field_meets({"x-op", {false, false, globs}}, fields.view()));
  };
  for (const auto* line :
       {"read, write", "write,", ",write", "\"write\"", "write;x=1", "read,WRITE", "a, \"write\";q=1"})
    EXPECT_EQ(on({"write", "del*"}, line), "unclear") << line;
  for (const auto* line : {"read", "read, reset", "rewrite", "writes", "read;write"})
    EXPECT_EQ(on({"write", "del*"}, line), "no") << line;
  EXPECT_EQ(on({"*html*"}, "text/html, text/plain"), "yes") << "a star takes commas";
}

TEST(TextCondition, BlanksAroundAreADoubt) {
  const JsonValue set{JsonValue::Kind::Text, "set"};
  const auto on = [&](std::string_view document) {
    content::CanonicalJson json;
    return word(match_content({{*content::JsonPointer::parse("/v")}, {{set}}}, json, document).verdict);
  };
  EXPECT_EQ(on(R"({"v":" set"})"), "unclear");
  EXPECT_EQ(on(R"({"v":"set\u0000"})"), "unclear");
  EXPECT_EQ(on(R"({"v":"set\n"})"), "unclear");
  EXPECT_EQ(on(R"({"v":"se t"})"), "no");
  EXPECT_EQ(on(R"({"v\u0000":"get","v":"get"})"), "unclear") << "a name that ends at its NUL for some";
  EXPECT_EQ(word(parameter_meets({"op", {false, false, {"write"}}}, "op=%20write")), "unclear");
}

/// The verdict on `/v` of a document.
std::string_view on_member(const std::vector<JsonValue>& asked, std::string_view document) {
  content::CanonicalJson json;
  BodyConditions conditions{{*content::JsonPointer::parse("/v")}, {asked}};
  return word(match_content(conditions, json, document).verdict);
}

TEST(BodyCondition, ComparesValuesOfOneKindAndIsUnclearWhereSomeReadersConvert) {
  using Kind = JsonValue::Kind;
  const JsonValue yes{Kind::Bool, "true"}, no{Kind::Bool, "false"}, one{Kind::Number, "1"}, zero{Kind::Number, "0"},
      get{Kind::Text, "get*"}, nothing{Kind::Nothing, {}}, anything{Kind::Anything, {}};
  struct Case {
    std::vector<JsonValue> asked;
    std::string_view document, expected;
  };
  const Case cases[] = {
      {{yes}, R"({"v":true})", "yes"},
      {{yes}, R"({"v":false})", "no"},
      {{yes}, R"({})", "no"},
      {{yes}, R"({"v":null})", "no"},
      {{yes}, R"({"v":"true"})", "unclear"},
      {{yes}, R"({"v":"yes"})", "unclear"},
      {{yes}, R"({"v":1})", "unclear"},
      {{yes}, R"({"v":[true]})", "unclear"},
      {{no, nothing}, R"({})", "yes"},
      {{no, nothing}, R"({"v":null})", "yes"},
      {{no, nothing}, R"({"v":false})", "yes"},
      {{no, nothing}, R"({"v":true})", "no"},
      {{nothing}, R"({"v":0})", "no"},
      {{nothing}, R"([1])", "unclear"},
      {{one}, R"({"v":1})", "yes"},
      {{one}, R"({"v":1.0})", "yes"},
      {{one}, R"({"v":10e-1})", "yes"},
      {{one}, R"({"v":2})", "no"},
      {{one}, R"({"v":1.00000000000000000001})", "unclear"},
      {{one}, R"({"v":1e999})", "unclear"},
      {{zero}, R"({"v":1e-999})", "unclear"},
      {{one}, R"({"v":"1"})", "unclear"},
      {{one}, R"({"v":" 1.0"})", "unclear"},
      {{one}, R"({"v":"2"})", "no"},
      {{one}, R"({"v":true})", "unclear"},
      {{one}, R"({"v":null})", "no"},
      {{get}, R"({"v":"getItem"})", "yes"},
      {{get}, R"({"v":"\u0067etItem"})", "yes"},
      {{get}, R"({"v":"putItem"})", "no"},
      {{get}, R"({"v":"GetItem"})", "unclear"},
      {{get}, R"({"v":["getItem"]})", "unclear"},
      {{get}, R"({"v":7})", "no"},
      {{get}, R"({"v":null})", "no"},
      {{{Kind::Text, "7"}}, R"({"v":7})", "unclear"},
      {{{Kind::Text, "a\"\n*"}}, R"({"v":"a\"\nb"})", "yes"},
      {{{Kind::Text, "*n"}}, R"({"v":"a\n"})", "no"},
      {{{Kind::Text, "\x01"}}, R"({"v":"\u0001"})", "yes"},
      {{anything}, R"({"v":{"a":1}})", "yes"},
      {{anything}, R"({"v":null})", "unclear"},
      {{anything}, R"({})", "no"},
      {{yes}, R"({"v":true,"v":true})", "unclear"},
      {{yes}, R"({"v":true,"V":false})", "unclear"},
      {{yes}, R"({"V":true})", "unclear"},
      {{yes}, R"({"v":true} x)", "unclear"},
      {{yes}, "v=true", "unclear"},
      {{yes}, "", "unclear"},
  };
  for (const auto& c : cases) EXPECT_EQ(on_member(c.asked, c.document), c.expected) << c.document;
}

TEST(BodyCondition, OfARequestWithoutContentFindsNothing) {
  using Kind = JsonValue::Kind;
  const auto pointer = *content::JsonPointer::parse("/v");
  EXPECT_EQ(match_no_content({{pointer}, {{{Kind::Nothing, {}}}}}).verdict, Verdict::Yes);
  EXPECT_EQ(match_no_content({{pointer}, {{{Kind::Bool, "false"}}}}).verdict, Verdict::No);
}

}  // namespace
}  // namespace forebay::rules
