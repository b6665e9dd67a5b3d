#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "forebay/base/error.hpp"
#include "forebay/http/fields.hpp"
#include "forebay/net/tls_client.hpp"

// One request on a connection of its own, for commands: it blocks its thread, within a deadline.

namespace forebay::net {

using SteadyClock = std::chrono::steady_clock;

struct Endpoint {
  std::string host, port;
  std::string socket{};                    ///< Path of a Unix socket; empty for TCP.
  std::shared_ptr<const TlsClient> tls{};  ///< What to speak TLS with; null: plain HTTP.
};

struct HttpAnswer {
  int status = 0;
  http::Fields fields;
  std::string body;    ///< Without framing; encoded as it came.
  bool whole = false;  ///< False: more of it would have come, or the connection broke off.
};

/// An answer, or why there is none.
struct Asked {
  std::optional<HttpAnswer> answer;
  Errc error = Errc::Closed;  ///< `Closed`, `Timeout`, or what is wrong with the head.
  std::string why;  ///< As a message says it: addresses that were tried, and the system's word or that of TLS.
  int system = 0;   ///< The `errno` of the last address that could not be connected to; 0: it was something else.
};

/// Sends `message`, which says `Connection: close`, and reads the answer to `method`, with at most `most` bytes of
/// content. `Closed` when nobody is there or no head comes, `Timeout` when it does not come by the deadline. What ends
/// a body early leaves it as far as it came.
Asked ask(const Endpoint& endpoint, std::string_view method, std::string_view message, std::size_t most,
          SteadyClock::time_point deadline);

/// The same for an answer that grows: with status 200 its content goes to `piece` as it comes, until that gives false,
/// the answer ends or nothing comes for `silence`. `body` stays empty then, and `whole` says whether it has ended in
/// order.
Asked follow(const Endpoint& endpoint, std::string_view method, std::string_view message, std::size_t most,
             SteadyClock::time_point deadline, SteadyClock::duration silence,
             const std::function<bool(std::string_view)>& piece);

}  // namespace forebay::net
