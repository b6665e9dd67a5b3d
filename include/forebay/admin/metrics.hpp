#pragma once

#include <array>
#include <string>

#include "forebay/admin/status.hpp"
#include "forebay/base/histogram.hpp"

namespace forebay::admin {

/// Label `endpoint` of forebay_admin_requests_total.
enum class Endpoint : std::uint8_t { Livez, Readyz, Version, Metrics, Explain, Other, kCount };
std::string_view to_string(Endpoint e) noexcept;

/// Requests of the admin listener; written by its worker.
struct AdminCounters {
  std::array<std::array<Cell, 5>, static_cast<std::size_t>(Endpoint::kCount)>
      requests;  ///< [endpoint][status class - 1]
};

/// All metrics in the Prometheus text format. Per-worker numbers are summed here, for each scrape.
std::string exposition(const Sources& sources, const AdminCounters& admin);
inline constexpr std::string_view kExpositionType = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace forebay::admin
