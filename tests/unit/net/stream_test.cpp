#include "forebay/net/stream.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace forebay::net {
namespace {

static_assert(!std::is_polymorphic_v<Stream> && !std::is_polymorphic_v<PlainStream>);

/// The other end of a stream; waits for nothing.
class Peer {
 public:
  explicit Peer(int fd) : fd_(fd) {}
  Peer(const Peer&) = delete;
  ~Peer() { close(); }

  void send(std::string_view text) {
    EXPECT_EQ(::send(fd_, text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  }
  /// All that has come.
  std::string take() {
    std::string all;
    char piece[4096];
    while (true) {
      const auto n = ::recv(fd_, piece, sizeof piece, MSG_DONTWAIT);
      if (n <= 0) break;
      all.append(piece, static_cast<std::size_t>(n));
    }
    return all;
  }
  bool at_end() {
    char byte = 0;
    return ::recv(fd_, &byte, 1, MSG_DONTWAIT) == 0;
  }
  int error() {
    char byte = 0;
    return ::recv(fd_, &byte, 1, MSG_DONTWAIT) < 0 ? errno : 0;
  }
  void finish_sending() { ::shutdown(fd_, SHUT_WR); }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

 private:
  int fd_;
};

class StreamTest : public testing::Test {
 protected:
  StreamTest() {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
    EXPECT_TRUE(stream.adopt(ParkedStream(ends[0])));
    peer.emplace(ends[1]);
  }
  void read() {
    result.reset();
    stream.read(room, [this](const IoResult& r) { result = r; });
  }
  void wait(Direction direction) {
    waited.reset();
    stream.wait(direction, [this](Io state) { waited = state; });
  }
  std::string text() const { return {room, result ? result->bytes : 0}; }
  /// Runs what is ready.
  static void poll(boost::asio::io_context& io) {
    io.restart();
    io.poll();
  }
  void poll() { poll(io); }
  /// Writes until nothing more goes; how much went.
  std::size_t fill() {
    const std::string much(64 * 1024, 'x');
    std::size_t sent = 0;
    for (;;) {
      const auto r = stream.write_some(much);
      sent += r.bytes;
      if (r.state == Io::Blocked) return sent;
      EXPECT_EQ(r.state, Io::Done);
    }
  }

  boost::asio::io_context io{1};
  Stream stream{io};
  std::optional<Peer> peer;
  char room[64];
  std::optional<IoResult> result;
  std::optional<Io> waited;
};

TEST_F(StreamTest, ReadGivesWhatThereIsAndThenTheEnd) {
  peer->send("hello");
  read();
  EXPECT_FALSE(result) << "never from within the call";
  poll();
  ASSERT_TRUE(result);
  EXPECT_EQ(result->state, Io::Done);
  EXPECT_EQ(text(), "hello");
  peer->finish_sending();
  read();
  poll();
  ASSERT_TRUE(result);
  EXPECT_EQ(result->state, Io::End);
}

TEST_F(StreamTest, ReadWaitsWhileThereIsNothing) {
  read();
  poll();
  EXPECT_FALSE(result);
  peer->send("late");
  poll();
  EXPECT_EQ(text(), "late");
}

TEST_F(StreamTest, AFullSocketSaysWhatToWaitForAndTheRestFollows) {
  std::size_t sent = fill();
  const auto blocked = stream.write_some("more");
  EXPECT_EQ(blocked.state, Io::Blocked);
  EXPECT_EQ(blocked.bytes, 0U);
  EXPECT_EQ(blocked.wait, Direction::Write);
  EXPECT_GT(stream.unsent(), 0U);
  wait(blocked.wait);
  poll();
  EXPECT_FALSE(waited);
  EXPECT_EQ(peer->take().size(), sent);
  poll();
  EXPECT_EQ(waited, Io::Done);
  EXPECT_EQ(stream.write_some("more").state, Io::Done);
  EXPECT_EQ(peer->take(), "more");
  EXPECT_EQ(stream.unsent(), 0U);
}

TEST_F(StreamTest, GatheredPartsGoInOrderHoweverManyThereAre) {
  std::vector<std::string> texts;
  std::string expected;
  for (int i = 0; i < 200; ++i) expected += texts.emplace_back(i % 7 == 0 ? "" : std::to_string(i) + ' ');
  std::vector<std::string_view> parts(texts.begin(), texts.end());
  std::size_t sent = 0;
  while (sent < expected.size()) {
    const auto r = stream.write_some(std::span<const std::string_view>(parts));
    ASSERT_EQ(r.state, Io::Done);
    sent += r.bytes;
    std::size_t left = r.bytes;
    while (!parts.empty() && left >= parts.front().size()) {
      left -= parts.front().size();
      parts.erase(parts.begin());
    }
    EXPECT_EQ(left, 0U);
  }
  EXPECT_EQ(peer->take(), expected);
}

TEST_F(StreamTest, WriteTellsByWayOfTheLoopAndWaitsOnlyWhereNothingGoes) {
  const std::vector<std::string_view> parts{"a", "bc"};
  stream.write(parts, [this](const IoResult& r) { result = r; });
  EXPECT_FALSE(result);
  poll();
  ASSERT_TRUE(result);
  EXPECT_EQ(result->state, Io::Done);
  EXPECT_EQ(result->bytes, 3U);
  EXPECT_EQ(peer->take(), "abc");

  fill();
  result.reset();
  stream.write(parts, [this](const IoResult& r) { result = r; });
  poll();
  EXPECT_FALSE(result);
  peer->take();
  poll();
  ASSERT_TRUE(result);
  EXPECT_EQ(result->bytes, 3U);
  EXPECT_EQ(peer->take(), "abc");
}

TEST_F(StreamTest, AWriteToAPeerThatHasLeftFails) {
  peer->close();
  EXPECT_EQ(stream.write_some("x").state, Io::Failed);
  const std::string_view parts[] = {"x", "y"};
  EXPECT_EQ(stream.write_some(std::span<const std::string_view>(parts)).state, Io::Failed);
  stream.write(parts, [this](const IoResult& r) { result = r; });
  poll();
  ASSERT_TRUE(result);
  EXPECT_EQ(result->state, Io::Failed);
  EXPECT_EQ(result->bytes, 0U);
}

TEST_F(StreamTest, AFailureTellsWhetherThePeerHadSentItsEnd) {
  EXPECT_EQ(stream.take_error(), 0);
  peer->finish_sending();
  EXPECT_EQ(stream.take_error(), 0) << "an end is none";
  peer->close();
  EXPECT_EQ(stream.write_some("x").error, EPIPE);
}

TEST_F(StreamTest, APeerThatLeavesWithBytesUnreadHasBrokenTheConnection) {
  ASSERT_EQ(stream.write_some("unread").state, Io::Done);
  peer->close();
  EXPECT_EQ(stream.take_error(), ECONNRESET);
  EXPECT_EQ(stream.take_error(), 0) << "it is told once";
}

TEST_F(StreamTest, PeekTakesNothing) {
  EXPECT_EQ(stream.peek(), Peek::Nothing);
  peer->send("x");
  EXPECT_EQ(stream.peek(), Peek::Bytes);
  EXPECT_EQ(stream.peek(), Peek::Bytes);
  peer->finish_sending();
  EXPECT_EQ(stream.peek(), Peek::Bytes);
  read();
  poll();
  EXPECT_EQ(text(), "x");
  EXPECT_EQ(stream.peek(), Peek::End);
}

TEST_F(StreamTest, WaitingForBytesLeavesThemWhereTheyAre) {
  wait(Direction::Read);
  poll();
  EXPECT_FALSE(waited);
  peer->send("x");
  poll();
  EXPECT_EQ(waited, Io::Done);
  EXPECT_EQ(stream.peek(), Peek::Bytes);
}

TEST_F(StreamTest, CancelEndsWhatIsUnderWayAndTheStreamGoesOn) {
  read();
  stream.cancel();
  poll();
  ASSERT_TRUE(result);
  EXPECT_EQ(result->state, Io::Cancelled);
  wait(Direction::Read);
  stream.cancel();
  poll();
  EXPECT_EQ(waited, Io::Cancelled);
  peer->send("x");
  read();
  poll();
  EXPECT_EQ(text(), "x");
}

TEST_F(StreamTest, CloseEndsWhatIsUnderWay) {
  read();
  stream.close();
  EXPECT_FALSE(stream.is_open());
  poll();
  ASSERT_TRUE(result);
  EXPECT_EQ(result->state, Io::Cancelled);
  EXPECT_TRUE(peer->at_end());
}

TEST_F(StreamTest, ShutdownEndsOneDirection) {
  stream.shutdown_send();
  EXPECT_TRUE(peer->at_end());
  peer->send("x");
  read();
  poll();
  EXPECT_EQ(text(), "x");
}

TEST_F(StreamTest, AParkedStreamGoesOnWithAnotherWorker) {
  wait(Direction::Read);
  ParkedStream parked = stream.park();
  EXPECT_FALSE(stream.is_open());
  ASSERT_TRUE(parked);
  poll();
  EXPECT_EQ(waited, Io::Cancelled);
  peer->send("unread");

  boost::asio::io_context other{1};
  Stream adopted(other);
  ASSERT_TRUE(adopted.adopt(std::move(parked)));
  adopted.read(room, [this](const IoResult& r) { result = r; });
  poll(other);
  EXPECT_EQ(text(), "unread");
  EXPECT_EQ(adopted.write_some("back").state, Io::Done);
  EXPECT_EQ(peer->take(), "back");
}

TEST_F(StreamTest, AParkedStreamThatNobodyTakesIsClosed) {
  { const ParkedStream parked = stream.park(); }
  EXPECT_TRUE(peer->at_end());
}

TEST_F(StreamTest, NothingParkedIsNothingToAdopt) {
  EXPECT_FALSE(ParkedStream());
  boost::asio::io_context other{1};
  Stream adopted(other);
  EXPECT_FALSE(adopted.adopt(ParkedStream()));
  EXPECT_FALSE(adopted.is_open());
}

TEST(TcpStream, IsOpenedByConnectAndEndedByReset) {
  const int listening = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  ASSERT_EQ(::bind(listening, reinterpret_cast<const sockaddr*>(&at), sizeof at), 0);
  ASSERT_EQ(::listen(listening, 1), 0);
  ASSERT_EQ(::getsockname(listening, reinterpret_cast<sockaddr*>(&at), &size), 0);

  boost::asio::io_context io{1};
  Stream stream(io);
  std::optional<boost::system::error_code> connected;
  stream.connect({&at, size}, [&](const boost::system::error_code& error) { connected = error; });
  io.run();
  ASSERT_TRUE(connected);
  ASSERT_FALSE(*connected) << connected->message();
  Peer peer(::accept(listening, nullptr, nullptr));
  ::close(listening);
  stream.no_delay();
  int on = 0;
  size = sizeof on;
  ::getsockopt(stream.native_handle(), IPPROTO_TCP, TCP_NODELAY, &on, &size);
  EXPECT_NE(on, 0);
  const auto option = [&](int level, int name) {
    int value = 0;
    size = sizeof value;
    EXPECT_EQ(::getsockopt(stream.native_handle(), level, name, &value, &size), 0);
    return value;
  };
  EXPECT_EQ(option(SOL_SOCKET, SO_KEEPALIVE), 0);
  stream.keep_alive();
  EXPECT_EQ(option(SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPIDLE), 300);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPINTVL), 30);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPCNT), 4);
  stream.reset();
  EXPECT_EQ(peer.error(), ECONNRESET);
}

/// Flips a bit of each byte. Records are `c` and a byte of content, or `k`, the key without which nothing is written,
/// or
/// `?`, which wants an answer before anything is read.
class FlippingSession final : public TlsSession {
 public:
  IoResult read_some(PlainStream& plain, std::span<char> room) override {
    if (owes_answer_) {
      const auto sent = plain.write_some("!");
      if (sent.state != Io::Done) return {sent.state, 0, Direction::Write};
      owes_answer_ = false;
    }
    take_records();
    if (content_.empty()) return {ended_ ? Io::End : Io::Blocked, 0, owes_answer_ ? Direction::Write : Direction::Read};
    const auto n = std::min(room.size(), content_.size());
    std::copy_n(content_.begin(), n, room.begin());
    content_.erase(0, n);
    return {Io::Done, n};
  }
  std::span<char> room() override { return wire_; }
  void received(const IoResult& result) override {
    ended_ |= result.state == Io::End;
    records_.append(wire_, result.bytes);
  }
  IoResult write_some(PlainStream& plain, std::span<const std::string_view> parts) override {
    if (!has_key_) received(plain.read_some(wire_));
    take_records();
    if (!has_key_) return {Io::Blocked, 0, Direction::Read};
    std::string all;
    for (const auto part : parts) all += part;
    return plain.write_some(flipped(all));
  }
  Peek peek(PlainStream& plain) override {
    received(plain.read_some(wire_));
    take_records();
    return !content_.empty() ? Peek::Bytes : ended_ ? Peek::End : Peek::Nothing;
  }
  void shutdown_send(PlainStream& plain) override {
    plain.write_some("bye");
    plain.shutdown_send();
  }

  static std::string flipped(std::string text) {
    for (char& c : text) c = static_cast<char>(c ^ 1);
    return text;
  }
  static std::string records_of(const std::string& text) {
    std::string records;
    for (const char c : flipped(text)) records.append("c").push_back(c);
    return records;
  }

 private:
  void take_records() {
    std::size_t at = 0;
    while (at < records_.size() && !owes_answer_) {
      if (records_[at] == 'c' && at + 1 == records_.size()) break;
      if (records_[at] == 'c') content_ += static_cast<char>(records_[++at] ^ 1);
      has_key_ |= records_[at] == 'k';
      owes_answer_ = records_[at] == '?';
      ++at;
    }
    records_.erase(0, at);
  }

  char wire_[64];
  std::string records_, content_;
  bool has_key_ = false, owes_answer_ = false, ended_ = false;
};

class TlsStreamTest : public StreamTest {
 protected:
  TlsStreamTest() { stream.secure(std::make_unique<FlippingSession>()); }
};

TEST_F(TlsStreamTest, AWriteMayHaveToReadFirst) {
  const auto blocked = stream.write_some("text");
  EXPECT_EQ(blocked.state, Io::Blocked);
  EXPECT_EQ(blocked.wait, Direction::Read);
  const std::string_view parts[] = {"te", "xt"};
  stream.write(parts, [this](const IoResult& r) { result = r; });
  poll();
  EXPECT_FALSE(result);
  peer->send("k");
  poll();
  ASSERT_TRUE(result);
  EXPECT_EQ(result->bytes, 4U);
  EXPECT_EQ(peer->take(), FlippingSession::flipped("text"));
}

TEST_F(TlsStreamTest, AReadMayHaveToWriteFirst) {
  const auto filled = [this] {
    peer->send("k");
    return fill();
  }();
  read();
  peer->send("?" + FlippingSession::records_of("answer"));
  poll();
  EXPECT_FALSE(result) << "the socket is full";
  EXPECT_EQ(peer->take().size(), filled);
  poll();
  EXPECT_EQ(text(), "answer");
  EXPECT_EQ(peer->take(), "!");
}

TEST_F(TlsStreamTest, AReadWaitsUntilWholeRecordsHoldContent) {
  const auto records = FlippingSession::records_of("ab");
  read();
  for (const char c : "k" + records.substr(0, 1)) {
    peer->send({&c, 1});
    poll();
    EXPECT_FALSE(result);
  }
  peer->send(records.substr(1));
  poll();
  EXPECT_EQ(text(), "ab");
  peer->finish_sending();
  read();
  poll();
  ASSERT_TRUE(result);
  EXPECT_EQ(result->state, Io::End);
}

TEST_F(TlsStreamTest, ContentThatIsInTheSessionAlreadyIsReadAndWaitedForWithoutTheSocket) {
  peer->send(FlippingSession::records_of("answer"));
  EXPECT_EQ(stream.peek(), Peek::Bytes);
  wait(Direction::Read);
  EXPECT_FALSE(waited) << "never from within the call";
  poll();
  EXPECT_EQ(waited, Io::Done);
  read();
  EXPECT_FALSE(result);
  poll();
  EXPECT_EQ(text(), "answer");
  EXPECT_EQ(stream.peek(), Peek::Nothing);
}

TEST_F(TlsStreamTest, RecordsWithoutContentAreNothingToRead) {
  wait(Direction::Read);
  peer->send("k");
  poll();
  EXPECT_EQ(waited, Io::Done);
  EXPECT_EQ(stream.peek(), Peek::Nothing);
}

TEST_F(TlsStreamTest, CancelEndsAReadThatWaitsForTheWire) {
  read();
  stream.cancel();
  poll();
  ASSERT_TRUE(result);
  EXPECT_EQ(result->state, Io::Cancelled);
}

TEST_F(TlsStreamTest, CancelEndsAReadWhoseRecordHadNoContent) {
  read();
  peer->send("k");
  boost::asio::post(io, [this] { stream.cancel(); });  // when the record has been read and nobody was told
  poll();
  ASSERT_TRUE(result);
  EXPECT_EQ(result->state, Io::Cancelled);
  read();
  peer->send(FlippingSession::records_of("content"));
  boost::asio::post(io, [this] { stream.cancel(); });
  poll();
  EXPECT_EQ(text(), "content") << "what has come is not lost";
}

TEST_F(TlsStreamTest, TheSessionGoesWithAParkedStream) {
  boost::asio::io_context other{1};
  Stream adopted(other);
  ASSERT_TRUE(adopted.adopt(stream.park()));
  peer->send(FlippingSession::records_of("answer"));
  adopted.read(room, [this](const IoResult& r) { result = r; });
  poll(other);
  EXPECT_EQ(text(), "answer");
  adopted.shutdown_send();
  EXPECT_EQ(peer->take(), "bye");
  EXPECT_TRUE(peer->at_end());
}

}  // namespace
}  // namespace forebay::net
