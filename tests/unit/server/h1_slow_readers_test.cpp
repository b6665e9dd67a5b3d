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
    pass(50s);
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

}  // namespace
}  // namespace forebay::server::test
