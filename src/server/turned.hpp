#pragma once

#include <string_view>

#include "forebay/base/error.hpp"
#include "forebay/server/exchange.hpp"

namespace forebay::server {

/// Why the edge turns a message away by itself, and what it says then.
struct Turned {
  int status;
  Refusal reason;
  std::string_view code, title, detail;
  std::string_view lines = {};  ///< More field lines of the answer.
};

inline constexpr Turned kBadRequest{400, Refusal::BadRequest, "bad_request", "Bad Request",
                                    "The request does not follow HTTP/1.1."};
inline constexpr Turned kBadBody{400, Refusal::BadRequest, "bad_request", "Bad Request",
                                 "The request's content is malformed or ends early."};
inline constexpr Turned kTimeout{408, Refusal::ClientTimeout, "client_timeout", "Request Timeout",
                                 "The request took too long to arrive."};
inline constexpr Turned kBodyTooLarge{413, Refusal::BodyTooLarge, "body_too_large", "Content Too Large",
                                      "The request's content is longer than this server takes."};
inline constexpr Turned kTargetTooLong{414, Refusal::TargetTooLong, "target_too_long", "URI Too Long",
                                       "The request target is longer than this server takes."};
inline constexpr Turned kExpectation{417, Refusal::BadRequest, "expectation_failed", "Expectation Failed",
                                     "Only 100-continue can be expected."};
inline constexpr Turned kHeaderTooLarge{431, Refusal::HeaderTooLarge, "header_too_large",
                                        "Request Header Fields Too Large",
                                        "The request's header is larger than this server takes."};
inline constexpr Turned kBadCoding{501, Refusal::BadRequest, "not_implemented", "Not Implemented",
                                   "The only transfer coding that is understood is chunked."};
inline constexpr Turned kBadVersion{505, Refusal::BadRequest, "version_not_supported", "HTTP Version Not Supported",
                                    "This server speaks HTTP/1.1 and HTTP/1.0."};
inline constexpr Turned kOverload{
    503, Refusal::Overload, "overload", "Service Unavailable", "There are too many connections.", "Retry-After: 1\r\n"};

inline const Turned& turned_for(Errc error, bool bad_version) {
  switch (error) {
    case Errc::TargetTooLong:
      return kTargetTooLong;
    case Errc::HeaderTooLarge:
    case Errc::TooLarge:
    case Errc::TooMany:
      return kHeaderTooLarge;
    case Errc::Unsupported:
      return bad_version ? kBadVersion : kBadCoding;
    default:
      return kBadRequest;
  }
}

}  // namespace forebay::server
