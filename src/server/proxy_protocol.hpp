#pragma once

#include <memory>

#include "server/protocol.hpp"

namespace forebay::server {

/// The step before the protocol of a listener with `proxy_protocol: true`: reads the PROXY header of a connection, and
/// passes the connection on as one of the client that the header names. A connection whose peer is not in
/// `server.trusted_proxies`, or that begins with no header, is closed.
class ProxyProtocol final : public Protocol {
 public:
  explicit ProxyProtocol(std::unique_ptr<Protocol> next) : next_(std::move(next)) {}
  void open(const std::shared_ptr<WorkerListener>& listener, Accepted accepted) override;
  bool names_peer() const noexcept override { return true; }

 private:
  std::unique_ptr<Protocol> next_;
};

}  // namespace forebay::server
