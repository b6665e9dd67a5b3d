// `POST /api/v1/config/check` and `GET /api/v1/config?source=1`: what they say, and what they never look at.
#include <signal.h>

#include <filesystem>

#include "admin_api.hpp"
#include "support/command.hpp"

namespace forebay::test {
namespace {

class ConfigCheck : public AdminApiTest {
 protected:
  Answer check(const std::string& yaml, FieldLines fields = {}) {
    return admin("POST", "/api/v1/config/check", yaml, std::move(fields));
  }
};

/// The diagnostics of the answer, or of the command, without the name of the file.
std::string diagnostics_of(std::string json) {
  if (const auto at = json.find("\"diagnostics\":"); at != std::string::npos) {
    json.erase(0, at + 14);
    json.pop_back();
  }
  for (auto at = json.find("{\"file\":\""); at != std::string::npos; at = json.find("{\"file\":\"", at + 1))
    json.erase(at + 9, json.find('"', at + 9) - at - 9);
  return json;
}

TEST_F(ConfigCheck, FindsWhatTheCommandFindsAndChangesNothing) {
  start();
  for (const std::string yaml :
       {"origin: http://localhost:1\nroutes: [{path: /**, ttls: 5s}]\n", "", "origin: http://localhost:1\n", "a: [",
        "origin: http://localhost:1\nadmin: {listen: ':9000'}\nroutes: [{path: /}, {path: /}]\n"}) {
    const auto answer = check(yaml);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.get("Content-Type"), "application/json");
    const auto command = run_forebay({"check", "-c", "-", "--format", "json"}, {}, yaml);
    EXPECT_EQ(diagnostics_of(answer.body) + '\n', diagnostics_of(command.out)) << yaml;
    EXPECT_EQ(members(answer)["ok"], command.exit == 0 ? "true" : "false") << yaml;
  }
  EXPECT_EQ(metric("forebay_config_reloads_total"), 0);
  EXPECT_EQ(admin("GET", "/api/v1/config/check").status, 405);
  EXPECT_EQ(check(std::string(1100 * 1024, ' ')).status, 413);
  EXPECT_EQ(daemon->log().find("config/check"), std::string::npos) << "it is no change";
}

TEST_F(ConfigCheck, TheExamplesAreWhatTheCommandSaysOfThem) {
  start("admin: {listen: 127.0.0.1:0, changes_per_second: 1000}\nroutes: [{path: /**}]\n");
  std::size_t compared = 0;
  for (const auto& entry : std::filesystem::directory_iterator(FOREBAY_SOURCE_DIR "/config/examples")) {
    if (entry.path().extension() != ".yaml") continue;
    const auto answer = check(read_file(entry.path().string()));
    ASSERT_EQ(answer.status, 200) << entry.path();
    EXPECT_EQ(members(answer)["ok"], "true") << entry.path() << answer.body;
    if (answer.body.find("FB2090") != std::string::npos) continue;
    const auto command = run_forebay({"check", "-c", "-", "--format", "json"}, {}, read_file(entry.path().string()));
    if (command.out.find("FB2050") != std::string::npos) continue;  // what this machine lacks
    EXPECT_EQ(diagnostics_of(answer.body) + '\n', diagnostics_of(command.out)) << entry.path();
    ++compared;
  }
  EXPECT_GT(compared, 0u);
}

TEST_F(ConfigCheck, LooksAtNoVariableAndNoFile) {
  const TempDir dir;
  write_file(dir.file("secret.yaml"), "hunter2: [");
  ::setenv("FOREBAY_TEST_SECRET", "hunter3 with blanks", 1);
  start();
  ::unsetenv("FOREBAY_TEST_SECRET");
  const auto file = dir.file("secret.yaml");
  const auto answer = check(
      "origin: http://localhost:1\n"
      "admin: { token: '${FOREBAY_TEST_SECRET}', read_token_file: " +
      file + " }\ninclude: [" + file + "]\nroutes: [{ path: /a, respond: { file: " + file + " } }]\n");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(members(answer)["ok"], "true") << answer.body;
  EXPECT_EQ(members(answer)["diagnostics[0].code"], "FB2090") << answer.body;
  EXPECT_THAT(answer.body, HasSubstr("the variable \\\"FOREBAY_TEST_SECRET\\\" is not looked at by this check"));
  EXPECT_THAT(answer.body, Not(HasSubstr("hunter")));
  // The same is said where there is nothing, so that nobody learns what there is.
  const auto there = check("origin: http://localhost:1\nadmin: { token_file: /etc/passwd }\n");
  const auto not_there = check("origin: http://localhost:1\nadmin: { token_file: /etc/nobody }\n");
  EXPECT_EQ(members(there)["ok"], members(not_there)["ok"]);
  EXPECT_EQ(members(there)["diagnostics[0].code"], members(not_there)["diagnostics[0].code"]);
}

TEST_F(ConfigCheck, IsForWhoMayChangeSomethingAndIsLimited) {
  start(
      "admin: {listen: 127.0.0.1:0, token: 0123456789abcdef, read_token: fedcba9876543210, allow_loopback: false, "
      "changes_per_second: 1}\nroutes: [{path: /**}]\n");
  EXPECT_EQ(check("a: b\n").status, 401);
  EXPECT_EQ(check("a: b\n", {{"Authorization", "Bearer fedcba9876543210"}}).status, 403);
  EXPECT_TRUE(eventually([&] {
    return check("a: b\n", {{"Authorization", "Bearer 0123456789abcdef"}}).status == 429;
  })) << "one a second";
  EXPECT_TRUE(eventually([&] {
    return check("a: b\n", {{"Authorization", "Bearer 0123456789abcdef"}}).status == 200;
  }));
}

/// A text whose check takes a while.
std::string long_text() {
  std::string text = "origin: http://localhost:1\nroutes:\n";
  for (int i = 0; i < 400; ++i) text += "- path: /a/" + std::to_string(i) + '\n';
  return text;
}

TEST_F(ConfigCheck, ProbesAreAnsweredWhileALongTextIsChecked) {
  start();
  Client client(daemon->admin_port());
  client.request("POST", "/api/v1/config/check", {{"Host", "127.0.0.1"}}, long_text());
  EXPECT_EQ(admin("GET", "/livez").status, 200);
  const auto answer = client.read("POST");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(members(answer)["ok"], "true");
}

TEST_F(ConfigCheck, AStopEndsIt) {
  start();
  Client client(daemon->admin_port());
  client.request("POST", "/api/v1/config/check", {{"Host", "127.0.0.1"}}, long_text());
  EXPECT_EQ(admin("GET", "/livez").status, 200);
  daemon->signal(SIGTERM);
  EXPECT_EQ(daemon->wait_exit(), 0);
}

TEST_F(ConfigCheck, TheConfigurationSaysWhereItsKeysComeFrom) {
  start("cache: {memory: 64MiB}\nroutes:\n  - {name: shop, path: '/shop/**', ttl: 42s}\n");
  const auto yaml = admin("GET", "/api/v1/config?source=1");
  EXPECT_EQ(yaml.get("Content-Type"), "application/yaml");
  EXPECT_THAT(yaml.body, ContainsRegex("default: 42s  # .*[.]yaml:[0-9]+\n"));
  EXPECT_THAT(yaml.body, Not(ContainsRegex("jitter: 0%  #")));
  EXPECT_THAT(admin("GET", "/api/v1/config?source=0").body, Not(HasSubstr("  # /")));
  const auto json = admin("GET", "/api/v1/config?source=1&format=json");
  EXPECT_EQ(members(json)["config.cache.memory"], "64MiB") << json.body.substr(0, 300);
  EXPECT_THAT(json.body,
              ContainsRegex("\"routes\\[0\\].ttl.default\":\\{\"from\":\"file\",\"file\":\"[^\"]+\",\"line\":"));
  EXPECT_EQ(admin("GET", "/api/v1/config?source=yes").status, 400);
  const auto command = run_forebay({"check", "-c", daemon->config_path(), "--print", "--source"});
  EXPECT_EQ(command.exit, 0) << command.err;
  EXPECT_THAT(command.out, ContainsRegex("default: 42s  # .*[.]yaml:[0-9]+\n"));
  EXPECT_EQ(run_forebay({"check", "-c", daemon->config_path(), "--source"}).exit, 2);
}

}  // namespace
}  // namespace forebay::test
