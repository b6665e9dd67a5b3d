#pragma once

#include <memory>

#include "server/h1_protocol.hpp"
#include "server/protocol.hpp"

namespace forebay::server {

/// Shakes hands where the listener has TLS, and then lets the protocol take over that ALPN has chosen. Without TLS it
/// costs a branch for each connection.
class TlsProtocol final : public Protocol {
 public:
  /// Connections that chose HTTP/2 go to the HTTP/2 of `h1`.
  explicit TlsProtocol(std::unique_ptr<H1Protocol> h1);
  ~TlsProtocol() override;
  void open(const std::shared_ptr<WorkerListener>& listener, Accepted accepted) override;

  /// Of a connection that has shaken hands.
  Protocol& next(std::string_view alpn) const noexcept;
  H1Protocol& h1() const noexcept { return *h1_; }

 private:
  std::unique_ptr<H1Protocol> h1_;
};

}  // namespace forebay::server
