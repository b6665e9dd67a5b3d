#pragma once

#include <array>
#include <string>

#include "forebay/admin/status.hpp"
#include "forebay/base/histogram.hpp"

namespace forebay::admin {

inline constexpr std::size_t kMostEndpoints = 48;

/// Requests of the admin listener; written by its worker.
struct AdminCounters {
  /// [endpoint][status class - 1]; the first are those of no endpoint, the others are in the order of the table.
  std::array<std::array<Cell, 5>, kMostEndpoints> requests;
};

/// All metrics in the Prometheus text format. Per-worker numbers are summed here, for each scrape.
std::string exposition(const Sources& sources, const AdminCounters& admin);
inline constexpr std::string_view kExpositionType = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace forebay::admin
