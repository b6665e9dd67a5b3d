// One line for each request, with the fields of docs/logging.md.
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
  EXPECT_EQ(miss["scheme"], scheme());
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

TEST_F(AccessLog, TheSchemeIsTheRequestsAsInTheKey) {
  start("server: {threads: 1, trusted_proxies: [127.0.0.0/8]}\nroutes: [{path: /**}]\n");
  get("/said", {{"X-Forwarded-Proto", "https"}});
  get("/refused", {{"X-Forwarded-Proto", "https"}, {"Host", "two hosts"}});
  get("/unsaid");
  ASSERT_TRUE(eventually([&] { return daemon->access().size() == 3; }));
  std::map<std::string, std::string> schemes;
  for (auto& line : daemon->access()) schemes[line["path"]] = line["scheme"];
  EXPECT_EQ(schemes["/said"], "https");
  EXPECT_EQ(schemes["/refused"], "https");
  EXPECT_EQ(schemes["/unsaid"], scheme());
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

TEST_F(AccessLog, ARefusalSaysWhatWasAskedAndWhy) {
  start(
      "server: {limits: {request_target: 1KiB, request_header: 4KiB, header_count: 20, request_body: 1KiB}}\n"
      "routes: [{path: /**}]\n");
  FieldLines many;
  for (int i = 0; i < 30; ++i) many.emplace_back("X" + std::to_string(i), "v");
  const std::string large(5000, 'a');
  const struct {
    Answer answer;
    const char *path, *method, *code, *says;
  } all[] = {
      {send_raw("GET /r400?token=s3 HTTP/1.1\r\nHost: a\r\nX-Request-Id: r400\r\nbad line\r\n\r\n"), "/r400", "GET",
       "bad_request", "malformed"},
      {send_raw("GET /nohost HTTP/1.1\r\n\r\n"), "/nohost", "GET", "bad_request", "Host field is missing"},
      {send_raw("GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n"), "/%zz", "GET", "bad_request", "target is invalid"},
      {ask("POST", "/r413", {}, large), "/r413", "POST", "body_too_large", "1024 bytes (server.limits.request_body)"},
      {ask("POST", "/r417", {{"Expect", "x"}}, "x"), "/r417", "POST", "expectation_failed", "100-continue"},
      {get("/r431", {{"X", large}}), "/r431", "GET", "header_too_large", "4096 bytes (server.limits.request_header)"},
      {get("/r431many", many), "/r431many", "GET", "header_too_large", "20 (server.limits.header_count)"},
      {send_raw("GET /r505 HTTP/3.0\r\nHost: a\r\n\r\n"), "/r505", "GET", "version_not_supported",
       "Only HTTP/1.1 and HTTP/1.0"},
      {ask("TRACE", "/r405"), "/r405", "TRACE", "method_not_allowed", "not supported"},
      {send_raw("CONNECT shop.test:443 HTTP/1.1\r\nHost: shop.test:443\r\n\r\n"), "shop.test:443", "CONNECT",
       "method_not_allowed", "not supported"},
  };
  for (const auto& one : all) {
    auto line = access_line(one.path);
    EXPECT_EQ(line["method"], one.method) << one.path;
    EXPECT_EQ(line["status"], std::to_string(one.answer.status)) << one.path;
    EXPECT_EQ(line["error.code"], one.code) << one.path;
    EXPECT_THAT(line["error.detail"], HasSubstr(one.says)) << one.path;
    EXPECT_EQ(line["bytes_out"], std::to_string(one.answer.body.size())) << one.path;
    EXPECT_EQ(line["request_id"], one.answer.get("X-Request-Id")) << one.path;
  }
  auto line = access_line("/r400");
  EXPECT_EQ(line["query"], "token=s3");
  EXPECT_EQ(line["request_id"], "r400") << "the client's own";

  const auto long_one = get("/r414" + std::string(2000, 'a'));
  EXPECT_EQ(long_one.status, 414);
  line = access_line("/r414" + std::string(251, 'a') + "...");
  EXPECT_EQ(line["error.code"], "target_too_long");
}

TEST_F(AccessLog, AClientThatSpeaksTlsOrHttp2IsToldApart) {
  start("listen: [{address: '127.0.0.1:0', http2: false}]\nroutes: [{path: /**}]\n");
  const auto tls = send_raw("\x16\x03\x01\x02\x40\x01");
  EXPECT_EQ(tls.status, 400);
  EXPECT_THAT(tls.body, HasSubstr("uses TLS"));
  const auto h2 = send_raw("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  EXPECT_EQ(h2.status, 505);
  EXPECT_THAT(h2.body, HasSubstr("uses HTTP/2"));
  EXPECT_TRUE(eventually([&] {
    const auto lines = daemon->access();
    return std::any_of(lines.begin(), lines.end(), [](auto line) {
      return line["error.detail"].find("uses TLS") != std::string::npos && !line.contains("method");
    });
  }));
}

TEST_F(AccessLog, AnErrorOfContentOrOfTheOriginHasItsCause) {
  origin.on("/down", Reply::hang_up(End::Rst));
  start("server: {timeouts: {body: 200ms}}\nroutes: [{path: /**, methods: [GET, POST]}]\n");
  auto c = connect();
  c.send("POST /late HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 100\r\n\r\nhalf");
  EXPECT_EQ(c.read().status, 408);
  auto line = access_line("/late");
  EXPECT_EQ(line["error.code"], "client_timeout");
  EXPECT_THAT(line["error.detail"], HasSubstr("server.timeouts.body"));
  EXPECT_THAT(get("/down").body, HasSubstr("The origin closed the connection before it answered."));
  line = access_line("/down");
  EXPECT_EQ(line["error.code"], "connect");
  EXPECT_EQ(line["origin.error"], "reset");
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
