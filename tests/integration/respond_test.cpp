// Routes that respond by themselves: content, fields, conditions.
#include "support/forebay_test.hpp"

namespace forebay::test {
namespace {

class Respond : public ForebayTest {
 protected:
  Respond() {
    origin.otherwise([](const Received&) { return Reply().body("origin"); });
  }
  TempDir files;
};

TEST_F(Respond, AnswersByTheContentOfTheConfiguration) {
  start(
      "routes:\n"
      "  - { path: /robots.txt, respond: { body: \"User-agent: *\\nDisallow: /\\n\" } }\n"
      "  - { path: /down, respond: { status: 503, headers: { Retry-After: \"60\", Content-Type: text/html }, body: "
      "<h1>down } }\n"
      "  - { path: /gone, respond: 410 }\n"
      "  - { path: /none, respond: { status: 204 } }\n"
      "  - { path: /** }\n");
  const auto robots = get("/robots.txt");
  EXPECT_EQ(robots.status, 200);
  EXPECT_EQ(robots.body, "User-agent: *\nDisallow: /\n");
  EXPECT_EQ(robots.get("Content-Type"), "text/plain; charset=utf-8");
  EXPECT_EQ(robots.get("Content-Length"), std::to_string(robots.body.size()));
  EXPECT_EQ(robots.x_cache(), "BYPASS");
  EXPECT_FALSE(robots.has("Cache-Status"));
  EXPECT_TRUE(robots.has("Date"));
  const auto down = ask("POST", "/down", {}, "content");
  EXPECT_EQ(down.status, 503);
  EXPECT_EQ(down.get("Retry-After"), "60");
  EXPECT_EQ(down.get("Content-Type"), "text/html");
  EXPECT_EQ(down.body, "<h1>down");
  EXPECT_EQ(get("/gone").status, 410);
  EXPECT_EQ(get("/gone").get("Content-Length"), "0");
  const auto none = get("/none");
  EXPECT_EQ(none.status, 204);
  EXPECT_FALSE(none.has("Content-Length"));
  EXPECT_EQ(origin.count(), 0u);
  const auto line = access_line("/gone");
  EXPECT_EQ(line.at("cache.result"), "bypass");
  EXPECT_EQ(line.at("cache.reason"), "respond");
  EXPECT_TRUE(metric_reaches("forebay_requests_total", {{"code", "5xx"}}, 1));
  EXPECT_EQ(metric("forebay_request_errors_total"), 0) << "a maintenance page is no error of Forebay";
}

TEST_F(Respond, AnswersHeadAndConditionsByTheEntityTag) {
  start("routes: [{path: /a, respond: {body: text, headers: {Cache-Control: max-age=60, X-One: a}}}]\n");
  const auto a = get("/a");
  const auto tag = a.get("ETag");
  EXPECT_THAT(tag, MatchesRegex("\"[0-9a-f]{32}\""));
  const auto head = ask("HEAD", "/a");
  EXPECT_EQ(head.get("Content-Length"), "4");
  EXPECT_EQ(head.get("ETag"), tag);
  EXPECT_EQ(head.body, "");
  const auto unchanged = get("/a", {{"If-None-Match", tag}});
  EXPECT_EQ(unchanged.status, 304);
  EXPECT_EQ(unchanged.get("ETag"), tag);
  EXPECT_EQ(unchanged.get("Cache-Control"), "max-age=60");
  EXPECT_FALSE(unchanged.has("X-One"));
  EXPECT_EQ(get("/a", {{"If-None-Match", "\"other\""}}).body, "text");
  EXPECT_EQ(get("/a", {{"Range", "bytes=0-1"}}).body, "text") << "a range may be ignored (RFC 9110 section 14.2)";
}

TEST_F(Respond, ReadsAFileAtStartAndAtReload) {
  const auto page = files.file("page.html"), icon = files.file("icon.svg"), bytes = files.file("bytes");
  write_file(page, "<h1>one</h1>");
  write_file(icon, "<svg/>");
  write_file(bytes, std::string("\0\1", 2));
  const auto yaml = with_origin("routes:\n  - { path: /page, respond: { status: 503, file: " + page +
                                " } }\n  - { path: /icon, respond: { file: " + icon +
                                " } }\n  - { path: /bytes, respond: { file: " + bytes + " } }\n");
  start(yaml);
  EXPECT_EQ(get("/page").body, "<h1>one</h1>");
  EXPECT_EQ(get("/page").get("Content-Type"), "text/html; charset=utf-8");
  EXPECT_EQ(get("/icon").get("Content-Type"), "image/svg+xml");
  EXPECT_EQ(get("/bytes").get("Content-Type"), "application/octet-stream");
  EXPECT_EQ(get("/bytes").body, std::string("\0\1", 2));
  write_file(page, "<h1>two</h1>");
  EXPECT_EQ(get("/page").body, "<h1>one</h1>") << "only a reload reads it again";
  daemon->reload(yaml);
  EXPECT_TRUE(eventually([&] { return get("/page").body == "<h1>two</h1>"; }));
  write_file(page, std::string(64 * 1024 + 1, 'x'));
  daemon->reload(yaml);
  EXPECT_TRUE(eventually([&] { return daemon->log().find("FB1032") != std::string::npos; }));
  EXPECT_EQ(get("/page").body, "<h1>two</h1>") << "a rejected reload changes nothing";
  write_file(page, std::string(64 * 1024, 'x'));
  daemon->reload(yaml);
  EXPECT_TRUE(eventually([&] { return get("/page").body.size() == 64 * 1024; }));
}

TEST_F(Respond, HasTheFieldsOfTheRouteToo) {
  start(
      "routes: [{path: /a, respond: {body: a, headers: {X-One: a, X-Two: b}}, "
      "response_headers: {set: {X-One: c, Strict-Transport-Security: max-age=31536000}, remove: [X-Two]}}]\n");
  const auto a = get("/a");
  EXPECT_EQ(a.get("X-One"), "c");
  EXPECT_FALSE(a.has("X-Two"));
  EXPECT_EQ(a.get("Strict-Transport-Security"), "max-age=31536000");
}

TEST_F(Respond, TakesOnlyWhatMeetsTheConditionsOfItsRoute) {
  start("routes: [{path: /**, match: {headers: {X-Bot: true}}, respond: 403}, {path: /**}]\n");
  EXPECT_EQ(get("/a", {{"X-Bot", "1"}}).status, 403);
  EXPECT_EQ(get("/a").body, "origin");
}

TEST_F(Respond, PipelinedAnswersComeInOrder) {
  start("routes: [{path: /a, respond: {body: a}}, {path: /b, redirect: {to: /a}}, {path: /**}]\n");
  auto c = connect();
  for (const auto* path : {"/a", "/x", "/b", "/a"}) c.request("GET", path);
  EXPECT_EQ(c.read().body, "a");
  EXPECT_EQ(c.read().body, "origin");
  EXPECT_EQ(c.read().status, 302);
  EXPECT_EQ(c.read().body, "a");
}

}  // namespace
}  // namespace forebay::test
