#pragma once

#include <cstdint>

#include "forebay/proxy/counters.hpp"

namespace forebay::admin {

/// Sums a number of a route over the workers.
template <class Pick>
std::uint64_t sum(const proxy::CounterRegistry::Row& row, Pick&& pick) {
  std::uint64_t n = 0;
  for (const auto* w : row.workers) n += pick(*w).read();
  return n;
}

}  // namespace forebay::admin
