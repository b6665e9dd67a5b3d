#include "untrusted.hpp"

#include "forebay/base/guarded.hpp"
#include "forebay/base/log.hpp"
#include "forebay/server/peer_network.hpp"

namespace forebay::proxy {

void warn_of_untrusted(Noticed& noticed, const server::Peer& peer) {
  if (!noticed.first(server::network_key(peer))) return;
  guarded(
      [&] {
        const auto network = server::network_name(peer);
        const std::string who = peer.announced ? "clients" : "peers";
        std::string line = "X-Forwarded-* and Forwarded fields of " + who +
                           (peer.announced ? " named by PROXY headers in " : " in ") + network +
                           " are replaced (X-Forwarded-Proto becomes \"" + std::string(peer.scheme) +
                           "\"), because these " + who + " are not in server.trusted_proxies";
        if (!peer.announced && (peer.has_ip || peer.unix_socket))
          line += "; if they are your proxies, set server.trusted_proxies: [" +
                  (peer.has_ip ? '"' + network + '"' : network) + ']';
        log::warn(line);
      },
      [] {});
}

}  // namespace forebay::proxy
