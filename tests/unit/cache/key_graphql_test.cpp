#include "fixture.hpp"
#include "forebay/base/text.hpp"

namespace forebay::cache {
namespace {

using rules::Reason;

const FieldList kJson{{"Content-Type", "application/json"}};
const std::string kBase = "r|GRAPHQL|http|h|/graphql";

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) append_percent_encoded(out, static_cast<unsigned char>(c));
  return out;
}

std::string json_string(std::string_view text) {
  std::string out;
  append_json_string(out, text, kCanonicalJsonEscapes);
  return out;
}

std::string hashed(std::string_view hash) {
  return R"({"persistedQuery":{"version":1,"sha256Hash":")" + std::string(hash) + R"("}})";
}

class KeyGraphql : public ::testing::Test {
 protected:
  KeyGraphql() {
    spec.graphql = true;
    make.persisted = &persisted;
  }
  Built post(std::string content, std::string target = "/graphql") {
    return make(spec, {"POST", std::move(target), kJson, std::move(content)});
  }
  Built post_query(std::string_view document, std::string more = {}) {
    return post(R"({"query":)" + json_string(document) + more + "}");
  }
  Built get(const std::string& query, const char* method = "GET") { return make(spec, {method, "/graphql?" + query}); }
  Built get_query(std::string_view document, const std::string& more = {}) {
    return get("query=" + escaped(document) + more);
  }
  static std::string keyed(std::string_view normal) { return kBase + "|b:query=" + sha256_hex(normal, 32); }

  KeySpec spec;
  PersistedQueries persisted;
  KeyMaker make;
};

TEST_F(KeyGraphql, MeetsInOneKeyWhereRequestsMeanTheSame) {
  const auto key = keyed("query A($x:Int){a(x:$x)}") + R"( variables={"x":1,"y":2})";
  const std::string document = "query A($x: Int) { a(x: $x) } # comment";
  const std::string vars = R"({"y": 2, "x": 1})";
  EXPECT_EQ(post_query(document, R"(,"variables":)" + vars).text, key);
  EXPECT_EQ(post_query("query A($x:Int){a(x:$x)}", R"(,"variables":{"x":1,"y":2})").text, key);
  EXPECT_EQ(post_query(document, R"(,"operationName":"A","variables":)" + vars).text, key)
      << "the one operation needs no name";
  EXPECT_EQ(get_query(document, "&variables=" + escaped(vars)).text, key);
  EXPECT_EQ(get("variables=" + escaped(vars) + "&operationName=A&query=" + escaped(document)).text, key);
  EXPECT_EQ(get("%71uery=" + escaped(document) + "&variables=" + escaped(vars)).text, key);
  EXPECT_EQ(make(spec, {"HEAD", "/graphql?query=" + escaped(document) + "&variables=" + escaped(vars)}).text, key);
  EXPECT_EQ(make(spec, {"POST", "/graphql", {{"Content-Type", "application/graphql"}}, "{a}"}).text, keyed("{a}"));
}

TEST_F(KeyGraphql, TellsApartWhatMayBeAnsweredDifferently) {
  const std::string two = "query A{a} query B{b}";
  EXPECT_EQ(post_query(two, R"(,"operationName":"A")").text, keyed("query A{a}query B{b}") + " operationName=A");
  EXPECT_NE(post_query(two, R"(,"operationName":"A")").text, post_query(two, R"(,"operationName":"B")").text);
  EXPECT_NE(post_query(two, R"(,"operationName":"A")").text, post_query(two).text);
  EXPECT_NE(post_query("{a}", R"(,"operationName":"A")").text, post_query("{a}").text) << "names no operation";
  EXPECT_NE(post_query("query A{a}", R"(,"operationName":"B")").text, post_query("query A{a}").text);
  EXPECT_NE(post_query("{a}", R"(,"variables":{"x":1})").text, post_query("{a}", R"(,"variables":{"x":"1"})").text);
  EXPECT_EQ(post_query("{a}", R"(,"variables":{})").text, post_query("{a}", R"(,"variables":null)").text);
  EXPECT_NE(post_query("{a}", R"(,"extensions":{"trace":true})").text, post_query("{a}").text);
  EXPECT_NE(post_query("{a}", R"(,"more":1)").text, post_query("{a}").text);
}

TEST_F(KeyGraphql, EscapesANameSoThatItStaysApartFromWhatFollows) {
  EXPECT_EQ(post_query("{a}", R"(,"operationName":"A variables={\"x\":1}|%")").text,
            keyed("{a}") + R"( operationName=A%20variables%3D{"x":1}%7C%25)");
  EXPECT_EQ(post_query("{a}", R"(,"variables":{"x":" rest=|%"})").text,
            keyed("{a}") + R"( variables={"x":" rest=%7C%25"})");
}

TEST_F(KeyGraphql, NeverKeysMutationsAndSubscriptions) {
  for (const char* document : {"mutation{a}", "subscription{a}", "query A{a} mutation B{b}"}) {
    EXPECT_EQ(post_query(document).reason, Reason::GraphqlOperation) << document;
    EXPECT_EQ(post_query(document, R"(,"operationName":"A")").reason, Reason::GraphqlOperation) << document;
    EXPECT_EQ(get_query(document).reason, Reason::GraphqlOperation) << document;
    EXPECT_EQ(get("extensions=" + escaped(hashed(sha256_hex(document)))).reason, Reason::GraphqlOperation)
        << "known by its hash";
  }
}

TEST_F(KeyGraphql, ResolvesAHashOnceItsDocumentWasShown) {
  const std::string document = "query A { a }";
  const auto hash = sha256_hex(document);
  const auto by_get = [&](const std::string& more = {}) { return get("extensions=" + escaped(hashed(hash)) + more); };
  const auto by_post = [&] { return post(R"({"extensions":)" + hashed(hash) + "}"); };
  EXPECT_EQ(by_get().text, kBase + "|b:hash=" + hash);
  EXPECT_EQ(by_get("&operationName=A").text, kBase + "|b:hash=" + hash + " operationName=A");
  EXPECT_EQ(by_post().reason, Reason::GraphqlOperation) << "behind it may stand a mutation";
  const auto shown = post_query(document, R"(,"extensions":)" + hashed(hash));
  EXPECT_EQ(shown.text, keyed("query A{a}"));
  EXPECT_EQ(by_get().text, shown.text);
  EXPECT_EQ(by_get("&operationName=A").text, shown.text);
  EXPECT_EQ(by_post().text, shown.text);
  EXPECT_NE(by_get("&operationName=B").text, shown.text);
  EXPECT_EQ(get_query(document).text, shown.text) << "brought again";
}

TEST_F(KeyGraphql, TakesNoHashThatIsNotOfItsQuery) {
  EXPECT_EQ(post_query("{a}", R"(,"extensions":)" + hashed(sha256_hex("{b}"))).reason, Reason::BodyUnparsable);
  EXPECT_EQ(post_query("{a}", R"(,"extensions":)" + hashed(sha256_hex("{a}"))).reason, Reason::None);
  EXPECT_EQ(get_query("{a}", "&extensions=" + escaped(hashed(sha256_hex("{b}")))).reason, Reason::BodyUnparsable);
  EXPECT_EQ(get("extensions=" + escaped(hashed("abc"))).reason, Reason::BodyUnparsable);
}

TEST_F(KeyGraphql, WorksWithoutMemoryOfDocuments) {
  make.persisted = nullptr;
  EXPECT_EQ(post_query("query A { a }", R"(,"operationName":"A")").text, keyed("query A{a}"));
  EXPECT_EQ(get("extensions=" + escaped(hashed(sha256_hex("query A { a }")))).text,
            kBase + "|b:hash=" + sha256_hex("query A { a }"));
}

TEST_F(KeyGraphql, GivesNoKeyForWhatIsNoRequest) {
  for (const char* content : {"", "{}", "[]", R"([{"query":"{a}"}])", R"({"query":1})", R"({"query":"{a"})",
                              R"({"query":"{a}","query":"{b}"})", R"({"variables":{}})", "{a}", "nope"})
    EXPECT_EQ(post(content).reason, Reason::BodyUnparsable) << content;
  EXPECT_EQ(make(spec, {"GET", "/graphql"}).reason, Reason::BodyUnparsable);
  EXPECT_EQ(get("variables={}").reason, Reason::BodyUnparsable);
  EXPECT_EQ(get("query=%7Ba%7D&query=%7Bb%7D").reason, Reason::BodyUnparsable);
  EXPECT_EQ(make(spec, {"POST", "/graphql", {{"Content-Type", "text/plain"}}, R"({"query":"{a}"})"}).reason,
            Reason::BodyUnparsable);
  EXPECT_EQ(make(spec, {"POST", "/graphql", {}, R"({"query":"{a}"})"}).reason, Reason::BodyUnparsable);
  EXPECT_EQ(make(spec, {"POST", "/graphql", {kJson[0], kJson[0]}, R"({"query":"{a}"})"}).reason,
            Reason::BodyUnparsable);
}

TEST_F(KeyGraphql, RefusesAPostWhoseTargetHasPartsOfARequestToo) {
  for (const char* query : {"query=x", "operationName=A", "variables", "extensions=", "a&%71uery=x", "Query=x",
                            "utm=1;query=x", "a;%56ariables", "query[]=x"})
    EXPECT_EQ(post(R"({"query":"{a}"})", std::string("/graphql?") + query).reason, Reason::BodyUnparsable) << query;
  EXPECT_EQ(post(R"({"query":"{a}"})", "/graphql?queries=x&a;b").reason, Reason::None) << "other names";
}

TEST_F(KeyGraphql, RefusesMembersAndParametersThatSomeReadersTakeForOthers) {
  for (const char* content :
       {R"({"query":"{a}","Query":"{b}"})", R"({"query":"{a}","OperationName":"A"})", R"({"QUERY":"{a}"})"})
    EXPECT_EQ(post(content).reason, Reason::BodyUnparsable) << content;
  for (const char* more : {"&Query=%7Bb%7D", "&utm=1;query=%7Bb%7D", ";variables=%7B%7D"})
    EXPECT_EQ(get_query("{a}", more).reason, Reason::BodyUnparsable) << more;
}

TEST_F(KeyGraphql, IsReadAsUtf8AndNothingElse) {
  const auto reason = [&](const char* type, FieldList more = {}) {
    more.emplace_back("Content-Type", type);
    return make(spec, {"POST", "/graphql", more, R"({"query":"{a}"})"}).reason;
  };
  for (const char* type : {"application/json", "application/json; charset=UTF-8", "application/json;charset=\"utf-8\"",
                           "application/graphql-request+json"})
    EXPECT_EQ(reason(type), Reason::None) << type;
  for (const char* type :
       {"application/json; charset=utf-7", "application/json;charset=us-ascii", "application/json;x",
        "application/json; charset=utf-8; charset=utf-7", "application/ json", "application/json,a/b"})
    EXPECT_EQ(reason(type), Reason::BodyUnparsable) << type;
  for (const char* coding : {"deflate", "gzip, gzip", "compress"})
    EXPECT_EQ(reason("application/json", {{"Content-Encoding", coding}}), Reason::BodyUnparsable) << coding;
  EXPECT_EQ(reason("application/json", {{"Content-Encoding", "identity"}, {"Content-Encoding", "identity"}}),
            Reason::BodyUnparsable);
}

TEST_F(KeyGraphql, DigestsWhatIsLong) {
  const std::string much(2000, '|');
  const auto variables = post_query("{a}", R"(,"variables":{"v":")" + much + R"("})");
  EXPECT_EQ(variables.text, keyed("{a}") + " variables=%sha256:" + sha256_hex(R"({"v":")" + much + R"("})"));
  const auto name = post_query("query A{a}query B{b}", R"(,"operationName":")" + much + "\"");
  EXPECT_EQ(name.text, keyed("query A{a}query B{b}") + " operationName=%sha256:" + sha256_hex(much));
  EXPECT_NE(post_query("query A{a}query B{b}", R"(,"operationName":"%sha256:)" + sha256_hex(much) + "\"").text,
            name.text);
}

TEST_F(KeyGraphql, KeepsWhatElseStandsInTheQuery) {
  EXPECT_EQ(post(R"({"query":"{a}"})", "/graphql?v=2&a").text, kBase + "|q:v=2&a|b:query=" + sha256_hex("{a}", 32));
  EXPECT_EQ(get_query("{a}", "&v=2&a").text, kBase + "|q:v=2&a|b:query=" + sha256_hex("{a}", 32));
  EXPECT_EQ(post(R"({"query":"{a}"})", "/graphql?").text, keyed("{a}"));
  spec.query = QueryMode::Only;
  spec.query_names = {"query", "v"};
  EXPECT_EQ(get_query("{a}", "&v=2&a").text, kBase + "|q:v=2|b:query=" + sha256_hex("{a}", 32));
}

TEST_F(KeyGraphql, HasOneResourceWhateverTheMethodAndTheRequest) {
  const auto resource = post_query("{a}").key.resource();
  EXPECT_EQ(get_query("{b}").key.resource(), resource);
  EXPECT_EQ(make(spec, {"GET", "/graphql"}).key.resource(), resource);
}

TEST_F(KeyGraphql, KeysOtherMethodsByTheirBytes) {
  EXPECT_EQ(make(spec, {"PUT", "/graphql", kJson, R"({"query":"{a}"})"}).text,
            "r|PUT|http|h|/graphql|b:" + sha256_hex(R"({"query":"{a}"})", 32) + "|m:application/json");
  EXPECT_EQ(make(spec, {"OPTIONS", "/graphql"}).text, "r|OPTIONS|http|h|/graphql");
}

TEST_F(KeyGraphql, KeepsTheLimitOfContent) {
  spec.body_max = 20;
  EXPECT_EQ(post(R"({"query":"{abcd}"})").reason, Reason::None);
  EXPECT_EQ(post(R"({"query":"{abcdefg}"})").reason, Reason::BodyTooLarge);
}

TEST_F(KeyGraphql, TellsItsPieces) {
  std::string told;
  for (const auto& p : post_query("{a}", R"(,"variables":{"x":1})").parts)
    if (p.kind == "graphql") told += p.name + (p.present ? "=" + p.value : std::string("-")) + " ";
  EXPECT_EQ(told, "query=" + sha256_hex("{a}", 32) + R"( operationName- variables={"x":1} rest- )");
}

}  // namespace
}  // namespace forebay::cache
