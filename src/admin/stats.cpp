#include "stats.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace forebay::admin {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr float kNoValue = std::numeric_limits<float>::quiet_NaN();

constexpr std::array<std::string_view, kRates - rules::kCacheResults> kRateNames{
    "status_1xx",        "status_2xx",         "status_3xx",      "status_4xx",
    "status_5xx",        "own_errors",         "request_bytes",   "bytes_from_cache",
    "bytes_from_origin", "bytes_from_forebay", "stored",          "not_stored",
    "saved_requests",    "saved_seconds",      "origin_requests", "origin_errors",
    "evicted_capacity",  "evicted_expired",    "purged",          "connections_accepted"};
constexpr std::array<std::string_view, kGauges> kGaugeNames{
    "memory_bytes", "memory_limit_bytes", "entries", "connections",
    "in_flight",    "origin_in_flight",   "waiting", "tunnels"};
constexpr std::array<std::string_view, Stats::kQuantiles> kQuantileNames{"hit_p50_ms", "hit_p99_ms", "miss_p50_ms",
                                                                         "miss_p99_ms"};

Latencies between(const Latencies& before, const Latencies& after) {
  Latencies out{};
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = after[i] - std::min(before[i], after[i]);
  return out;
}

double result(const Span& span, rules::CacheResult r) { return span.rates[static_cast<std::size_t>(r)]; }

const Totals* of_route(const Sample& sample, std::string_view name) {
  const auto found = std::lower_bound(sample.routes.begin(), sample.routes.end(), name,
                                      [](const auto& r, std::string_view n) { return r.first < n; });
  return found == sample.routes.end() || found->first != name ? nullptr : &found->second;
}

double requests_of(const Totals& totals) {
  double n = 0;
  for (std::size_t i = 0; i < rules::kCacheResults; ++i) n += totals.rates[i];
  return n;
}

/// `rates` of them, and the quantiles.
float* write(float* out, const Span& span, std::size_t rates) {
  for (std::size_t i = 0; i < rates; ++i) *out++ = static_cast<float>(span.rates[i]);
  for (const double q : {span.hit_p50, span.hit_p99, span.miss_p50, span.miss_p99}) *out++ = static_cast<float>(q);
  return out;
}

}  // namespace

std::string_view rate_name(std::size_t rate) noexcept {
  return rate < rules::kCacheResults ? rules::to_string(static_cast<rules::CacheResult>(rate))
                                     : kRateNames[rate - rules::kCacheResults];
}
std::string_view gauge_name(std::size_t gauge) noexcept { return kGaugeNames[gauge]; }

double quantile(const Latencies& counts, std::span<const std::uint64_t> bounds, double q) {
  std::uint64_t all = 0;
  const auto buckets = std::min(bounds.size() + 1, counts.size());
  for (std::size_t i = 0; i < buckets; ++i) all += counts[i];
  if (all == 0) return kNone;
  const double rank = q * static_cast<double>(all);
  double below = 0;
  for (std::size_t i = 0; i < buckets; ++i) {
    const auto here = static_cast<double>(counts[i]);
    if (below + here < rank || here == 0) {
      below += here;
      continue;
    }
    const auto low = i == 0 ? 0.0 : static_cast<double>(bounds[i - 1]);
    // Above the last bound nothing more is known.
    return i == bounds.size() ? low : low + (static_cast<double>(bounds[i]) - low) * (rank - below) / here;
  }
  return bounds.empty() ? 0 : static_cast<double>(bounds.back());
}

Span between(const Totals& before, const Totals& after, Duration time, std::span<const std::uint64_t> bounds) {
  Span span;
  span.seconds = std::chrono::duration<double>(time).count();
  for (std::size_t i = 0; i < kRates; ++i)
    span.rates[i] = span.seconds <= 0 ? 0 : std::max(0.0, after.rates[i] - before.rates[i]) / span.seconds;
  for (std::size_t i = 0; i < rules::kCacheResults; ++i) span.requests += span.rates[i];
  using rules::CacheResult;
  const double counted = span.requests - result(span, CacheResult::Bypass) - result(span, CacheResult::Error);
  const double hits = result(span, CacheResult::Hit) + result(span, CacheResult::Stale) +
                      result(span, CacheResult::StaleError) + result(span, CacheResult::Coalesced);
  span.hit_ratio = counted <= 0 ? kNone : hits / counted;
  const auto hit = between(before.hits, after.hits), miss = between(before.misses, after.misses);
  constexpr double kMillisecond = 1e6;
  span.hit_p50 = quantile(hit, bounds, 0.5) / kMillisecond;
  span.hit_p99 = quantile(hit, bounds, 0.99) / kMillisecond;
  span.miss_p50 = quantile(miss, bounds, 0.5) / kMillisecond;
  span.miss_p99 = quantile(miss, bounds, 0.99) / kMillisecond;
  return span;
}

Stats::Stats(std::span<const std::uint64_t> bounds) : bounds_(bounds) {}

std::string_view Stats::value_name(std::size_t value) noexcept {
  if (value < kRates) return rate_name(value);
  return value < kRates + kQuantiles ? kQuantileNames[value - kRates] : gauge_name(value - kRates - kQuantiles);
}

std::string_view Stats::route_value_name(std::size_t value) noexcept {
  return value < kRouteRates ? rate_name(value) : kQuantileNames[value - kRouteRates];
}

void Stats::add(Sample sample, Timestamp now) {
  if (latest_at_ != Timestamp{} && now <= latest_at_) return;
  const auto by_name = [](const auto& a, const auto& b) { return a.first < b.first; };
  if (!std::is_sorted(sample.routes.begin(), sample.routes.end(), by_name))
    std::sort(sample.routes.begin(), sample.routes.end(), by_name);
  add_point(fine_, sample, now);
  // The time of a coarse point is that of whole fine ones.
  if (coarse_.before_at == Timestamp{} || now - coarse_.before_at >= kCoarse - kFine / 2) {
    add_point(coarse_, sample, now);
    marks_.emplace_back(now, sample);
    while (marks_.size() > 2 && now - marks_[1].first >= kMinute) marks_.pop_front();
  }
  if (latest_at_ != Timestamp{}) {
    second_ = {};
    second_.all = between(latest_.all, sample.all, now - latest_at_, bounds_);
    for (const auto& [name, totals] : sample.routes) {
      const auto* const before = of_route(latest_, name);
      auto span = between(before ? *before : Totals{}, totals, now - latest_at_, bounds_);
      if (span.requests > 0) second_.routes.emplace_back(name, span);
    }
  }
  latest_ = std::move(sample);
  latest_at_ = now;
}

void Stats::add_point(Ring& ring, const Sample& sample, Timestamp now) {
  // The first sample has all since the start of the process, of which nobody knows when it was.
  if (ring.before_at == Timestamp{}) {
    ring.before = sample;
    ring.before_at = now;
    return;
  }
  const auto place = static_cast<std::size_t>(ring.next % ring.size);
  const auto time = now - ring.before_at;
  ring.at[place] = now;
  ring.seconds[place] = std::chrono::duration<float>(time).count();
  auto* out = write(&ring.values[place * kValues], between(ring.before.all, sample.all, time, bounds_), kRates);
  for (const double gauge : sample.gauges) *out++ = static_cast<float>(gauge);

  for (auto& [name, values] : ring.routes) std::fill_n(&values[place * kRouteValues], kRouteValues, kNoValue);
  for (const auto& [name, totals] : sample.routes) {
    const auto* const before = of_route(ring.before, name);
    const auto known = ring.routes.find(name);
    if (known == ring.routes.end() && (requests_of(totals) == 0 || ring.routes.size() == kMostRoutes)) continue;
    auto& values =
        known != ring.routes.end()
            ? known->second
            : ring.routes.emplace(name, std::vector<float>(ring.size * kRouteValues, kNoValue)).first->second;
    write(&values[place * kRouteValues], between(before ? *before : Totals{}, totals, time, bounds_), kRouteRates);
  }
  ring.before = sample;
  ring.before_at = now;
  ++ring.next;
}

std::vector<Stats::Point> Stats::points(Duration window, Timestamp now, std::string_view route) const {
  const auto& ring = window <= kFine * kFinePoints ? fine_ : coarse_;
  const auto values = route.empty() ? ring.routes.end() : ring.routes.find(route);
  std::vector<Point> out;
  if (!route.empty() && values == ring.routes.end()) return out;
  for (auto n = ring.next > ring.size ? ring.next - ring.size : 0; n < ring.next; ++n) {
    const auto place = static_cast<std::size_t>(n % ring.size);
    if (ring.at[place] <= now - window) continue;
    const auto* const from = route.empty() ? &ring.values[place * kValues] : &values->second[place * kRouteValues];
    out.push_back({ring.at[place], ring.seconds[place], {from, route.empty() ? kValues : kRouteValues}});
  }
  return out;
}

Stats::Minute Stats::minute() const {
  Minute out;
  if (marks_.empty()) return out;
  const auto& [at, before] = marks_.front();
  const auto time = latest_at_ - at;
  out.all = between(before.all, latest_.all, time, bounds_);
  for (const auto& [name, totals] : latest_.routes) {
    const auto* const then = of_route(before, name);
    out.routes.emplace_back(name, between(then ? *then : Totals{}, totals, time, bounds_));
  }
  return out;
}

Stats::Minute Stats::second() const { return second_; }

}  // namespace forebay::admin
