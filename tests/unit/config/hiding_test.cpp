// Values that may be secrets are in nothing that is said about a configuration.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support.hpp"

namespace forebay::config::test {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string everything(const LoadResult& result) {
  std::string out = to_text(result.diagnostics) + to_json(result.diagnostics) + to_github(result.diagnostics);
  for (const auto& d : result.diagnostics) out += d.path + '\n' + d.message + '\n' + d.hint + '\n' + d.source_line;
  return out;
}

constexpr const char* kOrigin = "origin: http://localhost:3000\n";

TEST(HiddenValues, NoValueBesideAKeyThatForebayDoesNotKnowIsShown) {
  for (const std::string beside : {
           "tokn: hunter2",
           "tokn: \"hunter2\"",
           "tokn: 'it''s hunter2'",
           "tokn: [hunter2]",
           "tokn: [a, [hunter2, b]]",
           "tokn: { value: hunter2 }",
           "tokn: {a: {b: hunter2}}",
           "tokn: &anchor hunter2",
           "tokn: !!str hunter2",
           "tokn: !odd hunter2",
           "tokn: hunter2${NOT_SET}",
           "tokn:   hunter2   # hunter2",
           "? tokn\n  : hunter2",
           "\"tokn\": hunter2",
           "tokn : hunter2",
           "tokn hunter2: a",
           "tokn=hunter2: a",
           "tokn: |\n    hunter2\n    hunter2",
           "tokn: >-\n    hunter2\n\n    hunter2",
           "tokn:\n    - hunter2\n    - !odd hunter2",
           "tokn:\n  - hunter2\n  - {a: hunter2, a: hunter2}",
           "tokn:\n    inner: hunter2\n    inner: hunter2",
           "tokn:\n    inner: &b !odd hunter2\n  x-b: *b",
           "tokn: \"hunter2\n    hunter2\"",
           "tokn: hunter2\n    hunter2",
           "[tokn, hunter2]: hunter2",
           "token: [hunter2]",
           "token: { hunter2: !odd hunter2 }",
           "token: hunter2\n  token: hunter2",
           "token_file: hunter2",
           "routes: hunter2",
           "listen: [a]\n  listen: { a: hunter2 }",
       }) {
    for (const std::string& text :
         {"admin:\n  " + beside + "\n", "admin:\n  lisen: 1\n  " + beside + "\n  listne: 2\n"}) {
      const auto result = load_text(kOrigin + text);
      EXPECT_FALSE(result.ok()) << text;
      EXPECT_THAT(everything(result), Not(HasSubstr("hunter"))) << text;
    }
  }
}

TEST(HiddenValues, NorOnOneLineWithOtherMistakes) {
  for (const std::string text : {
           "admin: { tokn: hunter2, lisen: 1 }",
           "admin: { lisen: 1, tokn: hunter2 }",
           "admin: {lisen: 1, tokn: [hunter2, hunter2], listne: {a: hunter2}}",
           "admin: { token:hunter2 }",
           "admin: { token hunter2 }",
           "admin: { 'token hunter2': 1 }",
           "admin: { \"tokn\":\"hunter2\" , lisen: 1 }",
           "{admin: {tokn: hunter2}, routes: [{path: /a, tll: hunter2}], listn: 1}",
           "{x-a: &a hunter2, tokn: *a, listn: !odd 1}",
           "{x-a: &a {tokn: hunter2}, admin: {<<: *a}, listn: 1}",
           "{x-token: hunter2, listn: 1}",
           "{x-mine: {api_key: hunter2}, listn: 1}",
           "admin: hunter2",
           "admin: token hunter2",
           "admin: [hunter2]",
           "admin:\n  token:hunter2",
           "admin:\n  - token: hunter2",
           "policies: { one: hunter2 }",
           "policies: hunter2",
           "routes: hunter2",
           "routes: { token: hunter2 }",
           "routes:\n  - token hunter2",
           "routes:\n  - path: /a\n    request_headers: { Authorization: Bearer hunter2 }",
           "routes:\n  - path: /a\n    request_headers: { set: { \"Bad Name\": hunter2, \"Authorization\": !odd "
           "hunter2 } }",
           "routes:\n  - path: /a\n    request_headers: { set: [ \"Authorization: Bearer hunter2\" ] }",
           "routes:\n  - path: /a\n    request_headers: { set: \"Authorization: Bearer hunter2\" }",
           "routes:\n  - path: /a\n    request_headers: { remove: [\"Authorization: Bearer hunter2\"] }",
           "routes:\n  - path: /a\n    key: { headers: [\"Authorization: Bearer hunter2\"] }",
           "routes:\n  - path: /a\n    authorization: Bearer hunter2",
           "routes:\n  - path: /a\n    ttl: { status: { tokn: hunter2 } }",
           "routes:\n  - path: /a\n    key: { query: { excpt: hunter2 } }",
           "origins: { a: \"http://user:hunter2@a:1\" }",
           "origins: { a: \"http://hunter2@a:1\" }",
           "origins: { a: \"https://user:hunter2@a:1\" }",
           "origins: { a: { url: \"user:hunter2@a:1\" } }",
           "l2: { url: \"redis://:hunter2@a\", username: hunter2, password: [hunter2] }",
           "purge: { methods: [PURGE], token: [hunter2] }",
           "origins: { d: [{ tokn: hunter2 }] }",
           "origins: { d: { url: [{ tokn: hunter2 }] } }",
           "routes:\n  - path: /a\n    origin: { tokn: hunter2 }",
           "routes:\n  - path: /a\n    ttl: { tokn: hunter2 }",
           "routes:\n  - path: /a\n    match: { headers: { \"Authorization: Bearer hunter2\": true } }",
           "routes:\n  - path: /a\n    match: { headers: { Authorization: { hunter2: b } }, hedders: { a: hunter2 } }",
           "routes:\n  - path: /a\n    bypass: { headers: { Authorization: \"Bearer hunter2\" }, queri: { a: hunter2 } "
           "}",
           "cache: hunter2",
           "upstream: hunter2",
           "purge: { tokn: hunter2 }",
           "purge: { methods: { tokn: hunter2 } }",
           "purge: { methods: [{ tokn: hunter2 }] }",
           "purge: [hunter2]",
           "purge: { allow: [a], allow: { tokn: hunter2 } }",
           "listen: [{ address: \":1\", tls: { kee: hunter2 } }]",
           "log: { level: info }\nlog: { tokn: hunter2 }",
           "routes:\n  - path: /a\n    request_headers: { set: { \"Authorization Bearer hunter2\": } }",
       }) {
    const auto result = load_text(text.starts_with('{') ? text : kOrigin + text);
    EXPECT_FALSE(result.ok()) << text;
    EXPECT_THAT(everything(result), Not(HasSubstr("hunter"))) << text;
  }
}

TEST(HiddenValues, NorWhereANameShouldStandOrAsAConditionOnACredential) {
  for (const std::string text : {
           "admin: { token: !hunter2 }",
           "admin: { tokn: !hunter2 }",
           "admin: { token: !hunter2 { a: b } }",
           "routes:\n  - path: /a\n    bypass: { headers: [\"X-Api-Key: hunter2\"] }",
           "routes:\n  - path: /a\n    bypass: { headers: \"X-Api-Key:hunter2\" }",
           "routes:\n  - path: /a\n    bypass: { cookies: [\"session: hunter2\"] }",
           "routes:\n  - path: /a\n    bypass: { cookies: [\"session=hunter2\"], query: [\"a b\"] }",
           "routes:\n  - path: /a\n    bypass: { query: [\"token hunter2\"] }",
           "routes:\n  - path: /a\n    key: { query: [\"token hunter2\"] }",
           "routes:\n  - path: /a\n    key: { query: { except: [\"token hunter2\"] } }",
           "routes:\n  - path: /a\n    key: { cookies: [\"session: hunter2\"] }",
           "routes:\n  - path: /a\n    signed_schemes: [\"AWS4 hunter2\"]",
           "routes:\n  - path: /a\n    credentials: [\"Authorization: hunter2\"]",
           "log: { access: { redact: { headers: [\"X-Mine: hunter2\"] } } }",
           "log: { access: { redact: { query: [\"mine: hunter2\"] } } }",
           "routes:\n  - path: /a\n    match: { headers: { X-Api-Key: { a: hunter2 } } }",
           "routes:\n  - path: /a\n    match: { headers: { X-Mine: { a: hunter2 } } }",
           "routes:\n  - path: /a\n    match: { headers: { X-Mine: [{ a: hunter2 }] } }",
           "routes:\n  - path: /a\n    bypass: { headers: { X-Api-Key: { a: hunter2 } } }",
           "routes:\n  - path: /a\n    match: { headers: { X-Api-Key: \"hunter2\\x01\" } }",
           "routes:\n  - path: /a\n    match: { headers: { X-Api-Key: [hunter2, hunter3], X-Op: { a: b } } }",
           "routes:\n  - path: /a\n    match: { headers: { Cookie: hunter2, X-Op: { a: b } } }",
           "log: { access: { redact: { headers: X-Mine } } }\nroutes:\n  - path: /a\n    match: { headers: { X-Mine: "
           "hunter2, X-Op: { a: b } } }",
           "routes:\n  - path: /a\n    match: { query: { access_token: hunter2, a: { b: c } } }",
           "routes:\n  - path: /a\n    match: { body: { /login/password: hunter2, /a: { b: c } } }",
           "routes:\n  - path: /a\n    bypass: { cookies: { sid: hunter2, a: { b: c } } }",
           "routes:\n  - path: /a\n    origin: http://localhost:3000/?token=hunter2",
           "routes:\n  - path: /a\n    origin: http://localhost:3000#hunter2",
           "routes:\n  - path: /a\n    origin: localhost:3000/?token=hunter2",
           "origins: { a: \"https://localhost:3000/?token=hunter2\" }",
           "routes:\n  - path: /a?token=hunter2",
       }) {
    const auto result = load_text(kOrigin + text);
    EXPECT_FALSE(result.ok()) << text;
    EXPECT_THAT(everything(result), Not(HasSubstr("hunter"))) << text;
  }
  const auto warned =
      load_text(kOrigin + std::string("routes:\n  - path: /a\n    match: { headers: { X-Api-Key: [hunter2, "
                                      "hunter3] } }\n    bypass: { cookies: [\"sid=hunter2\"] }\n"));
  EXPECT_EQ(codes(warned), (std::vector<int>{2041, 2022}));
  EXPECT_THAT(everything(warned), Not(HasSubstr("hunter")));
}

TEST(HiddenValues, NorWhereTheFileIsNotYaml) {
  for (const std::string text : {
           "admin:\n  tokn: \"hunter2",
           "admin:\n  token: \"hunter2",
           "admin:\n  token: 'hunter2\n  listen: x\n",
           "admin:\n  tokn: hunter2: x",
           "admin:\n  token: hunter2: x",
           "admin:\n  listen: x\n  token hunter2\n",
           "admin:\n  listen: x\n  token:hunter2\n  allow_loopback: true\n",
           "admin:\n  listen: x\n  token=hunter2\n  allow_loopback: true\n",
           "admin: { tokn: hunter2",
           "admin: { listen: x, tokn: hunter2 ]",
           "admin: [ tokn: hunter2 ",
           "admin: [ x, { tokn: hunter2 ",
           "admin: { token hunter2, x: [",
           "x-token: hunter2: x",
           "admin: { listen: x, token: [hunter2 }",
           "admin: { listen: x, token: \"hunter2\\q\" }",
           "admin:\n  token: |\n    hunter2\n   hunter2: x: y\n",
           "admin:\n  token:\n    - hunter2\n   hunter2\n",
           "admin:\n\ttoken: hunter2\n",
           "admin:\n  tokn: *hunter2\n",
           "admin: { token: hunter2\x01 }",
           "admin: { token: hunter2\xff }",
           "admin: {}\n---\nadmin: { tokn: hunter2 }\n",
           "admin: {}\n--- {admin: {tokn: hunter2}}\n",
           "admin: {}\n... {admin: {tokn: hunter2}}\n",
           "  admin: {}\ntoken: hunter2\n",
       }) {
    const auto result = load_text(kOrigin + text);
    EXPECT_FALSE(result.ok()) << text;
    EXPECT_THAT(everything(result), Not(HasSubstr("hunter"))) << text;
  }
}

TEST(HiddenValues, AreNeverThoseOfAFlag) {
  for (const auto& [key, value] : Overrides{{"admin.tokn", "hunter2"},
                                            {"admin.tokn", "[hunter2]"},
                                            {"admin", "{ tokn: hunter2 }"},
                                            {"admin", "hunter2"},
                                            {"admin.token", "{ a: hunter2 }"},
                                            {"admin.token", "two hunter2"},
                                            {"admin.token_file", "hunter2"}}) {
    const auto result = load_text(kOrigin, {{key, value}});
    EXPECT_FALSE(result.ok()) << key;
    EXPECT_THAT(everything(result), Not(HasSubstr("hunter"))) << key << '=' << value;
  }
  const auto replaced = load_text("origin: http://a\nadmin: { tokn: hunter2 }\nlisten: [ 1\n", {{"admin", "{}"}});
  EXPECT_THAT(everything(replaced), Not(HasSubstr("hunter")));
}

TEST(HiddenValues, LeaveWhatHelpsToFindAMistake) {
  const auto known = to_text(load_text(std::string(kOrigin) + "cache: { keep: 10, max_object: 8MiB }\n").diagnostics);
  EXPECT_THAT(known, HasSubstr("cache: { keep: 10, max_object: 8MiB }"));
  const auto beside = to_text(load_text(std::string(kOrigin) + "cache: { keap: 10, max_object: 8MiB }\n").diagnostics);
  EXPECT_THAT(beside, HasSubstr("cache: { keap: **, max_object: 8MiB }"));
  const auto block =
      to_text(load_text(std::string(kOrigin) + "cache:\n  keap:\n    - 10\n  max_object: 8x\n").diagnostics);
  EXPECT_THAT(block, HasSubstr("max_object: 8x"));
  const auto broken = to_text(load_text(std::string(kOrigin) + "log: level: info\n").diagnostics);
  EXPECT_THAT(broken, HasSubstr("log: level: info"));
  for (const std::string shown : {"admin: \"127.0.0.1:8081\"", "defaults: { stale: 30s }", "upstream: localhost:3001",
                                  "routes:\n  - { path: /a, match: { headers: { X-Op: [Get, Put], X-A: null } } }"})
    EXPECT_THAT(to_text(load_text(kOrigin + shown).diagnostics), HasSubstr(shown.substr(shown.rfind('\n') + 1)));
  const auto later = to_text(load_text(std::string(kOrigin) + "l2: { url: redis, password: a }\n").diagnostics);
  EXPECT_THAT(later, HasSubstr("l2: ***************************\n"));  // What stands in it is not known yet.
}

}  // namespace
}  // namespace forebay::config::test
