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
struct EdgeError {
  int status;
  Refusal reason;
  std::string_view code, title;
  std::string_view detail = {};  ///< Where neither a limit nor the parser says more.
  Bound bound = Bound::None;
  bool head_read = false;             ///< The head was read whole, so its fields count.
  std::string_view retry_after = {};  ///< Value of Retry-After; empty: the answer has none.
};

inline constexpr EdgeError kBadRequest{400, Refusal::BadRequest, "bad_request", "Bad Request",
                                       "The request does not follow HTTP/1.1."};
inline constexpr EdgeError kPlainHttp{400, Refusal::BadRequest, "plain_http", "Bad Request",
                                      "This port speaks TLS: use an https:// URL."};
inline constexpr EdgeError kBadBody{400, Refusal::BadRequest, "bad_request", "Bad Request",
                                    "The request's content is malformed or ends early."};
inline constexpr EdgeError kHeadTimeout{408, Refusal::ClientTimeout, "client_timeout", "Request Timeout",
                                        {},  Bound::HeadTime};
inline constexpr EdgeError kBodyTimeout{408, Refusal::ClientTimeout, "client_timeout", "Request Timeout",
                                        {},  Bound::ContentTime};
inline constexpr EdgeError kBodyTooSlow{408, Refusal::ClientTimeout, "client_timeout", "Request Timeout",
                                        {},  Bound::ContentRate};
inline constexpr EdgeError kBodyTooLarge{
    413, Refusal::BodyTooLarge, "body_too_large", "Content Too Large", {}, Bound::Content, true};
inline constexpr EdgeError kTargetTooLong{414, Refusal::TargetTooLong, "target_too_long", "URI Too Long",
                                          {},  Bound::Target};
inline constexpr EdgeError kExpectation{417,
                                        Refusal::BadRequest,
                                        "expectation_failed",
                                        "Expectation Failed",
                                        "The Expect field is not 100-continue.",
                                        Bound::None,
                                        true};
inline constexpr EdgeError kHeaderTooLarge{
    431, Refusal::HeaderTooLarge, "header_too_large", "Request Header Fields Too Large", {}, Bound::Head};
inline constexpr EdgeError kTooManyFields{
    431, Refusal::HeaderTooLarge, "header_too_large", "Request Header Fields Too Large", {}, Bound::Fields};
inline constexpr EdgeError kBadCoding{501, Refusal::BadRequest, "not_implemented", "Not Implemented",
                                      "The only supported transfer coding is chunked."};
inline constexpr EdgeError kBadVersion{505, Refusal::BadRequest, "version_not_supported", "HTTP Version Not Supported",
                                       "Only HTTP/1.1 and HTTP/1.0 are supported."};
inline constexpr EdgeError kOverload{503,
                                     Refusal::Overload,
                                     "overload",
                                     "Service Unavailable",
                                     "Too many connections (server.max_connections).",
                                     Bound::None,
                                     false,
                                     "1"};
inline constexpr EdgeError kAddressOverload{503,
                                            Refusal::Overload,
                                            "overload",
                                            "Service Unavailable",
                                            "Too many connections of one address "
                                            "(server.limits.connections_per_address).",
                                            Bound::None,
                                            false,
                                            "1"};

inline constexpr EdgeError kNoMemory{503,
                                     Refusal::Overload,
                                     "overload",
                                     "Service Unavailable",
                                     "There was no memory for this request.",
                                     Bound::None,
                                     true,
                                     "1"};

/// The detail of the document: the limit with its setting, or `cause`, or the default of the error.
std::string detail_of(const EdgeError& why, const config::Server& settings, std::string_view cause);

inline const EdgeError& edge_error_for(Errc error, bool bad_version, bool too_many_fields) {
  switch (error) {
    case Errc::TargetTooLong: return kTargetTooLong;
    case Errc::HeaderTooLarge:
    case Errc::TooLarge:
    case Errc::TooMany: return too_many_fields ? kTooManyFields : kHeaderTooLarge;
    case Errc::Unsupported: return bad_version ? kBadVersion : kBadCoding;
    default: return kBadRequest;
  }
}

}  // namespace forebay::server
