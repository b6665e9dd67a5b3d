#pragma once

#include <memory>
#include <vector>

#include "forebay/base/clock.hpp"
#include "forebay/config/load.hpp"
#include "forebay/net/tls_server.hpp"
#include "forebay/proxy/runtime.hpp"

namespace forebay::app {

/// What each listener of a configuration speaks TLS with, by its index; null: it is plain.
using TlsServers = std::vector<std::shared_ptr<const net::TlsServer>>;

/// What a configuration speaks TLS with, on both sides.
struct TlsFiles {
  TlsServers servers;
  std::shared_ptr<const net::TlsServer> admin{};
  proxy::Runtime::TlsClients clients;
};

/// Reads the certificates and keys of all listeners and origins, and adds what is found to the diagnostics. With an
/// error the result has no configuration any more. `tickets` null: sessions of clients are not resumed. `clock`
/// outlives what is made.
TlsFiles read_tls(config::LoadResult& loaded, const std::shared_ptr<net::TicketKeys>& tickets, const Clock& clock);

}  // namespace forebay::app
