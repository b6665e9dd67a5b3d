#include <gtest/gtest.h>

#include "forebay/rules/storability.hpp"
#include "forebay/rules/vocabulary.hpp"
#include "unit/rules/heads.hpp"

namespace forebay::rules {
namespace {

using test::Ask;
using test::Lines;

Reason look_up(const Policy& policy, const Ask& ask, std::optional<std::string_view> query = std::nullopt,
               UnkeyedContent content = UnkeyedContent::None) {
  return may_look_up(test::facts(ask, policy), ask.view(), query, content, policy);
}

TEST(Bypass, AFieldThatIsThereBypassesInAnyCaseAndAlsoWhenItIsEmpty) {
  Policy policy;
  policy.bypass.headers = {"x-preview", "x-debug-*"};
  const std::pair<Ask, Reason> cases[] = {{Ask({{"X-Preview", "1"}}), Reason::RuleHeader},
                                          {Ask({{"x-preview", ""}}), Reason::RuleHeader},
                                          {Ask({{"X-DEBUG-SQL", "on"}}), Reason::RuleHeader},
                                          {Ask({{"Accept", "*/*"}, {"X-Debug-", "0"}}), Reason::RuleHeader},
                                          {Ask({{"X-Debug", "1"}}), Reason::None},
                                          {Ask({{"X-Previewer", "1"}}), Reason::None},
                                          {Ask({{"Y", "x-preview"}}), Reason::None},
                                          {Ask{}, Reason::None}};
  for (const auto& [ask, reason] : cases) {
    EXPECT_EQ(look_up(policy, ask), reason) << (ask.lines.view().empty() ? "" : ask.lines.view()[0].name);
  }
}

TEST(Bypass, FieldsOfTheConnectionAreNoReason) {
  Policy policy;
  policy.bypass.headers = {"*"};
  EXPECT_EQ(look_up(policy, Ask({{"Connection", "close"}, {"Upgrade", "h2c"}, {"TE", "trailers"}})), Reason::None);
  EXPECT_EQ(look_up(policy, Ask({{"Connection", "close"}, {"Accept", "*/*"}})), Reason::RuleHeader);
}

TEST(Bypass, CookiesAreMatchedByAnyNameThatAReaderFinds) {
  Policy policy;
  policy.bypass.cookies = {"session_*", "auth"};
  const std::pair<std::string_view, Reason> cases[] = {
      {"session_id=1", Reason::RuleCookie},
      {"a=b; session_x=", Reason::RuleCookie},
      {"a=b;auth", Reason::RuleCookie},
      {" auth = 1", Reason::RuleCookie},
      {"Session_id=1", Reason::RuleCookie},
      {"session.id=1", Reason::RuleCookie},
      {"auth[0]=1", Reason::RuleCookie},
      {"a%75th=1", Reason::RuleCookie},
      {"x=1 auth=2", Reason::RuleCookie},
      {"\xC2\xA0"
       "auth=2",
       Reason::RuleCookie},
      {"author=1", Reason::None},
      {"a=session_id", Reason::None},
      {"a=b; ; =auth", Reason::None},
      {"", Reason::None},
      {"x=1, auth=2", Reason::RuleCookie},
      {"x=\"1; auth=2; y=3\"", Reason::RuleCookie},
      {"x=\"1,auth\"", Reason::RuleCookie},
      {"x=1,authors", Reason::None},
      {"x=1,, ,auth", Reason::RuleCookie},
  };
  for (const auto& [cookie, reason] : cases) EXPECT_EQ(look_up(policy, Ask({{"Cookie", cookie}})), reason) << cookie;
  EXPECT_EQ(look_up(policy, Ask({{"Cookie", "a=b"}, {"Cookie", "auth=1"}})), Reason::RuleCookie) << "in any line";
  EXPECT_EQ(look_up(policy, Ask({{"X-Cookie", "auth=1"}})), Reason::None);
}

TEST(Bypass, ParametersAreMatchedByAnyNameThatAReaderFinds) {
  Policy policy;
  policy.bypass.query = {"preview", "no cache", "d%zz", "utm_*"};
  const std::pair<std::string_view, Reason> cases[] = {
      {"preview=1", Reason::RuleQuery},
      {"preview", Reason::RuleQuery},
      {"a=1&preview=", Reason::RuleQuery},
      {"%70review=1", Reason::RuleQuery},
      {"no+cache=1", Reason::RuleQuery},
      {"no%20cache", Reason::RuleQuery},
      {"d%zz=1", Reason::RuleQuery},
      {"%75tm%5Fsource=x", Reason::RuleQuery},
      {"Preview=1", Reason::RuleQuery},
      {"[preview]=1", Reason::RuleQuery},
      {"preview]=1", Reason::RuleQuery},
      {"_preview=1", Reason::RuleQuery},
      {"x.preview=1", Reason::RuleQuery},
      {"preview%00x=1", Reason::RuleQuery},
      {"x&amp;preview=1", Reason::RuleQuery},
      {"a=preview", Reason::None},
      {"previewer=1&&=preview", Reason::None},
      {"utm=1;preview=1", Reason::RuleQuery},
      {"a=1&b;;%70review", Reason::RuleQuery},
      {";preview", Reason::RuleQuery},
      {"preview;a=1", Reason::RuleQuery},
      {"preview[]=1", Reason::RuleQuery},
      {"a=1%3Bpreview=1", Reason::None},
      {"a;b=preview", Reason::None},
      {"%2570review", Reason::None},
      {"%70review%z=1", Reason::None},
      {"", Reason::None},
  };
  for (const auto& [query, reason] : cases) EXPECT_EQ(look_up(policy, Ask{}, query), reason) << query;
  EXPECT_EQ(look_up(policy, Ask{}), Reason::None) << "no query at all";
}

TEST(Bypass, WithoutListsNothingIsAReason) {
  EXPECT_EQ(look_up({}, Ask({{"X-Preview", "1"}, {"Cookie", "a=b"}}), "preview=1"), Reason::None);
}

TEST(Bypass, TheReasonsComeInTheirOrder) {
  Policy policy;
  policy.methods.set(static_cast<std::size_t>(http::Method::Post));
  policy.bypass = {{"x-a"}, {"a"}, {"a"}, {}};
  policy.authorization = AuthorizationRule::Bypass;
  Ask ask({{"X-A", "1"}, {"Cookie", "a=1"}, {"Authorization", "x"}, {"If-Match", "*"}}, http::Method::Post);
  const auto next = [&] { return look_up(policy, ask, "a=1", UnkeyedContent::Unexpected); };
  policy.cache = false;
  EXPECT_EQ(next(), Reason::CacheOff);
  policy.cache = true;
  policy.methods.reset(static_cast<std::size_t>(http::Method::Post));
  EXPECT_EQ(next(), Reason::Method);
  policy.methods.set(static_cast<std::size_t>(http::Method::Post));
  EXPECT_EQ(next(), Reason::RuleHeader);
  policy.bypass.headers.clear();
  EXPECT_EQ(next(), Reason::RuleCookie);
  policy.bypass.cookies.clear();
  EXPECT_EQ(next(), Reason::RuleQuery);
  policy.bypass.query.clear();
  EXPECT_EQ(next(), Reason::Authorization);
  policy.authorization = AuthorizationRule::Rfc;
  EXPECT_EQ(next(), Reason::Precondition);
  ask.lines.remove("If-Match");
  EXPECT_EQ(next(), Reason::RequestBody);
  EXPECT_EQ(look_up(policy, ask, "a=1", UnkeyedContent::Declared), Reason::None);
}

TEST(LookUp, PreconditionsOfWhatIsNotSafeReachTheOrigin) {
  Policy policy;
  policy.methods.set();
  policy.other_methods = {"REPORT"};
  for (const auto* name : {"If-Match", "If-None-Match", "if-unmodified-since"}) {
    for (const auto method : {http::Method::Post, http::Method::Put, http::Method::Patch, http::Method::Delete}) {
      EXPECT_EQ(look_up(policy, Ask({{name, "\"a\""}}, method)), Reason::Precondition) << http::to_string(method);
    }
    for (const auto method : {http::Method::Get, http::Method::Head, http::Method::Options, http::Method::Query}) {
      EXPECT_EQ(look_up(policy, Ask({{name, "\"a\""}}, method)), Reason::None) << http::to_string(method);
    }
    http::RequestView report{http::Method::Other, "REPORT", "/", http::Version::Http11, {}};
    const auto lines = test::fields({{name, "\"a\""}});
    report.fields = lines.view();
    EXPECT_EQ(may_look_up(facts_of(report, policy), report, {}, UnkeyedContent::None, policy), Reason::Precondition);
  }
  EXPECT_EQ(look_up(policy, Ask({{"If-Range", "\"a\""}}, http::Method::Post)), Reason::None);
}

Policy with_token(std::string token) {
  Policy policy;
  policy.client_refresh.token = std::move(token);
  return policy;
}

TEST(Refresh, CountsWithTheRightTokenOnly) {
  const auto policy = with_token("s3cret");
  const auto right = test::facts(Ask({{"forebay-refresh", "s3cret"}}), policy);
  EXPECT_TRUE(right.refresh);
  EXPECT_FALSE(right.refresh_refused);
  for (const auto* wrong : {"", "s3cre", "s3cret1", "S3cret", "s3cres3cret", "x", "s3cret, s3cret"}) {
    const auto facts = test::facts(Ask({{"Forebay-Refresh", wrong}}), policy);
    EXPECT_FALSE(facts.refresh) << wrong;
    EXPECT_TRUE(facts.refresh_refused) << wrong;
  }
  const auto none = test::facts(Ask({{"Forebay-Refreshed", "s3cret"}}), policy);
  EXPECT_FALSE(none.refresh || none.refresh_refused);
  const auto both = test::facts(Ask({{"Forebay-Refresh", "x"}, {"Forebay-Refresh", "s3cret"}}), policy);
  EXPECT_TRUE(both.refresh);
  EXPECT_FALSE(both.refresh_refused);
}

TEST(Refresh, IsNothingWhereTheRouteHasNoToken) {
  for (const auto* sent : {"", "s3cret"}) {
    const auto facts = test::facts(Ask({{"Forebay-Refresh", sent}}), with_token(""));
    EXPECT_FALSE(facts.refresh || facts.refresh_refused) << sent;
  }
}

TEST(Vocabulary, EveryReasonHasItsWordInTheOrderOfTheList) {
  const std::pair<Reason, std::string_view> cases[] = {{Reason::None, ""},
                                                       {Reason::CacheOff, "cache_off"},
                                                       {Reason::Authorization, "authorization"},
                                                       {Reason::Precondition, "precondition"},
                                                       {Reason::RequestNoStore, "request_no_store"},
                                                       {Reason::Range, "range"},
                                                       {Reason::Replaced, "replaced"},
                                                       {Reason::NoFreshness, "no_freshness"},
                                                       {Reason::TypeMismatch, "type_mismatch"},
                                                       {Reason::Endless, "endless"},
                                                       {Reason::GraphqlErrors, "graphql_errors"},
                                                       {Reason::Admission, "admission"}};
  for (const auto& [reason, word] : cases) EXPECT_EQ(to_string(reason), word);
}

NamedCondition says(const char* name, std::vector<std::string> globs) {
  return {name, {false, false, std::move(globs)}};
}
NamedCondition lacks(const char* name) { return {name, {false, true, {}}}; }

TEST(BypassValues, AFieldBypassesByWhatItSaysInAnyLineAndMember) {
  Policy policy;
  policy.bypass.headers = {says("x-env", {"staging", "dev-*"})};
  const std::pair<Ask, Reason> cases[] = {{Ask({{"X-Env", "staging"}}), Reason::RuleHeader},
                                          {Ask({{"X-Env", "Staging"}}), Reason::RuleHeader},
                                          {Ask({{"X-Env", "dev-7"}}), Reason::RuleHeader},
                                          {Ask({{"X-Env", "live, staging"}}), Reason::RuleHeader},
                                          {Ask({{"X-Env", "live"}, {"X-Env", "staging"}}), Reason::RuleHeader},
                                          {Ask({{"X-Env", "live"}}), Reason::None},
                                          {Ask({{"X-Env", ""}}), Reason::None},
                                          {Ask{}, Reason::None}};
  for (const auto& [ask, reason] : cases)
    EXPECT_EQ(look_up(policy, ask), reason) << (ask.lines.view().empty() ? "" : ask.lines.view()[0].value);
  policy.bypass.headers = {lacks("x-env")};
  EXPECT_EQ(look_up(policy, Ask{}), Reason::RuleHeader);
  EXPECT_EQ(look_up(policy, Ask({{"X-Env", "live"}})), Reason::None);
}

TEST(BypassValues, ACookieBypassesByItsValueAndWhereReadersMayFindAnother) {
  Policy policy;
  policy.bypass.cookies = {says("beta", {"1"})};
  const std::pair<std::string_view, Reason> cases[] = {{"beta=1", Reason::RuleCookie},
                                                       {"a=2; beta=1", Reason::RuleCookie},
                                                       {"beta=\"1\"", Reason::RuleCookie},
                                                       {"beta=%31", Reason::RuleCookie},
                                                       {"BETA=1", Reason::RuleCookie},
                                                       {"beta=0; beta=1", Reason::RuleCookie},
                                                       {"x=1, beta=1", Reason::RuleCookie},
                                                       {"beta=0 ; a b=c", Reason::RuleCookie},
                                                       {"beta=0", Reason::None},
                                                       {"alpha=1", Reason::None},
                                                       {"beta=0; a=1", Reason::None},
                                                       {"beta=%30", Reason::None},
                                                       {"", Reason::None}};
  for (const auto& [line, reason] : cases) EXPECT_EQ(look_up(policy, Ask({{"Cookie", line}})), reason) << line;
  policy.bypass.cookies = {lacks("consent")};
  EXPECT_EQ(look_up(policy, Ask({{"Cookie", "a=1"}})), Reason::RuleCookie);
  EXPECT_EQ(look_up(policy, Ask({{"Cookie", "consent=1"}})), Reason::None);
}

TEST(BypassValues, AParameterBypassesByItsDecodedValueAndWhereReadersDisagree) {
  Policy policy;
  policy.bypass.query = {says("nocache", {"1", "true"})};
  const std::pair<std::string_view, Reason> cases[] = {{"nocache=1", Reason::RuleQuery},
                                                       {"nocache=%31", Reason::RuleQuery},
                                                       {"NoCache=True", Reason::RuleQuery},
                                                       {"nocache[]=1", Reason::RuleQuery},
                                                       {"nocache=0&nocache=1", Reason::RuleQuery},
                                                       {"a=1;nocache=0", Reason::RuleQuery},
                                                       {"nocache=%zz", Reason::RuleQuery},
                                                       {"nocache=0;a=1", Reason::RuleQuery},
                                                       {"nocache=0", Reason::None},
                                                       {"nocache", Reason::None},
                                                       {"a=1", Reason::None}};
  for (const auto& [query, reason] : cases) EXPECT_EQ(look_up(policy, Ask{}, query), reason) << query;
  policy.bypass.query = {lacks("v")};
  EXPECT_EQ(look_up(policy, Ask{}), Reason::RuleQuery);
  EXPECT_EQ(look_up(policy, Ask{}, "v=1"), Reason::None);
}

}  // namespace
}  // namespace forebay::rules
