#pragma once

#include <memory>

namespace forebay::server {

class ConnectionLimits;

/// For a listener that must always be reached. Where there are as many connections as `max_connections`, the one whose
/// client has been silent for longest is closed in favour of a new one: one without a whole request, or that does not
/// read its answer. Not one whose request is being answered, nor a stream.
std::shared_ptr<ConnectionLimits> limits_with_giving_way();

}  // namespace forebay::server
