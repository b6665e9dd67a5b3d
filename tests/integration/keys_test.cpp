// The parts of a request that are in its key, and the text of the key (docs/keys.md).
#include "support/content.hpp"
#include "support/forebay_test.hpp"

namespace forebay::test {
namespace {

class Keys : public ForebayTest {
 protected:
  // Every answer is fresh and names the request that made it, so that one shared wrongly shows.
  void SetUp() override {
    origin.otherwise([](const Received& r) { return Reply::fresh(r.method + " " + r.target); });
  }
  void start_showing_keys(const std::string& routes) { start("diagnostics: {cache_status: key}\nroutes:\n" + routes); }
  std::string key(const std::string& target, const FieldLines& fields = {}, const std::string& method = "GET") {
    return ask(method, target, fields).key();
  }
  std::string x_cache(const std::string& target, const FieldLines& fields = {}) {
    return get(target, fields).x_cache();
  }
};

TEST_F(Keys, OnlyTheNamedCapturesOfThePathCountAndTheOriginGetsThePathWhole) {
  start_showing_keys("  - {name: r, path: '/{productId}/x/{v}', key: {path: [productId]}}\n");
  EXPECT_EQ(get("/42/x/1").key(), "r|GET|http|shop.test|productId=42");
  EXPECT_EQ(origin.last("/42/x/1").target, "/42/x/1");
  const auto other = get("/42/x/2?");
  EXPECT_EQ(other.x_cache(), "MISS") << "the query counts as before";
  const auto shared = get("/42/x/2");
  EXPECT_EQ(shared.x_cache(), "HIT");
  EXPECT_EQ(shared.body, "GET /42/x/1");
  EXPECT_EQ(get("/43/x/1").x_cache(), "MISS");
  EXPECT_EQ(origin.count("/42/x/2"), 1u);
}

TEST_F(Keys, CapturesOfEveryKindOfPattern) {
  start_showing_keys(R"(
  - {name: rest, path: '/files/{bucket}/{rest+}', key: {path: [rest]}}
  - {name: both, path: '/both/{a}/{b}', key: {path: [b, a]}}
  - {name: regex, path: '~ ^/v(?P<major>[0-9]+)(\.(?P<minor>[0-9]+))?/(?P<what>.*)$', key: {path: [major, minor]}}
  - {name: none, path: /none/**, key: {path: none}}
)");
  EXPECT_EQ(key("/files/one/a/b/c"), "rest|GET|http|shop.test|rest=a/b/c");
  EXPECT_EQ(x_cache("/files/two/a/b/c"), "HIT");
  EXPECT_EQ(x_cache("/files/one/a/b"), "MISS");
  EXPECT_EQ(key("/both/1/2"), "both|GET|http|shop.test|b=2&a=1") << "in the order of the config";
  EXPECT_EQ(key("/v1.2/x"), "regex|GET|http|shop.test|major=1&minor=2");
  EXPECT_EQ(key("/v1/x"), "regex|GET|http|shop.test|major=1") << "a group that took no part is absent";
  EXPECT_EQ(x_cache("/v1.2/y"), "HIT");
  EXPECT_EQ(x_cache("/v1/y"), "HIT");
  EXPECT_EQ(x_cache("/v1.3/y"), "MISS");
  get("/none/a");
  EXPECT_EQ(x_cache("/none/b/c"), "HIT");
}

TEST_F(Keys, WhatLooksLikeASeparatorInACaptureNeverMakesTwoPathsOne) {
  start_showing_keys("  - {name: r, path: '/{a}/{b}', key: {path: [a, b]}}\n");
  for (const auto* target : {"/1&b=2/3", "/1/2&b=3", "/1/2%26b%3D3", "/1%26b%3D2/3", "/1%7Cb/2", "/1/%7Cb2", "/1=/2",
                             "/1/=2", "/a=1/2", "/1%2526b=2/3", "/1%20/2", "/1/%202", "/1/2;b=3", "/1;b=2/3"}) {
    const auto first = get(target);
    EXPECT_EQ(first.status, 200) << target;
    EXPECT_EQ(first.x_cache(), "MISS") << target << " shares " << first.key();
    EXPECT_EQ(get(target).body, std::string("GET ") + target);
  }
}

TEST_F(Keys, TheQueryInEveryForm) {
  start_showing_keys(R"(
  - {name: all, path: /all}
  - {name: none, path: /none, key: {query: none}}
  - {name: list, path: /list, key: {query: [a, "f_*"]}}
  - {name: except, path: /except, key: {query: {except: ["utm_*", gclid]}}}
  - {name: sorted, path: /sorted, key: {query_sort: true}}
)");
  struct Case {
    const char* target;
    const char* key;
  };
  const Case cases[] = {
      {"/all", "all|GET|http|shop.test|/all"},
      {"/all?", "all|GET|http|shop.test|/all|q:"},
      {"/all?b=2&a=1", "all|GET|http|shop.test|/all|q:b=2&a=1"},
      {"/all?a=2&b=1&a=1", "all|GET|http|shop.test|/all|q:a=2&b=1&a=1"},
      {"/all?a", "all|GET|http|shop.test|/all|q:a"},
      {"/all?a=", "all|GET|http|shop.test|/all|q:a="},
      {"/all?%61=%7e", "all|GET|http|shop.test|/all|q:a=~"},
      {"/all?a=1+1", "all|GET|http|shop.test|/all|q:a=1+1"},
      {"/all?a=1%201", "all|GET|http|shop.test|/all|q:a=1%25201"},
      {"/all?a=%26", "all|GET|http|shop.test|/all|q:a=%2526"},
      {"/all?a=x%7cy", "all|GET|http|shop.test|/all|q:a=x%257cy"},
      {"/all?a=b=c", "all|GET|http|shop.test|/all|q:a=b=c"},
      {"/none?a=1", "none|GET|http|shop.test|/none"},
      {"/list?f_x=2&z=3&a=1", "list|GET|http|shop.test|/list|q:a=1&f_x=2"},
      {"/list?z=3", "list|GET|http|shop.test|/list"},
      {"/list?a=", "list|GET|http|shop.test|/list|q:a="},
      {"/except?b=2&utm_source=x&a=1&gclid=y", "except|GET|http|shop.test|/except|q:b=2&a=1"},
      {"/except?utm_source=x", "except|GET|http|shop.test|/except"},
      {"/sorted?b[]=2&a=1&b[]=1", "sorted|GET|http|shop.test|/sorted|q:a=1&b[]=2&b[]=1"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(key(c.target), c.key) << c.target;
    const auto path = std::string(c.target).substr(0, std::string(c.target).find('?'));
    EXPECT_EQ(origin.last(path).target, c.target);
  }
}

TEST_F(Keys, TheOriginSeesTheQueryAsSentWhateverIsKeyed) {
  start(R"(
routes:
  - {path: /none, key: {query: none}}
  - {path: /list, key: {query: [a]}}
  - {path: /except, key: {query: {except: [a]}}}
)");
  for (const std::string path : {"/none", "/list", "/except"}) {
    const auto target = path + "?z=%7e&a=1&%61=2&&x";
    EXPECT_EQ(get(target).body, "GET " + target);
  }
}

TEST_F(Keys, AnAllowListSharesWhatDiffersElsewhereAndKeepsTheOrderOfRepeats) {
  start("routes: [{path: /q, key: {query: [a, b]}}]\n");
  get("/q?a=1&b=2&utm=x");
  EXPECT_EQ(x_cache("/q?b=2&a=1"), "HIT");
  EXPECT_EQ(x_cache("/q?a=1&a=2"), "MISS");
  EXPECT_EQ(x_cache("/q?a=2&a=1"), "MISS");
  EXPECT_EQ(x_cache("/q?a=2&utm=y&a=1"), "HIT");
  EXPECT_EQ(x_cache("/q?%61=1&%62=2"), "HIT") << "an encoded name is the name";
}

TEST_F(Keys, ASemicolonSeparatesNothing) {
  start_showing_keys(R"(
  - {name: all, path: /all}
  - {name: list, path: /list, key: {query: [a]}}
  - {name: params, path: '/p/{id}', key: {path: [id]}}
)");
  EXPECT_EQ(key("/all?a=1;b=2"), "all|GET|http|shop.test|/all|q:a=1;b=2");
  EXPECT_EQ(x_cache("/all?a=1&b=2"), "MISS");
  EXPECT_EQ(key("/list?a=1;z=2"), "list|GET|http|shop.test|/list|q:a=1;z=2") << "a server may split here: kept whole";
  EXPECT_EQ(x_cache("/list?a=1;z=3"), "MISS");
  EXPECT_EQ(x_cache("/list?a=1"), "MISS");
  EXPECT_EQ(key("/p/1;v=2"), "params|GET|http|shop.test|id=1;v=2");
  EXPECT_EQ(x_cache("/p/1"), "MISS");
}

TEST_F(Keys, AParameterThatCountsIsNotHiddenInOneThatDoesNot) {
  // Some servers take a semicolon for a separator too, and would find another `a` there than the one that is keyed.
  start(R"(
routes:
  - {path: /list, key: {query: [a]}}
  - {path: /except, key: {query: {except: ["utm_*"]}}}
)");
  for (const std::string path : {"/list", "/except"}) {
    get(path + "?a=good&utm_x=1");
    EXPECT_EQ(x_cache(path + "?a=good&utm_x=2"), "HIT");
    for (const auto* hidden : {"?a=good&utm_x=1;a=evil", "?a=good&utm_x;a", "?utm_x=1;a=evil&a=good",
                               "?a=good&utm_x=1;%61=evil", "?a=good&utm_x=1;;a=evil", "?a=good&utm_x=1%3Ba=evil;a=x"}) {
      EXPECT_NE(get(path + hidden).body, "GET " + path + "?a=good&utm_x=1") << hidden;
      EXPECT_EQ(get(path + "?a=good&utm_x=3").body, "GET " + path + "?a=good&utm_x=1") << "poisoned by " << hidden;
    }
    EXPECT_EQ(x_cache(path + "?a=good&utm_x=1;utm_y=2"), "HIT") << "nothing in it counts";
  }
}

TEST_F(Keys, HeadersByNameWithAbsentUnlikeEmpty) {
  start_showing_keys("  - {name: r, path: /**, key: {headers: [X-Tenant, Accept-Language]}}\n");
  EXPECT_EQ(key("/a"), "r|GET|http|shop.test|/a");
  EXPECT_EQ(key("/a", {{"X-Tenant", ""}}), "r|GET|http|shop.test|/a|h:x-tenant=");
  EXPECT_EQ(key("/a", {{"accept-language", "de"}, {"X-TENANT", " one "}}),
            "r|GET|http|shop.test|/a|h:x-tenant=one&accept-language=de")
      << "names in any case, in the order of the config; values trimmed";
  EXPECT_EQ(key("/a", {{"X-Tenant", "one"}, {"X-Tenant", "two"}}), "r|GET|http|shop.test|/a|h:x-tenant=one,two");
  EXPECT_EQ(key("/a", {{"X-Tenant", "one,two"}}), "r|GET|http|shop.test|/a|h:x-tenant=one,two");
  EXPECT_EQ(key("/a", {{"X-Tenant", "a|b&c%d=e"}}), "r|GET|http|shop.test|/a|h:x-tenant=a%7Cb%26c%25d=e");
  EXPECT_EQ(origin.count("/a"), 5u) << "only the two spellings of the list share";
  EXPECT_EQ(x_cache("/a", {{"X-Other", "1"}}), "HIT");
}

TEST_F(Keys, HeaderValuesNeverReachIntoOtherParts) {
  start("routes: [{path: /**, key: {headers: [A, B], cookies: [c]}}]\n");
  const FieldLines requests[] = {
      {{"A", "1"}, {"B", "2"}},
      {{"A", "1&b=2"}},
      {{"A", "1"}, {"B", ""}},
      {{"A", "1&b="}},
      {{"A", "1|c:c=2"}},
      {{"A", "1"}, {"Cookie", "c=2"}},
      {{"A", "1%26b=2"}},
      {{"A", "1%7Cc:c=2"}},
      {{"A", ""}, {"B", "1"}},
      {{"B", "1"}},
      {{"A", "b=1"}},
      {{"Cookie", "c=2"}},
      {{"Cookie", "c="}},
      {{"A", ",1"}},
      {{"A", "1,"}},
      {{"A", "1"}, {"Cookie", "c=2&d"}},
  };
  for (const auto& fields : requests) {
    const auto a = get("/x", fields);
    EXPECT_EQ(a.x_cache(), "MISS") << a;
    EXPECT_EQ(get("/x", fields).x_cache(), "HIT");
  }
}

TEST_F(Keys, OnlyTheNamedCookiesSplitTheCache) {
  start_showing_keys("  - {name: r, path: /**, key: {cookies: [ab, 'exp_*']}}\n");
  EXPECT_EQ(key("/a", {{"Cookie", "sid=1; exp_z=3; ab=x; exp_b=2"}}), "r|GET|http|shop.test|/a|c:ab=x&exp_b=2&exp_z=3")
      << "in the order of the config, then by name";
  EXPECT_EQ(x_cache("/a", {{"Cookie", "ab=x; exp_b=2; exp_z=3; sid=2; theme=dark"}}), "HIT");
  EXPECT_EQ(x_cache("/a", {{"Cookie", "exp_b=2"}, {"Cookie", "ab=x; exp_z=3"}}), "HIT") << "in several lines";
  EXPECT_EQ(x_cache("/a", {{"Cookie", "ab=y; exp_b=2; exp_z=3"}}), "MISS");
  EXPECT_EQ(key("/a"), "r|GET|http|shop.test|/a");
  EXPECT_EQ(x_cache("/a", {{"Cookie", "sid=9"}}), "HIT") << "no named cookie is there";
  EXPECT_EQ(key("/a", {{"Cookie", "ab="}}), "r|GET|http|shop.test|/a|c:ab=") << "empty is unlike absent";
  for (const std::string line : {"AB=x", "a.b=1; ab[0]=x", "sid=1 ab=x", "sid=1,ab=x", "sid=\"1; ab=x"})
    EXPECT_THAT(key("/a", {{"Cookie", line}}), HasSubstr(";=" + line)) << "some reader finds ab";
  EXPECT_EQ(x_cache("/a", {{"Cookie", "note=hello world; ab=x; exp_b=2; exp_z=3"}}), "MISS")
      << "Python reads nothing of such a line";
  EXPECT_EQ(key("/a", {{"Cookie", "ab=1; ab=2"}}), "r|GET|http|shop.test|/a|c:ab=1&ab=2");
  EXPECT_EQ(key("/a", {{"Cookie", "ab=2; ab=1"}}), "r|GET|http|shop.test|/a|c:ab=2&ab=1")
      << "readers disagree on which one counts";
  EXPECT_EQ(key("/a", {{"Cookie", "ab=x=y|z"}}), "r|GET|http|shop.test|/a|c:ab=x=y%7Cz");
}

TEST_F(Keys, AKeyedCookieLetsTheConfiguredLifetimeApply) {
  origin.otherwise([](const Received& r) { return Reply().body(r.get("Cookie")); });
  start("routes: [{path: /**, ttl: 60s, key: {cookies: [ab]}}]\n");
  EXPECT_EQ(get("/a", {{"Cookie", "ab=1; sid=x"}}).body, "ab=1; sid=x");
  EXPECT_EQ(get("/a", {{"Cookie", "ab=1; sid=y"}}).x_cache(), "HIT") << "the route says which cookies matter";
  EXPECT_EQ(get("/a", {{"Cookie", "ab=2; sid=x"}}).x_cache(), "MISS");
}

TEST_F(Keys, HostAndSchemeMayBeLeftOut) {
  start_showing_keys(R"(
  - {name: host, path: /host, key: {host: false}}
  - {name: scheme, path: /scheme, key: {scheme: false}}
server: {threads: 1, trusted_proxies: [127.0.0.0/8]}
)");
  get("/host", {{"Host", "one.test"}});
  EXPECT_EQ(x_cache("/host", {{"Host", "two.test"}}), "HIT");
  get("/scheme", {{"X-Forwarded-Proto", "https"}});
  EXPECT_EQ(x_cache("/scheme", {{"X-Forwarded-Proto", "http"}}), "HIT");
  EXPECT_EQ(x_cache("/scheme", {{"Host", "two.test"}}), "MISS");
}

TEST_F(Keys, AuthorizationStandsInTheKeyAsAHashAlone) {
  start_showing_keys("  - {name: r, path: /**, authorization: key}\n");
  const auto a = get("/a", {{"Authorization", "Bearer secret"}});
  EXPECT_EQ(a.key(), "r|GET|http|shop.test|/a|a:" + sha256_hex("Bearer secret").substr(0, 32));
  EXPECT_THAT(a.head, Not(HasSubstr("secret")));
  EXPECT_EQ(get("/a").x_cache(), "MISS");
}

TEST_F(Keys, TheSameReadingOfATargetIsKeyedAndForwarded) {
  FOREBAY_NOT_OVER_TLS("its targets in absolute form are of http");
  start_showing_keys("  - {name: r, path: /**, key: {scheme: false}}\n");
  std::size_t passed = 0;
  for (const std::string target : {"/",
                                   "//",
                                   "///a",
                                   "/a/",
                                   "/a//b",
                                   "/./a",
                                   "/a/.",
                                   "/a/..",
                                   "/a/../b",
                                   "/../..",
                                   "/%2e%2e/",
                                   "/a%2fb",
                                   "/a%2Fb",
                                   "/a%5cb",
                                   "/a;b=1",
                                   "/;",
                                   "/a;/../b",
                                   "/%7Ea",
                                   "/%41",
                                   "/a%20b",
                                   "/a+b",
                                   "/a%25b",
                                   "/a%252Fb",
                                   "/%c3%a4",
                                   "/%C3%A4",
                                   "/%ff",
                                   "/a%00b",
                                   "/a%0ab",
                                   "/a%0d%0ab",
                                   "/a#b",
                                   "/a%23b",
                                   "/a?b#c",
                                   "/a?b?c",
                                   "/a?%00",
                                   "/a?x=%2f",
                                   "/a?../..",
                                   "/a%7cb",
                                   "/a%7Cb?c%7cd",
                                   "/*",
                                   "/a*b",
                                   "/a:b@c",
                                   "/a,b",
                                   "/'a'",
                                   "/(a)",
                                   "/$a",
                                   "/!a",
                                   "/a%",
                                   "/a%4",
                                   "/a%zz",
                                   "/a?b=%",
                                   "/\xc3\xa4",
                                   "/a?\xc3\xa4",
                                   "/a|b",
                                   "/a?b|c",
                                   "/{a}",
                                   "/a\"b",
                                   "/a\\b",
                                   "/a^b",
                                   "/a`b",
                                   "/<a>",
                                   "http://shop.test",
                                   "http://shop.test/x/../y?z",
                                   "HTTP://SHOP.TEST:80/a",
                                   "http://shop.test?q",
                                   "http://u@shop.test/a",
                                   "https://shop.test/a",
                                   "shop.test/a",
                                   "*"}) {
    const auto before = origin.count();
    const auto a = send_raw("GET " + target + " HTTP/1.1\r\nHost: shop.test\r\n\r\n");
    if (a.status != 200) {
      EXPECT_EQ(a.status, 400) << target;
      EXPECT_EQ(origin.count(), before) << target << " was refused and forwarded";
      continue;
    }
    ++passed;
    const auto key = a.key();
    ASSERT_THAT(key, StartsWith("r|GET|shop.test|")) << target;
    const auto rest = key.substr(std::string("r|GET|shop.test|").size());
    const auto bar = rest.find('|');
    const auto path = percent_decoded(rest.substr(0, bar));  // the text encodes each % of the path once
    if (origin.count() == before) {
      EXPECT_EQ(a.x_cache(), "HIT") << target;
      EXPECT_GE(origin.count(path), 1u) << target << " shares the entry of another path: " << key;
      continue;
    }
    const auto r = origin.last(path);
    EXPECT_EQ(r.number, before + 1) << target << " was keyed as " << path << " and forwarded as something else";
    EXPECT_EQ(r.target.find('?') != std::string::npos, bar != std::string::npos) << target << ": " << key;
  }
  EXPECT_GE(passed, 40u);
}

TEST_F(Keys, SpellingsOfOnePathShareOneEntry) {
  start();
  get("/a/b~c");
  for (const auto* target : {"/a/b%7Ec", "/a/./b~c", "/x/../a/b~c", "/%61/b%7ec", "http://SHOP.test/a/b~c"})
    EXPECT_EQ(x_cache(target), "HIT") << target;
  for (const auto* target : {"/a//b~c", "/A/b~c", "/a%2Fb~c", "/a/b~c/", "/a/b~c;"})
    EXPECT_EQ(x_cache(target), "MISS") << target;
}

TEST_F(Keys, TheFirstRouteThatMatchesIsPartOfTheKey) {
  start_showing_keys(R"(
  - {name: one, host: one.test, path: '/{a}'}
  - {name: post, path: /**, methods: [POST]}
  - {name: two, path: '/{a}', key: {host: false}}
  - {name: never, path: '/{b}'}
)");
  EXPECT_EQ(key("/x", {{"Host", "one.test"}}), "one|GET|http|one.test|/x");
  EXPECT_EQ(x_cache("/x", {{"Host", "other.test"}}), "MISS") << "nor do the entries of routes mix";
  EXPECT_EQ(x_cache("/x", {{"Host", "third.test"}}), "HIT");
  EXPECT_THAT(key("/x", {}, "POST"), StartsWith("post|POST|http|shop.test|/x"));
}

TEST_F(Keys, AHeadIsAnsweredUnderTheKeyOfTheGetWithAllItsParts) {
  start_showing_keys("  - {name: r, path: '/{id}', key: {path: [id], query: [q], headers: [X-T], cookies: [c]}}\n");
  const FieldLines fields{{"X-T", "1"}, {"Cookie", "c=2"}};
  const auto g = get("/7?q=1&z", fields);
  const auto h = ask("HEAD", "/7?q=1", fields);
  EXPECT_EQ(h.key(), g.key());
  EXPECT_EQ(h.key(), "r|GET|http|shop.test|id=7|q:q=1|h:x-t=1|c:c=2");
  EXPECT_EQ(h.x_cache(), "HIT");
  EXPECT_EQ(h.body, "");
  EXPECT_EQ(h.get("Content-Length"), std::to_string(g.body.size()));
}

TEST_F(Keys, APreflightIsKeyedByItsOriginMethodAndHeaders) {
  start_showing_keys("  - {name: r, path: /**, methods: [GET, OPTIONS], key: {headers: [X-T]}}\n");
  const FieldLines one{{"Origin", "https://a.test"},
                       {"Access-Control-Request-Method", "PUT"},
                       {"Access-Control-Request-Headers", "x-one"}};
  const auto first = ask("OPTIONS", "/a", one);
  EXPECT_EQ(first.x_cache(), "MISS");
  EXPECT_THAT(first.key(), StartsWith("r|OPTIONS|http|shop.test|/a|h:"));
  for (const auto* pair :
       {"origin=https://a.test", "access-control-request-method=PUT", "access-control-request-headers=x-one"})
    EXPECT_THAT(first.key(), HasSubstr(pair));
  EXPECT_EQ(ask("OPTIONS", "/a", one).x_cache(), "HIT");
  for (std::size_t i = 0; i < one.size(); ++i) {
    auto other = one;
    other[i].second += "x";
    EXPECT_EQ(ask("OPTIONS", "/a", other).x_cache(), "MISS") << one[i].first;
    other.erase(other.begin() + static_cast<long>(i));
    EXPECT_EQ(ask("OPTIONS", "/a", other).x_cache(), "MISS") << "without " << one[i].first;
  }
  auto tenant = one;
  tenant.emplace_back("X-T", "1");
  EXPECT_EQ(ask("OPTIONS", "/a", tenant).x_cache(), "MISS");
  EXPECT_EQ(get("/a").x_cache(), "MISS");
}

TEST_F(Keys, ANameThatSomeReaderTakesForOneOfTheListCounts) {
  start_showing_keys("  - {name: r, path: /**, key: {query: [lang, ab_home]}}\n");
  const auto plain = key("/a");
  for (const std::string sent :
       {"[lang]=no", "lang]=no", "lang[]=no", "[lang][0]=no", "_lang=no", "!lang=no", "LANG=no", "q.lang=no",
        "q[lang]=no", "x&amp;lang=no", "ab.home=1", "ab[home=1", "la%ng=no", "lang%01=no"})
    EXPECT_EQ(x_cache("/a?" + sent), "MISS") << sent;
  EXPECT_EQ(x_cache("/a?language=no&xlang=1&lan=2"), "HIT");
  EXPECT_EQ(key("/a?language=no"), plain);
}

TEST_F(Keys, TheFormNamesThatSomeReaderTakesForOneOfTheListCount) {
  origin.otherwise([](const Received& r) { return Reply::fresh(r.body); });
  start("routes: [{path: /**, methods: POST, key: {form: [lang]}}]\n");
  const auto post = [&](const std::string& form) {
    return ask("POST", "/f", {{"Content-Type", "application/x-www-form-urlencoded"}}, form);
  };
  EXPECT_EQ(post("lang=en").body, "lang=en");
  for (const std::string sent : {"[lang]=no", "lang]=no", "la%6eg[]=no", "_lang=no", "q.lang=no"})
    EXPECT_EQ(post("lang=en&" + sent).body, "lang=en&" + sent);
  EXPECT_EQ(post("lang=en&other=1").x_cache(), "HIT");
}

TEST_F(Keys, CookiesOfSeveralLinesReachTheOriginInOne) {
  start();
  get("/a", {{"Cookie", "a=1"}, {"Cookie", "b=2"}});
  EXPECT_EQ(origin.last("/a").get("Cookie"), "a=1; b=2");
}

}  // namespace
}  // namespace forebay::test
