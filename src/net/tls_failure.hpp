#pragma once

#include <string_view>

#include "forebay/net/tls_session.hpp"

namespace forebay::net {

struct TlsFailure {
  TlsHandshake result;
  std::string_view why;  ///< Lives as long as the process.
};
/// What OpenSSL's queue of errors says about a handshake; empties the queue.
TlsFailure take_tls_failure() noexcept;

}  // namespace forebay::net
