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
/// Whether the origin said it of this response, and not the configuration or a guess.
constexpr bool is_stated(TtlSource s) noexcept {
  return s == TtlSource::Targeted || s == TtlSource::SMaxage || s == TtlSource::MaxAge || s == TtlSource::Expires;
}

/// When a request went out and when its answer's head came in.
struct ExchangeTimes {
  Now requested;
  Now received;
};

/// All that reuse needs to know of a stored response: numbers, so that a look-up compares and parses nothing. Times are
/// what the origin said; the route's stale windows are applied at look-up.
struct Freshness {
  Timestamp received{};     ///< response_time, monotonic.
  Duration initial_age{0};  ///< corrected_initial_age, RFC 9111 section 4.2.3.
  Duration lifetime{0};     ///< freshness_lifetime after clamping, jitter and all.
  TtlSource source = TtlSource::None;
  /// The lifetime is the route's word, or cut by it, and counts from the receipt. One that the origin states counts
  /// from when the response was made (RFC 9111 section 4.2).
  bool from_receipt = false;
  bool explicit_lifetime = false;  ///< The origin stated it (s-maxage, max-age, Expires, targeted).
  /// The lifetime is the route's word, or its minimum: a request with a guarded credential neither makes nor gets it.
  bool configured = false;
  bool no_cache = false;  ///< Validate at each use.
  bool must_revalidate =
      false;  ///< must-revalidate, proxy-revalidate or s-maxage: the route's windows and stale-if-error do not apply.
  bool serve_authorized = false;  ///< public, s-maxage or must-revalidate: may answer requests with Authorization.
  bool preflighted = false;       ///< `RequestFacts::preflighted` of the request that fetched it.
  bool from_authorized = false;   ///< The request that fetched it carried Authorization.
  std::optional<Seconds>
      stale_while_revalidate;  ///< The origin's, where it may apply (also beside s-maxage in the same field).
  std::optional<Seconds> stale_if_error;
  bool route_windows = true;                  ///< False: no window but the origin's applies.
  Timestamp usable_until = Timestamp::max();  ///< The end of a signed URL: never fresh nor served stale from here on.
  bool purged = false;                        ///< Marked stale by an invalidation: never fresh again.
  bool error = false;                         ///< A 5xx: no remedy for another error.
  /// The origin answers its validators with a 304 that speaks of another response, so that it is fetched whole instead.
  bool validators_fail = false;
  /// From Last-Modified to Date, where a heuristic lifetime is a share of it.
  Duration unchanged_for{0};
  std::uint64_t lifetimes = 0;  ///< `Policy::lifetimes` of the policy that it was judged under.

  Duration age(Timestamp now) const noexcept { return initial_age + (now - received); }
  /// What was left of the lifetime at the receipt; negative when it came stale.
  Duration left() const noexcept { return from_receipt ? lifetime : lifetime - initial_age; }
  Timestamp stale_at() const noexcept { return received + std::max(Duration{0}, left()); }
  /// Negative when stale.
  Duration ttl(Timestamp now) const noexcept { return left() - (now - received); }
};

/// RFC 9111 section 4.2.1, and the route's say: the lifetime, clamped and shortened, and where it came from.
/// `guarded`: the request brought a credential that the route guards, so that no configured lifetime applies.
/// `jitter` in [0, 1) is the caller's random draw.
struct Lifetime {
  Duration value{0};
  TtlSource source = TtlSource::None;
  bool from_receipt = false;  ///< As in Freshness.
  bool explicit_lifetime = false;
  bool configured = false;        ///< The route's word, or its minimum.
  bool blocked_by_guard = false;  ///< A configured lifetime, or minimum, would have applied but for the guard.
  Duration unchanged_for{0};      ///< As in Freshness.
};
Lifetime freshness_lifetime(const http::ResponseView& response, const ResponseDirectives& directives,
                            const Policy& policy, const ExchangeTimes& times, bool guarded, double jitter);
/// A response that was stored under another policy: what this one grants counts, where that is less. A lifetime is
/// never lengthened, since the origin's word of then is not kept.
void shorten(Freshness& stored, int status, const Policy& policy) noexcept;
/// The line of `ttl.status` for this status; null without one. A class is none for an error that a client made, unless
/// its lifetime is zero or `statuses` lists the status itself.
const StatusLifetime* status_line(int status, const Policy& policy) noexcept;
/// Where the origin's own statement of freshness is looked for: s-maxage, max-age, Expires. Nothing without any; zero
/// when it cannot be read (section 4.2.1).
std::optional<Lifetime> stated_lifetime(const http::ResponseView& response, const ResponseDirectives& directives,
                                        Now received);
/// How long, from the receipt of this response, a signed URL is good that ends then: by the later of our clock and the
/// response's Date. Never below zero.
Duration left_of_signature(WallTime until, const http::ResponseView& response, const ExchangeTimes& times);
/// RFC 9111 section 4.2.3, with whole-second inputs and finer local parts.
Duration corrected_initial_age(const http::ResponseView& response, const ExchangeTimes& times);
/// First member of the first Age line; what is not digits is nothing; beyond 2^31 is clamped.
std::optional<Seconds> read_age(http::FieldsView fields) noexcept;

}  // namespace forebay::rules
