#pragma once

#include <memory>
#include <vector>

#include "forebay/base/clock.hpp"
#include "forebay/config/load.hpp"
#include "forebay/net/tls_server.hpp"

namespace forebay::app {

/// What each listener of a configuration speaks TLS with, by its index; null: it is plain.
using TlsServers = std::vector<std::shared_ptr<const net::TlsServer>>;

/// Reads the certificates and keys of all listeners, and adds what is found to the diagnostics. With an error the
/// result has no configuration any more. `tickets` null: sessions are not resumed.
TlsServers read_tls(config::LoadResult& loaded, const std::shared_ptr<net::TicketKeys>& tickets, const Clock& clock);

}  // namespace forebay::app
