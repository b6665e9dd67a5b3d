#include "faulty/faults.hpp"
#include "unit/upstream/other_worker.hpp"
#include "unit/upstream/upstream_fixture.hpp"
#include "upstream/addresses.hpp"
#include "upstream/permits.hpp"

namespace forebay::upstream {
namespace {

using ::testing::ElementsAre;

constexpr std::string_view kHello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

class PoolTest : public UpstreamTest {
 protected:
  std::uint64_t idle() { return state->numbers().idle; }
};

TEST_F(PoolTest, ManyFetchesUseNoMoreConnectionsThanThePoolHas) {
  ScriptedOrigin server(ScriptedOrigin::always(std::string(kHello)));
  auto o = settings(server.port());
  o.pool.max_connections = 3;
  use(std::move(o));
  std::vector<RecordingSink> all(200);
  std::vector<net::SourcePtr> running;
  for (auto& sink : all) running.push_back(fetch(sink));
  for (auto& sink : all) {
    run_until([&] { return sink.over(); });
    EXPECT_TRUE(sink.ended);
  }
  EXPECT_EQ(server.connections(), 3);
  EXPECT_EQ(idle(), 3U);
  EXPECT_EQ(state->numbers().active, 0U);
}

TEST_F(PoolTest, WaitersAreServedInTheOrderTheyCame) {
  ScriptedOrigin server([&](Peer& peer, int) {
    for (std::string head; !(head = peer.read_head()).empty(); peer.send(kHello))
      server.note(head.substr(0, head.find(" HTTP")));
  });
  auto o = settings(server.port());
  o.pool.max_connections = 1;
  use(std::move(o));
  RecordingSink all[5];
  std::vector<net::SourcePtr> running;
  const std::string_view targets[] = {"/0", "/1", "/2", "/3", "/4"};
  for (int i = 0; i < 5; ++i) running.push_back(fetch(all[i], "GET", nullptr, targets[i]));
  run_until([&] { return worker.tick(), state->numbers().active == 1; });
  running[2].reset();  // who leaves the queue holds nobody up
  run_until([&] { return all[4].over(); });
  EXPECT_THAT(server.notes(), ElementsAre("GET /0", "GET /1", "GET /3", "GET /4"));
}

TEST_F(PoolTest, IdleConnectionIsClosedWhenTheOriginClosesOrSaysSomethingUnasked) {
  for (const std::string_view unasked : {"", "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"}) {
    ScriptedOrigin server([&](Peer& peer, int) {
      peer.read_head();
      peer.send(kHello);
      while (server.notes().empty()) std::this_thread::yield();
      if (unasked.empty()) return;
      peer.send(unasked);
      peer.read_rest();
    });
    use(server);
    get();
    EXPECT_EQ(idle(), 1U);
    server.note("go");
    run_until([&] { return idle() == 0; });
    EXPECT_EQ(get().body, "hello");
    EXPECT_EQ(server.connections(), 2);
    origin.reset();
  }
}

TEST_F(PoolTest, IdleConnectionIsClosedAfterItsTime) {
  ScriptedOrigin server(ScriptedOrigin::always(std::string(kHello)));
  auto o = settings(server.port());
  o.pool.idle_timeout = 40ms;
  use(std::move(o));
  get();
  EXPECT_EQ(idle(), 1U);
  run_until([&] { return idle() == 0; });
  EXPECT_TRUE(get().ended);
  EXPECT_EQ(server.connections(), 2);
}

TEST_F(PoolTest, WithoutMemoryToWatchItAnIdleConnectionIsClosed) {
  ScriptedOrigin server(ScriptedOrigin::always(std::string(kHello)));
  use(server);
  int closed = 0;
  for (int nth = 1; nth <= 4; ++nth) {
    EXPECT_EQ(get().body, "hello");
    ASSERT_EQ(idle(), 1U);
    clock.stop();
    clock.advance(150ms);
    test::inject_fault("any-later=" + std::to_string(nth));
    worker.fire_deadlines();
    test::inject_fault("any-later=0");
    closed += idle() == 0 ? 1 : 0;
    clock.go_on();
  }
  EXPECT_GT(closed, 0);
  EXPECT_EQ(get().body, "hello");
}

TEST_F(PoolTest, ANameThatCouldNotBeResolvedForLackOfMemoryIsResolvedForTheNext) {
  ScriptedOrigin server(ScriptedOrigin::always(std::string(kHello)));
  test::DnsServer names;
  names.set("app.test", {.v4 = {"127.0.0.1"}});
  worker.resolver().use(asking(names));
  int failed = 0;
  for (int nth = 1; nth <= 60; ++nth) {
    auto o = settings(server.port());
    o.url.host = "app.test";
    use(std::move(o));
    RecordingSink first;
    const auto running = fetch(first);
    test::inject_fault("any-later=" + std::to_string(nth));
    worker.io().poll_one();  // asks the resolver
    test::inject_fault("any-later=0");
    run_until([&] { return first.over(); });
    failed += first.failure ? 1 : 0;
    EXPECT_EQ(get().body, "hello") << nth;
  }
  EXPECT_GE(failed, 3);  // how many allocations there are depends on the build
}

TEST_F(PoolTest, NoMoreThanMaxIdleRest) {
  ScriptedOrigin server(ScriptedOrigin::always(std::string(kHello)));
  auto o = settings(server.port());
  o.pool.max_idle = 2;
  use(std::move(o));
  RecordingSink all[6];
  std::vector<net::SourcePtr> running;
  for (auto& sink : all) running.push_back(fetch(sink));
  for (auto& sink : all) run_until([&] { return sink.over(); });
  EXPECT_LE(idle(), 2U);
  EXPECT_GE(idle(), 1U);
}

TEST_F(PoolTest, RetiredOneKeepsNothingOpen) {
  ScriptedOrigin server(ScriptedOrigin::always(std::string(kHello)));
  use(server);
  get();
  EXPECT_EQ(idle(), 1U);
  origin->retire();
  EXPECT_EQ(idle(), 0U);
  EXPECT_TRUE(get().ended);
  EXPECT_EQ(idle(), 0U);
}

TEST_F(PoolTest, CancelClosesTheConnectionOfAnUnfinishedAnswer) {
  ScriptedOrigin server([&](Peer& peer, int) {
    peer.read_head();
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe");
    server.note(peer.read_rest() + "closed");
  });
  use(server);
  RecordingSink sink;
  const auto running = fetch(sink);
  run_until([&] { return sink.body == "he"; });
  running->cancel();
  run_until([&] { return !server.notes().empty(); });
  EXPECT_FALSE(sink.over());
  EXPECT_EQ(idle(), 0U);
  EXPECT_EQ(state->numbers().in_flight, 0U);
}

TEST_F(PoolTest, EndsSilentlyWithFetchesInEveryState) {
  ScriptedOrigin server([](Peer& peer, int n) {
    peer.read_head();
    if (n == 1) peer.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe");
    peer.read_rest();
  });
  auto o = settings(server.port());
  o.pool.max_connections = 2;
  use(std::move(o));
  RecordingSink all[4];
  ScriptedBody body({}, 5);
  std::vector<net::SourcePtr> running;
  running.push_back(fetch(all[0]));
  run_until([&] { return all[0].body == "he"; });
  running.push_back(fetch(all[1], "POST", &body));
  run_until([&] { return body.waited_for(); });
  running.push_back(fetch(all[2]));
  run_until([&] { return worker.io().poll_one() == 0; });
  running.push_back(fetch(all[3]));  // not even begun
  origin.reset();
  for (const auto& sink : all) EXPECT_FALSE(sink.over());
  EXPECT_FALSE(body.waited_for());
  EXPECT_EQ(state->numbers().in_flight, 0U);
  EXPECT_EQ(state->numbers().active, 0U);
}

TEST_F(PoolTest, IdleConnectionOfAnotherWorkerGoesToWhoWaitsAtTheLimit) {
  ScriptedOrigin server(ScriptedOrigin::always(std::string(kHello)));
  auto o = settings(server.port());
  o.pool.max_connections = 1;
  use(std::move(o));
  OtherWorker other(clock, state);
  get();
  EXPECT_EQ(idle(), 1U);

  RecordingSink theirs;
  net::SourcePtr running;
  std::atomic<bool> ended{false};
  theirs.at_end = [&] { ended = true; };
  FetchRequest request;
  request.method_text = "GET";
  request.target = "/";
  other.on_worker([&] {
    running = other.origin().fetch(request, 16 * 1024);
    running->start(theirs);
  });
  run_until([&] { return ended.load(); });
  other.on_worker([&] {
    EXPECT_EQ(theirs.body, "hello");
    running.reset();
  });
  EXPECT_EQ(server.connections(), 1);
  // And back again.
  EXPECT_EQ(get().body, "hello");
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(PoolTest, TwoWorkersShareOneLimit) {
  ScriptedOrigin server(ScriptedOrigin::always(std::string(kHello)));
  auto o = settings(server.port());
  o.pool.max_connections = 2;
  use(std::move(o));
  constexpr int kEach = 100;
  std::vector<RecordingSink> ours(kEach), theirs(kEach);
  std::vector<net::SourcePtr> running, others_running;
  std::atomic<int> ended{0};
  for (auto* all : {&ours, &theirs}) {
    for (auto& sink : *all) sink.at_end = [&] { ++ended; };
  }
  OtherWorker other(clock, state);
  FetchRequest request;
  request.method_text = "GET";
  request.target = "/";
  other.on_worker([&] {
    for (auto& sink : theirs) others_running.emplace_back(other.origin().fetch(request, 16 * 1024))->start(sink);
  });
  for (auto& sink : ours) running.push_back(fetch(sink));
  run_until([&] { return ended == 2 * kEach; });
  other.on_worker([&] { others_running.clear(); });
  EXPECT_EQ(server.connections(), 2) << "free connections change hands, none is closed for it";
}

TEST(Permits, AreGrantedInOrderAndNeverAboveTheLimit) {
  const auto permits = std::make_shared<Permits>(1, 8);
  const auto first = std::make_shared<PermitRequest>(), second = std::make_shared<PermitRequest>(),
             third = std::make_shared<PermitRequest>();
  auto held = permits->take(first);
  EXPECT_TRUE(held);
  EXPECT_FALSE(permits->take(second));
  EXPECT_FALSE(permits->take(third));
  EXPECT_FALSE(permits->granted(*second));
  held.reset();
  EXPECT_FALSE(permits->granted(*third));
  // Granted, but gone before it looked: the next one gets it.
  permits->leave(*second);
  EXPECT_FALSE(permits->granted(*second));
  auto grant = permits->granted(*third);
  ASSERT_TRUE(grant);
  EXPECT_FALSE(permits->anyone_waits());
  EXPECT_FALSE(permits->take(first));
  permits->leave(*first);
  grant.reset();
  EXPECT_TRUE(permits->take(first));
}

TEST(Permits, FreeConnectionRestsOnlyWhileNobodyWaitsAndFewRest) {
  const auto permits = std::make_shared<Permits>(1, 1);
  Shelf shelf;
  const auto one = std::make_shared<PermitRequest>(), two = std::make_shared<PermitRequest>();
  const auto held = permits->take(one);
  EXPECT_EQ(permits->rest(shelf), Permits::Rest::Idle);
  EXPECT_EQ(permits->rest(shelf), Permits::Rest::Close);
  permits->unrest(shelf);
  EXPECT_FALSE(permits->take(two));
  EXPECT_EQ(permits->rest(shelf), Permits::Rest::Wanted);
  permits->leave(*two);
  EXPECT_EQ(permits->rest(shelf), Permits::Rest::Idle);
}

TEST(Addresses, NumericOnesAreKnownForEver) {
  for (const auto& [host, text] :
       {std::pair{"127.0.0.1", "127.0.0.1:80"}, {"[::1]", "[::1]:80"}, {"::1", "[::1]:80"}}) {
    Addresses addresses(host, 80, 30s);
    const auto look = addresses.look(Timestamp{} + 1000h);
    ASSERT_TRUE(look.list);
    EXPECT_EQ(look.list->front().text, text);
    EXPECT_FALSE(look.turn);
  }
}

TEST(Addresses, LocalhostIsLoopbackAndNeverResolved) {
  for (const char* host : {"localhost", "LocalHost", "localhost.", "app.localhost", "a.b.Localhost."}) {
    Addresses addresses(host, 3000, 30s);
    const auto look = addresses.look(Timestamp{} + 1000h);
    ASSERT_TRUE(look.list) << host;
    ASSERT_EQ(look.list->size(), 2u) << host;
    EXPECT_EQ(look.list->front().text, "127.0.0.1:3000");
    EXPECT_EQ(look.list->back().text, "[::1]:3000");
    EXPECT_FALSE(look.turn);
  }
  for (const char* host : {"localhost.example", "mylocalhost", "localhos", ".localhost", "localhost..", "local.host"})
    EXPECT_FALSE(Addresses(host, 80, 30s).look(Timestamp{} + 1000h).list) << host;
}

TEST(Addresses, LastGoodSetStaysWhileANewerOneIsAskedForByOne) {
  const Timestamp t0 = Timestamp{} + 1000h;
  Addresses addresses("app.example", 80, 30s);
  auto look = addresses.look(t0);
  EXPECT_EQ(look.use, Addresses::Use::Wait);
  EXPECT_TRUE(look.turn);
  EXPECT_FALSE(addresses.look(t0).turn) << "one asks for all";
  const auto known = address_of({boost::asio::ip::make_address("127.0.0.1"), 80});
  EXPECT_FALSE(addresses.learn({known}, 5s, t0));
  look = addresses.look(t0 + 4s);
  EXPECT_EQ(look.use, Addresses::Use::Now);
  EXPECT_FALSE(look.turn);

  look = addresses.look(t0 + 5s);
  EXPECT_EQ(look.use, Addresses::Use::Now) << "for a second more";
  ASSERT_TRUE(look.turn);
  auto beside = addresses.look(t0 + 6s);
  EXPECT_EQ(beside.use, Addresses::Use::Wait);
  EXPECT_TRUE(beside.list);
  EXPECT_FALSE(beside.turn);
  EXPECT_TRUE(addresses.keep("why", t0 + 6s));
  look.turn.reset();
  look = addresses.look(t0 + 6900ms);
  EXPECT_EQ(look.use, Addresses::Use::Stale);
  EXPECT_TRUE(look.list);
  EXPECT_FALSE(look.turn);
  look = addresses.look(t0 + 7s);
  EXPECT_TRUE(look.turn) << "it is tried again";
  EXPECT_EQ(look.use, Addresses::Use::Stale);
  EXPECT_TRUE(addresses.learn({known}, 5s, t0 + 8s)) << "it recovers";
  EXPECT_EQ(addresses.look(t0 + 9s).use, Addresses::Use::Now);
}

TEST(Addresses, TheTtlIsBoundedFromBothSides) {
  const Timestamp t0 = Timestamp{} + 1000h;
  const auto known = address_of({boost::asio::ip::make_address("127.0.0.1"), 80});
  for (const auto& [ttl, longest, used] : {std::tuple<Duration, Duration, Duration>{0s, 30s, 1s},
                                           {7s, 30s, 7s},
                                           {std::chrono::seconds{0x7fffffff}, 30s, 30s},
                                           {Duration::max(), 24h, 24h},
                                           {20s, 100ms, 100ms}}) {
    Addresses addresses("app.example", 80, longest);
    addresses.learn({known}, ttl, t0);
    EXPECT_EQ(addresses.peek().due, t0 + used);
  }
}

TEST(Addresses, PausesAfterFailuresGrow) {
  for (const bool any_set : {false, true}) {
    Timestamp now = Timestamp{} + 1000h;
    Addresses addresses("app.example", 80, 30s);
    if (any_set) addresses.learn({address_of({boost::asio::ip::make_address("127.0.0.1"), 80})}, 1s, now);
    std::vector<Duration> pauses;
    for (int i = 0; i < 7; ++i) {
      addresses.keep("app.example: there is no such name", now);
      const auto due = addresses.peek().due;
      pauses.push_back(due - now);
      const auto before = addresses.look(due - 1ms);
      EXPECT_FALSE(before.turn);
      if (!any_set) {
        EXPECT_EQ(before.use, Addresses::Use::Failed);
        EXPECT_EQ(before.why, "app.example: there is no such name");
      }
      EXPECT_TRUE(addresses.look(due).turn);
      now = due;
    }
    if (any_set)
      EXPECT_THAT(pauses, ::testing::ElementsAre(1s, 2s, 4s, 8s, 16s, 30s, 30s));
    else
      EXPECT_THAT(pauses, ::testing::ElementsAre(1s, 2s, 4s, 5s, 5s, 5s, 5s));
  }
}

TEST(Addresses, TargetsAreTriedByPriorityAndThenByWeight) {
  std::vector<Address> list;
  const auto add = [&](unsigned target, std::uint16_t priority, std::uint16_t weight, const char* text) {
    list.push_back({{}, text, target, priority, weight});
  };
  add(0, 1, 10, "a");
  add(0, 1, 10, "a2");
  add(1, 1, 30, "b");
  add(2, 1, 0, "c");
  add(3, 2, 0, "d");
  add(4, 2, 0, "e");
  const auto order = [&](std::vector<unsigned> numbers) {
    std::string out;
    std::size_t next = 0;
    for (const auto& address : in_turn(list, [&](unsigned most) { return std::min(numbers.at(next++), most); }))
      out += address.text + " ";
    return out;
  };
  EXPECT_EQ(order({0, 0, 0, 0, 0}), "c a a2 b d e ");
  EXPECT_EQ(order({1, 0, 0, 1, 0}), "a a2 c b e d ");
  EXPECT_EQ(order({10, 0, 0, 0, 0}), "a a2 c b d e ");
  EXPECT_EQ(order({11, 10, 0, 0, 0}), "b a a2 c d e ");
  EXPECT_EQ(order({40, 0, 0, 0, 0}), "b c a a2 d e ");
  list.resize(2);
  EXPECT_EQ(order({}), "a a2 ") << "one target needs no number";
}

TEST(Addresses, FamiliesAreTriedByTurnsWithIpv6First) {
  const auto ip = [](const char* text) { return boost::asio::ip::make_address(text); };
  std::vector<std::string> order;
  for (const auto& address :
       interleaved({ip("fd00::1"), ip("fd00::2")}, {ip("10.0.0.1"), ip("10.0.0.2"), ip("10.0.0.3")}, 80))
    order.push_back(address.text);
  EXPECT_THAT(order,
              ::testing::ElementsAre("[fd00::1]:80", "10.0.0.1:80", "[fd00::2]:80", "10.0.0.2:80", "10.0.0.3:80"));
}

}  // namespace
}  // namespace forebay::upstream
