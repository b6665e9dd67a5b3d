// Clients that take their answer slowly, and those that do not take it.
#include "server/stalled_readers.hpp"
#include "unit/server/edge.hpp"

namespace forebay::server::test {
namespace {

using SlowReaderTest = EdgeTest;

TEST_F(SlowReaderTest, AClientThatReadsTooLittleForTheSocketToBeWritableIsNotCutOff) {
  const std::string large(32 * 1024 * 1024, 'x');
  handler.script = [&](const ExchangePtr& exchange) { answer_text(*exchange, large); };
  auto client = connect();
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  std::string got = client.until("\r\n\r\n");
  got.clear();
  // Less than a third of the kernel's buffer in all, so that nothing but the queue shows that the client reads.
  for (int i = 0; i < 5; ++i) {
    got += client.take(128 * 1024);
    on_worker([] {});
    pass(35s);
  }
  EXPECT_EQ(listener->numbers().rejected_timeout, 0u);
  got += client.take(large.size() - got.size());
  EXPECT_EQ(got.size(), large.size());
  EXPECT_TRUE(got == large);
}

TEST_F(SlowReaderTest, AClientThatHasStoppedReadingIsCutOff) {
  const std::string large(32 * 1024 * 1024, 'x');
  handler.script = [&](const ExchangePtr& exchange) { answer_text(*exchange, large); };
  auto client = connect();
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  client.until("\r\n\r\n");
  for (int i = 0; i < 4; ++i) {
    on_worker([] {});
    pass(61s);
  }
  until([&] { return listener->open_connections() == 0; });
  EXPECT_EQ(listener->numbers().rejected_timeout, 1u);
}

TEST_F(SlowReaderTest, AClientThatReadsSlowerThanTheMinimumRateIsCutOffThoughItNeverStops) {
  for (const std::uint64_t rate : {100'000u, 0u}) {
    on_worker([&] { handler.server.min_rate = rate; });
    const std::string large(32 * 1024 * 1024, 'x');
    handler.script = [&](const ExchangePtr& exchange) { answer_text(*exchange, large); };
    const auto before = listener->numbers().rejected_timeout.load();
    auto client = connect();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    client.until("\r\n\r\n");
    for (int i = 0; i < 8; ++i) {
      client.take(128 * 1024);  // some 9 KB a second
      on_worker([] {});
      pass(15s);
    }
    on_worker([] {});
    EXPECT_EQ(listener->numbers().rejected_timeout, before + (rate == 0 ? 0 : 1)) << rate;
  }
}

TEST_F(SlowReaderTest, AnAnswerThatItselfComesSlowlyIsNotTheClientsFault) {
  on_worker([&] { handler.server.min_rate = 1'000'000; });
  Ref<http::Body> body(new http::Body);
  handler.script = [&](const ExchangePtr& exchange) { exchange->answer(AnswerHead{}, http::BodyCursor(body)); };
  auto client = connect();
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  client.until("\r\n\r\n");
  for (int i = 0; i < 5; ++i) {
    body->append(slice_of("event"));
    EXPECT_EQ(client.until("event\r\n"), "5\r\nevent\r\n");
    pass(10min);
  }
  body->finish();
  EXPECT_EQ(client.until("0\r\n\r\n"), "0\r\n\r\n");
  EXPECT_EQ(listener->numbers().rejected_timeout, 0u);
}

/// Clients that ask for a large answer and read its head alone.
class StalledReaderTest : public EdgeTest {
 protected:
  static constexpr std::size_t kLarge = 32 * 1024 * 1024;
  /// Content that is charged as the store does it.
  Ref<const Chunk> content() {
    const auto cost = Chunk::cost(kLarge);
    EXPECT_TRUE(budget.try_take(cost));
    return Chunk::copy_of(std::string(kLarge, 'x'), Charge(budget, cost));
  }
  /// The last to ask is blocked when this returns.
  Client stalled(const Ref<const Chunk>& of) {
    on_worker([&] {
      handler.script = [of](const ExchangePtr& exchange) {
        AnswerHead head;
        head.length = of->bytes().size();
        exchange->answer(head, http::BodyCursor(Owner(of), of->bytes()));
      };
    });
    auto client = connect();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    client.until("\r\n\r\n");
    on_worker([] {});
    on_worker([this] { handler.script = nullptr; });
    return client;
  }
  std::uint64_t resets() { return listener->numbers().rejected_stalled; }

  Budget budget{256 * 1024 * 1024};
};

TEST_F(StalledReaderTest, OfContentThatTheStoreHasDroppedTheMostStalledIsReset) {
  on_worker([&] { handler.pins_too_much = [&] { return budget.pinned() > kLarge * 3 / 2; }; });
  auto stored = content();
  auto of_stored = stalled(stored);
  pass(100ms);
  auto first = content(), second = content();
  auto oldest = stalled(first);
  pass(100ms);
  auto younger = stalled(second);
  first->leave();
  first.reset();
  pass(5s);
  pass(5s);
  EXPECT_EQ(resets(), 0u) << "that much may be pinned";
  second->leave();
  second.reset();
  EXPECT_GT(budget.pinned(), 2 * kLarge);
  for (int i = 0; i < 4; ++i) pass(1s);
  EXPECT_EQ(resets(), 1u) << "one is enough";
  EXPECT_LT(budget.pinned(), kLarge * 3 / 2);
  oldest.rest();
  EXPECT_TRUE(oldest.was_reset());
  EXPECT_EQ(of_stored.take(kLarge).size(), kLarge) << "what is stored is not pinned";
  EXPECT_EQ(younger.take(kLarge).size(), kLarge);
  until([&] { return budget.pinned() == 0; });
}

TEST_F(StalledReaderTest, AClientThatHasJustBeenBlockedIsGivenTime) {
  auto one = content();
  auto client = stalled(one);
  on_worker([&] { handler.pins_too_much = [] { return true; }; });
  one->leave();
  pass(900ms);
  EXPECT_EQ(resets(), 0u);
  for (int i = 0; i < 4; ++i) pass(1s);
  EXPECT_EQ(resets(), 1u);
}

TEST(StallBoard, AWorkerActsWhenTheOthersHadTimeToTellTheirs) {
  StallBoard board;
  const Timestamp now{1h}, old = now - 60s, older = now - 90s;
  const int a = 0, b = 0;
  EXPECT_FALSE(board.tell(&a, old, now).before);
  EXPECT_FALSE(board.tell(&b, older, now + 100ms).before);
  const auto told = board.tell(&a, old, now + StallBoard::kRound);
  EXPECT_TRUE(told.before);
  EXPECT_EQ(told.others, older) << "the other one's turn";
  EXPECT_EQ(board.tell(&b, older, now + StallBoard::kRound).others, old);
  // Whoever has nothing to tell is forgotten.
  const auto later = now + 4 * StallBoard::kRound;
  EXPECT_FALSE(board.tell(&a, old, later).before);
  EXPECT_EQ(board.tell(&a, old, later + StallBoard::kRound).others, Timestamp::max());
}

TEST(StallBoard, OneWorkerActsAtATime) {
  StallBoard board;
  EXPECT_TRUE(board.begin());
  EXPECT_FALSE(board.begin());
  board.end();
  EXPECT_TRUE(board.begin());
}

TEST(StallBoard, ALineAMinuteIsLogged) {
  StallBoard board;
  const Timestamp now{1h};
  EXPECT_TRUE(board.may_log(now));
  EXPECT_FALSE(board.may_log(now + 59s));
  EXPECT_TRUE(board.may_log(now + 60s));
}

}  // namespace
}  // namespace forebay::server::test
