#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "forebay/http/message.hpp"
#include "forebay/rules/policy.hpp"
#include "forebay/rules/vocabulary.hpp"

namespace forebay::rules {

/// Whether a request with this method may change something: it is not known to be safe, and the route does not declare
/// it a read. A route declares a read by caching it: its `methods` list the
/// method, it has no `cache: false`, and none of its `bypass` rules took the request. `not_looked_up`: why the request
/// was not looked up (RuleHeader, RuleCookie, RuleQuery ...), None if it was.
bool may_change(http::Method method, std::string_view method_text, Reason not_looked_up, const Policy& policy) noexcept;
/// Whether it invalidates by its URL: the same, and `invalidate_on_write` is on.
bool is_write(http::Method method, std::string_view method_text, Reason not_looked_up, const Policy& policy) noexcept;

/// RFC 9111 section 4.4: the targets (path with query, same origin as the request) that this exchange makes stale: the
/// request's own, Content-Location, and Location of a 2xx. Empty for safe methods and for answers other than 2xx and
/// 3xx.
std::vector<std::string> invalidated_targets(http::Method method, std::string_view scheme, std::string_view host,
                                             std::string_view target, const http::ResponseView& response);

}  // namespace forebay::rules
