#include "forebay/server/peer_network.hpp"

namespace forebay::server {

std::string network_name(const Peer& peer) {
  if (peer.has_ip) return http::cidr_text(http::network_of(peer.ip));
  return peer.unix_socket ? "unix" : "an unknown address";
}

std::uint64_t network_key(const Peer& peer) noexcept {
  if (!peer.has_ip) return peer.unix_socket ? 1 : 2;
  const bool v4 = http::is_ipv4(peer.ip);
  std::uint64_t key = v4 ? 0xFFFF : 0;  // an IPv6 network does not begin so
  for (std::size_t i = v4 ? 12 : 0; i < (v4 ? 15U : 8U); ++i) key = key << 8 | peer.ip[i];
  return v4 ? ~key : key;
}

}  // namespace forebay::server
