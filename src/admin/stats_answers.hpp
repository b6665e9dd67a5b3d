#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "call.hpp"

namespace forebay::admin {

/// The last minute, as `/api/v1/status` and `/api/v1/stats` have it.
boost::json::object minute_json(const Stats& stats, bool with_routes);
/// The latest second, as the stream has it.
std::string second_json(const Stats& stats, State state, const Now& now);

}  // namespace forebay::admin
