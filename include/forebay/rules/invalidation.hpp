#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "forebay/http/message.hpp"
#include "forebay/rules/policy.hpp"

namespace forebay::rules {

/// Whether a request with this method can invalidate on this route: not known to be safe, `invalidate_on_write` is on,
/// and `methods` does not declare it a read.
bool is_write(http::Method method, std::string_view method_text, const Policy& policy) noexcept;

/// RFC 9111 section 4.4: the targets (path with query, same origin as the request) that this exchange makes stale: the
/// request's own, Location and Content-Location. Empty for safe methods and for answers other than 2xx and 3xx.
std::vector<std::string> invalidated_targets(http::Method method, std::string_view scheme, std::string_view host,
                                             std::string_view target, const http::ResponseView& response);

}  // namespace forebay::rules
