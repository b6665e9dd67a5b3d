// Under `key.graphql` the key is the meaning of a GraphQL request, and only queries with clean responses are stored.
#include "support/content.hpp"
#include "support/forebay_test.hpp"

namespace forebay::test {
namespace {

class Graphql : public ForebayTest {
 protected:
  void SetUp() override {
    origin.otherwise([](const Received& r) { return answer("{\"data\":{\"n\":" + std::to_string(r.number) + "}}"); });
  }
  void start_graphql() {
    start(
        "diagnostics: {cache_status: key}\n"
        "routes: [{name: g, path: /graphql, methods: [GET, POST], key: {graphql: true}}]\n");
  }
  static Reply answer(const std::string& body) { return Reply::fresh(body).field("Content-Type", "application/json"); }

  /// The JSON of a request; `more` are further members with their comma.
  static std::string json(const std::string& query, const std::string& more = {}) {
    std::string text;
    for (const char c : query) {
      if (c == '\n' || c == '\t') {
        text += c == '\n' ? "\\n" : "\\t";
        continue;
      }
      if (c == '"' || c == '\\') text += '\\';
      text += c;
    }
    return "{\"query\":\"" + text + "\"" + more + "}";
  }
  Answer send(const std::string& body) { return ask("POST", "/graphql", {{"Content-Type", "application/json"}}, body); }
  Answer query(const std::string& text, const std::string& more = {}) { return send(json(text, more)); }
  static std::string url(const std::vector<std::pair<std::string, std::string>>& parameters) {
    std::string target = "/graphql";
    for (const auto& [name, value] : parameters)
      target += (target == "/graphql" ? "?" : "&") + name + "=" + percent_encoded(value);
    return target;
  }
  static std::string persisted(const std::string& hash) {
    return "{\"persistedQuery\":{\"version\":1,\"sha256Hash\":\"" + hash + "\"}}";
  }
  void expect_never_stored(const std::string& body, const std::string& reason) {
    const auto before = origin.count("/graphql");
    for (int i = 0; i < 2; ++i) {
      const auto a = send(body);
      EXPECT_EQ(a.status, 200) << body;
      EXPECT_EQ(a.cache_status(), "forebay; fwd=bypass; detail=" + reason) << body;
      EXPECT_EQ(origin.last("/graphql").body, body);
    }
    EXPECT_EQ(origin.count("/graphql"), before + 2) << body;
  }
};

TEST_F(Graphql, WhatIsInsignificantInADocumentMakesNoOtherKey) {
  start_graphql();
  const auto first = query("query Q($id: ID!) { user(id: $id) { name, email } }", R"(,"variables":{"id":1})");
  EXPECT_EQ(first.x_cache(), "MISS");
  EXPECT_THAT(first.key(), StartsWith("g|GRAPHQL|http|shop.test|/graphql|"));
  EXPECT_THAT(first.key(), Not(HasSubstr("|m:")));
  for (const auto* same : {"query Q($id:ID!){user(id:$id){name email}}",
                           "# a comment\nquery Q($id: ID!)\n{\n\tuser(id: $id,) {\n name # another\n,,email }\n}\n",
                           "query  Q ( $id : ID ! ) { user ( id : $id ) { name email } }"}) {
    const auto a = query(same, R"(,"variables":{"id":1})");
    EXPECT_EQ(a.x_cache(), "HIT") << same;
    EXPECT_EQ(a.body, first.body);
  }
  EXPECT_EQ(origin.count("/graphql"), 1u);
}

TEST_F(Graphql, DocumentsThatMeanSomethingElseNeverShare) {
  start_graphql();
  const std::vector<std::string> all{
      "{ a }",
      "{ b }",
      "{ a b }",
      "{ ab }",
      "{ b a }",
      "{ a: b }",
      "{ a { b } }",
      "{ a(x: 1) }",
      "{ a(x: 1.0) }",
      "{ a(x: \"1\") }",
      "{ a(x: \"1 2\") }",
      "{ a(x: \"1,2\") }",
      "{ a(x: \"1  2\") }",
      "{ a(x: \"# no comment\") }",
      "{ a(x: \"\"\"1 2\"\"\") }",
      "{ a(x: \"\"\"1,2\"\"\") }",
      "{ a(x: [1, 2]) }",
      "{ a(x: [12]) }",
      "{ a(x: $y) }",
      "{ a @skip(if: true) }",
      "query A { a }",
      "query a { a }",
      "{ a ...f } fragment f on T { b }",
      "{ a ...f } fragment f on T { c }",
  };
  for (const auto& text : all) EXPECT_EQ(query(text).x_cache(), "MISS") << text;
  for (const auto& text : all) EXPECT_EQ(query(text).x_cache(), "HIT") << text;
  EXPECT_EQ(origin.count("/graphql"), all.size());
}

TEST_F(Graphql, VariablesAreCanonicalJson) {
  start_graphql();
  const std::string text = "query Q($a: Int, $b: Int) { x(a: $a, b: $b) }";
  query(text, R"(,"variables":{"a":1,"b":{"y":[1,2],"x":"\u0061"}})");
  EXPECT_EQ(query(text, R"(, "variables" : { "b":{"x":"a","y":[1,2]}, "a":1 })").x_cache(), "HIT");
  for (const auto* other : {R"("a":1,"b":{"y":[2,1],"x":"a"})", R"("a":1.0,"b":{"y":[1,2],"x":"a"})",
                            R"("a":"1","b":{"y":[1,2],"x":"a"})", R"("a":1)", R"("a":1,"b":null)", R"("a":null)"})
    EXPECT_EQ(query(text, std::string(",\"variables\":{") + other + "}").x_cache(), "MISS") << other;
  query("{ a }");
  EXPECT_EQ(query("{ a }", R"(,"variables":{})").x_cache(), "HIT") << "none, however it is said";
  EXPECT_EQ(query("{ a }", R"(,"variables":null)").x_cache(), "HIT");
}

TEST_F(Graphql, TheOperationNameChoosesAndIsPartOfTheKey) {
  start_graphql();
  const std::string two = "query A { a } query B { b }";
  EXPECT_EQ(query(two, R"(,"operationName":"A")").x_cache(), "MISS");
  EXPECT_EQ(query(two, R"(,"operationName":"B")").x_cache(), "MISS");
  EXPECT_EQ(query(two, R"(,"operationName":"A")").x_cache(), "HIT");
  EXPECT_EQ(query(two).x_cache(), "MISS");
  query("query Only { a }");
  EXPECT_EQ(query("query Only { a }", R"(,"operationName":"Only")").x_cache(), "HIT")
      << "naming the only operation chooses nothing else";
  EXPECT_EQ(query("query Only { a }", R"(,"operationName":null)").x_cache(), "HIT");
  EXPECT_EQ(query("query Only { a }", R"(,"operationName":"Other")").x_cache(), "MISS");
}

TEST_F(Graphql, OtherMembersAndExtensionsCount) {
  start_graphql();
  query("{ a }");
  EXPECT_EQ(query("{ a }", R"(,"extensions":{"caller":true})").x_cache(), "MISS");
  EXPECT_EQ(query("{ a }", R"(,"extensions":{ "caller" : true })").x_cache(), "HIT");
  EXPECT_EQ(query("{ a }", R"(,"extensions":{"caller":false})").x_cache(), "MISS");
  EXPECT_EQ(query("{ a }", R"(,"id":"7")").x_cache(), "MISS");
}

TEST_F(Graphql, GetAndPostMeetInOneEntry) {
  start_graphql();
  const std::string text = "query Q($id: ID) { user(id: $id) { name } }";
  const auto posted = query(text, R"(,"variables":{"id":"7"},"operationName":"Q")");
  const auto got = get(url({{"query", text}, {"variables", R"({ "id": "7" })"}, {"operationName", "Q"}}));
  EXPECT_EQ(got.x_cache(), "HIT");
  EXPECT_EQ(got.body, posted.body);
  EXPECT_EQ(get(url({{"variables", R"({"id":"7"})"}, {"query", "query Q($id:ID){user(id:$id){name}}"}})).x_cache(),
            "HIT");
  EXPECT_EQ(get(url({{"query", text}, {"variables", R"({"id":"8"})"}})).x_cache(), "MISS");
  EXPECT_EQ(query(text, R"(,"variables":{"id":"8"})").x_cache(), "HIT") << "and the other way round";
  EXPECT_EQ(ask("HEAD", url({{"query", text}, {"variables", R"({"id":"8"})"}})).x_cache(), "HIT");
  const auto direct = ask("POST", "/graphql", {{"Content-Type", "application/graphql"}}, "{ direct }");
  EXPECT_EQ(direct.x_cache(), "MISS");
  EXPECT_EQ(query("{direct}").x_cache(), "HIT") << "the document itself as content";
}

TEST_F(Graphql, AcceptIsPartOfTheKeyUnlessTheRouteSaysOtherwise) {
  start(R"(
diagnostics: {cache_status: key}
routes:
  - {name: g, path: /graphql, methods: [GET, POST], key: {graphql: true}}
  - {name: any, path: /any, methods: [GET, POST], key: {graphql: true, graphql_accept: false, headers: [X-Tenant]}}
  - {name: own, path: /own, methods: [GET, POST], key: {graphql: true, headers: [Accept, X-Tenant]}}
)");
  const auto asked = [&](const std::string& path, const std::string& accept) {
    return get(path + "?query=%7Ba%7D", {{"Accept", accept}});
  };
  EXPECT_EQ(asked("/graphql", "application/json").x_cache(), "MISS");
  EXPECT_EQ(asked("/graphql", "application/graphql-response+json").x_cache(), "MISS");
  EXPECT_EQ(asked("/graphql", "application/json").x_cache(), "HIT");
  EXPECT_THAT(asked("/graphql", "application/json").key(), HasSubstr("|h:accept=application/json|"));
  EXPECT_EQ(asked("/any", "application/json").x_cache(), "MISS");
  EXPECT_EQ(asked("/any", "text/html").x_cache(), "HIT");
  EXPECT_THAT(asked("/own", "a/b").key(), HasSubstr("|h:accept=a/b|"));
}

TEST_F(Graphql, ExtensionsThatAreNoInputDoNotSplitEntries) {
  start_graphql();
  EXPECT_EQ(query("{ a }").x_cache(), "MISS");
  EXPECT_EQ(query("{ a }", R"(,"extensions":{"clientLibrary":{"name":"@apollo/client","version":"4.0"}})").x_cache(),
            "HIT");
  EXPECT_EQ(query("{ a }", R"(,"extensions":{"tracing":{}})").x_cache(), "HIT");
  EXPECT_EQ(query("{ a }", R"(,"extensions":{"tenant":"a"})").x_cache(), "MISS");
}

TEST_F(Graphql, WhatWasMadeWithAPreflightIsNotGivenToAGetThatTheOriginMayRefuse) {
  const FieldLines marked{{"Apollo-Require-Preflight", "true"}};
  origin.otherwise([](const Received& r) {
    const bool refused = r.method == "GET" && !r.has("Apollo-Require-Preflight") && r.get("Content-Type").empty();
    if (refused)
      return Reply(400).body("{\"errors\":[{\"message\":\"CSRF\"}]}").field("Content-Type", "application/json");
    return answer("{\"data\":{\"n\":" + std::to_string(r.number) + "}}");
  });
  start_graphql();
  const auto target = url({{"query", "{ a }"}});
  EXPECT_EQ(get(target).status, 400);
  EXPECT_EQ(get(target, marked).x_cache(), "MISS");
  EXPECT_EQ(get(target, marked).x_cache(), "HIT");
  const auto refused = get(target);
  EXPECT_EQ(refused.status, 400) << "as the origin says itself";
  EXPECT_EQ(refused.cache_status().substr(0, 20), "forebay; fwd=request");
  EXPECT_EQ(get(target, {{"Content-Type", "application/json"}}).x_cache(), "HIT");
  EXPECT_EQ(query("{ a }").x_cache(), "HIT") << "a POST with JSON forces a preflight by itself";
  EXPECT_EQ(get(target, marked).x_cache(), "HIT") << "the refusal has put nothing in its place";
  // Without the field a POST and a GET share an entry.
  const auto other = url({{"query", "{ b }"}});
  EXPECT_EQ(query("{ b }").x_cache(), "MISS");
  EXPECT_EQ(get(other).x_cache(), "HIT");
}

TEST_F(Graphql, OfAnOriginWithoutCsrfPreventionAPlainGetPutsItsAnswerInThePlace) {
  start_graphql();
  const auto target = url({{"query", "{ a }"}});
  EXPECT_EQ(get(target, {{"Apollo-Require-Preflight", "true"}}).x_cache(), "MISS");
  const auto fetched = get(target);
  EXPECT_EQ(fetched.x_cache(), "MISS");
  EXPECT_THAT(fetched.cache_status(), StartsWith("forebay; fwd=request; ttl=60; detail=preflight"));
  EXPECT_EQ(get(target).x_cache(), "HIT");
  EXPECT_EQ(get(target).body, fetched.body);
}

TEST_F(Graphql, OtherParametersOfTheQueryStandInTheKey) {
  start_graphql();
  const auto plain = get(url({{"query", "{ a }"}}));
  EXPECT_THAT(plain.key(), Not(HasSubstr("|q:"))) << "the parameters of GraphQL are no part of q:";
  const auto more = get(url({{"query", "{ a }"}, {"tenant", "7"}}));
  EXPECT_EQ(more.x_cache(), "MISS");
  EXPECT_THAT(more.key(), HasSubstr("|q:tenant=7|"));
  EXPECT_EQ(get(url({{"tenant", "7"}, {"query", "{a}"}})).x_cache(), "HIT");
  EXPECT_EQ(ask("POST", "/graphql?tenant=7", {{"Content-Type", "application/json"}}, json("{a}")).x_cache(), "HIT");
}

TEST_F(Graphql, APersistedQuerysHashMeetsItsDocument) {
  start_graphql();
  const std::string text = "query Q { big { document } }";
  const auto hash = sha256_hex(text);
  origin.on("/graphql", [&](const Received& r) {
    const bool whole = r.body.find("big") != std::string::npos;
    return whole ? answer("{\"data\":1}") : answer(R"({"errors":[{"message":"PersistedQueryNotFound"}]})");
  });
  const auto by_hash = url({{"extensions", persisted(hash)}});
  // As clients do it: the hash alone, and after the origin's refusal both.
  const auto refused = get(by_hash);
  EXPECT_THAT(refused.body, HasSubstr("PersistedQueryNotFound"));
  EXPECT_THAT(refused.x_cache(), AnyOf("MISS", "BYPASS"));
  EXPECT_EQ(query(text, ",\"extensions\":" + persisted(hash)).body, "{\"data\":1}");
  const auto hit = get(by_hash);
  EXPECT_EQ(hit.x_cache(), "HIT") << hit;
  EXPECT_EQ(hit.body, "{\"data\":1}");
  EXPECT_EQ(send("{\"extensions\":" + persisted(hash) + "}").x_cache(), "HIT");
  EXPECT_EQ(query(text).x_cache(), "HIT") << "with or without its hash it is the same document";
  EXPECT_EQ(get(url({{"query", text}, {"extensions", persisted(hash)}})).x_cache(), "HIT");
  EXPECT_EQ(origin.count("/graphql"), 2u);
  EXPECT_EQ(get(url({{"extensions", persisted(hash)}, {"variables", R"({"a":1})"}})).x_cache(), "MISS");
}

TEST_F(Graphql, AHashThatIsNotItsQuerysIsNotLookedUpAndNeverLearned) {
  start_graphql();
  const std::string mine = "{ mine }", yours = "{ yours }";
  query(yours, ",\"extensions\":" + persisted(sha256_hex(yours)));
  for (int i = 0; i < 2; ++i) {
    const auto forged = query(mine, ",\"extensions\":" + persisted(sha256_hex(yours)));
    EXPECT_EQ(forged.x_cache(), "BYPASS") << forged;
    EXPECT_EQ(get(url({{"query", mine}, {"extensions", persisted(sha256_hex(yours))}})).x_cache(), "BYPASS");
  }
  query(mine, ",\"extensions\":" + persisted(sha256_hex("{ unseen }")));
  const auto unseen = get(url({{"extensions", persisted(sha256_hex("{ unseen }"))}}));
  EXPECT_NE(unseen.x_cache(), "HIT") << "a hash stands for what was seen to have it alone";
  EXPECT_EQ(get(url({{"extensions", persisted(sha256_hex(yours))}})).x_cache(), "HIT");
}

TEST_F(Graphql, MutationsAndSubscriptionsAreNeverStored) {
  start_graphql();
  for (const auto* text :
       {"mutation { buy }", "mutation M($x: Int) { buy(x: $x) }", "subscription { news }", "  # c\n mutation{buy}",
        "query Q { a } mutation M { b }", "fragment f on T { a } mutation { buy ...f }"})
    expect_never_stored(json(text), "graphql_operation");
  expect_never_stored(json("query Q { a } mutation M { b }", R"(,"operationName":"Q")"), "graphql_operation");
  for (int i = 0; i < 2; ++i)
    EXPECT_EQ(get(url({{"query", "mutation { buy }"}})).cache_param("detail"), "graphql_operation");
  // A field of that name, or the word in a string or a comment, is none.
  for (const auto* text : {"{ mutation }", "{ a(x: \"mutation { b }\") }", "# mutation { b }\n{ a }"})
    EXPECT_EQ(query(text).x_cache(), "MISS") << text;
}

TEST_F(Graphql, AMutationIsNotHiddenBehindItsHash) {
  start_graphql();
  const std::string text = "mutation { buy }";
  for (int i = 0; i < 2; ++i)
    EXPECT_EQ(query(text, ",\"extensions\":" + persisted(sha256_hex(text))).x_cache(), "BYPASS");
  const auto before = origin.count("/graphql");
  for (int i = 0; i < 2; ++i) EXPECT_NE(get(url({{"extensions", persisted(sha256_hex(text))}})).x_cache(), "HIT");
  EXPECT_EQ(origin.count("/graphql"), before + 2);
}

TEST_F(Graphql, MutationsAtATimeAreEachSent) {
  auto hold = gate();
  origin.on("/graphql", answer("{\"data\":1}").after(hold));
  start_graphql();
  std::vector<Client> all;
  for (int i = 0; i < 5; ++i) {
    all.push_back(connect());
    all.back().request("POST", "/graphql", {{"Content-Type", "application/json"}}, json("mutation { buy }"));
  }
  EXPECT_TRUE(origin.wait_for("/graphql", 5));
  hold->open();
  for (auto& c : all) EXPECT_EQ(c.read("POST").x_cache(), "BYPASS");
}

TEST_F(Graphql, AnswersWithErrorsAreNotStored) {
  start("routes: [{path: /**, methods: [GET, POST], key: {graphql: true}, pass_memory: 0}]\n");
  struct Case {
    std::string body;
    bool stored;
  };
  const Case cases[] = {
      {R"({"data":{"a":1}})", true},
      {R"({"data":{"a":null},"errors":[{"message":"x"}]})", false},
      {R"({"errors":[{"message":"x"}]})", false},
      {R"({"errors":[],"data":{}})", true},
      {R"({"errors":null,"data":{}})", true},
      {R"({"data":{"errors":[{"message":"deep inside"}]}})", true},
      {R"({"data":{},"err\u006frs":[1]})", false},
      {R"({"data":{}} )", true},
      {R"([{"data":{}}])", false},
      {R"({"data":{)", false},
      {"<html>maintenance</html>", false},
      {"", false},
      {"{\"data\":\"" + std::string(200000, 'x') + "\",\"errors\":[1]}", false},
      {"{\"data\":\"" + std::string(200000, 'x') + "\"}", true},
  };
  int n = 0;
  for (const auto& c : cases) {
    for (const bool coded : {false, true}) {
      const auto path = "/g" + std::to_string(n++);
      origin.on(path, coded ? answer(c.body).chunked(777) : answer(c.body));
      const auto text = c.body.substr(0, 60);
      const auto first = ask("POST", path, {{"Content-Type", "application/json"}}, json("{ a }"));
      EXPECT_TRUE(first.complete()) << text;
      EXPECT_TRUE(first.body == c.body) << text << ": the client gets it whole in any case";
      const auto second = get(path + "?query=%7Ba%7D");
      EXPECT_EQ(second.x_cache(), c.stored ? "HIT" : "MISS") << text;
      EXPECT_TRUE(second.body == c.body);
      if (!c.stored) {
        EXPECT_TRUE(metric_reaches("forebay_cache_not_stored_total", {{"reason", "graphql_errors"}}, 2)) << text;
      }
    }
  }
}

TEST_F(Graphql, AnAnswerWithErrorsIsFoundOutBehindItsContentEncoding) {
  start("routes: [{path: /**, methods: POST, key: {graphql: true}, pass_memory: 0}]\n");
  const std::string good = R"({"data":{"a":1}})", bad = R"({"data":null,"errors":[{"message":"x"}]})";
  origin.on("/good", answer(gzip(good)).field("Content-Encoding", "gzip"));
  origin.on("/bad", answer(gzip(bad)).field("Content-Encoding", "gzip"));
  origin.on("/bad-br", answer(brotli(bad)).field("Content-Encoding", "br"));
  origin.on("/broken", answer(gzip(good).substr(0, 20)).field("Content-Encoding", "gzip"));
  origin.on("/strange", answer(good).field("Content-Encoding", "unheard-of"));
  for (const auto* path : {"/good", "/bad", "/bad-br", "/broken", "/strange"}) {
    const FieldLines fields{{"Content-Type", "application/json"}, {"Accept-Encoding", "gzip, br"}};
    ask("POST", path, fields, json("{ a }"));
    const auto second = ask("POST", path, fields, json("{ a }"));
    EXPECT_EQ(second.x_cache(), path == std::string("/good") ? "HIT" : "MISS") << path;
  }
}

TEST_F(Graphql, WhatIsNoGraphqlRequestIsNotLookedUp) {
  start_graphql();
  for (const std::string body :
       {"{}", "[]", "null", "{\"query\":7}", "{\"query\":null}", "{\"query\":\"\"}", "[{\"query\":\"{a}\"}]", "{a}",
        "{\"query\":\"{a}\",\"query\":\"{b}\"}", "{\"query\":\"{a}\",\"variables\":[]}",
        "{\"query\":\"{a}\",\"variables\":\"{}\"}", "{\"query\":\"{a}\",\"operationName\":1}",
        "{\"query\":\"{a}\",\"extensions\":7}", "{\"query\":\"{a\"}", "{\"query\":\"a}\"}",
        "{\"query\":\"{a(x:\\\"1)}\"}", "{\"query\":\"type T { a: Int }\"}", "{\"query\":\"{a ? b}\"}",
        "{\"query\":\"fragment f on T {a}\"}"})
    expect_never_stored(body, "body_unparsable");
  EXPECT_EQ(ask("POST", "/graphql", {{"Content-Type", "text/plain"}}, json("{a}")).cache_param("detail"),
            "body_unparsable");
  EXPECT_EQ(get(url({{"query", "{a}"}, {"query", "{b}"}})).cache_param("detail"), "body_unparsable");
  EXPECT_EQ(get("/graphql?query=%7Ba%zz%7D").status, 200);
  EXPECT_EQ(get(url({{"query", "{a}"}, {"variables", "{"}})).cache_param("detail"), "body_unparsable");
}

TEST_F(Graphql, RequestsMayBeEncodedChunkedOrTooLarge) {
  start("routes: [{path: /graphql, methods: POST, key: {graphql: true, body_max: 10KiB, headers: [X-T]}}]\n");
  const auto body = json("{ a }");
  const FieldLines type{{"Content-Type", "application/json"}};
  EXPECT_EQ(ask("POST", "/graphql", {type[0], {"Content-Encoding", "gzip"}}, gzip(body)).x_cache(), "MISS");
  EXPECT_EQ(origin.last("/graphql").body, gzip(body));
  EXPECT_EQ(ask("POST", "/graphql", {type[0], {"Transfer-Encoding", "chunked"}}, chunked(body, 3)).x_cache(), "HIT");
  EXPECT_EQ(ask("POST", "/graphql", {type[0], {"X-T", "1"}}, body).x_cache(), "MISS") << "chosen headers count beside";
  const auto large = json("{ a(x: \"" + pattern(20000) + "\") }");
  EXPECT_EQ(send(large).cache_param("detail"), "body_too_large");
  EXPECT_TRUE(origin.last("/graphql").body == large);
}

TEST_F(Graphql, AStaleAnswerIsRefreshedWithTheRequestThatFoundItStale) {
  origin.on("/graphql", [](const Received& r) {
    return r.number == 1 ? Reply::with("max-age=60, stale-while-revalidate=30", R"({"data":"old"})").field("Age", "61")
                         : answer(R"({"data":"new"})");
  });
  start_graphql();
  query("{ a }");
  const auto stale = get(url({{"query", "{a}"}}));
  EXPECT_EQ(stale.x_cache(), "STALE");
  EXPECT_TRUE(origin.wait_for("/graphql", 2));
  EXPECT_EQ(origin.last("/graphql").method, "GET");
  EXPECT_EQ(origin.last("/graphql").target, url({{"query", "{a}"}}));
  EXPECT_TRUE(eventually([&] { return query("{ a }").body == R"({"data":"new"})"; }));
  EXPECT_EQ(origin.count("/graphql"), 2u);
}

}  // namespace
}  // namespace forebay::test
