#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "forebay/base/clock.hpp"
#include "forebay/net/stream.hpp"
#include "forebay/net/tls_client.hpp"
#include "upstream/permits.hpp"
#include "upstream/shared_origin.hpp"

namespace forebay::upstream {

/// One connection to an origin: its stream, its permit, and the bytes that were read and not yet used. It knows no
/// HTTP. Belongs to one worker.
class Connection {
 public:
  Connection(boost::asio::io_context& io, std::shared_ptr<SharedOrigin> origin, Permit permit);
  /// Of a stream that is connected already.
  Connection(net::Stream stream, std::shared_ptr<SharedOrigin> origin, Permit permit);
  Connection(const Connection&) = delete;
  ~Connection() { close(); }

  net::Stream& stream() noexcept { return stream_; }
  /// From now on it speaks TLS, which begins with `Stream::handshake`.
  void secure(std::unique_ptr<net::TlsClientSession> session) noexcept { stream_.secure(std::move(session)); }
  /// Its side of TLS; null without.
  net::TlsClientSession* tls() noexcept { return static_cast<net::TlsClientSession*>(stream_.tls()); }
  const std::string& address() const noexcept { return address_; }
  /// Whether it has carried a request before this one.
  bool reused() const noexcept { return reused_; }

  /// The connect has succeeded.
  void opened(const std::string& address);
  /// Takes a parked connection over; false when the kernel refuses it.
  bool adopt(ParkedConnection parked);
  /// Closes it; the permit goes back unless the caller keeps it.
  Permit close() noexcept;
  /// Takes the connection out of this worker's loop, open.
  Grant park() noexcept;
  /// Gives the stream up, open, to whoever speaks another protocol on it; the permit goes back.
  net::Stream release() noexcept;
  /// Open and without unread bytes, as an idle connection must be. Unexpected bytes could be read as the next response.
  bool quiet();

  /// It becomes idle: nobody watches it yet.
  void rest(Timestamp now) noexcept {
    ++rests_;
    rests_since_ = now;
    watched_ = false;
  }
  Timestamp rests_since() const noexcept { return rests_since_; }
  /// Counts the times it was idle, so that a watch of an earlier rest is known as such.
  std::uint64_t rests() const noexcept { return rests_; }
  /// From now on somebody waits for it to become readable, or to be closed; returns `rests`.
  std::uint64_t watch() noexcept { return watched_ = true, rests_; }
  bool watched() const noexcept { return watched_; }

  enum class Use : std::uint8_t { None, Active, Idle };
  /// Updates its counter. An idle connection has no buffer.
  void set_use(Use use) noexcept;

  std::string_view input() const noexcept { return {buffer_.get() + begin_, end_ - begin_}; }
  void consume(std::size_t n) noexcept { begin_ += n; }
  /// Room behind the input for the next read, at least a quarter of the buffer. Moves the input.
  std::span<char> room();
  void received(std::size_t n) noexcept;
  /// Moves bytes that were consumed to `to`, at or before where they are, so that pieces of content become one.
  static void move_down(const char* to, std::string_view bytes) noexcept;

  unsigned address_set = 0;  ///< The pool's: up to which change of the origin's addresses its own is known to stay.

 private:
  const std::shared_ptr<SharedOrigin> origin_;
  net::Stream stream_;
  Permit permit_;
  std::string address_;
  Use use_ = Use::None;
  bool reused_ = false;
  bool watched_ = false;
  std::uint64_t rests_ = 0;
  Timestamp rests_since_{};
  bool filled_ = false;  // the last read used all its room
  std::unique_ptr<char[]> buffer_;
  std::size_t capacity_ = 0, begin_ = 0, end_ = 0;
};
using ConnectionPtr = std::shared_ptr<Connection>;

}  // namespace forebay::upstream
