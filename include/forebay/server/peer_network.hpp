#pragma once

#include <cstdint>
#include <string>

#include "forebay/server/exchange.hpp"

namespace forebay::server {

/// What a log line says of where a peer is: the /24 or /64 of its address, or `unix`. Written like an item of
/// `server.trusted_proxies`.
std::string network_name(const Peer& peer);
/// A number for the same, by which `Noticed` remembers it.
std::uint64_t network_key(const Peer& peer) noexcept;

}  // namespace forebay::server
