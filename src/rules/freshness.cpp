#include "forebay/rules/freshness.hpp"

#include <algorithm>
#include <array>

#include "forebay/http/date.hpp"
#include "forebay/http/list.hpp"
#include "rules/directive.hpp"

namespace forebay::rules {
namespace {

using http::FieldId;

// Dates are compared as whole seconds, so that no pair of them can overflow.
std::int64_t seconds_of(WallTime t) noexcept { return std::chrono::floor<Seconds>(t.time_since_epoch()).count(); }

std::optional<std::int64_t> date_field(http::FieldsView fields, FieldId id, Now now) noexcept {
  const auto text = fields.value(id);
  if (!text) return std::nullopt;
  const auto date = http::parse_date(*text, now.wall);
  return date ? std::optional(seconds_of(*date)) : std::nullopt;
}

// Section 4.2.1 counts from Date. Where that is missing or unreadable, from the receipt (RFC 9110 section 6.6.1).
std::int64_t origin_date(http::FieldsView fields, Now received) noexcept {
  return date_field(fields, FieldId::Date, received).value_or(seconds_of(received.wall));
}

// A step back of the wall clock during the exchange does not reduce the age.
Now at_receipt(const ExchangeTimes& times) noexcept {
  Now now = times.received;
  const Duration took = std::max(Duration{0}, times.received.mono - times.requested.mono);
  now.wall = std::max(now.wall, times.requested.wall + took);
  return now;
}

Duration bounded(std::int64_t seconds) noexcept { return Seconds{std::clamp(seconds, std::int64_t{0}, kMostSeconds)}; }

// RFC 9110 section 15.1: statuses that may be cached without directives of the origin.
bool heuristically_cacheable(int status) noexcept {
  static constexpr std::array<int, 11> kStatuses{200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501};
  return std::find(kStatuses.begin(), kStatuses.end(), status) != kStatuses.end();
}

// A share of the time since the last modification.
Lifetime heuristic_lifetime(Duration unchanged_for, const Policy& policy) noexcept {
  constexpr Duration kMost = Seconds{kMostSeconds};
  const double share = static_cast<double>(unchanged_for.count()) * policy.ttl.heuristic;
  Lifetime life{kMost, TtlSource::Heuristic};
  if (share < static_cast<double>(kMost.count())) life.value = Duration{static_cast<Duration::rep>(share)};
  life.unchanged_for = unchanged_for;
  return life;
}

// Section 4.2.2. Never where the origin has tried to state a lifetime, however badly.
std::optional<Lifetime> heuristic_lifetime(const http::ResponseView& response, const ResponseDirectives& directives,
                                           const Policy& policy, Now received) {
  if (policy.ttl.heuristic <= 0) return std::nullopt;
  if (policy.origin_cache_control == OriginCacheControl::Respect && directives.names_freshness) return std::nullopt;
  if (!heuristically_cacheable(response.status) && !directives.public_) return std::nullopt;
  const auto modified = date_field(response.fields, FieldId::LastModified, received);
  const auto date = origin_date(response.fields, received);
  if (!modified || *modified >= date) return std::nullopt;
  return heuristic_lifetime(bounded(date - *modified), policy);
}

bool is_listed(int status, const Policy& policy) noexcept {
  return std::any_of(policy.statuses.begin(), policy.statuses.end(),
                     [status](const StatusPattern& p) { return p.gives_lifetime(status); });
}

// The route's lifetime for this status: `ttl.status`, then `ttl.default`. Transient errors (429 and 5xx) need a line
// for exactly this status.
std::optional<Lifetime> configured_lifetime(int status, const Policy& policy) noexcept {
  if (const auto* line = status_line(status, policy)) return Lifetime{line->second, TtlSource::Status, true};
  if (policy.ttl.fallback <= Duration{0} || is_passing_error(status)) return std::nullopt;
  return is_listed(status, policy) ? std::optional(Lifetime{policy.ttl.fallback, TtlSource::Default, true})
                                   : std::nullopt;
}

// Applies the route's bounds, which count from receipt. A lifetime raised to the minimum counts as set by the route.
// `age`: at receipt.
void clamp(Lifetime& life, Duration age, int status, const Policy& policy, bool guarded) noexcept {
  const auto left = [&] { return life.from_receipt ? life.value : life.value - age; };
  const auto& ttl = policy.ttl;
  const bool by_line = life.source == TtlSource::Status;
  const bool named = status_line(status, policy) != nullptr;
  const bool capped = is_negative(status) && !named;
  if (capped && life.source == TtlSource::Default && life.value > ttl.negative) {
    life.value = ttl.negative;
    life.source = TtlSource::Negative;
  }
  const Duration minimum = capped ? std::min(ttl.min, ttl.negative) : ttl.min;
  // The minimum does not apply to a status with a configured zero, nor to errors.
  const bool zero_stays = by_line || is_passing_error(status);
  const bool stays = (zero_stays && life.value <= Duration{0}) || (is_client_made(status) && !named);
  const bool lifts = minimum > Duration{0} && left() < minimum && !stays;
  if (lifts && guarded) {
    life.blocked_by_guard = true;
  } else if (lifts) {
    life.value = minimum;
    life.source = TtlSource::Min;
    life.configured = life.from_receipt = true;
  }
  if (left() > ttl.max) {
    life.value = ttl.max;
    life.source = TtlSource::Max;
    life.from_receipt = true;
  }
  life.value = std::min<Duration>(life.value, Seconds{kMostSeconds});
}

// RFC 9110 section 10.2.3. An error is not kept longer than its Retry-After.
void cap_by_retry_after(Lifetime& life, Duration age, const http::ResponseView& response, Now received) noexcept {
  if (const auto most = retry_after(response, received))
    life.value = std::min(life.value, life.from_receipt ? std::max(Duration{0}, *most - age) : *most);
}

}  // namespace

std::string_view to_string(TtlSource s) noexcept {
  static constexpr std::array<std::string_view, 12> kWords{"none",    "targeted", "s-maxage", "max-age",
                                                           "expires", "status",   "default",  "heuristic",
                                                           "min",     "max",      "negative", "signed"};
  return kWords[static_cast<std::size_t>(s)];
}

const StatusLifetime* status_line(int status, const Policy& policy) noexcept {
  for (const auto& line : policy.ttl.status) {
    // A class with lifetime zero covers all its statuses; so does a class whose status the route lists exactly.
    const bool counts = line.first.gives_lifetime(status) || line.second <= Duration{0} || is_listed(status, policy);
    if (line.first.matches(status) && counts) return &line;
  }
  return nullptr;
}

std::optional<Seconds> read_age(http::FieldsView fields) noexcept {
  const auto line = fields.value(FieldId::Age);
  if (!line) return std::nullopt;
  // Section 5.1: of a list, which occurs in practice, the first member counts.
  const auto first = http::trim(line->substr(0, line->find(',')));
  std::uint64_t value = 0;
  if (!http::parse_decimal(first, static_cast<std::uint64_t>(kMostSeconds), value)) return std::nullopt;
  return Seconds{static_cast<std::int64_t>(value)};
}

std::optional<Duration> retry_after(const http::ResponseView& response, Now received) noexcept {
  if (response.status != 429 && response.status != 503) return std::nullopt;
  const auto text = response.fields.value(FieldId::RetryAfter);
  if (!text) return std::nullopt;
  if (const auto wait = delta_seconds(*text)) return bounded(wait->count());
  const auto at = date_field(response.fields, FieldId::RetryAfter, received);
  if (!at) return std::nullopt;
  return bounded(*at - origin_date(response.fields, received));
}

Duration corrected_initial_age(const http::ResponseView& response, const ExchangeTimes& times) {
  // Date has whole seconds. If that second was not over when we sent the request, the response may be newer, and its
  // age is only the delay of the exchange, which is added below.
  const Now received = at_receipt(times);
  const auto date = date_field(response.fields, FieldId::Date, received);
  const bool may_be_new = !date || *date + 1 > seconds_of(times.requested.wall);
  const Duration apparent = may_be_new ? Duration{0} : bounded(seconds_of(received.wall) - *date);
  const Duration delay = std::max(Duration{0}, times.received.mono - times.requested.mono);
  const Duration corrected = read_age(response.fields).value_or(Seconds{0}) + delay;
  return std::max(apparent, corrected);
}

Duration left_of_signature(WallTime until, const http::ResponseView& response, const ExchangeTimes& times) {
  const Now received = at_receipt(times);
  const auto now = std::max(seconds_of(received.wall), origin_date(response.fields, received));
  return bounded(seconds_of(until) - now);
}

std::optional<Lifetime> stated_lifetime(const http::ResponseView& response, const ResponseDirectives& directives,
                                        Now received) {
  const auto stated = [&](Duration value, TtlSource source) {
    Lifetime life{value, directives.targeted ? TtlSource::Targeted : source};
    life.explicit_lifetime = true;
    return life;
  };
  if (directives.s_maxage) return stated(*directives.s_maxage, TtlSource::SMaxage);
  if (directives.max_age) return stated(*directives.max_age, TtlSource::MaxAge);
  if (directives.targeted || !response.fields.has(FieldId::Expires)) return std::nullopt;
  // Section 5.3: an invalid date, especially "0", is in the past.
  const auto expires = date_field(response.fields, FieldId::Expires, received);
  const auto date = origin_date(response.fields, received);
  return stated(expires ? bounded(*expires - date) : Duration{0}, TtlSource::Expires);
}

Lifetime freshness_lifetime(const http::ResponseView& response, const ResponseDirectives& directives,
                            const Policy& policy, const ExchangeTimes& times, bool guarded, double jitter) {
  const bool respect = policy.origin_cache_control == OriginCacheControl::Respect;
  std::optional<Lifetime> life;
  const Now received = at_receipt(times);
  if (respect) life = stated_lifetime(response, directives, received);
  if (!life) {
    life = configured_lifetime(response.status, policy);
    if (!life) life = heuristic_lifetime(response, directives, policy, received);
    if (!life) return {};
    life->configured = true;
    if (guarded) {
      Lifetime none;
      none.blocked_by_guard = true;
      return none;
    }
  }
  const Duration age = corrected_initial_age(response, times);
  clamp(*life, age, response.status, policy, guarded);
  cap_by_retry_after(*life, age, response, received);
  // Jitter shortens the remaining lifetime, so that it does not make an old response stale.
  const Duration left = life->from_receipt ? life->value : life->value - age;
  if (left > Duration{0} && policy.ttl.jitter > 0) {
    const double share = std::clamp(policy.ttl.jitter, 0.0, 0.5) * std::clamp(jitter, 0.0, 1.0);
    life->value -= Duration{static_cast<Duration::rep>(static_cast<double>(left.count()) * share)};
  }
  return *life;
}

namespace {

// The lifetime that a policy allows for a stored response with this lifetime, from its receipt.
Lifetime granted(const Freshness& stored, int status, const Policy& policy) noexcept {
  const bool respect = policy.origin_cache_control == OriginCacheControl::Respect;
  if (stored.explicit_lifetime && respect) {
    // If a minimum raised it, the origin's lifetime is only known to be shorter.
    if (stored.configured) return {policy.ttl.min, TtlSource::Min};
    return {policy.ttl.max, TtlSource::Max};
  }
  auto life = configured_lifetime(status, policy);
  const bool by_change = stored.source == TtlSource::Heuristic || stored.source == TtlSource::Max;
  if (!life && by_change && policy.ttl.heuristic > 0) life = heuristic_lifetime(stored.unchanged_for, policy);
  if (!life) return {Duration{0}, TtlSource::Default};
  clamp(*life, Duration{0}, status, policy, false);
  return *life;
}

}  // namespace

void shorten(Freshness& stored, int status, const Policy& policy) noexcept {
  stored.lifetimes = policy.lifetimes;
  auto life = granted(stored, status, policy);
  if (life.source == TtlSource::Heuristic) life.value -= stored.initial_age;  // counts from when it was made
  if (life.value >= stored.left()) return;
  stored.lifetime = life.value;
  stored.source = life.source;
  stored.from_receipt = true;
}

void become_stale(Freshness& stored, Timestamp now) noexcept {
  stored.purged = true;
  const auto left = stored.ttl(now);
  // Never to nothing: a response that came without a lifetime is kept for its stale window alone.
  if (left > Duration{0}) stored.lifetime = std::max(stored.lifetime - left, Duration{1});
}

}  // namespace forebay::rules
