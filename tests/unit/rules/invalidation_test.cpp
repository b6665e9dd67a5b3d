#include "forebay/rules/invalidation.hpp"

#include <gmock/gmock.h>

#include "unit/rules/heads.hpp"

namespace forebay::rules {
namespace {

using http::Method;
using test::Answer;
using test::Lines;
using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> targets(Method method, const Answer& answer) {
  return invalidated_targets(method, "http", "shop.example", "/a/b?x=1", answer.view());
}

TEST(Invalidation, AnUnsafeMethodThatSucceedsDropsItsTarget) {
  for (const auto method : {Method::Post, Method::Put, Method::Patch, Method::Delete, Method::Other}) {
    EXPECT_THAT(targets(method, Answer(Lines{}, 200)), ElementsAre("/a/b?x=1"));
    EXPECT_THAT(targets(method, Answer(Lines{}, 204)), ElementsAre("/a/b?x=1"));
    EXPECT_THAT(targets(method, Answer(Lines{}, 303)), ElementsAre("/a/b?x=1"));
  }
}

TEST(Invalidation, FailuresAndSafeMethodsDropNothing) {
  for (const int status : {100, 400, 404, 412, 500, 503, 599}) {
    EXPECT_THAT(targets(Method::Post, Answer(Lines{}, status)), IsEmpty()) << status;
  }
  for (const auto method : {Method::Get, Method::Head, Method::Options, Method::Query, Method::Trace}) {
    EXPECT_THAT(targets(method, Answer(Lines{}, 200)), IsEmpty());
  }
}

TEST(Invalidation, LocationAndContentLocationOfTheSameOriginGoToo) {
  EXPECT_THAT(
      targets(Method::Post, Answer({{"Location", "/new"}, {"Content-Location", "http://SHOP.example:80/cl?y"}}, 201)),
      ElementsAre("/a/b?x=1", "/new", "/cl?y"));
  EXPECT_THAT(targets(Method::Post, Answer({{"Location", "c"}})), ElementsAre("/a/b?x=1", "/a/c"));
  EXPECT_THAT(targets(Method::Post, Answer({{"Location", "/a/b?x=1"}})), ElementsAre("/a/b?x=1"));
  EXPECT_THAT(targets(Method::Post,
                      Answer({{"Location", "http://other.example/new"}, {"Content-Location", "//other.example/x"}})),
              ElementsAre("/a/b?x=1"));
  EXPECT_THAT(targets(Method::Post, Answer({{"Location", "https://shop.example/new"}})), ElementsAre("/a/b?x=1"));
}

TEST(Invalidation, TheLocationOfARedirectStaysAndItsContentLocationGoes) {
  for (const int status : {300, 301, 302, 303, 307, 308})
    EXPECT_THAT(targets(Method::Post, Answer({{"Location", "/"}, {"Content-Location", "/c"}}, status)),
                ElementsAre("/a/b?x=1", "/c"))
        << status;
}

bool is_write(Method method, std::string_view text, const Policy& policy, Reason reason = Reason::None) {
  return rules::is_write(method, text, reason, policy);
}

TEST(Invalidation, OnlyARouteThatCachesAMethodDeclaresItARead) {
  Policy policy;
  policy.methods.set(static_cast<std::size_t>(Method::Post));
  EXPECT_FALSE(is_write(Method::Post, "POST", policy));
  for (const auto r : {Reason::BodyTooLarge, Reason::BodyUnparsable, Reason::GraphqlOperation, Reason::PassMemory})
    EXPECT_FALSE(is_write(Method::Post, "POST", policy, r)) << "a read that could not be looked up";
  for (const auto r : {Reason::RuleHeader, Reason::RuleCookie, Reason::RuleQuery})
    EXPECT_TRUE(is_write(Method::Post, "POST", policy, r)) << "the route's rules take it from what is cached";
  policy.cache = false;
  EXPECT_TRUE(is_write(Method::Post, "POST", policy, Reason::CacheOff));
  EXPECT_FALSE(is_write(Method::Get, "GET", policy, Reason::CacheOff));
  policy.invalidate_on_write = false;
  EXPECT_FALSE(is_write(Method::Post, "POST", policy, Reason::CacheOff));
}

TEST(Invalidation, AMethodThatTheRouteDeclaresAReadIsNone) {
  Policy policy;
  EXPECT_TRUE(is_write(Method::Post, "POST", policy));
  EXPECT_TRUE(is_write(Method::Other, "M-SEARCH", policy));
  EXPECT_FALSE(is_write(Method::Get, "GET", policy));
  policy.methods.set(static_cast<std::size_t>(Method::Post));
  policy.other_methods = {"REPORT"};
  EXPECT_FALSE(is_write(Method::Post, "POST", policy));
  EXPECT_FALSE(is_write(Method::Other, "REPORT", policy));
  EXPECT_TRUE(is_write(Method::Put, "PUT", policy));
  policy.invalidate_on_write = false;
  EXPECT_FALSE(is_write(Method::Put, "PUT", policy));
}

}  // namespace
}  // namespace forebay::rules
