// `forebay reload`, `drain`, `undrain` and `log-level`: what goes where, and exit codes.
#include "admin_api.hpp"
#include "support/command.hpp"

namespace forebay::test {
namespace {

class AdminCommands : public AdminApiTest {
 protected:
  Outcome run(std::vector<std::string> words, const std::vector<std::pair<std::string, std::string>>& variables = {}) {
    words.insert(words.end(), {"--admin", address()});
    return run_forebay(words, variables);
  }
};

TEST_F(AdminCommands, ReloadAppliesAndSaysWhatHasChanged) {
  start();
  edit("drain: 30s", "drain: 7s");
  const auto reload = run({"reload"});
  EXPECT_EQ(reload.exit, 0) << reload.err;
  EXPECT_EQ(reload.out, "applied; changed: shutdown.drain\n");
  const auto again = run({"reload", "--json"});
  EXPECT_EQ(again.exit, 0);
  EXPECT_EQ(flatten_json(again.out).value().at("applied"), "true");
  EXPECT_EQ(again.err, "");
}

TEST_F(AdminCommands, ARefusedReloadIs3WithTheDiagnostics) {
  start();
  write_file(daemon->config_path(), with_origin("routes: [{path: /**, ttls: 5s}]\n"));
  const auto reload = run({"reload"});
  EXPECT_EQ(reload.exit, 3);
  EXPECT_EQ(reload.out, "");
  EXPECT_THAT(reload.err, AllOf(HasSubstr("error FB1001: unknown key \"ttls\""), HasSubstr("did you mean \"ttl\"?"),
                                HasSubstr("rejected (1 error)")));
  const auto json = run({"reload", "--json"});
  EXPECT_EQ(json.exit, 3);
  EXPECT_EQ(flatten_json(json.out).value().at("code"), "configuration_rejected");
}

TEST_F(AdminCommands, DrainAndUndrain) {
  start();
  const auto drain = run({"drain"});
  EXPECT_EQ(drain.exit, 0) << drain.err;
  EXPECT_EQ(drain.out, "draining\n");
  EXPECT_EQ(run_forebay({"healthcheck", "--admin", address()}).exit, 6);
  const auto undrain = run({"undrain", "--json"});
  EXPECT_EQ(undrain.exit, 0);
  EXPECT_EQ(flatten_json(undrain.out).value().at("state"), "ready");
  EXPECT_EQ(run_forebay({"healthcheck", "--admin", address()}).exit, 0);
}

TEST_F(AdminCommands, DrainWaitsForItsDelayAndForClients) {
  origin.on("/a", Reply::fresh("a"));
  start();
  auto kept = connect();
  kept.get("/a");
  const auto begun = Clock::now();
  const auto busy = run({"drain", "--delay", "300ms", "--wait", "300ms"});
  EXPECT_GE(Clock::now() - begun, std::chrono::milliseconds(400));
  EXPECT_EQ(busy.exit, 1);
  EXPECT_EQ(busy.out, "draining\n");
  EXPECT_THAT(busy.err, HasSubstr("still connected"));
  EXPECT_EQ(kept.get("/a").body, "a");
  EXPECT_TRUE(kept.closed());
  EXPECT_EQ(run({"drain", "--wait", "60s"}).exit, 0);
}

TEST_F(AdminCommands, LogLevelShowsAndSets) {
  start("log: {level: warn}\nroutes: [{path: /**}]\n");
  EXPECT_EQ(run({"log-level"}).out, "warn (configured: warn)\n");
  const auto set = run({"log-level", "debug", "--for", "1h"});
  EXPECT_EQ(set.exit, 0) << set.err;
  EXPECT_THAT(set.out, MatchesRegex("debug .configured: warn., for 3[56][0-9][0-9] s\n"));
  const auto json = flatten_json(run({"log-level", "--json"}).out).value();
  EXPECT_EQ(json.at("level"), "debug");
  const auto wrong = run({"log-level", "inof"});
  EXPECT_EQ(wrong.exit, 2);
  EXPECT_THAT(wrong.err, HasSubstr("did you mean info?"));
}

TEST_F(AdminCommands, WithoutADaemonOrTheRightItIs4) {
  start("admin: {listen: 127.0.0.1:0, token: 0123456789abcdef, allow_loopback: false}\nroutes: [{path: /**}]\n");
  const TempDir dir;
  write_file(dir.file("token"), "0123456789abcdef\n");
  for (const auto& words : {std::vector<std::string>{"reload"}, {"drain"}, {"undrain"}, {"log-level", "info"}}) {
    const auto none = run(words);
    EXPECT_EQ(none.exit, 4) << words[0];
    EXPECT_THAT(none.err, HasSubstr("A token is required"));
    EXPECT_EQ(none.out, "");
    EXPECT_EQ(run(words, {{"FOREBAY_ADMIN_TOKEN", "wrong"}}).exit, 4) << words[0];
    EXPECT_EQ(run(words, {{"FOREBAY_ADMIN_TOKEN", "0123456789abcdef"}}).exit, 0) << words[0];
    EXPECT_EQ(run(words, {{"FOREBAY_ADMIN_TOKEN_FILE", dir.file("token")}}).exit, 0) << words[0];
    EXPECT_EQ(run(words, {{"FOREBAY_ADMIN_TOKEN_FILE", dir.file("none")}}).exit, 1) << words[0];
    auto elsewhere = words;
    elsewhere.insert(elsewhere.end(), {"--admin", "127.0.0.1:1"});
    EXPECT_EQ(run_forebay(elsewhere).exit, 4) << words[0];
    auto client_port = words;
    client_port.insert(client_port.end(), {"--admin", "127.0.0.1:" + std::to_string(daemon->port())});
    EXPECT_EQ(run_forebay(client_port).exit, 4) << words[0];
  }
}

TEST_F(AdminCommands, TheDaemonIsFoundByVariableAndFile) {
  start();
  EXPECT_EQ(run_forebay({"undrain"}, {{"FOREBAY_ADMIN", address()}}).exit, 0);
  const TempDir dir;
  write_file(dir.file("f.yaml"), "origin: http://localhost:3000\nadmin: {listen: '" + address() + "'}\n");
  EXPECT_EQ(run_forebay({"undrain", "-c", dir.file("f.yaml")}).exit, 0);
  EXPECT_EQ(run_forebay({"undrain", "-c", dir.file("none.yaml")}).exit, 3);
  write_file(dir.file("off.yaml"), "origin: http://localhost:3000\nadmin: {listen: off}\n");
  EXPECT_EQ(run_forebay({"undrain", "-c", dir.file("off.yaml")}).exit, 4);
}

TEST_F(AdminCommands, MistypedWordsAreSuggested) {
  for (const auto& [words, meant] : std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{"reolad"}, "\"reload\""}, {{"undrian"}, "\"undrain\""}, {{"drain", "--wiat", "1s"}, "--wait"}}) {
    const auto wrong = run_forebay(words);
    EXPECT_EQ(wrong.exit, 2);
    EXPECT_THAT(wrong.err, HasSubstr("did you mean " + meant + '?'));
  }
}

}  // namespace
}  // namespace forebay::test
