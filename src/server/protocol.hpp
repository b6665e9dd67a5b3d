#pragma once

#include <memory>
#include <string>

#include "forebay/net/stream.hpp"
#include "server/connection_limits.hpp"

namespace forebay::server {

class WorkerListener;

/// A connection that was accepted, before it is known what it speaks.
struct Accepted {
  net::Stream stream;
  std::shared_ptr<const Peer> peer;
  ConnectionLimits::Place place;  ///< Empty: there are too many, and the client is told so.
  std::string early{};            ///< Bytes that were read already; the protocol reads them first.
};

/// What a listener speaks, on one worker: makes a connection of each accepted stream. Another protocol, a step before
/// the protocol (the PROXY header), and the choice between protocols (by ALPN once TLS has shaken hands, by the first
/// bytes without TLS) are implementations of it; a step passes the stream on to the next.
class Protocol {
 public:
  virtual ~Protocol() = default;
  /// The connection enters `listener.connections`; the caller has counted it in `listener.open` already.
  virtual void open(const std::shared_ptr<WorkerListener>& listener, Accepted accepted) = 0;
  /// Whether it finds out who the peer is. Until then the connection is not counted for its address.
  virtual bool names_peer() const noexcept { return false; }
};

/// The protocol of a listener, for one worker.
std::unique_ptr<Protocol> make_protocol(const config::Listener& listener);

}  // namespace forebay::server
