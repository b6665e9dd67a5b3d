#pragma once

#include <memory>

#include "forebay/net/tls_peer.hpp"
#include "openssl.hpp"

namespace forebay::net {

/// What a handshake has agreed on. `with_field`: also the values of Client-Cert and Client-Cert-Chain, of a valid
/// certificate.
std::unique_ptr<TlsPeer> describe_tls_peer(const SSL* ssl, bool with_field);

}  // namespace forebay::net
