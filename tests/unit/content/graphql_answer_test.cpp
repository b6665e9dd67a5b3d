#include <gtest/gtest.h>

#include <string>

#include "coded.hpp"
#include "forebay/content/graphql.hpp"

namespace forebay::content {
namespace {

bool clean(std::string_view content, std::size_t step, std::string_view coding = "") {
  GraphqlAnswer answer(coding);
  for (std::size_t at = 0; at < content.size(); at += step) answer.feed(content.substr(at, step));
  const bool verdict = answer.clean();
  EXPECT_EQ(answer.clean(), verdict);
  return verdict;
}

void expect_each_way(bool verdict, std::string_view content) {
  for (std::size_t step = 1; step <= content.size(); ++step)
    EXPECT_EQ(clean(content, step), verdict) << content << " in steps of " << step;
  EXPECT_EQ(clean(content, content.size() + 1), verdict) << content;
  const std::pair<const char*, std::string> coded[] = {
      {"gzip", gzip(content)}, {"deflate", deflated(content)}, {"br", brotli(content)}, {"zstd", zstd(content)}};
  for (const auto& [coding, bytes] : coded) {
    EXPECT_EQ(clean(bytes, 1, coding), verdict) << coding << ' ' << content;
    EXPECT_EQ(clean(bytes, bytes.size(), coding), verdict) << coding << ' ' << content;
  }
}

TEST(GraphqlAnswer, IsCleanWithoutErrors) {
  for (const char* content :
       {"{}", " {\"data\":{}}\r\n", R"({"data":null})", R"({"data":{"a":1},"errors":null})",
        R"({"errors":[],"data":{}})", R"({"errors":[ ],"data":{"errors":[{"message":"x"}]}})",
        R"({"data":{"errors":[1]},"extensions":{"errors":1}})",
        R"({"data":[{"errors":"x"}],"error":1,"errorss":[1],"Errors":[1],"error\u0000s":[1],"":[1]})",
        R"({"e":1,"rrors":1,"er\u0072or":[1],"s":["errors"]})",
        R"({"data":{"name":"\u00e9\ud83d\ude00\n é","n":-1.5e10}})", R"({"errors":[],"data":["errors",["errors"]]})",
        R"({"errors":null,"data":[null,1,"x",{"a":[]}]})"})
    expect_each_way(true, content);
}

TEST(GraphqlAnswer, IsNotCleanWithErrorsOrWhenItCannotBeRead) {
  for (const char* content : {R"({"errors":[{"message":"x"}]})",
                              R"({"data":{},"errors":[{}]})",
                              R"({"errors":[null]})",
                              R"({"errors":[[]]})",
                              R"({"errors":[1]})",
                              R"({"errors":["x"]})",
                              R"({"errors":["long long long long"]})",
                              R"({"errors":[false]})",
                              R"({"errors":{}})",
                              R"({"errors":{"a":1}})",
                              R"({"errors":"x"})",
                              R"({"errors":""})",
                              R"({"errors":0})",
                              R"({"errors":false})",
                              R"({"errors":true})",
                              R"({"\u0065rrors":[1]})",
                              R"({"error\u0073":[1]})",
                              R"({"errors":[],"errors":[1]})",
                              R"({"errors":[1],"errors":[]})",
                              R"({"errors":null,"errors":[1],"errors":null})",
                              "",
                              " ",
                              "[]",
                              R"([{"data":{}}])",
                              "null",
                              "1",
                              "\"x\"",
                              "true",
                              "{",
                              "{\"data\":{}",
                              "{\"data\":{}} x",
                              "{}{}",
                              "<html>",
                              "{\"data\":\"\xFF\"}",
                              R"({"data":"\ud800"})",
                              "\xEF\xBB\xBF{}",
                              "{\"data\":{},}",
                              "--x\r\nContent-Type: application/json"})
    expect_each_way(false, content);
}

TEST(GraphqlAnswer, WhatCannotBeUndoneIsNotClean) {
  const std::string content = R"({"data":{}})";
  EXPECT_TRUE(clean(content, 4, "identity"));
  EXPECT_FALSE(clean(content, 4, "gzip"));
  EXPECT_FALSE(clean(content, 4, "compress"));
  EXPECT_FALSE(clean(brotli(gzip(content)), 4, "gzip, br"));
  EXPECT_FALSE(clean(gzip(content).substr(0, 20), 4, "gzip"));
  EXPECT_FALSE(clean(gzip(content) + "x", 4, "gzip"));
}

TEST(GraphqlAnswer, LongAnswersAreReadInPieces) {
  std::string content = R"({"data":[)";
  for (int i = 0; i < 20000; ++i)
    content += (i > 0 ? R"(,{"id":)" : R"({"id":)") + std::to_string(i) + R"(,"name":"a name\n"})";
  for (const auto& [end, verdict] :
       {std::pair{R"(]})", true}, std::pair{R"(],"errors":[]})", true}, std::pair{R"(],"errors":[{}]})", false}}) {
    const std::string whole = content + end;
    EXPECT_EQ(clean(whole, 16384), verdict);
    EXPECT_EQ(clean(whole, 1009), verdict);
    EXPECT_EQ(clean(gzip(whole), 1009, "gzip"), verdict);
    EXPECT_EQ(clean(brotli(whole), 100000, "br"), verdict);
  }
}

TEST(GraphqlAnswer, DeepAnswersAreNotClean) {
  const auto nested = [](std::size_t levels) {
    return "{\"data\":" + std::string(levels, '[') + std::string(levels, ']') + "}";
  };
  EXPECT_TRUE(clean(nested(200), 7));
  EXPECT_FALSE(clean(nested(1000), 7));
  EXPECT_FALSE(clean("{\"data\":" + std::string(1000000, '['), 4096));
}

TEST(GraphqlAnswer, ABombIsGivenUp) {
  const std::string much = zstd(std::string(std::size_t{1} << 20, 'x'));
  std::string bomb = zstd(R"({"data":")");
  for (int i = 0; i < 300; ++i) bomb += much;
  bomb += zstd("\"}");
  EXPECT_FALSE(clean(bomb, 4096, "zstd"));
}

}  // namespace
}  // namespace forebay::content
