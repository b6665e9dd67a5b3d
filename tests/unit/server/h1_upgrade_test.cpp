// A connection that switches protocols is handed over, with all that was read behind the request.
#include <gmock/gmock.h>

#include <array>

#include "forebay/net/stream.hpp"
#include "unit/server/edge.hpp"

namespace forebay::server::test {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

class UpgradeTest : public EdgeTest {
 protected:
  void TearDown() override {
    on_worker([&] { taken.reset(); });
    EdgeTest::TearDown();
  }
  /// On the worker: switches the kept exchange; what it is handed goes to `taken`.
  bool upgrade(Exchange& exchange) {
    const http::Field accept{"Sec-WebSocket-Accept", "abc", http::FieldId::Other};
    AnswerHead head;
    head.status = 101;
    head.fields = http::FieldsView({&accept, 1});
    return exchange.upgrade(head, "websocket", [this](net::Stream&& stream, std::string bytes) {
      taken.emplace(std::move(stream));
      early = std::move(bytes);
    });
  }
  void upgrade_and_wait() {
    on_worker([&] { EXPECT_TRUE(upgrade(*kept[0])); });
    until([&] { return taken.has_value(); });
  }

  std::optional<net::Stream> taken;
  std::string early;
};

const std::string kRequest = "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n";

TEST_F(UpgradeTest, The101GoesOutAndTheStreamIsTheTakersWithWhatWasRead) {
  keep_exchanges();
  auto client = connect();
  client.send(kRequest + "pipelined");
  until_kept(1);
  upgrade_and_wait();
  const auto head = client.until("\r\n\r\n");
  EXPECT_EQ(head,
            "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: abc\r\nConnection: upgrade\r\n"
            "Upgrade: websocket\r\n\r\n");
  EXPECT_EQ(early, "pipelined");
  client.send("GET /this/is/no/request HTTP/1.1\r\nHost: a\r\n\r\n");
  std::array<char, 100> room{};
  until([&] { return taken->read_some(room).state == net::Io::Done; });
  EXPECT_THAT(std::string(room.data()), StartsWith("GET /this/is/no/request"));
  on_worker([&] { taken->write_some("raw"); });
  EXPECT_EQ(client.take(3), "raw");
  EXPECT_EQ(handler.started, 1);
  EXPECT_EQ(handler.finished_so_far(), 0U) << "it lasts until it is said to have ended";
  EXPECT_EQ(listener->open_connections(), 1U);

  on_worker([&] {
    taken.reset();
    kept[0]->end_upgrade(1000, 2000, true);
  });
  EXPECT_EQ(client.rest(), "");
  const auto tally = handler.tallies(1)[0];
  EXPECT_EQ(tally.status, 101);
  EXPECT_EQ(tally.bytes_in, 1000U);
  EXPECT_EQ(tally.bytes_out, 2000U);
  EXPECT_TRUE(tally.completed);
  EXPECT_NE(tally.first_byte, Timestamp{});
  EXPECT_EQ(listener->open_connections(), 0U);
}

TEST_F(UpgradeTest, AnAnswerThatWasPipelinedBeforeGoesOutFirst) {
  handler.script = [this](const ExchangePtr& exchange) {
    if (exchange->request().target == "/first") return answer_text(*exchange, "first");
    EXPECT_TRUE(upgrade(*exchange));
    kept.push_back(exchange);
  };
  auto client = connect();
  client.send("GET /first HTTP/1.1\r\nHost: a\r\n\r\n" + kRequest + "behind");
  EXPECT_EQ(client.reply().body, "first");
  EXPECT_EQ(client.reply().status, 101);
  until([&] { return taken.has_value(); });
  EXPECT_EQ(early, "behind");
  EXPECT_EQ(handler.tallies(1)[0].status, 200);
  on_worker([&] { kept[0]->end_upgrade(0, 0, false); });
  EXPECT_FALSE(handler.tallies(2)[1].completed);
}

TEST_F(UpgradeTest, AConnectionThatHasFreedItsBuffersIsHandedOverToo) {
  keep_exchanges();
  auto client = connect();
  client.send(kRequest);
  until_kept(1);
  pass(std::chrono::seconds{1});  // it waits for readiness now
  client.send("late");
  upgrade_and_wait();
  EXPECT_EQ(client.reply().status, 101);
  std::string got = early;
  std::array<char, 100> room{};
  if (got.empty())
    until([&] {
      const auto read = taken->read_some(room);
      got.append(room.data(), read.bytes);
      return read.bytes != 0;
    });
  EXPECT_EQ(got, "late");
  on_worker([&] { kept[0]->end_upgrade(4, 0, true); });
  EXPECT_EQ(handler.tallies(1)[0].bytes_in, 4U);
}

TEST_F(UpgradeTest, WhoeverTookItHearsWhenItHasToEndAtOnce) {
  struct Gone final : Waiter {
    std::function<void()> then;
    void woken() override { then(); }
  } gone;
  keep_exchanges();
  auto client = connect();
  client.send(kRequest);
  until_kept(1);
  gone.then = [&] {
    taken.reset();
    kept[0]->end_upgrade(7, 8, false);
  };
  on_worker([&] {
    kept[0]->on_gone(&gone);
    EXPECT_TRUE(upgrade(*kept[0]));
  });
  until([&] { return taken.has_value(); });
  listener->drain();
  EXPECT_EQ(client.reply().status, 101) << "a drain leaves it alone";
  listener->abort();
  const auto tally = handler.tallies(1)[0];
  EXPECT_EQ(tally.bytes_in, 7U);
  EXPECT_EQ(tally.bytes_out, 8U);
  EXPECT_FALSE(tally.completed);
  until([&] { return listener->open_connections() == 0; });
  on_worker([&] { EXPECT_TRUE(kept[0]->gone()); });
}

TEST_F(UpgradeTest, NothingIsHandedOverOfAClientThatHasLeft) {
  keep_exchanges();
  auto client = connect();
  client.send(kRequest);
  until_kept(1);
  client.reset();
  until([&] { return kept[0]->gone(); });
  on_worker([&] { EXPECT_FALSE(upgrade(*kept[0])); });
  EXPECT_EQ(handler.tallies(1)[0].status, 0);
  on_worker([&] { EXPECT_FALSE(taken); });
}

TEST_F(UpgradeTest, Http10HasNone) {
  handler.script = [this](const ExchangePtr& exchange) {
    EXPECT_FALSE(upgrade(*exchange));
    answer_text(*exchange, "plain");
  };
  auto client = connect();
  client.send("GET / HTTP/1.0\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n");
  EXPECT_EQ(client.reply().body, "plain");
}

}  // namespace
}  // namespace forebay::server::test
