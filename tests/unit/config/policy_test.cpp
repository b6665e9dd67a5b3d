// What a route's policy says of keys, bypass, refreshes, rewrites and header fields, and who has said it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <stdexcept>

#include "forebay/config/load.hpp"
#include "support.hpp"

namespace forebay::config::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

/// A condition that this name is there.
MATCHER_P(Presence, name, "") {
  return arg.name == name && arg.value.present && !arg.value.absent && arg.value.globs.empty();
}

const std::string kOrigin = "origin: http://localhost:3000\n";

ConfigPtr good(const std::string& text, const Overrides& overrides = {}) {
  const auto result = load_text(text, overrides);
  if (!result.ok()) throw std::runtime_error(to_text(result.diagnostics));  // fails the test
  return result.config;
}

/// The one route of `/x/{id}/{rest+}` with these settings, in flow style.
Route route(const std::string& settings) {
  return good(kOrigin + "routes:\n  - { name: x, path: \"/x/{id}/{rest+}\"" + settings + " }\n")->routes.at(0);
}

TEST(KeySettings, AreReadInTheirOrderAndOnce) {
  const auto key = route(
                       ", methods: [POST, QUERY, PATCH], key: { path: [rest, id, rest], cookies: [b, a_*, b], body: "
                       "[/z, \"\", /a/0, /z], body_max: 1MiB, numbers: value, decode: false }")
                       .key;
  EXPECT_EQ(key.path, cache::PathMode::Captures);
  EXPECT_THAT(key.captures, ElementsAre("rest", "id"));
  EXPECT_THAT(key.cookies, ElementsAre("b", "a_*"));
  EXPECT_EQ(key.body, cache::BodyMode::Pointers);
  ASSERT_EQ(key.pointers.size(), 3u);
  EXPECT_EQ(key.pointers[0].text(), "/z");
  EXPECT_EQ(key.pointers[1].text(), "");
  EXPECT_THAT(key.pointers[2].steps(), ElementsAre("a", "0"));
  EXPECT_EQ(key.body_max, 1u << 20);
  EXPECT_EQ(key.numbers, content::Numbers::Value);
  EXPECT_FALSE(key.decode);
}

TEST(KeySettings, OfTheBodyAreUnsetUntilSomebodySays) {
  EXPECT_EQ(route("").key.body, cache::BodyMode::Unset);
  EXPECT_EQ(route(", methods: POST").key.body, cache::BodyMode::Unset);
  EXPECT_EQ(route(", key: { body: none }").key.body, cache::BodyMode::None);
  EXPECT_EQ(route(", key: { body: all }").key.body, cache::BodyMode::All);
  EXPECT_EQ(route(", methods: POST, key: { body: /a }").key.pointers.size(), 1u) << "one scalar is a list of one";
  EXPECT_THAT(route(", methods: POST, key: { form: [q, \"a b\", q] }").key.form, ElementsAre("q", "a b"));
  EXPECT_TRUE(route(", methods: [GET, POST], key: { graphql: true }").key.graphql);
}

TEST(KeySettings, AListOfOneNameIsNoWord) {
  EXPECT_EQ(route(", key: { path: none, query: none }").key.path, cache::PathMode::None);
  const auto key =
      good(kOrigin + "routes:\n  - { path: \"/{all}\", key: { path: [all], query: [none] } }\n")->routes[0].key;
  EXPECT_EQ(key.path, cache::PathMode::Captures);
  EXPECT_THAT(key.captures, ElementsAre("all"));
  EXPECT_EQ(key.query, cache::QueryMode::Only);
  EXPECT_THAT(key.query_names, ElementsAre("none"));
}

TEST(KeySettings, OfLaterLayersReplaceThoseOfEarlierOnes) {
  const auto config = good(kOrigin + R"(
defaults: { key: { body: [/a, /b], cookies: [a] } }
policies: { b: { key: { body: all } } }
routes:
  - { path: /a, methods: POST }
  - { path: /b, methods: POST, policy: b }
  - { path: /c, methods: POST, policy: b, key: { body: /c, cookies: [] } }
  - { path: /d, methods: [POST, GET], key: { body: none, graphql: true } }
)");
  EXPECT_EQ(config->routes[0].key.pointers.size(), 2u);
  EXPECT_EQ(config->routes[1].key.body, cache::BodyMode::All);
  EXPECT_THAT(config->routes[1].key.pointers, IsEmpty());
  EXPECT_EQ(config->routes[2].key.pointers.size(), 1u);
  EXPECT_THAT(config->routes[2].key.cookies, IsEmpty());
  EXPECT_TRUE(config->routes[3].key.graphql);
  EXPECT_EQ(config->routes[1].policy_name, "b");
  EXPECT_EQ(config->routes[0].policy_name, "");
}

TEST(Methods, AreAnyThatARouteNames) {
  const auto policy = route(", methods: [POST, PUT, PATCH, DELETE, QUERY, OPTIONS, SEARCH, FETCH-ALL, SEARCH]").policy;
  for (const auto method : {http::Method::Post, http::Method::Put, http::Method::Patch, http::Method::Delete,
                            http::Method::Query, http::Method::Options})
    EXPECT_TRUE(policy.methods.test(static_cast<std::size_t>(method))) << http::to_string(method);
  EXPECT_FALSE(policy.methods.test(static_cast<std::size_t>(http::Method::Get)));
  EXPECT_THAT(policy.other_methods, ElementsAre("SEARCH", "FETCH-ALL"));
}

TEST(Methods, ThatAreNearlyOneOfOursAreSlips) {
  for (const auto* slip :
       {"GETT", "GTE", "HAED", "POSTT", "PATHC", "DELET", "OPTION", "QUERRY", "get", "Search", "PUTT"})
    EXPECT_EQ(codes(load_text(kOrigin + "routes:\n  - { path: /a, methods: [" + slip + "] }\n")),
              std::vector<int>{1002})
        << slip;
  for (const auto* other : {"LINK", "LOCK", "REPORT", "MKCOL", "READ", "LIST", "SUBSCRIBE", "X", "my-method"})
    EXPECT_THAT(codes(load_text(kOrigin + "routes:\n  - { path: /a, methods: [" + other + "] }\n")), IsEmpty())
        << other;
}

TEST(Match, ReadsWordsNumbersAndTextsAsWhatTheyAre) {
  const auto match =
      route(
          ", match: { headers: { X-Op: [a, \"true\", true], X-No: false, X-Any: \"*\" }, query: { n: 1 }, "
          "body: { /a: [true, \"true\", 1.0, \"1\", 010, null, ~, get*, \"*\", yes] } }")
          .match;
  ASSERT_EQ(match.headers.size(), 3u);
  EXPECT_EQ(match.headers[0].name, "x-op");
  EXPECT_THAT(match.headers[0].value.globs, ElementsAre("a", "true"));
  EXPECT_TRUE(match.headers[0].value.present);
  EXPECT_TRUE(match.headers[1].value.absent);
  EXPECT_TRUE(match.headers[2].value.present);
  EXPECT_THAT(match.query.at(0).value.globs, ElementsAre("1"));
  using Kind = rules::JsonValue::Kind;
  std::vector<std::pair<Kind, std::string>> values;
  for (const auto& value : match.body.values.at(0)) values.emplace_back(value.kind, value.text);
  EXPECT_THAT(values, ElementsAre(Pair(Kind::Bool, "true"), Pair(Kind::Text, "true"), Pair(Kind::Number, "1"),
                                  Pair(Kind::Text, "1"), Pair(Kind::Text, "010"), Pair(Kind::Nothing, ""),
                                  Pair(Kind::Nothing, ""), Pair(Kind::Text, "get*"), Pair(Kind::Anything, ""),
                                  Pair(Kind::Text, "yes")));
}

TEST(Match, OfOneRouteHidesNoOtherAndOneWithoutHidesIt) {
  const auto conditioned = load_text(
      kOrigin + "routes: [{ path: /a, match: { query: { q: a } } }, { path: /a, match: { query: { q: b } } }]");
  EXPECT_TRUE(conditioned.diagnostics.empty()) << to_text(conditioned.diagnostics);
  const auto hidden = load_text(kOrigin + "routes: [{ path: /a }, { path: /a, match: { query: { q: b } } }]");
  ASSERT_EQ(hidden.diagnostics.size(), 1u);
  EXPECT_EQ(hidden.diagnostics[0].code, 2001);
}

TEST(Bypass, OfLaterLayersIsMergedByNameAndAListReplaces) {
  const auto bypass = [](const std::string& of_route) {
    return good(kOrigin +
                "defaults: { bypass: { headers: { X-A: a, X-B: b }, body: { /a: 1 } } }\nroutes: [{ path: /x, "
                "bypass: " +
                of_route + " }]")
        ->routes.at(0)
        .policy.bypass;
  };
  const auto merged = bypass("{ headers: { x-a: c, X-C: true }, body: { /b: 2 } }");
  ASSERT_EQ(merged.headers.size(), 3u);
  EXPECT_THAT(merged.headers[0].value.globs, ElementsAre("c"));
  EXPECT_THAT(merged.headers[1].value.globs, ElementsAre("b"));
  EXPECT_THAT(merged.headers[2], Presence("x-c"));
  EXPECT_EQ(merged.body.pointers.size(), 2u);
  EXPECT_THAT(bypass("{ headers: [X-D] }").headers, ElementsAre(Presence("x-d")));
}

TEST(Bypass, NamesFieldsWithoutCase) {
  const auto policy = route(", bypass: { headers: [X-Preview, x-*], cookies: [Session_*], query: nocache }").policy;
  EXPECT_THAT(policy.bypass.headers, ElementsAre(Presence("x-preview"), Presence("x-*")));
  EXPECT_THAT(policy.bypass.cookies, ElementsAre(Presence("Session_*")));
  EXPECT_THAT(policy.bypass.query, ElementsAre(Presence("nocache")));
}

bool guards_cookies(const Route& route) { return route.policy.guard.has(http::FieldId::Cookie); }

TEST(Cookies, AreChosenByTheKeyOrByBypass) {
  EXPECT_TRUE(guards_cookies(route("")));
  EXPECT_TRUE(guards_cookies(route(", key: { cookies: [] }, bypass: { headers: [X] }")));
  EXPECT_FALSE(guards_cookies(route(", key: { cookies: [a] }")));
  EXPECT_FALSE(guards_cookies(route(", bypass: { cookies: [a] }")));
  EXPECT_FALSE(guards_cookies(route(", request_cookies: share")));
  EXPECT_FALSE(guards_cookies(route(", key: { headers: [cookie] }")));
  const auto config = good(kOrigin +
                           "defaults: { key: { cookies: [a] } }\nroutes:\n  - { path: /a }\n  - { path: /b, "
                           "key: { cookies: [] } }\n");
  EXPECT_FALSE(guards_cookies(config->routes[0]));
  EXPECT_TRUE(guards_cookies(config->routes[1]));
}

TEST(Cookies, ThatTheOriginNeverSeesNeedNoGuard) {
  EXPECT_FALSE(guards_cookies(route(", request_headers: { remove: [X-Debug, cookie] }")));
  EXPECT_FALSE(guards_cookies(route(", request_headers: { set: { Cookie: a=1 } }")));
  EXPECT_TRUE(guards_cookies(route(", request_headers: { remove: [X-Cookie] }")));
  EXPECT_TRUE(guards_cookies(route(", response_headers: { remove: [Cookie] }")));
}

TEST(Credentials, AreGuardedUnlessTheRouteKeysSharesOrRemovesThem) {
  const auto names = [](const std::string& text) { return route(text).policy.guard.names(); };
  using testing::Contains;
  using testing::Not;
  EXPECT_THAT(names(""), ElementsAre("api-key", "authorization", "cf-access-jwt-assertion", "client-cert", "cookie",
                                     "ocp-apim-subscription-key", "private-token", "proxy-authorization",
                                     "x-access-token", "x-amz-security-token", "x-api-key", "x-auth-token",
                                     "x-csrf-token", "x-goog-iap-jwt-assertion", "x-session-token",
                                     "x-shopify-access-token", "x-vault-token", "x-xsrf-token"));
  for (const auto* text : {", key: { headers: [X-API-KEY] }", ", request_headers: { remove: [x-api-key] }",
                           ", request_headers: { set: { X-Api-Key: ours } }", ", credentials: [Cookie]"})
    EXPECT_THAT(names(text), Not(Contains("x-api-key"))) << text;
  for (const auto* text : {", authorization: share", ", authorization: key", ", authorization: bypass"})
    EXPECT_THAT(names(text), Not(Contains("authorization"))) << text;
  EXPECT_THAT(names(", credentials: [X-Session, Referer]"), ElementsAre("referer", "x-session"));
  EXPECT_THAT(names(", credentials: []"), testing::IsEmpty());
}

TEST(Refreshes, AreRead) {
  EXPECT_EQ(route(", refresh_ahead: 10%").policy.refresh_ahead.share, 0.1);
  EXPECT_FALSE(route(", refresh_ahead: 10%").policy.refresh_ahead.automatic);
  EXPECT_TRUE(route(", refresh_ahead: auto").policy.refresh_ahead.automatic);
  EXPECT_EQ(route(", no_vary_search: respect").policy.no_vary_search, true);
  EXPECT_EQ(route(", suffix_guard: false").policy.suffix_guard, false);
  const auto config = good(kOrigin +
                           "defaults: { refresh_ahead: auto, suffix_guard: false, no_vary_search: respect, "
                           "client_refresh: { token: \"${SET}\", otherwise: forbid } }\nroutes:\n  - { path: "
                           "/a }\n  - { path: /b, refresh_ahead: 0%, client_refresh: { token: \"\" } }\n");
  EXPECT_TRUE(config->routes[0].policy.refresh_ahead.automatic);
  EXPECT_EQ(config->routes[0].policy.client_refresh.token, "value");
  EXPECT_EQ(config->routes[0].policy.client_refresh.otherwise, rules::RefreshRefusal::Forbid);
  EXPECT_FALSE(config->routes[1].policy.refresh_ahead.automatic);
  EXPECT_EQ(config->routes[1].policy.client_refresh.token, "") << "an empty one is none";
  EXPECT_EQ(config->routes[1].policy.client_refresh.otherwise, rules::RefreshRefusal::Forbid);
}

TEST(Rewrites, AreInNormalForm) {
  const auto rewrite = route(", rewrite: { strip_prefix: /%61pi/./v1/, add_prefix: \"/a%2fb//\" }").rewrite;
  EXPECT_EQ(rewrite.strip_prefix, "/api/v1");
  EXPECT_EQ(rewrite.add_prefix, "/a%2Fb");
  EXPECT_TRUE(route("").rewrite.empty());
}

TEST(HeaderChanges, KeepTheirOrderAndTakeNamesOfTheUser) {
  const auto changed = route(
      ", request_headers: { set: { x-b: \" 1 \", X-A: \"\", Accept: text/plain }, remove: "
      "[Cookie, cookie] }, response_headers: { set: { X-Cost: 5 }, remove: Server }");
  EXPECT_THAT(changed.request_headers.set,
              ElementsAre(Pair("x-b", "1"), Pair("X-A", ""), Pair("Accept", "text/plain")));
  EXPECT_THAT(changed.request_headers.remove, ElementsAre("Cookie"));
  EXPECT_THAT(changed.response_headers.set, ElementsAre(Pair("X-Cost", "5")));
  EXPECT_THAT(changed.response_headers.remove, ElementsAre("Server"));
}

TEST(Provenance, NamesWhoSetItLastAndWhere) {
  LoadRequest request;
  request.file = "test.yaml";
  request.text = R"(origin: http://localhost:3000
defaults:
  ttl: 30s
  stale: { while_revalidate: 1m }
policies:
  listing:
    ttl:
      status: { "404": 10s, 5xx: 0 }
      jitter: 5%
routes:
  - name: search
    path: /search
    policy: listing
    ttl: { default: 15s }
    key: { query: { except: [utm_*] } }
  - name: other
    path: /other
    stale:
      errors: [timeout]
)";
  request.overrides = {{"defaults.stale.if_error", "1h"}, {"routes.search.ttl.max", "2m"}};
  request.override_names = {"--stale", ""};
  const auto result = load(request, machine());
  ASSERT_TRUE(result.ok()) << to_text(result.diagnostics);
  const auto said = [&](std::size_t index) {
    std::vector<std::string> out;
    for (const auto& [key, by] : result.config->routes[index].provenance)
      out.push_back(key + ": " + by.path + (by.line > 0 ? " (" + std::to_string(by.line) + ")" : ""));
    return out;
  };
  EXPECT_THAT(said(0),
              ElementsAre("key.query: routes.search.key.query (15)", "stale.if_error: --stale",
                          "stale.while_revalidate: defaults.stale.while_revalidate (4)",
                          "ttl.default: routes.search.ttl.default (14)", "ttl.jitter: policies.listing.ttl.jitter (9)",
                          "ttl.max: --set routes.search.ttl.max", "ttl.status.404: policies.listing.ttl.status.404 (8)",
                          "ttl.status.5xx: policies.listing.ttl.status.5xx (8)"));
  EXPECT_THAT(said(1), ElementsAre("stale.errors: routes.other.stale.errors (19)", "stale.if_error: --stale",
                                   "stale.while_revalidate: defaults.stale.while_revalidate (4)",
                                   "ttl.default: defaults.ttl.default (3)"));
}

TEST(Provenance, IsThereWithoutRoutesToo) {
  const auto config = good(kOrigin + "defaults: { ttl: 5s }\n");
  EXPECT_EQ(config->routes[0].provenance.at("ttl.default").path, "defaults.ttl.default");
  EXPECT_EQ(config->routes[0].provenance.at("ttl.default").line, 2);
}

/// Every setting of a policy that the table knows leaves its trace under the path that the table gives it.
TEST(Provenance, KnowsEverySettingOfTheTable) {
  for (const auto* setting :
       {"cache: true", "methods: [GET]", "statuses: [200]", "origin_cache_control: respect", "pass_memory: 1s",
        "authorization: key", "set_cookie: strip", "vary: ignore", "max_variants: 3", "no_vary_search: respect",
        "suffix_guard: false", "refresh_ahead: auto", "request_cookies: guard", "close_delimited: store"}) {
    const std::string text = setting;
    EXPECT_EQ(route(", " + text).provenance.count(text.substr(0, text.find(':'))), 1u) << text;
  }
  const auto all = route(
                       ", key: { host: true, path: all, cookies: [a], body: none, body_max: 1KiB, decode: false }, "
                       "bypass: { query: [a] }, client_refresh: { otherwise: warn }, targeted: { strip: true }")
                       .provenance;
  for (const auto* key : {"key.host", "key.path", "key.cookies", "key.body", "key.body_max", "key.decode",
                          "bypass.query", "client_refresh.otherwise", "targeted.strip"})
    EXPECT_EQ(all.count(key), 1u) << key;
  EXPECT_EQ(all.size(), 9u);
}

class Secrets : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("forebay-secrets-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string file(const std::string& content) {
    const auto path = (folder_ / "token").string();
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }
  LoadResult load_admin(const std::string& settings) { return load_text(kOrigin + "admin: { " + settings + " }\n"); }
  std::filesystem::path folder_;
};

TEST_F(Secrets, AreReadFromFilesWithoutTheNewlineAtTheirEnd) {
  for (const auto* content : {"sesame", "sesame\n", "sesame\r\n"}) {
    const auto result = load_admin("token_file: " + file(content));
    ASSERT_TRUE(result.ok()) << to_text(result.diagnostics);
    EXPECT_THAT(result.diagnostics, IsEmpty());
    EXPECT_EQ(result.config->operators.token, "sesame");
  }
  const auto config = good(kOrigin + "defaults: { client_refresh: { token_file: " + file("again\n") +
                           " } }\nroutes:\n  - path: /a\n  - { path: /b, client_refresh: { token: \"${SET}\" } }\n");
  EXPECT_EQ(config->routes[0].policy.client_refresh.token, "again");
  EXPECT_EQ(config->routes[1].policy.client_refresh.token, "value");
  EXPECT_EQ(config->routes[1].policy.client_refresh.token_file, "") << "a nearer layer replaces the twin as well";
}

TEST_F(Secrets, ThatNoFieldCanCarryAreRefused) {
  for (const auto& content : {std::string(), std::string("\n"), std::string("two words"), std::string("nul\0", 4),
                              std::string("caf\xc3\xa9"), std::string("line\nline"), std::string(5000, 'x')}) {
    const auto result = load_admin("token_file: " + file(content));
    EXPECT_EQ(codes(result), std::vector<int>{1004}) << content.size();
    EXPECT_EQ(to_text(result.diagnostics).find("words"), std::string::npos);
  }
  EXPECT_EQ(codes(load_admin("token_file: " + (folder_ / "absent").string())), std::vector<int>{1008});
  EXPECT_EQ(codes(load_admin("token_file: " + folder_.string())), std::vector<int>{1008});
  EXPECT_EQ(codes(load_admin("token: \"${SET}\", token_file: " + file("a"))), std::vector<int>{1005});
}

TEST_F(Secrets, OfTheFileItselfAreWarnedOfAndNeverShown) {
  const std::string text = kOrigin +
                           "admin: { token: hunter2, listne: x }\ndefaults: { client_refresh: { token: \"hunter3\" } "
                           "}\nroutes:\n  - { path: /a, client_refresh: { token: 'hunter4', otherwize: warn } }\n";
  const auto bad = load_text(text, {{"routes.0.client_refresh.token", "hunter5"}});
  EXPECT_FALSE(bad.ok());
  for (const auto& form : {to_text(bad.diagnostics), to_json(bad.diagnostics), to_github(bad.diagnostics)})
    EXPECT_EQ(form.find("hunter"), std::string::npos) << form;
  const auto result =
      load_text(kOrigin + "admin: { token: hunter2 }\ndefaults: { client_refresh: { token: hunter3 } }\n");
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(codes(result), (std::vector<int>{2006, 2006}));
  EXPECT_EQ(print(*result.config).find("hunter"), std::string::npos);
}

TEST_F(Secrets, AreRedactedSoThatWhatIsPrintedLoadsAndOpensNothing) {
  const auto once = print(*load_admin("token: hunter2").config);
  EXPECT_NE(once.find("token: \"(redacted)\""), std::string::npos) << once;
  const auto again = load_text(once);
  ASSERT_TRUE(again.ok()) << to_text(again.diagnostics);
  EXPECT_EQ(codes(again), std::vector<int>{2006});
  EXPECT_FALSE(http::is_field_value(again.config->operators.token)) << "no client can send it";
  EXPECT_EQ(print(*again.config), once);
  const auto path = file("sesame");
  const auto by_file = load_text(print(*load_admin("token_file: " + path).config));
  ASSERT_TRUE(by_file.ok());
  EXPECT_EQ(by_file.config->operators.token, "sesame");
}

TEST_F(Secrets, OfHeaderFieldsAreNotPrintedEither) {
  const auto text = kOrigin + R"(
log: {access: {redact: {headers: [X-Mine]}}}
routes:
  - path: /**
    request_headers:
      set: {Authorization: hunter1, X-Api-Key: hunter2, X-Origin-Token: hunter3, X-Mine: hunter4, X-Client-Secret: hunter5, X-Api-Client: gateway}
    response_headers: {set: {X-Auth-Token: hunter6}}
)";
  const auto once = print(*load_text(text).config);
  EXPECT_EQ(once.find("hunter"), std::string::npos) << once;
  EXPECT_NE(once.find("X-Api-Client: gateway"), std::string::npos) << once;
  const auto again = load_text(once);
  ASSERT_TRUE(again.ok()) << to_text(again.diagnostics);
  EXPECT_EQ(codes(again), std::vector<int>(6, 2006));
  EXPECT_EQ(again.config->routes[0].request_headers.set.size(), 1u) << "what is redacted is sent to nobody";
}

TEST_F(Secrets, OfConditionsAreNotPrintedAndLetNothingMoreIn) {
  const auto text = kOrigin + R"(
log: {access: {redact: {headers: [X-Mine, Cookie], query: [mine]}}}
routes:
  - path: /**
    match:
      headers: {X-Api-Key: [hunter1, hunter2], X-Mine: hunter3, Cf-Access-Jwt-Assertion: hunter4, X-Op: Get*}
      query: {access_token: hunter5, mine: hunter6, format: json}
      body: {/password: hunter7, /auth/apiKey: 5551234, /kind: read, /secret: [true, null]}
    bypass:
      headers: {"X-Api-*": hunter8, X-Env: staging}
      cookies: {sid: hunter9}
      query: {token: hunter10, "*": hunter11}
)";
  const auto once = print(*load_text(text).config);
  EXPECT_EQ(once.find("hunter"), std::string::npos) << once;
  EXPECT_EQ(once.find("5551234"), std::string::npos);
  for (const auto* shown : {"x-op: \"Get*\"", "format: json", "/kind: read", "[true, null]", "x-env: staging"})
    EXPECT_NE(once.find(shown), std::string::npos) << shown;
  const auto again = load_text(once);
  ASSERT_TRUE(again.ok()) << to_text(again.diagnostics);
  EXPECT_EQ(print(*again.config), once);
  const auto& a = again.config->routes[0];
  for (const auto& asked : a.match.headers)
    if (asked.name != "x-op") {
      EXPECT_FALSE(http::is_field_value(asked.value.globs.at(0))) << "no client can send it";
    }
  // What bypasses by its value does so by any; a cookie that bypassed by its name would end the guard of all others.
  EXPECT_FALSE(a.policy.bypass.cookies.at(0).value.present);
  EXPECT_THAT(a.policy.bypass.cookies.at(0).value.globs, ElementsAre("*"));
  // Without the log's redaction of Cookie its values are as good as others.
  const auto plain =
      kOrigin + "log: {access: {redact: {headers: []}}}\nroutes:\n  - {path: /**, bypass: {cookies: {beta: b}}}\n";
  EXPECT_NE(print(*load_text(plain).config).find("{ beta: b }"), std::string::npos);
}

TEST(Variables, ThatCannotBeReadAreNeverTakenLiterally) {
  for (const auto* text : {"${SET", "a${", "${}", "${SET:hunter2}", "${SET-hunter2}", "${hunter 2}", "$${SET} ${SET"}) {
    for (const auto& result : {load_text(kOrigin + "diagnostics: { name: \"" + text + "\" }\n"),
                               load_text(kOrigin, {{"diagnostics.name", text}})}) {
      EXPECT_EQ(codes(result), std::vector<int>{1007}) << text;
      EXPECT_EQ(result.diagnostics.at(0).message.find("hunter"), std::string::npos);
    }
  }
  EXPECT_EQ(good(kOrigin + "diagnostics: { name: \"$a$\" }\n")->diagnostics.name, "$a$");
}

TEST_F(Secrets, LetOperatorsInFromOutside) {
  EXPECT_EQ(codes(load_admin("listen: \":8081\"")), std::vector<int>{2010});
  const auto known = load_admin("listen: \":8081\", token: \"${EMPTY:-}\"");
  EXPECT_THAT(known.diagnostics, IsEmpty()) << "somebody has written that there is none";
  const auto result = load_admin(
      "listen: \":8081\", token: \"${SET}\", allow_loopback: false, allowed_hosts: [A.b, "
      "\"[::1]\"]");
  ASSERT_TRUE(result.ok());
  EXPECT_THAT(result.diagnostics, IsEmpty());
  EXPECT_FALSE(result.config->operators.allow_loopback);
  EXPECT_THAT(result.config->operators.allowed_hosts, ElementsAre("a.b", "[::1]"));
  EXPECT_TRUE(good(kOrigin)->operators.allow_loopback);
}

TEST_F(Secrets, AreOfTwoKindsForOperators) {
  const auto result = load_admin("listen: \":8081\", read_token: \"${SET}\", changes_per_second: 5");
  ASSERT_TRUE(result.ok());
  EXPECT_THAT(result.diagnostics, IsEmpty()) << "one of them is enough";
  EXPECT_EQ(result.config->operators.read_token, "value");
  EXPECT_EQ(result.config->operators.token, "");
  EXPECT_EQ(result.config->operators.changes_per_second, 5u);
  const auto by_file = load_admin("token: \"${SET}\", read_token_file: " + file("reader\n"));
  ASSERT_TRUE(by_file.ok()) << to_text(by_file.diagnostics);
  EXPECT_EQ(by_file.config->operators.read_token, "reader");
  EXPECT_THAT(print(*by_file.config), ::testing::Not(::testing::HasSubstr("reader")));
  EXPECT_EQ(codes(load_admin("read_token: a, read_token_file: b")), std::vector<int>{1005});
}

TEST(Fingerprint, CoversAllThatMakesAKeyAndNothingElse) {
  const auto plain = route("").key.fingerprint;
  for (const auto* change : {", key: { path: none }",
                             ", key: { path: [id] }",
                             ", key: { path: [rest] }",
                             ", key: { cookies: [a] }",
                             ", key: { body: all }",
                             ", key: { body: none }",
                             ", key: { body: [/a] }",
                             ", key: { body: [/b] }",
                             ", key: { form: [a] }",
                             ", key: { graphql: true }",
                             ", key: { numbers: value }",
                             ", key: { decode: false }",
                             ", match: { headers: { X-A: a } }",
                             ", match: { headers: { X-A: b } }",
                             ", match: { headers: { X-B: a } }",
                             ", match: { headers: { X-A: true } }",
                             ", match: { query: { X-A: a } }",
                             ", match: { body: { /a: 1 } }",
                             ", match: { body: { /a: \"1\" } }",
                             ", no_vary_search: respect",
                             ", rewrite: { strip_prefix: /x }",
                             ", rewrite: { add_prefix: /x }"})
    EXPECT_NE(route(change).key.fingerprint, plain) << change;
  EXPECT_NE(route(", key: { path: [id, rest] }").key.fingerprint, route(", key: { path: [rest, id] }").key.fingerprint);
  EXPECT_NE(route(", key: { body: [/a, /b] }").key.fingerprint, route(", key: { body: [/b, /a] }").key.fingerprint);
  EXPECT_NE(route(", key: { graphql: true, graphql_ignore: [a] }").key.fingerprint,
            route(", key: { graphql: true }").key.fingerprint);
  for (const auto* same : {", key: { body_max: 1KiB }", ", key: { graphql_ignore: [a] }", ", bypass: { cookies: [a] }",
                           ", refresh_ahead: auto", ", suffix_guard: false", ", request_headers: { remove: [X-A] }"})
    EXPECT_EQ(route(same).key.fingerprint, plain) << same;
}

TEST(Print, OfKeysAndChangesLoadsAgainToTheSame) {
  const std::string text = kOrigin + R"(
routes:
  - path: /a/{id}/{all}
    methods: [POST, M-SEARCH]
    key: { path: [all], cookies: [a_*, b], body: ["", "/a b/~0", "/\"$"], body_max: 3KiB, numbers: value, decode: false }
    match: { headers: { X-Op: ["*.Get*", "true", false], x-env: true }, query: { a-b: "007", c: false }, body: { /m: [get*, "1", 1.0, true, null], "": "*", "/a b/~0\"$$": "x y" } }
    bypass: { headers: [X-A], cookies: { a_*: true, b: false }, query: ["null", "true"], body: { /c: [true, "true"] } }
    refresh_ahead: 12.5%
    rewrite: { strip_prefix: /a, add_prefix: "/b%20c" }
    request_headers: { set: { "X-$$": "$$5 \\ \"q\"", x-null: "NULL", x-empty: "", x-number: "007", x-colon: "a: b, c" }, remove: [Cookie] }
    response_headers: { remove: [Server] }
    no_vary_search: respect
    suffix_guard: false
  - { path: /b, methods: [GET, POST], key: { graphql: true, path: none }, refresh_ahead: auto }
  - { path: /c, methods: POST, key: { form: [q, "a b", "100%"] }, client_refresh: { token: "${SET}", otherwise: forbid } }
  - { path: /d, methods: POST, key: { body: all } }
  - { path: /e, key: { body: none } }
admin: { allow_loopback: false, allowed_hosts: [a.b] }
)";
  const auto config = good(text);
  const auto once = print(*config);
  const auto result = load_text(once);
  ASSERT_TRUE(result.ok()) << to_text(result.diagnostics) << once;
  EXPECT_EQ(print(*result.config), once);
  const auto& a = result.config->routes[0];
  EXPECT_EQ(a.request_headers.set, config->routes[0].request_headers.set);
  EXPECT_EQ(a.key.pointers, config->routes[0].key.pointers);
  for (std::size_t i = 0; i < config->routes.size(); ++i)
    EXPECT_EQ(result.config->routes[i].key.fingerprint, config->routes[i].key.fingerprint) << i;
}

TEST(StreamSettings, WebSocketIsAllowedUnlessARouteSaysOtherwise) {
  EXPECT_THAT(route("").policy.upgrade, ElementsAre("websocket"));
  EXPECT_THAT(route(", upgrade: []").policy.upgrade, IsEmpty());
  EXPECT_THAT(route(", upgrade: foo").policy.upgrade, ElementsAre("foo"));
  EXPECT_THAT(route(", upgrade: [websocket, foo/2, websocket]").policy.upgrade, ElementsAre("websocket", "foo/2"));
  EXPECT_EQ(route("").policy.early_hints, rules::EarlyHints::Pass);
  EXPECT_EQ(route(", early_hints: replay").policy.early_hints, rules::EarlyHints::Replay);
  EXPECT_EQ(route(", early_hints: off").policy.early_hints, rules::EarlyHints::Off);
}

TEST(StreamSettings, RequestsWithoutARouteHaveTheProtocolsOfTheDefaults) {
  EXPECT_THAT(good(kOrigin)->upgrade, ElementsAre("websocket"));
  EXPECT_THAT(good(kOrigin + "defaults: { upgrade: [foo] }\nroutes: [{ path: /a, upgrade: [bar] }]\n")->upgrade,
              ElementsAre("foo"));
}

}  // namespace
}  // namespace forebay::config::test
