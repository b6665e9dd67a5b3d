#pragma once

#include <cstdint>

#include "forebay/rules/freshness.hpp"
#include "forebay/rules/policy.hpp"
#include "forebay/rules/storability.hpp"
#include "forebay/rules/vocabulary.hpp"

namespace forebay::rules {

/// What may be done with a stored response for this request, now (RFC 9111 section 4, RFC 5861).
enum class Reuse : std::uint8_t {
  Fresh,              ///< Serve it.
  WhileRevalidating,  ///< Serve it, and refresh it in the background.
  Validate,           ///< Ask the origin first; see `may_serve_on_error` when that fails.
  MaxStale,           ///< The client's max-stale allows it as it is.
  NotForThis,         ///< Not for this request, but for others (`kept_from`): forward, and keep the entry.
};
/// Why a stored response is not for this request, though it may be for others: Authorization (RFC 9111 section 3.5),
/// the guarded credential that the request brings, where the response lives by a configured lifetime, or Preflight,
/// where the origin may refuse this request and has answered one that CSRF prevention lets in. None.
Reason kept_from(const Freshness& stored, const RequestFacts& facts) noexcept;
/// Whether a look-up gave such a reason: the stored response is for others, so its validators are not sent.
constexpr bool keeps_for_others(Reason reason) noexcept {
  return reason == Reason::Authorization || reason == Reason::Cookie || reason == Reason::Credential ||
         reason == Reason::Preflight;
}
/// Numbers only; called under a shard's lock. `directives` count only where the policy respects the client, but for
/// those the caller handles itself (no-store, only-if-cached).
Reuse may_reuse(const Freshness& stored, const RequestFacts& facts, const Policy& policy, Timestamp now) noexcept;

/// Whether a stored response that is served counts as a hit or as stale.
CacheResult served_as(const Freshness& stored, Timestamp now) noexcept;

/// The windows in which a stale response may be served, and whether the origin or the route says so.
struct StaleWindows {
  Duration while_revalidate{0};
  Duration if_error{0};
  bool from_origin_swr = false;
  bool from_origin_sie = false;
};
StaleWindows windows_of(const Freshness& stored, const Policy& policy) noexcept;

/// How often a stored response has been used, and what it took to fetch it.
struct Use {
  std::uint64_t hits = 0;  ///< Since it was stored or last freshened.
  Duration fetch_time{0};
};
/// Whether its lifetime lasts, and no invalidation has ended it.
bool is_fresh(const Freshness& stored, Timestamp now) noexcept;

/// Whether a hit on a fresh response should start a refresh behind it (`refresh_ahead`). `draw` is exponentially
/// distributed with mean 1 (-ln of a uniform number in (0, 1]) and counts under `automatic` alone: there, a response
/// with fewer than some 20 requests per lifetime is never refreshed early, and a hot one almost surely is, with at most
/// about 1.2 fetches per lifetime unless a fetch takes longer than a tenth of it (after "Optimal Probabilistic Cache
/// Stampede Prevention", VLDB 2015). Never for a stale, purged or `no-cache` response.
bool refreshes_ahead(const Freshness& stored, const Use& use, const Policy& policy, double draw,
                     Timestamp now) noexcept;

/// Whether the stored response may be served after a failed fetch (stale-if-error). A stored error is not.
bool may_serve_on_error(const Freshness& stored, const RequestFacts& facts, const Policy& policy,
                        Timestamp now) noexcept;
/// Whether it may be served without a request while the origin wants none (Retry-After): within stale-if-error, and not
/// where the client wants it validated.
bool may_serve_unasked(const Freshness& stored, const RequestFacts& facts, const Policy& policy,
                       Timestamp now) noexcept;
/// Whether only the route's stale-while-revalidate would allow serving it, and a credential of the request prevents
/// that.
bool is_kept_by_window(const Freshness& stored, const RequestFacts& facts) noexcept;

/// Until when the entry is useful: the end of the longest of freshness, stale windows and, with a validator, `keep`.
Timestamp useless_after(const Freshness& stored, const Policy& policy, bool has_validator) noexcept;

/// Why a request for a stored response that is `Validate` goes forward: Stale when its lifetime is over, Request when
/// the client's directives say so (RFC 9211).
Forward forward_reason(const Freshness& stored, const RequestFacts& facts, const Policy& policy,
                       Timestamp now) noexcept;

}  // namespace forebay::rules
