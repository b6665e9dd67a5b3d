#pragma once

#include "core.hpp"

namespace forebay::proxy {

/// Finds the route of a request whose target and host are parsed, reading the content first if needed, and handles it
/// there. Called again when content that had to be waited for has been read.
void go_to_route(const PendingRequestPtr& pending);
/// The same for content that was read for the key.
void go_on_to_key(const PendingRequestPtr& pending);

}  // namespace forebay::proxy
