#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "forebay/base/clock.hpp"
#include "forebay/content/encoder.hpp"
#include "forebay/http/message.hpp"
#include "forebay/rules/condition.hpp"
#include "forebay/rules/tag_template.hpp"

namespace forebay::rules {

/// Errors that a client's request caused (credentials, method, size, rate): the next client may get another response.
constexpr bool is_client_made(int status) noexcept {
  constexpr int kStatuses[] = {400, 401, 403, 406, 407, 408, 412, 413, 414, 415,
                               416, 417, 421, 425, 426, 428, 429, 431, 494, 499};
  for (const int s : kStatuses)
    if (s == status) return true;
  return false;
}

/// One status (`404`), a class of them (`4xx`) or a range (`500-504`).
struct StatusPattern {
  std::uint16_t from = 0;  ///< Inclusive.
  std::uint16_t to = 0;    ///< Inclusive.
  bool operator==(const StatusPattern&) const = default;
  constexpr bool matches(int status) const noexcept { return status >= from && status <= to; }
  /// Whether a lifetime of the pattern covers this status: an error that a client caused must be listed exactly.
  constexpr bool gives_lifetime(int status) const noexcept {
    return matches(status) && (from == to || !is_client_made(status));
  }
};

using StatusLifetime = std::pair<StatusPattern, Duration>;

enum class OriginCacheControl : std::uint8_t { Respect, Ignore, Override };
enum class AuthorizationRule : std::uint8_t { Rfc, Key, Bypass, Share };
enum class SetCookieRule : std::uint8_t { Bypass, Strip, Store };
enum class RequestCookies : std::uint8_t { Guard, Share };

/// Names of credential fields, to compare requests with.
class CredentialGuard {
 public:
  explicit CredentialGuard(std::span<const std::string> names);
  bool has(const http::Field& field) const;
  bool has(http::FieldId id) const noexcept { return known_.test(static_cast<std::size_t>(id)); }
  bool empty() const noexcept { return known_.none() && others_.empty(); }
  /// Lower case, sorted.
  std::vector<std::string> names() const;

 private:
  std::bitset<static_cast<std::size_t>(http::FieldId::kCount)> known_;
  std::vector<std::string> others_;  ///< Lower case.
  std::bitset<256> first_letters_;   ///< First letters of those; other names need no comparison.
};
enum class OnTimeout : std::uint8_t { Fetch, Error };
/// What is done with 103 Early Hints (RFC 8297): the origin's are passed on; those that the stored response would give
/// are sent ahead too; or clients get none.
enum class EarlyHints : std::uint8_t { Pass, Replay, Off };
/// Handling of a refresh request without the right token: ignore it; ignore it and say so in the response; or refuse it
/// (403).
enum class RefreshRefusal : std::uint8_t { Ignore, Warn, Forbid };

/// What counts as an error for stale-if-error.
struct StaleErrors {
  bool connect = true;  ///< Refused, reset, cut, unreadable.
  bool timeout = true;
  std::vector<StatusPattern> statuses{{500, 500}, {502, 502}, {503, 503}, {504, 504}};
  bool covers(int status) const noexcept {
    for (const auto& s : statuses)
      if (s.matches(status)) return true;
    return false;
  }
};

/// The windows in which a stale response may be served, as the route says (RFC 5861); the origin's own directives win.
struct StalePolicy {
  Duration while_revalidate{0};
  Duration if_error{0};
  StaleErrors errors;
};

/// A route's rules on what is cached and for how long. Immutable once configured.
struct Policy {
  bool cache = true;
  /// Methods that are looked up, by number; GET includes HEAD. Other methods are in `other_methods`.
  std::bitset<static_cast<std::size_t>(http::Method::Other) + 1> methods{0b11};
  std::vector<std::string> other_methods;
  /// Statuses that a configured lifetime applies to.
  std::vector<StatusPattern> statuses{{200, 200}, {203, 203}, {204, 204}, {300, 300},
                                      {301, 301}, {308, 308}, {404, 404}, {410, 410}};
  struct Ttl {
    Duration fallback{0};  ///< `ttl.default`; 0: none.
    Duration min{0};
    Duration max = std::chrono::hours{24 * 365};
    Duration negative = std::chrono::seconds{10};  ///< Most for 404, 405, 410 and 451 without a line of `ttl.status`.
    std::vector<StatusLifetime> status;            ///< `ttl.status`; exact statuses before classes.
    double jitter = 0;                             ///< 0..0.5, only shortens.
    double heuristic = 0;                          ///< 0: off.
  } ttl;
  /// Changes whenever anything changes that gives lifetimes: `ttl`, `statuses`, `origin_cache_control`.
  std::uint64_t lifetimes = 0;
  OriginCacheControl origin_cache_control = OriginCacheControl::Respect;
  bool client_cache_control = false;  ///< Whether the client's Cache-Control is respected.
  StalePolicy stale;
  struct Coalesce {
    bool enabled = true;
    Duration wait = std::chrono::seconds{5};
    OnTimeout on_timeout = OnTimeout::Fetch;
    std::uint32_t max_waiters = 10000;
  } coalesce;
  Duration pass_memory = std::chrono::seconds{10};
  std::uint64_t max_object = 8 * 1024 * 1024;
  /// What of the stored responses is compressed here; see rules/compression.hpp.
  struct Compress {
    std::vector<content::Compression> codings;  ///< `compress`, in order of preference. Empty: nothing is.
    /// `compress_types`: globs over media types, in lower case.
    std::vector<std::string> types{"text/*",
                                   "application/json",
                                   "application/*+json",
                                   "application/javascript",
                                   "application/x-javascript",
                                   "application/ecmascript",
                                   "application/xml",
                                   "application/*+xml",
                                   "application/graphql",
                                   "application/x-ndjson",
                                   "application/yaml",
                                   "application/wasm",
                                   "application/vnd.ms-fontobject",
                                   "font/ttf",
                                   "font/otf",
                                   "image/svg+xml",
                                   "image/bmp",
                                   "image/x-icon",
                                   "image/vnd.microsoft.icon",
                                   "model/*+json"};
    std::uint64_t min = 1024;    ///< `compress_min`: shorter bodies stay as they are.
    bool keyed_secrets = false;  ///< Credentials or cookies are in the key, so that what is stored may be one client's.
    bool on() const noexcept { return !codings.empty(); }
  } compress;
  std::uint64_t request_buffer = 64 * 1024;  ///< Of a request's body, read before a connection to the origin is used.
  AuthorizationRule authorization = AuthorizationRule::Rfc;
  SetCookieRule set_cookie = SetCookieRule::Bypass;
  bool vary = true;
  std::uint32_t max_variants = 32;
  bool invalidate_on_write = true;
  bool convert_head = true;  ///< A HEAD that finds nothing stored fetches by GET and stores.
  RequestCookies request_cookies = RequestCookies::Guard;
  /// `credentials`: fields that prevent configured lifetimes.
  std::vector<std::string> credentials{"Authorization",
                                       "Proxy-Authorization",
                                       "Cookie",
                                       "Client-Cert",
                                       "X-Api-Key",
                                       "Api-Key",
                                       "X-Auth-Token",
                                       "X-Access-Token",
                                       "X-Amz-Security-Token",
                                       "X-Csrf-Token",
                                       "X-Xsrf-Token",
                                       "X-Session-Token",
                                       "Private-Token",
                                       "X-Vault-Token",
                                       "X-Shopify-Access-Token",
                                       "Ocp-Apim-Subscription-Key",
                                       "X-Goog-Iap-Jwt-Assertion",
                                       "Cf-Access-Jwt-Assertion"};
  /// Those of them that are not in the key, not shared, and forwarded to the origin.
  CredentialGuard guard{credentials};
  bool store_close_delimited = false;
  std::vector<std::string> targeted_fields{"Forebay-Cache-Control", "CDN-Cache-Control"};
  bool targeted_strip = false;
  Duration keep = std::chrono::minutes{10};  ///< `cache.keep`: kept after staleness for validation.
  /// `bypass`: conditions on fields (names in lower case), cookies, query parameters and JSON members.
  struct Bypass {
    std::vector<NamedCondition> headers, cookies, query;
    BodyConditions body;
  } bypass;
  /// A hit within this last share of its lifetime starts a refresh in the background; `automatic`: by chance, weighted
  /// by the time that a fetch takes and by how often the response is asked for (`refreshes_ahead`).
  struct RefreshAhead {
    double share = 0;
    bool automatic = false;
  } refresh_ahead;
  struct ClientRefresh {
    std::string token;       ///< Empty: no client may.
    std::string token_file;  ///< Where it was read; empty: it is in the file itself.
    RefreshRefusal otherwise = RefreshRefusal::Ignore;
  } client_refresh;
  bool no_vary_search = false;  ///< Whether No-Vary-Search of responses counts.
  /// Globs over Authorization schemes that sign the method or fields: such a request is forwarded with its Range,
  /// conditions and fields unchanged.
  std::vector<std::string> signed_schemes{"AWS*", "GOOG*", "*HMAC*", "SharedKey*", "Signature", "Hawk", "OAuth"};
  /// For GraphQL routes: fields that another site's page cannot send without a preflight. Empty: off.
  std::vector<std::string> graphql_preflight{"Apollo-Require-Preflight", "X-Apollo-Operation-Name"};
  bool guards_preflight = false;  ///< The route is for GraphQL, and the list not empty.
  /// Protocols that a client may switch its connection to (RFC 9110 section 7.8), compared without case.
  std::vector<std::string> upgrade{"websocket"};
  EarlyHints early_hints = EarlyHints::Pass;
  /// By which names stored responses can be invalidated together.
  struct Tags {
    std::vector<std::string> headers{"Cache-Tag", "Surrogate-Key"};  ///< Fields of the response that have tags.
    bool strip = true;                                               ///< Clients do not get these fields.
    std::vector<TagTemplate> add;                                    ///< Further tags, made of the request.
    std::uint32_t max = 64;                                          ///< Of one response.
  } tags;
  bool suffix_guard = true;  ///< HTML, JSON and XML under names of static files are not stored.
};

}  // namespace forebay::rules
