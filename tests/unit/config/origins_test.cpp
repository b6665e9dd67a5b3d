// Origins: their urls, and what is done when they fail.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "support.hpp"

namespace forebay::config::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

ConfigPtr good(const std::string& text) {
  const auto result = load_text(text);
  if (!result.ok() || !result.diagnostics.empty()) throw std::runtime_error(to_text(result.diagnostics));
  return result.config;
}

std::vector<std::string> urls_of(const Origin& origin) {
  std::vector<std::string> out;
  for (const auto& [url, weight] : origin.urls) out.push_back(std::to_string(weight) + ' ' + url.text);
  return out;
}

TEST(Origins, MayHaveSeveralUrls) {
  const auto config = good(
      "origins:\n  pool: { urls: [http://a:81, { url: http://b, weight: 1000 }, { url: http://c, weight: 1 }], "
      "balance: "
      "hash, slow_start: 0 }\n  list: [https://d, https://e]\n  one: { urls: { url: http://f, weight: 2 } }\n"
      "  same: http://g\norigin: pool\n");
  EXPECT_THAT(urls_of(config->origins.at("pool")), ElementsAre("1 http://a:81", "1000 http://b", "1 http://c"));
  EXPECT_EQ(config->origins.at("pool").url.port, 81) << "the first";
  EXPECT_EQ(config->origins.at("pool").balance, Balance::Hash);
  EXPECT_EQ(config->origins.at("pool").slow_start, Duration{0});
  EXPECT_THAT(urls_of(config->origins.at("list")), ElementsAre("1 https://d", "1 https://e"));
  EXPECT_THAT(urls_of(config->origins.at("one")), ElementsAre("2 http://f"));
  EXPECT_THAT(urls_of(config->origins.at("same")), ElementsAre("1 http://g"));
  const auto text = print(*config);
  for (const auto* line : {"urls: [\"http://a:81\", { url: \"http://b\", weight: 1000 }, \"http://c\"]",
                           "urls: [{ url: \"http://f\", weight: 2 }]", "    url: \"http://g\""})
    EXPECT_THAT(text, testing::HasSubstr(line));
  EXPECT_EQ(print(*good(text)), text);
}

TEST(Origins, MayBeListsOfUrlsWhereTheyAreNamed) {
  const auto config = good(
      "origin: [http://a, http://b]\norigins: { named: { url: http://n, failover: [http://c, http://d] } }\nroutes:\n"
      "  - { path: /a, origin: [http://b, http://a] }\n  - { path: /b, origin: [http://a, http://b] }\n"
      "  - { path: /c, origin: [named] }\n  - path: /**\n");
  EXPECT_EQ(config->default_origin, "http://a, http://b");
  EXPECT_EQ(config->routes[0].origin, "http://b, http://a") << "another order is another origin";
  EXPECT_EQ(config->routes[1].origin, config->default_origin);
  EXPECT_EQ(config->routes[2].origin, "named");
  EXPECT_EQ(config->origins.size(), 4u);
  EXPECT_THAT(urls_of(config->origins.at("http://a, http://b")), ElementsAre("1 http://a", "1 http://b"));
  EXPECT_THAT(urls_of(config->origins.at(config->origins.at("named").failover)),
              ElementsAre("1 http://c", "1 http://d"));
  const auto text = print(*config);
  EXPECT_THAT(text, testing::HasSubstr("origin: [\"http://b\", \"http://a\"]"));
  EXPECT_EQ(print(*good(text)), text);
}

TEST(Origins, HaveUpTo64Urls) {
  std::string urls;
  for (int i = 0; i < 64; ++i) urls += (i == 0 ? "http://u" : ", http://u") + std::to_string(i);
  EXPECT_EQ(good("origin: [" + urls + "]\n")->origins.begin()->second.urls.size(), 64u);
  EXPECT_EQ(codes(load_text("origin: [" + urls + ", http://one.more]\n")), std::vector<int>{1004});
}

/// The origin `web` of a configuration that gives it these keys.
Origin origin_with(const std::string& keys) {
  return good("origins: { web: { urls: [http://a, http://b], " + keys + " }, other: http://o }\norigin: web\n")
      ->origins.at("web");
}

TEST(Origins, SayWhatIsDoneWhenTheyFail) {
  const auto origin = origin_with(
      "balance: least_connections, timeouts: { total: 24h }, retry_budget: 0.2, idempotency_key: Idempotency-Key, "
      "passive: { failures: 0, error_ratio: 100%, window: 1h, min_requests: 1, hold: 100ms, statuses: [503, 520-529] "
      "}, "
      "failover: other, failover_on: [timeout, 5xx], max_concurrency: 256, ramp: { add: 1, every: 1s }");
  EXPECT_EQ(origin.balance, Balance::LeastConnections);
  EXPECT_EQ(origin.timeouts.total, 24h);
  EXPECT_EQ(origin.retry_percent, 20u);
  EXPECT_EQ(origin.idempotency_key, "Idempotency-Key");
  using Patterns = std::vector<rules::StatusPattern>;
  EXPECT_EQ(origin.passive, (Origin::Passive{0, 100, 1h, 1, 100ms, Patterns{{503, 503}, {520, 529}}}));
  EXPECT_EQ(origin.failover, "other");
  EXPECT_EQ(origin.failover_on, (Origin::FailoverOn{false, true, Patterns{{500, 599}}}));
  EXPECT_EQ(origin.max_concurrency, 256u);
  EXPECT_EQ(origin.ramp, (Origin::Ramp{1, 1s}));
  EXPECT_FALSE(origin.health.on());
  for (const auto percent : {0u, 7u, 29u, 57u, 58u, 100u})
    EXPECT_EQ(origin_with("retry_budget: " + std::to_string(percent) + "%").retry_percent, percent);
  EXPECT_EQ(origin_with("idempotency_key: off").idempotency_key, "");
}

TEST(Origins, HaveChecksThatEndBeforeTheNextBegins) {
  const auto health = [](const std::string& keys) { return origin_with("health: { path: /h, " + keys + " }").health; };
  const auto all =
      health("interval: 100ms, timeout: 100ms, up_after: 1, down_after: 100, expect: [204, 3xx], host: h:1");
  EXPECT_EQ(all, (Origin::Health{"/h", 100ms, 100ms, 1, 100, {{204, 204}, {300, 399}}, "h:1"}));
  EXPECT_EQ(health("interval: 1s").timeout, 1s) << "the default is shortened";
  EXPECT_EQ(health("interval: 1h").timeout, 2s);
  EXPECT_EQ(origin_with("health: { path: \"/h?full=1\" }").health.path, "/h?full=1");
  EXPECT_FALSE(origin_with("health: ").health.on()) << "all of it is commented out";
}

TEST(Origins, HaveTheDefaultsOfTheStruct) {
  auto plain = good("origin: http://a\n")->origins.at("http://a");
  const auto& url = plain.url;
  Origin expected;
  expected.name = "http://a";
  expected.url = url;
  expected.urls = {{url, 1}};
  EXPECT_EQ(plain, expected);
}

}  // namespace
}  // namespace forebay::config::test
