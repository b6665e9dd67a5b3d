#include "forebay/config/redirect_target.hpp"

#include <gtest/gtest.h>

#include "forebay/cache/key.hpp"

namespace forebay::config {
namespace {

using Captures = std::vector<cache::Capture>;

std::string expand(std::string_view to, std::string_view path, std::optional<std::string_view> query = std::nullopt,
                   const Captures& captures = {}, std::string_view host = "shop.test") {
  std::vector<std::string> names;
  for (const auto& c : captures) names.emplace_back(c.name);
  RedirectTarget::Fault fault;
  const auto target = RedirectTarget::compile(to, names, fault);
  if (!target) return "fault: " + fault.message;
  return target->expand({host, path, query, captures}).value_or("no host");
}

TEST(RedirectTarget, HasPartsOfTheRequest) {
  const Captures captures{{"id", "7"}, {"rest", "a/b"}};
  EXPECT_EQ(expand("/new", "/old"), "/new");
  EXPECT_EQ(expand("https://{host}/new/{id}", "/old", {}, captures), "https://shop.test/new/7");
  EXPECT_EQ(expand("/x/{rest}/y#{id}", "/old", {}, captures), "/x/a/b/y#7");
  EXPECT_EQ(expand("https://{host}{path}?{query}", "/a", "b=1&c"), "https://shop.test/a?b=1&c");
  EXPECT_EQ(expand("{path}/", "/a"), "/a/");
  EXPECT_EQ(expand("https://example.com{path}", "*"), "https://example.com/*");
}

TEST(RedirectTarget, HasTheHostWithoutItsPort) {
  EXPECT_EQ(expand("https://{host}/", "/", {}, {}, "shop.test:8080"), "https://shop.test/");
  EXPECT_EQ(expand("https://{host}:8443/", "/", {}, {}, "[::1]:8080"), "https://[::1]:8443/");
  EXPECT_EQ(expand("https://{host}/", "/", {}, {}, ""), "no host");
  EXPECT_EQ(expand("/a", "/", {}, {}, ""), "/a");
}

TEST(RedirectTarget, LeavesTheMarkOfAnAbsentQueryOut) {
  EXPECT_EQ(expand("/a?{query}", "/"), "/a");
  EXPECT_EQ(expand("/a?{query}", "/", ""), "/a");
  EXPECT_EQ(expand("/a?x=1&{query}", "/"), "/a?x=1");
  EXPECT_EQ(expand("/a?{query}#top", "/"), "/a#top");
  EXPECT_EQ(expand("/a?x=1&{query}", "/", "y=2"), "/a?x=1&y=2");
  EXPECT_EQ(expand("/a?{query}&x=1", "/"), "/a?&x=1");
}

TEST(RedirectTarget, NamesNoOtherHostByAPath) {
  EXPECT_EQ(expand("{path}", "//evil.example/x"), "/evil.example/x");
  EXPECT_EQ(expand("{path}", "///evil.example"), "/evil.example");
  EXPECT_EQ(expand("{path}", "/\\evil.example"), "/%5Cevil.example");
  EXPECT_EQ(expand("/{rest}", "/", {}, {{"rest", "/evil.example"}}), "/evil.example");
  EXPECT_EQ(expand("https://{host}{path}", "//evil.example"), "https://shop.test//evil.example");
}

TEST(RedirectTarget, EncodesWhatAUrlCannotHave) {
  std::string every;
  for (int c = 0; c < 256; ++c) every += static_cast<char>(c);
  for (const auto* to : {"/p/{v}", "/p?q={v}", "/p#{v}", "/p?{query}", "/p{path}"}) {
    const auto location = expand(to, "/" + every, every, {{"v", every}});
    for (const char c : location)
      EXPECT_TRUE(c > 0x20 && c < 0x7f && c != '"' && c != '<' && c != '\\') << to << int(c);
  }
  EXPECT_EQ(expand("/p/{v}", "/", {}, {{"v", "a%2Fb%zz\r\n"}}), "/p/a%2Fb%25zz%0D%0A");
}

TEST(RedirectTarget, AValueOfThePathBeginsNoOtherParameter) {
  EXPECT_EQ(expand("/p?id={v}&x=1", "/", {}, {{"v", "1&admin=1#+;?"}}), "/p?id=1%26admin%3D1%23%2B%3B%3F&x=1");
  EXPECT_EQ(expand("/p/{v}", "/", {}, {{"v", "1?a#b"}}), "/p/1%3Fa%23b");
}

TEST(RedirectTarget, ACaptureGoesBeforeAPartOfTheSameName) {
  EXPECT_EQ(expand("/new/{path}", "/old/a", {}, {{"path", "a"}}), "/new/a");
}

TEST(RedirectTarget, DoesNotBeginWithACaptureWhateverItsName) {
  for (const auto* value : {"https://evil.example", "", "evil", "/a"})
    EXPECT_EQ(expand("{path}", "/old/a", {}, {{"path", value}}),
              "fault: the target begins with a capture, which may be a URL");
  EXPECT_EQ(expand("/{path}", "/old/a", {}, {{"path", "https://evil.example"}}), "/https://evil.example");
  EXPECT_EQ(expand("{a}", "/old/a", {}, {{"a", "/b"}}).substr(0, 5), "fault");
}

TEST(RedirectTarget, IsRefusedWhereItIsMalformed) {
  for (const auto* to : {"",
                         "new",
                         "//host/a",
                         "ftp://host/a",
                         "https://",
                         "https:///a",
                         "https://{path}",
                         "https://?a",
                         "https://{query}",
                         "https://user@host/",
                         "https://{id}/",
                         "https://a.{id}/",
                         "/a{",
                         "/a}",
                         "/{}",
                         "/{other}",
                         "/a/{query}",
                         "/a b",
                         "/a\r\nSet-Cookie: a",
                         "/\x7f",
                         "/\xc3\xa9"})
    EXPECT_EQ(expand(to, "/", {}, {{"id", "7"}}).substr(0, 5), "fault") << to;
}

}  // namespace
}  // namespace forebay::config
