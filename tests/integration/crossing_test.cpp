// What one client does must not reach the answers of another, and must not cost everyone: found by attacking keys.
#include "support/forebay_test.hpp"

namespace forebay::test {
namespace {

class Crossing : public ForebayTest {};

Reply says_it_answers_get(const Received& r) {
  return Reply::with("max-age=60", "of " + r.get("Authorization") + r.get("Cookie"))
      .field("Content-Location", r.target);
}

TEST_F(Crossing, APostIsStoredAsAGetOnlyAsTheGetsOwnRouteWouldStoreIt) {
  origin.otherwise(says_it_answers_get);
  start(R"(
routes:
  - {path: /key, methods: [GET, POST], authorization: key, key: {body_max: 1B}}
  - {path: /share, methods: [POST], cache: false, authorization: share}
  - {path: /bypass, bypass: {cookies: [session]}}
  - {path: /**}
)");
  const struct {
    const char* path;
    FieldLines fields;
  } cases[] = {{"/key", {{"Authorization", "Bearer alice"}}},
               {"/share", {{"Authorization", "Bearer alice"}}},
               {"/bypass", {{"Cookie", "session=alice"}}}};
  for (const auto& c : cases) {
    EXPECT_THAT(ask("POST", c.path, c.fields, "xy").body, HasSubstr("alice"));
    EXPECT_THAT(get(c.path).body, Not(HasSubstr("alice"))) << c.path;
  }
  EXPECT_EQ(ask("POST", "/plain", {}, "xy").status, 200);
  EXPECT_EQ(get("/plain").x_cache(), "HIT") << "what may be shared still is";
}

TEST_F(Crossing, ANameThatReadsLikeAKeyedOneToCgiIsNotForwarded) {
  origin.otherwise([](const Received& r) { return Reply::fresh(r.head); });
  start("routes: [{path: /**, key: {headers: [X-Tenant]}, bypass: {headers: [\"X-Preview*\"]}}]\n");
  const FieldLines fields{{"X-Tenant", "victim"},        {"X_Tenant", "evil"},        {"X_Forwarded_Host", "evil"},
                          {"X-Forwarded_Proto", "evil"}, {"Accept_Language", "evil"}, {"X_Preview_Mode", "evil"},
                          {"X_Original-URL", "/evil"},   {"api_key", "kept"}};
  const auto answer = get("/a", fields);
  EXPECT_THAT(answer.body, Not(HasSubstr("evil")));
  EXPECT_THAT(answer.body, HasSubstr("kept")) << "a name that is nobody else's goes on";
  EXPECT_EQ(answer.x_cache(), "MISS");
}

TEST_F(Crossing, AFlightUnderARuleForTheQueryGivesItsAnswerToNoOtherQuery) {
  const auto hold = gate();
  origin.on("/n", [&](const Received& r) {
    if (r.number == 1)
      return Reply::with("max-age=1", "shared").field("No-Vary-Search", "params=(\"user\")").field("Age", "1");
    return Reply::with("max-age=60", "of " + r.target).after(hold);
  });
  start("routes: [{path: /**, no_vary_search: respect, stale: {if_error: 1h}}]\n");
  get("/n?user=first");
  auto alice = connect(), bob = connect();
  alice.request("GET", "/n?user=alice");
  ASSERT_TRUE(origin.wait_for("/n", 2));
  bob.request("GET", "/n?user=bob");
  ASSERT_TRUE(metric_reaches("forebay_requests_in_flight", {}, 2));
  hold->open();
  EXPECT_EQ(alice.read().body, "of /n?user=alice");
  EXPECT_EQ(bob.read().body, "of /n?user=bob");
}

TEST_F(Crossing, RefreshesThatBringNothingStorableAreSpacedOut) {
  origin.on("/c", [](const Received& r) {
    return Reply::with(r.has("Authorization") ? "max-age=600" : "public, max-age=600", "x");
  });
  start("routes: [{path: /**, refresh_ahead: 99.7%}]\n");
  get("/c");
  auto client = connect();
  ASSERT_TRUE(eventually([&] {
    client.get("/c", {{"Authorization", "Basic a"}});
    return origin.count("/c") == 2;
  }));
  for (int i = 0; i < 50; ++i) EXPECT_EQ(client.get("/c", {{"Authorization", "Basic a"}}).x_cache(), "HIT");
  EXPECT_LT(origin.count("/c"), 25u) << "what an authorised request brings is not stored, and not tried at every hit";
}

TEST_F(Crossing, SlowContentTakesNoMoreThanItsShareOfTheCache) {
  origin.otherwise([](const Received& r) { return Reply::fresh(std::string(r.method == "GET" ? 4096 : 2, 'x')); });
  start("cache: {memory: 4MiB}\nroutes: [{path: /search, methods: [POST], key: {body: [/q]}}, {path: /**}]\n");
  for (int i = 0; i < 400; ++i) get("/p" + std::to_string(i));
  const auto before = metric("forebay_cache_entries");
  ASSERT_GT(before, 300);
  std::vector<Client> slow;
  for (int i = 0; i < 100; ++i) {
    slow.push_back(connect());
    slow.back().send(
        "POST /search HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 65000\r\n\r\n" +
        std::string(64900, ' '));
  }
  // Those beyond the share are passed on at once, so the origin sees them; the others are still waited for.
  ASSERT_TRUE(origin.wait_for("/search", 1));
  EXPECT_GE(metric("forebay_cache_entries"), before * 0.75);
}

TEST_F(Crossing, TheRoutesFieldsStandOnOwnErrorsOnceAndNeverInPlaceOfTheirOwn) {
  origin.on("/a", Reply::fresh("0123456789"));
  start(R"(
routes:
  - path: /**
    response_headers: {set: {Cache-Control: "public, max-age=600", Content-Type: text/html, X-Frame-Options: DENY}}
)");
  get("/a");
  const auto range = get("/a", {{"Range", "bytes=50-"}});
  EXPECT_EQ(range.status, 416);
  EXPECT_EQ(range.get("X-Frame-Options"), "DENY");
  origin.refuse();
  const auto error = get("/b");
  EXPECT_EQ(error.status, 502);
  EXPECT_EQ(error.get("X-Frame-Options"), "DENY");
  EXPECT_EQ(error.get("Cache-Control"), "no-store");
  EXPECT_THAT(error.get("Content-Type"), StartsWith("application/problem+json"));
  for (const auto* name : {"Cache-Control", "Content-Type"}) {
    const auto line = "\r\n" + std::string(name) + ":";
    const auto first = error.head.find(line);
    EXPECT_EQ(error.head.find(line, first + 1), std::string::npos) << name;
  }
}

}  // namespace
}  // namespace forebay::test
