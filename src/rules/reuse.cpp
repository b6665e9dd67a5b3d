#include "forebay/rules/reuse.hpp"

#include <algorithm>

namespace forebay::rules {
namespace {

// How long it has been stale; below zero while it is fresh. An invalidated response is stale from that moment on.
Duration staleness(const Freshness& stored, Timestamp now) noexcept {
  const Duration stale_for = std::max(-stored.ttl(now), now - stored.usable_until);
  return stored.purged ? std::max(stale_for, Duration{0}) : stale_for;
}

Duration revalidate_window(const Freshness& stored, const Policy& policy) noexcept {
  return windows_of(stored, policy).while_revalidate;
}

Duration error_window(const Freshness& stored, const Policy& policy) noexcept {
  return windows_of(stored, policy).if_error;
}

// With a guarded credential, the stale window must be the origin's.
bool lives_by_window(const Freshness& stored, const RequestFacts& facts) noexcept {
  return facts.credential != Reason::None && stored.lifetime <= Duration{0};
}

bool not_for(const Freshness& stored, const RequestFacts& facts) noexcept {
  return kept_from(stored, facts) != Reason::None;
}

// Section 5.2.1: whether the client requires validation of a fresh response.
bool client_declines(const RequestDirectives& d, const Freshness& stored, Timestamp now) noexcept {
  if (d.no_cache) return true;
  // Browsers reload with max-age=0 alone; a client that states an age wants none above it.
  const bool reload = d.max_age == Seconds{0};
  if (reload && !(stored.immutable && is_fresh(stored, now))) return true;
  if (d.max_age && !reload && stored.age(now) > *d.max_age) return true;
  return d.min_fresh && stored.ttl(now) < *d.min_fresh;
}

// Section 5.2.1.1: a client that bounds the age, and does not say max-stale.
bool wants_nothing_stale(const RequestDirectives& d) noexcept { return !d.max_stale && (d.max_age || d.min_fresh); }

// A signed URL ends, and its windows with it.
void end_windows(StaleWindows& w, const Freshness& stored) noexcept {
  if (stored.usable_until == Timestamp::max()) return;
  const Duration left = std::max(Duration{0}, stored.usable_until - stored.stale_at());
  w.while_revalidate = std::min(w.while_revalidate, left);
  w.if_error = std::min(w.if_error, left);
}

// The origin's window wins, also where it is the shorter one (RFC 5861 section 3).
StaleWindows granted_windows(const Freshness& stored, const Policy& policy) noexcept {
  StaleWindows w;
  if (stored.no_cache) return w;
  w.from_origin_swr = stored.stale_while_revalidate.has_value();
  if (w.from_origin_swr)
    w.while_revalidate = *stored.stale_while_revalidate;
  else if (!stored.must_revalidate && stored.route_windows)
    w.while_revalidate = policy.stale.while_revalidate;
  if (stored.must_revalidate) return w;
  w.from_origin_sie = stored.stale_if_error.has_value();
  if (w.from_origin_sie)
    w.if_error = *stored.stale_if_error;
  else if (stored.route_windows)
    w.if_error = policy.stale.if_error;
  return w;
}

}  // namespace

bool is_fresh(const Freshness& stored, Timestamp now) noexcept { return staleness(stored, now) < Duration{0}; }

Reason kept_from(const Freshness& stored, const RequestFacts& facts) noexcept {
  if (facts.authorization && !facts.authorization_in_key && !stored.serve_authorized) return Reason::Authorization;
  if (stored.configured && facts.credential != Reason::None) return facts.credential;
  return stored.preflighted && facts.simple_get ? Reason::Preflight : Reason::None;
}

StaleWindows windows_of(const Freshness& stored, const Policy& policy) noexcept {
  auto windows = granted_windows(stored, policy);
  end_windows(windows, stored);
  return windows;
}

Reuse may_reuse(const Freshness& stored, const RequestFacts& facts, const Policy& policy, Timestamp now) noexcept {
  if (not_for(stored, facts)) return Reuse::NotForThis;
  if (stored.no_cache || facts.refresh) return Reuse::Validate;
  const RequestDirectives& client = facts.directives;
  const bool listens = policy.client_cache_control;
  if (listens && client_declines(client, stored, now)) return Reuse::Validate;
  if (is_fresh(stored, now)) return Reuse::Fresh;

  const Duration stale_for = staleness(stored, now);
  const bool stale_unwanted = listens && wants_nothing_stale(client);
  if (!stale_unwanted && !is_kept_by_window(stored, facts) && stale_for < revalidate_window(stored, policy))
    return Reuse::WhileRevalidating;
  if (listens && client.max_stale && !stored.must_revalidate && !stored.purged && now < stored.usable_until) {
    // Compared in seconds: max-stale without a value is more than a Duration can hold.
    if (std::chrono::ceil<Seconds>(stale_for) <= *client.max_stale) return Reuse::MaxStale;
  }
  return Reuse::Validate;
}

CacheResult served_as(const Freshness& stored, Timestamp now) noexcept {
  return is_fresh(stored, now) ? CacheResult::Hit : CacheResult::Stale;
}

bool is_kept_by_window(const Freshness& stored, const RequestFacts& facts) noexcept {
  return lives_by_window(stored, facts) && !stored.stale_while_revalidate;
}

bool may_serve_on_error(const Freshness& stored, const RequestFacts& facts, const Policy& policy,
                        Timestamp now) noexcept {
  if (kept_from(stored, facts) != Reason::None) return false;
  if (lives_by_window(stored, facts) && !stored.stale_if_error) return false;
  const Duration window = stored.error ? Duration{0} : error_window(stored, policy);
  return window > Duration{0} && staleness(stored, now) < window;
}

bool may_serve_unasked(const Freshness& stored, const RequestFacts& facts, const Policy& policy,
                       Timestamp now) noexcept {
  const auto& client = facts.directives;
  const bool validates =
      policy.client_cache_control && (client_declines(client, stored, now) || wants_nothing_stale(client));
  return !validates && may_serve_on_error(stored, facts, policy, now);
}

Timestamp useless_after(const Freshness& stored, const Policy& policy, bool has_validator) noexcept {
  const Timestamp stale_at = stored.stale_at();
  Duration worth = std::max(revalidate_window(stored, policy), error_window(stored, policy));
  // max-stale of a client also makes a stale response useful.
  const bool until_then = stale_at < stored.usable_until;
  if (has_validator || (policy.client_cache_control && until_then)) worth = std::max(worth, policy.keep);
  return stale_at + std::clamp<Duration>(worth, Duration{0}, std::chrono::hours{24 * 365 * 70});
}

Forward forward_reason(const Freshness& stored, const RequestFacts& facts, const Policy& policy,
                       Timestamp now) noexcept {
  if (facts.refresh || not_for(stored, facts)) return Forward::Request;
  if (stored.no_cache || !is_fresh(stored, now)) return Forward::Stale;
  const bool declined = policy.client_cache_control && client_declines(facts.directives, stored, now);
  return declined ? Forward::Request : Forward::Stale;
}

}  // namespace forebay::rules
