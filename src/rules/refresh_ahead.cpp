#include <algorithm>

#include "forebay/rules/reuse.hpp"

namespace forebay::rules {
namespace {

using Real = std::chrono::duration<double>;

// Below this number of requests per lifetime, early refreshes cost more than the misses they save. A Poisson stream of
// five per lifetime reaches it once in a million lifetimes.
constexpr double kColdest = 20;
// Number of requests expected before the latest start of the refresh, besides those during the fetch, so that one of
// them starts it in time.
constexpr double kRequestsInLead = 8;
// Part of a lifetime that may be lost, for fast fetches: 1 / 0.85 < 1.2 fetches per lifetime.
constexpr double kMostGivenAway = 0.15;

// Under `automatic`: how long before its end this request starts the refresh. XFetch weighs the draw only by the fetch
// time; here the time between requests counts too, since a fetch may be shorter.
Real lead(Real life, Real since, const Use& use, double draw) noexcept {
  // For a new response, a few hits do not show the rate.
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
  // Remaining lifetime at receipt: a response that another cache kept for most of its lifetime is not refreshed at
  // once.
  const Real life = stored.left();
  if (!rule.automatic) return Real{left} <= life * rule.share;
  return Real{left} <= lead(life, now - stored.received, use, draw);
}

}  // namespace forebay::rules
