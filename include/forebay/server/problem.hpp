#pragma once

#include <string>
#include <string_view>

#include "forebay/config/config.hpp"
#include "forebay/http/fields.hpp"

namespace forebay::server {

/// An error of Forebay as RFC 9457 problem details.
struct Problem {
  int status = 500;
  std::string_view code;  ///< Stable, e.g. "bad_request": becomes the `type` urn:forebay:error:bad_request.
  std::string_view title;
  std::string_view detail;      ///< One sentence for the client; nothing internal.
  std::string_view request_id;  ///< May be empty.
  std::string_view reason;      ///< Cache reason (docs/logging.md); may be empty.
};
/// The document and its Content-Type by the request's Accept: application/problem+json unless the client prefers
/// text/html or text/plain.
struct ProblemBody {
  std::string content_type;
  std::string body;
};
ProblemBody render(const Problem& problem, std::string_view accept);

/// Details of a 413 and a 408: the limit and its setting.
std::string content_too_large(const config::Server& settings);
/// `times`: the content may take this multiple of `server.timeouts.body`.
std::string content_too_late(const config::Server& settings, int times);

}  // namespace forebay::server
