#include "forebay/config/route_table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "forebay/http/list.hpp"
#include "support.hpp"

namespace forebay::config::test {
namespace {

using http::Method;

ConfigPtr routes(const std::string& text) {
  const auto result = load_text("origin: http://localhost:3000\nroutes:\n" + text);
  EXPECT_TRUE(result.ok()) << to_text(result.diagnostics);
  return result.config;
}

std::string found(const RouteTable& table, std::string_view host, std::string_view path, Method method = Method::Get,
                  std::string_view text = "GET") {
  http::RequestView request;
  request.method = method;
  request.method_text = text;
  const auto match = table.find(host, path, request);
  if (!match.route) return "none";
  return match.route->name + (match.method ? "" : "!");
}

TEST(RouteTable, TakesTheFirstInFileOrder) {
  const auto config = routes(R"(
  - { name: exact, path: /a/b }
  - { name: one, path: "/a/{id}" }
  - { name: all_of_a, path: /a/** }
  - { name: late, path: /a/b/c }
  - { name: regex, path: "~ ^/v[0-9]+$" }
  - { name: rest, path: "/f/{rest+}" }
  - { name: png, path: "/img/*.png" }
)");
  const RouteTable table(*config);
  EXPECT_EQ(found(table, "h", "/a/b"), "exact");
  EXPECT_EQ(found(table, "h", "/a/c"), "one");
  EXPECT_EQ(found(table, "h", "/a/b/c"), "all_of_a");
  EXPECT_EQ(found(table, "h", "/a"), "all_of_a");
  EXPECT_EQ(found(table, "h", "/v12"), "regex");
  EXPECT_EQ(found(table, "h", "/f/x/y"), "rest");
  EXPECT_EQ(found(table, "h", "/f"), "none");
  EXPECT_EQ(found(table, "h", "/img/x.png"), "png");
  EXPECT_EQ(found(table, "h", "/img/x/y.png"), "none");
  EXPECT_EQ(found(table, "h", "/"), "none");
  EXPECT_EQ(found(table, "h", "*", Method::Options, "OPTIONS"), "none");
  EXPECT_EQ(found(table, "h", ""), "none");
}

TEST(RouteTable, ComparesHostsWithoutPortAndByGlob) {
  const auto config = routes(R"(
  - { name: shop, host: shop.example.com, path: /** }
  - { name: both, host: [a.com, b.com], path: /x }
  - { name: glob, host: "*.Example.com", path: /** }
  - { name: any, path: /x }
  - { name: six, host: "[::1]", path: /** }
)");
  const RouteTable table(*config);
  EXPECT_EQ(found(table, "shop.example.com", "/"), "shop");
  EXPECT_EQ(found(table, "shop.example.com:8080", "/"), "shop");
  EXPECT_EQ(found(table, "www.example.com:81", "/q"), "glob");
  EXPECT_EQ(found(table, "example.com", "/q"), "none");
  EXPECT_EQ(found(table, "b.com", "/x"), "both");
  EXPECT_EQ(found(table, "c.com", "/x"), "any");
  EXPECT_EQ(found(table, "[::1]:8080", "/"), "six");
}

TEST(RouteTable, FallsBackToTheFirstThatMatchedButForItsMethods) {
  const auto config = routes(R"(
  - { name: search, path: /s, methods: POST, cache: false }
  - { name: get, path: /s }
  - { name: purge, path: /p, methods: [M-SEARCH], cache: false }
  - { name: rest, path: /** }
)");
  const RouteTable table(*config);
  EXPECT_EQ(found(table, "h", "/s", Method::Post, "POST"), "search");
  EXPECT_EQ(found(table, "h", "/s"), "get");
  EXPECT_EQ(found(table, "h", "/s", Method::Head, "HEAD"), "get");
  EXPECT_EQ(found(table, "h", "/s", Method::Put, "PUT"), "search!");
  EXPECT_EQ(found(table, "h", "/x", Method::Delete, "DELETE"), "rest!");
  EXPECT_EQ(found(table, "h", "/p", Method::Other, "M-SEARCH"), "purge");
  EXPECT_EQ(found(table, "h", "/p", Method::Other, "BREW"), "purge!");
  EXPECT_EQ(found(table, "h", "/p"), "rest");
}

TEST(RouteTable, ARouteThatAnswersByItselfTakesItsOwnMethodsOrAllAndNoOthers) {
  const auto config = routes(R"(
  - { name: get, path: /s, methods: GET, redirect: { to: /t } }
  - { name: all, path: /r, respond: 404 }
  - { name: post, path: /p, methods: POST, redirect: { to: /t } }
  - { name: rest, path: /** }
)");
  const RouteTable table(*config);
  EXPECT_EQ(found(table, "h", "/s", Method::Head, "HEAD"), "get");
  EXPECT_EQ(found(table, "h", "/s", Method::Post, "POST"), "rest!");
  EXPECT_EQ(found(table, "h", "/r", Method::Post, "POST"), "all");
  EXPECT_EQ(found(table, "h", "/r", Method::Other, "BREW"), "all");
  EXPECT_EQ(found(table, "h", "/p"), "rest");
}

TEST(RouteTable, ARedirectToHttpsTakesRequestsOverHttpAlone) {
  const auto config = routes(R"(
  - { name: https, path: /**, redirect: https }
  - { name: rest, path: /** }
)");
  const RouteTable table(*config);
  http::RequestView request;
  request.method = Method::Get;
  request.method_text = "GET";
  EXPECT_EQ(table.find("h", "/x", request, {}, 0, "http").route->name, "https");
  EXPECT_EQ(table.find("h", "/x", request, {}, 0, "https").route->name, "rest");
}

TEST(RouteTable, FindsAllCacheableRoutesOfAUrl) {
  const auto config = routes(R"(
  - { name: a, path: /x, methods: POST, cache: false }
  - { name: b, path: /x }
  - { name: c, host: h, path: "/{id}" }
  - { name: d, host: g, path: /x }
  - { name: e, path: /** }
)");
  const RouteTable table(*config);
  std::vector<const Route*> out;
  table.find_all("h:80", "/x", out);
  std::vector<std::string> names;
  for (const auto* route : out) names.push_back(route->name);
  EXPECT_THAT(names, testing::ElementsAre("b", "c", "e"));
  out.clear();
  table.find_all("h:80", "/x", out, RouteTable::Which::All);
  EXPECT_EQ(out.size(), 4u);
}

TEST(RouteTable, PassesOverRoutesWhoseConditionsDoNotHold) {
  const auto config = routes(R"(
  - { name: a, path: /x, match: { headers: { X-Op: a } }, methods: POST }
  - { name: ab, path: "/{any}", match: { headers: { X-Op: [a, b] }, query: { q: "1" } } }
  - { name: b, path: /x, match: { headers: { X-Op: b } } }
  - { name: other, path: /x, match: { headers: { X-Op: c } }, methods: POST }
)");
  const RouteTable table(*config);
  const auto taken = [&](const char* op, std::optional<std::string_view> query, Method method = Method::Get,
                         std::size_t from = 0) -> std::string {
    http::Fields fields;
    if (op) fields.add("X-Op", op);
    http::RequestView request;
    request.method = method;
    request.method_text = http::to_string(method);
    request.fields = fields.view();
    const auto match = table.find("h", "/x", request, query, from);
    if (!match.route) return "none";
    const bool unclear = match.conditions.verdict == rules::Verdict::Unclear;
    return match.route->name + (match.method ? "" : "!") + (unclear ? "?" : "");
  };
  EXPECT_EQ(taken("a", "q=1"), "ab");
  EXPECT_EQ(taken("a", "q=1", Method::Post), "a");
  EXPECT_EQ(taken("b", "q=1"), "ab");
  EXPECT_EQ(taken("b", "q=2"), "b");
  EXPECT_EQ(taken("b", std::nullopt), "b");
  EXPECT_EQ(taken("b", "q=1", Method::Get, 2), "b");
  EXPECT_EQ(taken("b", "q=1", Method::Get, 3), "none");
  EXPECT_EQ(taken("d", "q=1"), "none");
  EXPECT_EQ(taken(nullptr, "q=1"), "none");
  EXPECT_EQ(taken("b", "q=2", Method::Post), "b!") << "the first whose conditions hold, but for its methods";
  EXPECT_EQ(taken("c", "q=2"), "other!");
  EXPECT_EQ(taken("A", std::nullopt), "a!?");
  EXPECT_EQ(taken("b", "q=1&q=2"), "ab?");
  EXPECT_EQ(taken("A", std::nullopt, Method::Post), "a?");
}

/// The table is an index; what it finds is what trying one route after the other finds.
TEST(RouteTable, AgreesWithTryingOneRouteAfterTheOther) {
  std::mt19937 random(7);
  const auto pick = [&](const std::vector<std::string>& from) { return from[random() % from.size()]; };
  for (int round = 0; round < 60; ++round) {
    std::string text;
    for (int i = 0; i < 12; ++i) {
      std::string path;
      const auto segments = 1 + random() % 11;
      for (std::size_t s = 0; s < segments; ++s)
        path += '/' + pick({"a", "b", "{c" + std::to_string(s) + "}", "*", "a*", "a", "b"});
      path += pick({"", "/", "/**", "/{rest+}", "/**/b", ""});
      if (random() % 10 == 0) path = "~ ^/[ab]+(/a)*$";
      text += "  - { name: r" + std::to_string(i) + ", path: \"" + path + "\"" +
              pick({"", "", ", host: h", ", host: \"*\"", ", host: [g, h]", ", host: \"*.g\"",
                    ", host: [h, \"*.h\", \"*.a.h\"]", ", host: \"*h\"", ", methods: OPTIONS"}) +
              " }\n";
    }
    const auto config = routes(text);
    ASSERT_TRUE(config);
    const RouteTable table(*config);
    for (int i = 0; i < 200; ++i) {
      std::string path;
      for (auto n = random() % 12 + 1; n > 0; --n) path += '/' + pick({"a", "b", "ab", "", "a", "b"});
      const auto host = pick({"g", "h", "i", "a.h", "b.a.h", ".g", "h."});
      std::string expected = "none";
      for (const auto& route : config->routes) {
        const bool host_fits =
            route.hosts.empty() || std::any_of(route.hosts.begin(), route.hosts.end(),
                                               [&](const auto& h) { return http::glob_match(h, host); });
        if (!host_fits || !route.path.matches(path)) continue;
        if (route.policy.methods.test(static_cast<std::size_t>(Method::Get))) {
          expected = route.name;
          break;
        }
        if (expected == "none") expected = route.name + '!';
      }
      ASSERT_EQ(found(table, host, path), expected) << host << path << '\n' << text;
    }
  }
}

}  // namespace
}  // namespace forebay::config::test
