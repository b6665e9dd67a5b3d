// Active health checks of urls, with the clock in the test's hand.
#include <atomic>

#include "faulty/faults.hpp"
#include "unit/upstream/upstream_fixture.hpp"

namespace forebay::upstream {
namespace {

using ::testing::HasSubstr;

std::string answer(int status) { return "HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Length: 1\r\n\r\nx"; }

class HealthChecks : public UpstreamTest {
 protected:
  HealthChecks() { clock.stop(); }

  /// Answers checks with `status`, the second one with `second`, or not at all where that is 0.
  ScriptedOrigin& server() {
    auto& mine = servers.empty() ? status : second;
    return *servers.emplace_back(std::make_unique<ScriptedOrigin>([this, &mine](Peer& peer, int) {
      for (std::string head; !(head = peer.read_head()).empty();) {
        const bool check = head.starts_with("GET /health");
        if (check) servers.front()->note(head);
        if (mine == 0) continue;
        peer.send(answer(check ? mine.load() : &mine == &status ? 200 : 201));
      }
    }));
  }
  config::Origin checked(const ScriptedOrigin& s) {
    auto o = settings(s.port());
    o.url.authority = "origin.test";
    o.health.path = "/health?deep=1";
    o.health.interval = 10s;
    o.health.timeout = 2s;
    o.health.up_after = 2;
    o.health.down_after = 3;
    return o;
  }
  std::uint64_t results() {
    const auto checks = state->checks(0);
    return checks->passed + checks->failed;
  }
  /// Lets the next check begin and end.
  void check() {
    const auto before = results();
    pass(11s);  // the interval and the tenth by which it may be longer
    run_until([&] { return results() > before; });
  }

  std::atomic<int> status{200}, second{200};
  std::vector<std::unique_ptr<ScriptedOrigin>> servers;
};

TEST_F(HealthChecks, TheFirstOneDecidesThenAsManyAsTheSettingsSay) {
  use(checked(server()));
  EXPECT_TRUE(state->up()) << "nothing is known";
  worker.fire_deadlines();
  run_until([&] { return results() == 1; });
  EXPECT_TRUE(state->up());
  status = 500;
  check();
  check();
  EXPECT_TRUE(state->up());
  check();
  EXPECT_FALSE(state->up());
  status = 204;
  check();
  EXPECT_FALSE(state->up());
  check();
  EXPECT_TRUE(state->up());
  EXPECT_EQ(state->checks(0)->passed, 3U);
  EXPECT_EQ(state->checks(0)->failed, 3U);
  EXPECT_EQ(state->numbers().answers[1], 0U) << "they are not counted as requests";
  EXPECT_EQ(state->numbers().connects, 0U);
  EXPECT_EQ(servers[0]->connections(), 6) << "each has a connection of its own";
}

TEST_F(HealthChecks, AskAsRequestsDo) {
  auto o = checked(server());
  o.headers = {{"X-Secret", "s", {}}};
  use(o);
  worker.fire_deadlines();
  run_until([&] { return results() == 1; });
  const auto head = servers[0]->notes().at(0);
  EXPECT_TRUE(head.starts_with("GET /health?deep=1 HTTP/1.1\r\nHost: origin.test\r\n")) << head;
  EXPECT_THAT(head, HasSubstr("\r\nX-Secret: s\r\n"));
  EXPECT_THAT(head, HasSubstr("\r\nUser-Agent: forebay-health-check\r\n"));
  o.host_header = "by.text";
  use(o);
  worker.fire_deadlines();
  run_until([&] { return results() == 1; });
  EXPECT_THAT(servers[0]->notes().at(1), HasSubstr("\r\nHost: by.text\r\n"));
  o.health.host = "by.health";
  use(o);
  worker.fire_deadlines();
  run_until([&] { return results() == 1; });
  EXPECT_THAT(servers[0]->notes().at(2), HasSubstr("\r\nHost: by.health\r\n"));
}

TEST_F(HealthChecks, SilenceFailsInTime) {
  status = 0;
  use(checked(server()));
  worker.fire_deadlines();
  run_until([&] { return servers[0]->notes().size() == 1; });
  pass(1999ms);
  EXPECT_EQ(results(), 0U);
  pass(1ms);
  EXPECT_EQ(state->checks(0)->failed, 1U);
  EXPECT_FALSE(state->up()) << "the first one decides";
}

TEST_F(HealthChecks, AUrlThatIsDownGetsNoRequestsUntilItIsUp) {
  auto& first = server();
  auto& other = server();
  auto o = checked(first);
  o.slow_start = Duration{0};
  o.urls = {{o.url, 1}, {o.url, 1}};
  o.urls[1].url.port = other.port();
  second = 503;
  use(o);
  worker.fire_deadlines();
  run_until([&] { return state->checks(0)->passed == 1 && state->checks(1)->failed == 1; });
  EXPECT_TRUE(state->up(0));
  EXPECT_FALSE(state->up(1));
  for (int i = 0; i < 6; ++i) EXPECT_EQ(get(i % 2 == 0 ? "GET" : "POST").status, 200);
  status = 503;
  for (std::uint64_t n = 1; n <= 3; ++n) {
    pass(11s);
    run_until([&] { return state->checks(0)->failed == n && state->checks(1)->failed == n + 1; });
  }
  EXPECT_FALSE(state->up());
  EXPECT_EQ(get().status + get().status, 401) << "the last urls are never taken out";
  second = 204;
  for (std::uint64_t n = 1; n <= 2; ++n) {
    pass(11s);
    run_until([&] { return state->checks(1)->passed == n && state->checks(0)->failed == n + 3; });
  }
  for (int i = 0; i < 4; ++i) EXPECT_EQ(get().status, 201);
}

// A failover, to which no request goes, would else count as out of use for ever. But it is a request that tries it.
TEST_F(HealthChecks, AUrlThatNobodyTriesOutIsThoughtUpWhileTheyPass) {
  auto o = checked(server());
  o.passive.failures = 1;
  o.passive.hold = 20s;
  o.passive.statuses = {{200, 200}};
  use(std::move(o));
  get();
  ASSERT_FALSE(state->up());
  for (int i = 0; i < 3; ++i) {
    check();
    EXPECT_FALSE(state->up()) << "a request may try it by now, and is to be the first";
  }
  check();
  EXPECT_TRUE(state->up());
  get();
  EXPECT_FALSE(state->up()) << "one failure is enough";
}

TEST_F(HealthChecks, OneWithoutMemoryIsMadeAgain) {
  use(checked(server()));
  worker.fire_deadlines();
  run_until([&] { return results() == 1; });
  for (int nth = 1; nth <= 60; ++nth) {
    clock.advance(11s);
    test::inject_fault("any-later=" + std::to_string(nth));
    worker.fire_deadlines();
    for (int i = 0; i < 20; ++i) worker.io().poll();
    test::inject_fault("any-later=0");
    // Whatever it met, the next one comes.
    const auto before = results();
    for (int i = 0; i < 3 && results() == before; ++i) {
      pass(11s);
      for (int turn = 0; turn < 200 && results() == before; ++turn)
        worker.io().run_one_for(std::chrono::milliseconds(5));
    }
    ASSERT_GT(results(), before) << nth;
  }
}

TEST_F(HealthChecks, OfSeveralWorkersOneAsks) {
  net::Worker other{1, clock};
  use(checked(server()));
  const auto theirs = std::make_unique<Origin>(other, state);
  const auto both = [&](const std::function<bool()>& done) {
    run_until([&] {
      other.io().poll();
      return done();
    });
  };
  worker.fire_deadlines();
  other.fire_deadlines();
  both([&] { return results() == 1; });
  for (std::uint64_t n = 2; n < 5; ++n) {
    clock.advance(11s);
    worker.fire_deadlines();
    other.fire_deadlines();
    both([&] { return results() == n; });
  }
  EXPECT_EQ(servers[0]->connections(), 4);
}

TEST_F(HealthChecks, TheTurnOfAWorkerThatEndsGoesToAnother) {
  status = 0;
  use(checked(server()));
  worker.fire_deadlines();
  run_until([&] { return servers[0]->notes().size() == 1; });
  status = 200;
  origin = std::make_unique<Origin>(worker, state);  // the old one ends in the middle of its check
  pass(11s);
  run_until([&] { return results() == 1; });
  EXPECT_EQ(state->checks(0)->passed, 1U);
}

}  // namespace
}  // namespace forebay::upstream
