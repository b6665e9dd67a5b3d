// No-Vary-Search, with `no_vary_search: respect`.
#include "support/forebay_test.hpp"

namespace forebay::test {
namespace {

class NoVarySearch : public ForebayTest {
 protected:
  void script(const std::string& path, const std::string& value) {
    origin.on(path, [value](const Received& r) { return Reply::fresh(r.target).field("No-Vary-Search", value); });
  }
  std::string x_cache(const std::string& target) { return get(target).x_cache(); }
};

const char* const kRespect = "routes: [{path: /**, no_vary_search: respect}]\n";

TEST_F(NoVarySearch, CountsOnlyWhereTheRouteSaysSo) {
  script("/a", "params=(\"utm\")");
  start();
  get("/a?id=1&utm=x");
  EXPECT_EQ(x_cache("/a?id=1&utm=y"), "MISS");
}

TEST_F(NoVarySearch, ParametersThatTheAnswerDoesNotDependOnMakeNoOtherKey) {
  script("/a", "params=(\"utm\" \"c d\")");
  start(kRespect);
  EXPECT_EQ(x_cache("/a?id=1&utm=x"), "MISS");
  for (const auto* same : {"/a?id=1&utm=y", "/a?utm=z&id=1", "/a?id=1", "/a?id=1&utm", "/a?id=1&utm=1&utm=2",
                           "/a?id=1&c+d=7", "/a?id=1&c%20d=7", "/a?id=1&%75tm=q", "/a?%69d=1"}) {
    const auto a = get(same);
    EXPECT_EQ(a.x_cache(), "HIT") << same;
    EXPECT_EQ(a.body, "/a?id=1&utm=x");
  }
  for (const auto* other : {"/a?id=2&utm=x", "/a?utm=x", "/a?id=1&id=1", "/a?id=1&UTM=x", "/a?id=1&utmx=1", "/a?id="})
    EXPECT_EQ(x_cache(other), "MISS") << other;
}

TEST_F(NoVarySearch, AllParametersOrAllButSome) {
  script("/all", "params");
  script("/except", "params, except=(\"id\")");
  start(kRespect);
  get("/all?a=1");
  EXPECT_EQ(x_cache("/all?b=2"), "HIT");
  get("/except?id=1&x=2");
  EXPECT_EQ(x_cache("/except?y=3&id=1"), "HIT");
  EXPECT_EQ(x_cache("/except?id=2&x=2"), "MISS");
}

TEST_F(NoVarySearch, TheOrderOfParametersCountsUnlessTheAnswerSaysItDoesNot) {
  script("/order", "key-order");
  script("/exact", "params=(\"utm\")");
  start("routes: [{path: /**, no_vary_search: respect, key: {query_sort: false}}]\n");
  get("/order?a=1&b=2&a=3");
  EXPECT_EQ(x_cache("/order?b=2&a=1&a=3"), "HIT");
  EXPECT_EQ(x_cache("/order?b=2&a=3&a=1"), "MISS") << "values of one name keep their order";
  get("/exact?a=1&b=2");
  EXPECT_EQ(x_cache("/exact?utm=1&a=1&b=2"), "HIT");
  EXPECT_EQ(x_cache("/exact?b=2&a=1"), "MISS");
}

TEST_F(NoVarySearch, AMalformedMemberMeansExactMatching) {
  const std::vector<std::string> malformed{"params=(\"utm\" 7)",
                                           "params=utm",
                                           "params=(utm)",
                                           "params=(\"utm\"",
                                           "params=(\"utm\"), key-order=?",
                                           "key-order=\"x\", params=(\"utm\")",
                                           "params, except=\"id\"",
                                           "except=(\"id\")",
                                           "params=(\"utm\"), except=(\"id\")",
                                           "\"utm\"",
                                           "params=?0",
                                           ""};
  for (std::size_t i = 0; i < malformed.size(); ++i) script("/" + std::to_string(i), malformed[i]);
  start(kRespect);
  for (std::size_t i = 0; i < malformed.size(); ++i) {
    const auto path = "/" + std::to_string(i);
    get(path + "?id=1&utm=x");
    EXPECT_EQ(x_cache(path + "?id=1&utm=y"), "MISS") << malformed[i];
    EXPECT_EQ(x_cache(path + "?id=1&utm=x"), "HIT") << malformed[i];
  }
}

TEST_F(NoVarySearch, ALaterAnswerMayTakeItBackAndAWriteDropsAllOfIt) {
  origin.on("/a", [](const Received& r) {
    if (r.method != "GET") return Reply(204);
    return r.number == 1 ? Reply::fresh(r.target).field("No-Vary-Search", "params=(\"utm\")") : Reply::fresh(r.target);
  });
  start(kRespect);
  get("/a?utm=1");
  EXPECT_EQ(get("/a?utm=2").x_cache(), "HIT");
  ask("DELETE", "/a?utm=3");
  ask("DELETE", "/a?utm=1");
  get("/a?utm=4");
  EXPECT_EQ(get("/a?utm=4").body, "/a?utm=4");
  EXPECT_EQ(get("/a?utm=5").body, "/a?utm=5");
}

TEST_F(NoVarySearch, AStaleAnswerCountsOnce) {
  origin.on("/a", Reply::with("max-age=1, stale-while-revalidate=600")
                      .field("Age", "2")
                      .field("No-Vary-Search", "params=(\"utm\")")
                      .body("x"));
  auto hold = gate();
  start(kRespect);
  get("/a?utm=1");
  origin.on("/a", Reply::fresh("new").after(hold));
  for (int i = 2; i < 5; ++i) EXPECT_EQ(get("/a?utm=" + std::to_string(i)).x_cache(), "STALE");
  const auto told = Client(daemon->admin_port())
                        .ask("POST", "/api/v1/explain", {{"Host", "localhost"}, {"Content-Type", "application/json"}},
                             R"({"method": "GET", "url": ")" + scheme() + R"(://shop.test/a?utm=9"})");
  EXPECT_THAT(told.body, HasSubstr("\"hits\":3"));
  hold->open();
}

TEST_F(NoVarySearch, OtherPartsOfTheKeyStillCount) {
  origin.on("/a", [](const Received& r) {
    return Reply::fresh(r.get("X-T") + r.get("Host") + r.method).field("No-Vary-Search", "params=(\"utm\")");
  });
  start("routes: [{path: /**, methods: [GET, POST], no_vary_search: respect, key: {headers: [X-T]}}]\n");
  get("/a?utm=1", {{"X-T", "1"}});
  EXPECT_EQ(get("/a?utm=2", {{"X-T", "2"}}).body, "2shop.testGET");
  EXPECT_EQ(get("/a?utm=2", {{"X-T", "1"}, {"Host", "b.test"}}).body, "1b.testGET");
  EXPECT_EQ(ask("POST", "/a?utm=2", {{"X-T", "1"}}, "x").body, "1shop.testPOST");
  EXPECT_EQ(ask("POST", "/a?utm=3", {{"X-T", "1"}}, "x").x_cache(), "HIT");
  EXPECT_EQ(get("/a?utm=3", {{"X-T", "1"}}).x_cache(), "HIT");
}

TEST_F(NoVarySearch, RequestsAtATimeAreAnsweredRightWhicheverLearnsTheRule) {
  auto hold = gate();
  origin.on("/a", [hold](const Received& r) {
    return Reply::fresh(r.target.substr(r.target.find("id="), 4))
        .field("No-Vary-Search", "params=(\"utm\")")
        .after(hold);
  });
  start(kRespect);
  std::vector<Client> all;
  for (int i = 0; i < 20; ++i) {
    all.push_back(connect());
    all.back().request("GET", "/a?id=" + std::to_string(i % 2) + "&utm=" + std::to_string(i));
  }
  EXPECT_TRUE(origin.wait_for("/a", 2));
  hold->open();
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(all[static_cast<std::size_t>(i)].read().body, "id=" + std::to_string(i % 2)) << i;
  EXPECT_EQ(x_cache("/a?id=0&utm=new"), "HIT");
  EXPECT_EQ(x_cache("/a?id=1&utm=new"), "HIT");
}

}  // namespace
}  // namespace forebay::test
