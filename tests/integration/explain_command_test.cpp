// `forebay explain` as a command, and the endpoint behind its --live: what goes where, who may, and exit codes.
#include "support/command.hpp"
#include "support/content.hpp"
#include "support/forebay_test.hpp"
#include "support/json.hpp"

namespace forebay::test {
namespace {

class ExplainCommand : public ForebayTest {};

TEST_F(ExplainCommand, TheCommandSaysTheSameOfflineAndLiveButForWhatIsStored) {
  FOREBAY_NOT_OVER_TLS("it explains requests over http");
  origin.on("/api/item", Reply::fresh("item"));
  start("routes: [{name: api, path: '/api/**', ttl: 15s}]\n");
  const auto admin = "127.0.0.1:" + std::to_string(daemon->admin_port());
  get("/api/item?x=1", {{"Host", "shop.test"}});
  const std::vector<std::string> words{"explain",  "-c",  daemon->config_path(),
                                       "--status", "200", "http://shop.test/api/item?x=1"};
  const auto offline = run_forebay(words);
  EXPECT_EQ(offline.exit, 0) << offline.err;
  EXPECT_EQ(offline.err, "");
  EXPECT_THAT(offline.out, StartsWith("GET http://shop.test/api/item?x=1\nroute      api  ("));
  EXPECT_THAT(offline.out, HasSubstr("\nkey        api|GET|http|shop.test|/api/item|q:x=1\n"));
  EXPECT_THAT(offline.out, HasSubstr("\nrequest    looked up\n"));
  EXPECT_THAT(offline.out, HasSubstr("\nresponse   would be stored: ttl 15 s (from routes.api.ttl.default)\n"));
  EXPECT_THAT(offline.out, HasSubstr("\nanswer     Cache-Status: forebay; fwd=uri-miss; stored; ttl=15\n"));
  EXPECT_THAT(offline.out, Not(HasSubstr("\nstored ")));

  auto live_words = words;
  live_words.insert(live_words.begin() + 1, "--live");
  const auto live = run_forebay(live_words, {{"FOREBAY_ADMIN", admin}});
  EXPECT_EQ(live.exit, 0) << live.err;
  EXPECT_THAT(live.out, HasSubstr("\nstored     yes, fresh: age "));
  EXPECT_THAT(live.out, HasSubstr("\nanswer     Cache-Status: forebay; hit; ttl="));

  live_words.push_back("--json");
  const auto as_json = run_forebay(live_words, {{"FOREBAY_ADMIN", admin}});
  const auto document = flatten_json(as_json.out).value();
  EXPECT_EQ(document.at("route.name"), "api");
  EXPECT_EQ(document.at("stored.found"), "true");
  EXPECT_EQ(document.at("result"), "hit");
}

TEST_F(ExplainCommand, TheCommandReadsContentFromFilesAndStandardInput) {
  const TempDir dir;
  write_file(dir.file("f.yaml"),
             "origin: http://localhost:3000\nroutes: [{name: s, path: /s, methods: POST, key: {body: [/q]}}]\n");
  write_file(dir.file("body.json"), R"({"q": "a", "z": 1})");
  const auto by_file = run_forebay({"explain", "-c", dir.file("f.yaml"), "-H", "Content-Type: application/json", "-d",
                                    "@" + dir.file("body.json"), "http://h/s"});
  EXPECT_THAT(by_file.out, HasSubstr("s|POST|http|h|/s|b:/q=\"a\"|m:application/json"));
  const auto by_input = run_forebay(
      {"explain", "-c", dir.file("f.yaml"), "-H", "Content-Type: application/json", "-d", "@-", "http://h/s"}, {},
      R"({"q":"b"})");
  EXPECT_THAT(by_input.out, HasSubstr("b:/q=\"b\""));
  EXPECT_EQ(run_forebay({"explain", "-c", dir.file("f.yaml"), "-d", "@" + dir.file("none"), "/s"}).exit, 1);
  const auto joined = run_forebay({"explain", "-c", "-", "-H", "Content-Type: application/x-www-form-urlencoded", "-d",
                                   "a=1", "-d", "b=2", "http://h/f"},
                                  {},
                                  "origin: http://localhost:3000\nroutes: [{name: f, path: /f, methods: POST, "
                                  "key: {form: [a, b]}}]\n");
  EXPECT_THAT(joined.out, HasSubstr("|/f|f:a=1&b=2|")) << joined.err;
}

TEST_F(ExplainCommand, TheCommandNeedsNoFileAndReadsCurlsFlags) {
  const TempDir dir;
  write_file(dir.file("value"), "a b");
  const auto none = run_forebay({"explain", "/a"}, {{"FOREBAY_CONFIG", dir.file("none.yaml")}});
  EXPECT_EQ(none.exit, 3);
  const auto alone = run_forebay({"explain", "--origin", "http://localhost:3000", "--ttl", "30s", "--status", "200",
                                  "-sGX", "GET", "--data-urlencode", "q=x&y", "--data-urlencode",
                                  "v@" + dir.file("value"), "-d", "p=1", "http://h/s?a=1#f"});
  EXPECT_EQ(alone.exit, 0) << alone.err;
  EXPECT_EQ(alone.err, "");
  EXPECT_THAT(alone.out, StartsWith("GET http://h/s?a=1&q=x%26y&v=a%20b&p=1\n"));
  EXPECT_THAT(alone.out, HasSubstr("ttl 30 s"));
  const auto joined =
      run_forebay({"explain", "-c", "-", "--json", "{\"q\":", "--json", "1", "--json=}", "http://h/s"}, {},
                  "origin: http://localhost:3000\nroutes: [{name: s, path: /s, methods: POST, "
                  "key: {body: [/q]}}]\n");
  EXPECT_THAT(joined.out, HasSubstr("s|POST|http|h|/s|b:/q=1|m:application/json")) << joined.err;
  const auto blank = run_forebay({"explain", "--origin", "http://localhost:3000", "/a b"});
  EXPECT_EQ(blank.exit, 2);
  EXPECT_THAT(blank.err, HasSubstr("this request cannot be sent: the URL contains a space"));
}

TEST_F(ExplainCommand, TheCommandSaysThatCurlWouldNameATypeWhereTheContentCounts) {
  const std::string yaml =
      "origin: http://localhost:3000\nroutes: [{path: /s, methods: POST, key: {body: [/q]}}, "
      "{path: /f, methods: POST, key: {form: [q]}}, {path: /n, methods: POST, key: {body: none}}]\n";
  const std::string note = "forebay: no Content-Type given; curl -d would send application/x-www-form-urlencoded\n";
  for (const char* path : {"/s", "/f"}) {
    const auto without = run_forebay({"explain", "-c", "-", "-d", "{\"q\":1}", path}, {}, yaml);
    EXPECT_EQ(without.exit, 0);
    EXPECT_EQ(without.err, note) << path;
    const auto with =
        run_forebay({"explain", "-c", "-", "-H", "content-type: application/json", "-d", "{\"q\":1}", path}, {}, yaml);
    EXPECT_EQ(with.err, "") << path;
  }
  EXPECT_EQ(run_forebay({"explain", "-c", "-", "-d", "x", "/n"}, {}, yaml).err, "");
  EXPECT_EQ(run_forebay({"explain", "-c", "-", "-d", "x", "/elsewhere"}, {}, yaml).err, "");
  EXPECT_EQ(run_forebay({"explain", "-c", "-", "-X", "POST", "/s"}, {}, yaml).err, "");
}

TEST_F(ExplainCommand, TheCommandsExitCodesTellWhyThereIsNoAnswer) {
  EXPECT_EQ(run_forebay({"explain"}).exit, 2);
  const auto broken =
      run_forebay({"explain", "-c", "-", "/a"}, {}, "origin: http://localhost:1\nroutes: [{paths: /}]\n");
  EXPECT_EQ(broken.exit, 3);
  EXPECT_EQ(broken.out, "");
  EXPECT_THAT(broken.err, HasSubstr("FB1001"));
  EXPECT_EQ(run_forebay({"explain", "-c", "-", "ftp://h/"}, {}, "origin: http://localhost:1\n").exit, 2);
  std::uint16_t port = 0;
  { const Socket freed = Socket::listen(port); }
  const auto nobody =
      run_forebay({"explain", "--live", "--admin", "127.0.0.1:" + std::to_string(port), "--timeout", "2s", "/a"});
  EXPECT_EQ(nobody.exit, 4);
  EXPECT_THAT(nobody.err, HasSubstr("no daemon answers"));
}

TEST_F(ExplainCommand, WhatAnswersButIsNoAdminListenerIsNotTakenForOne) {
  const std::string json = R"({"name":"shop","status":"ok"})";
  origin.on("/api/v1/explain", [json](const Received&) { return Reply::fresh(json); });
  start("routes: [{path: /**}]\n");
  for (const auto port : {daemon->port(), origin.port()}) {
    const auto o = run_forebay({"explain", "--live", "--admin", "127.0.0.1:" + std::to_string(port), "http://h/a"});
    EXPECT_EQ(o.exit, 4);
    EXPECT_EQ(o.out, "");
    EXPECT_THAT(o.err, HasSubstr(over_tls() && port == daemon->port() ? ": it speaks TLS; write --admin https://"
                                                                      : ": not a Forebay admin listener\n"));
  }
  const auto as_json = run_forebay(
      {"explain", "--live", "--json", "--admin", "127.0.0.1:" + std::to_string(daemon->port()), "http://h/a"});
  EXPECT_EQ(as_json.exit, 4);
  EXPECT_EQ(as_json.out, "");
}

TEST_F(ExplainCommand, OperatorsBringTheTokenWhereLoopbackIsNotEnough) {
  start("admin: {listen: 127.0.0.1:0, token: 0123456789abcdef, allow_loopback: false}\nroutes: [{path: /**}]\n");
  const auto admin = "127.0.0.1:" + std::to_string(daemon->admin_port());
  const std::vector<std::string> words{"explain", "--live", "--admin", admin, "http://h/a"};
  const auto refused = run_forebay(words);
  EXPECT_EQ(refused.exit, 4);
  EXPECT_THAT(refused.err, HasSubstr("token"));
  EXPECT_EQ(run_forebay(words, {{"FOREBAY_ADMIN_TOKEN", "wrong-wrong-wrong"}}).exit, 4);
  EXPECT_EQ(run_forebay(words, {{"FOREBAY_ADMIN_TOKEN", "0123456789abcdef"}}).exit, 0);
  const TempDir dir;
  write_file(dir.file("token"), "0123456789abcdef\n");
  EXPECT_EQ(run_forebay(words, {{"FOREBAY_ADMIN_TOKEN_FILE", dir.file("token")}}).exit, 0);
  EXPECT_EQ(run_forebay(words, {{"FOREBAY_ADMIN_TOKEN_FILE", dir.file("none")}}).exit, 1);
  EXPECT_TRUE(is_problem(daemon->admin("POST", "/api/v1/explain"), 401));
}

TEST_F(ExplainCommand, TheEndpointTakesLongAndChunkedDocumentsAndAnswers413Beyond) {
  start();
  const auto document = R"({"url":"http://h/a","body":")" + std::string(500'000, 'x') + "\"}";
  Client c(daemon->admin_port());
  c.send("POST /api/v1/explain HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n" +
         chunked(document, 10'000));
  EXPECT_EQ(c.read("POST").status, 200);
  EXPECT_EQ(c.ask("POST", "/api/v1/explain", {{"Host", "localhost"}}, document).status, 200) << "the connection lives";
  Client long_one(daemon->admin_port());
  EXPECT_EQ(long_one.ask("POST", "/api/v1/explain", {{"Host", "localhost"}}, std::string(2'000'000, ' ')).status, 413);
  EXPECT_EQ(daemon->admin("GET", "/api/v1/explain").status, 405);
  Client rebound(daemon->admin_port());
  EXPECT_TRUE(is_problem(rebound.ask("POST", "/api/v1/explain", {{"Host", "evil.test"}}, R"({"url":"/"})"), 403));
}

}  // namespace
}  // namespace forebay::test
