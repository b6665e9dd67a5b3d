#pragma once

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "forebay/base/guarded.hpp"

namespace forebay::net {

/// What is waited for.
enum class Direction : std::uint8_t { Read, Write };

/// How an operation on a stream has ended.
enum class Io : std::uint8_t {
  Done,
  Blocked,    ///< Nothing more goes now. Wait for `IoResult::wait`, then call again.
  End,        ///< The peer has sent its last byte. Of reads only.
  Cancelled,  ///< By `cancel`, `park` or `close`.
  Failed,     ///< The connection is broken.
};
struct IoResult {
  Io state = Io::Done;
  std::size_t bytes = 0;  ///< Moved, whatever the state.
  /// With Blocked. It need not be the direction of the call: a write over TLS may have to read first.
  Direction wait = Direction::Write;
  int error = 0;  ///< errno, of a write that Failed, where it is known; EPIPE as in `Stream::take_error`.
};

/// What is there to be read, as far as that can be told without reading.
enum class Peek : std::uint8_t {
  Nothing,  ///< And the peer may still send.
  Bytes,
  End,  ///< The peer has sent its last byte, or the connection is broken.
};

class TlsSession;

/// A connection between two workers: given up by one and not yet taken by the other. Nobody reads it meanwhile, and it
/// is closed unless taken.
class ParkedStream {
 public:
  ParkedStream() = default;
  /// Takes over an open socket.
  explicit ParkedStream(int descriptor, std::unique_ptr<TlsSession> tls = nullptr) noexcept;
  ParkedStream(ParkedStream&& o) noexcept;
  ParkedStream& operator=(ParkedStream&& o) noexcept;
  ~ParkedStream();

  explicit operator bool() const noexcept { return descriptor_ >= 0; }
  /// For getpeername and the like.
  int native_handle() const noexcept { return descriptor_; }

 private:
  friend class Stream;
  int descriptor_ = -1;
  std::unique_ptr<TlsSession> tls_;
};

/// A TCP or Unix connection without TLS. Belongs to one worker. Callbacks are called on that worker by way of its loop,
/// never from within the call; the caller keeps the stream alive until then.
class PlainStream {
 public:
  using Executor = boost::asio::io_context::executor_type;
  using Protocol = boost::asio::generic::stream_protocol;

  explicit PlainStream(boost::asio::io_context& io) : socket_(io) {}

  /// `done(boost::system::error_code)`.
  template <class Done>
  void connect(const Protocol::endpoint& to, Done done) {
    socket_.async_connect(to, std::move(done));
  }
  /// Reads what there is, and never waits.
  IoResult read_some(std::span<char> room) noexcept;
  /// Reads what there is, and waits while there is nothing. `done(IoResult)`: never Blocked; Done with a byte or more.
  template <class Done>
  void read(std::span<char> room, Done done) {
    socket_.async_read_some(boost::asio::buffer(room.data(), room.size()),
                            [done = std::move(done)](const boost::system::error_code& error, std::size_t n) mutable {
                              done(IoResult{state_of(error), n});
                            });
  }
  /// Writes what the kernel takes now; Done when it has taken all.
  IoResult write_some(std::string_view bytes) noexcept;
  /// The same for parts that stand in several places. Done also when only the first 64 of them have gone.
  IoResult write_some(std::span<const std::string_view> parts) noexcept;
  /// Waits until a read, or a write, would do more than it did. `done(Io)`: Done, Cancelled or Failed.
  template <class Done>
  void wait(Direction direction, Done done) {
    socket_.async_wait(
        direction == Direction::Read ? Socket::wait_read : Socket::wait_write,
        [done = std::move(done)](const boost::system::error_code& error) mutable { done(state_of(error)); });
  }
  Peek peek() noexcept;
  /// Tells the peer that nothing more comes.
  void shutdown_send() noexcept;

 private:
  friend class Stream;
  using Socket = boost::asio::basic_stream_socket<Protocol, Executor>;

  static Io state_of(const boost::system::error_code& error) noexcept { return error ? failure_of(error) : Io::Done; }
  static Io failure_of(const boost::system::error_code& error) noexcept;

  Socket socket_;
};

/// What TLS adds to a connection. Its calls never wait. It holds no socket, so that it goes from
/// worker to worker with its stream; `plain` carries the records.
class TlsSession {
 public:
  virtual ~TlsSession() = default;
  /// Goes on with the handshake: Done, Failed, or Blocked as in `read_some`.
  virtual IoResult handshake(PlainStream&) { return {}; }
  /// Gives content that has been deciphered. Blocked: with Read it needs more from the wire, by `room` and `received`;
  /// with Write it has records of its own to send first, and is called again when that may go on.
  virtual IoResult read_some(PlainStream& plain, std::span<char> room) = 0;
  /// Where bytes from the wire go. Until `received` says what has become of them it reads nothing else.
  virtual std::span<char> room() = 0;
  virtual void received(const IoResult& result) = 0;
  /// As `Stream::write_some`.
  virtual IoResult write_some(PlainStream& plain, std::span<const std::string_view> parts) = 0;
  /// Whether there is content. Takes in what has come; while a read is under way, Bytes may be records without content.
  virtual Peek peek(PlainStream& plain) = 0;
  /// Sends close_notify as far as that goes, once.
  virtual void say_end(PlainStream&) noexcept {}
  /// The same, and ends the sending direction of `plain`.
  virtual void shutdown_send(PlainStream& plain) = 0;
};

/// A connection, plain or with TLS: what the edges read and write. Belongs to one worker, and is touched by its thread
/// alone. Callbacks are called on that worker by way of its loop, never from within the call. Who asks keeps the stream
/// alive, and where it is, until the callback; at most one read, and one wait for each direction, are under way at a
/// time. Without TLS a call costs one branch more than the socket's own.
class Stream {
 public:
  explicit Stream(boost::asio::io_context& io) : plain_(io) {}
  Stream(Stream&&) noexcept = default;
  /// Takes a parked connection over. False without memory, or when the kernel refuses it; then it is closed.
  bool adopt(ParkedStream parked) noexcept;

  bool is_open() const noexcept { return plain_.socket_.is_open(); }
  /// For getpeername and the like; nobody reads or writes by it.
  int native_handle() noexcept { return plain_.socket_.native_handle(); }
  /// From now on everything goes through `tls`; nothing but `handshake` until that is over. Null: plain again.
  void secure(std::unique_ptr<TlsSession> tls) noexcept { tls_ = std::move(tls); }
  TlsSession* tls() noexcept { return tls_.get(); }
  /// Shakes hands. `done(Io)`: Done, Cancelled or Failed.
  template <class Done>
  void handshake(Done done) {
    const IoResult got = tls_->handshake(plain_);
    if (got.state != Io::Blocked) return post([got, done = std::move(done)]() mutable { done(got.state); });
    auto again = [this, done = std::move(done)](Io state) mutable {
      if (state == Io::Cancelled || state == Io::Failed) return done(state);
      handshake(std::move(done));
    };
    await_records(got.wait, std::move(again));
  }

  /// Opens it. `done(boost::system::error_code)`.
  template <class Done>
  void connect(const PlainStream::Protocol::endpoint& to, Done done) {
    plain_.connect(to, std::move(done));
  }
  /// Small writes are sent at once (TCP_NODELAY); nothing on a Unix socket.
  void no_delay() noexcept;
  /// The kernel asks a silent peer whether it is still there, after 5 minutes, and ends the connection after two more
  /// without an answer; nothing on a Unix socket.
  void keep_alive() noexcept;
  /// The failure that the next read or write would meet, as errno; 0 without one. It is told once. EPIPE: the peer has
  /// sent its last byte, and then left.
  int take_error() noexcept;

  /// Reads what there is, and waits while there is nothing. `done(IoResult)`: Done with a byte or more, End, Cancelled
  /// or Failed.
  template <class Done>
  void read(std::span<char> room, Done done) {
    if (!tls_) return plain_.read(room, std::move(done));
    cancelled_ = false;
    const IoResult got = tls_->read_some(plain_, room);
    if (got.state == Io::Blocked) return read_tls(got.wait, room, std::move(done));
    post([got, done = std::move(done)]() mutable { done(got); });
  }
  /// Reads what there is, and never waits: Done with a byte or more, Blocked, End or Failed. Not during a `read`.
  IoResult read_some(std::span<char> room) {
    if (!tls_) return plain_.read_some(room);
    // `peek` takes in what has come.
    if (tls_->peek(plain_) == Peek::Nothing) return {Io::Blocked, 0, Direction::Read};
    return tls_->read_some(plain_, room);
  }
  /// Writes what goes now, and never waits. Done: call again for what is left; Blocked: after a wait. What was not
  /// counted in `bytes` has to be offered again, from its first byte: TLS may have enciphered it already.
  IoResult write_some(std::string_view bytes) {
    if (tls_) return tls_->write_some(plain_, {&bytes, 1});
    return plain_.write_some(bytes);
  }
  IoResult write_some(std::span<const std::string_view> parts) {
    if (tls_) return tls_->write_some(plain_, parts);
    return plain_.write_some(parts);
  }
  /// Writes what goes, after a wait where nothing does. `done(IoResult)`: Done, or Blocked, with a byte or more,
  /// Cancelled or Failed. The parts live until then.
  template <class Done>
  void write(std::span<const std::string_view> parts, Done done) {
    const IoResult written = write_some(parts);
    if (written.state != Io::Blocked || written.bytes != 0) {
      return post([written, done = std::move(done)]() mutable { done(written); });
    }
    wait(written.wait, [this, parts, done = std::move(done)](Io state) mutable {
      if (state != Io::Done) return done(IoResult{state});
      write(parts, std::move(done));
    });
  }
  /// Waits until there is something to read, or until a write that was blocked may go on. `done(Io)`: Done, Cancelled
  /// or Failed. With TLS what has come may hold no content: `peek` tells.
  template <class Done>
  void wait(Direction direction, Done done) {
    if (tls_ && direction == Direction::Read && tls_->peek(plain_) != Peek::Nothing)
      return post([done = std::move(done)]() mutable { done(Io::Done); });
    plain_.wait(direction, std::move(done));
  }
  Peek peek() { return tls_ ? tls_->peek(plain_) : plain_.peek(); }
  /// What the kernel still holds of what was written: not sent, or not acknowledged.
  std::size_t unsent() noexcept;

  /// Tells the peer that nothing more comes.
  void shutdown_send() { tls_ ? tls_->shutdown_send(plain_) : plain_.shutdown_send(); }
  /// Ends reads and waits: Cancelled.
  void cancel() noexcept;
  /// With TLS the peer hears that this is the end, if its socket takes that now.
  void close() noexcept;
  /// Closes so that the peer sees a reset: what it has got is not whole.
  void reset() noexcept;
  /// Takes the connection out of this worker's loop, open. Empty, and closed, when that fails.
  ParkedStream park() noexcept;

 private:
  template <class F>
  void post(F&& f) {
    boost::asio::post(plain_.socket_.get_executor(), std::forward<F>(f));
  }
  /// A read for which TLS has nothing yet.
  template <class Done>
  void read_tls(Direction direction, std::span<char> room, Done done) {
    auto again = [this, room, done = std::move(done)](Io state) mutable {
      if (state == Io::Cancelled || state == Io::Failed) return done(IoResult{state});
      const IoResult got = tls_->read_some(plain_, room);
      if (got.state != Io::Blocked) return done(got);
      // A record without content had come when the read was cancelled: the socket did not hear of that.
      if (cancelled_) return done(IoResult{Io::Cancelled});
      read_tls(got.wait, room, std::move(done));
    };
    await_records(direction, std::move(again));
  }
  /// Takes records in, or waits until records of its own may go out. `again(Io)`. Where there is no memory to go on
  /// nobody is called: the owner's deadline ends the connection.
  template <class Again>
  void await_records(Direction direction, Again again) {
    if (direction == Direction::Write)
      return plain_.wait(direction,
                         [again = std::move(again)](Io state) mutable { guarded([&] { again(state); }, [] {}); });
    plain_.read(tls_->room(), [this, again = std::move(again)](const IoResult& result) mutable {
      tls_->received(result);
      guarded([&] { again(result.state); }, [] {});
    });
  }

  PlainStream plain_;
  std::unique_ptr<TlsSession> tls_;
  bool cancelled_ = false;  // the read over TLS that is under way
};

}  // namespace forebay::net
