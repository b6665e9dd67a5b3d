#pragma once

#include <optional>
#include <string>

#include "core.hpp"

namespace forebay::proxy {

/// Where a route redirects this request, as the value of Location. Nothing where the target needs a host and the
/// request has none.
std::optional<std::string> location_for(const config::Route& route, const Reading& reading);

/// Answers by the route's `redirect` or `respond`. Nothing is looked up, and the request's content is not read.
void answer_here(PendingRequest& pending, rules::Reason reason);

}  // namespace forebay::proxy
