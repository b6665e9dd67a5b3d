// F10 and the guard for cookies: RFC 9111 section 3.5 and contract section 2.8.
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

}  // namespace
}  // namespace forebay::test
