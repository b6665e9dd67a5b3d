#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <vector>

#include "forebay/content/json.hpp"

namespace forebay::content {
namespace {

// What each pointer finds, with its steps through members that could be elements; "refused".
std::string chosen(std::string_view text, std::initializer_list<const char*> pointers) {
  std::vector<JsonPointer> list;
  for (const char* pointer : pointers) list.push_back(*JsonPointer::parse(pointer));
  CanonicalJson json;
  if (!json.read(text, list, Numbers::Written)) return "refused";
  std::string out;
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (i > 0) out += ' ';
    out += json.value(i).value_or("-");
    if (json.through_objects(i) != 0) out += "{" + std::to_string(json.through_objects(i)) + "}";
  }
  return out;
}

TEST(Choice, ReadersThatTakeNoNoticeOfCaseMayFindAnotherMember) {
  for (const char* text : {R"({"query":"good","Query":"evil"})", R"({"Query":"evil","query":"good"})",
                           R"({"QUERY":"evil"})", R"({"quer\u0059":1})", R"({"query":1,"x":2,"qUery":{}})"})
    EXPECT_EQ(chosen(text, {"/query"}), "refused") << text;
  // Go's encoding/json knows two letters beyond ASCII that are of one case with a letter of it.
  EXPECT_EQ(chosen("{\"mas\xC5\xBF\":1}", {"/mass"}), "refused");
  EXPECT_EQ(chosen("{\"\xE2\x84\xAA\":1}", {"/k"}), "refused");
  EXPECT_EQ(chosen("{\"k\":1}", {"/\xE2\x84\xAA"}), "refused");
  EXPECT_EQ(chosen("{\"\xC3\xA9\":1,\"\xC3\x89\":2}", {"/\xC3\xA9"}), "1") << "other letters have their case";
  EXPECT_EQ(chosen(R"({"a":{"B":1,"b":2},"b":{"B":3}})", {"/a/b"}), "refused");
  EXPECT_EQ(chosen(R"({"a":{"b":2},"b":{"B":3},"c":[{"A":1}],"d":{"A":1,"a":2}})", {"/a/b"}), "2")
      << "only where a step is looked up";
  EXPECT_EQ(chosen(R"({"a":{"B":1,"b":2}})", {"/a", "/a/b"}), "refused") << "also inside of what another one chose";
  EXPECT_EQ(chosen(R"({"a":{"B":1,"b":2}})", {"/a"}), R"({"B":1,"b":2})");
  EXPECT_EQ(chosen(R"({"querys":1,"quer":2,"uery":3,"":4})", {"/query"}), "-");
}

TEST(Choice, TellsAnElementFromAMemberOfTheSameName) {
  EXPECT_EQ(chosen(R"({"ids":["7"]})", {"/ids/0"}), R"("7")");
  EXPECT_EQ(chosen(R"({"ids":{"0":"7"}})", {"/ids/0"}), R"("7"{2})");
  EXPECT_EQ(chosen(R"([{"1":5}])", {"/0/1"}), "5{2}");
  EXPECT_EQ(chosen(R"({"0":[4,5]})", {"/0/1"}), "5{1}");
  EXPECT_EQ(chosen(R"({"0":{"1":5}})", {"/0/1"}), "5{3}");
  EXPECT_EQ(chosen(R"({"0":{"1":5}})", {"/0", "/0/1"}), R"({"1":5}{1} 5{3})") << "inside of what another one chose too";
  EXPECT_EQ(chosen(R"({"01":1,"-":2,"1234567890":3})", {"/01", "/-", "/1234567890"}), "1 2 3") << "never an element";
  EXPECT_EQ(chosen(R"({"0":{}})", {"/0/1"}), "-") << "nothing is found";
}

TEST(Choice, OfAnyPointersIsWhatTheWholeTextHasThere) {
  const char* const text = R"({"a":[1,{"b":[2,3],"c":{"d":"x"}},[]],"e":{"f":null,"g":{"h":[{"i":4}]}},"j":"k"})";
  EXPECT_EQ(chosen(text, {"/a/1/b/1", "/a/0", "/e/g/h/0/i", "/j", "/e/f", "/a/1/c", "/a/2", "/a/3", "/a/x", "/j/0"}),
            R"(3 1 4 "k" null {"d":"x"} [] - - -)");
  EXPECT_EQ(chosen(text, {"/a/1/b", "/a/1", "/a/1/c/d", "/a/1/b/0", "/a/1"}),
            R"([2,3] {"b":[2,3],"c":{"d":"x"}} "x" 2 {"b":[2,3],"c":{"d":"x"}})");
  EXPECT_EQ(chosen("5", {"", "/a", "/0"}), "5 - -");
  EXPECT_EQ(chosen("[[[7]]]", {"/0/0/0", "/0/0", "/1"}), "7 [7] -");
}

TEST(Choice, WhatIsNotChosenIsReadAllTheSame) {
  for (const char* text : {R"({"a":1,"x":{"n":1,"n":2}})", R"({"a":1,"x":[{"n":1,"\u006e":2}]})",
                           R"({"a":1,"x":"\ud800"})", R"({"a":1,"x":"\x"})", R"({"a":1,"x":[1,]})", R"({"a":1,"x":01})",
                           R"({"a":1,"x":tru})", "{\"a\":1,\"x\":\"\xff\"}", "{\"a\":1,\"x\":\"\n\"}",
                           R"({"a":1,"x":{"b"}})", R"({"a":1,"a":2})", R"({"x":1,"a":2,"x":3})", R"({"a":1}x)",
                           R"({"a":1,"x":"open)", R"({"a":1,"x":"\)", R"({"a":1,"x":{)", R"({"a":1,"x":{"":1,"":2}})"})
    EXPECT_EQ(chosen(text, {"/a"}), "refused") << text;
  EXPECT_EQ(chosen(R"({"x":["\u0041\ud83d\ude00\n",-1.5e+3,true,false,null,{},[],"é"],"a":1})", {"/a"}), "1");
  // Names of many members, in any order and with the same beginnings.
  std::string many = "{\"a\":1,\"x\":{";
  for (int i = 40; i > 0; --i) many += "\"the_same_beginning_" + std::to_string(i) + "\":0,";
  EXPECT_EQ(chosen(many + "\"z\":0}}", {"/a"}), "1");
  EXPECT_EQ(chosen(many + "\"the_same_beginning_23\":0}}", {"/a"}), "refused");
  for (int n = 2; n < 20; ++n) {
    std::string few = "{\"a\":1,\"x\":{";
    for (int i = 0; i < n; ++i) few += "\"" + std::to_string(i) + "\":0,";
    EXPECT_EQ(chosen(few + "\"z\":0}}", {"/a"}), "1") << n;
    EXPECT_EQ(chosen(few + "\"0\":0}}", {"/a"}), "refused") << n;
  }
}

TEST(Choice, HasTheSameBoundOfLevels) {
  const auto nested = [](std::size_t levels) {
    return "{\"a\":1,\"x\":" + std::string(levels, '[') + std::string(levels, ']') + "}";
  };
  EXPECT_EQ(chosen(nested(63), {"/a"}), "1");
  EXPECT_EQ(chosen(nested(64), {"/a"}), "refused");
  std::string steps, text = "1";
  for (int i = 0; i < 64; ++i) {
    steps += "/0";
    text = "{\"0\":" + text + "}";
  }
  EXPECT_EQ(chosen(text, {steps.c_str()}), "1{18446744073709551615}");
  EXPECT_EQ(chosen("[" + text + "]", {("/0" + steps).c_str()}), "refused");
}

}  // namespace
}  // namespace forebay::content
