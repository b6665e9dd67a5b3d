#pragma once

#include <string>

#include "forebay/config/load.hpp"

namespace forebay::config {

/// Reads the cgroup limits (v2, else v1) of the machine whose `/proc` and `/sys` stand below `root`, so that tests can
/// build one.
Surroundings surroundings_below(const std::string& root, std::uint64_t physical_memory, unsigned cores);

}  // namespace forebay::config
