#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "forebay/net/stream.hpp"
#include "forebay/net/tls_peer.hpp"

struct ssl_st;
struct bio_st;

namespace forebay::net {

class TlsServer;

/// One TLS connection's server side, over OpenSSL's state machine and buffers of its own. A request that comes in one
/// piece costs one recv, an answer of up to 16 KiB one record and one send. It holds no buffers while it waits for the
/// next record by `Stream::wait`, and one of 4 KiB while it waits by `Stream::read`.
class TlsServerSession final : public TlsSession {
 public:
  /// Takes over `ssl`.
  TlsServerSession(std::shared_ptr<const TlsServer> server, ssl_st* ssl, std::string early);
  ~TlsServerSession() override;
  TlsServerSession(const TlsServerSession&) = delete;

  IoResult handshake(PlainStream& plain) override;
  IoResult read_some(PlainStream& plain, std::span<char> room) override;
  std::span<char> room() override;
  void received(const IoResult& result) override;
  IoResult write_some(PlainStream& plain, std::span<const std::string_view> parts) override;
  Peek peek(PlainStream& plain) override;
  void say_end(PlainStream& plain) noexcept override;
  void shutdown_send(PlainStream& plain) override;

  /// Of a handshake that is over.
  TlsHandshake result() const noexcept { return result_; }
  bool failed() const noexcept { return failed_; }
  /// Why it has failed, for the log.
  std::string_view why() const noexcept { return why_; }
  /// The protocol that ALPN has chosen; empty without ALPN.
  std::string_view protocol() const noexcept;
  /// What has been agreed on.
  std::unique_ptr<TlsPeer> describe_peer() const;
  /// Memory that it has of its own now, without OpenSSL's.
  std::size_t buffered() const noexcept { return capacity_ + out_.capacity() - std::string().capacity(); }

 private:
  friend struct TlsBio;
  enum class Next : std::uint8_t { Ok, Read, End, Failed };

  std::size_t take(char* into, std::size_t most) noexcept;  // for OpenSSL: what has come from the wire
  Next next_after(int result) noexcept;
  bool has_input() const noexcept { return begin_ != end_ || !early_.empty(); }
  IoResult flush(PlainStream& plain);
  void keep_wire();
  void fail(TlsHandshake result, std::string_view why) noexcept;
  void release_input() noexcept;

  std::shared_ptr<const TlsServer> server_;
  ssl_st* ssl_;
  std::string early_;
  std::unique_ptr<char[]> in_;  // from the wire, not yet taken by OpenSSL
  std::size_t capacity_ = 0, begin_ = 0, end_ = 0;
  std::string out_;            // records that the socket has not taken yet,
  std::size_t sent_ = 0;       // but for these bytes of them;
  std::size_t in_flight_ = 0;  // and how much of the caller's content is in them
  std::string_view why_;
  TlsHandshake result_ = TlsHandshake::Full;
  bool reading_ = false;  // `room` is lent
  bool filled_ = false;   // the last read filled the room
  bool eof_ = false;      // the peer's socket has ended
  bool ended_ = false;    // by close_notify
  bool failed_ = false;
  bool shaken_ = false;
  bool said_end_ = false;
  bool silent_ = false;  // nothing can be sent any more
  char no_memory_ = 0;   // the room where there is none
};

}  // namespace forebay::net
