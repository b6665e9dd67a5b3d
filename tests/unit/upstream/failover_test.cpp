#include "forebay/upstream/failover.hpp"

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
