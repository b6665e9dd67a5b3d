// The settings of a policy that decide what is looked up and what is stored.
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
  /// The same, where seconds that passed meanwhile do not matter.
  static void expect_near(const std::string& got, const std::string& expected, const std::string& what) {
    const auto n = std::atol(expected.c_str());
    if (n == 0)
      EXPECT_EQ(got, expected) << what;
    else
      EXPECT_THAT(got, CountedDownFrom(n)) << what;
  }
};

TEST_F(Policies, EachLevelOverridesTheOneBeforeKeyByKeyAndListsReplace) {
  origin.otherwise([](const Received& r) { return Reply(r.path.ends_with("404") ? 404 : 200).body("x"); });
  start(R"(
diagnostics: {cache_status: key}
defaults:
  ttl: {default: 1000s, max: 900s, status: {404: 100s, 410: 110s}}
  key: {headers: [X-A], query: none}
policies:
  listing:
    ttl: {default: 400s, status: {404: 200s}}
    key: {headers: [X-B, X-C]}
  uncached: {cache: false}
routes:
  - {name: built-in-and-defaults, path: /defaults*}
  - {name: policy, path: /policy*, policy: listing}
  - {name: route, path: /route*, policy: listing, ttl: 300s, key: {headers: [X-D], query: all}}
  - {name: off, path: /off, policy: uncached}
  - {name: on, path: /on, policy: uncached, cache: true, ttl: {max: 365d}}
)");
  const FieldLines fields{{"X-A", "a"}, {"X-B", "b"}, {"X-C", "c"}, {"X-D", "d"}};
  const auto defaults = get("/defaults?q", fields);
  EXPECT_THAT(defaults.ttl(), CountedDownFrom(900)) << defaults;
  EXPECT_THAT(defaults.key(), EndsWith("|/defaults|h:x-a=a"));
  EXPECT_THAT(get("/defaults-404").ttl(), CountedDownFrom(100));
  const auto policy = get("/policy?q", fields);
  EXPECT_THAT(policy.ttl(), CountedDownFrom(400)) << policy;
  EXPECT_THAT(policy.key(), EndsWith("|/policy|h:x-b=b&x-c=c")) << "the list is replaced, the query stays as it was";
  EXPECT_THAT(get("/policy-404").ttl(), CountedDownFrom(200));
  const auto route = get("/route?q", fields);
  EXPECT_THAT(route.ttl(), CountedDownFrom(300)) << route;
  EXPECT_THAT(route.key(), EndsWith("|/route|q:q|h:x-d=d"));
  EXPECT_THAT(get("/route-404").ttl(), CountedDownFrom(200)) << "ttl: 300s is ttl.default alone";
  EXPECT_EQ(get("/off").cache_param("detail"), "cache_off");
  EXPECT_THAT(get("/on").ttl(), CountedDownFrom(1000));
}

TEST_F(Policies, LifetimesOfEverySourceUnderEverySetting) {
  const std::map<std::string, FieldLines> says{
      {"nothing", {}},
      {"max-age", {{kCC, "max-age=1000"}}},
      {"long", {{kCC, "max-age=100000"}}},
      {"s-maxage", {{kCC, "max-age=100000, s-maxage=2000"}}},
      {"expires", {{"Date", http_date()}, {"Expires", http_date(50000)}}},
      {"zero", {{kCC, "max-age=0"}}},
      {"no-store", {{kCC, "no-store, max-age=1000"}}},
      {"private", {{kCC, "private, max-age=1000"}}},
      {"targeted", {{kCC, "max-age=100000"}, {"CDN-Cache-Control", "max-age=1500"}}},
      {"targeted-no-store", {{kCC, "max-age=100000"}, {"CDN-Cache-Control", "no-store"}}},
      {"cookie", {{kCC, "max-age=1000"}, {"Set-Cookie", "a=1"}}},
      {"vary-star", {{kCC, "max-age=1000"}, {"Vary", "*"}}},
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
  - {path: /default/*, ttl: 10000s}
  - {path: /min/*, ttl: {default: 10000s, min: 5000s}}
  - {path: /max/*, ttl: {default: 10000s, max: 3000s}}
  - {path: /status/*, ttl: {default: 10000s, status: {200: 4000s, 404: 6000s}}}
  - {path: /ignore/*, ttl: 10000s, origin_cache_control: ignore}
  - {path: /override/*, ttl: 10000s, origin_cache_control: override}
)");
  const std::vector<std::string> routes{"none", "default", "min", "max", "status", "ignore", "override"};
  const std::vector<std::pair<std::string, std::vector<std::string>>> table{
      {"nothing", {"no_freshness", "10000", "10000", "3000", "4000", "10000", "10000"}},
      {"max-age", {"1000", "1000", "5000", "1000", "1000", "10000", "10000"}},
      {"long", {"100000", "100000", "100000", "3000", "100000", "10000", "10000"}},
      {"s-maxage", {"2000", "2000", "5000", "2000", "2000", "10000", "10000"}},
      {"expires", {"50000", "50000", "50000", "3000", "50000", "10000", "10000"}},
      {"zero", {"zero_ttl", "zero_ttl", "5000", "zero_ttl", "zero_ttl", "10000", "10000"}},
      {"no-store", {"no_store", "no_store", "no_store", "no_store", "no_store", "no_store", "10000"}},
      {"private", {"private", "private", "private", "private", "private", "private", "10000"}},
      {"targeted", {"1500", "1500", "5000", "1500", "1500", "10000", "10000"}},
      {"targeted-no-store", {"no_store", "no_store", "no_store", "no_store", "no_store", "no_store", "10000"}},
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
    return Reply().field("Date", http_date()).field("Last-Modified", http_date(-100000)).body("x");
  });
  start(
      "routes: [{path: /on, ttl: {heuristic: 10%}}, {path: /max, ttl: {heuristic: 10%, max: 3000s}},"
      " {path: /default, ttl: {heuristic: 10%, default: 500s}}, {path: /off}]\n");
  expect_near(verdict("/on"), "10000", "a tenth of the time since Last-Modified");
  expect_near(verdict("/max"), "3000", "bounded");
  expect_near(verdict("/default"), "500", "a configured lifetime goes before");
  EXPECT_EQ(verdict("/off"), "no_freshness");
}

TEST_F(Policies, JitterSpreadsLifetimesEvenlyAndOnlyShortens) {
  origin.otherwise([](const Received& r) {
    return r.path.starts_with("/origin/") ? Reply::with("max-age=100000") : Reply().body("x");
  });
  start("routes: [{path: /**, ttl: {default: 100000s, jitter: 10%}}]\n");
  for (const std::string kind : {"/origin/", "/route/"}) {
    std::array<int, 4> quarters{};
    auto c = connect();
    for (int i = 0; i < 240; ++i) {
      const auto ttl = c.get(kind + std::to_string(i)).ttl();
      ASSERT_GE(ttl, 90000 - kSlack);
      ASSERT_LE(ttl, 100000) << "never beyond what was said";
      ++quarters[static_cast<std::size_t>(std::clamp((ttl - 90000) / 2500, 0L, 3L))];
    }
    for (const auto n : quarters) EXPECT_GE(n, 25) << "of 60 expected in each quarter of the window, under " << kind;
  }
}

TEST_F(Policies, AnAnswerToARequestWithCookiesIsGuardedUnlessTheRouteSaysWhichMatter) {
  origin.otherwise([](const Received& r) { return Reply().body(r.get("Cookie")); });
  start(R"(
defaults: {ttl: 600s, pass_memory: 0}
routes:
  - {path: /guard}
  - {path: /share, request_cookies: share}
  - {path: /key, key: {cookies: [ab]}}
  - {path: /bypass, bypass: {cookies: ['sess*']}}
)");
  const FieldLines cookie{{"Cookie", "theme=dark"}};
  EXPECT_EQ(verdict("/guard", cookie), "cookie");
  EXPECT_EQ(get("/guard").x_cache(), "MISS");
  EXPECT_EQ(get("/guard").x_cache(), "HIT");
  const auto own = get("/guard", cookie);
  EXPECT_EQ(own.body, "theme=dark") << "what was stored without is for those without";
  EXPECT_THAT(own.cache_status(), StartsWith("forebay; fwd=request; "));
  EXPECT_EQ(own.cache_param("detail"), "cookie");
  EXPECT_EQ(get("/guard").x_cache(), "HIT") << "and stays";
  for (const std::string path : {"/share", "/key", "/bypass"}) {
    expect_near(verdict(path, cookie), "600", path);
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
      {"/a?id=1&NOCACHE", {}, "rule_query"},
      {"/a?id=1&[nocache]", {}, "rule_query"},
      {"/a?id=1", {{"Cookie", "a=1 Admin=1"}}, "rule_cookie"},
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
      {"/a?id=1", {{"Cookie", "Section=1; b=admin"}}, ""},
      {"/a?id=1&x=nocache", {}, ""},
      {"/a?id=1&nocaches", {}, ""},
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
  start("routes: [{path: /off, pass_memory: 0}, {path: /short, pass_memory: 500ms}, {path: /**}]\n");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(get("/off").cache_param("detail"), "private");
  EXPECT_TRUE(eventually([&] { return get("/short").x_cache() == "BYPASS"; }));
  std::this_thread::sleep_for(milliseconds{600});  // each request renews it, so nothing can be asked meanwhile
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
