// `check --print --source` and the admin API say where each setting comes from.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support.hpp"

namespace forebay::config::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kText =
    "listen: ':8080'\n"                                           // 1
    "origin: http://localhost:3000\n"                             // 2
    "defaults: { ttl: 10s, stale: { while_revalidate: 20s } }\n"  // 3
    "policies:\n"                                                 // 4
    "  short: { ttl: { default: 1s } }\n"                         // 5
    "routes:\n"                                                   // 6
    "  - path: /a/*\n"                                            // 7
    "    policy: short\n"                                         // 8
    "    methods: [GET, POST]\n"                                  // 9
    "  - path: /b\n"                                              // 10
    "admin: { token: '${SET}' }\n";                               // 11

LoadResult loaded() { return load_text(kText, {{"cache.memory", "64MiB"}}); }

/// The line of the configuration that has it, without its indentation.
std::string line_with(const std::string& printed, const std::string& text, std::size_t nth = 0) {
  std::size_t at = printed.find(text);
  for (; nth > 0 && at != std::string::npos; --nth) at = printed.find(text, at + 1);
  if (at == std::string::npos) return {};
  return printed.substr(at, printed.find('\n', at) - at);
}

TEST(SettingPlaces, AreBehindEachKeyThatIsSet) {
  const auto result = loaded();
  ASSERT_TRUE(result.ok()) << to_text(result.diagnostics);
  const auto printed = print_with_sources(*result.config);
  EXPECT_EQ(line_with(printed, "- address: "), "- address: \":8080\"  # test.yaml:1");
  EXPECT_EQ(line_with(printed, "memory: "), "memory: 64MiB  # --set cache.memory");
  EXPECT_THAT(line_with(printed, "token: "), HasSubstr("# test.yaml:11, by a variable"));
  EXPECT_THAT(printed, AllOf(HasSubstr("default: 1s  # test.yaml:5"), HasSubstr("default: 10s  # test.yaml:3"),
                             HasSubstr("while_revalidate: 20s  # test.yaml:3"),
                             HasSubstr("methods: [GET, HEAD, POST]  # test.yaml:9")));
  EXPECT_THAT(printed, AllOf(HasSubstr("http2: true\n"), HasSubstr("jitter: 0%\n"))) << "short forms set one key";
  EXPECT_THAT(printed, HasSubstr("path: \"/a/*\"  # test.yaml:7"));
  EXPECT_EQ(line_with(printed, "max_variants: ").find('#'), std::string::npos) << "a default";
}

TEST(SettingPlaces, LeaveTheConfigurationAsItIs) {
  const auto result = loaded();
  const auto again = load_text(print_with_sources(*result.config));
  ASSERT_TRUE(again.ok()) << to_text(again.diagnostics);
  EXPECT_EQ(print(*again.config), print(*result.config));
}

TEST(SettingPlaces, StandBesideTheJson) {
  const auto result = loaded();
  const auto json = print_json_with_sources(*result.config);
  EXPECT_TRUE(json.starts_with("{\"config\":" + print_json(*result.config))) << json;
  EXPECT_THAT(json, AllOf(HasSubstr(R"("cache.memory":{"from":"flag","name":"--set cache.memory"})"),
                          HasSubstr(R"("routes[0].ttl.default":{"from":"file","file":"test.yaml","line":5})"),
                          HasSubstr(R"("routes[1].origin":{"from":"file","file":"test.yaml","line":2})"),
                          HasSubstr(R"("admin.token":{"from":"file","file":"test.yaml","line":11,"variable":true})"),
                          Not(HasSubstr("value"))));
}

TEST(SettingPlaces, OfWhatWaitsForARestartAreThoseOfTheValueInForce) {
  const auto running = load_text("origin: http://localhost:1\nserver: { threads: 2 }\n");
  const auto loaded = load_text("origin: http://localhost:1\n\n\nserver: { threads: 3 }\n");
  auto fresh = *loaded.config;
  keep_until_restart(fresh, *running.config);
  EXPECT_EQ(line_with(print_with_sources(fresh), "threads: "), "threads: 2  # test.yaml:2");
}

TEST(SettingPlaces, ThatAreNotKnownAreLeftOut) {
  EXPECT_EQ(print_with_sources(Config()), print(Config()));
  EXPECT_THAT(print_json_with_sources(Config()), HasSubstr("\"sources\":{}"));
}

}  // namespace
}  // namespace forebay::config::test
