// Commands, exit codes, and what goes to which stream.
#include <signal.h>

#include <filesystem>
#include <sstream>

#include "support/command.hpp"
#include "support/forebay_test.hpp"
#include "support/json.hpp"

namespace forebay::test {
namespace {

class CommandLine : public ForebayTest {};

TEST_F(CommandLine, UsageErrorsAre2AndSuggestWhatWasMeant) {
  const auto command = run_forebay({"chekc"});
  EXPECT_EQ(command.exit, 2);
  EXPECT_THAT(command.err, HasSubstr("\"check\""));
  EXPECT_EQ(command.out, "");
  const auto flag = run_forebay({"run", "--orgin", "http://127.0.0.1:1"});
  EXPECT_EQ(flag.exit, 2);
  EXPECT_THAT(flag.err, HasSubstr("--origin"));
}

TEST_F(CommandLine, VersionAndHelpGoToStandardOutput) {
  const auto version = run_forebay({"version"});
  EXPECT_EQ(version.exit, 0);
  EXPECT_THAT(version.out, StartsWith("forebay "));
  EXPECT_EQ(version.err, "");
  const auto json = run_forebay({"version", "--json"});
  ASSERT_TRUE(flatten_json(json.out)) << json.out;
  EXPECT_TRUE(flatten_json(json.out)->contains("version"));
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"--help"}, {"help"}, {"help", "check"}, {"run", "--help"}}) {
    const auto help = run_forebay(words);
    EXPECT_EQ(help.exit, 0);
    EXPECT_THAT(help.out, HasSubstr("Usage: forebay"));
    EXPECT_THAT(help.out, Not(HasSubstr("run run")));
    EXPECT_THAT(help.out, Not(HasSubstr("check check")));
  }
}

TEST_F(CommandLine, CheckSaysWhatIsWrongWithLineColumnCaretAndSuggestion) {
  const TempDir dir;
  write_file(dir.file("bad.yaml"),
             "origin: http://localhost:3000\nroutes:\n  - path: /a\n    ttls: 60s\n  - path: /b\n    ttl: 60\n");
  const auto o = run_forebay({"check", "-c", dir.file("bad.yaml")});
  EXPECT_EQ(o.exit, 3);
  EXPECT_THAT(o.out, HasSubstr("bad.yaml:4:5: error FB1001: unknown key \"ttls\""));
  EXPECT_THAT(o.out, HasSubstr("^~~~ did you mean \"ttl\"?"));
  EXPECT_THAT(o.out, HasSubstr("bad.yaml:6:10: error FB1003: \"60\" needs a unit"));
  EXPECT_THAT(o.err, HasSubstr("2 errors")) << "the summary goes to standard error";
  EXPECT_THAT(o.out, Not(HasSubstr("2 errors")));
}

TEST_F(CommandLine, CheckOfAGoodFileIs0AndStrictCountsWarnings) {
  const TempDir dir;
  write_file(dir.file("good.yaml"), "origin: http://localhost:3000\nroutes: [{path: /**}]\n");
  EXPECT_EQ(run_forebay({"check", "-c", dir.file("good.yaml")}).exit, 0);
  write_file(dir.file("warned.yaml"), "origin: http://localhost:3000\nroutes: [{path: /**}, {path: /never}]\n");
  const auto warned = run_forebay({"check", "-c", dir.file("warned.yaml")});
  EXPECT_EQ(warned.exit, 0);
  EXPECT_THAT(warned.out, HasSubstr("FB2001"));
  EXPECT_EQ(run_forebay({"check", "--strict", "-c", dir.file("warned.yaml")}).exit, 3);
  EXPECT_EQ(run_forebay({"check", "-c", dir.file("missing.yaml")}).exit, 3);
  EXPECT_EQ(run_forebay({"check", "-c", "-"}, {}, "origin: http://localhost:3000\n").exit, 0);
}

TEST_F(CommandLine, WhatCheckPrintsIsAConfigurationThatMeansTheSame) {
  const std::string yaml =
      "origin: http://localhost:3000\nroutes:\n  - {name: r, path: '/a/{id}', ttl: {default: 90s, status: {404: 1s}}, "
      "key: {query: [a]}}\n";
  const auto first = run_forebay({"check", "--print", "-c", "-"}, {}, yaml);
  ASSERT_EQ(first.exit, 0) << first.out << first.err;
  const auto second = run_forebay({"check", "--print", "-c", "-"}, {}, first.out);
  EXPECT_EQ(second.exit, 0) << second.out;
  EXPECT_EQ(first.out, second.out);
}

TEST_F(CommandLine, VariablesAreReplacedAndAMissingOneIsAnError) {
  const std::string yaml = "origin: http://localhost:${APP_PORT}\nroutes: [{path: /**, ttl: '${TTL:-15s}'}]\n";
  const auto set = run_forebay({"check", "--print", "-c", "-"}, {{"APP_PORT", "4321"}}, yaml);
  EXPECT_EQ(set.exit, 0) << set.out;
  EXPECT_THAT(set.out, HasSubstr("localhost:4321"));
  EXPECT_THAT(set.out, HasSubstr("15s"));
  const auto missing = run_forebay({"check", "-c", "-"}, {}, yaml);
  EXPECT_EQ(missing.exit, 3);
  EXPECT_THAT(missing.out, HasSubstr("FB1007"));
}

TEST_F(CommandLine, UnknownKeysAreErrorsAndKeysThatBeginWithXAreIgnored) {
  EXPECT_EQ(run_forebay({"check", "-c", "-"}, {}, "origin: http://localhost:1\nttls: 1s\n").exit, 3);
  EXPECT_EQ(run_forebay({"check", "-c", "-"}, {}, "x-note: 1\norigin: http://localhost:1\n").exit, 0);
}

TEST_F(CommandLine, RunWithABadConfigurationIs3AndWithABusyPort1) {
  EXPECT_EQ(run_forebay({"run", "-c", "/nowhere/forebay.yaml"}).exit, 3);
  EXPECT_EQ(run_forebay({"run", "-c", "-"}, {}, "routes: [{path: /**, ttl: 5}]\n").exit, 3);
  std::uint16_t port = 0;
  const Socket taken = Socket::listen(port);
  const auto busy = run_forebay(
      {"--origin", "http://127.0.0.1:1", "--listen", "127.0.0.1:" + std::to_string(port), "--admin", "off"});
  EXPECT_EQ(busy.exit, 1);
  EXPECT_THAT(busy.err, HasSubstr(std::to_string(port)));
}

TEST_F(CommandLine, CheckTakesAFileOrWhatRunTakes) {
  const TempDir dir;
  write_file(dir.file("good.yaml"), "origin: http://localhost:3000\nroutes: [{path: /**}]\n");
  EXPECT_EQ(run_forebay({"check", dir.file("good.yaml")}).exit, 0);
  const auto alone = run_forebay({"check", "--origin", "http://localhost:3000", "--ttl", "5s", "--print"});
  EXPECT_EQ(alone.exit, 0) << alone.err;
  EXPECT_THAT(alone.out, AllOf(HasSubstr("http://localhost:3000"), HasSubstr("5s")));
  const auto wrong = run_forebay({"check", "--origin", "http://localhost:3000", "--ttl", "5"});
  EXPECT_EQ(wrong.exit, 3);
  EXPECT_THAT(wrong.out, HasSubstr("--ttl: error FB1003"));
  const auto twice = run_forebay({"--origin", "http://localhost:1", "--ttl", "1s", "--ttl", "2s"});
  EXPECT_EQ(twice.exit, 2);
  EXPECT_THAT(twice.err, HasSubstr("--ttl is given 2 times"));
}

TEST_F(CommandLine, RunTakesAFile) {
  const TempDir dir;
  write_file(dir.file("bad.yaml"), "origin: http://localhost:3000\nroutes: [{paths: /**}]\n");
  const auto run = run_forebay({"run", dir.file("bad.yaml")});
  EXPECT_EQ(run.exit, 3);
  EXPECT_THAT(run.err, HasSubstr("bad.yaml:2"));
}

TEST_F(CommandLine, ALogInAMissingDirectoryIsAnErrorAndCheckWarns) {
  const TempDir dir;
  const auto missing = dir.file("no/such");
  for (const char* key : {"log.output", "log.access.output"}) {
    const auto set = std::string(key) + '=' + missing + "/a.log";
    const auto check = run_forebay({"check", "--origin", "http://localhost:3000", "--set", set});
    EXPECT_EQ(check.exit, 0) << key;
    EXPECT_THAT(check.out, HasSubstr("warning FB2050: " + std::string(key) + ": the directory " + missing))
        << check.out;
    const auto run =
        run_forebay({"--origin", "http://localhost:3000", "--listen", "127.0.0.1:0", "--admin", "off", "--set", set});
    EXPECT_EQ(run.exit, 1) << key;
    EXPECT_THAT(run.err, HasSubstr("the directory " + missing + " does not exist")) << key;
    EXPECT_FALSE(std::filesystem::exists(missing)) << key;
  }
}

TEST_F(CommandLine, CheckWarnsOfUnixSocketsThatThisMachineCannotHave) {
  const TempDir dir;
  write_file(dir.file("text"), "precious");
  write_file(dir.file("a.yaml"), "origin: http://localhost:3000\nlisten:\n  - unix:" + dir.file("no/s") +
                                     "\n  - unix:" + dir.file("text") + "\n  - { address: 'unix:" + dir.file("s") +
                                     "', owner: no-such-user, group: no-such-group }\n  - { address: 'unix:" +
                                     dir.file("t") + "', owner: '0', group: root }\n");
  const auto check = run_forebay({"check", "-c", dir.file("a.yaml")});
  EXPECT_EQ(check.exit, 0);
  EXPECT_THAT(check.out, HasSubstr("warning FB2050: listen[0]: the directory " + dir.file("no") + " does not exist"));
  EXPECT_THAT(check.out, HasSubstr("warning FB2050: listen[1]: " + dir.file("text") + " exists"));
  EXPECT_THAT(check.out, HasSubstr("warning FB2050: listen[2]: there is no user \"no-such-user\""));
  EXPECT_THAT(check.out, HasSubstr("warning FB2050: listen[2]: there is no group \"no-such-group\""));
  EXPECT_THAT(check.out, Not(HasSubstr("listen[3]")));
}

TEST_F(CommandLine, NothingThatIsSaidOfAConfigurationShowsAMistypedSecret) {
  const TempDir dir;
  write_file(dir.file("a.yaml"), "origin: http://localhost:1\nadmin:\n  tokn: [hunter2]\n  token:hunter2\n");
  write_file(dir.file("b.yaml"), "origin: http://localhost:1\nadmin: { tokn: hunter2 }\n");
  for (const auto* name : {"a.yaml", "b.yaml"}) {
    for (const auto& args : {std::vector<std::string>{"check", dir.file(name)},
                             {"check", dir.file(name), "--format", "json"},
                             {"check", dir.file(name), "--format", "github"},
                             {"check", dir.file(name), "--print"},
                             {"-c", dir.file(name)},
                             {"explain", "-c", dir.file(name), "/a"}}) {
      const auto said = run_forebay(args);
      EXPECT_EQ(said.exit, 3) << args[0];
      EXPECT_THAT(said.out + said.err, Not(HasSubstr("hunter"))) << args[0];
    }
  }
}

TEST_F(CommandLine, ExplainSaysThatAMethodMayBeMistyped) {
  const TempDir dir;
  write_file(dir.file("good.yaml"), "origin: http://localhost:3000\nroutes: [{path: /**}]\n");
  const auto said = run_forebay({"explain", "-c", dir.file("good.yaml"), "-X", "GETT", "/a"});
  EXPECT_EQ(said.exit, 0);
  EXPECT_THAT(said.err, HasSubstr("did you mean GET?"));
}

TEST_F(CommandLine, HealthcheckIs0WhenReady6WhenNotAnd4WhenNobodyIsThere) {
  start("shutdown: {delay: 10m, drain: 1s}\nroutes: [{path: /**}]\n");
  const auto admin = "127.0.0.1:" + std::to_string(daemon->admin_port());
  EXPECT_EQ(run_forebay({"healthcheck", "--admin", admin, "--timeout", "60s"}).exit, 0);
  EXPECT_EQ(run_forebay({"healthcheck", "--timeout", "60s"}, {{"FOREBAY_ADMIN", admin}}).exit, 0);
  daemon->signal(SIGTERM);
  EXPECT_TRUE(eventually([&] { return daemon->admin("GET", "/readyz").status == 503; }));
  EXPECT_EQ(run_forebay({"healthcheck", "--admin", admin, "--timeout", "60s"}).exit, 6);
  daemon->signal(SIGTERM);
  EXPECT_EQ(daemon->wait_exit().value_or(-1), 0);
  EXPECT_EQ(run_forebay({"healthcheck", "--admin", admin, "--timeout", "500ms"}).exit, 4);
}

TEST_F(CommandLine, HealthcheckOfAFileThatCannotBeReadAsksNobody) {
  const auto missing = run_forebay({"healthcheck", "-c", "/nowhere/forebay.yaml"});
  EXPECT_EQ(missing.exit, 3);
  EXPECT_THAT(missing.err, HasSubstr("FB1008"));
  const auto off = run_forebay({"healthcheck", "-c", "-"}, {}, "origin: http://localhost:1\nadmin: {listen: off}\n");
  EXPECT_EQ(off.exit, 4);
  EXPECT_THAT(off.err, HasSubstr("off"));
}

TEST_F(CommandLine, CheckObeysTheVariablesThatRunObeys) {
  const std::string good = "origin: http://localhost:1\n";
  EXPECT_EQ(run_forebay({"check", "-c", "-"}, {{"FOREBAY_TTL", "5s"}}, good).exit, 0);
  const auto bad = run_forebay({"check", "-c", "-"}, {{"FOREBAY_TTL", "5"}}, good);
  EXPECT_EQ(bad.exit, 3);
  EXPECT_THAT(bad.out, HasSubstr("FOREBAY_TTL"));
}

/// The names of the commands that `forebay help` lists.
std::vector<std::string> listed_commands() {
  const auto help = run_forebay({"help"}).out;
  std::vector<std::string> names;
  std::istringstream lines(help.substr(help.find("Subcommands:")));
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("  ") && line.size() > 2 && line[2] != ' ')
      names.push_back(line.substr(2, line.find(' ', 2) - 2));
  return names;
}

TEST_F(CommandLine, TheTableOfTheDocsHasEveryCommandAndNoOther) {
  const auto page = read_file(std::string(FOREBAY_SOURCE_DIR) + "/docs/operations.md");
  const auto begin = page.find("\n## Commands\n");
  const auto table = page.substr(begin, page.find("\n## ", begin + 1) - begin);
  const auto names = listed_commands();
  EXPECT_GT(names.size(), 10u);
  for (const auto& name : names) EXPECT_THAT(table, ContainsRegex("\n[|] `[^|]*" + name + "[] `A-Z.]")) << name;
  std::istringstream lines(table);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("| `forebay ")) continue;
    const auto name = line.substr(11, line.find_first_of(" `", 11) - 11);
    if (name.starts_with('-')) continue;
    EXPECT_THAT(names, ::testing::Contains(name)) << line;
  }
}

TEST_F(CommandLine, CheckAndExplainTakeSettingsOfTheCommandLine) {
  const std::string yaml = "origin: http://localhost:1\nroutes: [{name: r, path: /**, ttl: 5s}]\n";
  const auto print = run_forebay({"check", "--print", "-c", "-", "--set", "routes.r.ttl.default=77s"}, {}, yaml);
  EXPECT_EQ(print.exit, 0) << print.out;
  EXPECT_THAT(print.out, HasSubstr("default: 1m17s"));
  const auto bad = run_forebay({"check", "-c", "-", "--set", "routes.r.ttls=77s"}, {}, yaml);
  EXPECT_EQ(bad.exit, 3);
  EXPECT_THAT(bad.out, HasSubstr("--set routes.r.ttls: error FB1001"));
  const auto explain = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"explain", "-c", "-", "--status", "200", "--json", "http://shop.test/a"});
    return flatten_json(run_forebay(words, {}, yaml).out).value();
  };
  EXPECT_EQ(explain({}).at("response.ttl_s"), "5");
  EXPECT_EQ(explain({"--set", "routes.r.ttl.default=77s"}).at("response.ttl_s"), "77");
  EXPECT_EQ(explain({"--set", "routes.r.cache=false"}).at("lookup.allowed"), "false");
  const auto live = run_forebay({"explain", "--live", "--set", "routes.r.cache=false", "/a"});
  EXPECT_EQ(live.exit, 2);
  EXPECT_THAT(live.err, HasSubstr("--set cannot be used with --live"));
}

}  // namespace
}  // namespace forebay::test
