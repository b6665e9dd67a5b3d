#pragma once

#include <string_view>

#include "forebay/config/config.hpp"
#include "forebay/http/message.hpp"
#include "forebay/server/exchange.hpp"

namespace forebay::admin {

enum class Who : std::uint8_t {
  Public,  ///< Everybody.
  Read,    ///< Operators: what changes nothing.
  Write,   ///< Operators: what changes something. Audited and limited in number.
};

/// Whether a request may use the operators' endpoints.
struct Access {
  enum class Verdict : std::uint8_t {
    Granted,
    Unauthorized,  ///< 401: a token is required, and it is missing or wrong.
    Forbidden,     ///< 403: no token would help, another one is needed, or another site's page may have asked.
  };
  Verdict verdict = Verdict::Granted;
  std::string_view why{};  ///< A sentence for the caller.
  std::string_view by{};   ///< What has granted it, for the audit: `admin.token`, `admin.read_token` or `this machine`.
};

/// For what operators may do (`who` is not Public): with `Authorization: Bearer TOKEN`, or from this machine: from a
/// loopback address or a Unix socket. In the second case a web page could make a browser send it. So Host must be one
/// of our names (against DNS rebinding), and Origin and Sec-Fetch-Site must not name another site. A field that proxies
/// add (Via, Forwarded, X-Forwarded-*) means that the client may be anywhere, so that only a token counts.
Access may_operate(const http::RequestView& request, const server::Peer& peer, const config::Config::Operators& config,
                   Who who);

}  // namespace forebay::admin
