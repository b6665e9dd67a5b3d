#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace forebay::rules {

/// The result of a request that reached a route: one word for Cache-Status, log and metrics.
enum class CacheResult : std::uint8_t { Hit, Stale, StaleError, Coalesced, Revalidated, Miss, Bypass, Error };
inline constexpr std::size_t kCacheResults = 8;
/// `hit`, `stale`, `stale_error`, ...
std::string_view to_string(CacheResult r) noexcept;
/// The coarse form of X-Cache: HIT, STALE, COALESCED, REVALIDATED, MISS, BYPASS, ERROR.
std::string_view x_cache(CacheResult r) noexcept;

/// Why something was not looked up (request side) or not stored (response side). One closed list.
enum class Reason : std::uint8_t {
  None = 0,
  // request side
  CacheOff,
  Method,
  RuleHeader,
  RuleCookie,
  RuleQuery,
  RuleBody,
  MatchHeader,
  MatchQuery,
  MatchBody,
  Authorization,
  Precondition,
  RequestNoStore,
  RequestBody,
  BodyTooLarge,
  BodyUnparsable,
  GraphqlOperation,
  PassMemory,
  NoRoute,
  Upgrade,
  Range,
  Signed,
  Preflight,
  Redirect,  // the route answers by itself, as below
  Respond,
  Replaced,  // by another process, which is asked from now on
  // response side (Authorization counts here too)
  NoFreshness,
  NoStore,
  Private,
  SetCookie,
  Cookie,
  Credential,
  VaryStar,
  Status,
  TooLarge,
  Partial,
  OriginError,
  Truncated,
  Unproven,
  ZeroTtl,
  NoCache,  // the response is stored, and each use is validated
  TypeMismatch,
  Endless,
  GraphqlErrors,
  Admission,
  kCount
};
/// `cache_off`, `method`, ...; empty for None.
std::string_view to_string(Reason r) noexcept;

/// RFC 9211 section 2.2: why the request was forwarded.
enum class Forward : std::uint8_t { None, Bypass, Method, UriMiss, VaryMiss, Miss, Request, Stale, Partial };
std::string_view to_string(Forward f) noexcept;

}  // namespace forebay::rules
