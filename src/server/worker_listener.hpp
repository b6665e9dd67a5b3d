#pragma once

#include <atomic>
#include <boost/intrusive/list.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "forebay/net/worker.hpp"
#include "forebay/server/exchange.hpp"
#include "forebay/server/listener.hpp"
#include "server/edge_error.hpp"
#include "server/protocol.hpp"
#include "server/stalled_readers.hpp"

namespace forebay::server {

/// The answer to a connection whose place is empty.
const EdgeError& overload_of(const ConnectionLimits::Place& place) noexcept;

/// One worker's part of a listener: its connections and their shared state. All but `open` belongs to the worker's
/// thread.
class WorkerListener {
 public:
  /// `its_limits`: of all connections that count together.
  WorkerListener(net::Worker& its_worker, Handler& its_handler, std::shared_ptr<ListenerNumbers> its_numbers,
                 std::unique_ptr<Protocol> its_protocol,
                 std::shared_ptr<ConnectionLimits> its_limits = make_connection_limits());
  WorkerListener(const WorkerListener&) = delete;
  WorkerListener& operator=(const WorkerListener&) = delete;

  /// "Date: ...\r\n", made anew once a second.
  std::string_view date_line(WallTime now);
  bool drains() const { return draining || handler.draining(); }
  /// Whether one more client over the limit can be told so; `place` is its empty place. If not, that is counted, and
  /// the connection is to be closed.
  bool may_refuse(const Peer& peer, const ConnectionLimits::Place& place);

  /// Closes the connection here that has been silent for longest. False: there is none.
  bool make_room();

  net::Worker& worker;
  Handler& handler;
  const std::shared_ptr<ListenerNumbers> numbers;
  const std::unique_ptr<Protocol> protocol;
  const std::shared_ptr<ConnectionLimits> limits;
  StalledReaders stalled;
  /// Connections here or handed over and on their way.
  std::atomic<std::int64_t> open{0};
  boost::intrusive::list<Connection, boost::intrusive::constant_time_size<false>> connections;
  bool draining = false;
  bool closed = false;  ///< Connections that are still handed over are closed at once.
  /// Connections over the limit that are being told so.
  unsigned refusing = 0;
  std::shared_ptr<const net::TlsServer> tls;  ///< For new connections; null: they are plain.
  // For the log of failed handshakes.
  Timestamp quiet_until{};
  std::uint64_t not_logged = 0;

 private:
  std::int64_t date_second_ = INT64_MIN;
  std::string date_line_;
};

}  // namespace forebay::server
