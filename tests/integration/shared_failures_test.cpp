// Who waits for another's fetch shares its failure where that says something of the origin, and not where it may say
// something of that other request alone. Every order of events is forced by a gate.
#include <map>

#include "support/forebay_test.hpp"

namespace forebay::test {
namespace {

class SharedFailures : public ForebayTest {
 protected:
  void start_with(const std::string& route = "path: /**", const std::string& rest = "") {
    start("origins: {o: {url: '" + origin.url() + "'}}\norigin: o\nserver: {threads: 4}\n" + rest + "routes: [{" +
          route + "}]\n");
  }
  /// A leader with these fields whose fetch is held, and so many who wait for it.
  std::vector<Client> wait_together(const std::string& path, const FieldLines& leader, std::size_t followers,
                                    const FieldLines& theirs = {}) {
    std::vector<Client> all;
    all.reserve(followers + 1);
    all.push_back(connect());
    all.back().request("GET", path, leader);
    EXPECT_TRUE(origin.wait_for(path, 1));
    for (std::size_t i = 0; i < followers; ++i) all.push_back(connect());
    for (std::size_t i = 1; i < all.size(); ++i) all[i].request("GET", path, theirs);
    EXPECT_TRUE(metric_reaches("forebay_coalesced_waiting", {}, static_cast<double>(followers)));
    return all;
  }
  /// Fails as `reply` says for requests with X-Special, and answers all others.
  void special(const std::string& path, Reply reply, const GatePtr& hold) {
    origin.on(path, [reply, hold](const Received& r) {
      if (r.has("X-Special")) return Reply(reply).after(hold);
      return Reply::fresh("for all").close().after(hold);
    });
  }
};

std::vector<std::pair<std::string, Reply>> leaders_own() {
  return {{"/500", Reply(500).body("page").close()},
          {"/501", Reply(501).body("page").close()},
          {"/507", Reply(507).field("Cache-Control", "private").body("page").close()},
          {"/reset", Reply::hang_up(End::Rst)},
          {"/fin", Reply::hang_up(End::Fin)},
          {"/garbage", Reply::raw("garbage\r\n\r\n").close_silently()},
          {"/cut-head", Reply::fresh("x").cut(20, End::Fin)},
          {"/coding", Reply::raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: br, chunked\r\n\r\n").close_silently()}};
}

TEST_F(SharedFailures, WhatALeadersRequestMayHaveCausedFailsNobodyElse) {
  auto hold = gate();
  for (const auto& [path, reply] : leaders_own()) special(path, reply, hold);
  start_with();
  std::vector<std::pair<std::string, std::vector<Client>>> all;
  for (const auto& [path, reply] : leaders_own()) {
    all.emplace_back(path, std::vector<Client>());
    all.back().second.push_back(connect());
    all.back().second[0].request("GET", path, {{"X-Special", "1"}});
    EXPECT_TRUE(origin.wait_for(path, 1));
    for (int i = 0; i < 20; ++i) {
      all.back().second.push_back(connect());
      all.back().second.back().request("GET", path);
    }
  }
  EXPECT_TRUE(metric_reaches("forebay_coalesced_waiting", {}, 20.0 * static_cast<double>(all.size())));
  hold->open();
  for (auto& [path, clients] : all) {
    const auto own = clients[0].read();
    // A connection that breaks without a byte says nothing of the request, so its client waits for the second try too.
    if (path == "/reset" || path == "/fin") {
      EXPECT_EQ(own.body, "for all") << path << own;
    } else {
      EXPECT_GE(own.status, 500) << path;
    }
    for (std::size_t i = 1; i < clients.size(); ++i) {
      const auto a = clients[i].read();
      EXPECT_EQ(a.status, 200) << path << a;
      EXPECT_EQ(a.body, "for all") << path;
    }
    EXPECT_EQ(origin.count(path), 2u) << path << ": one of those who waited asked once more";
  }
}

// What a retry would have mended for the leader alone, the second try mends for all.
TEST_F(SharedFailures, ALeaderWhoseConnectionBreaksIsServedFromTheSecondTryToo) {
  std::map<std::string, GatePtr> gates{{"/fin", gate()}, {"/rst", gate()}};
  for (const auto& [path, hold] : gates)
    origin.on(path, [hold = hold, how = path == "/fin" ? End::Fin : End::Rst](const Received& r) {
      return r.has("X-First") ? Reply::hang_up(how).after(hold) : Reply::fresh("second").close().after(hold);
    });
  start("server: {threads: 4}\nroutes: [{path: /**}]\n");
  for (const auto& [path, hold] : gates) {
    auto all = wait_together(path, {{"X-First", "1"}}, 20);
    hold->open();
    for (auto& c : all) {
      const auto a = c.read();
      EXPECT_EQ(a.status, 200) << path << a;
      EXPECT_EQ(a.body, "second") << path;
    }
    EXPECT_EQ(origin.count(path), 2u) << path;
  }
}

TEST_F(SharedFailures, TheOtherWayRoundTheSpecialRequestIsServedFromTheOthersFetch) {
  auto hold = gate();
  special("/a", Reply(500), hold);
  start_with();
  auto all = wait_together("/a", {}, 10, {{"X-Special", "1"}});
  hold->open();
  for (auto& c : all) EXPECT_EQ(c.read().body, "for all");
  EXPECT_EQ(origin.count("/a"), 1u);
}

TEST_F(SharedFailures, WhatFailsForEverybodyIsAskedForTwiceAndNeverByAHerd) {
  auto hold = gate();
  for (const auto& [path, reply] : leaders_own())
    // An idle connection that breaks is replaced, which counts here: so none is idle.
    origin.on(path, [reply = reply, hold](const Received&) { return Reply(reply).after(hold); });
  start_with();
  std::vector<std::pair<std::string, std::vector<Client>>> all;
  for (const auto& [path, reply] : leaders_own()) {
    all.emplace_back(path, std::vector<Client>());
    for (int i = 0; i < 50; ++i) {
      all.back().second.push_back(connect());
      all.back().second.back().request("GET", path);
    }
  }
  EXPECT_TRUE(metric_reaches("forebay_coalesced_waiting", {}, 49.0 * static_cast<double>(all.size())));
  hold->open();
  for (auto& [path, clients] : all) {
    for (auto& c : clients) EXPECT_GE(c.read().status, 500) << path;
    EXPECT_EQ(origin.count(path), 2u) << path;
  }
  EXPECT_TRUE(metric_becomes("forebay_coalesced_waiting", {}, 0));
}

TEST_F(SharedFailures, WhatSaysThatTheOriginIsDownIsSharedAtOnce) {
  std::map<int, GatePtr> gates;
  for (const int status : {502, 503, 504}) {
    gates[status] = gate();
    origin.on("/" + std::to_string(status), Reply(status).field("Retry-After", "7").after(gates[status]));
  }
  start_with();
  for (const int status : {502, 503, 504}) {
    const auto path = "/" + std::to_string(status);
    auto all = wait_together(path, {}, 20);
    gates[status]->open();
    for (auto& c : all) {
      const auto a = c.read();
      EXPECT_EQ(a.status, status);
      EXPECT_EQ(a.get("Retry-After"), "7");
    }
    EXPECT_EQ(origin.count(path), 1u);
  }
}

TEST_F(SharedFailures, AnOriginThatIsTooSlowIsNotAskedOnceMore) {
  origin.on("/a", Reply::silence());
  start("origins: {o: {url: '" + origin.url() +
        "', retries: 0, timeouts: {first_byte: 2s}}}\norigin: o\nroutes: [{path: /**, coalesce: {wait: 60s}}]\n");
  auto all = wait_together("/a", {}, 10);
  for (auto& c : all) EXPECT_EQ(c.read().status, 504);
  EXPECT_EQ(origin.count("/a"), 1u);
}

TEST_F(SharedFailures, WhoMayHaveAStaleResponseGetsItAndAsksForNothing) {
  auto hold = gate();
  origin.on("/a", [hold](const Received& r) {
    if (r.number == 1) return Reply::with("max-age=0, stale-if-error=600", "old").field("ETag", "\"1\"");
    return Reply(500).after(hold);
  });
  start_with("path: /**, pass_memory: 0");
  EXPECT_EQ(get("/a").body, "old");
  std::vector<Client> all;
  for (int i = 0; i < 10; ++i) {
    all.push_back(connect());
    all.back().request("GET", "/a");
  }
  EXPECT_TRUE(metric_reaches("forebay_coalesced_waiting", {}, 9));
  hold->open();
  for (auto& c : all) {
    const auto a = c.read();
    EXPECT_EQ(a.body, "old");
    EXPECT_EQ(a.cache_param("detail"), "stale-if-error") << a;
  }
  EXPECT_EQ(origin.count("/a"), 2u) << "the first request, and one validation";
}

TEST_F(SharedFailures, AnAnswerThatIsTheSecondLeadersAloneSendsTheOthersForTheirs) {
  auto hold = gate();
  origin.on("/a", [hold](const Received& r) {
    if (r.number == 1) return Reply(500).after(hold);
    return Reply::with("private", "own");
  });
  start_with();
  auto all = wait_together("/a", {}, 5);
  hold->open();
  EXPECT_EQ(all[0].read().status, 500);
  for (std::size_t i = 1; i < all.size(); ++i) EXPECT_EQ(all[i].read().body, "own");
  EXPECT_EQ(origin.count("/a"), 6u);
}

TEST_F(SharedFailures, ABodyThatBreaksOffFailsNobodyWhoHasNotBegunToRead) {
  auto hold = gate();
  origin.on("/a", [hold](const Received& r) {
    return r.number == 1 ? Reply::fresh(pattern(1000)).cut(400, End::Fin).after(hold) : Reply::fresh(pattern(1000));
  });
  start_with();
  auto all = wait_together("/a", {}, 20);
  hold->open();
  EXPECT_FALSE(all[0].read().complete());
  for (std::size_t i = 1; i < all.size(); ++i) {
    const auto a = all[i].read();
    EXPECT_TRUE(!a.complete() || a.body == pattern(1000)) << "cut where it had begun, and never short";
  }
  EXPECT_LE(origin.count("/a"), 2u);
}

// 400, 401, 413 ... may say something of the one request that brought it about.
TEST_F(SharedFailures, AnErrorOfTheLeadersMakingIsItsOwnAndOneOfTheOthersAsksOnceMore) {
  std::map<int, GatePtr> gates;
  for (const int status : {400, 401, 403, 429, 431}) {
    gates[status] = gate();
    special("/" + std::to_string(status), Reply(status).body("bad " + std::to_string(status)), gates[status]);
  }
  start_with();
  for (const auto& [status, hold] : gates) {
    const auto path = "/" + std::to_string(status);
    auto all = wait_together(path, {{"X-Special", "1"}}, 20);
    hold->open();
    const auto own = all[0].read();
    EXPECT_EQ(own.status, status);
    EXPECT_EQ(own.body, "bad " + std::to_string(status));
    for (std::size_t i = 1; i < all.size(); ++i) EXPECT_EQ(all[i].read().body, "for all") << status;
    EXPECT_EQ(origin.count(path), 2u) << "and the others waited for that one";
  }
}

TEST_F(SharedFailures, WhereAllGetSuchAnErrorEachGetsItsOwn) {
  auto hold = gate();
  origin.on("/a", [hold](const Received& r) { return Reply(403).body("not " + r.get("X-Who")).after(hold); });
  start_with();
  auto all = wait_together("/a", {{"X-Who", "leader"}}, 0);
  for (int i = 0; i < 10; ++i) {
    all.push_back(connect());
    all.back().request("GET", "/a", {{"X-Who", std::to_string(i)}});
  }
  EXPECT_TRUE(metric_reaches("forebay_coalesced_waiting", {}, 10));
  hold->open();
  EXPECT_EQ(all[0].read().body, "not leader");
  for (std::size_t i = 1; i < all.size(); ++i) {
    const auto a = all[i].read();
    EXPECT_EQ(a.status, 403);
    EXPECT_EQ(a.body, "not " + std::to_string(i - 1)) << "never another's";
  }
  EXPECT_EQ(origin.count("/a"), 11u) << "each of them once";
}

TEST_F(SharedFailures, SuchAnErrorToARefreshTakesNothingFromOthers) {
  origin.on("/a", [](const Received& r) {
    if (r.has("X-Special")) return Reply(431);
    return Reply::with("max-age=0, stale-while-revalidate=600", "good");
  });
  start_with("path: /**");
  EXPECT_EQ(get("/a").body, "good");
  EXPECT_EQ(get("/a", {{"X-Special", "1"}}).body, "good") << "the refresh behind this one fails";
  EXPECT_TRUE(origin.wait_for("/a", 2));
  EXPECT_TRUE(metric_reaches("forebay_cache_revalidations_total", {{"outcome", "modified"}}, 1));
  const auto a = get("/a");
  EXPECT_EQ(a.body, "good");
  EXPECT_EQ(a.x_cache(), "STALE") << "what is stored stays";
}

}  // namespace
}  // namespace forebay::test
