#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "forebay/admin/status.hpp"
#include "stats.hpp"

namespace forebay::admin {

/// The sum of counters of which some go, come, or begin anew: it never becomes smaller.
class RunningSum {
 public:
  /// All that there are now, by name. One that has become smaller has begun anew, and adds nothing this time.
  double update(std::map<std::string, double> counters);

 private:
  std::map<std::string, double> before_;
  double sum_ = 0;
};

/// Sums up what everything has counted.
class Sampler {
 public:
  /// Further routes, by name, count for all only.
  static constexpr std::size_t kMostRoutes = 1000;

  Sample take(const Sources& sources);

 private:
  RunningSum origin_requests_, origin_errors_, accepted_;
};

}  // namespace forebay::admin
