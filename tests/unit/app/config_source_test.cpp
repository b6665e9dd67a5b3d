#include "app/config_source.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>

namespace forebay::app {
namespace {

Variables variables(std::map<std::string, std::string> values) {
  return [values = std::move(values)](const std::string& name) -> std::optional<std::string> {
    const auto found = values.find(name);
    return found == values.end() ? std::nullopt : std::optional<std::string>(found->second);
  };
}

class ConfigSourceTest : public ::testing::Test {
 protected:
  ConfigSourceTest() {
    char name[] = "/tmp/forebay-source-XXXXXX";
    folder_ = ::mkdtemp(name);
  }
  ~ConfigSourceTest() override { std::filesystem::remove_all(folder_); }
  std::string file(const std::string& text) {
    const auto path = folder_ + "/forebay.yaml";
    std::ofstream(path) << text;
    return path;
  }
  std::string folder_;
};

config::ConfigPtr good(ConfigSource source) {
  auto loaded = source.load();
  EXPECT_TRUE(loaded.ok()) << config::to_text(loaded.diagnostics);
  return loaded.config;
}

TEST_F(ConfigSourceTest, AnOriginAloneIsAConfiguration) {
  RunFlags flags;
  flags.origin = "http://localhost:3000";
  flags.listen = "127.0.0.1:0";
  flags.ttl = "30s";
  flags.admin = "off";
  const auto config = good(ConfigSource(flags, variables({})));
  ASSERT_TRUE(config);
  EXPECT_EQ(config->file, "");
  ASSERT_EQ(config->routes.size(), 1U);
  EXPECT_EQ(config->routes[0].policy.ttl.fallback, std::chrono::seconds{30});
  EXPECT_EQ(config->listeners.at(0).address.host, "127.0.0.1");
  EXPECT_FALSE(config->admin);
}

TEST_F(ConfigSourceTest, FlagsBeatVariablesAndVariablesBeatTheFile) {
  RunFlags flags;
  flags.config = file("origin: http://file:1\nlisten: \":7001\"\ncache: { memory: 10MiB }\n");
  const auto env = variables({{"FOREBAY_LISTEN", ":7002"}, {"FOREBAY_MEMORY", "20MiB"}});
  EXPECT_EQ(good(ConfigSource(flags, variables({})))->listeners.at(0).address.port, 7001);
  EXPECT_EQ(good(ConfigSource(flags, env))->listeners.at(0).address.port, 7002);
  flags.listen = ":7003";
  EXPECT_EQ(good(ConfigSource(flags, env))->listeners.at(0).address.port, 7003);
  flags.set.emplace_back("listen", ":7004");
  const auto config = good(ConfigSource(flags, env));
  EXPECT_EQ(config->listeners.at(0).address.port, 7004);
  EXPECT_EQ(config->cache.memory, 20U << 20);
}

TEST_F(ConfigSourceTest, AVariableNamesTheFile) {
  const auto path = file("origin: http://file:1\nlisten: \":7001\"\n");
  EXPECT_EQ(good(ConfigSource(RunFlags{}, variables({{"FOREBAY_CONFIG", path}})))->file, path);
}

TEST_F(ConfigSourceTest, OriginWithoutAFileFlagReadsNone) {
  const auto path = file("nonsense: [");
  RunFlags flags;
  flags.origin = "http://localhost:3000";
  EXPECT_TRUE(good(ConfigSource(flags, variables({{"FOREBAY_CONFIG", path}}))));
}

TEST_F(ConfigSourceTest, AFileThatIsMissingIsADiagnostic) {
  RunFlags flags;
  flags.config = folder_ + "/none.yaml";
  const auto loaded = ConfigSource(flags, variables({})).load();
  EXPECT_FALSE(loaded.ok());
  ASSERT_EQ(loaded.diagnostics.size(), 1U);
  EXPECT_EQ(loaded.diagnostics[0].code, 1008);
}

TEST(OneLine, IsOneLineWithTheHint) {
  config::Diagnostic d;
  d.code = 1001;
  d.file = "a.yaml";
  d.line = 2;
  d.column = 3;
  d.message = "unknown key \"ttls\"";
  d.hint = "did you mean \"ttl\"?";
  d.source_line = "  ttls: 5s";
  EXPECT_EQ(one_line(d), "a.yaml:2:3: error FB1001: unknown key \"ttls\" (did you mean \"ttl\"?)");
}

TEST_F(ConfigSourceTest, TheFileIsReadAnewEachTime) {
  RunFlags flags;
  flags.config = file("origin: http://file:1\nlisten: \":7001\"\n");
  ConfigSource source(flags, variables({}));
  EXPECT_EQ(source.load().config->listeners.at(0).address.port, 7001);
  file("origin: http://file:1\nlisten: \":7005\"\n");
  EXPECT_EQ(source.load().config->listeners.at(0).address.port, 7005);
}

TEST_F(ConfigSourceTest, AFileThatHasBecomeAPipeIsNotReadAgain) {
  const auto path = file("origin: http://127.0.0.1:3000\n");
  ConfigSource source(path, variables({}));
  EXPECT_TRUE(source.load().ok());
  EXPECT_TRUE(source.load().ok());
  std::filesystem::remove(path);
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  const auto again = source.load();
  EXPECT_FALSE(again.ok());
  EXPECT_THAT(config::to_text(again.diagnostics), ::testing::HasSubstr("not a regular file"));
}

}  // namespace
}  // namespace forebay::app
