#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "forebay/base/clock.hpp"
#include "forebay/rules/vocabulary.hpp"

namespace forebay::admin {

/// Buckets of a histogram of durations.
using Latencies = std::array<std::uint64_t, 25>;

/// Sums since the start of the process. The first ones are the results, in the order of `rules::CacheResult`.
enum class Rate : std::uint8_t {
  Status1xx = rules::kCacheResults,
  Status2xx,
  Status3xx,
  Status4xx,
  Status5xx,
  Errors,  ///< Responses that Forebay made itself because of an error.
  RequestBytes,
  BytesFromCache,
  BytesFromOrigin,
  BytesFromForebay,
  Stored,
  NotStored,
  SavedRequests,
  SavedSeconds,
  // From here on, of the process as a whole.
  OriginRequests,
  OriginErrors,
  EvictedCapacity,
  EvictedExpired,
  Purged,
  ConnectionsAccepted,
  kCount
};
inline constexpr std::size_t kRates = static_cast<std::size_t>(Rate::kCount);
inline constexpr std::size_t kRouteRates = static_cast<std::size_t>(Rate::OriginRequests);
std::string_view rate_name(std::size_t rate) noexcept;

enum class Gauge : std::uint8_t {
  Memory,
  MemoryLimit,
  Entries,
  Connections,
  InFlight,
  OriginInFlight,
  Waiting,
  Tunnels,
  kCount
};
inline constexpr std::size_t kGauges = static_cast<std::size_t>(Gauge::kCount);
std::string_view gauge_name(std::size_t gauge) noexcept;

/// What all routes, or one, have counted so far.
struct Totals {
  std::array<double, kRates> rates{};
  Latencies hits{}, misses{};
  double& operator[](Rate r) noexcept { return rates[static_cast<std::size_t>(r)]; }
};
struct Sample {
  Totals all;
  std::array<double, kGauges> gauges{};
  std::vector<std::pair<std::string, Totals>> routes;  ///< In the order of their names.
  double& operator[](Gauge g) noexcept { return gauges[static_cast<std::size_t>(g)]; }
};

/// Between two samples: rates for a second, and times in milliseconds, which are not a number where nothing was
/// measured.
struct Span {
  double seconds = 0;
  std::array<double, kRates> rates{};
  double requests = 0;
  double hit_ratio = 0;  ///< Not a number where no request counts.
  double hit_p50 = 0, hit_p99 = 0, miss_p50 = 0, miss_p99 = 0;
  double rate(Rate r) const noexcept { return rates[static_cast<std::size_t>(r)]; }
};
/// `bounds`: those of the histograms, in nanoseconds. A sum that has become smaller counts as unchanged.
Span between(const Totals& before, const Totals& after, Duration time, std::span<const std::uint64_t> bounds);
/// The share `q` of the values is at most this, in the unit of the bounds; interpolated within a bucket. Not a number
/// without values.
double quantile(const Latencies& counts, std::span<const std::uint64_t> bounds, double q);

/// Time series of the last hour in memory: points of about one second for five minutes, and of ten seconds for an hour.
/// A point says how much time it covers, since a sample may come late, and a machine may sleep: nothing is filled in.
/// Some 120 KiB, up to 72 KiB for each of `kMostRoutes` routes that have had a request, and 8 KiB for each route of a
/// sample, since a dozen samples are kept. Used by the admin worker only.
class Stats {
 public:
  static constexpr Duration kFine = std::chrono::seconds{1}, kCoarse = std::chrono::seconds{10};
  static constexpr std::size_t kFinePoints = 300, kCoarsePoints = 360;
  static constexpr std::size_t kMostRoutes = 100;
  static constexpr Duration kMinute = std::chrono::minutes{1};

  /// `bounds` must outlive it.
  explicit Stats(std::span<const std::uint64_t> bounds);
  /// About once a second.
  void add(Sample sample, Timestamp now);

  static constexpr std::size_t kQuantiles = 4;
  static constexpr std::size_t kValues = kRates + kQuantiles + kGauges;
  static constexpr std::size_t kRouteValues = kRouteRates + kQuantiles;
  /// The name of a value of a point.
  static std::string_view value_name(std::size_t value) noexcept;
  static std::string_view route_value_name(std::size_t value) noexcept;
  struct Point {
    Timestamp at{};     ///< Its end.
    float seconds = 0;  ///< What it covers.
    std::span<const float> values{};
  };
  /// Those of the last `window`, the oldest first: fine ones up to five minutes, coarse ones above. With `route`: its
  /// values; empty where it has none.
  std::vector<Point> points(Duration window, Timestamp now, std::string_view route = {}) const;

  /// The last minute, or less after the start.
  struct Minute {
    Span all;
    std::vector<std::pair<std::string, Span>> routes;
  };
  Minute minute() const;
  /// The latest point, and the routes that have had a request in it.
  Minute second() const;
  const Sample& latest() const noexcept { return latest_; }
  Timestamp latest_at() const noexcept { return latest_at_; }
  std::span<const std::uint64_t> bounds() const noexcept { return bounds_; }

 private:
  /// A ring of points; the point n is at n % size.
  struct Ring {
    explicit Ring(std::size_t its_size) : size(its_size), at(its_size), seconds(its_size), values(its_size * kValues) {}
    std::size_t size;
    std::vector<Timestamp> at;
    std::vector<float> seconds;
    std::vector<float> values;
    std::uint64_t next = 0;
    Sample before{};  // of the last point
    Timestamp before_at{};
    std::map<std::string, std::vector<float>, std::less<>> routes{};
  };
  void add_point(Ring& ring, const Sample& sample, Timestamp now);

  std::span<const std::uint64_t> bounds_;
  Ring fine_{kFinePoints}, coarse_{kCoarsePoints};
  std::deque<std::pair<Timestamp, Sample>> marks_;  // one each ten seconds, for the last minute
  Sample latest_;
  Timestamp latest_at_{};
  Minute second_;
};

}  // namespace forebay::admin
