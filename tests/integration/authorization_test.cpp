// Authorization (RFC 9111 section 3.5) and the guard for cookies (docs/security.md).
#include <ctime>

#include "support/forebay_test.hpp"

namespace forebay::test {
namespace {

class Authorization : public ForebayTest {};

const FieldLines kAlice{{"Authorization", "Bearer alice"}};
const FieldLines kBob{{"Authorization", "Bearer bob"}};

TEST_F(Authorization, AnAnswerToAnAuthorizedRequestIsSharedOnlyWhenTheOriginAllowsIt) {
  struct Case {
    const char* path;
    const char* cache_control;
    bool shared;
  };
  const Case cases[] = {{"/plain", "max-age=60", false},
                        {"/public", "max-age=60, public", true},
                        {"/s-maxage", "s-maxage=60", true},
                        {"/must", "max-age=60, must-revalidate", true}};
  for (const auto& c : cases)
    origin.on(c.path, [c](const Received& r) { return Reply::with(c.cache_control, r.get("Authorization")); });
  start();
  for (const auto& c : cases) {
    EXPECT_EQ(get(c.path, kAlice).body, "Bearer alice");
    const auto bob = get(c.path, kBob);
    EXPECT_EQ(bob.x_cache() == "HIT", c.shared) << c.path;
    EXPECT_EQ(bob.body, c.shared ? "Bearer alice" : "Bearer bob");
    EXPECT_EQ(get(c.path).body, c.shared ? "Bearer alice" : "") << c.path << ": an anonymous client";
  }
}

TEST_F(Authorization, AStoredAnonymousAnswerIsNotGivenToAnAuthorizedRequestAndStaysForOthers) {
  origin.on("/a", [](const Received& r) { return Reply::fresh("for " + r.get("Authorization")); });
  start();
  EXPECT_EQ(get("/a").body, "for ");
  const auto alice = get("/a", kAlice);
  EXPECT_EQ(alice.body, "for Bearer alice");
  EXPECT_EQ(alice.x_cache(), "MISS");
  EXPECT_THAT(alice.cache_status(), StartsWith("forebay; fwd=request"));
  EXPECT_EQ(alice.cache_param("detail"), "authorization");
  const auto anonymous = get("/a");
  EXPECT_EQ(anonymous.x_cache(), "HIT");
  EXPECT_EQ(anonymous.body, "for ");
  EXPECT_EQ(origin.count("/a"), 2u);
}

TEST_F(Authorization, TheRouteMayKeyOnItBypassOnItOrShare) {
  origin.otherwise([](const Received& r) { return Reply::fresh(r.get("Authorization")); });
  start(R"(
routes:
  - {path: /key, authorization: key}
  - {path: /bypass, authorization: bypass}
  - {path: /share, authorization: share}
)");
  EXPECT_EQ(get("/key", kAlice).body, "Bearer alice");
  EXPECT_EQ(get("/key", kBob).body, "Bearer bob");
  EXPECT_EQ(get("/key").body, "");
  EXPECT_EQ(get("/key", kAlice).x_cache(), "HIT");
  EXPECT_EQ(get("/key", kBob).x_cache(), "HIT");

  get("/bypass");
  const auto bypass = get("/bypass", kAlice);
  EXPECT_EQ(bypass.x_cache(), "BYPASS");
  EXPECT_EQ(bypass.cache_status(), "forebay; fwd=bypass; detail=authorization");
  EXPECT_EQ(get("/bypass").x_cache(), "HIT");

  EXPECT_EQ(get("/share", kAlice).x_cache(), "MISS");
  EXPECT_EQ(get("/share", kBob).x_cache(), "HIT");
}

TEST_F(Authorization, SeveralLinesOfItAreCredentialsAsOneIs) {
  origin.otherwise([](const Received& r) {
    std::string all;
    for (const auto& [name, value] : r.fields)
      if (same_name(name, "Authorization")) all += '[' + value + ']';
    return r.path == "/configured" ? Reply().body(all) : Reply::fresh(all);
  });
  start(R"(
routes:
  - {path: /key, authorization: key}
  - {path: /bypass, authorization: bypass}
  - {path: /configured, ttl: 60s, pass_memory: 0}
  - {path: /**, pass_memory: 0}
)");
  const auto lines = [](std::initializer_list<std::string> values) {
    FieldLines fields;
    for (const auto& v : values) fields.emplace_back("Authorization", v);
    return fields;
  };
  const FieldLines sent[] = {lines({"Bearer alice"}),
                             lines({"Bearer bob"}),
                             lines({"Bearer alice", "Bearer bob"}),
                             lines({"Bearer bob", "Bearer alice"}),
                             lines({"Bearer alice, Bearer bob"}),
                             lines({"Bearer alice", "Bearer alice"}),
                             lines({"", "Bearer alice"})};
  const auto text = [](const FieldLines& fields) {
    std::string all;
    for (const auto& [name, value] : fields) all += '[' + value + ']';
    return all;
  };
  for (const auto* path : {"/key", "/bypass", "/configured", "/stated"}) {
    const bool keyed = std::string_view(path) == "/key";
    for (int round = 0; round < 2; ++round) {
      for (const auto& fields : sent) {
        const auto a = get(path, fields);
        EXPECT_EQ(a.body, text(fields)) << path;
        EXPECT_EQ(a.x_cache() == "HIT", keyed && round == 1) << path << ' ' << text(fields);
        if (!keyed) {
          EXPECT_EQ(a.cache_param("detail"), "authorization") << path << ' ' << text(fields);
        }
      }
      EXPECT_EQ(get(path).body, "") << path;
    }
  }
}

TEST_F(Authorization, AuthorizedRequestsAreNotCollapsedIntoAnAnswerTheyMayNotShare) {
  auto hold = gate();
  origin.on("/a", [hold](const Received& r) { return Reply::fresh(r.get("Authorization")).after(hold); });
  start();
  std::vector<Client> all;
  for (int i = 0; i < 10; ++i) {
    all.push_back(connect());
    all.back().request("GET", "/a", {{"Authorization", "Bearer " + std::to_string(i)}});
  }
  EXPECT_TRUE(origin.wait_for("/a", 1));
  hold->open();
  for (int i = 0; i < 10; ++i) EXPECT_EQ(all[static_cast<std::size_t>(i)].read().body, "Bearer " + std::to_string(i));
}

TEST_F(Authorization, AnAnswerToARequestWithCookiesGetsNoConfiguredLifetime) {
  origin.otherwise([](const Received& r) {
    return r.path == "/explicit" ? Reply::fresh(r.get("Cookie")) : Reply().body(r.get("Cookie"));
  });
  start(R"(
routes:
  - {path: /share, ttl: 60s, request_cookies: share}
  - {path: /**, ttl: 60s}
)");
  const FieldLines alice{{"Cookie", "sid=alice"}}, bob{{"Cookie", "sid=bob"}};
  const auto first = get("/configured", alice);
  EXPECT_EQ(first.cache_param("detail"), "cookie");
  EXPECT_EQ(get("/configured", bob).body, "sid=bob");
  EXPECT_EQ(get("/configured").body, "");
  get("/explicit", alice);
  EXPECT_EQ(get("/explicit", bob).x_cache(), "HIT") << "what the origin states itself counts";
  get("/share", alice);
  EXPECT_EQ(get("/share", bob).x_cache(), "HIT");
}

class Credentials : public ForebayTest {
 protected:
  /// Everything that the origin could tell clients by; a lifetime only where the path says so.
  static Reply mine(const Received& r) {
    auto text = r.method;
    for (const auto* name : {"Authorization", "Cookie", "X-Api-Key", "X_Api_Key", "X-Session"})
      text += ' ' + r.get(name);
    return r.path.starts_with("/stated") ? Reply::fresh(text) : Reply().body(text);
  }
};

const FieldLines kCredentials[] = {{{"Cookie", "session=anna"}},
                                   {{"X-Api-Key", "anna"}},
                                   {{"X_Api_Key", "anna"}},
                                   {{"api-key", "anna"}},
                                   {{"X-Auth-Token", "anna"}},
                                   {{"X-Access-Token", "anna"}},
                                   {{"X-Amz-Security-Token", "anna"}},
                                   {{"X-Csrf-Token", "anna"}},
                                   {{"Authorization", "Bearer anna"}}};

TEST_F(Credentials, NeitherMakeNorGetAnAnswerThatLivesByAConfiguredLifetime) {
  origin.otherwise(mine);
  start("routes: [{path: /**, ttl: {default: 60s, status: {200: 60s}}, pass_memory: 0}]\n");
  int n = 0;
  for (const auto& who : kCredentials) {
    const auto path = "/" + std::to_string(n++);
    const auto first = get(path, who);
    EXPECT_EQ(first.cache_param("stored"), "-") << who[0].first;
    EXPECT_NE(get(path).x_cache(), "HIT") << "another client after " << who[0].first;
    EXPECT_EQ(get(path).x_cache(), "HIT") << "who logs in is nobody's secret";
    const auto own = get(path, who);
    EXPECT_EQ(own.x_cache(), "MISS") << who[0].first;
    EXPECT_EQ(own.cache_param("detail"), who[0].first == "Cookie"          ? "cookie"
                                         : who[0].first == "Authorization" ? "authorization"
                                                                           : "credential");
    EXPECT_EQ(ask("HEAD", path, who).x_cache(), "MISS");
    EXPECT_EQ(get(path).x_cache(), "HIT") << "what is stored stays for the others";
    if (who[0].first == "Authorization") continue;
    get("/stated" + path, who);
    EXPECT_EQ(get("/stated" + path, who).x_cache(), "HIT") << who[0].first << ": what the origin states is for all";
    EXPECT_EQ(get("/stated" + path).x_cache(), "HIT");
  }
}

TEST_F(Credentials, ARouteSaysWhichFieldsTheyAreAndWhatItMakesOfThem) {
  origin.otherwise(mine);
  start(R"(
defaults: {ttl: 60s, pass_memory: 0}
routes:
  - {path: /list/*, credentials: [X-Session, Cookie]}
  - {path: /key/*, key: {headers: [X-Api-Key]}}
  - {path: /remove/*, request_headers: {remove: [X-Api-Key]}}
  - {path: /none/*, credentials: []}
)");
  const FieldLines anna{{"X-Api-Key", "anna"}}, bob{{"X-Api-Key", "bob"}};
  get("/list/a", anna);
  EXPECT_EQ(get("/list/a", bob).x_cache(), "HIT") << "the list replaces the default";
  get("/list/b", {{"X-Session", "1"}});
  EXPECT_EQ(get("/list/b", {{"X-Session", "2"}}).cache_param("detail"), "credential");
  EXPECT_THAT(get("/key/a", anna).body, HasSubstr("anna"));
  EXPECT_THAT(get("/key/a", bob).body, HasSubstr("bob"));
  EXPECT_EQ(get("/key/a", anna).x_cache(), "HIT");
  get("/remove/a", anna);
  EXPECT_EQ(get("/remove/a", bob).x_cache(), "HIT") << "the origin never sees it";
  get("/none/a", {{"Cookie", "a=1"}});
  EXPECT_EQ(get("/none/a", {{"Cookie", "b=1"}}).x_cache(), "HIT");
}

TEST_F(Credentials, AFollowerObeysTheSameRule) {
  for (const bool leader_is_anna : {false, true}) {
    const std::string path = leader_is_anna ? "/anna" : "/nobody";
    auto hold = gate();
    origin.on(path, [hold](const Received& r) { return mine(r).after(hold); });
    if (!daemon) start("routes: [{path: /**, ttl: 60s, pass_memory: 0}]\n");
    const FieldLines anna{{"X-Api-Key", "anna"}}, nobody;
    auto leader = connect(), follower = connect(), like_leader = connect();
    leader.request("GET", path, leader_is_anna ? anna : nobody);
    EXPECT_TRUE(origin.wait_for(path, 1));
    follower.request("GET", path, leader_is_anna ? nobody : anna);
    like_leader.request("GET", path, leader_is_anna ? FieldLines{{"X-Api-Key", "bob"}} : nobody);
    EXPECT_TRUE(metric_reaches("forebay_coalesced_waiting", {}, 2));
    hold->open();
    const auto first = leader.read(), second = follower.read(), third = like_leader.read();
    EXPECT_EQ(first.body.find("anna") != std::string::npos, leader_is_anna);
    EXPECT_EQ(second.body.find("anna") != std::string::npos, !leader_is_anna) << "an answer of its own";
    EXPECT_THAT(third.body, Not(HasSubstr("anna")));
    EXPECT_EQ(third.x_cache() == "COALESCED", !leader_is_anna);
    EXPECT_EQ(get(path).x_cache(), "HIT");
    EXPECT_THAT(get(path).body, Not(HasSubstr("anna")));
  }
}

TEST_F(Credentials, ARefreshOrAStaleWindowSharesNothingEither) {
  // A tenth of 600 s, of which 61 are over.
  origin.otherwise(
      [](const Received& r) { return mine(r).field("Age", "61").field("Last-Modified", http_date(-600)); });
  start(R"(
routes:
  - {path: /**, ttl: {heuristic: 10%}, stale: {while_revalidate: 1h, if_error: 1h}, refresh_ahead: 50%, pass_memory: 0}
)");
  const FieldLines anna{{"Cookie", "session=anna"}};
  EXPECT_EQ(get("/a").cache_param("stored"), "") << "for its window";
  const auto own = get("/a", anna);
  EXPECT_EQ(own.x_cache(), "MISS");
  EXPECT_THAT(own.body, HasSubstr("anna"));
  EXPECT_THAT(get("/a").body, Not(HasSubstr("anna")));
  EXPECT_EQ(get("/a").x_cache(), "STALE");
  origin.refuse();
  EXPECT_EQ(get("/a", anna).status, 502) << "nor when the origin fails";
  origin.resume();
}

TEST_F(Credentials, AWindowOfTheRouteSharesNothingWhoseStatedLifetimeIsZero) {
  struct Case {
    const char* path;
    const char* cache_control;
    bool on_error;  // the origin itself lets it stand in for an error
  };
  const Case cases[] = {{"/zero", "max-age=0", false},
                        {"/one-window", "max-age=0, stale-while-revalidate=0", false},
                        {"/error-window", "max-age=0, stale-if-error=600, stale-while-revalidate=0", true}};
  const FieldLines anna{{"Cookie", "session=anna"}}, bert{{"X-Api-Key", "bert"}};
  for (const auto& c : cases)
    origin.on(c.path, [c, failing = std::make_shared<int>(0)](const Received& r) {
      if (r.has("X-Fail") || ++*failing > 3) return Reply(503);
      return Reply::with(c.cache_control, mine(r).status() == 200 ? "for " + r.get("Cookie") + r.get("X-Api-Key") : "")
          .field("ETag", "\"" + std::to_string(r.number) + "\"");
    });
  start(R"(
routes:
  - {path: /**, stale: {while_revalidate: 1h, if_error: 1h}, pass_memory: 0}
)");
  for (const auto& c : cases) {
    EXPECT_EQ(get(c.path).body, "for ") << c.path;
    EXPECT_EQ(get(c.path, anna).body, "for session=anna") << c.path << ": an answer of its own";
    // What anna's own request brought is not for others either.
    EXPECT_THAT(get(c.path).body, Not(HasSubstr("anna"))) << c.path;
  }
  for (const auto& c : cases) {
    get(c.path, {{"X-Fail", "1"}});
    for (const auto& fields : {anna, bert}) {
      const auto a = get(c.path, fields);
      EXPECT_EQ(a.status, c.on_error ? 200 : 503) << c.path << a;
      EXPECT_THAT(a.body, Not(HasSubstr("anna"))) << c.path;
    }
    EXPECT_EQ(get(c.path).status, 200) << c.path << ": the window is for those who bring nothing";
  }
}

TEST_F(Credentials, AWindowOfTheRouteGivesAFollowerNothingWhoseLifetimeIsOver) {
  auto hold = gate();
  origin.on("/zero", [hold](const Received& r) {
    return Reply::with("max-age=0", "for " + r.get("Cookie")).field("ETag", "\"1\"").after(hold);
  });
  origin.on("/configured", [hold](const Received& r) {
    return Reply().field("Age", "61").body("for " + r.get("Cookie")).after(hold);
  });
  start("routes: [{path: /**, ttl: 60s, stale: {while_revalidate: 1h}, pass_memory: 0}]\n");
  std::vector<Client> leaders, followers, annas;
  for (const auto* path : {"/zero", "/configured"}) {
    leaders.push_back(connect());
    leaders.back().request("GET", path);
    EXPECT_TRUE(origin.wait_for(path, 1));
    followers.push_back(connect());
    followers.back().request("GET", path);
    annas.push_back(connect());
    annas.back().request("GET", path, {{"Cookie", "session=anna"}});
  }
  EXPECT_TRUE(metric_reaches("forebay_coalesced_waiting", {}, 4));
  hold->open();
  for (auto& c : leaders) EXPECT_EQ(c.read().body, "for ");
  for (auto& c : followers) {
    const auto a = c.read();
    EXPECT_EQ(a.body, "for ");
    EXPECT_EQ(a.x_cache(), "COALESCED") << "the window is for those who bring nothing";
  }
  for (auto& c : annas) EXPECT_EQ(c.read().body, "for session=anna");
}

// What a request was looked up without must not choose its answer.
TEST_F(Credentials, AreNoTrailers) {
  origin.otherwise([](const Received& r) {
    std::string all;
    for (const auto& [name, value] : r.trailers) all += name + '=' + value + ' ';
    return Reply().body(all);
  });
  start(R"(
routes:
  - {path: /none/*, credentials: []}
  - {path: /large/*, methods: [POST], ttl: 60s, key: {body: none, body_max: 2B}}
  - {path: /looked-up/*, methods: [POST], ttl: 60s}
  - {path: /**}
)");
  const auto post = [&](const std::string& path, const std::string& name) {
    return send_raw("POST " + path + "/" + name +
                    " HTTP/1.1\r\nHost: shop.test\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\nX-Sum: 7\r\n" +
                    name + ": anna\r\n\r\n")
        .body;
  };
  for (const std::string name : {"X-Api-Key", "X_Api_Key", "Private-Token"}) {
    EXPECT_EQ(post("/looked-up", name), "") << name << ": no trailer at all goes with a request that others join";
    EXPECT_EQ(post("/large", name), "X-Sum=7 ") << name;
    EXPECT_EQ(post("/pass", name), "X-Sum=7 ") << name;
    EXPECT_EQ(post("/none", name), "X-Sum=7 " + name + "=anna ") << name << ": no credential to this route";
  }
}

TEST_F(Credentials, ASecretInTheQueryOutsideOfTheKeyServesNobodyElse) {
  origin.otherwise([](const Received& r) { return Reply::fresh(r.target); });
  start(R"(
routes:
  - {path: /list, key: {query: [id]}}
  - {path: /none, key: {query: none}}
  - {path: /except, key: {query: {except: [token, utm_*]}}}
  - {path: /keyed, key: {query: [id, token]}}
  - {path: /off, key: {query: [id]}, credentials: []}
  - {path: /search, no_vary_search: respect}
  - {path: /all}
)");
  for (const std::string path : {"/list", "/none", "/except"})
    for (const std::string secret : {"token=1", "t%6Fken=1", "utm_x=1;token=1"}) {
      get(path + "?id=1");
      const auto target = path + "?id=1&" + secret;
      const auto own = get(target);
      EXPECT_EQ(own.cache_status(), "forebay; fwd=bypass; detail=credential") << target;
      EXPECT_EQ(own.body, target);
      EXPECT_EQ(get(path + "?id=1").body, path + "?id=1");
    }
  for (const std::string secret :
       {"X-Amz-Signature", "X-Goog-Signature", "Signature", "sig", "access_token", "api_key", "TOKEN", "user[token]"})
    EXPECT_EQ(get("/list?id=1&" + secret + "=x").cache_param("detail"), "credential") << secret;
  for (const std::string path : {"/keyed", "/all"}) {
    get(path + "?id=1&token=1");
    EXPECT_EQ(get(path + "?id=1&token=1").x_cache(), "HIT") << path;
    EXPECT_EQ(get(path + "?id=1&token=2").x_cache(), "MISS") << path;
  }
  get("/off?id=1&token=1");
  EXPECT_EQ(get("/off?id=1&token=2").x_cache(), "HIT") << "the route says that there are no credentials";
  origin.on("/search", [](const Received& r) { return Reply::fresh(r.target).field("No-Vary-Search", "params"); });
  get("/search?a=1");
  EXPECT_EQ(get("/search?a=2").x_cache(), "HIT");
  EXPECT_EQ(get("/search?a=2&token=1").body, "/search?a=2&token=1") << "no rule takes a secret out of the key";
  EXPECT_EQ(get("/search?a=2&token=2").body, "/search?a=2&token=2");
}

TEST_F(Credentials, ASignedUrlEndsWhenItStates) {
  origin.otherwise([](const Received&) { return Reply::with("max-age=5000, stale-while-revalidate=5000", "x"); });
  start();
  const auto at = [](long offset) { return std::to_string(std::time(nullptr) + offset); };
  const auto good = get("/a?Signature=x&Expires=" + at(1000));
  EXPECT_GT(good.ttl(), 900);
  EXPECT_LE(good.ttl(), 1000);
  EXPECT_EQ(get("/b?AWSAccessKeyId=x&Signature=x&Expires=" + at(-1)).cache_param("detail"), "zero_ttl");
  EXPECT_EQ(get("/c?X-Amz-Signature=x&X-Amz-Expires=60&X-Amz-Date=20200101T000000Z").cache_param("detail"), "zero_ttl");
  EXPECT_EQ(get("/d?sig=x&se=2020-01-01T00%3A00%3A00Z").cache_param("detail"), "zero_ttl");
  EXPECT_GT(get("/e?Expires=" + at(1000)).ttl(), 4900) << "not signed";
}

TEST_F(Credentials, APreflightIsKeyedByAllThatItAsks) {
  origin.otherwise([](const Received& r) { return Reply::fresh(r.get("Access-Control-Request-Private-Network")); });
  start("diagnostics: {cache_status: key}\nroutes: [{path: /**, methods: [GET, OPTIONS]}]\n");
  const FieldLines plain{{"Origin", "http://a.test"}, {"Access-Control-Request-Method", "PUT"}};
  auto local = plain;
  local.emplace_back("Access-Control-Request-Private-Network", "true");
  EXPECT_EQ(ask("OPTIONS", "/a", plain).body, "");
  const auto answer = ask("OPTIONS", "/a", local);
  EXPECT_EQ(answer.body, "true");
  EXPECT_THAT(answer.key(), EndsWith("|h:origin=http://a.test&access-control-request-method=PUT"
                                     "&access-control-request-private-network=true"));
  EXPECT_EQ(ask("OPTIONS", "/a", local).x_cache(), "HIT");
  EXPECT_EQ(ask("OPTIONS", "/a", plain).body, "");
}

}  // namespace
}  // namespace forebay::test
