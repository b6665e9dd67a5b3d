#include "app/command_line.hpp"

#include <gmock/gmock.h>

namespace forebay::app {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

template <class T>
T parsed(const std::vector<std::string>& args) {
  const auto command = parse_command_line(args);
  if (const auto* said = std::get_if<Said>(&command)) ADD_FAILURE() << said->err << said->out;
  const auto* got = std::get_if<T>(&command);
  if (got == nullptr) {
    ADD_FAILURE() << "another command";
    return {};
  }
  return *got;
}

Said said(const std::vector<std::string>& args) {
  const auto command = parse_command_line(args);
  const auto* got = std::get_if<Said>(&command);
  if (got == nullptr) {
    ADD_FAILURE() << "nothing was said";
    return {};
  }
  return *got;
}

TEST(CommandLine, RunNeedsNoWord) {
  for (const auto& args :
       {std::vector<std::string>{"-c", "a.yaml", "--ttl", "5s"}, {"run", "--config=a.yaml", "--ttl=5s"}}) {
    const auto run = parsed<RunFlags>(args);
    EXPECT_EQ(run.config, "a.yaml");
    EXPECT_EQ(run.ttl, "5s");
    EXPECT_FALSE(run.origin);
  }
  EXPECT_FALSE(parsed<RunFlags>({}).config);
}

TEST(CommandLine, StandardInputIsAFile) { EXPECT_EQ(parsed<RunFlags>({"-c", "-"}).config, "-"); }

TEST(CommandLine, EveryShortcutIsTaken) {
  const auto run = parsed<RunFlags>({"--origin", "http://a:1", "--listen", ":1", "--memory", "1GiB", "--admin", "off",
                                     "--log-level", "debug", "--log-format", "json", "--port-file", "/tmp/p"});
  EXPECT_EQ(run.origin, "http://a:1");
  EXPECT_EQ(run.listen, ":1");
  EXPECT_EQ(run.memory, "1GiB");
  EXPECT_EQ(run.admin, "off");
  EXPECT_EQ(run.log_level, "debug");
  EXPECT_EQ(run.log_format, "json");
  EXPECT_EQ(run.port_file, "/tmp/p");
}

TEST(CommandLine, SetIsRepeatableAndSplitsAtTheFirstEqualsSign) {
  const auto run = parsed<RunFlags>({"--set", "a.b=1", "--set", "c=d=e", "--set", "f="});
  EXPECT_THAT(run.set, ElementsAre(Pair("a.b", "1"), Pair("c", "d=e"), Pair("f", "")));
  const auto wrong = said({"--set", "a.b"});
  EXPECT_EQ(wrong.code, ExitCode::Usage);
  EXPECT_THAT(wrong.err, HasSubstr("KEY=VALUE"));
  EXPECT_THAT(said({"--set", "admin.token hunter2"}).err, Not(HasSubstr("hunter2")));
}

TEST(CommandLine, AFlagOfOneValueIsGivenOnce) {
  for (const auto& args : {std::vector<std::string>{"--ttl", "1s", "--ttl", "2s"},
                           {"--ttl=1s", "--ttl=1s"},
                           {"-c", "a", "--config", "b"},
                           {"--origin", "http://a", "--origin", "http://b"},
                           {"--listen", ":1", "--listen", ":2"},
                           {"--memory", "1GiB", "--memory", "2GiB"},
                           {"--admin", ":1", "--admin", "off"},
                           {"--log-level", "info", "--log-level", "warn"},
                           {"--log-format", "json", "--log-format", "text"},
                           {"check", "-c", "a", "-c", "b"},
                           {"check", "a", "-c", "b"},
                           {"check", "a", "b"},
                           {"check", "--format", "json", "--format", "text"},
                           {"check", "--probe", "--timeout", "1s", "--timeout", "2s"},
                           {"explain", "-X", "GET", "-X", "POST", "/"},
                           {"explain", "-c", "a", "-c", "b", "/"},
                           {"explain", "--status", "200", "--status", "404", "/"},
                           {"explain", "--response-body", "a", "--response-body", "b", "/"},
                           {"explain", "--live", "--admin", ":1", "--admin", ":2", "/"},
                           {"explain", "--live", "--timeout", "1s", "--timeout", "1s", "/"},
                           {"explain", "--json", "{}", "--json", "{}", "/"},
                           {"healthcheck", "-c", "a", "-c", "b"},
                           {"healthcheck", "--admin", ":1", "--admin", ":2"},
                           {"healthcheck", "--timeout", "1s", "--timeout", "1s"},
                           {"demo", "--listen", ":1", "--listen", ":2"},
                           {"demo", "--admin", ":1", "--admin", ":2"},
                           {"demo", "--duration", "1s", "--duration", "2s"}}) {
    const auto s = said(args);
    EXPECT_EQ(s.code, ExitCode::Usage) << args[0] << ' ' << args[1];
    EXPECT_NE(s.err, "") << args[0] << ' ' << args[1];
  }
  EXPECT_THAT(said({"--ttl", "1s", "--ttl", "2s"}).err, HasSubstr("--ttl is given 2 times; give it once"));
  EXPECT_THAT(said({"--set", "a.b=1", "--set", "a.b=hunter2"}).err,
              HasSubstr("--set a.b is given twice; give it once"));
  EXPECT_THAT(said({"-c", "a", "--config", "b"}).err, HasSubstr("--config is given 2 times"));
  EXPECT_TRUE(parsed<CheckFlags>({"check", "--strict", "--strict"}).strict) << "says the same twice";
}

TEST(CommandLine, CheckTakesItsFlags) {
  const auto check =
      parsed<CheckFlags>({"check", "-c", "x.yaml", "--print", "--format", "json", "--quiet", "--strict"});
  EXPECT_EQ(check.run.config, "x.yaml");
  EXPECT_TRUE(check.print && check.quiet && check.strict);
  EXPECT_EQ(check.format, CheckFormat::Json);
  EXPECT_EQ(said({"check", "--format", "xml"}).code, ExitCode::Usage);
}

TEST(CommandLine, CheckTakesWhatRunTakes) {
  EXPECT_EQ(parsed<CheckFlags>({"check", "a.yaml"}).run.config, "a.yaml");
  EXPECT_EQ(parsed<CheckFlags>({"check", "-"}).run.config, "-");
  const auto check =
      parsed<CheckFlags>({"check", "--origin", "http://a", "--ttl", "5s", "--listen", ":1", "--memory", "1GiB",
                          "--admin", "off", "--log-level", "info", "--log-format", "json", "--set", "a.b=c"});
  EXPECT_FALSE(check.run.config);
  EXPECT_EQ(check.run.origin, "http://a");
  EXPECT_EQ(check.run.ttl, "5s");
  EXPECT_THAT(check.run.set, ElementsAre(Pair("a.b", "c")));
}

TEST(CommandLine, CheckProbesWithPathsAndFieldsWhenAskedTo) {
  EXPECT_FALSE(parsed<CheckFlags>({"check"}).probe);
  const auto plain = parsed<CheckFlags>({"check", "--probe"});
  ASSERT_TRUE(plain.probe);
  EXPECT_EQ(plain.probe->timeout, std::chrono::seconds{2});
  const auto check = parsed<CheckFlags>({"check", "--probe", "--probe-path", "/a", "--probe-path", "http://h/b",
                                         "--probe-header", "X-Theme", "--timeout", "500ms"});
  ASSERT_TRUE(check.probe);
  EXPECT_THAT(check.probe->paths, ElementsAre("/a", "http://h/b"));
  EXPECT_THAT(check.probe->headers, ElementsAre("X-Theme"));
  EXPECT_EQ(check.probe->timeout, std::chrono::milliseconds{500});
  EXPECT_EQ(said({"check", "--probe-path", "/a"}).code, ExitCode::Usage);
  EXPECT_EQ(said({"check", "--probe-header", "X-A"}).code, ExitCode::Usage);
  EXPECT_EQ(said({"check", "--timeout", "1s"}).code, ExitCode::Usage);
  EXPECT_EQ(said({"check", "--probe", "--timeout", "soon"}).code, ExitCode::Usage);
  for (const char* name : {"Host", "connection", "Content-Length", "TE", "a b", ""})
    EXPECT_EQ(said({"check", "--probe", "--probe-header", name}).code, ExitCode::Usage) << name;
}

TEST(CommandLine, ExplainTakesARequestAndAResponse) {
  const auto e = parsed<ExplainFlags>({"explain", "-c", "x.yaml", "-X", "PUT", "-H", "X-Tenant:  acme", "-H", "A: b: c",
                                       "-d", "@body.json", "--status", "404", "--response-header", "ETag: \"1\"",
                                       "--response-body", "gone", "--json", "http://h/a?b"});
  EXPECT_EQ(e.config, "x.yaml");
  EXPECT_EQ(e.method, "PUT");
  EXPECT_EQ(e.url, "http://h/a?b");
  EXPECT_THAT(e.headers, ElementsAre(Pair("X-Tenant", "acme"), Pair("A", "b: c")));
  EXPECT_THAT(e.content, ElementsAre("@body.json"));
  EXPECT_EQ(e.status, 404);
  EXPECT_THAT(e.response_headers, ElementsAre(Pair("ETag", "\"1\"")));
  EXPECT_EQ(e.response_content, "gone");
  EXPECT_TRUE(e.has_response && e.json && !e.live);
}

TEST(CommandLine, ExplainIsAGetUnlessItHasContent) {
  EXPECT_EQ(parsed<ExplainFlags>({"explain", "/a"}).method, "GET");
  EXPECT_FALSE(parsed<ExplainFlags>({"explain", "/a"}).has_response);
  EXPECT_EQ(parsed<ExplainFlags>({"explain", "/a", "-d", "x"}).method, "POST");
  EXPECT_THAT(parsed<ExplainFlags>({"explain", "-d", "a=1", "-d", "b=2", "/a"}).content, ElementsAre("a=1", "b=2"));
  EXPECT_EQ(parsed<ExplainFlags>({"explain", "/a", "-d", "x", "-X", "QUERY"}).method, "QUERY");
  const auto live = parsed<ExplainFlags>({"explain", "--live", "--admin", ":9081", "--timeout", "1s", "/a"});
  EXPECT_TRUE(live.live);
  EXPECT_EQ(live.admin, ":9081");
  EXPECT_EQ(live.timeout, std::chrono::seconds{1});
}

TEST(CommandLine, ExplainTakesFlagsOfCurl) {
  EXPECT_EQ(parsed<ExplainFlags>({"explain", "-I", "/a"}).method, "HEAD");
  EXPECT_EQ(parsed<ExplainFlags>({"explain", "-I", "-X", "HEAD", "/a"}).method, "HEAD");
  EXPECT_THAT(parsed<ExplainFlags>({"explain", "-b", "a=1; b=2", "-b", "c=3", "/a"}).headers,
              ElementsAre(Pair("Cookie", "a=1; b=2; c=3")));
  for (const auto& args : {std::vector<std::string>{"explain", "--json", "{\"a\": 1}", "/a"},
                           {"explain", "--json={\"a\": 1}", "/a"},
                           {"explain", "/a", "--json", "{\"a\": 1}"}}) {
    const auto e = parsed<ExplainFlags>(args);
    EXPECT_EQ(e.method, "POST");
    EXPECT_FALSE(e.json);
    EXPECT_THAT(e.content, ElementsAre("{\"a\": 1}"));
    EXPECT_THAT(e.headers, ElementsAre(Pair("Content-Type", "application/json"), Pair("Accept", "application/json")));
  }
  const auto own = parsed<ExplainFlags>({"explain", "-H", "content-type: text/x", "--json", "@f", "-X", "QUERY", "/a"});
  EXPECT_EQ(own.method, "QUERY");
  EXPECT_THAT(own.headers, ElementsAre(Pair("content-type", "text/x"), Pair("Accept", "application/json")));
  const auto both = parsed<ExplainFlags>({"explain", "--json", "--json", "[1]", "/a"});
  EXPECT_TRUE(both.json) << "as JSON, about JSON";
  EXPECT_THAT(both.content, ElementsAre("[1]"));
  EXPECT_TRUE(parsed<ExplainFlags>({"explain", "--json", "/a"}).json);
  EXPECT_TRUE(parsed<ExplainFlags>({"explain", "/a", "--json"}).json);
}

TEST(CommandLine, ExplainRefusesWhatNoRequestCouldHave) {
  for (const auto& args : {std::vector<std::string>{"explain"},
                           {"explain", "/a", "/b"},
                           {"explain", "-X", "A B", "/"},
                           {"explain", "-H", "no colon", "/"},
                           {"explain", "-H", ": x", "/"},
                           {"explain", "-H", "A: x\ny", "/"},
                           {"explain", "--status", "99", "/"},
                           {"explain", "--status", "2xx", "/"},
                           {"explain", "--response-header", "x", "/"},
                           {"explain", "--admin", ":1", "/"},
                           {"explain", "-I", "-X", "GET", "/"},
                           {"explain", "-I", "-d", "a", "/"},
                           {"explain", "-b", "cookies.txt", "/"},
                           {"explain", "-b", "a=1\r\nX: y", "/"},
                           {"explain", "-d", "a", "--json", "{}", "/"},
                           {"explain", "--timeout", "5", "--live", "/"}})
    EXPECT_EQ(said(args).code, ExitCode::Usage) << args.back();
}

TEST(CommandLine, TheOtherCommandsTakeTheirs) {
  EXPECT_EQ(parsed<HealthcheckFlags>({"healthcheck", "--timeout", "500ms"}).timeout, std::chrono::milliseconds{500});
  EXPECT_TRUE(parsed<VersionFlags>({"version", "--json"}).json);
  EXPECT_FALSE(parsed<VersionFlags>({"--version"}).json);
  const auto demo = parsed<DemoFlags>({"demo", "--duration", "1m", "--no-access-log", "--listen", ":9090"});
  EXPECT_EQ(demo.duration, std::chrono::minutes{1});
  EXPECT_FALSE(demo.access_log);
  EXPECT_EQ(demo.listen, ":9090");
  EXPECT_EQ(demo.admin, "127.0.0.1:8081");
}

TEST(CommandLine, MistypedCommandsAndFlagsAreSuggestedAndExitWithTwo) {
  struct Case {
    std::vector<std::string> args;
    const char* hint;
  };
  for (const auto& c :
       {Case{{"chekc"}, "did you mean \"check\"?"}, Case{{"--lisen", ":1"}, "did you mean --listen?"},
        Case{{"run", "--orgin=http://a"}, "did you mean --origin?"},
        Case{{"check", "--strct"}, "did you mean --strict?"},
        Case{{"demo", "--durations", "1s"}, "did you mean --duration?"},
        Case{{"help", "chek"}, "did you mean \"check\"?"}, Case{{"drian"}, "\"drain\" is not in this version"},
        Case{{"forebay.yaml"}, "did you mean forebay -c forebay.yaml?"},
        Case{{"http://localhost:3000"}, "did you mean forebay --origin http://localhost:3000?"},
        Case{{"frobnicate"}, "there is no command \"frobnicate\""}}) {
    const auto s = said(c.args);
    EXPECT_EQ(s.code, ExitCode::Usage) << c.args[0];
    EXPECT_THAT(s.err, HasSubstr(c.hint));
    EXPECT_EQ(s.out, "");
  }
}

TEST(CommandLine, CommandsOfLaterVersionsAreNamedAsSuch) {
  for (const auto* word :
       {"purge", "top", "tail", "get", "warm", "reload", "drain", "undrain", "log-level", "schema", "completion"}) {
    const auto s = said({word, "--anything"});
    EXPECT_EQ(s.code, ExitCode::Usage);
    EXPECT_THAT(s.err, HasSubstr("not in this version"));
  }
  EXPECT_THAT(said({"--watch"}).err, HasSubstr("not in this version"));
  EXPECT_THAT(said({"demo", "--scenario", "post"}).err, HasSubstr("not in this version"));
}

TEST(CommandLine, AMissingValueIsUsage) { EXPECT_EQ(said({"--ttl"}).code, ExitCode::Usage); }

TEST(CommandLine, HelpIsDataAndNoError) {
  for (const auto& args :
       {std::vector<std::string>{"help"}, {"--help"}, {"-h"}, {"help", "check"}, {"check", "--help"}, {"run", "-h"}}) {
    const auto s = said(args);
    EXPECT_EQ(s.code, ExitCode::Done);
    EXPECT_NE(s.out, "");
    EXPECT_EQ(s.err, "");
  }
  EXPECT_THAT(said({"help", "check"}).out, HasSubstr("--strict"));
  EXPECT_THAT(said({"help"}).out, HasSubstr("healthcheck"));
  EXPECT_THAT(said({"help"}).out, HasSubstr("forebay --origin http://localhost:3000 --ttl 30s"));
  for (const char* absent : {"TLS", "HTTP/2", "WebSocket", "purging"})
    EXPECT_THAT(said({"help"}).out, HasSubstr(absent)) << "until it is there";
}

TEST(ParseDuration, TakesUnitsAndNothingElse) {
  EXPECT_EQ(parse_duration("250ms"), std::chrono::milliseconds{250});
  EXPECT_EQ(parse_duration("1m30s"), std::chrono::seconds{90});
  EXPECT_EQ(parse_duration("1.5h"), std::chrono::minutes{90});
  EXPECT_EQ(parse_duration("0"), Duration{0});
  for (const auto* bad : {"", "5", "-1s", "1x", "s", "1e3s", "1s "})
    EXPECT_EQ(parse_duration(bad), std::nullopt) << bad;
}

}  // namespace
}  // namespace forebay::app
