// Clients that take their answer slowly, and those that do not take it.
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

}  // namespace
}  // namespace forebay::server::test
