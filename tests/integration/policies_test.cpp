// F2, F3, F13 and the settings of a policy that decide what is looked up and what is stored.
#include <map>
#include <thread>

#include "support/forebay_test.hpp"

namespace forebay::test {
namespace {

const char* const kCC = "Cache-Control";

class Policies : public ForebayTest {
 protected:
  /// What became of a first request: the lifetime stored, or the reason why not.
  std::string verdict(const std::string& target, const FieldLines& fields = {}) {
    const auto a = get(target, fields);
    return a.cache_param("stored") == "-" ? a.cache_param("detail") : std::to_string(a.ttl());
  }
  /// The same, where a second that passed meanwhile does not matter.
  static void expect_near(const std::string& got, const std::string& expected, const std::string& what) {
    const auto n = std::atol(expected.c_str());
    if (n == 0)
      EXPECT_EQ(got, expected) << what;
    else
      EXPECT_THAT(got, AnyOf(expected, std::to_string(n - 1))) << what;
  }
};

TEST_F(Policies, EachLevelOverridesTheOneBeforeKeyByKeyAndListsReplace) {
  origin.otherwise([](const Received& r) { return Reply(r.path.ends_with("404") ? 404 : 200).body("x"); });
  start(R"(
diagnostics: {cache_status: key}
defaults:
  ttl: {default: 100s, max: 90s, status: {404: 10s, 410: 11s}}
  key: {headers: [X-A], query: none}
policies:
  listing:
    ttl: {default: 40s, status: {404: 20s}}
    key: {headers: [X-B, X-C]}
  uncached: {cache: false}
routes:
  - {name: built-in-and-defaults, path: /defaults*}
  - {name: policy, path: /policy*, policy: listing}
  - {name: route, path: /route*, policy: listing, ttl: 30s, key: {headers: [X-D], query: all}}
  - {name: off, path: /off, policy: uncached}
  - {name: on, path: /on, policy: uncached, cache: true, ttl: {max: 365d}}
)");
  const FieldLines fields{{"X-A", "a"}, {"X-B", "b"}, {"X-C", "c"}, {"X-D", "d"}};
  const auto near = [](long got, long expected) { return got == expected || got == expected - 1; };
  const auto defaults = get("/defaults?q", fields);
  EXPECT_TRUE(near(defaults.ttl(), 90)) << defaults;
  EXPECT_THAT(defaults.key(), EndsWith("|/defaults|h:x-a=a"));
  EXPECT_TRUE(near(get("/defaults-404").ttl(), 10));
  const auto policy = get("/policy?q", fields);
  EXPECT_TRUE(near(policy.ttl(), 40)) << policy;
  EXPECT_THAT(policy.key(), EndsWith("|/policy|h:x-b=b&x-c=c")) << "the list is replaced, the query stays as it was";
  EXPECT_TRUE(near(get("/policy-404").ttl(), 20));
  const auto route = get("/route?q", fields);
  EXPECT_TRUE(near(route.ttl(), 30)) << route;
  EXPECT_THAT(route.key(), EndsWith("|/route|q:q|h:x-d=d"));
  EXPECT_TRUE(near(get("/route-404").ttl(), 20)) << "ttl: 30s is ttl.default alone";
  EXPECT_EQ(get("/off").cache_param("detail"), "cache_off");
  EXPECT_TRUE(near(get("/on").ttl(), 100));
}

TEST_F(Policies, LifetimesOfEverySourceUnderEverySetting) {
  const std::map<std::string, FieldLines> says{
      {"nothing", {}},
      {"max-age", {{kCC, "max-age=10"}}},
      {"long", {{kCC, "max-age=1000"}}},
      {"s-maxage", {{kCC, "max-age=1000, s-maxage=20"}}},
      {"expires", {{"Date", http_date()}, {"Expires", http_date(500)}}},
      {"zero", {{kCC, "max-age=0"}}},
      {"no-store", {{kCC, "no-store, max-age=10"}}},
      {"private", {{kCC, "private, max-age=10"}}},
      {"targeted", {{kCC, "max-age=1000"}, {"CDN-Cache-Control", "max-age=15"}}},
      {"targeted-no-store", {{kCC, "max-age=1000"}, {"CDN-Cache-Control", "no-store"}}},
      {"cookie", {{kCC, "max-age=10"}, {"Set-Cookie", "a=1"}}},
      {"vary-star", {{kCC, "max-age=10"}, {"Vary", "*"}}},
  };
  origin.otherwise([&](const Received& r) {
    auto reply = Reply();
    for (const auto& [name, value] : says.at(r.path.substr(r.path.rfind('/') + 1))) reply.field(name, value);
    return reply.body("x");
  });
  start(R"(
defaults: {pass_memory: 0}
routes:
  - {path: /none/*}
  - {path: /default/*, ttl: 100s}
  - {path: /min/*, ttl: {default: 100s, min: 50s}}
  - {path: /max/*, ttl: {default: 100s, max: 30s}}
  - {path: /status/*, ttl: {default: 100s, status: {200: 40s, 404: 60s}}}
  - {path: /ignore/*, ttl: 100s, origin_cache_control: ignore}
  - {path: /override/*, ttl: 100s, origin_cache_control: override}
)");
  const std::vector<std::string> routes{"none", "default", "min", "max", "status", "ignore", "override"};
  const std::vector<std::pair<std::string, std::vector<std::string>>> table{
      {"nothing", {"no_freshness", "100", "100", "30", "40", "100", "100"}},
      {"max-age", {"10", "10", "50", "10", "10", "100", "100"}},
      {"long", {"1000", "1000", "1000", "30", "1000", "100", "100"}},
      {"s-maxage", {"20", "20", "50", "20", "20", "100", "100"}},
      {"expires", {"500", "500", "500", "30", "500", "100", "100"}},
      {"zero", {"zero_ttl", "zero_ttl", "50", "zero_ttl", "zero_ttl", "100", "100"}},
      {"no-store", {"no_store", "no_store", "no_store", "no_store", "no_store", "no_store", "100"}},
      {"private", {"private", "private", "private", "private", "private", "private", "100"}},
      {"targeted", {"15", "15", "50", "15", "15", "100", "100"}},
      {"targeted-no-store", {"no_store", "no_store", "no_store", "no_store", "no_store", "no_store", "100"}},
      {"cookie", {"set_cookie", "set_cookie", "set_cookie", "set_cookie", "set_cookie", "set_cookie", "set_cookie"}},
      {"vary-star", {"vary_star", "vary_star", "vary_star", "vary_star", "vary_star", "vary_star", "vary_star"}},
  };
  for (const auto& [what, expected] : table)
    for (std::size_t i = 0; i < routes.size(); ++i)
      expect_near(verdict("/" + routes[i] + "/" + what), expected[i], what + " under " + routes[i]);
  const FieldLines alice{{"Authorization", "Bearer alice"}};
  EXPECT_EQ(verdict("/override/no-store?mine", alice), "authorization") << "nor does it share what is one person's";
  EXPECT_EQ(verdict("/ignore/max-age?mine", alice), "authorization");
}

TEST_F(Policies, ErrorsOfOneClientAndNegativeAnswersHaveLimitsOfTheirOwn) {
  origin.otherwise([](const Received& r) {
    return Reply(std::stoi(r.path.substr(r.path.rfind('/') + 1))).field("X", "y").body("x");
  });
  start(R"(
defaults: {pass_memory: 0, statuses: [200, 4xx]}
routes:
  - {path: /plain/*, ttl: {default: 60s, min: 30s}}
  - {path: /class/*, ttl: {default: 60s, status: {4xx: 40s}}}
  - {path: /named/*, ttl: {default: 60s, negative: 20s, status: {401: 50s, 404: 40s}}}
)");
  for (const auto* status : {"400", "401", "403", "406", "415", "421", "429", "431", "499"})
    for (const std::string route : {"/plain/", "/class/"})
      EXPECT_EQ(verdict(route + status), "status") << route << status;
  for (const auto* status : {"404", "405", "410", "451"}) {
    expect_near(verdict(std::string("/plain/") + status), "10", status);
    expect_near(verdict(std::string("/class/") + status), "40", status);
  }
  expect_near(verdict("/named/401"), "50", "named");
  expect_near(verdict("/named/404"), "40", "named");
  expect_near(verdict("/named/410"), "20", "ttl.negative of the route");
}

TEST_F(Policies, HeuristicLifetimesAreOffUnlessChosenAndBoundedByTheMaximum) {
  origin.otherwise([](const Received&) {
    return Reply().field("Date", http_date()).field("Last-Modified", http_date(-10000)).body("x");
  });
  start(
      "routes: [{path: /on, ttl: {heuristic: 10%}}, {path: /max, ttl: {heuristic: 10%, max: 300s}},"
      " {path: /default, ttl: {heuristic: 10%, default: 50s}}, {path: /off}]\n");
  expect_near(verdict("/on"), "1000", "a tenth of the time since Last-Modified");
  expect_near(verdict("/max"), "300", "bounded");
  expect_near(verdict("/default"), "50", "a configured lifetime goes before");
  EXPECT_EQ(verdict("/off"), "no_freshness");
}

TEST_F(Policies, JitterSpreadsLifetimesEvenlyAndOnlyShortens) {
  origin.otherwise([](const Received& r) {
    return r.path.starts_with("/origin/") ? Reply::with("max-age=1000") : Reply().body("x");
  });
  start("routes: [{path: /**, ttl: {default: 1000s, jitter: 10%}}]\n");
  for (const std::string kind : {"/origin/", "/route/"}) {
    std::array<int, 4> quarters{};
    auto c = connect();
    for (int i = 0; i < 240; ++i) {
      const auto ttl = c.get(kind + std::to_string(i)).ttl();
      ASSERT_GE(ttl, 899);
      ASSERT_LE(ttl, 1000) << "never beyond what was said";
      ++quarters[static_cast<std::size_t>(std::clamp((ttl - 900) / 25, 0L, 3L))];
    }
    for (const auto n : quarters) EXPECT_GE(n, 25) << "of 60 expected in each quarter of the window, under " << kind;
  }
}

TEST_F(Policies, AnAnswerToARequestWithCookiesIsGuardedUnlessTheRouteSaysWhichMatter) {
  origin.otherwise([](const Received& r) { return Reply().body(r.get("Cookie")); });
  start(R"(
defaults: {ttl: 60s, pass_memory: 0}
routes:
  - {path: /guard}
  - {path: /share, request_cookies: share}
  - {path: /key, key: {cookies: [ab]}}
  - {path: /bypass, bypass: {cookies: ['sess*']}}
)");
  const FieldLines cookie{{"Cookie", "theme=dark"}};
  EXPECT_EQ(verdict("/guard", cookie), "cookie");
  EXPECT_EQ(get("/guard").x_cache(), "MISS");
  EXPECT_EQ(get("/guard", cookie).x_cache(), "HIT") << "what was stored without is for all";
  for (const std::string path : {"/share", "/key", "/bypass"}) {
    expect_near(verdict(path, cookie), "60", path);
    EXPECT_EQ(get(path, {{"Cookie", "theme=light"}}).x_cache(), "HIT") << path;
  }
  EXPECT_EQ(get("/bypass", {{"Cookie", "theme=dark; session=1"}}).cache_param("detail"), "rule_cookie");
}

TEST_F(Policies, RulesKeepRequestsFromTheCacheByHeaderCookieAndQuery) {
  origin.otherwise([](const Received& r) { return Reply::fresh(std::to_string(r.number)); });
  start(R"(
routes:
  - path: /**
    methods: [GET, POST]
    key: {query: [id]}
    bypass: {headers: [X-Preview, 'X-Debug-*'], cookies: ['session*', admin], query: [nocache, 'dbg_*']}
)");
  const auto stored = get("/a?id=1");
  EXPECT_EQ(stored.x_cache(), "MISS");
  struct Case {
    const char* target;
    FieldLines fields;
    const char* reason;
  };
  const Case cases[] = {
      {"/a?id=1", {{"x-preview", ""}}, "rule_header"},
      {"/a?id=1", {{"X-Debug-Level", "1"}}, "rule_header"},
      {"/a?id=1", {{"Cookie", "a=1; sessionid=x"}}, "rule_cookie"},
      {"/a?id=1", {{"Cookie", "a=1"}, {"Cookie", "admin="}}, "rule_cookie"},
      {"/a?id=1&nocache", {}, "rule_query"},
      {"/a?nocache=1&id=1", {}, "rule_query"},
      {"/a?id=1&n%6Fcache=1", {}, "rule_query"},
      {"/a?id=1&dbg_x=1", {}, "rule_query"},
  };
  for (const auto& c : cases) {
    const auto before = origin.count("/a");
    const auto a = get(c.target, c.fields);
    EXPECT_EQ(a.cache_status(), std::string("forebay; fwd=bypass; detail=") + c.reason) << c.target;
    EXPECT_EQ(a.x_cache(), "BYPASS");
    EXPECT_EQ(origin.count("/a"), before + 1);
    const auto after = get("/a?id=1");
    EXPECT_EQ(after.x_cache(), "HIT") << "what is stored stays";
    EXPECT_EQ(after.body, stored.body);
  }
  const Case none[] = {
      {"/a?id=1", {{"X-Debug", "1"}}, ""},
      {"/a?id=1", {{"Cookie", "Session=1; b=admin"}}, ""},
      {"/a?id=1&x=nocache", {}, ""},
      {"/a?id=1&NOCACHE", {}, ""},
      {"/a?id=1", {{"X-Previews", "1"}}, ""},
      {"/a?id=1", {{"Cookie", "xadmin=1"}}, ""},
      {"/a?id=1", {{"Connection", "X-Preview"}, {"X-Preview", "1"}}, ""},
  };
  for (const auto& c : none) EXPECT_EQ(get(c.target, c.fields).x_cache(), "HIT") << c.target;
  EXPECT_EQ(ask("POST", "/a?nocache", {}, "body").cache_param("detail"), "rule_query");
  EXPECT_EQ(origin.last("/a").body, "body");
}

TEST_F(Policies, PassMemoryIsAsLongAsTheRouteSays) {
  origin.otherwise([](const Received&) { return Reply::with("private"); });
  start("routes: [{path: /off, pass_memory: 0}, {path: /short, pass_memory: 250ms}, {path: /**}]\n");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(get("/off").cache_param("detail"), "private");
  get("/short");
  EXPECT_EQ(get("/short").x_cache(), "BYPASS");
  std::this_thread::sleep_for(milliseconds{300});  // each request renews it, so nothing can be asked meanwhile
  EXPECT_EQ(get("/short").x_cache(), "MISS") << "it is forgotten in time";
  get("/long");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(get("/long").cache_status(), "forebay; fwd=bypass; detail=pass_memory");
}

TEST_F(Policies, UnderPassMemoryNobodyQueues) {
  auto hold = gate();
  origin.on("/a", [hold](const Received& r) {
    auto reply = Reply::with("private", std::to_string(r.number));
    if (r.number > 1) reply.after(hold);
    return reply;
  });
  start();
  get("/a");
  std::vector<Client> all;
  for (int i = 0; i < 8; ++i) {
    all.push_back(connect());
    all.back().request("GET", "/a");
  }
  EXPECT_TRUE(origin.wait_for("/a", 9)) << "each has a request of its own under way";
  hold->open();
  for (auto& c : all) EXPECT_EQ(c.read().x_cache(), "BYPASS");
}

}  // namespace
}  // namespace forebay::test
