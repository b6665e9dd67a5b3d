#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "forebay/base/clock.hpp"
#include "forebay/config/config.hpp"
#include "forebay/net/tls_finding.hpp"
#include "forebay/net/tls_session.hpp"

namespace forebay::net {

class TlsClient;

/// The client's side of one TLS connection. A read meets an end without close_notify as a failure, so that an answer
/// that was cut off never looks whole (RFC 9112 section 9.8).
class TlsClientSession final : public TlsEndpoint {
 public:
  /// Takes over `ssl`.
  TlsClientSession(std::shared_ptr<const TlsClient> client, ssl_st* ssl);
  /// What was wrong, as a log says it, with the server as its subject; of a session that has `failed`.
  std::string problem() const;
  /// From now on an end without close_notify is an end: what is spoken tells by itself where it ends.
  void accept_any_end() noexcept { require_close_notify(false); }

 private:
  const std::shared_ptr<const TlsClient> client_;
};

/// What TLS is spoken with to one origin: whom it trusts, for which name, and the sessions that it may resume. Its
/// settings are made whole or not at all, and immutable; a reload makes another. Shared by all workers; its calls are
/// safe from any thread. Sessions keep it alive.
///
/// The server's certificate has to be valid for the origin's host, by subjectAltName alone (RFC 9110 section 4.3.4),
/// unless `verify` is false. SNI (RFC 6066 section 3) names the host unless it is an IP address.
class TlsClient : public std::enable_shared_from_this<TlsClient> {
 public:
  /// Reads the files. Null when there is an error among the findings. `clock` outlives it and its sessions.
  static std::shared_ptr<const TlsClient> make(const config::Origin& origin, const Clock& clock,
                                               std::vector<TlsFinding>& findings);
  virtual ~TlsClient() = default;

  /// A session with the origin, before its handshake. Throws std::bad_alloc.
  virtual std::unique_ptr<TlsClientSession> session() const = 0;
  /// How many sessions it could resume now.
  virtual std::size_t resumable() const = 0;
  /// The name that the server's certificate has to be for.
  virtual const std::string& name() const = 0;
};

}  // namespace forebay::net
