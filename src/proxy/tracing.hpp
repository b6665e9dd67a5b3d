#pragma once

#include "core.hpp"
#include "forebay/cache/flight.hpp"

namespace forebay::proxy {

/// Begins the span of a fetch: a new one below the client's span; without a valid traceparent, the root of a new trace.
/// Notes it for the log, and on the flight for those who wait for it. The trace context of a signed request goes on as
/// it came. `flight` may be null.
void begin_span(PendingRequest& pending, cache::Flight* flight);
/// The refresh that this request starts is a trace of its own. Notes its span for the log; before the answer, which
/// ends the request.
void link_refresh(PendingRequest& pending);
/// Notes the span of the fetch that this request has waited for.
void link_flight(PendingRequest& pending, const cache::Flight& flight);

}  // namespace forebay::proxy
