#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "forebay/http/message.hpp"
#include "forebay/rules/freshness.hpp"
#include "forebay/rules/policy.hpp"
#include "forebay/rules/vocabulary.hpp"

namespace forebay::rules {

/// The facts of a request that decide whether its response may be stored or reused. Collected once, from the original
/// request.
struct RequestFacts {
  http::Method method = http::Method::Get;
  bool authorization = false;  ///< Has Authorization (and the route does not say `share`).
  bool authorization_in_key = false;
  /// Its guarded credential: Authorization, Cookie, or Credential for any other; None.
  Reason credential = Reason::None;
  bool secret_in_query = false;  ///< The query has a secret, which No-Vary-Search may not remove from the key.
  bool no_store = false;
  bool range = false;        ///< Has Range, and is no HEAD.
  bool endless = false;      ///< Its Accept asks for streams only: it does not wait for others, nor they for it.
  bool conditional = false;  ///< Has Range or a condition (`is_condition`).
  bool is_signed = false;    ///< See `rules::is_signed`: forwarded unchanged.
  bool signed_url = false;  ///< Of a HEAD: its query has a signature or token, which may be valid for this method only.
  bool for_connection = false;  ///< Authorization of a scheme that authenticates the connection (NTLM, Negotiate).
  bool precondition = false;    ///< Has If-Match or If-Unmodified-Since.
  /// A browser sends a preflight before it for another site's page: it has a field of `graphql_preflight`, or is a GET
  /// with a Content-Type that forces a preflight.
  bool preflighted = false;
  /// A GET or HEAD that is not, on a route with `graphql_preflight`: servers with CSRF prevention refuse it.
  bool simple_get = false;
  bool refresh = false;          ///< Has `Forebay-Refresh` with the right token: fetch again.
  bool refresh_refused = false;  ///< Has `Forebay-Refresh` without the right token.
  RequestDirectives directives;
};
/// Tokens are compared in constant time.
RequestFacts facts_of(const http::RequestView& request, const Policy& policy) noexcept;

/// Whether the route's `methods` names this method. GET includes HEAD.
bool lists_method(const Policy& policy, http::Method method, std::string_view method_text) noexcept;

/// Content of a request that is not in its key: none, content that the route ignores explicitly, or content that the
/// route does not mention and that could change the response.
enum class UnkeyedContent : std::uint8_t { None, Declared, Unexpected };

/// Whether a request is looked up at all; None = yes. Reasons, in this order: CacheOff, Method, RuleHeader, RuleCookie,
/// RuleQuery (`bypass`), Authorization (route says `bypass`, or a scheme that authenticates the connection),
/// Precondition (If-Match, If-None-Match or If-Unmodified-Since on a method that is not safe: it must reach the
/// origin), RequestBody (Unexpected content). `query`: of the target, as sent; names are compared after decoding.
Reason may_look_up(const RequestFacts& facts, const http::RequestView& request, std::optional<std::string_view> query,
                   UnkeyedContent content, const Policy& policy) noexcept;

/// May this response be stored (RFC 9111 section 3, and the route's policy)? On yes, `freshness` is complete, and
/// `drop` names fields that are not stored: Connection and what it names, Proxy-*, those of private="..." and
/// no-cache="...", Set-Cookie under `strip`. If not, `by_request` says that only this request's fields are the reason
/// (Authorization, no-store, guarded credentials), so nothing is remembered for the key; `OriginError` is an unstorable
/// status in `stale.errors`, a failed fetch. A lifetime of zero with nothing that could make the response useful later
/// (validator, stale window) is `ZeroTtl`; no lifetime at all is `NoFreshness`, or `Status` where the route has one,
/// but not for this status.
///
/// After a 304 the freshened fields are judged again, under the stored status and with the times of the validation.
struct Storability {
  Reason reason = Reason::None;  ///< None: storable.
  bool by_request = false;
  /// Followers may get the response: it was fresh when made (even if the origin took longer than its lifetime), or may
  /// be served while it is refreshed. Otherwise (no-cache, zero lifetime) it is stored for validation, and each
  /// follower fetches for itself.
  bool serves_followers = false;
  Freshness freshness;
  std::vector<std::string> drop;
  bool storable() const noexcept { return reason == Reason::None; }
};
/// `length_delimited`: the body's end is known by framing (false: close-delimited). `jitter` in [0, 1). `target`: of
/// the request, its path in normal form, for `suffix_guard` (TypeMismatch) and for signatures in its query.
Storability judge(const RequestFacts& facts, const http::ResponseView& response, const Policy& policy,
                  const ExchangeTimes& times, bool length_delimited, double jitter, std::string_view target = {});

/// Whether a path ends like a static file (`.css`, `.js`, `.png`) while the Content-Type is HTML, JSON or XML that such
/// a file never has (web cache deception).
bool is_deceptive(std::string_view path, const http::ResponseView& response) noexcept;

/// Whether the Content-Type usually has endless or slow bodies: event streams, multipart/x-mixed-replace, gRPC, lines
/// of JSON. Such a response is not stored without a lifetime from the origin (Endless).
bool is_endless(const http::ResponseView& response) noexcept;
/// Whether it is an event stream (text/event-stream), which is never stored: its events are for who asked, and from
/// that time on.
bool is_event_stream(const http::ResponseView& response) noexcept;
/// Whether an Accept asks for such types and for nothing else.
bool asks_for_endless(std::string_view accept) noexcept;

/// Whether the response to this request could replace a stored one, as far as the request decides: not with a guarded
/// credential if the lifetime is the route's. Other requests then refresh it.
bool may_renew(const RequestFacts& facts, const Freshness& stored) noexcept;

/// Whether this request also has the cause that made a fetch `by_request` for `reason`; if not, it may lead.
bool brings(const RequestFacts& facts, Reason reason) noexcept;

/// POST with Content-Location equal to its own URI and explicit freshness (RFC 9110 section 9.3.3): its answer may be
/// stored under the GET key. `target` is path with query as keyed.
bool post_answers_get(const http::ResponseView& response, const Policy& policy, std::string_view scheme,
                      std::string_view host, std::string_view target);

}  // namespace forebay::rules
