// Origins with names: what is looked up when, and which of the addresses is connected to.
#include <future>
#include <thread>

#include "unit/upstream/upstream_fixture.hpp"

namespace forebay::upstream {
namespace {

using How = test::DnsServer::How;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr std::string_view kHello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

class Names : public UpstreamTest {
 protected:
  Names() { worker.resolver().use(asking(names)); }
  config::Origin named(std::uint16_t port, std::string host = "app.test") {
    auto o = settings(port);
    o.url.host = std::move(host);
    return o;
  }
  std::uint64_t resolutions(net::Resolution r) {
    return state->numbers().resolutions[static_cast<std::size_t>(r)].load();
  }
  std::uint64_t all_resolutions() {
    std::uint64_t n = 0;
    for (const auto& cell : state->numbers().resolutions) n += cell.load();
    return n;
  }
  /// The stopped clock goes on by so much, and the look-up that this starts ends.
  void pass_with_look_up(Duration d) {
    const auto before = all_resolutions();
    pass(d);
    run_until([&] { return all_resolutions() > before; });
    worker.io().poll();
  }

  test::DnsServer names;
};

TEST_F(Names, OneLookUpServesAllWorkersAndAllRequests) {
  ScriptedOrigin server(ScriptedOrigin::always(std::string(kHello)));
  names.set("app.test", {.v4 = {"127.0.0.1"}, .ttl = 3600});
  clock.stop();
  use(named(server.port()));
  net::Worker other(1, clock);
  other.resolver().use(asking(names));
  Origin theirs(other, state);
  std::thread thread([&] { other.run(); });
  RecordingSink sinks_[3], their_sink;
  std::vector<net::SourcePtr> running;
  net::SourcePtr their_fetch;
  std::atomic<bool> ended{false};
  their_sink.at_end = [&] { ended = true; };
  other.call([&] {
    FetchRequest request;
    request.method_text = "GET";
    request.target = "/";
    their_fetch = theirs.fetch(request, 16 * 1024);
    their_fetch->start(their_sink);
  });
  for (auto& sink : sinks_) running.push_back(fetch(sink));
  for (auto& sink : sinks_) {
    run_until([&] { return sink.over(); });
    EXPECT_TRUE(sink.ended) << sink.detail;
  }
  run_until([&] { return ended.load(); });
  other.call([&] { their_fetch.reset(); });
  other.stop();
  thread.join();
  EXPECT_EQ(names.asked("app.test"), 1U);
  EXPECT_EQ(all_resolutions(), 1U);
}

TEST_F(Names, AFailedLookUpSaysWhy) {
  names.set("empty.test", {});
  names.set("failing.test", {.how = How::ServerFailed});
  for (const auto& [host, why, result] :
       {std::tuple{"none.test", "none.test: there is no such name", net::Resolution::NoName},
        {"empty.test", "empty.test: the name has no addresses", net::Resolution::NoAddress},
        {"failing.test", "failing.test: the name servers fail, refuse, or cannot be reached",
         net::Resolution::ServerFailed}}) {
    use(named(80, host));
    EXPECT_EQ(get().failure, FetchError::Dns);
    EXPECT_EQ(sinks.back()->detail, why);
    EXPECT_EQ(resolutions(result), 1U);
    EXPECT_EQ(get().detail, why) << "and is not asked about for every request";
    EXPECT_EQ(all_resolutions(), 1U);
  }
}

TEST_F(Names, ASilentResolverHasATimeoutOfItsOwn) {
  names.set("silent.test", {.how = How::Silent});
  for (const auto& [dns, connect, setting] : {std::tuple<Duration, Duration, std::string>{2s, 3s, "timeouts.dns (2 s)"},
                                              {5s, 3s, "timeouts.connect (3 s)"}}) {
    auto o = named(80, "silent.test");
    o.timeouts.dns = dns;
    o.timeouts.connect = connect;
    clock.stop();
    worker.tick();
    use(std::move(o));
    RecordingSink sink;
    const auto running = fetch(sink);
    worker.io().poll();
    const Duration limit = std::min(dns, connect);
    pass(limit - 1ms);
    EXPECT_FALSE(sink.over());
    pass(5ms);
    EXPECT_EQ(sink.failure, FetchError::DnsTimeout);
    EXPECT_EQ(sink.detail, "silent.test: the resolver did not answer within " + setting);
    EXPECT_EQ(state->numbers().active, 0U);
    clock.go_on();
  }
}

TEST_F(Names, AChangeReachesNewConnectionsWithTheTtlAndClosesIdleOnes) {
  ScriptedOrigin before(ScriptedOrigin::always(std::string(kHello)));
  ScriptedOrigin after(ScriptedOrigin::always("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nnew"), before.port(), 2);
  names.set("app.test", {.v4 = {"127.0.0.1"}, .ttl = 5});
  clock.stop();
  worker.tick();
  use(named(before.port()));
  EXPECT_EQ(get().body, "hello");
  EXPECT_EQ(state->numbers().idle, 1U);
  names.set("app.test", {.v4 = {"127.0.0.2"}, .ttl = 5});
  pass(4900ms);
  EXPECT_EQ(get().body, "hello");
  EXPECT_EQ(before.connections(), 1);
  pass_with_look_up(110ms);  // no request is needed for that
  EXPECT_EQ(state->numbers().idle, 0U) << "its address has left the set";
  EXPECT_EQ(get().body, "new");
}

TEST_F(Names, AConnectionInUseClosesAfterItsAnswerWhenItsAddressHasLeft) {
  std::atomic<bool> go{false};
  ScriptedOrigin slow(
      [&](Peer& peer, int) {
        peer.read_head();
        peer.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe");
        while (!go) std::this_thread::yield();
        peer.send("llo");
        peer.read_rest();
      },
      0, 3);
  names.set("slow.test", {.v4 = {"127.0.0.3"}, .ttl = 5});
  clock.stop();
  worker.tick();
  use(named(slow.port(), "slow.test"));
  RecordingSink sink;
  const auto running = fetch(sink);
  run_until([&] { return !sink.body.empty(); });
  names.set("slow.test", {.v4 = {"127.0.0.1"}, .ttl = 5});
  pass_with_look_up(5100ms);
  EXPECT_FALSE(sink.over());
  go = true;
  run_until([&] { return sink.over(); });
  EXPECT_EQ(sink.body, "hello");
  EXPECT_EQ(state->numbers().idle, 0U);
  EXPECT_EQ(state->numbers().active, 0U);
}

TEST_F(Names, AnOldSetIsNotUsedAfterALongRest) {
  ScriptedOrigin before(ScriptedOrigin::always(std::string(kHello)));
  ScriptedOrigin after(ScriptedOrigin::always("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nnew"), before.port(), 2);
  names.set("app.test", {.v4 = {"127.0.0.1"}, .ttl = 5});
  auto o = named(before.port());
  o.pool.idle_timeout = 1s;
  clock.stop();
  worker.tick();
  use(std::move(o));
  EXPECT_EQ(get().body, "hello");
  pass(2s);
  EXPECT_EQ(state->numbers().idle, 0U);
  names.set("app.test", {.v4 = {"127.0.0.2"}, .ttl = 5});
  pass(1h);
  EXPECT_EQ(all_resolutions(), 1U) << "without use it is not looked up";
  EXPECT_EQ(get().body, "new");
  EXPECT_EQ(state->numbers().stale_addresses, 0U);
}

TEST_F(Names, TheLastGoodSetStaysWhileTheResolverFails) {
  ScriptedOrigin server(ScriptedOrigin::always(std::string(kHello)));
  names.set("app.test", {.v4 = {"127.0.0.1"}, .ttl = 5});
  for (const auto how : {How::ServerFailed, How::NoName}) {
    names.everything(std::nullopt);
    clock.stop();
    worker.tick();
    auto o = named(server.port());
    o.pool.max_idle = 0;  // each request makes a connection
    use(std::move(o));
    EXPECT_EQ(get().body, "hello");
    names.everything(how);
    clock.advance(10s);
    EXPECT_EQ(get().body, "hello") << "it waited for the resolver";
    EXPECT_EQ(all_resolutions(), 2U);
    EXPECT_EQ(state->numbers().stale_addresses, 1U);
    EXPECT_EQ(get().body, "hello");
    EXPECT_EQ(state->numbers().stale_addresses, 2U);
    EXPECT_EQ(all_resolutions(), 2U) << "not for every request";
    clock.advance(24h);
    EXPECT_EQ(get().body, "hello") << "however long that is";
    run_until([&] { return all_resolutions() == 3; });
    worker.io().poll();
    names.everything(std::nullopt);
    clock.advance(30s);
    EXPECT_EQ(get().body, "hello");
    run_until([&] { return all_resolutions() == 4; });
    worker.io().poll();
    EXPECT_EQ(resolutions(net::Resolution::Found), 2U);
    const auto stale = state->numbers().stale_addresses.load();
    EXPECT_EQ(get().body, "hello");
    EXPECT_EQ(state->numbers().stale_addresses, stale);
    clock.go_on();
  }
}

TEST_F(Names, ASilentResolverDelaysARequestWithAnOldSetForAMoment) {
  ScriptedOrigin server(ScriptedOrigin::always(std::string(kHello)));
  names.set("app.test", {.v4 = {"127.0.0.1"}, .ttl = 5});
  auto o = named(server.port());
  o.pool.max_idle = 0;
  clock.stop();
  worker.tick();
  use(std::move(o));
  EXPECT_EQ(get().body, "hello");
  names.everything(How::Silent);
  clock.advance(10s);
  worker.tick();
  RecordingSink sink;
  const auto running = fetch(sink);
  worker.io().poll();
  pass(490ms);
  EXPECT_EQ(server.connections(), 1);
  pass(15ms);
  run_until([&] { return sink.over(); });
  EXPECT_EQ(sink.body, "hello");
  EXPECT_EQ(state->numbers().stale_addresses, 1U);
}

TEST_F(Names, AFailureNamesEveryAddressThatWasTried) {
  const std::uint16_t port = closed_port();
  names.set("two.test", {.v4 = {"127.0.0.2", "127.0.0.1"}});
  for (const auto& [host, first, second] :
       {std::tuple<std::string, std::string, std::string>{"two.test", "127.0.0.2:", "127.0.0.1:"},
        {"localhost", "127.0.0.1:", "[::1]:"}}) {
    use(named(port, host));
    const auto& sink = get();
    EXPECT_EQ(sink.failure, FetchError::Connect) << sink.detail;
    const auto at = std::to_string(port) + ": ";
    EXPECT_THAT(sink.detail, StartsWith(first + at + "Connection refused; " + second + at));
  }
}

TEST_F(Names, ARefusedConnectIsFollowedByTheNextAtOnce) {
  ScriptedOrigin server(ScriptedOrigin::always(std::string(kHello)));
  names.set("app.test", {.v4 = {"127.0.0.3", "127.0.0.2", "127.0.0.1"}});
  clock.stop();  // no delay runs out
  worker.tick();
  use(named(server.port()));
  RecordingSink sink;
  const auto running = fetch(sink);
  run_until([&] { return sink.over(); });
  EXPECT_TRUE(sink.ended) << sink.detail;
  EXPECT_EQ(running->times().address, "127.0.0.1:" + std::to_string(server.port()));
}

TEST_F(Names, ARefusalBeforeTheOtherFamilyHasComeIsNoFailure) {
  ScriptedOrigin server(ScriptedOrigin::always(std::string(kHello)));
  names.set("app.test", {.v4 = {"127.0.0.1"}, .v6 = {"::1"}});  // it listens on IPv4 alone
  for (int i = 0; i < 20; ++i) {
    use(named(server.port()));
    EXPECT_EQ(get().body, "hello");
  }
}

TEST_F(Names, ABlackHoleIsOvertakenAfterTheAttemptDelay) {
  ScriptedOrigin server(ScriptedOrigin::always(std::string(kHello)));
  const BlackHole hole(server.port(), 2);
  names.set("app.test", {.v4 = {"127.0.0.2", "127.0.0.1"}, .ttl = 60});
  clock.stop();
  worker.tick();
  auto o = named(server.port());
  o.pool.max_connections = 1;
  use(std::move(o));
  RecordingSink sink;
  const auto running = fetch(sink);
  run_until([&] { return resolutions(net::Resolution::Found) == 1; });
  worker.io().poll();
  pass(245ms);
  EXPECT_EQ(server.connections(), 0);
  pass(10ms);
  run_until([&] { return sink.over(); });
  EXPECT_EQ(sink.body, "hello") << sink.detail;
  EXPECT_EQ(running->times().address, "127.0.0.1:" + std::to_string(server.port()));
  EXPECT_EQ(state->numbers().connects, 1U);
  EXPECT_EQ(state->numbers().idle, 1U);
}

TEST_F(Names, BlackHolesAloneAreAConnectTimeoutThatNamesThem) {
  const BlackHole first;
  const BlackHole second(first.port(), 2);
  names.set("app.test", {.v4 = {"127.0.0.1", "127.0.0.2"}, .ttl = 60});
  clock.stop();
  worker.tick();
  auto o = named(first.port());
  o.timeouts.connect = 3s;
  o.pool.max_connections = 1;
  use(std::move(o));
  RecordingSink sink;
  const auto running = fetch(sink);
  run_until([&] { return resolutions(net::Resolution::Found) == 1; });
  worker.io().poll();
  pass(255ms);
  pass(2740ms);
  EXPECT_FALSE(sink.over());
  pass(10ms);
  EXPECT_EQ(sink.failure, FetchError::ConnectTimeout);
  const auto port = std::to_string(first.port());
  EXPECT_EQ(sink.detail, "127.0.0.1:" + port + ": no connection within timeouts.connect (3 s); 127.0.0.2:" + port +
                             ": no connection within timeouts.connect (3 s)");
}

TEST_F(Names, ACancelledRaceGivesItsPermitBack) {
  const BlackHole hole;
  names.set("hole.test", {.v4 = {"127.0.0.1"}, .ttl = 60});
  clock.stop();
  worker.tick();
  auto o = named(hole.port(), "hole.test");
  o.pool.max_connections = 1;
  use(std::move(o));
  for (int i = 0; i < 3; ++i) {
    RecordingSink sink;
    auto running = fetch(sink);
    run_until([&] { return resolutions(net::Resolution::Found) == 1; });
    worker.io().poll();
    EXPECT_EQ(running->times().queued, Duration{0});
    EXPECT_EQ(running->times().attempts, 1U) << "it did not wait for a permit";
    running.reset();
  }
}

TEST_F(Names, AFetchMayEndWhileItsNameIsLookedUp) {
  names.set("silent.test", {.how = How::Silent});
  use(named(80, "silent.test"));
  RecordingSink sink;
  auto running = fetch(sink);
  run_until([&] { return names.asked("silent.test") > 0; });
  running.reset();
  EXPECT_EQ(state->numbers().in_flight, 0U);
  RecordingSink other;
  running = fetch(other);
  worker.io().poll();
  origin.reset();
  EXPECT_FALSE(other.over());
}

TEST_F(Names, AServiceIsReachedAtItsTargetsByPriority) {
  ScriptedOrigin first(ScriptedOrigin::always(std::string(kHello)));
  ScriptedOrigin second(ScriptedOrigin::always("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecond"));
  const std::string service = "_http._tcp.shop.test";
  names.set("a.shop.test", {.v4 = {"127.0.0.1"}, .ttl = 60});
  names.set(service, {.ttl = 60,
                      .targets = {{20, 1, second.port(), "a.shop.test"},
                                  {10, 1, first.port(), "a.shop.test"},
                                  {5, 1, 80, "gone.shop.test"}}});
  auto o = named(80, service);
  o.srv = true;
  o.pool.max_idle = 0;
  use(o);
  EXPECT_EQ(get().body, "hello") << sinks.back()->detail;
  EXPECT_EQ(get().body, "hello") << "always the lowest priority that can be reached";

  names.set(service,
            {.ttl = 60, .targets = {{20, 1, second.port(), "a.shop.test"}, {10, 1, closed_port(), "a.shop.test"}}});
  use(o);
  EXPECT_EQ(get().body, "second") << sinks.back()->detail;

  names.set(service, {.ttl = 60, .targets = {{5, 1, 80, "gone.shop.test"}}});
  use(o);
  EXPECT_EQ(get().detail, service + ": there is no such name");
  names.set(service, {});
  use(o);
  EXPECT_EQ(get().detail, service + ": the name has no addresses");
}

TEST_F(Names, WhileOneFamilyIsSilentTheOtherIsUsed) {
  ScriptedOrigin server(ScriptedOrigin::always(std::string(kHello)));
  names.set("half.test", {.v4 = {"127.0.0.1"}, .how6 = How::Silent});
  use(named(server.port(), "half.test"));
  EXPECT_EQ(get().body, "hello") << sinks.back()->detail;
}

}  // namespace
}  // namespace forebay::upstream
