// Several urls: who is asked, who is left out, and when a request waits or is refused.
#include <algorithm>
#include <map>

#include "unit/upstream/upstream_fixture.hpp"

namespace forebay::upstream {
namespace {

using ::testing::HasSubstr;
using Script = ScriptedOrigin::Script;

constexpr std::string_view kHello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

std::string saying(std::string_view text) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(text.size()) + "\r\n\r\n" + std::string(text);
}

class GroupTest : public UpstreamTest {
 protected:
  GroupTest() { clock.stop(); }

  /// Answers its number, 0 on.
  ScriptedOrigin& server() {
    const auto name = std::to_string(servers.size());
    return *servers.emplace_back(std::make_unique<ScriptedOrigin>(ScriptedOrigin::always(saying(name))));
  }
  ScriptedOrigin& server(Script script) {
    return *servers.emplace_back(std::make_unique<ScriptedOrigin>(std::move(script)));
  }
  config::Origin pool(const std::vector<std::uint16_t>& ports) {
    auto o = settings(ports.front());
    for (const auto port : ports) {
      config::Url url;
      url.host = "127.0.0.1";
      url.port = port;
      url.text = "http://127.0.0.1:" + std::to_string(port);
      url.authority = "127.0.0.1:" + std::to_string(port);
      o.urls.push_back({url, 1});
    }
    o.url = o.urls.front().url;
    o.slow_start = Duration{0};
    o.retries = 2;
    return o;
  }
  config::Origin pool() {
    std::vector<std::uint16_t> ports;
    for (const auto& s : servers) ports.push_back(s->port());
    return pool(ports);
  }
  /// How many of `n` requests each url answered.
  std::map<std::string, int> answers(int n, std::string_view method = "GET") {
    std::map<std::string, int> by;
    for (int i = 0; i < n; ++i) {
      const auto& sink = get(method);
      ++by[sink.failure ? std::string(to_string(*sink.failure)) : sink.body];
    }
    return by;
  }
  /// Starts a fetch that goes on until the test ends it, and waits until a server has its head.
  struct Held {
    RecordingSink sink;
    net::SourcePtr source;
  };
  std::unique_ptr<Held> held(std::string_view method = "GET") {
    auto one = std::make_unique<Held>();
    const auto before = in_flight();
    one->source = fetch(one->sink, method);
    run_until([&] { return one->sink.over() || in_flight() > before; });
    return one;
  }
  std::uint64_t in_flight() {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < state->urls(); ++i) sum += state->numbers(i).in_flight;
    return sum;
  }
  std::uint64_t sum_of_errors(FetchError e) {
    std::uint64_t sum = state->errors_without_url(e);
    for (std::size_t i = 0; i < state->urls(); ++i) sum += state->numbers(i).errors[static_cast<std::size_t>(e)];
    return sum;
  }

  std::vector<std::unique_ptr<ScriptedOrigin>> servers;
};

TEST_F(GroupTest, UrlsAreAskedInTurnsByTheirWeights) {
  for (int i = 0; i < 3; ++i) server();
  auto o = pool();
  o.urls[1].weight = 2;
  use(std::move(o));
  const auto by = answers(40);
  EXPECT_EQ(by.at("0"), 10);
  EXPECT_EQ(by.at("1"), 20);
  EXPECT_EQ(by.at("2"), 10);
}

TEST_F(GroupTest, ByHashAKeyStaysWithItsUrl) {
  for (int i = 0; i < 3; ++i) server();
  auto o = pool();
  o.balance = config::Balance::Hash;
  use(std::move(o));
  std::map<std::string, int> urls;
  for (std::uint64_t key = 1; key <= 30; ++key) {
    std::string first;
    for (int round = 0; round < 2; ++round) {
      RecordingSink sink;
      FetchRequest request;
      request.method_text = "GET";
      request.target = "/";
      request.balance_key = key * 0x9E37'79B9'7F4A'7C15U;
      const auto running = origin->fetch(request, 16 * 1024);
      running->start(sink);
      run_until([&] { return sink.over(); });
      if (round == 0) first = sink.body;
      EXPECT_EQ(sink.body, first);
    }
    ++urls[first];
  }
  EXPECT_EQ(urls.size(), 3U) << "every url has keys";
}

TEST_F(GroupTest, TheLeastBusyUrlIsAsked) {
  const auto silent = [](Peer& peer, int) { peer.read_rest(); };
  server(silent);
  server(silent);
  auto o = pool();
  o.balance = config::Balance::LeastConnections;
  o.urls[0].weight = 2;
  use(std::move(o));
  std::vector<std::unique_ptr<Held>> all;
  for (int i = 0; i < 6; ++i) all.push_back(held());
  EXPECT_EQ(state->numbers(0).in_flight, 4U);
  EXPECT_EQ(state->numbers(1).in_flight, 2U);
  all.clear();
  EXPECT_EQ(in_flight(), 0U);
}

TEST_F(GroupTest, WhatCouldNotBeReachedIsAskedOfAnotherUrlAtOnce) {
  server();
  use(pool({closed_port(), servers[0]->port()}));
  for (const std::string_view method : {"GET", "POST"}) {
    const auto by = answers(4, method);
    EXPECT_EQ(by.at("0"), 4) << method;
  }
  EXPECT_GE(state->numbers(1).retries, 2U) << "of the url that got them";
  EXPECT_EQ(state->numbers(1).failed, 0U);
}

TEST_F(GroupTest, AUrlWhoseRequestsFailIsTakenOutAndTriedAgainByOne) {
  std::atomic<bool> broken{true};
  server([&](Peer& peer, int) {
    while (!peer.read_head().empty()) {
      if (broken) return peer.reset();
      peer.send(saying("0"));
    }
  });
  server();
  auto o = pool();
  o.retries = 0;
  o.passive.failures = 3;
  use(std::move(o));
  const auto first = answers(6);
  EXPECT_EQ(first.at("reset"), 3);
  EXPECT_FALSE(state->up(0));
  EXPECT_TRUE(state->up()) << "the other one is";
  EXPECT_EQ(answers(10).at("1"), 10);
  EXPECT_EQ(state->numbers(0).circuit_opened, 1U);

  // After `hold`, one request tries it, and it stays out for twice as long.
  pass(10s);
  const auto tried = answers(10);
  EXPECT_EQ(tried.at("reset"), 1);
  EXPECT_EQ(tried.at("1"), 9);
  pass(15s);
  EXPECT_EQ(answers(4).at("1"), 4);
  broken = false;
  pass(5s);
  const auto back = answers(10);
  EXPECT_GE(back.at("0"), 4);
  EXPECT_TRUE(state->up(0));
}

TEST_F(GroupTest, ARequestThatMayNotBeRepeatedTriesNoUrlOut) {
  server([](Peer& peer, int) {
    peer.read_head();
    peer.reset();
  });
  server();
  auto o = pool();
  o.retries = 0;
  o.passive.failures = 1;
  use(std::move(o));
  answers(2);
  ASSERT_FALSE(state->up(0));
  pass(11s);
  EXPECT_EQ(answers(6, "POST").at("1"), 6);
  EXPECT_EQ(answers(6).at("reset"), 1) << "a GET does";
}

TEST_F(GroupTest, TheLastUrlIsTriedByOneRequestAtATime) {
  auto& silent = server([](Peer& peer, int) { peer.read_rest(); });
  auto o = pool();
  o.retries = 0;
  o.passive.failures = 2;
  o.timeouts.first_byte = 1s;
  use(std::move(o));
  {
    const auto one = held(), other = held();
    run_until([&] { return one->source->asked() && other->source->asked(); });
    pass(1s);
    ASSERT_EQ(one->sink.failure, FetchError::FirstByteTimeout);
  }
  ASSERT_FALSE(state->up());
  const auto trying = held();
  run_until([&] { return silent.connections() == 3; });
  ASSERT_FALSE(trying->sink.over());
  for (const std::string_view method : {"GET", "POST"}) {
    RecordingSink refused;
    const auto running = fetch(refused, method);
    run_until([&] { return refused.over(); });
    EXPECT_EQ(refused.failure, FetchError::CircuitOpen) << method;
    EXPECT_EQ(running->times().retry_after, Duration{0}) << "the next one may be let in";
  }
  EXPECT_EQ(sum_of_errors(FetchError::CircuitOpen), 2U);
  EXPECT_EQ(silent.connections(), 3);  // and no more
  // Whoever gives up lets the next one try, and so does whoever takes long.
  trying->source->cancel();
  const auto next = held();
  EXPECT_FALSE(next->sink.over());
  EXPECT_EQ(get().failure, FetchError::CircuitOpen);
  pass(999ms);
  EXPECT_EQ(get().failure, FetchError::CircuitOpen);
  clock.advance(1ms);
  const auto later = held();
  EXPECT_FALSE(later->sink.over());
}

TEST_F(GroupTest, ALastUrlThatClosesConnectionsIsTriedByAll) {
  std::atomic<bool> go{false};
  server([&](Peer& peer, int n) {
    peer.read_head();
    if (n <= 2) return peer.reset();
    while (!go) std::this_thread::yield();
    peer.send(kHello);
  });
  auto o = pool();
  o.retries = 0;
  o.passive.failures = 2;
  use(std::move(o));
  answers(2);
  ASSERT_FALSE(state->up());
  const auto slow = held(), other = held();
  run_until([&] { return slow->source->asked() && other->source->asked(); });
  EXPECT_FALSE(slow->sink.over() || other->sink.over()) << "a slow request keeps nobody out";
  go = true;
  run_until([&] { return slow->sink.over() && other->sink.over(); });
  EXPECT_TRUE(slow->sink.ended && other->sink.ended);
  EXPECT_TRUE(state->up());
  servers.clear();
}

TEST_F(GroupTest, TheHeadOfAnAnswerHasOneTime) {
  std::atomic<int> sent{0}, wanted{0};
  server([&](Peer& peer, int) {
    peer.read_head();
    const std::string_view pieces[] = {"HTTP/1.1 103 Early Hints\r\n\r\n", "HTTP/1.1 200 OK\r\n", "X: 1\r\n"};
    for (const auto piece : pieces) {
      while (wanted <= sent) std::this_thread::yield();
      peer.send(piece);
      ++sent;
    }
    peer.read_rest();
  });
  auto o = pool();
  o.retries = 0;
  o.timeouts.first_byte = 10s;
  o.timeouts.between_bytes = 10s;
  use(std::move(o));
  const auto one = held();
  run_until([&] { return one->source->asked(); });
  for (int i = 1; i <= 3; ++i) {
    wanted = i;
    run_until([&] { return sent == i; });
    for (int turn = 0; turn < 20; ++turn) worker.io().run_one_for(std::chrono::milliseconds(2));
    EXPECT_FALSE(one->sink.over());
    pass(3s);
  }
  pass(999ms);
  EXPECT_FALSE(one->sink.over());
  pass(1ms);
  EXPECT_EQ(one->sink.failure, FetchError::FirstByteTimeout);
  EXPECT_THAT(one->sink.detail, HasSubstr("no whole head of an answer within timeouts.first_byte (10 s)"));
  servers.clear();
}

TEST_F(GroupTest, WhoClosesOnASlowUploadIsNotAtFault) {
  server([](Peer& peer, int) {
    peer.read_head();
    peer.reset();
  });
  auto o = pool();
  o.passive.failures = 1;
  use(std::move(o));
  ScriptedBody body({{BodyState::Data, "some"}}, 100);
  EXPECT_EQ(get("POST", &body).failure, FetchError::Reset);
  EXPECT_TRUE(state->up());
}

TEST_F(GroupTest, NorWhereItsRequestIsSentAgain) {
  server([](Peer& peer, int) {
    peer.read_head();
    peer.reset();
  });
  auto o = pool();
  o.passive.failures = 1;
  use(std::move(o));
  ScriptedBody body({{BodyState::Data, "some"}}, 100);
  RecordingSink sink;
  const auto running = fetch(sink, "GET", &body);
  run_until([&] {
    pass(10ms);
    return sink.over();
  });
  EXPECT_EQ(sink.failure, FetchError::Reset);
  EXPECT_GE(servers[0]->connections(), 2);
  EXPECT_TRUE(state->up());
}

TEST_F(GroupTest, ALastUrlThatFailsSlowlyIsTriedByOne) {
  for (const std::string_view last : {"", "HTTP/1.1 504 Late\r\nContent-Length: 0\r\n\r\n"}) {
    std::atomic<bool> go{false};
    auto& server = this->server([&](Peer& peer, int n) {
      peer.read_head();
      while (n == 1 && !go) std::this_thread::yield();
      if (n > 1) {
        peer.read_rest();
        return;
      }
      if (!last.empty()) peer.send(std::string(last));
      peer.reset();
    });
    auto o = pool({server.port()});
    o.retries = 0;
    o.passive.failures = 1;
    o.passive.statuses = {{504, 504}};
    use(std::move(o));
    const auto slow = held();
    run_until([&] { return slow->source->asked(); });
    clock.advance(2s);
    go = true;
    run_until([&] { return slow->sink.over(); });
    ASSERT_FALSE(state->up());
    const auto trying = held();
    EXPECT_FALSE(trying->sink.over());
    EXPECT_EQ(get().failure, FetchError::CircuitOpen) << "it would have to wait, too";
    trying->source->cancel();
    origin.reset();
    servers.clear();
  }
}

TEST_F(GroupTest, WhoHasFailedGoesToAUrlThatNobodyHasToTryOut) {
  server();
  auto o = pool({closed_port(), closed_port(), servers[0]->port()});
  o.retries = 1;
  o.passive.failures = 1;
  o.passive.hold = 1s;
  for (const auto balance : {config::Balance::RoundRobin, config::Balance::LeastConnections}) {
    o.balance = balance;
    use(o);
    for (int i = 0; i < 12 && (state->up(0) || state->up(1)); ++i) {
      get();
      pass(1ms);
    }
    ASSERT_FALSE(state->up(0) || state->up(1));
    for (int i = 0; i < 8; ++i) {
      pass(10s);
      EXPECT_EQ(get().body, "0") << i;
    }
  }
}

TEST_F(GroupTest, NobodyWaitsForAConnectionWhileAnotherUrlHasRoom) {
  server([](Peer& peer, int) { peer.read_rest(); });
  server();
  auto o = pool();
  o.pool.max_connections = 1;
  for (const auto balance : {config::Balance::RoundRobin, config::Balance::Hash}) {
    o.balance = balance;
    use(o);
    const auto stuck = held();
    RecordingSink next;
    auto second = fetch(next);  // one of the two is at the silent one
    run_until([&] { return next.over() || stuck->sink.over(); });
    for (int i = 0; i < 5; ++i) EXPECT_EQ(get().body, "1");
  }
  origin.reset();
  servers.clear();
}

// One request for all who wait is what protects an origin, but not from a url of several that closes connections.
TEST_F(GroupTest, AResetOfOneUrlIsRepeatedAtAnotherWhoeverWaits) {
  server([](Peer& peer, int) {
    peer.read_head();
    peer.reset();
  });
  server();
  use(pool());
  struct WantsNone final : net::Sink {
    void on_head(const http::ResponseView& head, const HeadFacts&) override { status = head.status; }
    bool on_data(std::string_view) override { return true; }
    void on_end(const http::Fields&) override {}
    void on_failure(FetchError, std::string_view) override { status = -1; }
    bool wants_retry(bool elsewhere) override { return elsewhere; }
    int status = 0;
  } sink;
  for (int i = 0; i < 2; ++i) {
    sink.status = 0;
    const auto running = fetch(sink);
    run_until([&] { return sink.status != 0; });
    EXPECT_EQ(sink.status, 200);
  }
}

// What it answers to a request that stays with it must not bring it back for those that go elsewhere.
TEST_F(GroupTest, AnAnswerThatOthersWouldDropDoesNotBringAUrlBack) {
  server([](Peer& peer, int) {
    while (!peer.read_head().empty()) peer.send("HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n");
  });
  auto o = pool();
  o.retries = 0;
  o.failover = "spare";
  o.failover_on.statuses = {{503, 503}};
  o.passive.failures = 2;
  use(std::move(o));
  fails_over = true;
  EXPECT_EQ(get().status, 503);
  fails_over = false;
  EXPECT_EQ(get("POST").status, 503);
  fails_over = true;
  EXPECT_EQ(get().status, 503);
  EXPECT_FALSE(state->up()) << "two in a row: the POST says nothing";
  fails_over = false;
  EXPECT_EQ(get("POST").status, 503);
  EXPECT_FALSE(state->up());
}

TEST_F(GroupTest, CountsGoOnUnderAChangedConfiguration) {
  auto o = pool({closed_port()});
  o.pool.max_connections = 1;
  o.max_concurrency = 1;
  o.retries = 0;
  o.failover = "spare";
  use(o);
  state->failovers().failed_over(o, "as the test says", worker.now().mono);
  get();
  const auto before = sum_of_errors(FetchError::Connect);
  const OriginState next(o, {1s}, state.get());
  EXPECT_EQ(next.errors_without_url(FetchError::Queue), state->errors_without_url(FetchError::Queue));
  EXPECT_EQ(const_cast<OriginState&>(next).failovers().total(), 1U);
  EXPECT_GE(before, 1U);
  o.failover = "other";
  EXPECT_EQ(OriginState(o, {1s}, state.get()).failovers().total(), 0U);
}

TEST_F(GroupTest, WhereThereIsAnotherOriginTheLastUrlRestsToo) {
  server([](Peer& peer, int) {
    peer.read_head();
    peer.reset();
  });
  auto o = pool();
  o.retries = 0;
  o.passive.failures = 1;
  fails_over = true;
  use(std::move(o));
  answers(1);
  RecordingSink sink;
  const auto running = fetch(sink);
  run_until([&] { return sink.over(); });
  EXPECT_EQ(sink.failure, FetchError::CircuitOpen);
  EXPECT_EQ(running->times().retry_after, 10s);
  pass(10s);
  EXPECT_EQ(get().failure, FetchError::Reset);
}

TEST_F(GroupTest, StatusesCountAsFailuresWhereTheyAreListedButNotWithRetryAfter) {
  std::atomic<bool> later{true};
  server([&](Peer& peer, int) {
    while (!peer.read_head().empty())
      peer.send("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n" +
                std::string(later ? "Retry-After: 1\r\n\r\n" : "\r\n"));
  });
  server();
  auto o = pool();
  o.passive.failures = 3;
  o.passive.statuses = {{503, 503}};
  use(std::move(o));
  answers(10);
  EXPECT_TRUE(state->up(0));
  later = false;
  answers(10);
  EXPECT_FALSE(state->up(0));
  EXPECT_EQ(state->numbers(0).answers[4], 5U + 3U);
}

TEST_F(GroupTest, AUrlThatDoesNotAnswerInTimeIsReplacedByAnotherForSafeMethods) {
  server([](Peer& peer, int) { peer.read_rest(); });
  server();
  auto o = pool();
  o.timeouts.first_byte = 1s;
  use(std::move(o));
  for (const std::string_view method : {"GET", "POST"}) {
    int late = 0;
    for (int i = 0; i < 2; ++i) {  // one of them begins at the silent one
      RecordingSink sink;
      const auto running = fetch(sink, method);
      run_until([&] { return sink.over() || state->numbers(0).in_flight != 0; });
      if (!sink.over()) {
        run_until([&] { return running->asked(); });
        pass(1001ms);
        run_until([&] { return sink.over(); });
      }
      if (sink.failure) {
        EXPECT_EQ(*sink.failure, FetchError::FirstByteTimeout);
        ++late;
      } else {
        EXPECT_EQ(sink.body, "1");
      }
    }
    EXPECT_EQ(late, method == "POST" ? 1 : 0);
  }
}

TEST_F(GroupTest, SoIsOneThatFallsSilentOnAKeptConnection) {
  server([](Peer& peer, int) {
    peer.read_head();
    peer.send(saying("0"));
    peer.read_rest();
  });
  server();
  auto o = pool();
  o.timeouts.first_byte = 1s;
  o.passive.failures = 1;
  use(std::move(o));
  answers(2);
  ASSERT_EQ(state->numbers(0).idle, 1U);
  RecordingSink sink;
  const auto running = fetch(sink);
  run_until([&] { return state->numbers(0).active == 1; });
  pass(1001ms);
  run_until([&] { return sink.over(); });
  EXPECT_EQ(sink.body, "1");
  EXPECT_FALSE(state->up(0)) << "it counts";
  EXPECT_EQ(state->numbers(0).retries + state->numbers(1).retries, 1U);
}

TEST_F(GroupTest, AnIdempotentRequestThatMayHaveTakenEffectIsSentToNoOtherUrl) {
  auto& first = server([this](Peer& peer, int) {
    peer.read_head();
    peer.send(saying("0"));
    peer.read_head();
    servers[0]->refuse();  // the connection that replaces this one is not made
    peer.reset();
  });
  auto& second = server();
  auto o = pool({first.port(), second.port()});
  o.retries = 5;
  use(std::move(o));
  answers(2);
  ASSERT_EQ(state->numbers(0).idle, 1U);
  EXPECT_EQ(get("DELETE").failure, FetchError::Connect);
  EXPECT_EQ(second.connections(), 1);
  EXPECT_EQ(state->numbers(1).answers[1], 1U) << "the other url has got the first request alone";
}

TEST_F(GroupTest, WhereNoRequestMayBeRepeatedAUrlComesBackLater) {
  std::atomic<bool> broken{true};
  server([&](Peer& peer, int) {
    while (!peer.read_head().empty()) {
      if (broken) return peer.reset();
      peer.send(saying("0"));
    }
  });
  server();
  auto o = pool();
  o.retries = 0;
  o.passive.failures = 1;
  use(std::move(o));
  answers(2, "POST");
  ASSERT_FALSE(state->up(0));
  broken = false;
  pass(19s);
  EXPECT_EQ(answers(4, "POST").at("1"), 4);
  pass(1s);
  EXPECT_GE(answers(4, "POST").at("0"), 1);
  EXPECT_TRUE(state->up(0));
}

TEST_F(GroupTest, ASlowUploadIsNoProbe) {
  server([](Peer& peer, int n) {
    peer.read_head();
    if (n <= 1) return peer.reset();
    peer.read_rest();
  });
  auto o = pool();
  o.retries = 0;
  o.passive.failures = 1;
  use(std::move(o));
  answers(1);
  ASSERT_FALSE(state->up());
  ScriptedBody body({{BodyState::Data, "some"}}, 100);  // and the rest does not come
  RecordingSink slow, next;
  const auto uploading = fetch(slow, "POST", &body);
  run_until([&] { return body.waited_for(); });
  const auto trying = fetch(next);
  run_until([&] { return next.over() || trying->asked(); });
  EXPECT_FALSE(next.over()) << "it is the one that tries the url now";
}

TEST_F(GroupTest, AHeadThatIsTooLargeSaysThatSomebodyIsThere) {
  server([](Peer& peer, int) {
    peer.read_head();
    peer.send("HTTP/1.1 200 OK\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n");
  });
  auto o = pool();
  o.passive.failures = 2;
  use(std::move(o));
  EXPECT_EQ(answers(5).at("too_large"), 5);
  EXPECT_TRUE(state->up());
}

TEST_F(GroupTest, WhatItsClientDeclaresRepeatableIsRepeated) {
  server([](Peer& peer, int) {
    peer.read_head();
    peer.reset();
  });
  server();
  use(pool());
  for (const bool declared : {false, true}) {
    int failed = 0;
    for (int i = 0; i < 2; ++i) {
      RecordingSink sink;
      FetchRequest request;
      request.method = http::Method::Post;
      request.method_text = "POST";
      request.target = "/";
      request.repeatable = declared;
      const auto running = origin->fetch(request, 16 * 1024);
      running->start(sink);
      run_until([&] { return sink.over(); });
      failed += sink.failure.has_value();
    }
    EXPECT_EQ(failed, declared ? 0 : 1);
  }
}

TEST_F(GroupTest, AllOfARequestHasOneTimeToo) {
  server([](Peer& peer, int) {
    peer.read_head();
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe");
    peer.read_rest();
  });
  auto o = pool();
  o.timeouts.total = 3s;
  use(std::move(o));
  RecordingSink sink;
  const auto running = fetch(sink);
  run_until([&] { return sink.body == "he"; });
  pass(2999ms);
  EXPECT_FALSE(sink.over());
  pass(1ms);
  ASSERT_EQ(sink.failure, FetchError::TotalTimeout);
  EXPECT_THAT(sink.detail, HasSubstr("timeouts.total (3 s)"));
  EXPECT_EQ(sum_of_errors(FetchError::TotalTimeout), 1U);
}

TEST_F(GroupTest, AClientThatDoesNotTakeTheAnswerInThatTimeIsNoFailureOfTheOrigin) {
  server([](Peer& peer, int) {
    peer.read_head();
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe");
    peer.read_rest();
  });
  auto o = pool();
  o.timeouts.total = 3s;
  use(std::move(o));
  RecordingSink sink;
  sink.at_data = [] { return false; };
  const auto running = fetch(sink);
  run_until([&] { return sink.body == "he"; });
  pass(3s);
  ASSERT_EQ(sink.failure, FetchError::ClientStalled);
  EXPECT_THAT(sink.detail, HasSubstr("timeouts.total (3 s)"));
  EXPECT_EQ(sum_of_errors(FetchError::TotalTimeout), 0U);
}

// --- places ---

class Places : public GroupTest {
 protected:
  Places() {
    server([this](Peer& peer, int) {
      for (std::string head; !(head = peer.read_head()).empty(); peer.send(kHello)) {
        most = std::max(most.load(), ++now_in);
        while (!go) std::this_thread::yield();
        --now_in;
      }
    });
  }
  ~Places() override {
    go = true;
    servers.clear();  // their threads use what is below
  }
  std::atomic<int> now_in{0}, most{0};
  std::atomic<bool> go{false};
};

TEST_F(Places, NoMoreRequestsThanMaxConcurrencyAreInFlight) {
  auto o = pool();
  o.max_concurrency = 3;
  use(std::move(o));
  std::vector<std::unique_ptr<Held>> all;
  for (int i = 0; i < 20; ++i) {
    all.push_back(std::make_unique<Held>());
    all.back()->source = fetch(all.back()->sink);
  }
  run_until([&] { return now_in == 3; });
  ASSERT_TRUE(state->level());
  EXPECT_EQ(state->level()->in_flight, 3U);
  EXPECT_EQ(state->level()->allowed, 3U);
  EXPECT_EQ(state->level()->waiting, 17U);
  EXPECT_EQ(in_flight(), 3U) << "who waits has no url";
  all[10]->source->cancel();
  EXPECT_EQ(state->level()->waiting, 16U);
  go = true;
  for (std::size_t i = 0; i < all.size(); ++i)
    if (i != 10) run_until([&] { return all[i]->sink.ended; });
  EXPECT_EQ(most, 3);
  EXPECT_EQ(state->level()->in_flight, 0U);
}

TEST_F(Places, WhoWaitsTooLongIsToldSo) {
  auto o = pool();
  o.max_concurrency = 1;
  o.pool.queue_timeout = 2s;
  use(std::move(o));
  const auto first = held();
  RecordingSink second;
  const auto waiting = fetch(second);
  run_until([&] { return state->level()->waiting == 1; });
  pass(1999ms);
  EXPECT_FALSE(second.over());
  pass(1ms);
  ASSERT_EQ(second.failure, FetchError::Queue);
  EXPECT_THAT(second.detail, HasSubstr("pool.queue_timeout (2 s)"));
  EXPECT_EQ(state->level()->waiting, 0U);
  EXPECT_EQ(sum_of_errors(FetchError::Queue), 1U);
}

TEST_F(Places, WhatMoreClientsWaitForByNowGoesFirst) {
  auto& server = this->server([&](Peer& peer, int) {
    for (std::string head; !(head = peer.read_head()).empty(); peer.send(kHello)) {
      servers[1]->note(head.substr(4, 2));
      while (!go) std::this_thread::yield();
    }
  });
  auto o = pool({server.port()});
  o.max_concurrency = 1;
  use(std::move(o));
  const auto first = held();
  RecordingSink all[3];
  std::vector<net::SourcePtr> running;
  all[0].waiting = 0;
  const std::string_view targets[] = {"/0", "/1", "/2"};
  for (int i = 0; i < 3; ++i) running.push_back(fetch(all[i], "GET", nullptr, targets[i]));
  run_until([&] { return state->level()->waiting == 3; });
  all[2].waiting = 5;
  pass(100ms);
  go = true;
  for (auto& sink : all) run_until([&] { return sink.over(); });
  EXPECT_THAT(server.notes(), ::testing::ElementsAre("/ ", "/2", "/1", "/0"));
}

TEST_F(Places, AClientThatDoesNotReadKeepsNoPlace) {
  auto& server = this->server(ScriptedOrigin::always(std::string(kHello)));
  auto o = pool({server.port()});
  o.max_concurrency = 1;
  use(std::move(o));
  RecordingSink slow, next;
  slow.at_data = [] { return false; };
  const auto first = fetch(slow);
  run_until([&] { return slow.body == "hello"; });
  EXPECT_FALSE(slow.over());
  const auto second = fetch(next);
  run_until([&] { return next.over(); });
  EXPECT_TRUE(next.ended);
}

TEST_F(Places, AClientThatReadsSlowlyGivesWay) {
  auto& server = this->server([](Peer& peer, int n) {
    peer.read_head();
    if (n > 1) {
      peer.send(kHello);
      return;
    }
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n" + std::string(100'000, 'x'));
    peer.read_rest();
  });
  auto o = pool({server.port()});
  o.max_concurrency = 1;
  use(std::move(o));
  RecordingSink slow, next;
  slow.at_data = [] { return false; };
  const auto first = fetch(slow);
  run_until([&] { return slow.pieces != 0; });
  const auto second = fetch(next);
  run_until([&] { return state->level()->waiting == 1; });
  for (int i = 0; i < 20 && !slow.over(); ++i) pass(100ms);
  EXPECT_EQ(slow.failure, FetchError::ClientStalled);
  run_until([&] { return next.over(); });
  EXPECT_TRUE(next.ended);
}

TEST_F(Places, ALimitThatIsTakenAwayLetsEverybodyIn) {
  auto o = pool();
  o.max_concurrency = 1;
  use(o);
  const auto first = held();
  RecordingSink second;
  const auto waiting = fetch(second);
  run_until([&] { return state->level()->waiting == 1; });
  const auto before = state;
  const auto before_origin = std::move(origin);
  o.max_concurrency = 0;
  state = std::make_shared<OriginState>(o, std::vector<Duration>{1s}, before.get());
  origin = std::make_unique<Origin>(worker, state);
  run_until([&] { return waiting->asked(); });
  go = true;
  run_until([&] { return second.over(); });
  EXPECT_TRUE(second.ended);
}

TEST_F(Places, ClientsOfAnEarlierConfigurationGiveWayToo) {
  auto& server = this->server([](Peer& peer, int n) {
    peer.read_head();
    if (n > 1) {
      peer.send(kHello);
      return;
    }
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n" + std::string(100'000, 'x'));
    peer.read_rest();
  });
  auto o = pool({server.port()});
  o.max_concurrency = 1;
  use(o);
  RecordingSink slow, next;
  slow.at_data = [] { return false; };
  const auto first = fetch(slow);
  run_until([&] { return slow.pieces != 0; });
  const auto before = state;
  const auto before_origin = std::move(origin);
  before_origin->retire();
  o.timeouts.first_byte = 1min;
  state = std::make_shared<OriginState>(o, std::vector<Duration>{1s}, before.get());
  origin = std::make_unique<Origin>(worker, state);
  const auto second = fetch(next);
  run_until([&] { return state->level()->waiting == 1; });
  for (int i = 0; i < 20 && !slow.over(); ++i) pass(100ms);
  EXPECT_EQ(slow.failure, FetchError::ClientStalled);
  run_until([&] { return next.over(); });
  EXPECT_TRUE(next.ended);
}

TEST_F(Places, ClientsThatHoldNoPlaceNeedNotGiveWay) {
  auto& server = this->server([](Peer& peer, int) {
    peer.read_head();
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n" + std::string(100'000, 'x'));
    peer.read_rest();
  });
  auto o = pool({server.port()});
  use(o);
  RecordingSink slow, first, next;
  slow.at_data = [] { return false; };
  const auto downloads = fetch(slow);
  run_until([&] { return slow.pieces != 0; });
  const auto before = state;
  const auto before_origin = std::move(origin);
  before_origin->retire();
  o.max_concurrency = 1;
  state = std::make_shared<OriginState>(o, std::vector<Duration>{1s}, before.get());
  origin = std::make_unique<Origin>(worker, state);
  const auto holds = fetch(first);
  run_until([&] { return first.status != 0; });
  const auto waits = fetch(next);
  run_until([&] { return state->level()->waiting == 1; });
  for (int i = 0; i < 20; ++i) pass(100ms);
  EXPECT_FALSE(slow.over()) << "it began when there was no limit";
}

TEST_F(Places, TheRampLetsInMoreAsTimePasses) {
  auto o = pool();
  o.ramp = {2, 10s};
  use(std::move(o));
  std::vector<std::unique_ptr<Held>> all;
  for (int i = 0; i < 5; ++i) {
    all.push_back(std::make_unique<Held>());
    all.back()->source = fetch(all.back()->sink);
  }
  run_until([&] { return now_in == 2; });
  EXPECT_EQ(state->level()->waiting, 3U);
  pass(9s);
  EXPECT_EQ(state->level()->in_flight, 2U);
  pass(1200ms);  // `every` and the tick in which the last one began
  run_until([&] { return now_in == 4; });
  EXPECT_EQ(state->level()->waiting, 1U);
}

TEST_F(Places, AChangedConfigurationCountsWhoIsInFlight) {
  auto o = pool();
  o.max_concurrency = 2;
  use(o);
  const auto first = held();
  const auto before = state;
  const auto before_origin = std::move(origin);
  o.max_concurrency = 3;
  o.retries = 0;
  state = std::make_shared<OriginState>(o, std::vector<Duration>{1s}, before.get());
  EXPECT_EQ(before->level()->allowed, 2U) << "it is not in force yet";
  origin = std::make_unique<Origin>(worker, state);
  EXPECT_EQ(state->level()->in_flight, 1U);
  EXPECT_EQ(state->level()->allowed, 3U);
  o.ramp = {1, 10s};
  const auto ramped = std::make_shared<OriginState>(o, std::vector<Duration>{1s}, state.get());
  const Origin next(worker, ramped);
  EXPECT_EQ(ramped->level()->allowed, 1U) << "who is in flight now was not there for long";
}

TEST_F(GroupTest, AChangedConfigurationKnowsWhichUrlIsOut) {
  server();
  auto o = pool({closed_port(), servers[0]->port()});
  o.passive.failures = 1;
  use(o);
  answers(2);
  ASSERT_FALSE(state->up(0));
  std::swap(o.urls[0], o.urls[1]);
  const OriginState next(o, {}, state.get());
  EXPECT_TRUE(next.up(0));
  EXPECT_FALSE(next.up(1));
  o.passive.failures = 2;
  EXPECT_TRUE(OriginState(o, {}, state.get()).up(1)) << "judged by other rules, it begins anew";
}

TEST_F(GroupTest, WhatWaitsForAPlaceEndsWithItsWorker) {
  server([](Peer& peer, int) { peer.read_rest(); });
  auto o = pool();
  o.max_concurrency = 1;
  use(std::move(o));
  const auto first = held();
  RecordingSink second;
  const auto waiting = fetch(second);
  run_until([&] { return state->level()->waiting == 1; });
  origin.reset();
  EXPECT_EQ(state->level()->waiting, 0U);
  EXPECT_EQ(state->level()->in_flight, 0U);
  EXPECT_FALSE(second.over());
}

}  // namespace
}  // namespace forebay::upstream
