#pragma once

#include "config/readers.hpp"
#include "config/row.hpp"

// What is done when an origin, or one of its urls, fails or has too much to do.

namespace forebay::config {

/// The rows from `retry_budget` to `ramp` of an origin.
Table<Origin> origin_resilience_table() noexcept;

/// Completes `health` once all keys of the origin have been read, and says what contradicts or has no effect.
void check_resilience(const Section& section, Origin& origin);

/// Sets `failover` of the origins, once all of `node` have been read. Urls make further origins.
void read_failovers(Loading& loading, const Node& node);

}  // namespace forebay::config
