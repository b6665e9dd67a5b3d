#include "probe/probe_case.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "forebay/config/load.hpp"

namespace forebay::probe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const std::string kCanary = "kwxqzvjp";

/// A configuration, and what is probed under it.
struct Case {
  explicit Case(const std::string& yaml) : config(load(yaml)), routes(*config), prober(*config, routes, {}) {}
  Case(const Case&) = delete;

  static config::ConfigPtr load(const std::string& yaml) {
    config::LoadRequest request;
    request.file = "test.yaml";
    request.text = "origin: http://web.internal:3000\n" + yaml;
    config::Surroundings machine;
    machine.memory_limit = std::uint64_t{8} << 30;
    const auto result = config::load(request, machine);
    if (!result.ok()) throw std::runtime_error(config::to_text(result.diagnostics));
    return result.config;
  }
  ProbeTarget target(const std::string& path = "/a") const {
    const auto found = prober.targets({path});
    if (found.targets.empty()) throw std::runtime_error("no target");
    return found.targets.front();
  }
  Way way(const std::string& name) const { return prober.way(target(), probe_field(name, kCanary)); }

  config::ConfigPtr config;
  config::RouteTable routes;
  Prober prober;
};

std::vector<std::string> urls(const ProbeTargets& targets) {
  std::vector<std::string> out;
  for (const auto& t : targets.targets) out.push_back(t.route->name + ' ' + t.url);
  return out;
}

ProbeAnswer answer(const std::vector<std::pair<const char*, std::string>>& lines, std::string content = "page",
                   int status = 200) {
  ProbeAnswer a;
  a.status = status;
  a.content = std::move(content);
  for (const auto& [name, value] : lines) a.fields.add(name, value);
  return a;
}

TEST(ProbeTargets, AreOneForEachRouteThatCachesGet) {
  const Case c(
      "routes:\n"
      "  - {name: user, path: '/users/{id}'}\n"
      "  - {name: files, path: '/files/{rest+}', host: '*.shop.test'}\n"
      "  - {name: post, path: /post, methods: POST}\n"
      "  - {name: off, path: /off, cache: false}\n"
      "  - {name: all, path: /**}\n");
  const auto found = c.prober.targets({});
  EXPECT_THAT(urls(found), ElementsAre("user http://web.internal:3000/users/1", "files http://www.shop.test/files/1",
                                       "all http://web.internal:3000/"));
  EXPECT_THAT(found.notes, IsEmpty());
  EXPECT_THAT(found.left_out, ElementsAre("post (no GET)", "off (cache: false)"));
}

TEST(ProbeTargets, SayWhichRoutesHaveNone) {
  const Case c(
      "routes:\n"
      "  - {name: regex, path: '~ ^/v[0-9]+$'}\n"
      "  - {name: one, path: /users/1}\n"
      "  - {name: user, path: '/users/{id}'}\n"
      "  - {name: kept, path: /kept, bypass: {headers: [accept]}}\n");
  const auto found = c.prober.targets({});
  EXPECT_THAT(urls(found), ElementsAre("one http://web.internal:3000/users/1"));
  EXPECT_THAT(found.notes, ElementsAre(HasSubstr("\"regex\": its path is a regular expression"),
                                       HasSubstr("\"user\": another route matches /users/1"),
                                       HasSubstr("\"kept\": /kept is not looked up (rule_header)")));
}

TEST(ProbeTargets, FollowPathsAndUrlsToTheirRoutes) {
  const Case c(
      "routes:\n"
      "  - {name: shop, path: /x, host: shop.test}\n"
      "  - {name: blog, path: /x, host: blog.test}\n"
      "  - {name: regex, path: '~ ^/v[0-9]+$', rewrite: {add_prefix: /in}}\n"
      "  - {name: post, path: /post, methods: POST}\n");
  EXPECT_THAT(urls(c.prober.targets({"/x"})), ElementsAre("shop http://shop.test/x", "blog http://blog.test/x"));
  EXPECT_THAT(urls(c.prober.targets({"http://blog.test/x?a=1"})), ElementsAre("blog http://blog.test/x?a=1"));
  const auto regex = c.prober.targets({"/v1", "/v1"});
  EXPECT_THAT(urls(regex), ElementsAre("regex http://web.internal:3000/v1")) << "once";
  EXPECT_EQ(regex.targets[0].target, "/in/v1");
  const auto none = c.prober.targets({"/post", "/elsewhere", "no-path", "http://other.test/x", "/a b"});
  EXPECT_THAT(none.targets, IsEmpty());
  EXPECT_EQ(none.missed.size(), 5u);
}

TEST(ProbeWay, OfWhatNobodyNamesIsOpen) {
  const Case c("routes: [{path: /**}]\n");
  for (const char* name : {"Accept-Language", "User-Agent", "Origin", "Referer", "Cookie", "X-Theme", "Accept"})
    EXPECT_EQ(c.way(name), Way::Open) << name;
}

TEST(ProbeWay, OfWhatForebayTakesAwayIsClosedUnlessProxiesAreTrusted) {
  const std::pair<const char*, Way> names[] = {
      {"X-Forwarded-Host", Way::Keyed},   {"X-Forwarded-Scheme", Way::Keyed}, {"X-Host", Way::Keyed},
      {"X-Forwarded-Prefix", Way::Keyed}, {"X_Forwarded_Host", Way::Closed},  {"X-Real-IP", Way::Trusted},
      {"X-Original-URL", Way::Closed},    {"X-Rewrite-URL", Way::Closed},     {"X-HTTP-Method-Override", Way::Closed},
  };
  const Case plain("routes: [{path: /**}]\n");
  const Case behind("server: {trusted_proxies: [10.0.0.0/8]}\nroutes: [{path: /**}]\n");
  for (const auto& [name, way] : names) {
    EXPECT_EQ(plain.way(name), Way::Closed) << name;
    EXPECT_EQ(behind.way(name), way) << name;
  }
  EXPECT_EQ(plain.way("X-Forwarded-Proto"), Way::Closed);
  EXPECT_EQ(behind.way("X-Forwarded-Proto"), Way::Keyed) << "it is the scheme";
  const Case set("server: {trusted_proxies: [10.0.0.0/8], forwarded: set}\nroutes: [{path: /**}]\n");
  EXPECT_EQ(set.way("X-Forwarded-Host"), Way::Closed);
}

TEST(ProbeWay, FollowsKeyBypassAndRequestHeaders) {
  const Case c(
      "routes: [{path: /**, key: {headers: [X-Host, Accept-Language], cookies: ['*']}, bypass: {headers: [x-debug*]}, "
      "request_headers: {remove: [Referer], set: {Origin: 'http://self'}}}]\n");
  EXPECT_EQ(c.way("X-Host"), Way::Keyed);
  EXPECT_EQ(c.way("accept-language"), Way::Keyed);
  EXPECT_EQ(c.way("Cookie"), Way::Keyed);
  EXPECT_EQ(c.way("X-Debug-Level"), Way::Bypassed);
  EXPECT_EQ(c.way("Referer"), Way::Closed);
  EXPECT_EQ(c.way("Origin"), Way::Closed);
  EXPECT_EQ(c.way("User-Agent"), Way::Open);
}

TEST(ProbeRequest, IsTheProxysWithARandomParameter) {
  const Case c("routes: [{path: '/a/**', rewrite: {strip_prefix: /a, add_prefix: /in}, key: {query: none}}]\n");
  const auto field = probe_field("X-Theme", kCanary);
  const auto text = c.prober.request(c.target("/a/b?c=1"), &field, Way::Open, "zzzz");
  EXPECT_THAT(text, testing::StartsWith("GET /in/b?c=1&forebay-probe=zzzz HTTP/1.1\r\nHost: web.internal:3000\r\n"));
  EXPECT_THAT(text, HasSubstr("\r\nX-Theme: " + kCanary + "\r\n"));
  EXPECT_THAT(text, HasSubstr("\r\nX-Forwarded-Host: web.internal:3000\r\n"));
  EXPECT_THAT(text, testing::EndsWith("\r\nConnection: close\r\n\r\n"));
  const auto host = probe_field("X-Host", kCanary);
  EXPECT_THAT(c.prober.request(c.target("/a/b"), &host, Way::Open, "z"), Not(HasSubstr(kCanary)));
  EXPECT_THAT(c.prober.request(c.target("/a/b"), &host, Way::Trusted, "z"), HasSubstr(kCanary));
  EXPECT_THAT(c.prober.request(c.target("/a/b"), &host, Way::Closed, "z"), HasSubstr(kCanary));
}

class Shown : public testing::Test {
 protected:
  Showing showing(const ProbeAnswer& with, const ProbeAnswer& second = answer({}), const char* name = "X-Theme") {
    return c_.prober.showing(c_.target(), probe_field(name, kCanary), answer({}), second, with);
  }
  Case c_{"routes: [{path: /**, response_headers: {remove: [X-Debug]}}]\n"};
};

TEST_F(Shown, IsTheCanaryInAFieldOrInTheContentInAnyCase) {
  const auto field = showing(answer({{"Location", "https://KWXqzvjp.example/"}}));
  EXPECT_EQ(field.kind, Showing::Kind::Field);
  EXPECT_EQ(field.field, "Location");
  EXPECT_EQ(showing(answer({}, "<a href=//kwxqzvjp.example>")).kind, Showing::Kind::Content);
  EXPECT_EQ(showing(answer({}, "<a href=//kwxqzvj.example>"), answer({}, "other")).kind, Showing::Kind::Nothing);
  EXPECT_FALSE(showing(answer({{"X-Debug", kCanary}}))) << "no client sees it";
}

TEST_F(Shown, IsAnotherStatusWhereItWasTheSameTwice) {
  const auto status = showing(answer({}, "page", 404));
  EXPECT_EQ(status.kind, Showing::Kind::Status);
  EXPECT_EQ(status.before, 200);
  EXPECT_EQ(status.after, 404);
  EXPECT_FALSE(showing(answer({}, "page", 404), answer({}, "page", 503)));
}

TEST_F(Shown, IsOtherContentWhereItWasTheSameTwice) {
  EXPECT_EQ(showing(answer({}, "side")).kind, Showing::Kind::Change);
  EXPECT_FALSE(showing(answer({}, "side"), answer({}, "page 2")));
  EXPECT_EQ(showing(answer({{"Content-Language", "de"}})).field, "Content-Language");
  EXPECT_FALSE(showing(answer({{"Date", "now"}, {"ETag", "\"2\""}})));
}

TEST_F(Shown, IsNothingThatVaryNames) {
  EXPECT_FALSE(showing(answer({{"Vary", "Accept-Encoding, x-theme"}}, kCanary)));
  EXPECT_FALSE(showing(answer({{"Vary", "*"}}, kCanary)));
  EXPECT_TRUE(showing(answer({{"Vary", "X-Other"}}, kCanary)));
  const Case deaf("routes: [{path: /**, vary: ignore}]\n");
  EXPECT_TRUE(deaf.prober.showing(deaf.target(), probe_field("X-Theme", kCanary), answer({}), answer({}),
                                  answer({{"Vary", "X-Theme"}}, kCanary)));
}

TEST(ProbeAnswer, IsReadWithoutCodingAndWithoutTheToken) {
  http::Fields fields;
  fields.add("Link", "</a?forebay-probe=zzzz>; rel=canonical");
  const auto a = probe_answer(200, fields, "see /a?forebay-probe=zzzz here", "zzzz");
  EXPECT_EQ(a.fields.view().value("Link"), "</a?forebay-probe=>; rel=canonical");
  EXPECT_EQ(a.content, "see /a?forebay-probe= here");
  EXPECT_EQ(probe_answer(200, {}, std::string(2 * kProbeContent, 'x'), "zzzz").content.size(), kProbeContent);
  fields.add("Content-Encoding", "gzip");
  EXPECT_EQ(probe_answer(200, fields, "no gzip", "zzzz").content, "no gzip");
}

TEST(ProbeKeeping, IsJudgedAsTheProxyWould) {
  const Case c("routes: [{path: /ttl, ttl: 30s}, {path: /**}]\n");
  const auto keeping = [&](const char* path, const char* name, const ProbeAnswer& a) {
    return c.prober.keeping(c.target(path), probe_field(name, kCanary), a);
  };
  EXPECT_EQ(keeping("/ttl", "X-Theme", answer({})), Keeping::Stored);
  EXPECT_EQ(keeping("/a", "X-Theme", answer({{"Cache-Control", "max-age=5"}})), Keeping::Stored);
  EXPECT_EQ(keeping("/a", "X-Theme", answer({})), Keeping::WithLifetime);
  EXPECT_EQ(keeping("/a", "X-Theme", answer({}, "no", 500)), Keeping::Never);
  EXPECT_EQ(keeping("/ttl", "X-Theme", answer({{"Cache-Control", "no-store"}})), Keeping::Never);
  EXPECT_EQ(keeping("/ttl", "Cookie", answer({})), Keeping::Never) << "guarded";
  EXPECT_EQ(keeping("/ttl", "Cookie", answer({{"Cache-Control", "max-age=5"}})), Keeping::Stored);
  EXPECT_EQ(keeping("/ttl", "X-Theme", answer({{"Set-Cookie", "a=b"}})), Keeping::Never);
}

TEST(ProbeMessage, NamesRouteFieldPlaceAndRemedy) {
  const Case c("routes: [{name: shop, path: /**}]\n");
  const auto field = probe_field("X-Theme", kCanary);
  EXPECT_EQ(showing_message(c.target(), field, Way::Open, {Showing::Kind::Field, "Link", 200, 200}, Keeping::Stored),
            "route \"shop\" does not have X-Theme in its key, but its response contains it: in Link of "
            "http://web.internal:3000/a");
  EXPECT_EQ(
      showing_message(c.target(), field, Way::Trusted, {Showing::Kind::Status, {}, 200, 404}, Keeping::WithLifetime),
      "route \"shop\" does not have X-Theme in its key, but its response depends on it: status 404 instead of 200 at "
      "http://web.internal:3000/a, if a trusted proxy sends it (not stored while it has no lifetime)");
  EXPECT_EQ(showing_hint(c.target(), field, Way::Open),
            "key.headers: [X-Theme], request_headers: { remove: [X-Theme] }, or Vary: X-Theme at the origin");
  EXPECT_THAT(showing_hint(c.target(), probe_field("Cookie", kCanary), Way::Open), HasSubstr("key.cookies"));
  EXPECT_THAT(showing_hint(c.target(), probe_field("X-Forwarded-Host", kCanary), Way::Trusted),
              HasSubstr("server.forwarded: set"));
}

TEST(ProbedNames, AreTheUsualOnesAndEachOfTheOthersOnce) {
  const auto names = probed_names({"x-host", "X-Theme"});
  EXPECT_EQ(std::count(names.begin(), names.end(), "X-Theme"), 1);
  EXPECT_EQ(std::count(names.begin(), names.end(), "x-host"), 0);
  for (const auto& name : names) EXPECT_THAT(probe_field(name, kCanary).value, HasSubstr(kCanary)) << name;
}

}  // namespace
}  // namespace forebay::probe
