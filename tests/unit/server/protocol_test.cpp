#include "server/protocol.hpp"

#include <gtest/gtest.h>

#include "server/worker_listener.hpp"
#include "unit/server/edge.hpp"

namespace forebay::server {
namespace {

/// A listener without a listener, whose worker the test itself is.
class ProtocolTest : public testing::Test {
 protected:
  ProtocolTest() {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
    stream_end = ends[0];
    client = ends[1];
    handler.script = [](const ExchangePtr& exchange) { test::answer_text(*exchange, exchange->request().target); };
  }
  ~ProtocolTest() override {
    while (!listener->connections.empty()) listener->connections.front().abort();
    worker.io().poll();
    ::close(client);
  }
  void open(ConnectionLimits::Place place) {
    net::Stream stream(worker.io());
    ASSERT_TRUE(stream.adopt(net::ParkedStream(stream_end)));
    listener->open.fetch_add(1);
    listener->protocol->open(listener, {std::move(stream), std::make_shared<const Peer>(), std::move(place)});
  }
  void send(std::string_view text) {
    EXPECT_EQ(::send(client, text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  }
  /// What has come once the worker has nothing to do.
  std::string answer() {
    worker.io().poll();
    std::string all;
    char piece[4096];
    for (ssize_t n = 0; (n = ::recv(client, piece, sizeof piece, MSG_DONTWAIT)) > 0;)
      all.append(piece, static_cast<std::size_t>(n));
    return all;
  }

  ManualClock clock;
  net::Worker worker{0, clock};
  test::FakeHandler handler;
  std::shared_ptr<ConnectionLimits> limits = make_connection_limits();
  std::shared_ptr<WorkerListener> listener = std::make_shared<WorkerListener>(
      worker, handler, std::make_shared<ListenerNumbers>(), make_protocol(config::Listener{}));
  int stream_end = -1, client = -1;
};

TEST_F(ProtocolTest, AnyStreamBecomesAConnectionThatAnswers) {
  open(limits->enter(Peer{}, handler.server));
  EXPECT_EQ(listener->connections.size(), 1U);
  EXPECT_EQ(listener->numbers->open, 1U);
  for (const char* target : {"/first", "/second"}) {
    send("GET " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n\r\n");
    const auto text = answer();
    EXPECT_TRUE(text.starts_with("HTTP/1.1 200 OK\r\n")) << text;
    EXPECT_TRUE(text.ends_with("\r\n\r\n" + std::string(target))) << text;
  }
  EXPECT_EQ(handler.notes_made, 1) << "the exchange is used again";
  ::shutdown(client, SHUT_WR);
  worker.io().poll();
  EXPECT_TRUE(listener->connections.empty());
  EXPECT_EQ(listener->open, 0);
}

TEST_F(ProtocolTest, AConnectionWithoutAPlaceIsToldSo) {
  open({});
  EXPECT_TRUE(answer().starts_with("HTTP/1.1 503 Service Unavailable\r\n"));
  EXPECT_EQ(listener->numbers->rejected_limit, 1U);
}

}  // namespace
}  // namespace forebay::server
