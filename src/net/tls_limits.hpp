#pragma once

#include "openssl.hpp"

namespace forebay::net {

/// What both sides of TLS use: versions, ciphers and groups; no compression, renegotiation or early data.
void limit_tls(SSL_CTX* context, bool only_13);

}  // namespace forebay::net
