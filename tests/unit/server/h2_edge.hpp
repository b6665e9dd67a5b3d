#pragma once

#include <gmock/gmock.h>

#include "server/h2_protocol.hpp"
#include "server/protocol.hpp"
#include "server/worker_listener.hpp"
#include "support/h2_frames.hpp"
#include "unit/server/edge.hpp"

namespace forebay::server::test {

namespace h2 = forebay::test::h2;

/// A connection of HTTP/2 by prior knowledge over a socket pair. The test is its worker and moves its clock, so that
/// what has been sent has been handled when `send` returns.
class H2Test : public testing::Test {
 protected:
  H2Test() {
    clock.advance(1h);
    worker.tick();
    handler.script = [](const ExchangePtr& exchange) { answer_text(*exchange, exchange->request().target); };
  }
  ~H2Test() override {
    if (!listener) return;
    while (!listener->connections.empty()) listener->connections.front().abort();
    run();
    if (client >= 0) ::close(client);
    EXPECT_EQ(incoming.fault, "");
    kept.clear();
    EXPECT_EQ(listener->open, 0);
    EXPECT_EQ(listener->numbers->open_http2, 0U);
    EXPECT_EQ(listener->limits->content.held(), 0U);
  }

  /// Opens the connection and sends the preface with these settings.
  void open(const std::vector<std::pair<std::uint16_t, std::uint32_t>>& settings = {}) {
    open_silent();
    send(h2::kPreface + h2::settings(settings) + h2::settings_ack());
  }
  void open_silent(config::Listener config = {}) {
    listener =
        std::make_shared<WorkerListener>(worker, handler, std::make_shared<ListenerNumbers>(), make_protocol(config));
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
    client = ends[1];
    net::Stream stream(worker.io());
    ASSERT_TRUE(stream.adopt(net::ParkedStream(ends[0])));
    listener->open.fetch_add(1);
    listener->protocol->open(
        listener, {std::move(stream), std::make_shared<const Peer>(), limits->enter(Peer{}, handler.server)});
    run();
  }
  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto n = ::send(client, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n > 0) bytes.remove_prefix(static_cast<std::size_t>(n));
      if (n < 0 && errno != EAGAIN) break;
      if (reads) run();
      if (n < 0 && !reads) worker.io().poll();
    }
    run();
  }
  /// Runs the worker until it waits, and takes in what it has sent.
  void run() {
    for (std::size_t before = received + 1; before != received;) {
      before = received;
      worker.io().restart();
      worker.io().poll();
      if (reads) read();
    }
  }
  void read() {
    char piece[65536];
    for (;;) {
      const auto n = ::recv(client, piece, sizeof piece, MSG_DONTWAIT);
      if (n > 0) {
        incoming.feed({piece, static_cast<std::size_t>(n)});
        received += static_cast<std::size_t>(n);
        continue;
      }
      closed |= n == 0 || (n < 0 && errno != EAGAIN);
      return;
    }
  }
  void pass(Duration d) {
    clock.advance(d);
    worker.fire_deadlines();
    run();
  }
  /// Whether something is due again and again, soon after each time that it was handled.
  bool spins() {
    for (int i = 0; i < 3; ++i) {
      pass(60ms);
      if (worker.deadlines().next() > clock.now().mono + 60ms) return false;
    }
    return true;
  }
  void keep_exchanges() {
    handler.script = [this](const ExchangePtr& exchange) { kept.push_back(exchange); };
  }
  /// A request whose content fills the window of its stream.
  void upload(std::uint32_t id, bool ends = false) {
    const std::string piece(16 * 1024, 'u');
    send(h2::headers(id, h2::request("/up", {}, "POST"), false));
    for (int i = 0; i < 4; ++i) send(h2::data(id, piece, ends && i == 3));
  }
  /// Reads the content that has come; how much it was.
  std::size_t read_content(Exchange& exchange) {
    std::size_t got = 0;
    for (std::string_view view; exchange.body().pull(view) == net::BodySource::State::Data;) got += view.size();
    run();
    return got;
  }
  h2::Stream& on(std::uint32_t id) { return incoming.on(id); }
  /// Code of the last GOAWAY; nothing without one.
  std::optional<std::uint32_t> goaway() const {
    if (incoming.goaways.empty()) return std::nullopt;
    return incoming.goaways.back().second;
  }
  std::uint64_t abuse(http::H2Abuse kind) const {
    return listener->numbers->http2_abuse[static_cast<std::size_t>(kind)];
  }

  ManualClock clock;
  net::Worker worker{0, clock};
  FakeHandler handler;
  std::deque<ExchangePtr> kept;
  std::shared_ptr<ConnectionLimits> limits = make_connection_limits();
  std::shared_ptr<WorkerListener> listener;
  h2::Incoming incoming;
  std::size_t received = 0;
  int client = -1;
  bool closed = false;
  bool reads = true;  ///< Whether the client reads.
};

}  // namespace forebay::server::test
