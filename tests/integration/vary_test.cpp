// RFC 9111 section 4.1.
#include "support/forebay_test.hpp"

namespace forebay::test {
namespace {

class Vary : public ForebayTest {};

TEST_F(Vary, VariantsAreKeptSideBySideAndChosenByTheRequest) {
  origin.on("/a", [](const Received& r) { return Reply::fresh("[" + r.get("X-Lang") + "]").field("Vary", "X-Lang"); });
  start();
  EXPECT_EQ(get("/a", {{"X-Lang", "de"}}).body, "[de]");
  const auto second = get("/a", {{"X-Lang", "fr"}});
  EXPECT_EQ(second.body, "[fr]");
  EXPECT_THAT(second.cache_status(), StartsWith("forebay; fwd=vary-miss"));
  EXPECT_EQ(get("/a").body, "[]") << "absent is a value of its own";
  EXPECT_EQ(get("/a", {{"X-Lang", "de"}}).x_cache(), "HIT");
  EXPECT_EQ(get("/a", {{"X-Lang", "fr"}}).x_cache(), "HIT");
  const auto absent = get("/a");
  EXPECT_EQ(absent.x_cache(), "HIT");
  EXPECT_EQ(absent.body, "[]");
  EXPECT_EQ(origin.count("/a"), 3u);
}

TEST_F(Vary, SeveralFieldsSelectTogetherInAnyNumberOfLines) {
  origin.on("/a", [](const Received& r) {
    return Reply::fresh(r.get("A") + "-" + r.get("B")).field("Vary", "A").field("Vary", " ,b , ");
  });
  start();
  get("/a", {{"A", "1"}, {"B", "1"}});
  EXPECT_EQ(get("/a", {{"A", "1"}, {"B", "2"}}).body, "1-2");
  EXPECT_EQ(get("/a", {{"A", "2"}, {"B", "1"}}).body, "2-1");
  EXPECT_EQ(get("/a", {{"a", "1"}, {"b", "1"}}).x_cache(), "HIT");
}

TEST_F(Vary, WhiteSpaceAndLinesOfAFieldMakeNoVariant) {
  origin.on("/a", Reply::fresh().field("Vary", "X-List"));
  start();
  get("/a", {{"X-List", "a, b"}});
  EXPECT_EQ(get("/a", {{"X-List", "a,b"}}).x_cache(), "HIT");
  EXPECT_EQ(get("/a", {{"X-List", "a  ,  b"}}).x_cache(), "HIT");
  EXPECT_EQ(get("/a", {{"X-List", "a"}, {"X-List", "b"}}).x_cache(), "HIT");
  EXPECT_EQ(get("/a", {{"X-List", "b, a"}}).x_cache(), "MISS");
}

TEST_F(Vary, AcceptLanguageIgnoresCase) {
  origin.on("/a", Reply::fresh().field("Vary", "Accept-Language"));
  start();
  get("/a", {{"Accept-Language", "de-DE, en"}});
  EXPECT_EQ(get("/a", {{"Accept-Language", "DE-de,EN"}}).x_cache(), "HIT");
}

TEST_F(Vary, AcceptEncodingIsNormalised) {
  origin.on("/a", Reply::fresh().field("Vary", "Accept-Encoding"));
  start();
  get("/a", {{"Accept-Encoding", "gzip, br;q=0"}});
  EXPECT_EQ(get("/a", {{"Accept-Encoding", "br;q=0,gzip"}}).x_cache(), "HIT");
  EXPECT_EQ(get("/a", {{"Accept-Encoding", "br"}}).x_cache(), "MISS");
}

TEST_F(Vary, AFieldAbsentFromBothRequestsMatches) {
  origin.on("/a", Reply::fresh().field("Vary", "X-A, X-B"));
  start();
  get("/a", {{"X-A", "1"}});
  EXPECT_EQ(get("/a", {{"X-A", "1"}}).x_cache(), "HIT");
  EXPECT_EQ(get("/a", {{"X-A", "1"}, {"X-B", ""}}).x_cache(), "MISS") << "empty is not absent";
}

TEST_F(Vary, AStarIsNeverReused) {
  origin.on("/a", Reply::fresh().field("Vary", "*"));
  start();
  get("/a");
  const auto a = get("/a");
  EXPECT_NE(a.x_cache(), "HIT");
  EXPECT_EQ(origin.count("/a"), 2u);
}

TEST_F(Vary, ARouteMayIgnoreIt) {
  origin.on("/a", Reply::fresh().field("Vary", "X-Lang"));
  start("routes: [{path: /**, vary: ignore}]\n");
  get("/a", {{"X-Lang", "de"}});
  EXPECT_EQ(get("/a", {{"X-Lang", "fr"}}).x_cache(), "HIT");
}

TEST_F(Vary, BeyondMaxVariantsTheOldestGoesAndOtherKeysStay) {
  origin.otherwise([](const Received& r) { return Reply::fresh(r.get("Origin")).field("Vary", "Origin"); });
  start("routes: [{path: /**, max_variants: 4}]\n");
  get("/other", {{"Origin", "x"}});
  for (int i = 0; i < 50; ++i) get("/a", {{"Origin", "o" + std::to_string(i)}});
  EXPECT_EQ(get("/a", {{"Origin", "o0"}}).x_cache(), "MISS");
  EXPECT_EQ(get("/a", {{"Origin", "o49"}}).x_cache(), "HIT");
  EXPECT_EQ(get("/other", {{"Origin", "x"}}).x_cache(), "HIT");
  EXPECT_TRUE(metric_reaches("forebay_variants_evicted_total", {}, 47));
  EXPECT_LE(metric("forebay_cache_entries"), 5);
}

TEST_F(Vary, AFollowerWhoseRequestDoesNotMatchTheLandedHeadFetchesItsOwn) {
  auto hold = gate();
  origin.on("/a", [hold](const Received& r) {
    auto reply = Reply::fresh(r.get("X-Lang")).field("Vary", "X-Lang");
    if (r.number == 1) reply.after(hold);
    return reply;
  });
  start();
  auto leader = connect();
  leader.request("GET", "/a", {{"X-Lang", "de"}});
  EXPECT_TRUE(origin.wait_for("/a", 1));
  std::vector<Client> others;
  for (int i = 0; i < 20; ++i) {
    others.push_back(connect());
    others.back().request("GET", "/a", {{"X-Lang", i % 2 ? "fr" : "de"}});
  }
  EXPECT_TRUE(metric_reaches("forebay_coalesced_waiting", {}, 20));
  hold->open();
  EXPECT_EQ(leader.read().body, "de");
  for (int i = 0; i < 20; ++i) EXPECT_EQ(others[static_cast<std::size_t>(i)].read().body, i % 2 ? "fr" : "de");
  EXPECT_EQ(origin.count("/a"), 2u) << "the ten of the other variant share one fetch";
}

// --- one representation is never taken for another ---

// Every variant has the same tag, as with a row version, or a weak tag over the body alone.
TEST_F(Vary, AVariantIsNeverAskedAboutForARequestOfAnotherOne) {
  for (const auto* tag : {"\"7\"", "W/\"7\""}) {
    const std::string path = tag[0] == 'W' ? "/weak" : "/strong";
    origin.on(path, [tag](const Received& r) {
      if (r.get("If-None-Match").find(tag) != std::string::npos)
        return Reply(304).field("ETag", tag).field("Vary", "X-Tenant").field("Cache-Control", "max-age=60");
      return Reply::with("max-age=60", "of " + r.get("X-Tenant"))
          .field("Age", "61")
          .field("ETag", tag)
          .field("Vary", "X-Tenant");
    });
  }
  start();
  for (const auto* path : {"/strong", "/weak"}) {
    EXPECT_EQ(get(path, {{"X-Tenant", "anna"}}).body, "of anna");
    const auto other = get(path, {{"X-Tenant", "bert"}});
    EXPECT_EQ(other.body, "of bert");
    EXPECT_FALSE(origin.last(path).has("If-None-Match"));
    for (const auto* tenant : {"anna", "bert"}) {
      const auto a = get(path, {{"X-Tenant", tenant}});
      EXPECT_EQ(a.x_cache(), "REVALIDATED");
      EXPECT_EQ(a.body, std::string("of ") + tenant);
      EXPECT_EQ(get(path, {{"X-Tenant", tenant}}).x_cache(), "HIT");
    }
    EXPECT_EQ(origin.count(path), 4u);
  }
}

TEST_F(Vary, ByUserAgentWithOneTagForAllBecomesAHitForEachAgent) {
  origin.on("/a", [](const Received& r) {
    if (r.has("If-None-Match")) return Reply(304).field("ETag", "\"1\"").field("Vary", "User-Agent");
    return Reply::fresh("page").field("ETag", "\"1\"").field("Vary", "User-Agent");
  });
  start();
  for (int round = 0; round < 2; ++round)
    for (const auto* agent : {"one", "two", "three"})
      EXPECT_EQ(get("/a", {{"User-Agent", agent}}).x_cache(), round == 0 ? "MISS" : "HIT") << agent;
  EXPECT_EQ(origin.count("/a"), 3u);
}

// Nobody has compared the request that the stored response was for by the new name, and not every origin gives each
// representation a tag of its own: the whole is fetched once.
TEST_F(Vary, AVaryThatA304BringsIsObeyedFromThenOn) {
  for (const auto* tag : {"\"7\"", "W/\"7\""}) {
    const std::string path = tag[0] == 'W' ? "/weak" : "/strong";
    origin.on(path, [tag, n = std::make_shared<int>(0)](const Received& r) {
      const bool first = ++*n == 1;
      if (r.has("If-None-Match"))
        return Reply(304).field("ETag", tag).field("Vary", "X-Tenant").field("Cache-Control", "max-age=60");
      auto reply = Reply::with("max-age=60", "of " + r.get("X-Tenant")).field("ETag", tag);
      return first ? reply.field("Age", "61") : reply.field("Vary", "X-Tenant");
    });
  }
  start();
  for (const auto* path : {"/strong", "/weak"}) {
    EXPECT_EQ(get(path, {{"X-Tenant", "anna"}}).body, "of anna");
    EXPECT_EQ(get(path, {{"X-Tenant", "bert"}}).body, "of bert");
    EXPECT_EQ(origin.count(path), 3u) << "asked about, and then fetched";
    EXPECT_EQ(get(path, {{"X-Tenant", "bert"}}).x_cache(), "HIT");
    EXPECT_EQ(get(path, {{"X-Tenant", "anna"}}).body, "of anna");
    EXPECT_EQ(get(path, {{"X-Tenant", "carl"}}).body, "of carl");
  }
}

TEST_F(Vary, A304ThatStatesWhatIsKnownFreshensAlsoWhereAnEarlierOneOmittedIt) {
  origin.on("/a", [](const Received& r) {
    if (!r.has("If-None-Match"))
      return Reply::with("max-age=60", "of " + r.get("X-Lang"))
          .field("Age", "61")
          .field("ETag", "\"1\"")
          .field("Vary", "X-Lang");
    auto reply = Reply(304).field("ETag", "\"1\"").field("Cache-Control", "max-age=60").field("Age", "61");
    return r.number % 2 == 0 ? reply : reply.field("Vary", "X-Lang");
  });
  start();
  get("/a", {{"X-Lang", "de"}});
  for (int i = 0; i < 4; ++i) EXPECT_EQ(get("/a", {{"X-Lang", "de"}}).x_cache(), "REVALIDATED") << i;
}

// A row version as tag, and a server that leaves Vary out of its 304s. The first Vary of the resource comes while a
// validation is on its way.
TEST_F(Vary, A304IsNotBelievedWhereTheKeyHasComeToVaryMeanwhile) {
  auto hold = gate();
  origin.on("/a", [=](const Received& r) {
    if (r.number == 1) return Reply::with("max-age=0", "for all").field("ETag", "\"1\"");
    if (r.get("If-None-Match") == "\"1\"") return Reply(304).field("ETag", "\"1\"").after(hold);
    return Reply::fresh(r.get("X-Tenant")).field("ETag", "\"1\"").field("Vary", "X-Tenant");
  });
  start("routes: [{path: /**, pass_memory: 0}]\n");
  EXPECT_EQ(get("/a", {{"X-Tenant", "a"}}).body, "for all");
  auto validating = connect();
  validating.request("GET", "/a", {{"X-Tenant", "b"}});
  ASSERT_TRUE(origin.wait_for("/a", 2));
  auto head = connect();
  head.request("HEAD", "/a", {{"X-Tenant", "a"}, {"Cache-Control", "no-cache"}});
  EXPECT_EQ(head.read_head().status, 200);
  hold->open();
  EXPECT_EQ(validating.read().body, "b");
}

TEST_F(Vary, AVaryThatAHeadBringsIsObeyedFromThenOn) {
  bool changed = false;
  origin.otherwise([&changed](const Received& r) {
    auto reply = Reply::with("max-age=60", r.get("X-Lang")).field("ETag", r.path == "/weak" ? "W/\"1\"" : "\"1\"");
    if (r.path == "/bare") reply = Reply::with("max-age=60", r.get("X-Lang"));
    if (changed) reply.field("Vary", "X-Lang");
    return changed ? reply : reply.field("Age", "61");
  });
  start("routes: [{path: /**, stale: {if_error: 1h}}]\n");
  for (const auto* path : {"/strong", "/weak", "/bare"}) {
    changed = false;
    get(path, {{"X-Lang", "de"}});
    changed = true;
    EXPECT_EQ(ask("HEAD", path, {{"X-Lang", "en"}}).status, 200);
    EXPECT_EQ(get(path, {{"X-Lang", "fr"}}).body, "fr") << path;
    EXPECT_EQ(get(path, {{"X-Lang", "en"}}).body, "en") << path;
    EXPECT_EQ(get(path, {{"X-Lang", "de"}}).body, "de") << path;
  }
}

// A server that adds Vary: Origin to what it allows alone.
// The same where what is allowed is not stored, so that its Vary is all that is known of it.
TEST_F(Vary, ARefusalThatOmitsVaryNeverHidesWhatIsAllowedAndNotStored) {
  for (const auto* control : {"private", "no-store", "max-age=60, private", "no-cache=\"x\", max-age=0"})
    for (const auto* method : {"GET", "HEAD"}) {
      const std::string path = std::string("/") + method + "/" + std::to_string(std::hash<std::string>{}(control));
      origin.on(path, [control](const Received& r) {
        if (r.get("Origin") == "https://allowed") return Reply::with(control, "allowed").field("Vary", "Origin");
        return Reply::fresh("refused");
      });
    }
  start();
  for (const auto* control : {"private", "no-store", "max-age=60, private", "no-cache=\"x\", max-age=0"})
    for (const auto* method : {"GET", "HEAD"}) {
      const std::string path = std::string("/") + method + "/" + std::to_string(std::hash<std::string>{}(control));
      const FieldLines allowed{{"Origin", "https://allowed"}};
      auto client = connect();
      EXPECT_EQ(client.ask(method, path, allowed).status, 200);
      EXPECT_EQ(get(path).body, "refused");
      EXPECT_EQ(get(path, allowed).body, "allowed") << method << ' ' << control;
      EXPECT_EQ(get(path).body, "refused");
    }
}

TEST_F(Vary, ARefusalThatOmitsVaryNeverHidesWhatIsAllowedToOthers) {
  origin.otherwise([](const Received& r) {
    auto reply = Reply::fresh("[" + r.get("Origin") + "]");
    if (r.path == "/compressed") reply.field("Vary", "Accept-Encoding");
    if (r.get("Origin") != "https://evil")
      reply.field("Access-Control-Allow-Origin", r.get("Origin")).field("Vary", "Origin");
    return reply;
  });
  start();
  for (const auto* path : {"/plain", "/compressed"}) {
    const auto from = [&](const char* site) {
      return get(path, {{"Origin", site}}).get("Access-Control-Allow-Origin");
    };
    EXPECT_EQ(from("https://a"), "https://a");
    EXPECT_EQ(from("https://evil"), "");
    EXPECT_EQ(from("https://a"), "https://a");
    EXPECT_EQ(from("https://b"), "https://b") << "not the refusal, which has no Vary";
    EXPECT_EQ(from("https://evil"), "");
    EXPECT_EQ(from("https://b"), "https://b");
    EXPECT_EQ(origin.count(path), 3u) << "the refusal is a hit, too, for whom it is for";
  }
}

TEST_F(Vary, WhatIsSelectedByFieldsThatForebayWritesIsSelectedAsTheOriginGotThem) {
  origin.otherwise([](const Received& r) {
    const auto name = r.path.substr(1);
    return Reply::fresh(r.get(name)).field("Vary", name);
  });
  start(
      "server: {trusted_proxies: [127.0.0.0/8]}\n"
      "routes:\n"
      "  - path: /X-Set\n"
      "    request_headers: {set: {X-Set: fixed}}\n"
      "  - path: /X-Gone\n"
      "    request_headers: {remove: [X-Gone]}\n"
      "  - path: /**\n");
  const auto twice = [&](const std::string& path, const FieldLines& one, const FieldLines& other, bool same) {
    const auto first = get(path, one).body;
    EXPECT_EQ(get(path, one).x_cache(), "HIT") << path;
    const auto second = get(path, other);
    EXPECT_EQ(second.x_cache(), same ? "HIT" : "MISS") << path;
    EXPECT_EQ(second.body == first, same) << path;
    EXPECT_EQ(get(path, one).body, first) << path;
  };
  twice("/X-Forwarded-For", {{"X-Forwarded-For", "10.1.1.1"}}, {{"X-Forwarded-For", "10.1.1.2"}}, false);
  twice("/Via", {{"Via", "1.1 one"}}, {{"Via", "1.1 two"}}, false);
  twice("/X-Set", {{"X-Set", "1"}}, {{"X-Set", "2"}}, true);
  twice("/X-Gone", {{"X-Gone", "1"}}, {{"X-Gone", "2"}}, true);
  twice("/If-None-Match", {{"If-None-Match", "\"1\""}}, {{"If-None-Match", "\"2\""}}, true);
}

TEST_F(Vary, ByAnAddressThatAStrangerClaimsIsByTheAddressThatForebaySees) {
  origin.on("/a",
            [](const Received& r) { return Reply::fresh(r.get("X-Forwarded-For")).field("Vary", "X-Forwarded-For"); });
  start();
  EXPECT_EQ(get("/a", {{"X-Forwarded-For", "10.1.1.1"}}).body, "127.0.0.1");
  EXPECT_EQ(get("/a", {{"X-Forwarded-For", "10.1.1.2"}}).x_cache(), "HIT");
  EXPECT_EQ(get("/a").x_cache(), "HIT");
}

// --- Accept-Encoding ---

TEST_F(Vary, ACodingThatForebayDoesNotKnowIsAVariantOfItsOwn) {
  origin.on("/a", [](const Received& r) {
    const bool xz = r.get("Accept-Encoding").find("xz") != std::string::npos;
    auto reply = Reply::fresh(xz ? "xz" : "plain").field("Vary", "Accept-Encoding");
    return xz ? reply.field("Content-Encoding", "xz") : reply;
  });
  start();
  EXPECT_EQ(get("/a", {{"Accept-Encoding", "gzip, xz"}}).body, "xz");
  EXPECT_EQ(get("/a", {{"Accept-Encoding", "gzip"}}).body, "plain");
  EXPECT_EQ(get("/a", {{"Accept-Encoding", "xz, gzip"}}).x_cache(), "HIT");
}

TEST_F(Vary, OfTwoAbilitiesTheOrderOfPreferenceCounts) {
  origin.on("/a", Reply::fresh().field("Vary", "Accept-Encoding"));
  start();
  get("/a", {{"Accept-Encoding", "br, gzip;q=0.5"}});
  EXPECT_EQ(get("/a", {{"Accept-Encoding", "gzip;q=0.1, br;q=0.9"}}).x_cache(), "HIT");
  EXPECT_EQ(get("/a", {{"Accept-Encoding", "gzip, br;q=0.5"}}).x_cache(), "MISS");
  EXPECT_EQ(get("/a", {{"Accept-Encoding", "*"}}).x_cache(), "MISS");
  EXPECT_EQ(get("/a", {{"Accept-Encoding", "identity"}}).x_cache(), "MISS");
  EXPECT_EQ(get("/a", {{"Accept-Encoding", "gzip;q=0"}}).x_cache(), "HIT") << "identity is all that is left";
}

TEST_F(Vary, AnEncodedAnswerWithoutVaryIsNotGivenToARequestThatRefusesItsCoding) {
  origin.on("/a", [](const Received& r) {
    const bool gzip = r.get("Accept-Encoding").find("gzip") != std::string::npos;
    return gzip ? Reply::fresh("zip").field("Content-Encoding", "gzip") : Reply::fresh("plain");
  });
  start();
  EXPECT_EQ(get("/a", {{"Accept-Encoding", "gzip"}}).body, "zip");
  EXPECT_EQ(get("/a", {{"Accept-Encoding", "gzip, br"}}).x_cache(), "HIT");
  EXPECT_EQ(get("/a").x_cache(), "HIT") << "no field, no refusal";
  const auto plain = get("/a", {{"Accept-Encoding", "br"}});
  EXPECT_EQ(plain.body, "plain");
  EXPECT_THAT(plain.cache_status(), StartsWith("forebay; fwd=vary-miss"));
}

// A server that looks for the letters `gzip` alone.
TEST_F(Vary, ACodingThatItsOwnRequestRefusedIsGivenToNobodyWhoRefusesIt) {
  origin.on("/a", [](const Received& r) {
    const bool gzip = r.get("Accept-Encoding").find("gzip") != std::string::npos;
    auto reply = Reply::fresh(gzip ? "zip" : "plain").field("Vary", "Accept-Encoding");
    return gzip ? reply.field("Content-Encoding", "gzip") : reply;
  });
  start();
  EXPECT_EQ(get("/a", {{"Accept-Encoding", "gzip;q=0, br;q=0"}}).body, "zip") << "its own doing";
  EXPECT_EQ(get("/a", {{"Accept-Encoding", "identity"}}).body, "plain");
  EXPECT_EQ(get("/a", {{"Accept-Encoding", "identity"}}).x_cache(), "HIT");
  EXPECT_EQ(get("/a", {{"Accept-Encoding", "gzip"}}).body, "zip");
  EXPECT_EQ(get("/a", {{"Accept-Encoding", "gzip"}}).x_cache(), "HIT");
}

TEST_F(Vary, AFollowerThatRefusesTheCodingOfWhatLandsFetchesItsOwn) {
  auto hold = gate();
  origin.on("/a", [hold](const Received& r) {
    if (r.get("Accept-Encoding") == "gzip") return Reply::fresh("zip").field("Content-Encoding", "gzip").after(hold);
    return Reply::fresh("plain");
  });
  start();
  auto leader = connect();
  leader.request("GET", "/a", {{"Accept-Encoding", "gzip"}});
  ASSERT_TRUE(origin.wait_for("/a", 1));
  auto willing = connect(), refusing = connect();
  willing.request("GET", "/a", {{"Accept-Encoding", "gzip, br"}});
  refusing.request("GET", "/a", {{"Accept-Encoding", "identity"}});
  EXPECT_TRUE(metric_reaches("forebay_coalesced_waiting", {}, 2));
  hold->open();
  EXPECT_EQ(leader.read().body, "zip");
  EXPECT_EQ(willing.read().body, "zip");
  EXPECT_EQ(refusing.read().body, "plain");
  EXPECT_EQ(origin.count("/a"), 2u);
}

// Whoever follows the flight refuses the coding as the leader does, or not: nobody gets what it cannot read by way of
// another, and nobody goes round in circles.
TEST_F(Vary, ACodingThatTheLeaderRefusedIsItsOwnAndHarmsNoFollower) {
  auto hold = gate();
  auto second = gate();
  origin.on("/a", [hold, second](const Received& r) {
    return Reply::fresh("zip").field("Content-Encoding", "gzip").after(r.number == 1 ? hold : second);
  });
  start("server: {threads: 2}\nroutes: [{path: /**}]\n");
  auto leader = connect();
  leader.request("GET", "/a", {{"Accept-Encoding", "identity"}});
  ASSERT_TRUE(origin.wait_for("/a", 1));
  std::vector<Client> all;
  for (int i = 0; i < 10; ++i) {
    all.push_back(connect());
    all.back().request("GET", "/a", {{"Accept-Encoding", i % 2 == 0 ? "identity" : "gzip"}});
  }
  EXPECT_TRUE(metric_reaches("forebay_coalesced_waiting", {}, 10));
  hold->open();
  EXPECT_EQ(leader.read().body, "zip") << "the origin has nothing else";
  EXPECT_TRUE(origin.wait_for("/a", 6)) << "nobody of those who refuse it waits for another of them";
  second->open();
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto a = all[i].read();
    EXPECT_EQ(a.body, "zip");
    EXPECT_EQ(a.x_cache(), i % 2 == 0 ? "MISS" : "COALESCED") << "who accepts it waits for nobody else";
  }
  EXPECT_EQ(origin.count("/a"), 6u) << "once for each who refuses it, all at a time";
  EXPECT_EQ(get("/a", {{"Accept-Encoding", "gzip"}}).x_cache(), "HIT") << "it is stored for whoever accepts it";
  const auto seen = origin.count("/a");
  EXPECT_EQ(get("/a", {{"Accept-Encoding", "identity"}}).x_cache(), "MISS");
  EXPECT_EQ(origin.count("/a"), seen + 1);
  EXPECT_EQ(get("/a", {{"Accept-Encoding", "gzip"}}).x_cache(), "HIT");
}

TEST_F(Vary, MoreNamesThanAreComparedMatchNothing) {
  const auto names = [](int n) {
    std::string all = "X-0";
    for (int i = 1; i < n; ++i) all += ", X-" + std::to_string(i);
    return all;
  };
  int listed = 64;
  origin.on("/a", [&](const Received& r) {
    return Reply::fresh("for " + r.get("X-0")).field("ETag", "\"" + r.get("X-0") + "\"").field("Vary", names(listed));
  });
  start("routes: [{path: /**, pass_memory: 0}]\n");
  const FieldLines one{{"X-0", "one"}}, two{{"X-0", "two"}};
  get("/a", one);
  EXPECT_EQ(get("/a", one).x_cache(), "HIT") << "as many as are compared";
  listed = 65;
  EXPECT_EQ(ask("HEAD", "/a", two).status, 200);
  EXPECT_EQ(get("/a", two).body, "for two");
  EXPECT_EQ(get("/a", two).cache_param("detail"), "vary_star") << "not stored";
  EXPECT_EQ(ask("HEAD", "/a", one).status, 200);
  listed = 64;
  EXPECT_EQ(get("/a", one).body, "for one");
  EXPECT_EQ(get("/a", two).body, "for two");
  EXPECT_EQ(get("/a", two).x_cache(), "HIT");
}

}  // namespace
}  // namespace forebay::test
