// RFC 5861 and RFC 9111 section 4.2.4. Staleness comes from Age, so that no test waits for time to pass.
#include <atomic>

#include "support/forebay_test.hpp"

namespace forebay::test {
namespace {

class Stale : public ForebayTest {
 protected:
  // Stale by one second from the start, with so many seconds left of a window of 30.
  static Reply aged(const std::string& cache_control, const std::string& body = "old", int age = 61) {
    return Reply::with("max-age=60" + (cache_control.empty() ? "" : ", " + cache_control), body)
        .field("Age", std::to_string(age))
        .field("ETag", "\"" + body + "\"");
  }
};

TEST_F(Stale, WithinStaleWhileRevalidateTheStaleAnswerComesAtOnceAndOneRefreshGoesOut) {
  auto hold = gate();
  origin.on("/a", {aged("stale-while-revalidate=30"), Reply::fresh("new").after(hold)});
  start();
  get("/a");
  for (int i = 0; i < 10; ++i) {
    const auto a = get("/a");  // the refresh is held back: only an answer from the store can arrive
    EXPECT_EQ(a.body, "old");
    EXPECT_EQ(a.x_cache(), "STALE");
    EXPECT_THAT(a.cache_status(), MatchesRegex("forebay; hit; ttl=-[0-9]+; detail=stale-while-revalidate"));
    EXPECT_GE(a.age(), 61);
  }
  EXPECT_TRUE(origin.wait_for("/a", 2));
  EXPECT_EQ(origin.count("/a"), 2u);
  hold->open();
  EXPECT_TRUE(eventually([&] { return get("/a").body == "new"; }));
  EXPECT_EQ(get("/a").x_cache(), "HIT");
  EXPECT_EQ(origin.count("/a"), 2u);
}

TEST_F(Stale, TheRefreshIsConditionalAndCarriesTheFieldsOfTheRequestThatStartedIt) {
  origin.on("/a", {aged("stale-while-revalidate=30"),
                   Reply(304).field("ETag", "\"old\"").field("Cache-Control", "max-age=60")});
  start();
  get("/a", {{"X-Mark", "first"}});
  EXPECT_EQ(get("/a", {{"X-Mark", "second"}}).x_cache(), "STALE");
  EXPECT_TRUE(origin.wait_for("/a", 2));
  EXPECT_EQ(origin.last("/a").get("If-None-Match"), "\"old\"");
  EXPECT_EQ(origin.last("/a").get("X-Mark"), "second");
  EXPECT_TRUE(eventually([&] { return get("/a").x_cache() == "HIT"; }));
  EXPECT_EQ(get("/a").body, "old");
}

TEST_F(Stale, AfterTheWindowNoStaleAnswerIsGiven) {
  origin.on("/a", {aged("stale-while-revalidate=30", "old", 100), Reply::fresh("new")});
  start();
  get("/a");
  const auto a = get("/a");
  EXPECT_EQ(a.body, "new");
  EXPECT_EQ(a.x_cache(), "MISS");
}

TEST_F(Stale, WhateverTheRefreshBringsReplacesTheEntryEvenANoCache) {
  origin.on("/a", [](const Received& r) {
    return r.number == 1 ? aged("stale-while-revalidate=30")
                         : Reply::with("no-cache", "n" + std::to_string(r.number)).field("ETag", "\"n\"");
  });
  start();
  get("/a");
  EXPECT_EQ(get("/a").body, "old");
  EXPECT_TRUE(origin.wait_for("/a", 2));
  EXPECT_TRUE(eventually([&] { return get("/a").body != "old"; }));
}

TEST_F(Stale, TheRoutesWindowAppliesWhereTheOriginSaysNothingAndTheOriginsDirectiveWins) {
  auto never = gate();
  origin.on("/silent", {aged(""), Reply::fresh("new").after(never)});
  origin.on("/says", {aged("stale-while-revalidate=0"), Reply::fresh("new")});
  start("routes: [{path: /**, stale: {while_revalidate: 30s}}]\n");
  get("/silent");
  EXPECT_EQ(get("/silent").x_cache(), "STALE");
  get("/says");
  EXPECT_EQ(get("/says").body, "new");
}

TEST_F(Stale, MustRevalidateAndItsKinForbidStaleAnswers) {
  const std::vector<std::string> forbidding{"must-revalidate", "proxy-revalidate", "no-cache", "s-maxage=60"};
  for (std::size_t i = 0; i < forbidding.size(); ++i) {
    origin.on("/w" + std::to_string(i), {aged(forbidding[i]), Reply::fresh("new")});
    origin.on("/e" + std::to_string(i), {aged(forbidding[i] + ", stale-if-error=300"), Reply(503).body("down")});
  }
  origin.on("/both", {aged("must-revalidate, stale-while-revalidate=30"), Reply::fresh("new")});
  start("routes: [{path: /**, stale: {while_revalidate: 5m, if_error: 5m}}]\n");
  for (std::size_t i = 0; i < forbidding.size(); ++i) {
    get("/w" + std::to_string(i));
    EXPECT_EQ(get("/w" + std::to_string(i)).body, "new") << forbidding[i];
    get("/e" + std::to_string(i));
    EXPECT_EQ(get("/e" + std::to_string(i)).status, 503) << forbidding[i];
  }
  get("/both");
  EXPECT_EQ(get("/both").body, "new");
}

TEST_F(Stale, AnExplicitStaleWhileRevalidateBesideSMaxageIsHonoured) {
  auto never = gate();
  origin.on("/a",
            {Reply::with("s-maxage=60, stale-while-revalidate=300", "old").field("Age", "61").field("ETag", "\"o\""),
             Reply::fresh("new").after(never)});
  start();
  get("/a");
  EXPECT_EQ(get("/a").x_cache(), "STALE");
}

TEST_F(Stale, AnErrorStatusOfTheOriginIsCoveredByStaleIfError) {
  origin.on("/a", {aged("stale-if-error=300"), Reply(503).body("down")});
  start();
  get("/a");
  for (int i = 0; i < 3; ++i) {
    const auto a = get("/a");
    EXPECT_EQ(a.status, 200);
    EXPECT_EQ(a.body, "old");
    EXPECT_EQ(a.x_cache(), "STALE");
    EXPECT_THAT(a.cache_status(),
                MatchesRegex("forebay; fwd=stale; fwd-status=503; ttl=-[0-9]+; detail=stale-if-error"));
  }
}

TEST_F(Stale, EveryKindOfFailureIsCoveredByStaleIfError) {
  const std::vector<std::pair<std::string, Reply>> failures{
      {"/500", Reply(500)},
      {"/502", Reply(502)},
      {"/504", Reply(504)},
      {"/fin", Reply::hang_up(End::Fin)},
      {"/rst", Reply::hang_up(End::Rst)},
      {"/garbage", Reply::raw("SSH-2.0-OpenSSH_9.2\r\n\r\n").close_silently()},
      {"/cut-head", Reply::fresh("x").cut(30, End::Fin)},
      {"/timeout", Reply::silence()},
  };
  std::atomic<bool> fails{false};
  for (const auto& [path, reply] : failures)
    origin.on(path, [&fails, reply](const Received&) { return fails ? reply : aged("stale-if-error=300"); });
  start(patient_and_hasty("timeouts: {first_byte: 200ms}") +
        "routes: [{path: /timeout, origin: hasty}, {path: /**}]\n");
  for (const auto& [path, reply] : failures) {
    fails = false;
    EXPECT_TRUE(get_until(path)) << path;
    fails = true;
    const auto a = get(path);
    EXPECT_EQ(a.status, 200) << path;
    EXPECT_EQ(a.body, "old") << path;
    EXPECT_THAT(a.cache_status(), HasSubstr("detail=stale-if-error")) << path;
  }
}

TEST_F(Stale, AnOriginThatRefusesConnectionsIsCoveredUntilTheWindowEnds) {
  origin.on("/in", aged("stale-if-error=300"));
  origin.on("/out", aged("stale-if-error=30", "old", 200));
  start();
  get("/in");
  get("/out");
  origin.refuse();
  const auto in = get("/in");
  EXPECT_EQ(in.body, "old");
  EXPECT_THAT(in.cache_status(), MatchesRegex("forebay; fwd=stale; ttl=-[0-9]+; detail=stale-if-error"))
      << "no fwd-status: the origin did not answer";
  const auto out = get("/out");
  EXPECT_TRUE(is_problem(out, 502)) << out;
  EXPECT_EQ(out.x_cache(), "ERROR");
}

TEST_F(Stale, AStatusThatIsNoErrorForTheRouteIsPassedOn) {
  origin.on("/404", {aged("stale-if-error=300"), Reply(404).body("gone")});
  origin.on("/501", {aged("stale-if-error=300"), Reply(501).body("no")});
  origin.on("/listed", {aged("stale-if-error=300"), Reply(404).body("gone")});
  start("routes: [{path: /listed, stale: {errors: [404]}}, {path: /**}]\n");
  get("/404");
  EXPECT_EQ(get("/404").status, 404);
  get("/501");
  EXPECT_EQ(get("/501").status, 501);
  get("/listed");
  EXPECT_EQ(get("/listed").body, "old");
}

TEST_F(Stale, AFailedRefreshLeavesTheOldEntryInPlace) {
  origin.on("/a", {aged("stale-while-revalidate=300, stale-if-error=300"), Reply(503), Reply::hang_up(End::Rst),
                   Reply(500), Reply::fresh("new")});
  start();
  get("/a");
  std::size_t seen = 1;
  for (int i = 0; i < 200 && origin.count("/a") < 5; ++i) {
    const auto a = get("/a");
    EXPECT_EQ(a.status, 200);
    if (a.body == "new") break;
    EXPECT_EQ(a.body, "old");
    origin.wait_for("/a", ++seen, milliseconds{200});
  }
  EXPECT_TRUE(eventually([&] { return get("/a").body == "new"; }));
}

TEST_F(Stale, ARefreshThatIsCutMidwayLeavesTheOldEntryInPlace) {
  origin.on("/a", [](const Received& r) {
    return r.number == 1 ? aged("stale-while-revalidate=300") : Reply::fresh(pattern(5000)).cut(3000, End::Fin);
  });
  start();
  get("/a");
  for (std::size_t i = 1; i <= 3; ++i) {
    // The next refresh comes a second later.
    EXPECT_TRUE(eventually([&] {
      EXPECT_EQ(get("/a").body, "old");
      return metric("forebay_cache_not_stored_total", {{"reason", "truncated"}}) >= static_cast<double>(i);
    }));
  }
}

TEST_F(Stale, AFailedFetchWithoutStaleGivesTheLeaderTheOriginsAnswer) {
  origin.on("/a", Reply(503).field("Retry-After", "7").body("origin's own words"));
  start();
  const auto a = get("/a");
  EXPECT_EQ(a.status, 503);
  EXPECT_EQ(a.body, "origin's own words");
  EXPECT_EQ(a.get("Retry-After"), "7");
}

TEST_F(Stale, AThousandRequestsOnAnExpiredKeyMakeOneConditionalRequest) {
  auto hold = gate();
  origin.on("/a", [hold](const Received& r) {
    if (r.has("If-None-Match"))
      return Reply(304).field("ETag", "\"old\"").field("Cache-Control", "max-age=60").after(hold);
    return aged("");
  });
  start("routes: [{path: /**, pass_memory: 0}]\n");  // an answer that comes stale counts as zero_ttl
  get("/a");
  std::vector<Client> herd;
  for (int i = 0; i < 300; ++i) herd.push_back(connect());
  for (auto& c : herd) c.request("GET", "/a");
  EXPECT_TRUE(metric_reaches("forebay_coalesced_waiting", {}, 299));
  hold->open();
  for (auto& c : herd) {
    const auto a = c.read();
    EXPECT_EQ(a.status, 200);
    EXPECT_EQ(a.body, "old");
  }
  EXPECT_EQ(origin.count("/a"), 2u);
}

TEST_F(Stale, ARefreshThatBringsSomethingUnstorableEndsTheStoredResponse) {
  origin.on("/a", {aged("stale-while-revalidate=300"), Reply::with("no-store", "withdrawn")});
  start("routes: [{path: /**}]\n");
  get("/a");
  EXPECT_EQ(get("/a").body, "old");
  EXPECT_TRUE(eventually([&] { return get("/a").body == "withdrawn"; }));
}

TEST_F(Stale, AnEntryPurgedByAWriteIsNotResurrectedByA304OnItsWay) {
  auto hold = gate();
  origin.on("/a", [hold](const Received& r) {
    if (r.method == "POST") return Reply(200).body("done");
    if (r.has("If-None-Match"))
      return Reply(304).field("ETag", "\"old\"").field("Cache-Control", "max-age=60").after(hold);
    return r.number == 1 ? aged("stale-while-revalidate=300") : Reply::fresh("after the write");
  });
  start();
  get("/a");
  EXPECT_EQ(get("/a").x_cache(), "STALE");
  EXPECT_TRUE(origin.wait_for("/a", 2));
  EXPECT_EQ(ask("POST", "/a", {}, "x").status, 200);
  hold->open();
  EXPECT_TRUE(eventually([&] { return get("/a").body == "after the write"; }));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(get("/a").body, "after the write");
}

TEST_F(Stale, AStoredErrorIsNoRemedyForAnError) {
  origin.on(
      "/a",
      {Reply(503).field("Cache-Control", "max-age=60").field("Age", "61").field("ETag", "\"1\"").body("old error"),
       Reply(502).body("new error"), Reply::hang_up(End::Rst)});
  start("routes: [{path: /**, stale: {if_error: 1h}}]\n");
  get("/a");
  const auto a = get("/a");
  EXPECT_EQ(a.status, 502);
  EXPECT_EQ(a.body, "new error");
  EXPECT_TRUE(is_problem(get("/a"), 502));
}

TEST_F(Stale, AfterAnErrorWithRetryAfterTheStaleAnswerComesWithoutAsking) {
  origin.on("/a", {aged("stale-if-error=3000"), Reply(503).field("Retry-After", "300").body("down")});
  origin.on("/soon", {aged("stale-if-error=3000"), Reply(503).field("Retry-After", "soon").body("down")});
  start();
  for (const auto* path : {"/a", "/soon"}) {
    get(path);
    for (int i = 0; i < 3; ++i) {
      const auto a = get(path);
      EXPECT_EQ(a.body, "old");
      EXPECT_THAT(a.cache_status(), EndsWith("; detail=stale-if-error"));
    }
  }
  EXPECT_EQ(origin.count("/a"), 2u);
  EXPECT_EQ(origin.count("/soon"), 4u);
}

TEST_F(Stale, TheLimitOfOneClientIsNoPauseForAnother) {
  origin.on("/a", {aged("stale-if-error=3000"), Reply(429).field("Retry-After", "300"), Reply::fresh("new")});
  start("routes: [{path: /**, stale: {errors: [429]}}]\n");
  get("/a");
  EXPECT_EQ(connect().get("/a").body, "old");
  EXPECT_EQ(connect().get("/a").body, "new");
}

}  // namespace
}  // namespace forebay::test
