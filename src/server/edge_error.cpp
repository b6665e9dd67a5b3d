#include "server/edge_error.hpp"

#include "forebay/base/duration_text.hpp"
#include "forebay/base/text.hpp"
#include "forebay/server/problem.hpp"

namespace forebay::server {
namespace {

std::string number(std::uint64_t n) {
  std::string out;
  append_number(out, n);
  return out;
}

std::string bound(std::string_view what, const std::string& limit, std::string_view setting) {
  return std::string(what) + ' ' + limit + " (" + std::string(setting) + ").";
}

}  // namespace

std::string content_too_large(const config::Server& settings) {
  return bound("The request's content is longer than", number(settings.request_body) + " bytes",
               "server.limits.request_body");
}

std::string content_too_late(const config::Server& settings, int times) {
  return bound("The request's content did not arrive within", duration_text(times * settings.timeouts.body),
               number(static_cast<std::uint64_t>(times)) + " times server.timeouts.body");
}

std::string detail_of(const EdgeError& why, const config::Server& settings, std::string_view cause) {
  switch (why.bound) {
    case Bound::None: break;
    case Bound::HeadTime:
      return bound("The request's head did not arrive within", duration_text(settings.timeouts.header),
                   "server.timeouts.header");
    case Bound::ContentTime:
      return bound("No more request content arrived for", duration_text(settings.timeouts.body),
                   "server.timeouts.body");
    case Bound::ContentRate:
      return bound("The request's content arrived more slowly than", number(settings.min_rate) + " bytes a second",
                   "server.limits.min_rate");
    case Bound::Content: return content_too_large(settings);
    case Bound::Target:
      return bound("The request target is longer than", number(settings.request_limits.target) + " bytes",
                   "server.limits.request_target");
    case Bound::Head:
      return bound("The request's head is longer than", number(settings.request_limits.head) + " bytes",
                   "server.limits.request_header");
    case Bound::Fields:
      return bound("The request has more header fields than", number(settings.request_limits.fields),
                   "server.limits.header_count");
  }
  return std::string(cause.empty() ? why.detail : cause);
}

}  // namespace forebay::server
