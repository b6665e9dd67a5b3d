#pragma once

#include "forebay/base/noticed.hpp"
#include "forebay/server/exchange.hpp"

namespace forebay::proxy {

/// A peer that is not in `server.trusted_proxies` has sent X-Forwarded-Proto or a field like it, which is replaced.
/// Where TLS is terminated in front, that is a mistake in the configuration: the log says so, once for each network.
void warn_of_untrusted(Noticed& noticed, const server::Peer& peer);

}  // namespace forebay::proxy
