#pragma once

#include "config/node.hpp"
#include "config/report.hpp"

namespace forebay::config {

/// Compares every key of the tree with the table of options: unknown ones (FB1001), ones of later versions (FB1016),
/// and maps where there must be maps. The types of the values are the readers' business.
void check_keys(const Node& root, Report& report);

}  // namespace forebay::config
