#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "forebay/base/waker.hpp"
#include "forebay/http/fields.hpp"

namespace forebay::net {

/// The content of a client's request, pulled by its consumer on the connection's worker. The first pull sends
/// 100-continue if the client expects it. One consumer at a time.
class BodySource {
 public:
  enum class State : std::uint8_t {
    Data,
    Wait,
    End,
    Broken,    ///< The client left or timed out, or its framing is invalid: it must never look complete to an origin.
    TooLarge,  ///< Over `server.limits.request_body`.
  };
  /// With Data: `out` is not empty and stays valid until the next pull.
  virtual State pull(std::string_view& out) = 0;
  /// After Wait: wakes `waiter` (directly, on this worker) when a pull may give another result.
  virtual void wait(Waiter& waiter) = 0;
  /// Content-Length, or nothing for chunked.
  virtual std::optional<std::uint64_t> length() const = 0;
  /// Whether any byte has been pulled: then the body cannot be sent again.
  virtual bool begun() const = 0;
  /// Whether `rewind` can restart it from its first byte.
  virtual bool can_rewind() const { return false; }
  virtual void rewind() {}
  /// Whether the client waits for a 100 (RFC 9110 section 10.1.1) and has sent no content yet; a pull sends the 100.
  virtual bool awaits_continue() const { return false; }
  /// Trailer fields, after End.
  virtual const http::Fields& trailers() const = 0;

 protected:
  ~BodySource() = default;
};

}  // namespace forebay::net
