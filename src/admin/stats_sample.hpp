#pragma once

#include "forebay/admin/status.hpp"
#include "stats.hpp"

namespace forebay::admin {

/// What everything has counted up to now.
Sample take_sample(const Sources& sources);

}  // namespace forebay::admin
