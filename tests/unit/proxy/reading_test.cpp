#include "forebay/proxy/reading.hpp"

#include <gtest/gtest.h>

#include "forebay/config/load.hpp"

namespace forebay::proxy {
namespace {

config::ConfigPtr configured(const std::string& yaml) {
  config::Surroundings here;
  here.variable = [](const std::string&) { return std::nullopt; };
  const auto result = config::load({"forebay.yaml", yaml, {}, {}}, here);
  EXPECT_TRUE(result.ok()) << config::to_text(result.diagnostics);
  return result.config;
}

TEST(OriginTarget, StripsWholeSegmentsAndAddsAPrefix) {
  struct Case {
    std::string_view strip, add, target, expected;
  };
  const Case cases[] = {
      {"", "", "/a/b?x=1", "/a/b?x=1"},
      {"/api", "", "/api/items?x=1", "/items?x=1"},
      {"/api", "", "/api", "/"},
      {"/api", "", "/api?x=1", "/?x=1"},
      {"/api", "", "/api/", "/"},
      {"/api", "", "/apiary", "/apiary"},
      {"/api/", "", "/api/items", "/items"},
      {"", "/v1", "/items", "/v1/items"},
      {"", "/v1/", "/items", "/v1/items"},
      {"/api", "/v1", "/api/items", "/v1/items"},
      {"/api", "/v1", "/other", "/v1/other"},
      {"/api", "/v1", "/api", "/v1/"},
      {"/", "", "/a", "/a"},
  };
  for (const auto& c : cases)
    EXPECT_EQ(origin_target({std::string(c.strip), std::string(c.add)}, c.target), c.expected)
        << c.strip << " + " << c.add << ": " << c.target;
}

class ReadRoute : public ::testing::Test {
 protected:
  const Reading& read(std::string_view method, std::string_view raw, bool has_content = false,
                      http::FieldsView fields = {}) {
    request_.method = http::method_of(method);
    request_.method_text = method;
    request_.target = raw;
    request_.fields = fields;
    EXPECT_TRUE(reading_.target.read(request_.method, raw));
    EXPECT_TRUE(read_host("Shop.example.com:80", "", false, "http", reading_));
    read_route(routes_, request_, has_content, reading_);
    return reading_;
  }

  config::ConfigPtr config_ = configured(R"(
origin: http://127.0.0.1:3000
routes:
  - { name: item, path: "/items/{id}/{part}", key: { path: [id] } }
  - { name: search, path: /search, methods: [POST], key: { body: [/q] } }
  - { name: loose, path: /loose, methods: [POST], key: { body: none } }
  - { name: off, path: /off, cache: false }
  - { name: fast, path: /db, methods: [POST], match: { body: { /fast: [true] } }, key: { body: [/q] } }
  - { name: slow, path: /db, methods: [POST], key: { body: [/q] } }
  - { name: guarded, path: /guarded, bypass: { headers: [x-preview], query: ["draft*"] } }
)");
  config::RouteTable routes_{*config_};
  http::RequestView request_;
  Reading reading_;
};

TEST_F(ReadRoute, GoesOnFromTheRouteThatAwaitsTheContent) {
  http::Fields json;
  json.add("Content-Type", "application/json");
  for (const auto& [content, route] : {std::pair{R"({"fast":true})", "fast"}, std::pair{R"({"fast":false})", "slow"}}) {
    read("POST", "/db", true, json);
    ASSERT_TRUE(reading_.awaits_content);
    EXPECT_EQ(reading_.route->name, "fast");
    read_route(routes_, request_, true, reading_, {ReadContent::State::Whole, content});
    EXPECT_FALSE(reading_.awaits_content);
    EXPECT_EQ(reading_.route->name, route);
    EXPECT_EQ(reading_.reason, rules::Reason::None);
  }
}

TEST_F(ReadRoute, MovesWithACopyOfTheRawTarget) {
  auto sent = std::make_unique<std::string>("/items/17/all");
  read("GET", *sent);
  const std::string copy(*sent);
  reading_.rebase(*sent, copy);
  sent->assign(sent->size(), '!');
  sent.reset();
  EXPECT_EQ(reading_.target.path(), "/items/17/all");
  ASSERT_FALSE(reading_.captures.empty());
  EXPECT_EQ(reading_.captures.front().value, "17");
}

TEST_F(ReadRoute, TakesTheHostInNormalForm) { EXPECT_EQ(read("GET", "/items/1/x").host, "shop.example.com"); }

TEST_F(ReadRoute, TheSchemeOfATrustedPeerCountsAndThatOfAnotherDoesNot) {
  EXPECT_TRUE(reading_.target.read(http::Method::Get, "/"));
  EXPECT_TRUE(read_host("a", "https", true, "http", reading_));
  EXPECT_EQ(reading_.scheme, "https");
  EXPECT_TRUE(read_host("a", "https", false, "http", reading_));
  EXPECT_EQ(reading_.scheme, "http");
  EXPECT_TRUE(read_host("a", "HTTPS", true, "http", reading_));
  EXPECT_EQ(reading_.scheme, "https");
  EXPECT_TRUE(read_host("a", "gopher", true, "http", reading_));
  EXPECT_EQ(reading_.scheme, "http");
}

TEST_F(ReadRoute, AHostThatIsNoneIsRefused) {
  EXPECT_TRUE(reading_.target.read(http::Method::Get, "/"));
  EXPECT_FALSE(read_host("a b", "", false, "http", reading_));
}

TEST_F(ReadRoute, GivesTheCapturesThatTheKeyNeeds) {
  const auto& reading = read("GET", "/items/42/x");
  ASSERT_EQ(reading.reason, rules::Reason::None);
  ASSERT_FALSE(reading.captures.empty());
  EXPECT_EQ(reading.captures[0].name, "id");
  EXPECT_EQ(reading.captures[0].value, "42");
}

TEST_F(ReadRoute, SaysWhyARequestIsNotLookedUp) {
  EXPECT_EQ(read("GET", "/nowhere").reason, rules::Reason::NoRoute);
  EXPECT_EQ(read("GET", "/off").reason, rules::Reason::CacheOff);
  EXPECT_EQ(read("POST", "/off").reason, rules::Reason::CacheOff);
  EXPECT_EQ(read("DELETE", "/search").reason, rules::Reason::Method);
  EXPECT_EQ(read("GET", "/items/1/x", true).reason, rules::Reason::RequestBody);
  EXPECT_EQ(read("GET", "/guarded?draft1").reason, rules::Reason::RuleQuery);
  http::Fields fields;
  fields.add("X-Preview", "");
  EXPECT_EQ(read("GET", "/guarded", false, fields.view()).reason, rules::Reason::RuleHeader);
}

TEST_F(ReadRoute, SaysWhatBecomesOfContent) {
  EXPECT_EQ(read("POST", "/search", true).content, cache::ContentUse::Keyed);
  EXPECT_EQ(read("POST", "/loose", true).content, cache::ContentUse::Declared);
  EXPECT_EQ(read("POST", "/loose", true).reason, rules::Reason::None);
  EXPECT_EQ(read("GET", "/items/1/x").content, cache::ContentUse::None);
}

/// What a request asks to switch to, and what the origin would be asked for.
std::pair<std::string, std::string> upgrade_of(const config::Config& config, std::string_view path,
                                               std::initializer_list<std::pair<const char*, const char*>> list,
                                               http::Method method = http::Method::Get, bool has_content = false,
                                               http::Version version = http::Version::Http11) {
  const config::RouteTable routes(config);
  http::Fields fields;
  for (const auto& [name, value] : list) fields.add(name, value);
  http::RequestView request{method, http::to_string(method), path, version, fields.view()};
  Reading reading;
  EXPECT_TRUE(reading.target.read(method, path));
  EXPECT_TRUE(read_host("example.org", "", false, "http", reading));
  read_upgrade(request, has_content, reading);
  read_route(routes, request, has_content, reading);
  const auto before = reading.reason;
  offer_upgrade(config.upgrade, reading);
  EXPECT_EQ(reading.reason, reading.upgrades() ? rules::Reason::Upgrade : before);
  return {reading.asked_upgrade, reading.upgrade};
}

TEST(ReadUpgrade, AsksForTheProtocolsThatTheRouteLists) {
  using Pair = std::pair<std::string, std::string>;
  const auto config = configured(
      "origin: http://127.0.0.1:3000\ndefaults: { upgrade: [other] }\nroutes:\n"
      "  - { path: /ws, upgrade: [websocket, foo/2] }\n  - { path: /off, upgrade: [], cache: false }\n");
  const auto of = [&](std::string_view path, const char* upgrade) {
    return upgrade_of(*config, path, {{"Connection", "keep-alive, Upgrade"}, {"Upgrade", upgrade}});
  };
  EXPECT_EQ(of("/ws", "websocket"), Pair("websocket", "websocket"));
  EXPECT_EQ(of("/ws", "h2c, WebSocket , FOO/2,websocket"),
            Pair("h2c, WebSocket , FOO/2,websocket", "WebSocket, FOO/2"));
  EXPECT_EQ(of("/ws", "foo, foo/1, websocket/13"), Pair("foo, foo/1, websocket/13", ""));
  EXPECT_EQ(of("/off", "websocket"), Pair("websocket", ""));
  EXPECT_EQ(of("/none", "websocket, other"), Pair("websocket, other", "other"))
      << "without a route, the defaults count";
  EXPECT_EQ(upgrade_of(*config, "/ws", {{"Upgrade", "foo/2"}, {"Connection", "upgrade"}, {"Upgrade", "websocket"}}),
            Pair("foo/2, websocket", "foo/2, websocket"));
}

TEST(ReadUpgrade, OnlyAGetOfHttp11WithoutContentCanAsk) {
  using Pair = std::pair<std::string, std::string>;
  const auto config = configured("origin: http://127.0.0.1:3000\n");
  const std::initializer_list<std::pair<const char*, const char*>> asks{{"Connection", "upgrade"},
                                                                        {"Upgrade", "websocket"}};
  EXPECT_EQ(upgrade_of(*config, "/", asks), Pair("websocket", "websocket"));
  for (const auto method : {http::Method::Head, http::Method::Post, http::Method::Options, http::Method::Query})
    EXPECT_EQ(upgrade_of(*config, "/", asks, method), Pair());
  EXPECT_EQ(upgrade_of(*config, "/", asks, http::Method::Get, true), Pair());
  for (const auto version : {http::Version::Http10, http::Version::Http2})
    EXPECT_EQ(upgrade_of(*config, "/", asks, http::Method::Get, false, version), Pair());
  EXPECT_EQ(upgrade_of(*config, "/", {{"Connection", "close"}, {"Upgrade", "websocket"}}), Pair());
  EXPECT_EQ(upgrade_of(*config, "/", {{"Upgrade", "websocket"}}), Pair());
  EXPECT_EQ(upgrade_of(*config, "/", {{"Connection", "upgrade"}}), Pair());
}

}  // namespace
}  // namespace forebay::proxy
