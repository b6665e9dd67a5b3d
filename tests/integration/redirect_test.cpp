// Routes that redirect: the target, the requests that they take, and what counts them.
#include "support/command.hpp"
#include "support/forebay_test.hpp"

namespace forebay::test {
namespace {

class Redirect : public ForebayTest {
 protected:
  Redirect() {
    origin.otherwise([](const Received&) { return Reply().body("origin"); });
  }
  std::string location(std::string_view target, const FieldLines& fields = {}) {
    return get(target, fields).get("Location");
  }
};

TEST_F(Redirect, AnswersByTheTargetWithPartsOfTheRequest) {
  start(
      "routes:\n"
      "  - { path: \"/old/{id}\", redirect: { status: 308, to: \"https://{host}/new/{id}?{query}\" } }\n"
      "  - { path: \"/moved/{rest+}\", redirect: { to: \"/{rest}\" } }\n"
      "  - { path: /blog, redirect: { status: 301, to: \"https://blog.example.com/\" } }\n"
      "  - { path: /** }\n");
  const auto a = get("/old/7?a=1", {{"Host", "shop.test:8080"}});
  EXPECT_EQ(a.status, 308);
  EXPECT_EQ(a.get("Location"), "https://shop.test/new/7?a=1");
  EXPECT_EQ(a.get("Content-Length"), "0");
  EXPECT_TRUE(a.has("Date"));
  EXPECT_EQ(a.x_cache(), "BYPASS");
  EXPECT_FALSE(a.has("Cache-Status")) << "it was not forwarded";
  EXPECT_EQ(get("/moved/a/b").status, 302);
  EXPECT_EQ(location("/moved/a/b"), "/a/b");
  EXPECT_EQ(location("/moved//evil.example/"), "/evil.example/") << "a path, and no other host";
  EXPECT_EQ(location("/moved/%0d%0aSet-Cookie:a"), "/%0D%0ASet-Cookie:a");
  EXPECT_EQ(location("/blog"), "https://blog.example.com/");
  EXPECT_EQ(origin.count(), 0u);
  EXPECT_EQ(get("/other").body, "origin");
}

TEST_F(Redirect, TakesAllMethodsAndReadsNoContent) {
  start(
      "routes: [{path: /a, redirect: {status: 307, to: /b}}, {path: /c, methods: GET, redirect: {to: /b}}, {path: "
      "/**}]\n");
  auto c = connect();
  for (const auto* method : {"POST", "PUT", "HEAD", "DELETE", "BREW"}) {
    const auto a = c.ask(method, "/a", {}, method == std::string("POST") ? "content" : "");
    EXPECT_EQ(a.status, 307) << method;
    EXPECT_EQ(a.body, "") << method;
  }
  EXPECT_EQ(ask("POST", "/c").body, "origin") << "the route has methods of its own";
}

TEST_F(Redirect, IsCountedAndLoggedAsBypass) {
  start("routes: [{name: moved, path: /a, redirect: {to: /b}}]\n");
  get("/a");
  const auto line = access_line("/a");
  EXPECT_EQ(line.at("cache.result"), "bypass");
  EXPECT_EQ(line.at("cache.reason"), "redirect");
  EXPECT_EQ(line.at("status"), "302");
  EXPECT_EQ(line.at("route"), "moved");
  EXPECT_TRUE(metric_reaches("forebay_requests_total", {{"route", "moved"}, {"code", "3xx"}}, 1));
  EXPECT_TRUE(metric_reaches("forebay_cache_requests_total", {{"route", "moved"}, {"result", "bypass"}}, 1));
  EXPECT_EQ(metric("forebay_request_errors_total"), 0);
}

TEST_F(Redirect, ToHttpsTakesRequestsOverHttpAlone) {
  FOREBAY_NOT_OVER_TLS("requests over https are not redirected");
  start("server: {trusted_proxies: [127.0.0.1]}\nroutes: [{path: /**, redirect: https}, {path: /**}]\n");
  const auto a = get("/a?b=1", {{"Host", "shop.test:8080"}});
  EXPECT_EQ(a.status, 308);
  EXPECT_EQ(a.get("Location"), "https://shop.test/a?b=1");
  EXPECT_EQ(get("/a", {{"X-Forwarded-Proto", "https"}}).body, "origin") << "no loop behind a proxy that ends TLS";
  EXPECT_EQ(get("/a", {{"X-Forwarded-Proto", "http"}}).status, 308);
}

TEST_F(Redirect, ToHttpsMayNameAPort) {
  FOREBAY_NOT_OVER_TLS("requests over https are not redirected");
  start("routes: [{path: /a, redirect: https:8443}, {path: /**, redirect: {to: https:9443, status: 301}}]\n");
  EXPECT_EQ(location("/a?b", {{"Host", "shop.test:8080"}}), "https://shop.test:8443/a?b");
  EXPECT_EQ(location("/c", {{"Host", "shop.test"}}), "https://shop.test:9443/c");
  EXPECT_EQ(get("/c").status, 301);
}

TEST_F(Redirect, ToHttpsDoesNotBelieveAPeerThatIsNotTrusted) {
  FOREBAY_NOT_OVER_TLS("requests over https are not redirected");
  start("routes: [{path: /**, redirect: https}, {path: /**}]\n");
  EXPECT_EQ(get("/a", {{"X-Forwarded-Proto", "https"}}).status, 308);
  EXPECT_EQ(send_raw("GET /a HTTP/1.0\r\n\r\n").status, 400) << "without a host there is no such URL";
}

TEST_F(Redirect, HasTheFieldsThatTheRouteSets) {
  start("routes: [{path: /a, redirect: {to: /b}, response_headers: {set: {Cache-Control: max-age=60}}}]\n");
  EXPECT_EQ(get("/a").get("Cache-Control"), "max-age=60");
}

TEST_F(Redirect, NeedsNoOrigin) {
  start_without_origin("routes: [{path: /**, redirect: {to: \"https://example.com{path}?{query}\"}}]\n");
  EXPECT_EQ(location("/a?b"), "https://example.com/a?b");
}

TEST_F(Redirect, IsExplained) {
  start("server: {trusted_proxies: [10.0.0.1]}\nroutes: [{name: tls, path: /**, redirect: https}, {path: /**}]\n");
  const auto explained = [&](const std::string& url) {
    return run_forebay({"explain", "-c", daemon->config_path(), url}).out;
  };
  const auto plain = explained("http://shop.test/a?b");
  EXPECT_THAT(plain, HasSubstr("not looked up: redirect")) << plain;
  EXPECT_THAT(plain, HasSubstr("Forebay's own answer, 308")) << plain;
  EXPECT_THAT(plain, HasSubstr("308 with Location: https://shop.test/a?b (redirect)")) << plain;
  const auto secure = explained("https://shop.test/a");
  EXPECT_THAT(secure, HasSubstr("tls: it redirects requests over http alone")) << secure;
  EXPECT_THAT(secure, HasSubstr("forebay; fwd=uri-miss")) << secure;
}

}  // namespace
}  // namespace forebay::test
