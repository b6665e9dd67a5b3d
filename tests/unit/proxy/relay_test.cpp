#include "proxy/relay.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace forebay::proxy {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

using Ends = std::array<int, 2>;

Ends unix_pair() {
  Ends ends{};
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()), 0);
  return ends;
}

/// With small buffers, so that little fills them.
Ends tcp_pair() {
  constexpr int kKind = SOCK_STREAM | SOCK_CLOEXEC;
  const int listening = ::socket(AF_INET, kKind, 0), connecting = ::socket(AF_INET, kKind, 0);
  const int small = 32 * 1024;
  for (const int fd : {listening, connecting})
    for (const int option : {SO_SNDBUF, SO_RCVBUF})
      EXPECT_EQ(::setsockopt(fd, SOL_SOCKET, option, &small, sizeof small), 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  auto* const address = reinterpret_cast<sockaddr*>(&at);
  EXPECT_EQ(::bind(listening, address, sizeof at), 0);
  EXPECT_EQ(::listen(listening, 1), 0);
  EXPECT_EQ(::getsockname(listening, address, &size), 0);
  EXPECT_EQ(::connect(connecting, address, size), 0);
  const int accepted = ::accept4(listening, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  EXPECT_GE(accepted, 0);
  ::close(listening);
  EXPECT_EQ(::fcntl(connecting, F_SETFL, O_NONBLOCK), 0);
  return {accepted, connecting};
}

/// One side of a tunnel, as its peer sees it.
class Side {
 public:
  Side(net::Stream& stream, Ends ends) : fd_(ends[1]), inner_(ends[0]) {
    EXPECT_TRUE(stream.adopt(net::ParkedStream(ends[0])));
  }
  ~Side() { leave(); }
  void send(std::string_view bytes) {
    EXPECT_EQ(::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  }
  /// Sends until the socket is full; the number of bytes.
  std::size_t fill() {
    const std::string piece(16 * 1024, 'x');
    std::size_t all = 0;
    for (ssize_t n = 0; (n = ::send(fd_, piece.data(), piece.size(), MSG_NOSIGNAL)) > 0;)
      all += static_cast<std::size_t>(n);
    return all;
  }
  std::string receive(std::size_t most = SIZE_MAX) {
    std::string all;
    char piece[4096];
    while (all.size() < most) {
      const auto n = ::recv(fd_, piece, std::min(sizeof piece, most - all.size()), 0);
      if (n == 0) ended = true;
      if (n < 0 && errno == ECONNRESET) was_reset = true;
      if (n <= 0) break;
      all.append(piece, static_cast<std::size_t>(n));
    }
    return all;
  }
  void finish() { ::shutdown(fd_, SHUT_WR); }
  void leave() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  /// Leaves with a reset, and waits until the relay's end of the connection has it.
  void reset() {
    const linger at_once{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    leave();
    pollfd asked{inner_, 0, 0};
    EXPECT_EQ(::poll(&asked, 1, 60'000), 1);
  }
  int inner() const { return inner_; }  ///< The relay's end.

  bool ended = false, was_reset = false;  ///< As `receive` has seen.

 private:
  int fd_, inner_;
};

class RelayTest : public ::testing::Test, public Relay::Owner {
 protected:
  void open(const std::string& client_early = {}, const std::string& origin_early = {}, Ends (&pair)() = unix_pair) {
    net::Stream client_stream(worker.io()), origin_stream(worker.io());
    client.emplace(client_stream, pair());
    origin.emplace(origin_stream, pair());
    relay->start(*this, std::move(client_stream), client_early, std::move(origin_stream), origin_early);
    settle();
  }
  ~RelayTest() override {
    relay->stop();
    settle();
  }
  void settle() {
    while (worker.io().poll() != 0) continue;
  }
  /// Sends from these sides until nothing has moved for long.
  void fill(std::initializer_list<Side*> from) {
    for (int quiet = 0; quiet < 200; ++quiet) {
      for (auto* side : from)
        if (side->fill() != 0) quiet = 0;
      if (worker.io().poll() != 0) quiet = 0;
    }
  }
  void pass(Duration by) {
    clock.advance(by);
    worker.fire_deadlines();
    settle();
  }
  void moved(TunnelWay way, std::size_t bytes) override { counted[static_cast<std::size_t>(way)] += bytes; }
  Charge reserve(std::size_t bytes) override {
    EXPECT_LE(bytes, 64U * 1024) << "what one read gives";
    return budget.try_take(bytes) ? Charge(budget, bytes) : Charge();
  }
  void ended(TunnelEnd how) override {
    EXPECT_FALSE(end) << "once";
    end = how;
  }
  void run(const std::function<void()>& step) override { step(); }

  Budget budget{128 * 1024};
  ManualClock clock;
  net::Worker worker{0, clock};
  std::shared_ptr<Relay> relay = std::make_shared<Relay>(worker, Relay::Limits{hours{1}, seconds{60}});
  std::optional<Side> client, origin;
  std::array<std::size_t, 2> counted{};
  std::optional<TunnelEnd> end;
};

TEST_F(RelayTest, CarriesBytesBothWaysAndCountsThem) {
  open();
  client->send("question");
  settle();
  EXPECT_EQ(origin->receive(), "question");
  origin->send("answer");
  settle();
  EXPECT_EQ(client->receive(), "answer");
  EXPECT_EQ(relay->bytes(TunnelWay::FromClient), 8U);
  EXPECT_EQ(relay->bytes(TunnelWay::FromOrigin), 6U);
  EXPECT_EQ(counted[0], 8U);
  EXPECT_EQ(counted[1], 6U);
}

/// TLS with content to read that first has to send a record of its own, on a socket that is full.
class Owing final : public net::TlsSession {
 public:
  explicit Owing(unsigned& reads) : reads_(reads) {}
  net::IoResult read_some(net::PlainStream& plain, std::span<char>) override {
    ++reads_;
    const std::string records(16 * 1024, 'x');
    while (plain.write_some(records).state == net::Io::Done) continue;
    return {net::Io::Blocked, 0, net::Direction::Write};
  }
  std::span<char> room() override { return {&room_, 1}; }
  void received(const net::IoResult&) override {}
  net::IoResult write_some(net::PlainStream&, std::span<const std::string_view>) override {
    return {net::Io::Blocked, 0, net::Direction::Write};
  }
  net::Peek peek(net::PlainStream&) override { return net::Peek::Bytes; }
  void shutdown_send(net::PlainStream&) override {}

 private:
  unsigned& reads_;
  char room_ = 0;
};

TEST_F(RelayTest, AReadThatHasToSendFirstWaitsForThat) {
  net::Stream client_stream(worker.io()), origin_stream(worker.io());
  client.emplace(client_stream, unix_pair());
  origin.emplace(origin_stream, unix_pair());
  unsigned reads = 0;
  client_stream.secure(std::make_unique<Owing>(reads));
  relay->start(*this, std::move(client_stream), {}, std::move(origin_stream), {});
  for (int i = 0; i < 100; ++i) worker.io().poll_one();
  EXPECT_EQ(reads, 1U);
}

TEST_F(RelayTest, WhatWasReadBeforeComesFirst) {
  open("early client", "early origin");
  EXPECT_EQ(origin->receive(), "early client");
  EXPECT_EQ(client->receive(), "early origin");
}

TEST_F(RelayTest, ReadsNoMoreOfOneSideThanTheOtherTakes) {
  open();
  std::size_t sent = origin->fill();
  for (int i = 0; i < 100; ++i) {
    settle();
    sent += origin->fill();
  }
  // Both sockets are full, and one read is kept between them.
  EXPECT_LE(sent, relay->bytes(TunnelWay::FromOrigin) + 2 * 64 * 1024 + 512 * 1024);
  const auto taken = relay->bytes(TunnelWay::FromOrigin);
  settle();
  EXPECT_EQ(relay->bytes(TunnelWay::FromOrigin), taken) << "it waits";
  client->send("the other direction goes on");
  settle();
  EXPECT_EQ(origin->receive(), "the other direction goes on");
  std::size_t got = 0;
  for (std::string piece; (piece = client->receive()), settle(), !piece.empty();) got += piece.size();
  EXPECT_EQ(got, sent) << "and nothing is lost";
}

TEST_F(RelayTest, WhatIsKeptIsChargedUntilItHasGone) {
  open();
  for (int i = 0; i < 100; ++i) {
    origin->fill();
    settle();
  }
  EXPECT_GT(budget.used(), 0U);
  for (std::string piece; (piece = client->receive()), settle(), !piece.empty();) continue;
  EXPECT_EQ(budget.used(), 0U);
}

TEST_F(RelayTest, WithoutMemoryForItTheTunnelEnds) {
  budget.set_limit(10);
  open();
  for (int i = 0; i < 100 && !end; ++i) {
    origin->fill();
    settle();
  }
  EXPECT_EQ(end, TunnelEnd::Memory);
  EXPECT_EQ(budget.used(), 0U);
}

TEST_F(RelayTest, AnEndOfOneSideGoesToTheOtherBehindItsLastByte) {
  open();
  client->send("last words");
  client->finish();
  settle();
  EXPECT_EQ(origin->receive(), "last words");
  EXPECT_TRUE(origin->ended);
  EXPECT_FALSE(end);
  origin->send("reply");
  settle();
  EXPECT_EQ(client->receive(), "reply");
  EXPECT_FALSE(client->ended);
  origin->finish();
  settle();
  EXPECT_EQ(client->receive(), "");
  EXPECT_TRUE(client->ended);
  EXPECT_EQ(end, TunnelEnd::Closed);
}

TEST_F(RelayTest, ASideThatLeavesEndsItWithoutLosingWhatItSent) {
  open();
  origin->send("bye");
  origin->leave();
  client->send("too late");
  settle();
  EXPECT_EQ(client->receive(), "bye");
  EXPECT_TRUE(client->ended);
}

TEST_F(RelayTest, EndsWhenNothingHasMovedForTheIdleTime) {
  open();
  for (int i = 0; i < 3; ++i) {
    pass(std::chrono::minutes{59});
    i % 2 == 0 ? client->send("x") : origin->send("x");
    settle();
  }
  EXPECT_FALSE(end) << "bytes of either side count";
  pass(std::chrono::minutes{59});
  EXPECT_FALSE(end);
  pass(std::chrono::minutes{2});
  EXPECT_EQ(end, TunnelEnd::Idle);
  EXPECT_EQ(client->receive(), "x");
  EXPECT_TRUE(client->ended);
}

TEST_F(RelayTest, WaitsOnlyAMinuteForASideWhenTheOtherHasEnded) {
  open();
  client->finish();
  settle();
  pass(seconds{59});
  EXPECT_FALSE(end);
  pass(seconds{2});
  EXPECT_EQ(end, TunnelEnd::Idle);
}

TEST_F(RelayTest, ASideThatTakesNothingEndsIt) {
  open();
  for (int i = 0; i < 100; ++i) {
    origin->fill();
    settle();
  }
  pass(seconds{59});
  EXPECT_FALSE(end);
  pass(seconds{2});
  EXPECT_EQ(end, TunnelEnd::Stalled);
}

TEST_F(RelayTest, ASlowSideIsNotAStalledOne) {
  open();
  for (int i = 0; i < 5; ++i) {
    for (int j = 0; j < 100; ++j) {
      origin->fill();
      settle();
    }
    pass(seconds{50});
    EXPECT_FALSE(client->receive(100'000).empty());
    settle();
  }
  EXPECT_FALSE(end);
}

// --- a side that leaves while nothing is read of it ---

TEST_F(RelayTest, ASideThatIsResetWhileBothAreFullEndsItWithinASecond) {
  for (const bool client_leaves : {true, false}) {
    relay = std::make_shared<Relay>(worker, Relay::Limits{hours{1}, seconds{60}});
    end.reset();
    open({}, {}, tcp_pair);
    fill({&*client, &*origin});
    (client_leaves ? client : origin)->reset();
    settle();
    pass(std::chrono::milliseconds{1100});
    EXPECT_EQ(end, client_leaves ? TunnelEnd::ClientReset : TunnelEnd::OriginReset);
    auto& other = client_leaves ? origin : client;
    other->receive();
    EXPECT_TRUE(other->was_reset) << "what it has got is not whole";
    EXPECT_EQ(budget.used(), 0U);
  }
}

TEST_F(RelayTest, ASideThatIsResetWhileOnlyItsOwnBytesWaitEndsItWithinASecond) {
  for (const bool client_leaves : {true, false}) {
    relay = std::make_shared<Relay>(worker, Relay::Limits{hours{1}, seconds{60}});
    end.reset();
    open({}, {}, tcp_pair);
    auto& leaver = client_leaves ? client : origin;
    fill({&*leaver});
    pass(seconds{20});
    EXPECT_FALSE(end) << "it is there, and waits";
    leaver->reset();
    settle();
    pass(std::chrono::milliseconds{1100});
    EXPECT_EQ(end, client_leaves ? TunnelEnd::ClientReset : TunnelEnd::OriginReset);
  }
}

TEST_F(RelayTest, ASideThatLeavesBehindItsLastByteIsNoReasonToHurryTheOther) {
  open({}, {}, tcp_pair);
  fill({&*origin});
  origin->leave();  // nothing is unread there: its bytes are whole
  settle();
  client->send("too late");
  settle();
  pass(seconds{50});
  EXPECT_FALSE(end);
  for (int i = 0; i < 10'000 && !client->ended; ++i) {
    client->receive();
    settle();
  }
  EXPECT_TRUE(client->ended);
  EXPECT_FALSE(client->was_reset);
}

TEST_F(RelayTest, TheKernelAsksSilentPeersOfBothSides) {
  open({}, {}, tcp_pair);
  for (const auto* side : {&*client, &*origin}) {
    int on = 0;
    socklen_t size = sizeof on;
    EXPECT_EQ(::getsockopt(side->inner(), SOL_SOCKET, SO_KEEPALIVE, &on, &size), 0);
    EXPECT_EQ(on, 1);
  }
}

// --- the end of a WebSocket ---

const std::string kGoingAway{"\x88\x02\x03\xe9", 4};
const std::string kHello{"\x81\x05hello", 7};

TEST_F(RelayTest, ACloseFrameGoesBetweenTwoFrames) {
  open();
  origin->send(kHello);
  settle();
  relay->close_websocket(1001);
  settle();
  origin->send(
      "\x81\x03"
      "not sent");
  settle();
  EXPECT_EQ(client->receive(), kHello + kGoingAway);
  EXPECT_FALSE(client->ended);
  client->send("close reply");
  client->finish();
  settle();
  EXPECT_EQ(origin->receive(), "close reply") << "the origin takes it for the client's wish";
  EXPECT_TRUE(origin->ended);
  origin->finish();
  settle();
  EXPECT_EQ(end, TunnelEnd::Closed);
}

TEST_F(RelayTest, AClientThatStaysAfterItsCloseFrameIsNotWaitedFor) {
  open();
  relay->close_websocket(1001);
  settle();
  client->send("close reply");
  settle();
  origin->finish();
  settle();
  EXPECT_EQ(client->receive(), kGoingAway);
  EXPECT_TRUE(client->ended);
  EXPECT_FALSE(end) << "it should end the connection itself";
  pass(seconds{3});
  EXPECT_EQ(end, TunnelEnd::Idle);
}

TEST_F(RelayTest, ACloseFrameWaitsForTheEndOfAFrame) {
  open({}, kHello.substr(0, 1));
  relay->close_websocket(1001);
  settle();
  for (const char c : kHello.substr(1) + kHello) {
    if (relay->bytes(TunnelWay::FromOrigin) >= kHello.size()) break;
    EXPECT_EQ(client->receive().find(kGoingAway), std::string::npos) << "not yet";
    origin->send(std::string_view(&c, 1));
    settle();
  }
  EXPECT_EQ(relay->bytes(TunnelWay::FromOrigin), kHello.size() + kGoingAway.size());
}

TEST_F(RelayTest, NoCloseFrameFollowsThatOfTheOrigin) {
  open();
  const std::string theirs{"\x88\x02\x03\xe8", 4};
  origin->send(theirs);
  settle();
  relay->close_websocket(1001);
  settle();
  EXPECT_EQ(client->receive(), theirs);
}

TEST_F(RelayTest, ACloseFrameComesBehindWhatTheClientHasNotTaken) {
  open();
  // One frame that is longer than the sockets hold.
  constexpr std::size_t kLong = 3 * 1024 * 1024;
  std::string head{"\x82\x7f\0\0\0\0", 6};
  for (int shift = 24; shift >= 0; shift -= 8) head += static_cast<char>(kLong >> shift & 0xff);
  origin->send(head);
  std::size_t left = kLong;
  std::string got;
  const std::string piece(16 * 1024, 'x');
  bool asked = false;
  while (left != 0) {
    origin->send(piece);
    left -= piece.size();
    settle();
    if (!asked && left < kLong / 2) {
      asked = true;
      relay->close_websocket(1001);
    }
    if (left % (128 * 1024) == 0) got += client->receive();
    settle();
  }
  for (std::string more; (more = client->receive()), settle(), !more.empty();) got += more;
  ASSERT_EQ(got.size(), head.size() + kLong + kGoingAway.size());
  EXPECT_TRUE(got.ends_with(kGoingAway));
}

}  // namespace
}  // namespace forebay::proxy
