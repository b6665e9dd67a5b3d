#include <algorithm>

#include "forebay/rules/reuse.hpp"

namespace forebay::rules {
namespace {

using Real = std::chrono::duration<double>;

// Requests a lifetime below which early refreshes cost more than the misses they save. A Poisson stream of five a
// lifetime seems as dense as this once in a million lifetimes.
constexpr double kColdest = 20;
// How many requests the time between the last moment to begin and the end of the lifetime should hold besides those
// that come during the fetch, so that one of them begins it in time.
constexpr double kRequestsInLead = 8;
// The part of a lifetime that may be given away for it, where fetches are quick: 1 / 0.85 < 1.2 fetches a lifetime.
constexpr double kMostGivenAway = 0.15;

// Under `automatic`: how long before its end this request begins the refresh. XFetch weighs the draw by the fetch time
// alone; here the time in which some requests come counts as well, for a fetch may take less than the time between two
// of them.
Real lead(Real life, Real since, const Use& use, double draw) noexcept {
  // For a response that has only come, a few hits say little of their rate.
  const Real watched = std::max(since, life / 20);
  const double rate = static_cast<double>(use.hits) / watched.count();
  if (rate * life.count() < kColdest) return Real{0};
  const Real fetch = std::max(Real{use.fetch_time}, Real{0});
  const Real base = fetch + std::max(fetch / 2, Real{kRequestsInLead / rate});
  const Real most = std::max(life * kMostGivenAway, std::min(fetch * 1.5, life / 2));
  return std::min(base * (1 + std::max(draw, 0.0)), most);
}

}  // namespace

bool refreshes_ahead(const Freshness& stored, const Use& use, const Policy& policy, double draw,
                     Timestamp now) noexcept {
  const auto& rule = policy.refresh_ahead;
  if (!rule.automatic && rule.share <= 0) return false;
  const Duration left = stored.ttl(now);
  if (left <= Duration{0} || stored.purged || stored.no_cache) return false;
  // What it had left when it came: one that another cache has kept for most of its lifetime is not refreshed at once.
  const Real life = stored.left();
  if (!rule.automatic) return Real{left} <= life * rule.share;
  return Real{left} <= lead(life, now - stored.received, use, draw);
}

}  // namespace forebay::rules
