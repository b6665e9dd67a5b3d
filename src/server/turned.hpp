#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "forebay/base/error.hpp"
#include "forebay/server/exchange.hpp"

namespace forebay::server {

/// The setting that bounds what was sent.
enum class Bound : std::uint8_t { None, HeadTime, ContentTime, ContentRate, Content, Target, Head, Fields };

/// Why the edge refuses a message, and its response.
struct Turned {
  int status;
  Refusal reason;
  std::string_view code, title;
  std::string_view detail = {};  ///< Where neither a limit nor the parser says more.
  Bound bound = Bound::None;
  bool head_read = false;             ///< The head was read whole, so its fields count.
  std::string_view retry_after = {};  ///< Value of Retry-After; empty: the answer has none.
};

inline constexpr Turned kBadRequest{400, Refusal::BadRequest, "bad_request", "Bad Request",
                                    "The request does not follow HTTP/1.1."};
inline constexpr Turned kBadBody{400, Refusal::BadRequest, "bad_request", "Bad Request",
                                 "The request's content is malformed or ends early."};
inline constexpr Turned kHeadTimeout{408, Refusal::ClientTimeout, "client_timeout", "Request Timeout",
                                     {},  Bound::HeadTime};
inline constexpr Turned kBodyTimeout{408, Refusal::ClientTimeout, "client_timeout", "Request Timeout",
                                     {},  Bound::ContentTime};
inline constexpr Turned kBodyTooSlow{408, Refusal::ClientTimeout, "client_timeout", "Request Timeout",
                                     {},  Bound::ContentRate};
inline constexpr Turned kBodyTooLarge{
    413, Refusal::BodyTooLarge, "body_too_large", "Content Too Large", {}, Bound::Content, true};
inline constexpr Turned kTargetTooLong{414, Refusal::TargetTooLong, "target_too_long", "URI Too Long",
                                       {},  Bound::Target};
inline constexpr Turned kExpectation{417,
                                     Refusal::BadRequest,
                                     "expectation_failed",
                                     "Expectation Failed",
                                     "The Expect field is not 100-continue.",
                                     Bound::None,
                                     true};
inline constexpr Turned kHeaderTooLarge{
    431, Refusal::HeaderTooLarge, "header_too_large", "Request Header Fields Too Large", {}, Bound::Head};
inline constexpr Turned kTooManyFields{
    431, Refusal::HeaderTooLarge, "header_too_large", "Request Header Fields Too Large", {}, Bound::Fields};
inline constexpr Turned kBadCoding{501, Refusal::BadRequest, "not_implemented", "Not Implemented",
                                   "The only supported transfer coding is chunked."};
inline constexpr Turned kBadVersion{505, Refusal::BadRequest, "version_not_supported", "HTTP Version Not Supported",
                                    "Only HTTP/1.1 and HTTP/1.0 are supported."};
inline constexpr Turned kOverload{503,
                                  Refusal::Overload,
                                  "overload",
                                  "Service Unavailable",
                                  "Too many connections (server.max_connections, or "
                                  "server.limits.connections_per_address).",
                                  Bound::None,
                                  false,
                                  "1"};

inline constexpr Turned kNoMemory{503,
                                  Refusal::Overload,
                                  "overload",
                                  "Service Unavailable",
                                  "There was no memory for this request.",
                                  Bound::None,
                                  true,
                                  "1"};

/// The detail of the document: the limit with its setting, or `cause`, or the default of the error.
std::string detail_of(const Turned& why, const config::Server& settings, std::string_view cause);

inline const Turned& turned_for(Errc error, bool bad_version, bool too_many_fields) {
  switch (error) {
    case Errc::TargetTooLong:
      return kTargetTooLong;
    case Errc::HeaderTooLarge:
    case Errc::TooLarge:
    case Errc::TooMany:
      return too_many_fields ? kTooManyFields : kHeaderTooLarge;
    case Errc::Unsupported:
      return bad_version ? kBadVersion : kBadCoding;
    default:
      return kBadRequest;
  }
}

}  // namespace forebay::server
