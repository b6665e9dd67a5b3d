// M4: one line for each request, with the names of contract section 3.2.
#include <signal.h>

#include <filesystem>

#include "support/forebay_test.hpp"

namespace forebay::test {
namespace {

class AccessLog : public ForebayTest {};

TEST_F(AccessLog, EveryRequestHasOneLineOfJsonWithItsStory) {
  origin.on("/a", Reply::fresh("12345"));
  start("routes: [{name: r, path: /**}]\n");
  get("/a?q=1", {{"User-Agent", "tester/1"}, {"Referer", "http://from.test/"}});
  get("/a?q=1");
  ask("POST", "/a", {}, "xyz");
  ASSERT_TRUE(eventually([&] { return daemon->access().size() >= 3; }));
  auto lines = daemon->access();
  ASSERT_EQ(lines.size(), 3u);
  std::map<std::string, std::map<std::string, std::string>> by_result;
  for (auto& line : lines) by_result[line["cache.result"]] = line;

  auto& miss = by_result["miss"];
  EXPECT_THAT(miss["ts"], MatchesRegex("20[0-9-]+T[0-9:]+\\.[0-9][0-9][0-9](Z|[+-][0-9:]+)"));
  EXPECT_EQ(miss["remote"].substr(0, 9), "127.0.0.1");
  EXPECT_EQ(miss["method"], "GET");
  EXPECT_EQ(miss["scheme"], "http");
  EXPECT_EQ(miss["host"], "shop.test");
  EXPECT_EQ(miss["path"], "/a");
  EXPECT_EQ(miss["query"], "q=1");
  EXPECT_EQ(miss["proto"], "HTTP/1.1");
  EXPECT_EQ(miss["status"], "200");
  EXPECT_EQ(miss["bytes_out"], "5");
  EXPECT_EQ(miss["route"], "r");
  EXPECT_EQ(miss["cache.stored"], "true");
  EXPECT_THAT(miss["cache.key_id"], MatchesRegex("[0-9a-f]+"));
  EXPECT_EQ(miss["cache.key_id"].size(), 32u);
  EXPECT_EQ(miss["user_agent"], "tester/1");
  EXPECT_EQ(miss["referer"], "http://from.test/");
  EXPECT_EQ(miss["origin.status"], "200");
  EXPECT_EQ(miss["origin.attempts"], "1");
  EXPECT_NE(miss["origin.address"], "");
  EXPECT_TRUE(miss.contains("time.total_ms"));
  EXPECT_TRUE(miss.contains("time.origin_ttfb_ms"));
  EXPECT_NE(miss["request_id"], "");

  auto& hit = by_result["hit"];
  EXPECT_EQ(hit["cache.key_id"], miss["cache.key_id"]);
  EXPECT_TRUE(hit.contains("cache.age_s"));
  EXPECT_TRUE(hit.contains("cache.ttl_s"));
  EXPECT_FALSE(hit.contains("origin.status")) << "absent parts are left out";

  auto& bypass = by_result["bypass"];
  EXPECT_EQ(bypass["cache.reason"], "method");
  EXPECT_EQ(bypass["bytes_in"], "3");
}

TEST_F(AccessLog, SaysWhoGaveTheLifetimeOfWhatWasServed) {
  const struct {
    const char* path;
    Reply reply;
    const char* source;
  } cases[] = {
      {"/max-age", Reply::with("max-age=60"), "max-age"},
      {"/s-maxage", Reply::with("max-age=1, s-maxage=60"), "s-maxage"},
      {"/targeted", Reply::with("no-store").field("CDN-Cache-Control", "max-age=60"), "targeted"},
      {"/route", Reply().body("x"), "default"},
      {"/bounded", Reply::with("max-age=1000"), "max"},
      {"/no-store", Reply::with("no-store"), ""},
  };
  for (const auto& c : cases) origin.on(c.path, c.reply);
  start("routes: [{path: /route, ttl: 1m}, {path: /bounded, ttl: {max: 1m}}, {path: /**}]\n");
  for (const auto& c : cases) {
    get(c.path);
    get(c.path);
    for (const std::string result : {"miss", *c.source != 0 ? "hit" : "bypass"}) {
      auto line = access_line(c.path, [&](const auto& l) { return l.at("cache.result") == result; });
      EXPECT_EQ(line["cache.ttl_source"], c.source) << c.path << ' ' << result;
      EXPECT_EQ(line.contains("cache.ttl_s"), *c.source != 0) << c.path << ' ' << result;
    }
  }
}

TEST_F(AccessLog, SaysHowLongItTookToTheLookUp) {
  origin.on("/a", Reply::fresh());
  start("routes: [{path: /off, cache: false}, {path: /**, methods: [GET, POST]}]\n");
  get("/a");
  EXPECT_TRUE(access_line("/a").contains("time.lookup_ms"));
  get("/off");
  EXPECT_FALSE(access_line("/off").contains("time.lookup_ms")) << "it was not looked up";
  // What is keyed has to be there first.
  auto c = connect();
  c.send("POST /post HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 2\r\n\r\na");
  std::this_thread::sleep_for(milliseconds{20});
  c.send("b");
  EXPECT_GT(c.read("POST").status, 0);
  EXPECT_GE(std::stod(access_line("/post")["time.lookup_ms"]), 5);
}

TEST_F(AccessLog, ALineThatComesLateSaysWhenItsRequestCame) {
  auto hold = gate();
  origin.on("/slow", Reply::fresh().after(hold));
  origin.on("/fast", Reply::fresh());
  start();
  auto c = connect();
  c.request("GET", "/slow");
  EXPECT_TRUE(origin.wait_for("/slow", 1));
  std::this_thread::sleep_for(milliseconds{20});
  get("/fast");
  const auto fast = access_line("/fast");
  hold->open();
  EXPECT_EQ(c.read().status, 200);
  const auto slow = access_line("/slow");
  ASSERT_EQ(daemon->access().size(), 2u);
  EXPECT_EQ(daemon->access()[1].at("path"), "/slow") << "it is written when its answer has ended";
  EXPECT_LT(slow.at("ts"), fast.at("ts"));
}

TEST_F(AccessLog, ErrorsAndRefusalsHaveTheirLinesToo) {
  origin.on("/down", Reply::hang_up(End::Rst));
  start();
  get("/down");
  auto line = access_line("/down");
  EXPECT_EQ(line["status"], "502");
  EXPECT_EQ(line["cache.result"], "error");
  EXPECT_NE(line["origin.error"], "");
}

TEST_F(AccessLog, NothingAStrangerSendsBreaksALine) {
  origin.otherwise([](const Received&) { return Reply::fresh(); });
  start();
  get("/a%22%0a?\"<script>&x=\\", {{"User-Agent", "a\"b\\c\xff\xfe{}"}, {"Referer", "\x80\x81"}});
  get("/end");
  access_line("/end");
  for (const auto& line : daemon->access()) EXPECT_FALSE(line.contains("not json")) << line.at("not json");
}

TEST_F(AccessLog, RedactedQueryParametersAreNotWritten) {
  origin.otherwise([](const Received&) { return Reply::fresh(); });
  const TempDir dir;
  const auto path = dir.file("log");
  start("log: {access: {output: " + path +
        ", format: json, flush: 10ms, redact: {query: [token, 'api*']}}}\nroutes: [{path: /**}]\n");
  get("/a?token=secret1&apikey=secret2&ok=visible", {{"Authorization", "Bearer secret3"}, {"Cookie", "secret4"}});
  EXPECT_TRUE(eventually([&] { return read_file(path).find("visible") != std::string::npos; }));
  EXPECT_THAT(read_file(path), Not(HasSubstr("secret")));
}

TEST_F(AccessLog, WhenSelectsWhatIsWritten) {
  origin.on("/a", Reply::fresh());
  origin.on("/down", Reply::hang_up(End::Rst));
  const TempDir dir;
  start("log: {access: {output: " + dir.file("log") +
        ", format: json, flush: 10ms, when: [errors, miss]}}\nroutes: [{path: /**}]\n");
  get("/a");
  get("/a");
  ask("POST", "/a", {}, "x");
  get("/down");
  EXPECT_TRUE(eventually([&] { return read_file(dir.file("log")).find("/down") != std::string::npos; }));
  const auto text = read_file(dir.file("log"));
  EXPECT_THAT(text, HasSubstr("\"miss\""));
  EXPECT_THAT(text, Not(HasSubstr("\"hit\"")));
  EXPECT_THAT(text, Not(HasSubstr("\"bypass\"")));
}

TEST_F(AccessLog, TheCombinedFormatHasTheUsualNineFields) {
  origin.on("/a", Reply::fresh("12345"));
  const TempDir dir;
  start("log: {access: {output: " + dir.file("log") + ", format: combined, flush: 10ms}}\nroutes: [{path: /**}]\n");
  get("/a?x=1", {{"User-Agent", "agent \"q\""}, {"Referer", "ref"}});
  EXPECT_TRUE(eventually([&] { return !read_file(dir.file("log")).empty(); }));
  EXPECT_THAT(
      read_file(dir.file("log")),
      MatchesRegex("127\\.0\\.0\\.1 - - \\[[^]]+\\] \"GET /a\\?x=1 HTTP/1\\.1\" 200 5 \"ref\" \"agent .*q.*\"\n"));
}

TEST_F(AccessLog, ATemplateNamesItsFields) {
  origin.on("/a", Reply::fresh("12345"));
  const TempDir dir;
  start("log: {access: {output: " + dir.file("log") +
        ", format: '{method} {path} {status} {cache.result}', flush: 10ms}}\nroutes: [{path: /**}]\n");
  get("/a");
  EXPECT_TRUE(eventually([&] { return read_file(dir.file("log")) == "GET /a 200 miss\n"; }))
      << read_file(dir.file("log"));
}

TEST_F(AccessLog, Usr1ReopensTheFile) {
  origin.on("/a", Reply::fresh());
  start();
  get("/a");
  access_line("/a");
  const auto moved = daemon->access_path() + ".1";
  std::filesystem::rename(daemon->access_path(), moved);
  daemon->signal(SIGUSR1);
  EXPECT_TRUE(eventually([&] {
    get("/a");
    return std::filesystem::exists(daemon->access_path()) && !daemon->access().empty();
  }));
}

TEST_F(AccessLog, AFullPipeNeverBlocksAHit) {
  origin.on("/a", Reply::fresh());
  start("log: {access: {output: /dev/full, format: json, flush: 1ms, buffer: 4KiB}}\nroutes: [{path: /**}]\n");
  auto c = connect();
  for (int i = 0; i < 500; ++i) EXPECT_EQ(c.get("/a").status, 200);
}

}  // namespace
}  // namespace forebay::test
