// Every error of Forebay is an RFC 9457 document that helps the caller and shows nothing internal.
#include "support/forebay_test.hpp"
#include "support/json.hpp"

namespace forebay::test {
namespace {

class Errors : public ForebayTest {};

TEST_F(Errors, EveryOwnErrorIsAProblemDocumentWithAStableType) {
  origin.on("/down", Reply::hang_up(End::Rst));
  origin.on("/slow", Reply::silence());
  start(patient_and_hasty("timeouts: {first_byte: 100ms}") +
        "server: {threads: 1, limits: {request_target: 1KiB, request_header: 4KiB, request_body: 1KiB}}\nroutes: "
        "[{path: /slow, origin: hasty}, {path: /**}]\n");
  const std::pair<Answer, int> all[] = {
      {get("/down"), 502},
      {get("/slow"), 504},
      {get("/x", {{"Cache-Control", "only-if-cached"}}), 504},
      {send_raw("GET / HTTP/1.1\r\n\r\n"), 400},
      {get("/" + std::string(2000, 'a')), 414},
      {get("/", {{"X", std::string(5000, 'a')}}), 431},
      {ask("POST", "/", {}, std::string(5000, 'a')), 413},
      {ask("TRACE", "/"), 405},
      {ask("POST", "/", {{"Expect", "x"}}, "x"), 417},
  };
  std::map<std::string, int> types;
  for (const auto& [a, status] : all) {
    ASSERT_TRUE(is_problem(a, status)) << status << a;
    auto json = *flatten_json(a.body);
    EXPECT_NE(json["type"], "") << a.body;
    EXPECT_NE(json["title"], "") << a.body;
    EXPECT_FALSE(a.has("Cache-Status"));
    EXPECT_THAT(a.body, Not(HasSubstr("127.0.0.1"))) << "no origin internals";
    EXPECT_THAT(a.body, Not(HasSubstr(std::to_string(origin.port()))));
    EXPECT_TRUE(a.has("Date"));
  }
}

TEST_F(Errors, TheDocumentCarriesTheRequestId) {
  origin.on("/down", Reply::hang_up(End::Rst));
  start();
  const auto a = get("/down");
  const auto line = access_line("/down");
  const auto id = line.find("request_id");
  ASSERT_NE(id, line.end());
  EXPECT_THAT(a.body, HasSubstr(id->second));
}

TEST_F(Errors, WhatIsRefusedBeforeARouteCarriesTheIdThatTheLogHas) {
  origin.on("/a", Reply::fresh("ten bytes."));
  start(
      "server: {limits: {request_target: 1KiB, request_header: 4KiB, header_count: 20, request_body: 1KiB}, timeouts: "
      "{header: 5m}}\nroutes: [{path: /**}]\n");
  FieldLines many;
  for (int i = 0; i < 30; ++i) many.emplace_back("X" + std::to_string(i), "v");
  EXPECT_EQ(get("/a").status, 200);
  const struct {
    Answer answer;
    int status;
    const char* says;
  } all[] = {
      {send_raw("GET / HTTP/1.1\r\n\r\n"), 400, "Host field is missing"},
      {send_raw("GET / HTTP/3.0\r\nHost: a\r\n\r\n"), 505, "HTTP/1.1 and HTTP/1.0"},
      {get("/" + std::string(2000, 'a')), 414, "1024 bytes (server.limits.request_target)"},
      {get("/", {{"X", std::string(5000, 'a')}}), 431, "4096 bytes (server.limits.request_header)"},
      {get("/", many), 431, "20 (server.limits.header_count)"},
      {ask("POST", "/", {}, std::string(5000, 'a')), 413, "1024 bytes (server.limits.request_body)"},
      {ask("POST", "/", {{"Transfer-Encoding", "chunked"}}, "7d0\r\n" + std::string(2000, 'a') + "\r\n0\r\n\r\n"), 413,
       "1024 bytes (server.limits.request_body)"},
      {ask("POST", "/", {{"Expect", "x"}}, "x"), 417, "100-continue"},
      {get("/a", {{"Range", "bytes=100-"}}), 416, "which has 10 bytes"},
  };
  for (const auto& one : all) {
    EXPECT_TRUE(is_problem(one.answer, one.status)) << one.status << one.answer;
    EXPECT_THAT(one.answer.body, HasSubstr(one.says)) << one.status;
    const auto id = one.answer.get("X-Request-Id");
    EXPECT_EQ(id.size(), 32u) << one.status << one.answer;
    EXPECT_THAT(one.answer.body, HasSubstr("\"request_id\":\"" + id + '"')) << one.status;
    EXPECT_TRUE(eventually([&] {
      auto lines = daemon->access();
      return std::any_of(lines.begin(), lines.end(), [&](auto& line) { return line["request_id"] == id; });
    })) << one.status;
  }
  const auto own = ask("POST", "/", {{"Expect", "x"}, {"X-Request-Id", "mine"}}, "x");
  EXPECT_THAT(own.body, HasSubstr("\"request_id\":\"mine\""));
  EXPECT_THAT(get("/a", {{"Range", "bytes=100-"}, {"X-Request-Id", "mine-too"}}).body, HasSubstr("\"mine-too\""));
}

TEST_F(Errors, LateContentNamesItsSettingAndItsRequest) {
  start("server: {timeouts: {body: 200ms}}\nroutes: [{path: /**, methods: [GET, POST]}]\n");
  auto c = connect();
  c.send("POST /late HTTP/1.1\r\nHost: shop.test\r\nX-Request-Id: mine\r\nContent-Length: 100\r\n\r\nhalf");
  const auto a = c.read();
  EXPECT_TRUE(is_problem(a, 408)) << a;
  EXPECT_THAT(a.body, HasSubstr("server.timeouts.body"));
  EXPECT_THAT(a.body, HasSubstr("\"request_id\":\"mine\""));
  EXPECT_EQ(access_line("/late")["request_id"], "mine");
}

TEST_F(Errors, NoIdIsMadeWhereNoneIsWanted) {
  start("tracing: {request_id: off}\nroutes: [{path: /**}]\n");
  const auto a = send_raw("GET / HTTP/1.1\r\n\r\n");
  EXPECT_TRUE(is_problem(a, 400)) << a;
  EXPECT_THAT(a.body, Not(HasSubstr("request_id")));
  EXPECT_FALSE(a.has("X-Request-Id"));
}

TEST_F(Errors, TheFormFollowsAccept) {
  origin.on("/down", Reply::hang_up(End::Rst));
  start();
  EXPECT_THAT(get("/down", {{"Accept", "text/html,application/xhtml+xml,*/*;q=0.8"}}).get("Content-Type"),
              StartsWith("text/html"));
  EXPECT_THAT(get("/down", {{"Accept", "text/plain"}}).get("Content-Type"), StartsWith("text/plain"));
  for (const auto* accept : {"*/*", "application/json", "application/problem+json", ""})
    EXPECT_THAT(get("/down", {{"Accept", accept}}).get("Content-Type"), StartsWith("application/problem+json"))
        << accept;
}

TEST_F(Errors, NothingOfTheRequestIsEchoedAsHtml) {
  origin.on("/<script>", Reply::hang_up(End::Rst));
  start();
  const auto a = get("/%3Cscript%3Ealert(1)%3C/script%3E", {{"Accept", "text/html"}, {"X-Request-Id", "<script>"}});
  EXPECT_THAT(a.body, Not(HasSubstr("<script>")));
}

TEST_F(Errors, AHeadGetsTheErrorWithoutContent) {
  origin.on("/down", Reply::hang_up(End::Rst));
  start();
  auto c = connect();
  const auto a = c.ask("HEAD", "/down");
  EXPECT_EQ(a.status, 502);
  EXPECT_EQ(c.ask("HEAD", "/down").status, 502) << "the connection is in step";
}

TEST_F(Errors, AnErrorOfTheOriginIsPassedOnAsItIs) {
  origin.on("/500", Reply(500).field("Content-Type", "text/x-own").body("own words"));
  start();
  const auto a = get("/500");
  EXPECT_EQ(a.status, 500);
  EXPECT_EQ(a.get("Content-Type"), "text/x-own");
  EXPECT_EQ(a.body, "own words");
}

}  // namespace
}  // namespace forebay::test
