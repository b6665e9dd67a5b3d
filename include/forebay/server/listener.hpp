#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "forebay/base/noticed.hpp"
#include "forebay/config/config.hpp"
#include "forebay/http/h2_session.hpp"
#include "forebay/net/tls_peer.hpp"
#include "forebay/net/worker.hpp"
#include "forebay/server/exchange.hpp"

namespace forebay::net {
class TlsServer;
}

namespace forebay::server {

/// Counters of one listener over all workers; relaxed atomics, updated only per connection.
struct ListenerNumbers {
  std::string name;
  std::atomic<std::uint64_t> open_http2{0};  ///< Of those that are open.
  std::array<std::atomic<std::uint64_t>, static_cast<std::size_t>(http::H2Abuse::kCount)> http2_abuse{};
  Noticed strangers{}, malformed{};  ///< Networks that were logged because they sent no PROXY header, or might not.
  std::atomic<std::uint64_t> open{0}, accepted{0}, rejected_limit{0}, rejected_tls{0}, rejected_timeout{0},
      rejected_malformed{0}, rejected_stalled{0};
  std::array<std::atomic<std::uint64_t>, net::kTlsHandshakes> handshakes{};  ///< By `net::TlsHandshake`.
};

/// Connections of the whole process against `server.max_connections` and `connections_per_address`. Shared by the
/// listeners that count together.
class ConnectionLimits;
std::shared_ptr<ConnectionLimits> make_connection_limits();

class Listener;
class Inheritance;
struct Listening;

/// What a new listener has to know of those that listen already.
struct Neighbours {
  /// A listener of the same address, whose sockets the new one takes over: no connection is lost between the two.
  const Listener* same = nullptr;
  /// What the process that this one replaces has handed over.
  Inheritance* inherited = nullptr;
  /// Other addresses of this process, and of the one that it replaces. Nobody else may hold an address, but a new one
  /// may overlap with these.
  std::vector<config::Address> own;
};

/// The names of the sockets that systemd has handed over, which `fd:NAME` refers to (LISTEN_FDNAMES).
std::vector<std::string> handed_over();

/// A listening address over all workers: SO_REUSEPORT with a socket per worker for TCP, one socket for `unix:`, and the
/// sockets that were handed over for `fd:`. A worker with over 8 connections more than the least loaded one hands new
/// ones over.
class Listener {
 public:
  struct Part {
    net::Worker* worker;
    Handler* handler;  ///< That worker's; must outlive the listener and its connections.
  };
  /// Binds and listens; throws std::system_error on failure. Port 0 selects a free port. Without `limits` it counts its
  /// own connections only.
  Listener(const config::Listener& config, const std::vector<Part>& parts,
           std::shared_ptr<ConnectionLimits> limits = nullptr, const Neighbours& neighbours = {});
  /// Stops accepting and closes all connections, whether the workers run or not.
  ~Listener();

  /// What new connections speak TLS with; null: none, they are plain. Open connections keep what they have. When it
  /// returns, every later handshake uses it. Not from a worker's thread.
  void use_tls(const std::shared_ptr<const net::TlsServer>& tls);
  /// Begins to accept. Call from the main thread, before or after the workers run.
  void start();
  /// Stops accepting: every connection already in the queue is accepted first (until EAGAIN), then the sockets are
  /// closed, on the workers. Returns when done. Not from a worker's thread.
  void close();
  /// Stops accepting: another process has the sockets too, and gets what is in their queues and the file of a Unix
  /// socket. Not from a worker's thread.
  void leave();
  /// Its sockets once more, for another listener or process.
  Listening share() const;
  /// Address in use, with the port that was taken.
  const config::Address& address() const noexcept;
  std::uint16_t port() const noexcept;
  /// Gives the file of a Unix socket its mode, owner and group. Throws std::system_error on failure.
  void set_access(const config::Listener& config) const;
  ListenerNumbers& numbers() noexcept;
  /// Connections still open, of all workers.
  std::uint64_t open_connections() const noexcept;
  /// Idle connections are closed, busy ones answer with `Connection: close`. From any thread.
  void drain();
  /// Ends all connections at once. From any thread; done when `open_connections` is 0.
  void abort();

 private:
  struct Private;
  std::shared_ptr<Private> p_;
};

}  // namespace forebay::server
