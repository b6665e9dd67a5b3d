#pragma once

#include <string_view>

#include "forebay/config/config.hpp"
#include "forebay/http/message.hpp"
#include "forebay/server/exchange.hpp"

namespace forebay::admin {

/// Whether a request may do what operators may.
struct Access {
  enum class Verdict : std::uint8_t {
    Granted,
    Unauthorized,  ///< 401: a token is wanted, and the right one was not brought.
    Forbidden,     ///< 403: no token would help, or the request may have been made by somebody else's page.
  };
  Verdict verdict = Verdict::Granted;
  std::string_view why;  ///< A sentence for the caller.
};

/// By `Authorization: Bearer TOKEN`, or by coming from this machine: from a loopback address or a Unix socket. In the
/// second case a browser could have been talked into it by a page, so that Host must be one of ours (else a name that a
/// stranger lets point here would do), and Origin and Sec-Fetch-Site must not speak of another site.
Access may_operate(const http::RequestView& request, const server::Peer& peer, const config::Config::Operators& config);

}  // namespace forebay::admin
