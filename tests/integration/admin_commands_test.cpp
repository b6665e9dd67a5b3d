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
  EXPECT_EQ(reload.out, "applied " + daemon->config_path() + "; changed: shutdown.drain\n");
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
  const auto alone = run({"drain", "--wait", "60s"});
  EXPECT_EQ(alone.exit, 0);
  EXPECT_THAT(alone.err, HasSubstr("no client is connected"));
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

TEST_F(AdminCommands, AServerThatIsNotForebayIs4) {
  // It answers everything, with a document.
  const auto json = Reply::fresh("{}").field("Content-Type", "application/json");
  for (const char* path : {"/api/v1/reload", "/api/v1/drain", "/api/v1/undrain", "/api/v1/log/level", "/api/v1/status",
                           "/api/v1/stats?window=60s", "/readyz", "/api/v1/requests/stream", "/api/v1/purge"})
    origin.on(path, json);
  start();
  const auto foreign = "127.0.0.1:" + std::to_string(origin.port());
  for (const auto& words : {std::vector<std::string>{"reload"},
                            {"drain"},
                            {"undrain"},
                            {"log-level"},
                            {"top", "--once"},
                            {"top", "--json", "--once"},
                            {"healthcheck"},
                            {"tail"},
                            {"purge", "--url", "/a"},
                            {"drain", "--wait", "1s"}}) {
    auto there = words;
    there.insert(there.end(), {"--admin", foreign});
    const auto outcome = run_forebay(there);
    EXPECT_EQ(outcome.exit, 4) << words[0];
    EXPECT_EQ(outcome.out, "") << words[0];
    EXPECT_EQ(outcome.err, "forebay: " + foreign + ": not a Forebay admin listener\n") << words[0];
  }
}

TEST_F(AdminCommands, WhatIsNoAddressIs2) {
  for (const auto& [written, meant] :
       std::vector<std::pair<std::string, std::string>>{{"8081", "127.0.0.1:8081"},
                                                        {"::1", "[::1]:8081"},
                                                        {"127.0.0.1", "127.0.0.1:8081"},
                                                        {"off", "127.0.0.1:8081"},
                                                        {"[::1]", "[::1]:8081"},
                                                        {"https://admin", "https://admin:8081"},
                                                        {"localhost:x", "127.0.0.1:8081"},
                                                        {"unix:", "unix:/run/forebay/admin.sock"}}) {
    const auto flag = run_forebay({"reload", "--admin", written});
    EXPECT_EQ(flag.exit, 2) << written;
    EXPECT_EQ(flag.err, "forebay: --admin: \"" + written + "\" is no address; write " + meant + '\n');
  }
  EXPECT_THAT(run_forebay({"reload"}, {{"FOREBAY_ADMIN_LISTEN", "fd:admin"}}).err, HasSubstr("a socket of systemd"));
  const auto variable = run_forebay({"healthcheck"}, {{"FOREBAY_ADMIN", "8081"}});
  EXPECT_EQ(variable.exit, 2);
  EXPECT_THAT(variable.err, StartsWith("forebay: $FOREBAY_ADMIN: \"8081\" is no address"));
}

TEST_F(AdminCommands, WhyNobodyAnswersIsSaid) {
  const auto refused = run_forebay({"reload"}, {{"FOREBAY_ADMIN", "127.0.0.1:1"}});
  EXPECT_EQ(refused.exit, 4);
  EXPECT_EQ(refused.err,
            "forebay: no daemon answers at 127.0.0.1:1: connection refused; is it running? the address is from "
            "$FOREBAY_ADMIN\n");
  const TempDir dir;
  const auto missing = run_forebay({"reload", "--admin", "unix:" + dir.file("none")});
  EXPECT_EQ(missing.exit, 4);
  EXPECT_THAT(missing.err, AllOf(HasSubstr("no such socket; is it running?"), HasSubstr("from --admin\n")));
  const auto unreadable =
      run_forebay({"reload", "--admin", "https://admin.test:1"}, {{"FOREBAY_ADMIN_CA", dir.file("none.pem")}});
  EXPECT_EQ(unreadable.exit, 1);
  EXPECT_THAT(unreadable.err, AllOf(StartsWith("forebay: $FOREBAY_ADMIN_CA: "), Not(HasSubstr("no daemon"))));
}

TEST_F(AdminCommands, ARefusedTokenNamesItsVariable) {
  start("admin: {listen: 127.0.0.1:0, token: 0123456789abcdef, allow_loopback: false}\nroutes: [{path: /**}]\n");
  EXPECT_THAT(run({"top", "--once"}).err,
              HasSubstr(": A token is required; set $FOREBAY_ADMIN_TOKEN or $FOREBAY_ADMIN"));
  EXPECT_EQ(run({"top", "--once"}, {{"FOREBAY_ADMIN_TOKEN", "wrong"}}).err,
            "forebay: " + address() + ": the token of $FOREBAY_ADMIN_TOKEN is wrong\n");
  const TempDir dir;
  write_file(dir.file("token"), "wrong\n");
  EXPECT_THAT(run({"reload"}, {{"FOREBAY_ADMIN_TOKEN_FILE", dir.file("token")}}).err,
              HasSubstr("the token of $FOREBAY_ADMIN_TOKEN_FILE is wrong"));
}

TEST_F(AdminCommands, ReloadNamesTheFileThatWasLoaded) {
  start();
  const TempDir dir;
  const auto other = dir.file("other.yaml");
  write_file(other, "origin: http://localhost:3000\nadmin: {listen: '" + address() + "'}\n");
  const auto reload = run_forebay({"reload", "-c", other});
  EXPECT_EQ(reload.exit, 0) << reload.err;
  EXPECT_EQ(reload.out, "applied " + daemon->config_path() + "; nothing has changed\n");
  EXPECT_THAT(reload.err, HasSubstr("has read " + daemon->config_path() + ", not " + other));
  EXPECT_EQ(run({"reload", "-c", daemon->config_path()}).err, "");
}

TEST_F(AdminCommands, WhatCannotBeWrittenIsAFailure) {
  const std::string forebay = forebay_binary();
  const auto full = run_program({"/bin/sh", "-c", "exec " + forebay + " schema > /dev/full"});
  EXPECT_EQ(full.exit, 1);
  EXPECT_EQ(full.err, "forebay: cannot write to standard output: No space left on device\n");
  // Who has read enough is no failure.
  const auto closed = run_program({"/bin/sh", "-c", "( " + forebay + " schema; echo $? >&2 ) | head -c 1"});
  EXPECT_EQ(closed.err, "0\n");
  EXPECT_EQ(closed.out, "{");
  origin.on("/a", Reply::fresh("a"));
  start();
  const auto top = run_program(
      {"/bin/sh", "-c", "exec " + forebay + " top --json --interval 100ms --admin " + address() + " > /dev/full"});
  EXPECT_EQ(top.exit, 1);
  EXPECT_THAT(top.err, HasSubstr("cannot write to standard output"));
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
