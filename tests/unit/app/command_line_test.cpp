#include "app/command_line.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <iterator>

#include "app/command_words.hpp"
#include "app/commands.hpp"
#include "app/curl_flags.hpp"
#include "app/flags_watch.hpp"

namespace forebay::app {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

template <class T>
T parsed(const std::vector<std::string>& args) {
  const auto command = parse_command_line(args);
  if (const auto* said = command.flags<Said>()) ADD_FAILURE() << said->err << said->out;
  const auto* got = command.flags<T>();
  if (got == nullptr) {
    ADD_FAILURE() << "another command";
    return {};
  }
  return *got;
}

Said said(const std::vector<std::string>& args) {
  const auto command = parse_command_line(args);
  const auto* got = command.flags<Said>();
  if (got == nullptr) {
    ADD_FAILURE() << "nothing was said";
    return {};
  }
  return *got;
}

std::vector<std::string> pieces(const ExplainFlags& flags) {
  std::vector<std::string> all;
  for (const auto& piece : flags.content) all.push_back(piece.text);
  return all;
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
                           {"run", "-c", "a", "b"},
                           {"run", "a", "b"},
                           {"explain", "-A", "a", "-A", "b", "/"},
                           {"explain", "-u", "a:b", "-u", "a:b", "/"},
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
  EXPECT_THAT(said({"-c", "a", "-c", "b"}).err, HasSubstr("-c, --config is given 2 times"));
  EXPECT_THAT(said({"explain", "-X", "GET", "-X", "PUT", "/"}).err, HasSubstr("-X, --request is given 2 times"));
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
  EXPECT_EQ(e.run.config, "x.yaml");
  EXPECT_EQ(e.method, "PUT");
  EXPECT_EQ(e.url, "http://h/a?b");
  EXPECT_THAT(e.headers, ElementsAre(Pair("X-Tenant", "acme"), Pair("A", "b: c")));
  EXPECT_THAT(pieces(e), ElementsAre("@body.json"));
  EXPECT_EQ(e.status, 404);
  EXPECT_THAT(e.response_headers, ElementsAre(Pair("ETag", "\"1\"")));
  EXPECT_EQ(e.response_content, "gone");
  EXPECT_TRUE(e.has_response && e.json && !e.live);
}

TEST(CommandLine, ExplainIsAGetUnlessItHasContent) {
  EXPECT_EQ(parsed<ExplainFlags>({"explain", "/a"}).method, "GET");
  EXPECT_FALSE(parsed<ExplainFlags>({"explain", "/a"}).has_response);
  EXPECT_EQ(parsed<ExplainFlags>({"explain", "/a", "-d", "x"}).method, "POST");
  EXPECT_THAT(pieces(parsed<ExplainFlags>({"explain", "-d", "a=1", "-d", "b=2", "/a"})), ElementsAre("a=1", "b=2"));
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
    EXPECT_THAT(pieces(e), ElementsAre("{\"a\": 1}"));
    EXPECT_THAT(e.headers, ElementsAre(Pair("Content-Type", "application/json"), Pair("Accept", "application/json")));
  }
  const auto own = parsed<ExplainFlags>({"explain", "-H", "content-type: text/x", "--json", "@f", "-X", "QUERY", "/a"});
  EXPECT_EQ(own.method, "QUERY");
  EXPECT_THAT(own.headers, ElementsAre(Pair("content-type", "text/x"), Pair("Accept", "application/json")));
  const auto both = parsed<ExplainFlags>({"explain", "--json", "--json", "[1]", "/a"});
  EXPECT_TRUE(both.json) << "as JSON, about JSON";
  EXPECT_THAT(pieces(both), ElementsAre("[1]"));
  EXPECT_TRUE(parsed<ExplainFlags>({"explain", "--json", "/a"}).json);
  EXPECT_TRUE(parsed<ExplainFlags>({"explain", "/a", "--json"}).json);
}

TEST(CommandLine, ExplainTakesEveryDocumentOfJson) {
  for (const auto* document : {"{\"a\":1}", "[1]", "\"a\"", "true", "false", "null", "12", "-1.5", "@body.json"}) {
    const auto e = parsed<ExplainFlags>({"explain", "--json", document, "/rpc"});
    EXPECT_THAT(pieces(e), ElementsAre(document));
    EXPECT_EQ(e.url, "/rpc") << document;
    EXPECT_FALSE(e.json) << document;
    EXPECT_EQ(e.method, "POST") << document;
  }
  const auto three = parsed<ExplainFlags>({"explain", "--json", "{", "--json", "\"a\":1", "--json=}", "/rpc"});
  EXPECT_THAT(pieces(three), ElementsAre("{", "\"a\":1", "}"));
  EXPECT_THAT(pieces(parsed<ExplainFlags>({"explain", "--json=/dev/null", "/rpc"})), ElementsAre("/dev/null"));
  EXPECT_THAT(pieces(parsed<ExplainFlags>({"explain", "--json=", "/rpc"})), ElementsAre(""));
  EXPECT_THAT(pieces(parsed<ExplainFlags>({"explain", "-d", "[1,2]", "--data-raw=[3,4]", "/rpc"})),
              ElementsAre("[1,2]", "[3,4]"));
  const auto unclear = said({"explain", "--json", "/dev/null", "/rpc"});
  EXPECT_EQ(unclear.code, ExitCode::Usage);
  EXPECT_THAT(unclear.err, HasSubstr("--json='...'"));
}

TEST(CommandLine, ExplainTakesTheFlagsOfCurlThatChangeTheRequest) {
  const auto e = parsed<ExplainFlags>({"explain", "-A", "probe/1", "-e", "http://a/", "-u", "me:secret", "/a"});
  EXPECT_THAT(e.headers, ElementsAre(Pair("User-Agent", "probe/1"), Pair("Referer", "http://a/"),
                                     Pair("Authorization", "Basic bWU6c2VjcmV0")));
  EXPECT_THAT(parsed<ExplainFlags>({"explain", "-u", "me", "/"}).headers,
              ElementsAre(Pair("Authorization", "Basic bWU6")));
  EXPECT_THAT(parsed<ExplainFlags>({"explain", "-A", "x", "-H", "user-agent: own", "/"}).headers,
              ElementsAre(Pair("user-agent", "own")))
      << "a field that is written stands over the flag";
  EXPECT_THAT(said({"explain", "-A", "hunter2\n", "/"}).err, Not(HasSubstr("hunter2")));

  const auto mixed = parsed<ExplainFlags>(
      {"explain", "-d", "a=1", "--data-urlencode", "b=x y", "--data-raw", "@c", "-d", "@f", "--data-binary", "e", "/"});
  EXPECT_THAT(pieces(mixed), ElementsAre("a=1", "b=x y", "@c", "@f", "e")) << "in the order in which they stand";
  using Kind = ExplainFlags::Content::Kind;
  EXPECT_EQ(mixed.content[1].kind, Kind::Encoded);
  EXPECT_EQ(mixed.content[2].kind, Kind::Raw);
  EXPECT_EQ(mixed.method, "POST");
  const auto in_query = parsed<ExplainFlags>({"explain", "-G", "--data-urlencode", "q=a b", "/s"});
  EXPECT_TRUE(in_query.content_in_query);
  EXPECT_EQ(in_query.method, "GET");
  EXPECT_EQ(parsed<ExplainFlags>({"explain", "-GI", "-d", "q=1", "/s"}).method, "HEAD");
  EXPECT_EQ(said({"explain", "-G", "/s"}).code, ExitCode::Usage);
  EXPECT_EQ(url_encoded("a b&c=\xc3\xa9~-._/"), "a%20b%26c%3D%C3%A9~-._%2F");
}

TEST(CommandLine, ExplainPassesOverFlagsThatOnlyShow) {
  for (const auto& args : {std::vector<std::string>{"explain", "-sI", "/a"},
                           {"explain", "-s", "-S", "-i", "-v", "-I", "/a"},
                           {"explain", "-sSvI", "/a"},
                           {"explain", "-iX", "HEAD", "/a"},
                           {"explain", "-siXHEAD", "/a"},
                           {"explain", "--silent", "--include", "--verbose", "--show-error", "--head", "/a"}})
    EXPECT_EQ(parsed<ExplainFlags>(args).method, "HEAD") << args[1];
  struct Case {
    std::vector<std::string> args;
    const char* says;
  };
  for (const auto& c :
       {Case{{"explain", "-L", "/a"}, "-L is a curl flag that explain does not support; explain sends nothing"},
        Case{{"explain", "-sL", "/a"}, "-L is a curl flag"}, Case{{"explain", "-o", "file", "/a"}, "-o is a curl flag"},
        Case{{"explain", "--compressed", "/a"}, "use -H 'Accept-Encoding: gzip'"},
        Case{{"explain", "-r", "0-9", "/a"}, "use -H 'Range: bytes=0-99'"},
        Case{{"explain", "-F", "a=b", "/a"}, "multipart/form-data"}, Case{{"explain", "-Q", "/a"}, "unknown flag -Q"},
        Case{{"check", "-L", "a"}, "unknown flag -L"}, Case{{"run", "-x", "1"}, "unknown flag -x"}}) {
    const auto s = said(c.args);
    EXPECT_EQ(s.code, ExitCode::Usage) << c.args[1];
    EXPECT_THAT(s.err, HasSubstr(c.says));
  }
}

TEST(CommandLine, ExplainTakesTheSettingsOfRun) {
  const auto e = parsed<ExplainFlags>(
      {"explain", "--origin", "http://a:1", "--ttl", "5s", "--set", "a.b=1", "--memory", "1GiB", "/a"});
  EXPECT_EQ(e.run.origin, "http://a:1");
  EXPECT_EQ(e.run.ttl, "5s");
  EXPECT_EQ(e.run.memory, "1GiB");
  EXPECT_THAT(e.run.set, ElementsAre(Pair("a.b", "1")));
  EXPECT_EQ(parsed<ExplainFlags>({"explain", "--live", "-c", "a", "/a"}).run.config, "a");
  for (const auto* flag : {"--origin", "--ttl", "--listen", "--memory", "--log-level", "--log-format"})
    EXPECT_THAT(said({"explain", "--live", flag, "x", "/a"}).err,
                HasSubstr(std::string(flag) + " cannot be used with --live"))
        << flag;
  EXPECT_THAT(said({"explain", "--live", "--set", "a.b=1", "/a"}).err, HasSubstr("--set cannot be used with --live"));
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
  for (const auto* word : {"--version", "-v", "-V"}) EXPECT_FALSE(parsed<VersionFlags>({word}).json) << word;
  EXPECT_EQ(parsed<RunFlags>({"run", "a.yaml"}).config, "a.yaml");
  EXPECT_EQ(parsed<RunFlags>({"run", "--ttl", "5s", "-"}).config, "-");
  const auto demo = parsed<DemoFlags>({"demo", "--duration", "1m", "--no-access-log", "--listen", ":9090"});
  EXPECT_TRUE(parsed<RunFlags>({"-c", "a.yaml", "--watch"}).watch);
  EXPECT_FALSE(parsed<RunFlags>({"-c", "a.yaml"}).watch);
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
        Case{{"help", "chek"}, "did you mean \"check\"?"}, Case{{"drian"}, "did you mean \"drain\"?"},
        Case{{"pruge"}, "did you mean \"purge\"?"}, Case{{"drain", "--dealy", "5s"}, "did you mean --delay?"},
        Case{{"reload", "--jsno"}, "did you mean --json?"}, Case{{"log-level", "--fro", "5m"}, "did you mean --for?"},
        Case{{"log-level", "debgu"}, "did you mean debug?"},
        Case{{"forebay.yaml"}, "did you mean forebay -c forebay.yaml?"},
        Case{{"http://localhost:3000"}, "did you mean forebay --origin http://localhost:3000?"},
        Case{{"frobnicate"}, "unknown command \"frobnicate\""}}) {
    const auto s = said(c.args);
    EXPECT_EQ(s.code, ExitCode::Usage) << c.args[0];
    EXPECT_THAT(s.err, HasSubstr(c.hint));
    EXPECT_EQ(s.out, "");
  }
}

TEST(CommandLine, AFlagOfALaterVersionIsNamedAsSuch) {
  EXPECT_THAT(said({"demo", "--open"}).err, HasSubstr("not in this version"));
}

TEST(CommandLine, OrdersForTheDaemonHaveTheirFlags) {
  using What = OrderFlags::What;
  const auto reload = parsed<OrderFlags>({"reload", "--json", "--admin", ":9", "-c", "a.yaml"});
  EXPECT_EQ(reload.what, What::Reload);
  EXPECT_TRUE(reload.json);
  EXPECT_EQ(reload.admin, ":9");
  EXPECT_EQ(reload.config, "a.yaml");
  const auto drain = parsed<OrderFlags>({"drain", "--delay", "5s", "--wait", "1m", "--timeout", "1s"});
  EXPECT_EQ(drain.what, What::Drain);
  EXPECT_EQ(drain.delay, std::chrono::seconds{5});
  EXPECT_EQ(drain.delay_text, "5s");
  EXPECT_EQ(drain.wait, std::chrono::minutes{1});
  EXPECT_EQ(drain.timeout, std::chrono::seconds{1});
  EXPECT_FALSE(parsed<OrderFlags>({"drain"}).delay);
  EXPECT_EQ(parsed<OrderFlags>({"undrain"}).what, What::Undrain);
  const auto level = parsed<OrderFlags>({"log-level", "debug", "--for", "5m"});
  EXPECT_EQ(level.what, What::LogLevel);
  EXPECT_EQ(level.level, "debug");
  EXPECT_EQ(level.time_text, "5m");
  EXPECT_EQ(parsed<OrderFlags>({"log-level"}).level, "");
}

TEST(CommandLine, TopAndTailHaveTheirFlags) {
  const auto plain = parsed<TopFlags>({"top"});
  EXPECT_EQ(plain.interval, std::chrono::seconds{1});
  EXPECT_EQ(plain.view, TopView::Routes);
  const auto top = parsed<TopFlags>({"top", "--interval", "500ms", "--once", "--json", "--view", "keys"});
  EXPECT_EQ(top.interval, std::chrono::milliseconds{500});
  EXPECT_TRUE(top.once && top.json);
  EXPECT_EQ(top.view, TopView::Keys);
  const auto tail = parsed<TailFlags>(
      {"tail", "--filter", "status>=500", "--filter", "path~/a", "--format", "json", "--count", "3", "--admin", ":9"});
  EXPECT_EQ(tail.filters, (std::vector<std::string>{"status>=500", "path~/a"}));
  EXPECT_TRUE(tail.json);
  EXPECT_EQ(tail.count, 3U);
  EXPECT_EQ(tail.admin, ":9");
  for (const auto& args : {std::vector<std::string>{"top", "--view", "keyes"},
                           {"top", "--interval", "5"},
                           {"top", "--interval", "1ms"},
                           {"top", "routes"},
                           {"tail", "--count", "0"},
                           {"tail", "--count", "many"},
                           {"tail", "--format", "xml"},
                           {"tail", "status=5"}}) {
    const auto s = said(args);
    EXPECT_EQ(s.code, ExitCode::Usage) << args[1];
    EXPECT_NE(s.err, "") << args[1];
  }
}

TEST(CommandLine, OrdersThatAreWrittenWrongAreUsage) {
  for (const auto& args : {std::vector<std::string>{"drain", "--delay", "5"},
                           {"drain", "--wait", "soon"},
                           {"drain", "now"},
                           {"undrain", "--delay", "5s"},
                           {"reload", "file.yaml"},
                           {"log-level", "--for", "5m"},
                           {"log-level", "loud"},
                           {"log-level", "info", "--for", "0s"},
                           {"log-level", "info", "warn"},
                           {"reload", "--timeout", "0s"},
                           {"drain", "--delay", "1s", "--delay", "2s"},
                           {"reload", "--admin"}}) {
    const auto s = said(args);
    EXPECT_EQ(s.code, ExitCode::Usage) << args[0] << ' ' << args.back();
    EXPECT_NE(s.err, "");
    EXPECT_EQ(s.out, "");
  }
}

TEST(CommandLine, AMissingValueIsUsageAndSaysWhatIsWanted) {
  struct Case {
    std::vector<std::string> args;
    const char* says;
  };
  for (const auto& c :
       {Case{{"--origin"}, "--origin needs a value: --origin URL"}, Case{{"--ttl"}, "--ttl needs a value: --ttl DUR"},
        Case{{"run", "--origin", "--ttl", "5s"}, "--origin needs a value"},
        Case{{"check", "--format"}, "--format needs a value"}, Case{{"explain"}, "explain needs a URL or a path"},
        Case{{"explain", "/a", "-X"}, "-X, --request needs a value"}}) {
    const auto s = said(c.args);
    EXPECT_EQ(s.code, ExitCode::Usage) << c.args[0];
    EXPECT_THAT(s.err, HasSubstr(c.says));
    EXPECT_THAT(s.err, Not(HasSubstr("required")));
  }
}

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
  EXPECT_THAT(said({"help"}).out, HasSubstr(std::string(kNotInThisVersion)));
  EXPECT_THAT(said({"help", "top"}).out, AllOf(HasSubstr("routes (default), keys or origins"), HasSubstr("p pause")));
  for (const auto& row : command_table())
    EXPECT_THAT(said({"help", row.name}).out, AllOf(EndsWith("\n"), Not(EndsWith("\n\n")))) << row.name;
}

TEST(CommandLine, HelpAndReadmeAgreeOnWhatIsNotThere) {
  std::ifstream file(FOREBAY_SOURCE_DIR "/README.md");
  const std::string readme((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  EXPECT_THAT(readme, HasSubstr("**Not in this version:** " + std::string(kNotInThisVersion) + '.'));
}

}  // namespace
}  // namespace forebay::app
