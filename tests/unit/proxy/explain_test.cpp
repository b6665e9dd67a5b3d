#include "forebay/proxy/explain.hpp"

#include "explained.hpp"

namespace forebay::proxy {
namespace {

using rules::Reason;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class Explain : public ExplainedTest {};

constexpr const char* kSearch = R"(
routes:
  - name: search
    path: /api/search
    methods: [POST]
    ttl: {default: 15s, max: 1m}
    key: {headers: [X-Tenant], body: [/query, /filters, /sort, /page]}
  - {name: rest, path: /**}
)";

TEST_F(Explain, NamesTheRouteAndTheKeyWithItsPartsAndWhatIsAbsent) {
  configure(kSearch);
  const auto e = offline(Asked{"POST",
                               "http://Shop.Example.com:80/api/search",
                               {{"X-Tenant", "acme"}, {"Content-Type", "application/json"}},
                               R"({"page": 1, "query": "shoes"})"});
  EXPECT_EQ(e.url, "http://shop.example.com/api/search");
  ASSERT_TRUE(e.route);
  EXPECT_EQ(e.route->name, "search");
  EXPECT_EQ(e.route->index, 0u);
  EXPECT_EQ(e.route->file, "forebay.yaml");
  EXPECT_EQ(e.route->line, 3);
  EXPECT_THAT(e.route->methods, ElementsAre("POST"));
  EXPECT_EQ(e.route->target, "/api/search");
  EXPECT_EQ(
      e.key_text,
      R"(search|POST|http|shop.example.com|/api/search|h:x-tenant=acme|b:/query="shoes" /page=1|m:application/json)");
  EXPECT_EQ(e.key_id.size(), 32u);
  std::vector<std::string> absent;
  for (const auto& p : e.parts)
    if (!p.present) absent.push_back(p.name);
  EXPECT_THAT(absent, ElementsAre("/filters", "/sort"));
  EXPECT_TRUE(e.looked_up);
  EXPECT_FALSE(e.stored);
  EXPECT_FALSE(e.response);
  EXPECT_EQ(e.result, "miss");
  EXPECT_EQ(e.cache_status, "forebay; fwd=miss");
  EXPECT_EQ(e.x_cache, "MISS");
}

TEST_F(Explain, TellsOfASignatureAndNothingSecret) {
  configure(R"(
origins:
  aws:
    url: http://a.lambda-url.eu-central-1.on.aws
    sign: { type: aws_sigv4, body_max: 3B, access_key_id: AKIA1, secret_access_key: hunter2 }
    headers: { X-Origin-Secret: sesame }
origin: aws
routes: [{name: r, path: /**, methods: [GET, POST]}]
)");
  auto e = offline(Asked{"GET", "http://a/", {{"Authorization", "Bearer a"}}});
  EXPECT_THAT(e.notes, Contains(HasSubstr("signed for lambda in eu-central-1")));
  EXPECT_THAT(e.notes, Not(Contains(HasSubstr("hunter2"))));
  EXPECT_THAT(e.notes, Not(Contains(HasSubstr("sesame"))));
  e = offline(Asked{"POST", "http://a/", {}, "four"});
  EXPECT_THAT(e.notes, Contains(HasSubstr("sign.body_max")));
}

TEST_F(Explain, AUrlIsTakenAsPeopleWriteIt) {
  configure("routes: [{name: r, path: /**}]\n");
  struct Case {
    const char* url;
    FieldList fields;
    const char* key;
  };
  for (const auto& c :
       {Case{"http://h/a/./b?x=1", {}, "r|GET|http|h|/a/b|q:x=1"}, Case{"h:8080/a", {}, "r|GET|http|h:8080|/a"},
        Case{"https://h:443/a", {}, "r|GET|https|h|/a"}, Case{"HTTPS://h", {}, "r|GET|https|h|/"},
        Case{"http://h?x", {}, "r|GET|http|h|/|q:x"}, Case{"http://h/a#part", {}, "r|GET|http|h|/a"},
        Case{"/a?", {}, "r|GET|http|localhost:8080|/a|q:"}, Case{"/a", {{"Host", "H"}}, "r|GET|http|h|/a"},
        Case{"http://127.0.0.1:8080/a", {{"Host", "shop.test"}}, "r|GET|http|shop.test|/a"},
        Case{"/a?u=http://x/", {{"Host", "h"}}, "r|GET|http|h|/a|q:u=http://x/"}})
    EXPECT_EQ(offline(Asked{"GET", c.url, c.fields}).key_text, c.key) << c.url;
  EXPECT_THAT(offline(Asked{"GET", "/a"}).notes, Contains(HasSubstr("no host given: localhost:8080 is assumed")));
  for (const auto* given : {"h/a", "http://h/a"})
    EXPECT_THAT(offline(Asked{"GET", given}).notes, Not(Contains(HasSubstr("is assumed")))) << given;
  EXPECT_THAT(offline(Asked{"GET", "/a", {{"Host", "h"}}}).notes, Not(Contains(HasSubstr("is assumed"))));
  configure("listen: [\"unix:/tmp/x\", \"[::1]:80\", \":9090\"]\nroutes: [{name: r, path: /**}]\n");
  EXPECT_EQ(offline(Asked{"GET", "/a"}).key_text, "r|GET|http|[::1]|/a");
  EXPECT_THAT(offline(Asked{"GET", "account/x"}).notes,
              Contains("\"account\" is taken as the host; a path starts with /, as in /account/x"));
  for (const auto* plain : {"/account/x", "shop.test/x", "h:80/x", "localhost/x", "http://account/x"})
    EXPECT_THAT(offline(Asked{"GET", plain}).notes, Not(Contains(HasSubstr("taken as the host")))) << plain;
  for (const auto& [url, why] : {std::pair{"", "empty"},
                                 {"ftp://h/a", "scheme"},
                                 {"http://", "no host"},
                                 {"http://u:p@h/", "Authorization"},
                                 {"/a b", "%20"},
                                 {"/a\x01", "control character"}})
    EXPECT_THAT(std::string(unsendable(Asked{"GET", url})), HasSubstr(why)) << url;
  EXPECT_THAT(std::string(unsendable(Asked{"G T", "/"})), HasSubstr("method"));
  EXPECT_THAT(std::string(unsendable(Asked{"GET", "/", {{"A B", "x"}}})), HasSubstr("header field"));
  EXPECT_EQ(unsendable(Asked{"GET", "/"}), "");
  for (const auto* none : {"", "ftp://h/a", "http://", "http://u@h/", "http://h/a b", "http://h/\n"})
    EXPECT_FALSE(explains(Asked{"GET", none})) << none;
  EXPECT_FALSE(explains(Asked{"GE T", "http://h/"}));
  EXPECT_FALSE(explains(Asked{"GET", "http://h/", {{"X\r\nY", "1"}}}));
}

TEST_F(Explain, AnUpgradeIsABypassWhereTheRouteListsTheProtocolAndElseIgnored) {
  configure(
      "origins: {o: 'http://127.0.0.1:1'}\n"
      "routes: [{path: /off, origin: o, upgrade: []}, {path: /**, origin: o, ttl: 60s}]\n");
  const FieldList asks{{"Upgrade", "h2c, WebSocket"}, {"Connection", "Upgrade"}};
  auto e = offline(Asked{"GET", "http://h/ws", asks});
  EXPECT_EQ(e.result, "bypass");
  EXPECT_EQ(e.lookup_reason, rules::Reason::Upgrade);
  EXPECT_EQ(e.cache_status, "forebay; fwd=bypass; detail=upgrade");
  EXPECT_FALSE(e.has_key);
  EXPECT_THAT(e.notes, Contains(HasSubstr("the origin is asked to switch to WebSocket;")));
  e = offline(Asked{"GET", "http://h/off", asks});
  EXPECT_EQ(e.result, "miss");
  EXPECT_THAT(e.notes, Contains(HasSubstr("Upgrade is ignored: the route does not list h2c, WebSocket (upgrade)")));
  for (const Asked& other : {Asked{"POST", "http://h/ws", asks}, Asked{"GET", "http://h/ws", asks, "content"},
                             Asked{"GET", "http://h/ws", {asks[0]}}}) {
    e = offline(other);
    EXPECT_NE(e.lookup_reason, rules::Reason::Upgrade);
    EXPECT_THAT(e.notes, Contains(HasSubstr("Upgrade is ignored: only a GET of HTTP/1.1")));
  }
}

TEST_F(Explain, WhatForebayWouldAnswerItselfHasItsStatusAndNoMember) {
  configure(
      "server: {limits: {request_body: 1KiB, header_count: 10}}\n"
      "origins: {o: 'http://127.0.0.1:1'}\n"
      "routes: [{path: /r, origin: o, client_refresh: {token: '0123456789abcdef', otherwise: forbid}}]\n");
  struct Case {
    Asked asked;
    int status;
  };
  FieldList many;
  for (int i = 0; i < 20; ++i) many.emplace_back("X-" + std::to_string(i), "1");
  const std::vector<Case> cases{
      {{"TRACE", "http://h/r"}, 405},
      {{"GET", "http://h/a%00"}, 400},
      {{"GET", "/r", {{"Host", "a b"}}}, 400},
      {{"GET", "http://h/none"}, 404},
      {{"GET", "http://h/r", {{"Forebay-Refresh", "no"}}}, 403},
      {{"GET", "http://h/r", {{"Cache-Control", "only-if-cached"}}}, 504},
      {{"GET", "http://h/" + std::string(17'000, 'a')}, 414},
      {{"GET", "http://h/r", many}, 431},
      {{"POST", "http://h/r", {}, std::string(2000, 'x')}, 413},
  };
  for (const auto& c : cases) {
    const auto e = offline(c.asked);
    EXPECT_EQ(e.own_status, c.status) << c.asked.url;
    EXPECT_EQ(e.result, "error");
    EXPECT_EQ(e.x_cache, "ERROR");
    EXPECT_EQ(e.cache_status, "");
    EXPECT_THAT(e.notes, Contains(HasSubstr(std::to_string(c.status)))) << c.asked.url;
  }
}

TEST_F(Explain, SaysNotWhichSecretsARouteAsksFor) {
  configure(R"(
log: {access: {redact: {query: [mine]}}}
routes:
  - {name: key, path: /a, methods: POST, match: {headers: {X-Api-Key: [hunter2, hunter3]}}}
  - {name: token, path: /a, methods: POST, match: {query: {access_token: [hunter2, false]}}}
  - {name: mine, path: /a, methods: POST, match: {query: {mine: hunter2}}}
  - {name: body, path: /a, methods: POST, match: {body: {/password: hunter2}}}
  - {name: last, path: /a, methods: POST}
)");
  const auto e = offline(Asked{"POST", "http://h/a?access_token=x", {{"X-Api-Key", "wrong"}}, R"({"password":"y"})"});
  EXPECT_EQ(e.route->name, "last");
  std::string text;
  for (const auto& t : e.tried) text += t.name + ": " + t.why + '\n';
  EXPECT_EQ(text,
            "key: match.headers.x-api-key requires a value that is hidden\n"
            "token: match.query.access_token requires a value that is hidden or no value\n"
            "mine: match.query.mine requires a value that is hidden\n"
            "body: match.body \"/password\" requires a value that is hidden\n");
  const auto unclear = offline(Asked{"POST", "http://h/a", {{"X-Api-Key", "hunter2"}, {"X-Api-Key", "b"}}});
  EXPECT_EQ(unclear.route->name, "key");
  EXPECT_THAT(unclear.notes, Contains("match.headers.x-api-key requires a value that is hidden"));
}

TEST_F(Explain, NamesTheRoutesThatDidNotTakeARequestAndWhatTheyAskFor) {
  configure(R"(
routes:
  - {name: write, path: /**, methods: PUT}
  - {name: reads, path: /db, methods: POST, match: {headers: {X-Op: ["get*", list]}, body: {/fast: [true, null]}}}
  - {name: json, path: /db, methods: POST, match: {query: {format: json, draft: false}}}
  - {name: rest, path: /db, methods: POST, key: {body_max: 30B}, match: {body: {/a: "*"}}}
  - {name: last, path: /db, methods: POST, bypass: {body: {/ConsistentRead: true}}}
)");
  const FieldList json{{"Content-Type", "application/json"}};
  const auto with = [&](const char* op) {
    auto fields = json;
    fields.emplace_back("X-Op", op);
    return fields;
  };
  const auto tried = [](const Explanation& e) {
    std::string text;
    for (const auto& t : e.tried) text += t.name + ": " + t.why + '\n';
    return text;
  };
  const auto taken = offline(Asked{"POST", "http://h/db", with("getItem"), R"({"fast":true})"});
  EXPECT_EQ(taken.route->name, "reads");
  EXPECT_EQ(tried(taken), "write: its methods do not include POST\n");
  const auto last = offline(Asked{"POST", "http://h/db?format=json&draft=1", with("getItem"), R"({"fast":false})"});
  EXPECT_EQ(last.route->name, "last");
  EXPECT_EQ(tried(last),
            "write: its methods do not include POST\n"
            "reads: match.body \"/fast\" requires true or null or no value\n"
            "json: match.query.draft requires no value\n"
            "rest: match.body \"/a\" requires any value\n");
  EXPECT_TRUE(last.looked_up);
  const auto twice = offline(Asked{"POST", "http://h/db?format=json&format=csv", with("put")});
  EXPECT_EQ(twice.route->name, "json");
  EXPECT_EQ(rules::to_string(twice.lookup_reason), "match_query");
  EXPECT_EQ(twice.cache_status, "forebay; fwd=bypass; detail=match_query");
  EXPECT_THAT(twice.notes, Contains("match.query.format requires \"json\""));
  EXPECT_THAT(tried(twice), HasSubstr("reads: match.headers.x-op requires \"get*\" or \"list\"\n"));
  const auto large = offline(Asked{"POST", "http://h/db", json, R"({"b":"0123456789012345678901234567890123456789"})"});
  EXPECT_EQ(large.route->name, "rest");
  EXPECT_THAT(large.notes, Contains("match.body needs the content, and it is longer than `key.body_max`"));
  const auto nowhere = offline(Asked{"POST", "http://h/other"});
  EXPECT_EQ(tried(nowhere), "");
  EXPECT_EQ(nowhere.route->name, "write") << "but for its methods";
  EXPECT_EQ(rules::to_string(offline(Asked{"POST", "http://h/db", json, R"({"ConsistentRead":true})"}).lookup_reason),
            "rule_body");
}

TEST_F(Explain, ARequestThatIsNotLookedUpHasItsReason) {
  configure(R"(
routes:
  - {name: off, path: /off/**, cache: false}
  - {name: bypass, path: /bypass, bypass: {headers: [X-Preview], cookies: [session_*], query: [debug]}}
  - {name: auth, path: /auth, authorization: bypass}
  - {name: body, path: /body, methods: [POST], key: {body: [/a], body_max: 100B}}
  - {name: graphql, path: /graphql, methods: [GET, POST], key: {graphql: true}}
  - {name: get, path: /get}
)");
  struct Case {
    Asked asked;
    const char* reason;
  };
  const FieldList json{{"Content-Type", "application/json"}};
  const std::vector<Case> cases{
      {{"GET", "http://h/off/x"}, "cache_off"},
      {{"POST", "http://h/get"}, "method"},
      {{"GET", "http://h/bypass", {{"X-Preview", "1"}}}, "rule_header"},
      {{"GET", "http://h/bypass", {{"Cookie", "a=1; session_id=2"}}}, "rule_cookie"},
      {{"GET", "http://h/bypass?a=1&debug"}, "rule_query"},
      {{"GET", "http://h/auth", {{"Authorization", "Bearer x"}}}, "authorization"},
      {{"GET", "http://h/get", {}, "content"}, "request_body"},
      {{"POST", "http://h/body", json, "{\"a\":\"" + std::string(200, 'x') + "\"}"}, "body_too_large"},
      {{"POST", "http://h/body", json, "{\"a\":1,\"a\":2}"}, "body_unparsable"},
      {{"POST", "http://h/graphql", json, R"({"query":"mutation { a }"})"}, "graphql_operation"},
      {{"GET", "http://h/nowhere"}, "no_route"},
  };
  for (const auto& c : cases) {
    const auto e = live(c.asked);
    const std::string reason = c.reason;
    EXPECT_EQ(rules::to_string(e.lookup_reason), reason) << c.asked.url;
    EXPECT_FALSE(e.looked_up);
    EXPECT_FALSE(e.has_key);
    EXPECT_FALSE(e.stored);
    EXPECT_EQ(e.result, "bypass");
    EXPECT_EQ(e.x_cache, "BYPASS");
    EXPECT_EQ(e.cache_status,
              std::string("forebay; fwd=") + (reason == "method" ? "method" : "bypass") + "; detail=" + reason);
    EXPECT_THAT(e.notes, Not(IsEmpty()));
  }
}

TEST_F(Explain, ContentWithoutAKeyHasItsCauseWhereItCanBeTold) {
  configure(R"(
routes:
  - {name: body, path: /body, methods: [POST, QUERY], key: {body: [/a]}}
  - {name: plain, path: /plain, methods: [POST], key: {body: [/a], decode: false}}
  - {name: form, path: /form, methods: [POST], key: {form: [q]}}
  - {name: graphql, path: /graphql, methods: [POST], key: {graphql: true}}
)");
  struct Case {
    const char* path;
    FieldList fields;
    const char* content;
    const char* cause;
  };
  const auto type = [](const char* value) { return FieldList{{"Content-Type", value}}; };
  const auto json = type("application/json");
  const auto coded = [](const char* value) {
    return FieldList{{"Content-Type", "application/json"}, {"Content-Encoding", value}};
  };
  const std::vector<Case> cases{
      {"/body", json, "{\"a\":", "it is not valid JSON"},
      {"/body", json, "a=1", "it is not valid JSON"},
      {"/body", json, "{\"a\":1,\"b\":{\"c\":1,\"c\":2}}", "an object in it has a name twice"},
      {"/body", json, "{\"A\":1}", "only in case from one of"},
      {"/body", json, "\xef\xbb\xbf{}", "byte order mark"},
      {"/body", type("application/json; charset=utf-16"), "{\"a\":1}", "charset"},
      {"/body", type("json"), "{\"a\":1}", "not a media type: json"},
      {"/body", coded("gzip, br"), "{\"a\":1}", "several codings"},
      {"/body", coded("gzip"), "{\"a\":1}", "cannot be decoded: "},
      {"/body", coded("compress"), "{\"a\":1}", "not supported: Content-Encoding: compress"},
      {"/plain", coded("gzip"), "{\"a\":1}", "`key.decode` is false: "},
      {"/form", json, "q=1",
       "`key.form` requires Content-Type: application/x-www-form-urlencoded, not application/json"},
      {"/form", {}, "q=1", "and there is none"},
      {"/form", type("application/x-www-form-urlencoded"), "q=%zz", "hex digits"},
      {"/graphql", type("text/plain"), "{\"query\":\"{a}\"}",
       "`key.graphql` requires Content-Type: application/json, not"},
      {"/graphql", json, "{\"query\":", "it is not valid JSON"},
  };
  for (const auto& c : cases) {
    const auto e = offline(Asked{"POST", std::string("http://h") + c.path, c.fields, c.content});
    EXPECT_EQ(rules::to_string(e.lookup_reason), "body_unparsable") << c.cause;
    EXPECT_THAT(e.notes, Contains(AllOf(HasSubstr("the key cannot be built from the content: "), HasSubstr(c.cause))))
        << c.path << ' ' << c.content;
  }
  const auto untold = offline(Asked{"POST", "http://h/graphql", json, "[1]"});
  EXPECT_THAT(untold.notes, Contains(HasSubstr("it is malformed or ambiguous")));
}

TEST_F(Explain, ARouteThatWasTakenInSpiteOfItsMethodsSaysSo) {
  configure("routes: [{name: a, path: /a}, {name: all, path: /**, methods: [GET, PUT]}]\n");
  const std::string note = "first route that matches host and path; no route that matches them lists the method";
  const auto posted = offline(Asked{"POST", "http://h/a"});
  EXPECT_EQ(posted.route->name, "a");
  EXPECT_THAT(posted.notes, Contains(note));
  const auto put = offline(Asked{"PUT", "http://h/a"});
  EXPECT_EQ(put.route->name, "all");
  EXPECT_THAT(put.notes, Not(Contains(note)));
  EXPECT_THAT(offline(Asked{"HEAD", "http://h/a"}).notes, Not(Contains(note)));
}

TEST_F(Explain, WhereSomePeersAreTrustedItSaysThatThisOneIsNot) {
  const auto is_said = Contains(HasSubstr("not to be in server.trusted_proxies"));
  configure("server: {trusted_proxies: [127.0.0.0/8]}\nroutes: [{name: r, path: /**}]\n");
  const auto e = offline(Asked{"GET", "http://a.test/", {{"X-Forwarded-Host", "b.test"}}});
  EXPECT_THAT(e.notes, is_said);
  EXPECT_EQ(e.key_text, "r|GET|http|a.test|/");
  configure("routes: [{name: r, path: /**}]\n");
  EXPECT_THAT(offline(Asked{"GET", "http://a.test/"}).notes, Not(is_said));
}

TEST_F(Explain, MethodsAreCaseSensitive) {
  configure("routes: [{name: r, path: /**, methods: [POST]}]\n");
  EXPECT_THAT(offline(Asked{"post", "http://h/a"}).notes, Contains("methods are case-sensitive: post is not POST"));
  EXPECT_THAT(offline(Asked{"POST", "http://h/a"}).notes, Not(Contains(HasSubstr("case-sensitive"))));
  EXPECT_THAT(offline(Asked{"brew", "http://h/a"}).notes, Not(Contains(HasSubstr("case-sensitive"))));
}

TEST_F(Explain, ContentOfWhichNothingIsInTheKeyIsNoted) {
  configure(R"(
routes:
  - {name: none, path: /none, methods: [POST], key: {body: none}}
  - {name: all, path: /all, methods: [POST]}
  - {name: some, path: /some, methods: [POST], key: {body: [/a]}}
)");
  const FieldList json{{"Content-Type", "application/json"}};
  const auto has_note = Contains(HasSubstr("nothing of the content is in the key"));
  EXPECT_THAT(offline(Asked{"POST", "http://h/none", json, R"({"a":1})"}).notes, has_note);
  EXPECT_THAT(offline(Asked{"POST", "http://h/none"}).notes, Not(has_note));
  EXPECT_THAT(offline(Asked{"POST", "http://h/all", json, "x"}).notes, Not(has_note));
  EXPECT_THAT(offline(Asked{"POST", "http://h/some", json, R"({"a":1})"}).notes, Not(has_note));
}

TEST_F(Explain, FieldsThatConnectionNamesAreGoneBeforeRulesAndKey) {
  configure("routes: [{name: r, path: /**, bypass: {headers: [X-Preview]}, key: {headers: [X-Tenant]}}]\n");
  const auto e = offline(
      Asked{"GET", "http://h/", {{"Connection", "X-Preview, X-Tenant"}, {"X-Preview", "1"}, {"X-Tenant", "a"}}});
  EXPECT_EQ(e.key_text, "r|GET|http|h|/");
}

TEST_F(Explain, TheOriginIsAskedForTheRewrittenTarget) {
  configure("routes: [{path: /v1/**, rewrite: {strip_prefix: /v1, add_prefix: /api}}]\n");
  EXPECT_EQ(offline(Asked{"GET", "http://h/v1/a?b=%20"}).route->target, "/api/a?b=%20");
}

TEST_F(Explain, TheStoreIsLookedAtAndNothingChanges) {
  configure("routes: [{name: r, path: /**, stale: {while_revalidate: 30s, if_error: 1m}}]\n");
  const Asked asked{"GET", "http://h/a"};
  EXPECT_FALSE(live(asked).stored->found);
  keep(asked, {{"Cache-Control", "max-age=60"}, {"ETag", "\"1\""}}, "hello");
  for (int i = 0; i < 3; ++i) {
    const auto e = live(asked);
    ASSERT_TRUE(e.stored);
    EXPECT_TRUE(e.stored->found);
    EXPECT_EQ(e.stored->state, "fresh");
    EXPECT_EQ(e.stored->ttl_s, 60);
    EXPECT_EQ(e.stored->swr_s, 30);
    EXPECT_EQ(e.stored->sie_s, 60);
    EXPECT_EQ(e.stored->size, 5u);
    EXPECT_EQ(e.stored->hits, 0u) << "explaining counts as no hit";
    EXPECT_EQ(e.stored->variants, 1u);
    EXPECT_EQ(e.result, "hit");
    EXPECT_EQ(e.cache_status, "forebay; hit; ttl=60");
    EXPECT_EQ(e.x_cache, "HIT");
  }
  clock_.advance(70s);
  auto e = live(asked);
  EXPECT_EQ(e.stored->state, "stale_while_revalidate");
  EXPECT_EQ(e.stored->age_s, 70);
  EXPECT_EQ(e.cache_status, "forebay; hit; ttl=-10; detail=stale-while-revalidate");
  EXPECT_EQ(e.result, "stale");
  clock_.advance(25s);
  e = live(asked);
  EXPECT_EQ(e.stored->state, "stale_if_error");
  EXPECT_EQ(e.cache_status, "forebay; fwd=stale");
  clock_.advance(60s);
  EXPECT_EQ(live(asked).stored->state, "stale");
}

TEST_F(Explain, AnEntryForOthersOrToBeValidatedSaysSo) {
  configure("routes: [{name: r, path: /**}]\n");
  keep({"GET", "http://h/a"}, {{"Cache-Control", "max-age=60"}});
  auto e = live(Asked{"GET", "http://h/a", {{"Authorization", "x"}}});
  EXPECT_EQ(e.stored->state, "not_for_this");
  EXPECT_EQ(e.cache_status, "forebay; fwd=request; detail=authorization");
  keep({"GET", "http://h/b"}, {{"Cache-Control", "no-cache, max-age=60"}, {"ETag", "\"1\""}});
  e = live(Asked{"GET", "http://h/b"});
  EXPECT_EQ(e.stored->state, "must_validate");
  EXPECT_EQ(e.cache_status, "forebay; fwd=stale");
  keep({"GET", "http://h/c", {{"Accept-Language", "de"}}},
       {{"Cache-Control", "max-age=60"}, {"Vary", "Accept-Language"}});
  e = live(Asked{"GET", "http://h/c", {{"Accept-Language", "fr"}}});
  EXPECT_FALSE(e.stored->found);
  EXPECT_EQ(e.stored->variants, 1u);
  EXPECT_EQ(e.cache_status, "forebay; fwd=vary-miss");
}

TEST_F(Explain, AFetchOnItsWayIsJoined) {
  configure("routes: [{name: r, path: /**, coalesce: {max_waiters: 1, on_timeout: error}}]\n");
  const auto key_text = live(Asked{"GET", "http://h/a"}).key_text;
  const auto fields = http::Fields();
  const http::RequestView request{http::Method::Get, "GET", "/a", http::Version::Http11, fields.view()};
  Reading reading;
  ASSERT_TRUE(reading.target.read(http::Method::Get, "/a"));
  ASSERT_TRUE(read_host("h", {}, false, "http", reading));
  read_route(*routes_, request, false, reading);
  cache::Key key;
  ASSERT_EQ(build_key(reading, request, {}, shared_.persisted, key), Reason::None);
  ASSERT_EQ(key.text(), key_text);
  const cache::Unchanged selecting(fields);
  const auto look = [&] {
    return store_.lookup(
        {key, selecting, reading.facts, reading.route->policy, reading.route->key.fingerprint, clock_.now().mono});
  };
  const auto leader = look();
  ASSERT_EQ(kind_of(leader), cache::LookupKind::Lead);
  auto e = live(Asked{"GET", "http://h/a"});
  EXPECT_EQ(e.result, "coalesced");
  EXPECT_EQ(e.cache_status, "forebay; fwd=uri-miss; collapsed");
  const auto follower = look();
  ASSERT_EQ(kind_of(follower), cache::LookupKind::Join);
  e = live(Asked{"GET", "http://h/a"});
  EXPECT_EQ(e.own_status, 504) << "the queue is full";
  EXPECT_THAT(e.notes, testing::Contains(testing::HasSubstr("coalesce.max_waiters")));
}

TEST_F(Explain, WhatItShowsToKeysTeachesTheProcessNothing) {
  configure("routes: [{name: g, path: /g, methods: [GET, POST], key: {graphql: true}}]\n");
  const std::string hash = "ecf4edb46db40b5132295c0291d62fb65d6759a9eedfa4d5d612dd5ec54a6b38";  // of {__typename}
  const FieldList json{{"Content-Type", "application/json"}};
  const std::string extensions = R"("extensions":{"persistedQuery":{"version":1,"sha256Hash":")" + hash + "\"}}";
  const Asked by_hash{"POST", "http://h/g", json, "{" + extensions + "}"};
  const Asked whole{"POST", "http://h/g", json, R"({"query":"{__typename}",)" + extensions + "}"};
  EXPECT_EQ(live(by_hash).lookup_reason, Reason::GraphqlOperation);
  const auto shown = live(whole);
  EXPECT_EQ(shown.lookup_reason, Reason::None);
  EXPECT_EQ(live(by_hash).lookup_reason, Reason::GraphqlOperation) << "explaining is not showing";
  keep(whole, {{"Cache-Control", "max-age=60"}}, R"({"data":{}})");
  EXPECT_EQ(live(by_hash).key_text, shown.key_text) << "what the process has seen is known";
}

TEST_F(Explain, TheDiagnosticsOfTheConfigurationHold) {
  configure("diagnostics: {cache_status: key, name: edge, x_cache: false}\nroutes: [{name: r, path: /**}]\n");
  auto e = offline(Asked{"GET", "http://h/a"});
  EXPECT_EQ(e.cache_status, "edge; fwd=uri-miss; key=\"r|GET|http|h|/a\"");
  EXPECT_EQ(e.x_cache, "");
  configure("diagnostics: {cache_status: off}\nroutes: [{name: r, path: /**}]\n");
  EXPECT_EQ(offline(Asked{"GET", "http://h/a"}).cache_status, "");
}

TEST_F(Explain, AFailoverIsNamedAndWhoGaveWhatIsStored) {
  configure(
      "origins: {main: {url: 'http://127.0.0.1:1'}, spare: {url: 'http://127.0.0.1:2'}}\norigin: main\n"
      "routes: [{path: /**}]\n");
  EXPECT_THAT(offline(Asked{}).notes, Not(Contains(HasSubstr("spare"))));
  auto adjusted = *config_;
  auto& main = adjusted.origins.at("main");
  main.failover = "spare";
  config_ = std::make_shared<config::Config>(adjusted);
  routes_.emplace(*config_);
  gave_ = "spare";
  keep(Asked{}, {{"Cache-Control", "max-age=60"}});
  const auto e = live(Asked{});
  EXPECT_EQ(e.stored->origin, "spare");
  EXPECT_THAT(
      e.notes,
      Contains("if main gives no answer, does not answer in time, answers 502, 503, 504, or is out of use, spare is "
               "asked in its place"));
  EXPECT_THAT(offline(Asked{"POST"}).notes, Not(Contains(HasSubstr("spare"))));
  Asked bound;
  bound.fields = {{"Authorization", "NTLM abc"}};
  EXPECT_THAT(offline(bound).notes, Not(Contains(HasSubstr("spare"))));
  Asked query{"QUERY"};
  query.content = "question";
  EXPECT_THAT(offline(query).notes, Contains(HasSubstr("in its place, unless")));
  adjusted.origins.at("main").failover_on = {false, false, {{500, 599}}};
  config_ = std::make_shared<config::Config>(adjusted);
  routes_.emplace(*config_);
  EXPECT_THAT(offline(Asked{}).notes,
              Contains("if main answers 500-599, or is out of use, spare is asked in its place"));
}

TEST_F(Explain, WhatIsServedWithoutAskingAfterRetryAfterIsToldSo) {
  configure("routes: [{path: /**, stale: {if_error: 1h}}]\n");
  keep(Asked{}, {{"Cache-Control", "max-age=60"}});
  clock_.advance(90s);
  EXPECT_EQ(live(Asked{}).result, "miss");
  store_.private_ticket(kept_key_).fail({}, {kept_.get(), clock_.now().mono, 1s, 10s, true});
  const auto e = live(Asked{});
  EXPECT_EQ(e.result, "stale_error");
  EXPECT_EQ(e.cache_status, "forebay; hit; ttl=-30; detail=stale-if-error");
  EXPECT_THAT(e.notes, Contains(HasSubstr("Retry-After")));
}

TEST_F(Explain, ARefreshThatDoesNotStartIsNotPromised) {
  configure("routes: [{path: /**, stale: {while_revalidate: 1h}}]\n");
  keep(Asked{}, {{"Cache-Control", "max-age=60"}});
  clock_.advance(90s);
  const std::string starts = "it is refreshed in the background";
  EXPECT_THAT(live(Asked{}).notes, Contains(starts));
  store_.private_ticket(kept_key_).fail({}, {kept_.get(), clock_.now().mono, 10s});
  auto e = live(Asked{});
  EXPECT_THAT(e.notes, Not(Contains(starts)));
  EXPECT_THAT(e.notes, Contains("the last fetch for it failed, and the next refresh waits"));
  clock_.advance(10s);
  EXPECT_THAT(live(Asked{}).notes, Contains(starts));
}

}  // namespace
}  // namespace forebay::proxy
