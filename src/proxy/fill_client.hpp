#pragma once

#include <string>
#include <string_view>

#include "core.hpp"
#include "fill_plan.hpp"
#include "forebay/net/source.hpp"

// What a fill tells the client that caused it, and what the client's line of the log says of it. A pending without a
// client, or whose client has left, is told nothing.

namespace forebay::proxy {

/// For the log. `status`: of the answer; 0: none has come.
void note_source(const PendingRequest& pending, const FillPlan& plan, const net::SourceTimes& times, int status);
void note_failure(const PendingRequest& pending, net::FetchError error, std::string_view detail);

/// Serves what is stored in the place of an error. `status`: of the origin's answer; 0: there was none.
void serve_stale(PendingRequest& pending, const FillPlan& plan, std::string_view key_text, int status);
/// Those who follow hear this of a failure.
/// `retry_after`: see `net::SourceTimes`.
cache::Failure failure_of(net::FetchError error, std::string_view detail, Duration retry_after);
void deliver_failure(PendingRequest& pending, net::FetchError error, Duration retry_after);

}  // namespace forebay::proxy
