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

/// One end of a TLS connection, over OpenSSL's state machine and buffers of its own. A message that comes in one piece
/// costs one recv, content of up to 16 KiB one record and one send. It holds no buffers while it waits for the next
/// record by `Stream::wait`, and one of 4 KiB while it waits by `Stream::read`.
class TlsEndpoint : public TlsSession {
 public:
  ~TlsEndpoint() override;
  TlsEndpoint(const TlsEndpoint&) = delete;

  IoResult handshake(PlainStream& plain) final;
  IoResult read_some(PlainStream& plain, std::span<char> room) final;
  std::span<char> room() final;
  void received(const IoResult& result) final;
  IoResult write_some(PlainStream& plain, std::span<const std::string_view> parts) final;
  Peek peek(PlainStream& plain) final;
  void say_end(PlainStream& plain) noexcept final;
  void shutdown_send(PlainStream& plain) final;

  /// Of a handshake that is over; or why what came after it has `failed`.
  TlsHandshake result() const noexcept { return result_; }
  bool failed() const noexcept { return failed_; }
  /// Why it has failed, for the log.
  std::string_view why() const noexcept { return why_; }
  /// The protocol that ALPN has chosen; empty without ALPN.
  std::string_view protocol() const noexcept;
  /// Memory that it has of its own now, without OpenSSL's.
  std::size_t buffered() const noexcept { return capacity_ + out_.capacity() - std::string().capacity(); }

 protected:
  /// What the two ends do differently.
  enum class Side : std::uint8_t {
    Server,  ///< Waits for the client's first record.
    Client,  ///< Sends the first record.
  };
  /// Takes over `ssl`. `early`: bytes from the wire that have been read already.
  TlsEndpoint(Side side, ssl_st* ssl, std::string early);
  ssl_st* ssl() const noexcept { return ssl_; }
  /// Whether an end without close_notify is a failure of reads; by default on the client's side.
  void require_close_notify(bool required) noexcept { notice_required_ = required; }

 private:
  friend struct TlsBio;
  enum class Next : std::uint8_t { Ok, Read, End, Failed };

  std::size_t take(char* into, std::size_t most) noexcept;  // for OpenSSL: what has come from the wire
  Next next_after(int result) noexcept;
  bool has_input() const noexcept { return begin_ != end_ || !early_.empty(); }
  static void on_message(int written, int version, int type, const void* bytes, std::size_t size, ssl_st* ssl,
                         void* self);
  IoResult flush(PlainStream& plain);
  void hold() noexcept;
  std::string_view closed_by_peer() const noexcept;
  void fail(TlsHandshake result, std::string_view why) noexcept;
  void release_input() noexcept;

  const Side side_;
  ssl_st* ssl_;
  std::string early_;
  std::unique_ptr<char[]> in_;  // from the wire, not yet taken by OpenSSL
  std::size_t capacity_ = 0, begin_ = 0, end_ = 0;
  std::string out_;            // records that the socket has not taken yet,
  std::size_t sent_ = 0;       // but for these bytes of them;
  std::size_t in_flight_ = 0;  // and how much of the caller's content is in them
  std::string_view why_;
  TlsHandshake result_ = TlsHandshake::Full;
  bool notice_required_;
  unsigned key_updates_ = 0;  // of the peer
  bool begun_ = false;        // the handshake
  bool heard_ = false;        // something of the peer
  bool reading_ = false;      // `room` is lent
  bool filled_ = false;       // the last read filled the room
  bool eof_ = false;          // the peer's socket has ended
  bool ended_ = false;        // by close_notify
  bool failed_ = false;
  bool shaken_ = false;
  bool said_end_ = false;
  bool silent_ = false;  // nothing can be sent any more
  bool held_ = false;    // `out_` waits for the first answer
  char no_memory_ = 0;   // the room where there is none
};

/// The server's side of one TLS connection.
class TlsServerSession final : public TlsEndpoint {
 public:
  /// Takes over `ssl`.
  TlsServerSession(std::shared_ptr<const TlsServer> server, ssl_st* ssl, std::string early);

  /// What has been agreed on.
  std::unique_ptr<TlsPeer> describe_peer() const;

 private:
  const std::shared_ptr<const TlsServer> server_;
};

}  // namespace forebay::net
