#include "forebay/upstream/failover.hpp"

#include "faulty/faults.hpp"
#include "forebay/base/log.hpp"
#include "unit/upstream/upstream_fixture.hpp"

// Over connections; what becomes of each failure is in unit/proxy/failover_test.cpp.

namespace forebay::upstream {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kHello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

class FailoverTest : public UpstreamTest {
 protected:
  /// Asks the spare origin by a GET.
  class Spare final : public OtherOrigin {
   public:
    explicit Spare(FailoverTest& test) : test_(test) {}
    bool may_ask() override { return repeatable; }
    bool has_content() const override { return false; }
    net::SourcePtr ask() override { return test_.spare->fetch(test_.request, 16 * 1024); }
    bool repeatable = true;

   private:
    FailoverTest& test_;
  };

  void use_both(std::uint16_t port, std::uint16_t spare_port) {
    auto main = settings(port);
    main.failover = "spare";
    if (adjust) adjust(main);
    use(std::move(main));
    auto second = settings(spare_port);
    second.name = "spare";
    spare = std::make_unique<Origin>(
        worker, std::make_shared<OriginState>(std::move(second), std::vector<Duration>{1ms, 1s, 60s}));
    request.method = http::Method::Get;
    request.method_text = "GET";
    request.target = "/";
    fields.add("Host", "example.org");
    request.fields = fields;
  }
  net::SourcePtr ask(net::Sink& sink) {
    auto first = request;
    first.fails_over = true;
    auto source = fail_over(worker, *origin, origin->fetch(first, 16 * 1024), other);
    source->start(sink);
    return source;
  }
  /// A whole one.
  RecordingSink& get_either() {
    auto& sink = *sinks.emplace_back(std::make_unique<RecordingSink>());
    last = ask(sink);
    run_until([&] { return sink.over(); });
    return sink;
  }

  std::function<void(config::Origin&)> adjust;  // the first origin's settings
  http::Fields fields;
  FetchRequest request;
  std::unique_ptr<Origin> spare;
  Spare other{*this};
  net::SourcePtr last;
};

TEST_F(FailoverTest, WhoCannotBeReachedIsStoodInFor) {
  ScriptedOrigin second(ScriptedOrigin::always(std::string(kHello)));
  use_both(closed_port(), second.port());
  const auto& sink = get_either();
  EXPECT_TRUE(sink.ended);
  EXPECT_EQ(sink.body, "hello");
  EXPECT_EQ(last->times().origin, "spare");
  EXPECT_EQ(last->times().address, "127.0.0.1:" + std::to_string(second.port()));
  EXPECT_EQ(last->times().failed_origin, "web");
  EXPECT_EQ(last->times().failed_by, "connect");
  EXPECT_TRUE(last->asked());
  EXPECT_EQ(state->failovers().total(), 1u);
  last.reset();
  origin.reset();
  spare.reset();
}

TEST_F(FailoverTest, TheConnectionOfAnAnswerThatIsNotUsedIsUsedAgain) {
  ScriptedOrigin first(ScriptedOrigin::always("HTTP/1.1 503 Unavailable\r\nContent-Length: 4\r\n\r\ndown"));
  ScriptedOrigin second(ScriptedOrigin::always(std::string(kHello)));
  use_both(first.port(), second.port());
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(get_either().body, "hello");
    EXPECT_EQ(last->times().failed_by, "503");
  }
  EXPECT_EQ(first.connections(), 1);
  EXPECT_EQ(state->numbers().in_flight, 0u);
  last.reset();
  origin.reset();
  spare.reset();
}

TEST_F(FailoverTest, WhenBothFailTheDetailNamesBoth) {
  use_both(closed_port(), closed_port());
  const auto& sink = get_either();
  EXPECT_EQ(sink.failure, FetchError::Connect);
  EXPECT_THAT(sink.detail, HasSubstr("; before it web: "));
  last.reset();
}

TEST_F(FailoverTest, WhatCannotBeSentAgainStaysAFailure) {
  ScriptedOrigin second(ScriptedOrigin::always(std::string(kHello)));
  use_both(closed_port(), second.port());
  other.repeatable = false;
  EXPECT_EQ(get_either().failure, FetchError::Connect);
  EXPECT_EQ(second.connections(), 0);
  EXPECT_EQ(state->failovers().total(), 0u);
  last.reset();
}

TEST_F(FailoverTest, ItEndsInEveryPhase) {
  ScriptedOrigin second([](Peer& peer, int) {
    peer.read_head();
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello");
    peer.read_rest();
  });
  use_both(closed_port(), second.port());
  for (int phase = 0; phase < 3; ++phase) {
    RecordingSink sink;
    auto source = ask(sink);
    if (phase == 1) run_until([&] { return source->times().origin == "spare"; });
    if (phase == 2) run_until([&] { return sink.status == 200; });
    source->cancel();
    source.reset();
    worker.io().poll();
    EXPECT_FALSE(sink.over());
    EXPECT_EQ(state->numbers().in_flight, 0u);
    EXPECT_EQ(spare->state().numbers().in_flight, 0u);
  }
  origin.reset();
  spare.reset();
}

TEST_F(FailoverTest, AnOriginOutOfUseIsStoodInForWhateverCounts) {
  ScriptedOrigin second(ScriptedOrigin::always(std::string(kHello)));
  adjust = [](config::Origin& main) {
    main.failover_on = {false, false, {{500, 599}}};
    main.passive.failures = 1;
    main.retries = 0;
  };
  use_both(closed_port(), second.port());
  EXPECT_EQ(get_either().failure, FetchError::Connect) << "it is not listed";
  ASSERT_FALSE(state->up(0));
  EXPECT_EQ(get_either().body, "hello");
  EXPECT_EQ(last->times().failed_by, "circuit_open");
  last.reset();
  origin.reset();
  spare.reset();
}

TEST_F(FailoverTest, AnswersThatAreDroppedTakeAUrlOutOfUse) {
  const struct {
    std::string head;
    bool fails_over;
    bool stays;
  } cases[] = {
      {"503 Unavailable\r\n", true, false},
      {"503 Unavailable\r\nRetry-After: 1\r\n", true, true},  // its origin is in order
      {"503 Unavailable\r\n", false, true},                   // not dropped
      {"404 Not Found\r\n", true, true},                      // says nothing of the url
  };
  for (const auto& c : cases) {
    ScriptedOrigin first(ScriptedOrigin::always("HTTP/1.1 " + c.head + "Content-Length: 0\r\n\r\n"));
    ScriptedOrigin second(ScriptedOrigin::always(std::string(kHello)));
    adjust = [](config::Origin& main) {
      main.failover_on = {true, true, {{503, 503}, {404, 404}}};
      main.passive.failures = 2;
    };
    use_both(first.port(), second.port());
    for (int i = 0; i < 2; ++i) {
      if (c.fails_over) {
        EXPECT_EQ(get_either().body, "hello");
      } else {
        RecordingSink sink;
        const auto source = origin->fetch(request, 16 * 1024);
        source->start(sink);
        run_until([&] { return sink.over(); });
        EXPECT_EQ(sink.status, 503);
      }
    }
    EXPECT_EQ(state->up(0), c.stays) << c.head << c.fails_over;
    last.reset();
    origin.reset();
    spare.reset();
  }
}

/// A source that does what the test says.
class ToldSource final : public net::Source {
 public:
  void start(net::Sink& sink) override { hears = &sink; }
  void resume() override {}
  void cancel() override { cancelled = true; }
  void allow_quiet(Duration) override {}
  bool asked() const override { return true; }
  const net::SourceTimes& times() const override { return times_; }
  net::SourcePtr held() {
    return {this, [](net::Source*) {}};
  }

  net::Sink* hears = nullptr;
  bool cancelled = false;

 private:
  net::SourceTimes times_;
};

class ToldFailoverTest : public FailoverTest {
 protected:
  class Other final : public OtherOrigin {
   public:
    explicit Other(ToldSource& second) : second_(second) {}
    bool may_ask() override { return true; }
    bool has_content() const override { return false; }
    net::SourcePtr ask() override { return second_.held(); }

   private:
    ToldSource& second_;
  };
  ToldFailoverTest() { use_both(closed_port(), closed_port()); }
  void begin() {
    running = fail_over(worker, *origin, first.held(), told);
    running->start(sink);
  }

  static constexpr std::string_view kWhy = "a text that is longer than a string holds without memory of its own";
  ToldSource first, second;
  Other told{second};
  RecordingSink sink;
  net::SourcePtr running;
};

TEST_F(ToldFailoverTest, WithoutMemoryForBothDetailsTheSecondIsTold) {
  begin();
  first.hears->on_failure(FetchError::Connect, kWhy);
  ASSERT_TRUE(second.hears);
  test::inject_fault("any-later=1");
  second.hears->on_failure(FetchError::Reset, kWhy);
  EXPECT_TRUE(test::inject_fault("any-later=0"));
  EXPECT_EQ(sink.failure, FetchError::Reset);
  EXPECT_EQ(sink.detail, kWhy);
}

TEST_F(ToldFailoverTest, WithoutMemoryTheRequestEndsOrTheOtherOriginIsAsked) {
  int ended = 0;
  for (int nth = 1; nth <= 12; ++nth) {
    second.hears = nullptr;
    sink.failure.reset();
    use_both(closed_port(), closed_port());  // so that the log is told once more
    begin();
    test::inject_fault("any-later=" + std::to_string(nth));
    first.hears->on_failure(FetchError::Connect, kWhy);
    test::inject_fault("any-later=0");
    EXPECT_NE(second.hears != nullptr, sink.failure.has_value()) << nth;
    if (!sink.failure) continue;
    EXPECT_EQ(sink.failure, FetchError::Memory);
    ++ended;
  }
  EXPECT_LE(ended, 2) << "for the texts that it keeps, not for a line of the log";
}

TEST_F(ToldFailoverTest, ADroppedAnswerThatHasNotEndedHoldsItsConnectionNoLongerThanNeeded) {
  begin();
  first.hears->on_head({503, http::Version::Http11, {}}, {std::nullopt, true, true});
  EXPECT_FALSE(first.cancelled);
  second.hears->on_head({200, http::Version::Http11, {}}, {std::nullopt, true, true});
  EXPECT_TRUE(first.cancelled);
}

TEST_F(ToldFailoverTest, WhatASourceSaysAfterTheEndReachesNobody) {
  begin();
  running->cancel();
  first.hears->on_failure(FetchError::Connect, kWhy);
  EXPECT_FALSE(sink.over());
}

TEST(Failovers, TellsWhenItBeginsAndWhenTheyAreBack) {
  config::Origin origin;
  origin.name = "shop";
  origin.failover = "backup";
  const auto now = ManualClock().now().mono;
  Failovers failovers;
  const auto lines = [](log::Level level, auto&& act) {
    const auto before = log::count(level);
    act();
    return log::count(level) - before;
  };
  const auto warnings = [&](Duration at) {
    return lines(log::Level::Warn, [&] { failovers.failed_over(origin, "it answered 503", now + at); });
  };
  const auto infos = [&](Duration at) {
    return lines(log::Level::Info, [&] { failovers.answered(origin, now + at); });
  };
  EXPECT_EQ(infos(0s), 0u);
  EXPECT_EQ(warnings(1s), 1u);
  EXPECT_EQ(infos(2s), 0u) << "some requests still fail";
  EXPECT_EQ(warnings(3s), 0u);
  EXPECT_EQ(infos(12s), 0u);
  EXPECT_EQ(infos(13s), 1u);
  EXPECT_EQ(infos(14s), 0u);
  EXPECT_EQ(warnings(15s), 1u);
}

}  // namespace
}  // namespace forebay::upstream
