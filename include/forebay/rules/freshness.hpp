#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>

#include "forebay/base/clock.hpp"
#include "forebay/http/message.hpp"
#include "forebay/rules/cache_control.hpp"
#include "forebay/rules/policy.hpp"

namespace forebay::rules {

/// Which rule gave the freshness lifetime; explain prints it.
enum class TtlSource : std::uint8_t {
  None,
  Targeted,
  SMaxage,
  MaxAge,
  Expires,
  Status,
  Default,
  Heuristic,
  Min,
  Max,
  Negative,
  Signed
};
std::string_view to_string(TtlSource s) noexcept;
/// Whether the origin stated it, rather than the configuration or a heuristic.
constexpr bool is_stated(TtlSource s) noexcept {
  return s == TtlSource::Targeted || s == TtlSource::SMaxage || s == TtlSource::MaxAge || s == TtlSource::Expires;
}

/// When a request went out and when its answer's head came in.
struct ExchangeTimes {
  Now requested;
  Now received;
};

/// What reuse needs of a stored response, as numbers: a look-up only compares. Times are those of the origin; the
/// route's stale windows are applied at look-up.
struct Freshness {
  Timestamp received{};     ///< response_time, monotonic.
  Duration initial_age{0};  ///< corrected_initial_age, RFC 9111 section 4.2.3.
  Duration lifetime{0};     ///< freshness_lifetime after clamping, jitter and all.
  TtlSource source = TtlSource::None;
  /// The route set or shortened the lifetime, which counts from receipt. A lifetime of the origin counts from the time
  /// of the response (RFC 9111 section 4.2).
  bool from_receipt = false;
  bool explicit_lifetime = false;  ///< The origin stated it (s-maxage, max-age, Expires, targeted).
  /// The route set the lifetime, or its minimum did: not stored for, nor served to, requests with a guarded credential.
  bool configured = false;
  bool no_cache = false;  ///< Validate at each use.
  bool must_revalidate =
      false;  ///< must-revalidate, proxy-revalidate or s-maxage: the route's windows and stale-if-error do not apply.
  bool immutable = false;         ///< RFC 8246: while it is fresh, a client's reload (max-age=0) needs no validation.
  bool serve_authorized = false;  ///< public, s-maxage or must-revalidate: may answer requests with Authorization.
  bool preflighted = false;       ///< `RequestFacts::preflighted` of the request that fetched it.
  bool from_authorized = false;   ///< The request that fetched it carried Authorization.
  std::optional<Seconds>
      stale_while_revalidate;  ///< The origin's, where it may apply (also beside s-maxage in the same field).
  std::optional<Seconds> stale_if_error;
  bool route_windows = true;                  ///< False: no window but the origin's applies.
  Timestamp usable_until = Timestamp::max();  ///< The expiry of a signed URL: never fresh nor served stale afterwards.
  bool purged = false;                        ///< Marked stale by an invalidation: never fresh again.
  bool error = false;                         ///< A 5xx: not served in place of another error.
  /// The origin's 304 to its validators is about another response, so it is fetched without conditions.
  bool validators_fail = false;
  /// From Last-Modified to Date, where a heuristic lifetime is a share of it.
  Duration unchanged_for{0};
  std::uint64_t lifetimes = 0;  ///< `Policy::lifetimes` of the policy that it was judged under.

  Duration age(Timestamp now) const noexcept { return initial_age + (now - received); }
  /// Remaining lifetime at receipt; negative when it arrived stale.
  Duration left() const noexcept { return from_receipt ? lifetime : lifetime - initial_age; }
  Timestamp stale_at() const noexcept { return received + std::max(Duration{0}, left()); }
  /// Negative when stale.
  Duration ttl(Timestamp now) const noexcept { return left() - (now - received); }
};

/// RFC 9111 section 4.2.1 and the route's settings: the lifetime, clamped and shortened, and its source. `guarded`: the
/// request brought a credential that the route guards, so that no configured lifetime applies. `jitter` in [0, 1) is
/// the caller's random draw.
struct Lifetime {
  Duration value{0};
  TtlSource source = TtlSource::None;
  bool from_receipt = false;  ///< As in Freshness.
  bool explicit_lifetime = false;
  bool configured = false;        ///< Set by the route, or by its minimum.
  bool blocked_by_guard = false;  ///< Only the guard prevented a configured lifetime or minimum.
  Duration unchanged_for{0};      ///< As in Freshness.
};
Lifetime freshness_lifetime(const http::ResponseView& response, const ResponseDirectives& directives,
                            const Policy& policy, const ExchangeTimes& times, bool guarded, double jitter);
/// For a response that was stored under another policy: the shorter lifetime counts. A lifetime is never lengthened,
/// since the origin's directives are not kept.
void shorten(Freshness& stored, int status, const Policy& policy) noexcept;
/// An operator has purged it, and keeps it: stale from now on, unless it is already. Its stale windows begin now.
void become_stale(Freshness& stored, Timestamp now) noexcept;
/// The line of `ttl.status` for this status; null without one. A class does not cover errors that a client caused,
/// unless its lifetime is zero or `statuses` lists the status itself.
const StatusLifetime* status_line(int status, const Policy& policy) noexcept;
/// The lifetime that the origin states: s-maxage, max-age, Expires. Nothing without any; zero when it cannot be read
/// (section 4.2.1).
std::optional<Lifetime> stated_lifetime(const http::ResponseView& response, const ResponseDirectives& directives,
                                        Now received);
/// Remaining validity of a signed URL at receipt of the response, by the later of our clock and the response's Date.
/// Never below zero.
Duration left_of_signature(WallTime until, const http::ResponseView& response, const ExchangeTimes& times);
/// RFC 9111 section 4.2.3, with whole-second inputs and finer local parts.
Duration corrected_initial_age(const http::ResponseView& response, const ExchangeTimes& times);
/// How long the origin wants no further request, at receipt (RFC 9110 section 10.2.3): Retry-After of a 429 or 503, in
/// seconds or as a date, never below zero. Nothing for other statuses, and where it cannot be read.
std::optional<Duration> retry_after(const http::ResponseView& response, Now received) noexcept;
/// First member of the first Age line; what is not digits is nothing; beyond 2^31 is clamped.
std::optional<Seconds> read_age(http::FieldsView fields) noexcept;

}  // namespace forebay::rules
