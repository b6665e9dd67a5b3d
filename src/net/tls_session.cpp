#include "forebay/net/tls_session.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>
#include <new>
#include <utility>

#include "forebay/base/guarded.hpp"
#include "forebay/net/tls_server.hpp"
#include "openssl.hpp"
#include "tls_bio.hpp"
#include "tls_description.hpp"
#include "tls_failure.hpp"

namespace forebay::net {

namespace {

// A request fits into the small room; a record of the largest size into the large one.
constexpr std::size_t kSmallRoom = 4 * 1024;
constexpr std::size_t kLargeRoom = 16 * 1024 + 512;
constexpr std::size_t kRecord = 16 * 1024;
// Content that is enciphered for one send.
constexpr std::size_t kBatch = 4 * kRecord;
// Key updates of the peer in all. One takes more time than a request, and programs make one in 2^24 records, if any.
constexpr unsigned kMostKeyUpdates = 64;
// Records that may wait for the socket before no more is read.
constexpr std::size_t kMostOwed = 2 * kBatch;

/// Hands out content in pieces of one record, put together where it stands in several places.
class Pieces {
 public:
  explicit Pieces(std::span<const std::string_view> parts) : parts_(parts) {}
  void skip(std::size_t n) {
    while (n != 0 && part_ < parts_.size()) {
      const auto step = std::min(n, rest().size());
      n -= step;
      advance(step);
    }
  }
  /// Valid until the next call; empty at the end.
  std::string_view next() {
    while (part_ < parts_.size() && rest().empty()) advance(0);
    if (part_ == parts_.size()) return {};
    const bool last = part_ + 1 == parts_.size();
    if (last || rest().size() >= kRecord) {
      const auto piece = rest().substr(0, kRecord);
      advance(piece.size());
      return piece;
    }
    thread_local std::array<char, kRecord> together;
    std::size_t filled = 0;
    while (filled < together.size() && part_ < parts_.size()) {
      const auto piece = rest().substr(0, together.size() - filled);
      if (!piece.empty()) std::memcpy(together.data() + filled, piece.data(), piece.size());
      filled += piece.size();
      advance(piece.size());
    }
    return {together.data(), filled};
  }

 private:
  std::string_view rest() const { return parts_[part_].substr(at_); }
  void advance(std::size_t n) {
    at_ += n;
    if (at_ < parts_[part_].size()) return;
    ++part_;
    at_ = 0;
  }
  std::span<const std::string_view> parts_;
  std::size_t part_ = 0, at_ = 0;
};

/// A method or `HTTP/1.1`; records of TLS begin with a number below 32.
bool looks_like_http(char first) noexcept { return first >= 'A' && first <= 'Z'; }

}  // namespace

TlsEndpoint::TlsEndpoint(Side side, ssl_st* ssl, std::string early)
    : side_(side), ssl_(ssl), early_(std::move(early)), notice_required_(side == Side::Client) {
  TlsBio::attach(*this, ssl_);
  SSL_set_msg_callback(ssl_, &TlsEndpoint::on_message);
  SSL_set_msg_callback_arg(ssl_, this);
  if (side_ == Side::Server)
    SSL_set_accept_state(ssl_);
  else
    SSL_set_connect_state(ssl_);
}

TlsEndpoint::~TlsEndpoint() { SSL_free(ssl_); }

std::size_t TlsEndpoint::take(char* into, std::size_t most) noexcept {
  if (!early_.empty()) {
    const auto n = std::min(most, early_.size());
    std::memcpy(into, early_.data(), n);
    early_.erase(0, n);
    return n;
  }
  const auto n = std::min(most, end_ - begin_);
  if (n != 0) std::memcpy(into, in_.get() + begin_, n);
  begin_ += n;
  return n;
}

std::string_view TlsEndpoint::closed_by_peer() const noexcept {
  return side_ == Side::Server ? "the client has closed the connection" : "the server has closed the connection";
}

void TlsEndpoint::fail(TlsHandshake result, std::string_view why) noexcept {
  failed_ = true;
  result_ = result;
  why_ = why;
}

void TlsEndpoint::on_message(int written, int, int type, const void* bytes, std::size_t size, ssl_st*, void* self) {
  if (written == 0 && type == SSL3_RT_HANDSHAKE && size != 0 &&
      *static_cast<const unsigned char*>(bytes) == SSL3_MT_KEY_UPDATE)
    ++static_cast<TlsEndpoint*>(self)->key_updates_;
}

// The queue of errors is empty before each call of OpenSSL, and after it.
TlsEndpoint::Next TlsEndpoint::next_after(int result) noexcept {
  if (key_updates_ > kMostKeyUpdates) {
    ERR_clear_error();
    fail(TlsHandshake::Malformed, "too many key updates");
    return Next::Failed;
  }
  if (result == 1) return Next::Ok;
  switch (SSL_get_error(ssl_, result)) {
    case SSL_ERROR_WANT_READ: return Next::Read;
    case SSL_ERROR_ZERO_RETURN: ended_ = true; return Next::End;
    default: break;
  }
  auto failure = take_tls_failure();
  const long verdict = SSL_get_verify_result(ssl_);
  if (failure.result == TlsHandshake::PeerCertificate && verdict != X509_V_OK)
    failure.why = X509_verify_cert_error_string(verdict);
  fail(failure.result, failure.why);
  return Next::Failed;
}

IoResult TlsEndpoint::flush(PlainStream& plain) {
  auto& wire = TlsBio::wire();
  if (silent_) wire.clear();  // the socket refuses it, and later reads must not fail for that
  try {
    if (out_.empty() && wire.empty()) return {};
    if (out_.empty()) {
      const auto sent = plain.write_some(wire);
      if (sent.bytes < wire.size() && sent.state != Io::Failed) out_.assign(wire, sent.bytes);
      wire.clear();
      if (sent.state == Io::Failed) failed_ = true;
      return {sent.state, 0, Direction::Write, sent.error};
    }
    out_ += wire;
    wire.clear();
    const auto sent = plain.write_some(std::string_view(out_).substr(sent_));
    sent_ += sent.bytes;
    if (sent_ < out_.size()) {
      if (sent.state == Io::Failed) failed_ = true;
      return {sent.state, 0, Direction::Write, sent.error};
    }
    std::string().swap(out_);
    sent_ = 0;
    return {};
  } catch (const std::bad_alloc&) {
    wire.clear();
    failed_ = true;
    return {Io::Failed};
  }
}

IoResult TlsEndpoint::handshake(PlainStream& plain) {
  if (const auto sent = flush(plain); sent.state != Io::Done) return sent;
  if (shaken_) return {};
  if (failed_) return {Io::Failed};
  if (!has_input() && (begun_ || side_ == Side::Server)) {
    if (!eof_) return {Io::Blocked, 0, Direction::Read};
    fail(TlsHandshake::Closed, closed_by_peer());
    return {Io::Failed};
  }
  if (has_input() && !std::exchange(heard_, true) && looks_like_http(early_.empty() ? in_[begin_] : early_.front())) {
    fail(TlsHandshake::PlainHttp,
         side_ == Side::Server ? "the client speaks HTTP without TLS" : "the server speaks without TLS");
    return {Io::Failed};
  }
  begun_ = true;
  const auto next = next_after(SSL_do_handshake(ssl_));
  if (next == Next::Ok && side_ == Side::Server && has_input()) hold();
  const auto sent = held_ ? IoResult{} : flush(plain);  // an alert, where it has failed
  if (next == Next::Failed || next == Next::End) return {Io::Failed};
  if (next == Next::Ok) {
    shaken_ = true;
    result_ = SSL_session_reused(ssl_) == 1 ? TlsHandshake::Resumed : TlsHandshake::Full;
  }
  if (sent.state == Io::Failed) {
    fail(TlsHandshake::Closed, closed_by_peer());
    return sent;
  }
  if (sent.state == Io::Blocked || next == Next::Ok) return sent;
  return handshake(plain);  // for more from the wire
}

// The tickets that end a handshake go out with the answer to a request that came with the client's last flight.
void TlsEndpoint::hold() noexcept {
  auto& wire = TlsBio::wire();
  guarded(
      [&] {
        out_ = wire;
        wire.clear();
        held_ = !out_.empty();
      },
      [] {});
}

IoResult TlsEndpoint::read_some(PlainStream& plain, std::span<char> room) {
  if (!has_input()) held_ = false;
  if (!out_.empty() && !held_) {
    const auto sent = flush(plain);
    if (sent.state == Io::Failed) return {Io::Failed};
    // Records of our own go first, so that a peer that takes nothing cannot make us owe it more and more.
    if (sent.state == Io::Blocked && (in_flight_ == 0 || out_.size() - sent_ > kMostOwed)) return sent;
  }
  if (failed_) return {Io::Failed};
  if (ended_) return {Io::End};
  if (has_input() || SSL_pending(ssl_) > 0) {
    std::size_t got = 0;
    const auto next = next_after(SSL_read_ex(ssl_, room.data(), room.size(), &got));
    // Nothing of this connection may stay in the wire, which all sessions of the thread share.
    held_ = held_ && next == Next::Ok && TlsBio::wire().empty();
    const auto sent = held_ ? IoResult{} : flush(plain);
    if (next == Next::Ok) return {Io::Done, got};
    if (next == Next::End) return {Io::End};
    if (next == Next::Failed || sent.state == Io::Failed) return {Io::Failed};
    if (sent.state == Io::Blocked) return sent;
  }
  // Without close_notify a request is judged by HTTP's framing alone. An answer may end with its connection: then only
  // close_notify tells that nothing was cut off (RFC 9112 section 9.8).
  if (eof_) return {notice_required_ ? Io::Failed : Io::End};
  return {Io::Blocked, 0, Direction::Read};
}

std::span<char> TlsEndpoint::room() {
  assert(!reading_ && begin_ == end_);
  const auto want = filled_ ? kLargeRoom : kSmallRoom;
  if (capacity_ != want) {
    capacity_ = 0;
    in_.reset();
    in_.reset(new (std::nothrow) char[want]);
    capacity_ = in_ ? want : 0;
  }
  begin_ = end_ = 0;
  reading_ = true;
  if (!in_) {
    failed_ = true;
    return {&no_memory_, 1};
  }
  return {in_.get(), capacity_};
}

void TlsEndpoint::received(const IoResult& result) {
  reading_ = false;
  begin_ = 0;
  end_ = in_ ? result.bytes : 0;
  if (result.bytes != 0) filled_ = result.bytes == capacity_;
  if (result.state == Io::End) eof_ = true;
}

void TlsEndpoint::release_input() noexcept {
  in_.reset();
  capacity_ = begin_ = end_ = 0;
  filled_ = false;
}

IoResult TlsEndpoint::write_some(PlainStream& plain, std::span<const std::string_view> parts) {
  if (failed_) return {Io::Failed};
  if (!out_.empty() && !std::exchange(held_, false)) {
    const auto sent = flush(plain);
    if (sent.state != Io::Done) return sent;
  }
  Pieces pieces(parts);
  std::size_t written = std::exchange(in_flight_, 0);
  pieces.skip(written);
  for (;;) {
    std::size_t enciphered = 0;
    while (enciphered < kBatch) {
      const auto piece = pieces.next();
      if (piece.empty()) break;
      std::size_t taken = 0;
      const auto next = next_after(SSL_write_ex(ssl_, piece.data(), piece.size(), &taken));
      if (next != Next::Ok) {
        TlsBio::wire().clear();
        failed_ = true;
        return {Io::Failed, written};
      }
      enciphered += taken;
    }
    if (enciphered == 0) return {Io::Done, written};
    const auto sent = flush(plain);
    if (sent.state == Io::Done) {
      written += enciphered;
      continue;
    }
    in_flight_ = enciphered;
    return {sent.state, written, Direction::Write, sent.error};
  }
}

Peek TlsEndpoint::peek(PlainStream& plain) {
  if (reading_) return plain.peek();
  held_ = false;
  if (!out_.empty()) flush(plain);
  while (!failed_ && !ended_) {
    if (has_input() || SSL_pending(ssl_) > 0) {
      char byte = 0;
      std::size_t got = 0;
      const auto next = next_after(SSL_peek_ex(ssl_, &byte, 1, &got));
      flush(plain);
      if (next == Next::Ok) return Peek::Bytes;
      if (next != Next::Read) break;
    }
    if (eof_) break;
    const auto got = plain.read_some(room());
    received(got);
    if (got.state == Io::Blocked) {
      release_input();
      return Peek::Nothing;
    }
    if (got.state == Io::Failed) failed_ = true;
  }
  return Peek::End;
}

void TlsEndpoint::say_end(PlainStream& plain) noexcept {
  if (!shaken_ || failed_ || said_end_) return;
  said_end_ = true;
  SSL_shutdown(ssl_);
  ERR_clear_error();
  flush(plain);
}

void TlsEndpoint::shutdown_send(PlainStream& plain) {
  say_end(plain);
  plain.shutdown_send();
  std::string().swap(out_);
  sent_ = 0;
  silent_ = true;
}

std::string_view TlsEndpoint::protocol() const noexcept {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_, &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

TlsServerSession::TlsServerSession(std::shared_ptr<const TlsServer> server, ssl_st* ssl, std::string early)
    : TlsEndpoint(Side::Server, ssl, std::move(early)), server_(std::move(server)) {}

std::unique_ptr<TlsPeer> TlsServerSession::describe_peer() const {
  return describe_tls_peer(ssl(), server_->client_cert_header());
}

}  // namespace forebay::net
