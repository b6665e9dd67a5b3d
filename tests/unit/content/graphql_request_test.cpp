#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "forebay/content/graphql.hpp"

namespace forebay::content {
namespace {

const std::string kHash = "ecf4edb46db40b5132295c0291d62fb65d6759a9eedfa4d5d612dd5ec54a6b38";

// The parts in one line: query|name|variables|hash|rest; `-` for no query.
std::string parts(const GraphqlRequest& request) {
  return request.query.value_or("-") + "|" + request.operation_name + "|" + request.variables + "|" + request.hash +
         "|" + request.rest;
}
std::string post(std::string_view content, std::string_view type = "application/json",
                 Numbers numbers = Numbers::Written) {
  GraphqlRequest request;
  const auto done = read_graphql_content(type, content, numbers, {}, request);
  if (done) return parts(request);
  EXPECT_EQ(done.error(), Errc::Malformed);
  return "refused";
}
std::string get(std::string_view query, Numbers numbers = Numbers::Written) {
  GraphqlRequest request;
  const auto done = read_graphql_query(query, numbers, {}, request);
  if (done) return parts(request);
  EXPECT_EQ(done.error(), Errc::Malformed);
  return "refused";
}

TEST(GraphqlRequest, APostIsReadAsJson) {
  struct Row {
    std::string content;
    std::string parts;
  };
  const std::string persisted = R"("persistedQuery":{"version":1,"sha256Hash":")" + kHash + "\"}";
  const Row rows[] = {
      {"{}", "-||||"},
      {R"({"query":"{a}"})", "{a}||||"},
      {R"({"query":"{ a }\n","operationName":"Q","variables":{"b":1, "a":[ 2.0 ]}})",
       "{ a }\n|Q|{\"a\":[2.0],\"b\":1}||"},
      {R"({"query":null,"operationName":null,"variables":null,"extensions":null})", "-||||"},
      {R"({"query":"","operationName":"","variables":{},"extensions":{}})", "||||"},
      {R"({"extensions":{)" + persisted + "}}", "-|||" + kHash + "|"},
      {R"({"query":"{a}","extensions":{)" + persisted + "}}", "{a}|||" + kHash + "|"},
      // All else counts.
      {R"({"query":"{a}","id":7,"b":{"y":1,"x":2}})", R"({a}||||{"b":{"x":2,"y":1},"id":7})"},
      {R"({"query":"{a}","queries":"{b}"})", R"({a}||||{"queries":"{b}"})"},
      {R"({"query":"{a}","extensions":{"tracing":true,"a":null}})",
       R"({a}||||{"extensions":{"a":null,"tracing":true}})"},
      {R"({"query":"{a}","extensions":{"z":1,)" + persisted + R"(},"e":1,"f":2})",
       "{a}|||" + kHash + R"(|{"e":1,"extensions":{"z":1},"f":2})"},
      {R"({"extensions":{"persistedQuery":null}})", R"(-||||{"extensions":{"persistedQuery":null}})"},
      {R"({"extensions":{"persistedQuery":{}}})", R"(-||||{"extensions":{"persistedQuery":{}}})"},
      {R"({"extensions":{"persistedQuery":{"version":1}}})", R"(-||||{"extensions":{"persistedQuery":{"version":1}}})"},
      {R"({"extensions":{"persistedQuery":{"sha256Hash":")" + kHash + "\"}}}", "-|||" + kHash + "|"},
      {R"({"extensions":{"persistedQuery":{"version":2,"x":[],"sha256Hash":")" + kHash + "\"}}}",
       "-|||" + kHash + R"(|{"extensions":{"persistedQuery":{"version":2,"x":[]}}})"},
      {R"({"extensions":{"persistedQuery":{"version":"1","sha256Hash":")" + kHash + "\"}}}",
       "-|||" + kHash + R"(|{"extensions":{"persistedQuery":{"version":"1"}}})"},
  };
  for (const Row& r : rows) {
    EXPECT_EQ(post(r.content), r.parts) << r.content;
    EXPECT_EQ(post(r.content, "application/graphql+json; charset=utf-8"), r.parts);
  }
}

TEST(GraphqlRequest, AHashIsTheSameInAnyCase) {
  std::string upper = kHash;
  for (char& c : upper)
    if (c >= 'a') c = static_cast<char>(c - 32);
  EXPECT_EQ(post(R"({"extensions":{"persistedQuery":{"version":1,"sha256Hash":")" + upper + "\"}}}"),
            "-|||" + kHash + "|");
}

TEST(GraphqlRequest, WhatIsNoRequestIsRefused) {
  for (
      const char* content :
      {"",
       "x",
       "[]",
       R"([{"query":"{a}"}])",
       "\"{a}\"",
       "null",
       "1",
       R"({"query":1})",
       R"({"query":["{a}"]})",
       R"({"query":{}})",
       R"({"query":true})",
       R"({"operationName":1})",
       R"({"operationName":["Q"]})",
       R"({"variables":[]})",
       R"({"variables":"{}"})",
       R"({"variables":1})",
       R"({"extensions":[]})",
       R"({"extensions":"x"})",
       R"({"query":"{a}","query":"{b}"})",
       R"({"variables":{"a":1,"a":2}})",
       R"({"query":"{a}","Query":"{b}"})",
       R"({"QUERY":"{b}"})",
       R"({"query":"{a}","operationname":"b"})",
       R"({"query":"{a}","Variables":{}})",
       R"({"query":"{a}","variable\u017f":{}})",
       R"({"query":"{a}","extenſions":{}})",
       R"({"query":"{a}","extensions":{"PersistedQuery":1}})",
       R"({"query":"{a}","extensions":{"persistedQuery":{"Sha256Hash":"a"}}})",
       R"({"query":"{a}"} x)",
       R"({"query":"\ud800"})",
       R"({"extensions":{"persistedQuery":1}})",
       R"({"extensions":{"persistedQuery":[]}})",
       R"({"extensions":{"persistedQuery":{"sha256Hash":1}}})",
       R"({"extensions":{"persistedQuery":{"sha256Hash":null}}})",
       R"({"extensions":{"persistedQuery":{"sha256Hash":""}}})",
       R"({"extensions":{"persistedQuery":{"sha256Hash":"abc"}}})",
       R"({"extensions":{"persistedQuery":{"sha256Hash":"gcf4edb46db40b5132295c0291d62fb65d6759a9eedfa4d5d612dd5ec54a6b38"}}})"})
    EXPECT_EQ(post(content), "refused") << content;
  for (const char* type : {"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
                           "application/graphqlx"})
    EXPECT_EQ(post(R"({"query":"{a}"})", type), "refused") << type;
}

TEST(GraphqlRequest, ADocumentMayBeTheWholeContent) {
  EXPECT_EQ(post("{ a }", "application/graphql"), "{ a }||||");
  EXPECT_EQ(post("{ a }", "Application/GraphQL; charset=utf-8"), "{ a }||||");
  EXPECT_EQ(post("{ a }", "application/json"), "refused");
}

TEST(GraphqlRequest, AGetIsReadFromItsParameters) {
  struct Row {
    std::string query;
    std::string parts;
  };
  const std::string persisted =
      "extensions=%7B%22persistedQuery%22:%7B%22version%22:1,%22sha256Hash%22:%22" + kHash + "%22%7D%7D";
  const Row rows[] = {
      {"", "-||||"},
      {"query={a}", "{a}||||"},
      {"query=%7B+a%20%7D&operationName=Q&variables=%7B%22b%22:1,+%22a%22:2%7D", "{ a }|Q|{\"a\":2,\"b\":1}||"},
      {"variables={}&extensions={}&operationName=", "-||||"},
      {"variables=null&extensions=null&operationName&query", "||||"},
      {persisted, "-|||" + kHash + "|"},
      {persisted + "&query={a}", "{a}|||" + kHash + "|"},
      {"extensions={\"b\":1,\"a\":2}&query={a}", R"({a}||||{"extensions":{"a":2,"b":1}})"},
      {"%71uery={a}", "{a}||||"},
      // Others are left alone, whatever they are.
      {"&&x=1&x=2&utm=%zz&%=1&queries=1&queryx=2&a;b=c&query={a}&", "{a}||||"},
  };
  for (const Row& r : rows) EXPECT_EQ(get(r.query), r.parts) << r.query;
}

TEST(GraphqlRequest, AGetThatCouldBeReadInTwoWaysIsRefused) {
  for (const char* query : {"query={a}&query={a}",
                            "query={a}&%71uery={b}",
                            "query&query",
                            "variables={}&variables={}",
                            "operationName=a&operationName=b",
                            "extensions={}&extensions={}",
                            "query={a}&Query={b}",
                            "QUERY={b}",
                            "query={a}&query[]={b}",
                            "query={a}&utm=1;query={b}",
                            "query={a}&utm;%71uery",
                            "query={a};query={b}",
                            "query={a};Variables={}",
                            "operationName=a;variables={}&query={a}",
                            "query=%",
                            "query=%4",
                            "operationName=%zz",
                            "variables=",
                            "variables=x",
                            "variables=[]",
                            "variables=1",
                            "variables={\"a\":1,\"a\":1}",
                            "variables=%7B",
                            "extensions=",
                            "extensions=[]",
                            "variables=\"{}\"",
                            "extensions={\"persistedQuery\":{\"sha256Hash\":\"x\"}}",
                            "variables={}x",
                            "variables={\"a\":\"%FF\"}"})
    EXPECT_EQ(get(query), "refused") << query;
}

TEST(GraphqlRequest, GetAndPostMeetWhereTheyMeanTheSame) {
  EXPECT_EQ(get("query=%7Ba%7D&variables=%7B%22x%22%3A%20%22%5Cu0061%22%7D&operationName=Q"),
            post(R"({"operationName":"Q","variables":{"x":"a"},"query":"{a}"})"));
  EXPECT_EQ(get("extensions={\"b\":1,\"persistedQuery\":{\"version\":1,\"sha256Hash\":\"" + kHash + "\"}}"),
            post("{\"extensions\":{\"persistedQuery\":{\"sha256Hash\":\"" + kHash + "\",\"version\":1},\"b\":1}}"));
}

TEST(GraphqlRequest, NumbersCompareAsTheRouteSays) {
  EXPECT_NE(post(R"({"variables":{"a":1}})"), post(R"({"variables":{"a":1.0}})"));
  EXPECT_EQ(post(R"({"variables":{"a":1},"x":[1]})", "application/json", Numbers::Value),
            post(R"({"variables":{"a":1.0},"x":[1e0]})", "application/json", Numbers::Value));
  EXPECT_EQ(get("variables={\"a\":10}", Numbers::Value), get("variables={\"a\":1e1}", Numbers::Value));
}

TEST(GraphqlRequest, ExtensionsThatAreNoInputAreLeftOut) {
  const std::vector<std::string> ignored{"persistedQuery.miss", "clientLibrary", "a.b"};
  const std::string hash = R"("version":1,"sha256Hash":")" + kHash + "\"";
  const std::pair<std::string, std::string> rows[] = {
      {"{}", ""},
      {R"({"clientLibrary":{"name":"a","version":"1"}})", ""},
      {R"({"clientLibrary":null})", ""},
      {R"({"persistedQuery":{)" + hash + R"(,"miss":true}})", ""},
      {R"({"persistedQuery":{)" + hash + R"(,"miss":true},"clientLibrary":1})", ""},
      {R"({"persistedQuery":{)" + hash + R"(,"other":true,"miss":false}})", R"({"persistedQuery":{"other":true}})"},
      {R"({"persistedQuery":{"miss":true}})", ""},
      {R"({"a":{"b":1}})", ""},
      {R"({"a":{"b":1,"c":2},"z":1})", R"({"a":{"c":2},"z":1})"},
      {R"({"a":[1]})", R"({"a":[1]})"},
      {R"({"a":{}})", ""},
      {R"({"x":{"b":1}})", R"({"x":{"b":1}})"},
      {R"({"ClientLibrary":1})", R"({"ClientLibrary":1})"},
      {R"({"ab":1})", R"({"ab":1})"},
  };
  GraphqlRequest request;
  for (const auto& [extensions, rest] : rows) {
    const auto expected = rest.empty() ? "" : "{\"extensions\":" + rest + "}";
    ASSERT_TRUE(read_graphql_content("application/json", R"({"query":"{a}","extensions":)" + extensions + "}",
                                     Numbers::Written, ignored, request))
        << extensions;
    EXPECT_EQ(request.rest, expected) << extensions;
    ASSERT_TRUE(read_graphql_query("query={a}&extensions=" + extensions, Numbers::Written, ignored, request));
    EXPECT_EQ(request.rest, expected) << extensions;
  }
}

TEST(GraphqlRequest, AnObjectIsFilledAnew) {
  GraphqlRequest request;
  ASSERT_TRUE(read_graphql_content(
      "application/json",
      R"({"query":"{a}","operationName":"Q","variables":{"a":1},"x":1,"extensions":{"persistedQuery":{"sha256Hash":")" +
          kHash + "\"}}}",
      Numbers::Written, {}, request));
  EXPECT_EQ(parts(request), "{a}|Q|{\"a\":1}|" + kHash + "|{\"x\":1}");
  ASSERT_TRUE(read_graphql_content("application/json", "{}", Numbers::Written, {}, request));
  EXPECT_EQ(parts(request), "-||||");
  ASSERT_TRUE(read_graphql_query("query={b}", Numbers::Written, {}, request));
  EXPECT_EQ(parts(request), "{b}||||");
  ASSERT_TRUE(read_graphql_query("x=y", Numbers::Written, {}, request));
  EXPECT_EQ(parts(request), "-||||");
}

TEST(GraphqlRequest, FourParametersAreIts) {
  for (const char* name : {"query", "operationName", "variables", "extensions"})
    EXPECT_TRUE(is_graphql_parameter(name));
  for (const char* name : {"", "Query", "operationname", "extension", "queryx", "id"})
    EXPECT_FALSE(is_graphql_parameter(name));
}

}  // namespace
}  // namespace forebay::content
