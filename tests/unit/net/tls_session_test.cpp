// The server's side of TLS with a client of OpenSSL, over a pair of sockets.
#include "forebay/net/tls_session.hpp"

#include <fcntl.h>

#include "unit/net/tls_fixture.hpp"

namespace forebay::net::test {
namespace {

using testing::IsEmpty;

std::string much(std::size_t bytes) {
  std::string text;
  while (text.size() < bytes) text += std::to_string(text.size()) + ' ';
  text.resize(bytes);
  return text;
}

class TlsSessionTest : public TlsTest {
 protected:
  void open() { ASSERT_TRUE(handshake(make())) << session->why(); }
  /// Bytes on the wire towards the client, and how many records they are.
  std::size_t records(std::size_t& bytes) {
    std::string all(1 << 20, '\0');
    const auto n = ::recv(wire, all.data(), all.size(), MSG_PEEK | MSG_DONTWAIT);
    bytes = n > 0 ? static_cast<std::size_t>(n) : 0;
    std::size_t count = 0;
    for (std::size_t at = 0; at + 5 <= bytes; ++count)
      at += 5 + static_cast<unsigned char>(all[at + 3]) * 256 + static_cast<unsigned char>(all[at + 4]);
    return count;
  }
};

TEST_F(TlsSessionTest, ContentGoesBothWaysByBothVersions) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    client.versions(version, version);
    ASSERT_TRUE(handshake(make()));
    EXPECT_TRUE(client.send("hello"));
    EXPECT_EQ(read(), "hello");
    EXPECT_EQ(stream->write_some("answer").state, Io::Done);
    EXPECT_EQ(client.take(), "answer");
    const auto peer = session->describe_peer();
    EXPECT_EQ(peer->version, version == TLS1_2_VERSION ? "TLSv1.2" : "TLSv1.3");
    EXPECT_THAT(std::string(peer->cipher), testing::StartsWith("TLS_"));
    EXPECT_EQ(peer->client_verify, "");
    EXPECT_FALSE(peer->resumed);
  }
}

TEST_F(TlsSessionTest, TicketsGoWithTheAnswerToARequestThatCameWithTheHandshake) {
  client.versions(TLS1_3_VERSION, TLS1_3_VERSION);
  connect(make());
  for (int i = 0; i < 100 && !client.step(); ++i) poll();
  ASSERT_FALSE(shaken) << "the client is ready first";
  EXPECT_TRUE(client.send("request"));
  poll();
  ASSERT_EQ(shaken, Io::Done);
  std::size_t bytes = 0;
  EXPECT_EQ(records(bytes), 0U) << "they wait";
  EXPECT_EQ(read(), "request");
  EXPECT_EQ(records(bytes), 0U);
  EXPECT_EQ(stream->write_some("answer").state, Io::Done);
  EXPECT_EQ(records(bytes), 3U) << "two tickets and the answer";
  EXPECT_EQ(client.take(), "answer");
  EXPECT_TRUE(client.session);
}

TEST_F(TlsSessionTest, PartsOfUpTo16KiBAreOneRecord) {
  open();
  const auto body = much(15000);
  const std::vector<std::string_view> parts{"head: ", "", body, "tail"};
  const auto written = stream->write_some(parts);
  EXPECT_EQ(written.state, Io::Done);
  EXPECT_EQ(written.bytes, body.size() + 10);
  std::size_t bytes = 0;
  EXPECT_EQ(records(bytes), 1U);
  EXPECT_TRUE(client.take() == "head: " + body + "tail");
}

TEST_F(TlsSessionTest, LongContentGoesInFullRecords) {
  open();
  const auto body = much(40000);
  const std::vector<std::string_view> parts{"head: ", body};
  EXPECT_EQ(stream->write_some(parts).bytes, 40006U);
  std::size_t bytes = 0;
  EXPECT_EQ(records(bytes), 3U);
  EXPECT_TRUE(client.take() == "head: " + body);
}

TEST_F(TlsSessionTest, WhatTheSocketDoesNotTakeIsOfferedAgainAndSentOnce) {
  open();
  const auto body = much(2 * 1024 * 1024);
  std::size_t sent = 0;
  std::string got;
  unsigned blocked = 0;
  while (sent < body.size()) {
    const auto written = stream->write_some(std::string_view(body).substr(sent));
    ASSERT_NE(written.state, Io::Failed);
    sent += written.bytes;
    if (written.state == Io::Blocked) {
      ++blocked;
      EXPECT_EQ(written.wait, Direction::Write);
      got += client.take();
    }
  }
  got += client.take();
  EXPECT_GT(blocked, 2U);
  EXPECT_EQ(got.size(), body.size());
  EXPECT_TRUE(got == body);
  EXPECT_EQ(session->buffered() / 20000, 0U) << "what was held back is freed";
}

TEST_F(TlsSessionTest, ReadsAndWritesDoNotWaitForEachOther) {
  open();
  const auto body = much(2 * 1024 * 1024);
  ASSERT_EQ(stream->write_some(body).state, Io::Blocked);
  EXPECT_TRUE(client.send("meanwhile"));
  EXPECT_EQ(read(), "meanwhile");
}

TEST_F(TlsSessionTest, AReadWaitsForWholeRecords) {
  open();
  // A record is longer than what the session reads at first.
  const auto text = much(16000);
  EXPECT_TRUE(client.send(text));
  std::string got;
  while (got.size() < text.size()) {
    const auto piece = read();
    ASSERT_FALSE(piece.empty());
    got += piece;
  }
  EXPECT_TRUE(got == text);
  read();
  EXPECT_FALSE(result) << "there is no more";
  EXPECT_TRUE(client.send("more"));
  poll();
  ASSERT_TRUE(result);
  EXPECT_EQ(std::string(room, result->bytes), "more");
}

TEST_F(TlsSessionTest, PeekTellsOfContentAndTakesNothing) {
  open();
  EXPECT_EQ(stream->peek(), Peek::Nothing);
  EXPECT_TRUE(client.send("x"));
  EXPECT_EQ(stream->peek(), Peek::Bytes);
  EXPECT_EQ(stream->peek(), Peek::Bytes);
  EXPECT_EQ(read(), "x");
  EXPECT_EQ(stream->peek(), Peek::Nothing);
}

TEST_F(TlsSessionTest, AConnectionThatWaitsForReadinessHoldsNoBuffer) {
  open();
  std::optional<Io> waited;
  stream->wait(Direction::Read, [&](Io state) { waited = state; });
  poll();
  EXPECT_FALSE(waited);
  EXPECT_LE(session->buffered(), 4096U) << "only the room for what comes";
  EXPECT_TRUE(client.send("x"));
  poll();
  EXPECT_EQ(waited, Io::Done);
  EXPECT_EQ(read(), "x");
}

TEST_F(TlsSessionTest, CloseNotifyIsTheEnd) {
  open();
  SSL_shutdown(client.ssl.get());
  read();
  ASSERT_TRUE(result);
  EXPECT_EQ(result->state, Io::End);
  EXPECT_EQ(stream->write_some("still here").state, Io::Done);
  EXPECT_EQ(client.take(), "still here");
}

TEST_F(TlsSessionTest, TheEndOfTheSocketAloneIsAnEndAndNeverContent) {
  open();
  // Half of a record, and then the end.
  EXPECT_TRUE(client.send("cut"));
  std::string record(64, '\0');
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
  EXPECT_EQ(read(), "cut");
  ASSERT_EQ(::send(wire, "\x17\x03\x03\x00\x20half", 9, MSG_NOSIGNAL), 9);
  ::shutdown(wire, SHUT_WR);
  read();
  ASSERT_TRUE(result);
  EXPECT_EQ(result->state, Io::End);
  EXPECT_EQ(result->bytes, 0U);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_F(TlsSessionTest, CloseAndShutdownSayThatTheAnswerIsWhole) {
  for (const bool close : {false, true}) {
    open();
    EXPECT_EQ(stream->write_some("whole").state, Io::Done);
    close ? stream->close() : stream->shutdown_send();
    EXPECT_EQ(client.take(), "whole");
    EXPECT_EQ(client.last, SSL_ERROR_ZERO_RETURN) << "close_notify came";
  }
}

TEST_F(TlsSessionTest, ReadsGoOnBehindAShutdownThatMetAFullSocket) {
  client.versions(TLS1_3_VERSION, TLS1_3_VERSION);
  open();
  const auto content = much(64 * 1024);
  while (stream->write_some(content).state == Io::Done) {
  }
  stream->shutdown_send();
  EXPECT_LE(session->buffered(), 4096U) << "only the room for what comes";
  EXPECT_TRUE(client.send("late"));
  EXPECT_EQ(read(), "late");
  ASSERT_EQ(SSL_key_update(client.ssl.get(), SSL_KEY_UPDATE_REQUESTED), 1);
  EXPECT_TRUE(client.send("later"));
  EXPECT_EQ(read(), "later") << "the key update is not answered";
}

TEST_F(TlsSessionTest, AResetDoesNotLookLikeAWholeAnswer) {
  open();
  EXPECT_EQ(stream->write_some("half").state, Io::Done);
  stream->reset();
  client.take();
  EXPECT_NE(client.last, SSL_ERROR_ZERO_RETURN);
}

TEST_F(TlsSessionTest, ARecordThatWasTamperedWithEndsTheConnection) {
  open();
  ASSERT_EQ(::send(wire, "\x17\x03\x03\x00\x20xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 37, MSG_NOSIGNAL), 37);
  read();
  ASSERT_TRUE(result);
  EXPECT_EQ(result->state, Io::Failed);
  EXPECT_EQ(stream->write_some("x").state, Io::Failed);
}

TEST_F(TlsSessionTest, RenegotiationIsRefused) {
  client.versions(TLS1_2_VERSION, TLS1_2_VERSION);
  SSL_CTX_clear_options(client.context(), SSL_OP_NO_RENEGOTIATION);
  open();
  ASSERT_EQ(SSL_renegotiate(client.ssl.get()), 1);
  client.step();
  read();
  EXPECT_FALSE(result) << "the request to renegotiate is no content";
  EXPECT_EQ(SSL_do_handshake(client.ssl.get()), -1);
  EXPECT_EQ(ERR_GET_REASON(ERR_peek_error()), SSL_R_NO_RENEGOTIATION);
  ERR_clear_error();
}

TEST_F(TlsSessionTest, KeyUpdatesAreAnswered) {
  client.versions(TLS1_3_VERSION, TLS1_3_VERSION);
  open();
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(SSL_key_update(client.ssl.get(), SSL_KEY_UPDATE_REQUESTED), 1);
    EXPECT_TRUE(client.send("after an update"));
    EXPECT_EQ(read(), "after an update");
    EXPECT_EQ(stream->write_some("too").state, Io::Done);
    EXPECT_EQ(client.take(), "too");
  }
}

TEST_F(TlsSessionTest, KeyUpdatesAreNotTakenWithoutEnd) {
  client.versions(TLS1_3_VERSION, TLS1_3_VERSION);
  open();
  unsigned taken = 0;
  for (; taken < 1000; ++taken) {
    ASSERT_EQ(SSL_key_update(client.ssl.get(), SSL_KEY_UPDATE_NOT_REQUESTED), 1);
    if (!client.send("x")) break;
    read();
    if (!result || result->state != Io::Done) break;
  }
  EXPECT_EQ(taken, 64U);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->state, Io::Failed);
  EXPECT_EQ(session->why(), "too many key updates");
}

TEST_F(TlsSessionTest, APeerThatTakesNothingCannotMakeUsOweItMore) {
  client.versions(TLS1_3_VERSION, TLS1_3_VERSION);
  open();
  std::size_t updates = 0;
  bool taken = true;
  for (; updates < 200000 && taken; ++updates) {
    if (SSL_key_update(client.ssl.get(), SSL_KEY_UPDATE_REQUESTED) != 1) break;
    taken = client.send("x");
    if (updates % 64 == 0 || !taken) read();
    EXPECT_LT(session->buffered(), 512U * 1024);
  }
  EXPECT_FALSE(taken) << "in the end its own socket is full";
}

TEST_F(TlsSessionTest, HttpWithoutTlsIsRecognised) {
  connect(make());
  ASSERT_GT(::send(wire, "GET / HTTP/1.1\r\n\r\n", 18, MSG_NOSIGNAL), 0);
  poll();
  EXPECT_EQ(shaken, Io::Failed);
  EXPECT_EQ(outcome(), TlsHandshake::PlainHttp);
  char byte = 0;
  EXPECT_LT(::recv(wire, &byte, 1, MSG_DONTWAIT), 0) << "no alert: the answer is HTTP";
}

TEST_F(TlsSessionTest, WhatIsNoTlsIsMalformed) {
  connect(make());
  ASSERT_GT(::send(wire, "\x16\x03\x01\x00\x05garbage garbage garbage", 28, MSG_NOSIGNAL), 0);
  poll();
  EXPECT_EQ(shaken, Io::Failed);
  EXPECT_EQ(outcome(), TlsHandshake::Malformed);
  EXPECT_FALSE(session->why().empty());
}

TEST_F(TlsSessionTest, AClientThatLeavesIsNoError) {
  connect(make());
  client.step();
  client.ssl.reset();
  poll();
  EXPECT_EQ(shaken, Io::Failed);
  EXPECT_EQ(outcome(), TlsHandshake::Closed);
}

TEST_F(TlsSessionTest, BytesThatWereReadBeforeCountFirst) {
  const auto server = make();
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
  wire = ends[1];
  client.connect(ends[1]);
  client.step();
  char hello[100];
  ASSERT_EQ(::recv(ends[0], hello, sizeof hello, 0), static_cast<ssize_t>(sizeof hello));
  stream.emplace(io);
  ASSERT_TRUE(stream->adopt(ParkedStream(ends[0])));
  auto made = server->session({hello, sizeof hello});
  session = made.get();
  stream->secure(std::move(made));
  stream->handshake([this](Io state) { shaken = state; });
  EXPECT_TRUE(shake());
}

TEST_F(TlsSessionTest, ASessionGoesToAnotherWorker) {
  open();
  boost::asio::io_context other{1};
  Stream adopted(other);
  ASSERT_TRUE(adopted.adopt(stream->park()));
  EXPECT_TRUE(client.send("there"));
  adopted.read(room, [this](const IoResult& r) { result = r; });
  other.poll();
  ASSERT_TRUE(result);
  EXPECT_EQ(std::string(room, result->bytes), "there");
}

}  // namespace
}  // namespace forebay::net::test
