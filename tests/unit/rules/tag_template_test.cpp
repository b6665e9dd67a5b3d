#include "forebay/rules/tag_template.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace forebay::rules {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using State = TagContent::State;

TagTemplate compiled(std::string_view text) {
  TagTemplate::Fault fault;
  auto made = TagTemplate::compile(text, fault);
  EXPECT_TRUE(made) << text << ": " << fault.message;
  return made.value_or(TagTemplate());
}

std::string fault_of(std::string_view text) {
  TagTemplate::Fault fault;
  EXPECT_FALSE(TagTemplate::compile(text, fault)) << text;
  EXPECT_FALSE(fault.hint.empty()) << text;
  return fault.message;
}

TEST(TagTemplate, BracesThatAreDoubledAreLiteral) {
  EXPECT_THAT(compiled("a{{b}}c").pieces(), IsEmpty());
  EXPECT_EQ(compiled("a{{b}}c").end(), "a{b}c");
  const auto one = compiled("{{{id}}}");
  ASSERT_THAT(one.pieces(), SizeIs(1));
  EXPECT_EQ(one.pieces()[0].text, "{");
  EXPECT_EQ(one.end(), "}");
}

TEST(TagTemplate, WhatIsNoTemplateIsSaidWithWhatWouldBe) {
  EXPECT_THAT(fault_of(""), HasSubstr("has a text"));
  EXPECT_THAT(fault_of("a b"), HasSubstr("blanks"));
  EXPECT_THAT(fault_of("a,b"), HasSubstr("commas"));
  EXPECT_THAT(fault_of("a{id"), HasSubstr("not closed"));
  EXPECT_THAT(fault_of("a}"), HasSubstr("not opened"));
  EXPECT_THAT(fault_of("{}"), HasSubstr("not the name of a capture"));
  EXPECT_THAT(fault_of("{header:}"), HasSubstr("no header field"));
  EXPECT_THAT(fault_of("{body:id}"), HasSubstr("JSON Pointer"));
  EXPECT_THAT(fault_of("{cookie:a}"), HasSubstr("no part"));
}

class Fill : public ::testing::Test {
 protected:
  std::vector<std::string> tags(std::string_view text) {
    const std::vector<TagTemplate> one{compiled(text)};
    auto filled = fill(one, parts);
    unknown = !filled.unknown.empty();
    return std::move(filled.tags);
  }
  void content(std::string_view text) { parts.body = {State::Text, text}; }
  TagParts parts;
  bool unknown = false;
};

TEST_F(Fill, PartsOfTheRequest) {
  parts.captures = {{"id", "7"}, {"lang", "de"}};
  http::Fields fields;
  fields.add("X-Shop", "berlin");
  parts.request = fields;
  content(R"({"a":{"b":"x"},"n":12.50,"yes":true})");
  EXPECT_THAT(tags("p-{id}-{lang}"), ElementsAre("p-7-de"));
  EXPECT_THAT(tags("{header:x-shop}!"), ElementsAre("berlin!"));
  EXPECT_THAT(tags("{body:/a/b}{body:/n}{body:/yes}"), ElementsAre("x12.50true"));
  EXPECT_FALSE(unknown);
}

TEST_F(Fill, WhatIsAbsentGivesNoTag) {
  parts.captures = {{"id", ""}};
  content(R"({"a":null,"o":{"b":1},"e":"","l":[]})");
  for (const auto* text : {"p-{id}", "p-{other}", "p-{header:X-Shop}", "p-{body:/a}", "p-{body:/o}", "p-{body:/e}",
                           "p-{body:/l}", "p-{body:/none}"}) {
    EXPECT_THAT(tags(text), IsEmpty()) << text;
    EXPECT_FALSE(unknown) << text;
  }
  parts.body = {};
  EXPECT_THAT(tags("p-{body:/a}"), IsEmpty());
  EXPECT_FALSE(unknown);
}

TEST_F(Fill, AnArrayGivesATagForEachMember) {
  content(R"({"ids":[1,"two",null,{"x":[1,"}"]},[3],true,"q\"\\\n"],"more":["a","b"]})");
  EXPECT_THAT(tags("p-{body:/ids}"), ElementsAre("p-1", "p-two", "p-true"));
  EXPECT_TRUE(unknown) << "a control byte is in no tag";
  EXPECT_THAT(tags("{body:/ids/0}{body:/more}"), ElementsAre("1a", "1b"));
  content(R"(["\u00e9\"","\\"])");
  EXPECT_THAT(tags("{body:/0}"), ElementsAre("\xC3\xA9\""));
  EXPECT_THAT(tags("{body:/1}"), ElementsAre("\\"));
}

TEST_F(Fill, WhatIsNoTagIsNotKnown) {
  const auto text = "{\"long\":\"" + std::string(1100, 'x') + R"(","tab":"a\tb","many":["a","b"]})";
  content(text);
  EXPECT_THAT(tags("p-{body:/long}"), IsEmpty());
  EXPECT_TRUE(unknown);
  EXPECT_THAT(tags("{body:/many}{body:/long}{body:/many}"), IsEmpty());
  EXPECT_TRUE(unknown);
  EXPECT_THAT(tags("p-{body:/tab}"), IsEmpty());
  EXPECT_TRUE(unknown);
  EXPECT_THAT(tags("p-{body:/many}"), ElementsAre("p-a", "p-b"));
  EXPECT_FALSE(unknown);
}

TEST_F(Fill, OfSeveralLinesOfAFieldEachGivesATagAndItIsNotKnownWhichCounts) {
  http::Fields fields;
  fields.add("X-Shop", "");
  fields.add("X-Shop", "5");
  fields.add("X-Shop", "6");
  parts.request = fields;
  EXPECT_THAT(tags("s-{header:X-Shop}"), ElementsAre("s-5", "s-6"));
  EXPECT_TRUE(unknown);
}

TEST_F(Fill, ThereAreNoMoreThanABound) {
  std::string list = "{\"l\":[0";
  for (int i = 1; i < 300; ++i) list += ',' + std::to_string(i);
  list += "]}";
  content(list);
  EXPECT_THAT(tags("{body:/l}"), SizeIs(256));
  EXPECT_TRUE(unknown);
  EXPECT_THAT(tags("{body:/l}{body:/l}"), SizeIs(256));
  EXPECT_TRUE(unknown);
}

TEST_F(Fill, WhatCannotBeReadIsNotKnown) {
  parts.captures = {{"id", "7"}};
  parts.body = {State::Unreadable, {}};
  EXPECT_THAT(tags("{id}-{body:/a}"), IsEmpty());
  EXPECT_TRUE(unknown);
  EXPECT_THAT(tags("{other}-{body:/a}"), IsEmpty());
  EXPECT_FALSE(unknown) << "one part is absent, whatever the other is";
  EXPECT_THAT(tags("{id}"), ElementsAre("7"));
  EXPECT_FALSE(unknown);
  for (const auto* text : {"no json", R"({"a":1,"a":2})", R"({"A":1})"}) {
    content(text);
    EXPECT_THAT(tags("{body:/a}"), IsEmpty()) << text;
    EXPECT_TRUE(unknown) << text;
  }
}

TEST_F(Fill, PartsOfAnAnswerAreNotKnownWithoutOne) {
  EXPECT_THAT(tags("{response_header:X-Id}"), IsEmpty());
  EXPECT_TRUE(unknown);
  EXPECT_THAT(tags("{response_body:/id}"), IsEmpty());
  EXPECT_TRUE(unknown);
  http::Fields fields;
  fields.add("X-Id", "9");
  parts.response = fields.view();
  parts.answer = {State::Text, R"({"id":8})"};
  EXPECT_THAT(tags("{response_header:X-Id}-{response_body:/id}"), ElementsAre("9-8"));
  EXPECT_FALSE(unknown);
  parts.answer = {};
  EXPECT_THAT(tags("{response_body:/id}"), IsEmpty());
  EXPECT_FALSE(unknown);
}

TEST(MayMeet, SomeTextIsOneOfBoth) {
  const auto meet = [](std::string_view a, std::string_view b) {
    const bool one = may_meet(compiled(a), compiled(b));
    EXPECT_EQ(one, may_meet(compiled(b), compiled(a))) << a << " " << b;
    return one;
  };
  EXPECT_TRUE(meet("a", "a"));
  EXPECT_FALSE(meet("a", "b"));
  EXPECT_FALSE(meet("a", "ab"));
  EXPECT_TRUE(meet("product-{id}", "product-{body:/id}"));
  EXPECT_TRUE(meet("product-{id}", "product-7"));
  EXPECT_FALSE(meet("product-{id}", "product-")) << "a part has a byte at least";
  EXPECT_FALSE(meet("product-{id}", "products"));
  EXPECT_TRUE(meet("{a}", "{a}{b}"));
  EXPECT_FALSE(meet("{a}{b}", "x"));
  EXPECT_TRUE(meet("{a}{b}", "xy"));
  EXPECT_TRUE(meet("a-{x}-c", "a-{y}c"));
  EXPECT_TRUE(meet("{x}b", "a{y}"));
  EXPECT_FALSE(meet("{x}b", "a{y}c"));
  EXPECT_TRUE(meet("user-{id}-{header:L}", "user-{id}"));
}

TEST_F(Fill, APointerIntoAnObjectMayMeanTheMembersOfAnArray) {
  content(R"( [{"id":"7"}])");
  EXPECT_THAT(tags("p-{body:/id}"), IsEmpty());
  EXPECT_TRUE(unknown);
  EXPECT_THAT(tags("p-{body:/0/id}"), ElementsAre("p-7"));
  EXPECT_FALSE(unknown);
  EXPECT_THAT(tags("p-{body:/1/id}"), IsEmpty());
  EXPECT_FALSE(unknown);
}

}  // namespace
}  // namespace forebay::rules
