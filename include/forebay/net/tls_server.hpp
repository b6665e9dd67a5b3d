#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "forebay/base/clock.hpp"
#include "forebay/config/config.hpp"
#include "forebay/net/tls_finding.hpp"
#include "forebay/net/tls_session.hpp"
#include "forebay/net/tls_tickets.hpp"

namespace forebay::net {

/// What a listener speaks TLS with: its certificates, keys and settings. Made whole or not at all, immutable, shared by
/// all workers; a reload makes another. Sessions keep it alive.
class TlsServer : public std::enable_shared_from_this<TlsServer> {
 public:
  struct Facts {
    std::string listener;  ///< Sessions are resumed on listeners of one name and one `client_ca` alone.
    bool http2 = false;    ///< Whether h2 is offered by ALPN, before http/1.1.
    std::shared_ptr<TicketKeys> tickets;
    const Clock* clock = nullptr;  ///< For the ends of certificates; outlives all sessions.
  };
  /// Reads the files. Null when there is an error among the findings.
  static std::shared_ptr<const TlsServer> make(const config::ListenerTls& settings, const Facts& facts,
                                               std::vector<TlsFinding>& findings);
  virtual ~TlsServer() = default;

  /// A session with a client, before its handshake. `early`: bytes of it that have been read already.
  virtual std::unique_ptr<TlsServerSession> session(std::string early = {}) const = 0;
  /// When the first of the certificates ends.
  virtual WallTime first_expiry() const = 0;
  /// Whether origins get clients' certificates (`client_cert_header`).
  bool client_cert_header() const noexcept { return client_cert_header_; }

 protected:
  explicit TlsServer(bool client_cert_header) : client_cert_header_(client_cert_header) {}

 private:
  bool client_cert_header_;
};

}  // namespace forebay::net
