// `forebay check --probe`: what it asks of origins, what it finds, and when it stops.
#include <algorithm>
#include <set>

#include "support/command.hpp"
#include "support/content.hpp"
#include "support/forebay_test.hpp"
#include "support/json.hpp"

namespace forebay::test {
namespace {

class Probe : public ForebayTest {
 protected:
  Outcome probe(const std::string& yaml, std::vector<std::string> more = {}) {
    std::vector<std::string> words{"check", "-c", "-", "--probe"};
    words.insert(words.end(), more.begin(), more.end());
    if (std::find(more.begin(), more.end(), "--timeout") == more.end())
      words.insert(words.end(), {"--timeout", "60s"});  // a slow machine needs more than the two seconds by default
    return run_forebay(words, {}, "origin: " + origin.url() + "\n" + yaml);
  }
  /// Answers that show this field.
  void reflect(const std::string& path, const std::string& name) {
    origin.on(path, [name](const Received& r) { return Reply::fresh("<a href=//" + r.get(name) + "/>"); });
  }
};

TEST_F(Probe, FindsAnOriginThatShowsAFieldOutsideOfTheKey) {
  reflect("/page", "X-Theme");
  const auto o = probe("routes:\n  - name: page\n    path: /page\n", {"--probe-header", "X-Theme"});
  EXPECT_EQ(o.exit, 0) << o.err;
  EXPECT_THAT(o.out,
              StartsWith("stdin:4:11: warning FB2017: route \"page\" does not have X-Theme in its key, but its "
                         "response contains it: in the content of " +
                         origin.url() + "/page\n    4 |     path: /page\n      |           ^~~~~ key.headers: "));
  EXPECT_THAT(o.err, HasSubstr("standard input: valid, 1 warning\n"));
  EXPECT_THAT(o.err, HasSubstr("probed " + origin.url() + "/page (route \"page\""));
  EXPECT_EQ(probe("routes: [{path: /page}]\n", {"--probe-header", "X-Theme", "--strict"}).exit, 3);
}

TEST_F(Probe, FindsNothingAtAnOriginThatHeedsNoField) {
  origin.otherwise([](const Received&) { return Reply::fresh(); });
  const auto o = probe("routes: [{path: /a}, {path: '/users/{id}'}, {path: /**}]\n", {"--strict"});
  EXPECT_EQ(o.exit, 0) << o.out << o.err;
  EXPECT_EQ(o.out, "");
  for (const char* path : {"/a", "/users/1", "/"}) EXPECT_GT(origin.count(path), 5u) << path;
  EXPECT_EQ(probe("routes: [{path: /a}]\n", {"--quiet"}).err, "");
}

TEST_F(Probe, LeavesOutWhatForebayTakesAwayUnlessAProxyIsTrusted) {
  reflect("/page", "X-Host");
  const auto alone = probe("routes: [{path: /page}]\n");
  EXPECT_EQ(alone.out, "");
  for (const auto& r : origin.requests("/page")) EXPECT_FALSE(r.has("X-Host"));
  const auto asked = probe("routes: [{path: /page}]\n", {"--probe-header", "X-Host", "--strict"});
  EXPECT_EQ(asked.exit, 0);
  EXPECT_THAT(asked.err, HasSubstr("the origin's response depends on X-Host, which Forebay does not forward"));
  const auto behind = probe("server: {trusted_proxies: [10.0.0.0/8]}\nroutes: [{path: /page}]\n");
  EXPECT_EQ(behind.out, "") << "what it says of the host is in the key";
  reflect("/address", "X-Real-IP");
  const auto address =
      probe("server: {trusted_proxies: [10.0.0.0/8]}\nroutes: [{path: /address}]\n", {"--probe-header", "X-Real-IP"});
  EXPECT_THAT(address.out, HasSubstr("FB2017: route \"/address\" does not have X-Real-IP in its key"));
  EXPECT_THAT(address.out, HasSubstr("if a trusted proxy sends it"));
}

TEST_F(Probe, LeavesOutWhatTheRouteKeysOnAndWhatKeepsARequestFromTheCache) {
  reflect("/page", "X-Theme");
  for (const char* more : {"key: {headers: [X-Theme]}", "bypass: {headers: [x-theme]}"}) {
    const auto o =
        probe("routes: [{path: /page, " + std::string(more) + "}]\n", {"--probe-header", "X-Theme", "--strict"});
    EXPECT_EQ(o.exit, 0) << o.out;
  }
  for (const auto& r : origin.requests("/page")) EXPECT_FALSE(r.has("X-Theme"));
}

TEST_F(Probe, FindsLanguagesThatAreNotInVary) {
  const auto in_languages = [](const char* vary) {
    return [vary](const Received& r) {
      const bool german = r.get("Accept-Language").find("de") != std::string::npos;
      auto reply = Reply::fresh(german ? "Hallo" : "Hello");
      if (*vary) reply.field("Vary", vary);
      return reply;
    };
  };
  origin.on("/page", in_languages(""));
  const auto without = probe("routes: [{path: /page}]\n");
  EXPECT_THAT(without.out,
              HasSubstr("does not have Accept-Language in its key, but its response depends on it: different "
                        "content at "));
  EXPECT_THAT(without.out, HasSubstr("or Vary: Accept-Language at the origin"));
  origin.on("/page", in_languages("Accept-Encoding, Accept-Language"));
  const auto with = probe("routes: [{path: /page}]\n", {"--strict"});
  EXPECT_EQ(with.exit, 0) << with.out;
  EXPECT_THAT(with.err, HasSubstr("1 in Vary"));
}

TEST_F(Probe, TakesAnAnswerThatChangesByItselfForNone) {
  origin.on("/page", [](const Received& r) { return Reply::fresh("request " + std::to_string(r.number)); });
  EXPECT_EQ(probe("routes: [{path: /page}]\n", {"--strict"}).exit, 0);
  // Changes once, just when a field is asked about.
  origin.on("/late", {Reply::fresh("a"), Reply::fresh("a"), Reply::fresh("b")});
  EXPECT_EQ(probe("routes: [{path: /late}]\n", {"--strict"}).exit, 0);
}

TEST_F(Probe, FindsAnotherStatusWhereItCouldBeStored) {
  const auto broken_by = [](const char* name, int status, const char* cache_control) {
    return [=](const Received& r) {
      return r.has(name) ? Reply(status).field("Cache-Control", cache_control) : Reply::fresh();
    };
  };
  origin.on("/page", broken_by("X-Requested-With", 404, "max-age=60"));
  EXPECT_THAT(probe("routes: [{path: /page}]\n").out, HasSubstr("depends on it: status 404 instead of 200 at "));
  origin.on("/page", broken_by("X-Requested-With", 404, "no-store"));
  const auto unstored = probe("routes: [{path: /page}]\n", {"--strict"});
  EXPECT_EQ(unstored.exit, 0) << unstored.out;
  EXPECT_THAT(unstored.err, HasSubstr("the origin's response depends on X-Requested-With, but it is not stored"));
}

TEST_F(Probe, AsksAsTheProxyWouldAndPastOtherCaches) {
  origin.otherwise([](const Received&) { return Reply::fresh(); });
  const auto o = probe(
      "routes: [{path: '/api/**', host: shop.test, rewrite: {strip_prefix: /api, add_prefix: /in}, "
      "request_headers: {set: {X-Api-Client: gateway}, remove: [Referer]}}]\n",
      {"--probe-path", "/api/items?a=1"});
  EXPECT_EQ(o.exit, 0) << o.err;
  const auto requests = origin.requests("/in/items");
  ASSERT_GT(requests.size(), 3u);
  EXPECT_EQ(requests.size(), origin.count());
  std::set<std::string> targets;
  for (const auto& r : requests) {
    EXPECT_EQ(r.get("Host"), "shop.test");
    EXPECT_EQ(r.get("X-Api-Client"), "gateway");
    EXPECT_EQ(r.get("X-Forwarded-Host"), "shop.test");
    EXPECT_THAT(r.get("CDN-Loop"), StartsWith("forebay;id="));
    EXPECT_FALSE(r.has("Referer"));
    EXPECT_THAT(r.target, StartsWith("/in/items?a=1&forebay-probe="));
    targets.insert(r.target);
  }
  EXPECT_EQ(targets.size(), requests.size()) << "no two alike";
  EXPECT_EQ(origin.connections(), requests.size());
}

TEST_F(Probe, ReadsChunkedEncodedAndEndlessAnswersWithinBounds) {
  origin.on("/gzip", [](const Received& r) {
    return Reply::fresh(gzip("theme " + r.get("X-Theme"))).field("Content-Encoding", "gzip").interim(103).chunked(7);
  });
  origin.on("/close",
            [](const Received& r) { return Reply::fresh("theme " + r.get("X-Theme")).until_close().close(); });
  origin.on("/large", [](const Received& r) {
    return Reply::fresh(r.get("X-Theme") + std::string(3 * 1024 * 1024, 'x')).chunked(65536);
  });
  origin.on("/stream",
            [](const Received& r) { return Reply::fresh(r.get("X-Theme") + std::string(1000, 'x')).stall(400); });
  // What ends has all the time that a slow machine needs; a stream never ends, so the time for it has to.
  for (const auto& [path, time] :
       {std::pair{"/gzip", "60s"}, {"/close", "60s"}, {"/large", "60s"}, {"/stream", "1500ms"}}) {
    const auto o = probe(
        "routes:\n  - path: /**\n    close_delimited: store\n"
        "    key: {headers: [X-Requested-With, Accept, Accept-Language, User-Agent, Origin, Referer]}\n",
        {"--probe-path", path, "--probe-header", "X-Theme", "--timeout", time});
    EXPECT_EQ(o.exit, 0) << path << o.err;
    EXPECT_THAT(o.out, HasSubstr("does not have X-Theme in its key, but its response contains it: in the content of"))
        << path;
  }
}

TEST_F(Probe, AsksASilentOriginOnceAndSaysSo) {
  std::uint16_t port = 0;
  { const Socket freed = Socket::listen(port); }
  origin.otherwise([](const Received&) { return Reply::fresh(); });
  const auto gone = "http://127.0.0.1:" + std::to_string(port);
  const auto o = probe("routes: [{path: /a, origin: '" + gone + "'}, {path: /b, origin: '" + gone + "'}, {path: /c}]\n",
                       {"--quiet"});
  EXPECT_EQ(o.exit, 1);
  EXPECT_EQ(o.err, "forebay: cannot probe " + gone + ", the origin of route \"/a\": 127.0.0.1:" + std::to_string(port) +
                       ": Connection refused\n");
  EXPECT_GT(origin.count("/c"), 3u) << "another origin is asked all the same";

  origin.on("/mute", Reply::silence());
  const auto mute = probe("routes: [{path: /mute}]\n", {"--timeout", "200ms"});
  EXPECT_EQ(mute.exit, 1);
  EXPECT_THAT(mute.err, HasSubstr("no answer came in time"));
  EXPECT_EQ(origin.count("/mute"), 1u);
  origin.on("/odd", Reply::raw("SSH-2.0-OpenSSH\r\n\r\n").close());
  EXPECT_THAT(probe("routes: [{path: /odd}]\n").err, HasSubstr("what answers is not HTTP"));
}

TEST_F(Probe, SaysWhichPathsAndRoutesItCannotTake) {
  origin.otherwise([](const Received&) { return Reply::fresh(); });
  const auto missed = probe("routes: [{path: /a}, {path: /post, methods: POST}]\n", {"--probe-path", "/post"});
  EXPECT_EQ(missed.exit, 5);
  EXPECT_THAT(missed.err, HasSubstr("forebay: no route looks up GET /post\n"));
  const auto regex = probe("routes: [{name: r, path: '~ ^/v[0-9]+$'}]\n");
  EXPECT_EQ(regex.exit, 0);
  EXPECT_THAT(regex.err, HasSubstr("route \"r\": its path is a regular expression"));
  EXPECT_EQ(origin.count(), 0u);
  const auto left = probe(
      "routes: [{path: /a}, {name: search, path: /s, methods: POST}, {name: rest, path: /**, "
      "cache: false}]\n");
  EXPECT_EQ(left.exit, 0);
  EXPECT_THAT(left.err, HasSubstr("forebay: not probed: search (no GET), rest (cache: false)\n"));
}

TEST_F(Probe, DoesNotAskWithABadConfiguration) {
  const auto o = probe("routes: [{paths: /a}]\n");
  EXPECT_EQ(o.exit, 3);
  EXPECT_THAT(o.out, HasSubstr("FB1001"));
  EXPECT_EQ(origin.connections(), 0u);
}

TEST_F(Probe, WritesJsonAndAnnotations) {
  reflect("/page", "X-Theme");
  const auto json = probe("routes: [{path: /page}]\n", {"--probe-header", "X-Theme", "--format", "json"});
  const auto document = flatten_json("{\"all\":" + json.out + "}").value();
  EXPECT_EQ(document.at("all[0].code"), "FB2017");
  EXPECT_EQ(document.at("all[0].severity"), "warning");
  EXPECT_EQ(document.at("all[0].path"), "routes[0]");
  EXPECT_EQ(document.at("all[0].line"), "2");
  const auto github = probe("routes: [{path: /page}]\n", {"--probe-header", "X-Theme", "--format", "github"});
  EXPECT_THAT(github.out, StartsWith("::warning file=stdin,line=2,"));
  EXPECT_THAT(github.out, HasSubstr("title=FB2017::route \"/page\" does not have X-Theme in its key"));
}

}  // namespace
}  // namespace forebay::test
