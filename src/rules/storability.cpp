#include "forebay/rules/storability.hpp"

#include <algorithm>

#include "forebay/base/secret.hpp"
#include "forebay/http/list.hpp"
#include "forebay/http/target.hpp"
#include "forebay/rules/query_secrets.hpp"
#include "forebay/rules/reuse.hpp"
#include "forebay/rules/signature.hpp"
#include "forebay/rules/vary.hpp"
#include "rules/bypass.hpp"
#include "rules/directive.hpp"

namespace forebay::rules {
namespace {

using http::FieldId;

// The response that is judged, with its parsed directives.
struct Case {
  const RequestFacts& facts;
  const http::ResponseView& response;
  const Policy& policy;
  const ExchangeTimes& times;
  std::string_view target;
  ResponseDirectives directives;
  Lifetime lifetime;

  std::string_view path() const noexcept { return target.substr(0, target.find('?')); }
  std::string_view query() const noexcept { return target.substr(std::min(path().size() + 1, target.size())); }
  bool has_validator() const noexcept {
    return response.fields.has(FieldId::ETag) || response.fields.has(FieldId::LastModified);
  }
};

// Section 5.2.2.3: whether we know the caching requirements of this status. 206 and 304 are never stored as received; a
// registered status without own requirements has those of its class.
bool understood(int status) noexcept { return !http::reason_phrase(status).empty(); }

// Responses that do not represent a resource: interim ones, a 206 (section 3.3 allows it, but it is not worth the
// bookkeeping), and results of this request's precondition or Range.
Reason status_reason(int status) noexcept {
  if (status == 206) return Reason::Partial;
  if (status < 200 || status == 304 || status == 412 || status == 416) return Reason::Status;
  return Reason::None;
}

// Section 3, and sections 5.2.2.3, 5.2.2.5 and 5.2.2.7.
Reason directive_reason(const Case& c) noexcept {
  const ResponseDirectives& d = c.directives;
  if (c.policy.origin_cache_control == OriginCacheControl::Override) return Reason::None;
  if (d.must_understand && !understood(c.response.status)) return Reason::Status;
  if (d.no_store && !d.must_understand) return Reason::NoStore;
  return d.private_ ? Reason::Private : Reason::None;
}

// There is no lifetime: finds the reason.
Reason no_lifetime_reason(const Case& c) noexcept {
  if (c.lifetime.blocked_by_guard) return c.facts.credential;
  const bool passing = is_passing_error(c.response.status);
  const auto listed = [&](const StatusPattern& p) { return p.gives_lifetime(c.response.status); };
  const bool covered = std::any_of(c.policy.statuses.begin(), c.policy.statuses.end(), listed);
  return c.policy.ttl.fallback > Duration{0} && (passing || !covered) ? Reason::Status : Reason::NoFreshness;
}

// For the followers of this response. Section 4.2.3 counts the whole exchange as age, which is right for later
// requests, but the response was made after the followers' requests.
Freshness when_made(Freshness f, const ExchangeTimes& times) noexcept {
  f.initial_age -= std::min(f.initial_age, std::max(Duration{0}, times.received.mono - times.requested.mono));
  return f;
}

// Whether it can ever be used: while fresh, within a stale window, or by validation.
Reason lifetime_reason(const Case& c, const Freshness& f) noexcept {
  const bool can_validate = c.has_validator() && c.policy.keep > Duration{0};
  const bool passing = is_passing_error(c.response.status);
  if (f.no_cache) return can_validate && !passing ? Reason::None : Reason::ZeroTtl;
  if (c.lifetime.source == TtlSource::None) return no_lifetime_reason(c);
  const bool was_fresh = (passing ? f : when_made(f, c.times)).ttl(f.received) > Duration{0};
  if (was_fresh && f.received < f.usable_until) return Reason::None;
  // A zero lifetime of the route is intended. And an error that is not fresh must not replace a stored response.
  const bool meant = c.lifetime.source == TtlSource::Status || c.lifetime.source == TtlSource::Negative;
  if (meant || passing) return Reason::ZeroTtl;
  if (can_validate || useless_after(f, c.policy, false) > f.received) return Reason::None;
  return c.lifetime.blocked_by_guard ? c.facts.credential : Reason::ZeroTtl;
}

bool too_large(const Case& c) noexcept {
  const auto length = c.response.fields.value(FieldId::ContentLength);
  std::uint64_t n = 0;
  return length && http::parse_decimal(*length, UINT64_MAX, n) && n > c.policy.max_object;
}

// An endless stream without a lifetime of the origin: lifetimes of the route do not apply to it. An event stream is not
// stored whatever is stated.
bool endless_unstated(const Case& c) noexcept {
  const auto& life = c.lifetime;
  const bool stated = life.explicit_lifetime && life.source != TtlSource::Min && life.value > Duration{0};
  return (!stated && is_endless(c.response)) || is_event_stream(c.response);
}

Reason response_reason(const Case& c, const Freshness& f, bool length_delimited) {
  if (const Reason r = status_reason(c.response.status); r != Reason::None) return r;
  if (const Reason r = directive_reason(c); r != Reason::None) return r;
  if (c.policy.vary && read_vary(c.response.fields).any) return Reason::VaryStar;
  if (c.policy.set_cookie == SetCookieRule::Bypass && c.response.fields.has(FieldId::SetCookie))
    return Reason::SetCookie;
  if (c.policy.suffix_guard && is_deceptive(c.path(), c.response)) return Reason::TypeMismatch;
  if (endless_unstated(c)) return Reason::Endless;
  if (const Reason r = lifetime_reason(c, f); r != Reason::None) return r;
  if (too_large(c)) return Reason::TooLarge;
  return length_delimited || c.policy.store_close_delimited ? Reason::None : Reason::Unproven;
}

Reason request_reason(const Case& c, const Freshness& f) noexcept {
  if (c.facts.authorization && c.policy.authorization == AuthorizationRule::Bypass) return Reason::Authorization;
  if (f.from_authorized && !f.serve_authorized) return Reason::Authorization;  // section 3.5
  return c.facts.no_store ? Reason::RequestNoStore : Reason::None;             // section 5.2.1.5
}

// The expiry of a signed URL bounds the lifetime and the stale windows.
void end_with_signature(Freshness& f, WallTime until, const Case& c) {
  const Duration left = left_of_signature(until, c.response, c.times);
  f.usable_until = f.received + left;
  if (f.left() <= left) return;
  f.lifetime += left - f.left();
  f.source = TtlSource::Signed;
}

Freshness freshness_of(const Case& c) {
  const ResponseDirectives& d = c.directives;
  Freshness f;
  f.received = c.times.received.mono;
  f.initial_age = corrected_initial_age(c.response, c.times);
  f.lifetime = c.lifetime.value;
  f.source = c.lifetime.source;
  f.from_receipt = c.lifetime.from_receipt;
  f.unchanged_for = c.lifetime.unchanged_for;
  f.lifetimes = c.policy.lifetimes;
  f.explicit_lifetime = c.lifetime.explicit_lifetime;
  f.error = c.response.status >= 500;
  f.configured = c.lifetime.configured;
  f.preflighted = c.facts.preflighted;
  f.from_authorized = c.facts.authorization && !c.facts.authorization_in_key;
  f.serve_authorized = d.public_ || d.s_maxage.has_value() || d.must_revalidate;
  if (const auto until = signed_until(c.query())) end_with_signature(f, *until, c);
  // The route's windows do not apply to a no-cache response.
  f.route_windows = c.facts.credential == Reason::None || f.lifetime > Duration{0};
  // A route that ignores the origin's directives has its own windows instead, and no-cache does not count.
  if (c.policy.origin_cache_control != OriginCacheControl::Respect) return f;
  const bool strict = d.must_revalidate || d.proxy_revalidate;
  f.no_cache = d.no_cache;
  f.immutable = d.immutable;
  // Section 5.2.2.10: s-maxage implies proxy-revalidate. An explicit stale-while-revalidate beside it is honoured all
  // the same, since frameworks write the two together.
  f.must_revalidate = strict || d.s_maxage.has_value();
  if (!strict && !d.no_cache) f.stale_while_revalidate = d.stale_while_revalidate;
  if (!f.must_revalidate && !d.no_cache) f.stale_if_error = d.stale_if_error;
  return f;
}

void add_once(std::vector<std::string>& names, std::string_view name) {
  const bool there =
      std::any_of(names.begin(), names.end(), [name](const std::string& n) { return http::iequals(n, name); });
  if (!there) names.emplace_back(name);
}

// Section 3.1, and the qualified forms of private and no-cache.
std::vector<std::string> fields_to_drop(const Case& c) {
  std::vector<std::string> names;
  const bool cookies_go = c.policy.set_cookie == SetCookieRule::Strip;
  for (const http::Field& f : c.response.fields) {
    if (http::is_hop_by_hop(f.id) || (cookies_go && f.id == FieldId::SetCookie)) add_once(names, f.name);
    if (f.id == FieldId::Connection)
      http::for_each_piece(f.value, [&](std::string_view name) { add_once(names, name); });
  }
  if (c.policy.origin_cache_control == OriginCacheControl::Override) return names;
  for (const auto& name : c.directives.private_fields) add_once(names, name);
  if (c.policy.origin_cache_control == OriginCacheControl::Ignore) return names;
  for (const auto& name : c.directives.no_cache_fields) add_once(names, name);
  return names;
}

// RFC 9110 section 13.1: preconditions on the state at the origin. A stored response to another request does not show
// whether this one's condition holds.
bool has_precondition(http::FieldsView fields) noexcept {
  return fields.has(FieldId::IfMatch) || fields.has(FieldId::IfNoneMatch) || fields.has(FieldId::IfUnmodifiedSince);
}

constexpr std::string_view kRefresh = "Forebay-Refresh";

}  // namespace

bool lists_method(const Policy& policy, http::Method method, std::string_view method_text) noexcept {
  if (method == http::Method::Other) {
    return std::find(policy.other_methods.begin(), policy.other_methods.end(), method_text) !=
           policy.other_methods.end();
  }
  if (policy.methods.test(static_cast<std::size_t>(method))) return true;
  return method == http::Method::Head && policy.methods.test(static_cast<std::size_t>(http::Method::Get));
}

namespace {

// Types that browsers send to other sites without a preflight (Fetch, "CORS-safelisted request-header"). Several lines
// may be read as any of them.
bool forces_preflight(http::FieldsView fields) noexcept {
  const auto type = fields.value(FieldId::ContentType);
  if (!type || fields.count(FieldId::ContentType) > 1) return false;
  const auto essence = http::trim(type->substr(0, type->find_first_of(";,")));
  if (essence.empty()) return false;
  for (const std::string_view simple : {"text/plain", "application/x-www-form-urlencoded", "multipart/form-data"})
    if (http::iequals(essence, simple)) return false;
  return true;
}

void read_preflight(const http::RequestView& request, const Policy& policy, RequestFacts& facts) noexcept {
  const auto& names = policy.graphql_preflight;
  const bool field = std::any_of(request.fields.begin(), request.fields.end(), [&](const http::Field& f) {
    return !f.value.empty() &&
           std::any_of(names.begin(), names.end(), [&](const auto& name) { return http::iequals(f.name, name); });
  });
  const bool get = request.method == http::Method::Get || request.method == http::Method::Head;
  facts.preflighted = field || (get && forces_preflight(request.fields));
  facts.simple_get = get && !facts.preflighted;
}

}  // namespace

RequestFacts facts_of(const http::RequestView& request, const Policy& policy) noexcept {
  RequestFacts facts;
  facts.method = request.method;
  bool directives = false, cookie = false, authorization = false, other = false;
  const std::string_view token = policy.client_refresh.token;
  for (const http::Field& f : request.fields) {
    switch (f.id) {
      case FieldId::Other:
        other = other || policy.guard.has(f);
        if (token.empty() || !http::iequals(f.name, kRefresh)) break;
        if (same_secret(f.value, token))
          facts.refresh = true;
        else
          facts.refresh_refused = true;
        break;
      case FieldId::Authorization:
        facts.authorization = policy.authorization != AuthorizationRule::Share;
        facts.for_connection = facts.for_connection || http::authenticates_connection(f.value);
        authorization = policy.authorization == AuthorizationRule::Rfc && policy.guard.has(f.id);
        break;
      case FieldId::Cookie: cookie = policy.guard.has(f.id); break;
      case FieldId::Range:
        facts.range = request.method != http::Method::Head;  // RFC 9110 section 14.2: it is ignored there
        facts.conditional = true;
        break;
      case FieldId::IfMatch:
      case FieldId::IfUnmodifiedSince: facts.conditional = facts.precondition = true; break;
      case FieldId::IfRange:
      case FieldId::IfNoneMatch:
      case FieldId::IfModifiedSince: facts.conditional = true; break;
      case FieldId::Accept: facts.endless = asks_for_endless(f.value); break;
      case FieldId::CacheControl:
      case FieldId::Pragma: directives = true; break;
      default: other = other || policy.guard.has(f.id); break;
    }
  }
  facts.is_signed = is_signed(request, policy);
  if (facts.method == http::Method::Head) facts.signed_url = has_secret(request.target);
  if (policy.guards_preflight) read_preflight(request, policy, facts);
  facts.credential = authorization ? Reason::Authorization
                     : cookie      ? Reason::Cookie
                     : other       ? Reason::Credential
                                   : Reason::None;
  if (facts.refresh) facts.refresh_refused = false;
  facts.authorization_in_key = facts.authorization && policy.authorization == AuthorizationRule::Key;
  if (directives) {
    facts.directives = read_request_directives(request.fields);
    facts.no_store = facts.directives.no_store;
  }
  return facts;
}

Reason may_look_up(const RequestFacts& facts, const http::RequestView& request, std::optional<std::string_view> query,
                   UnkeyedContent content, const Policy& policy) noexcept {
  if (!policy.cache) return Reason::CacheOff;
  if (!lists_method(policy, facts.method, request.method_text)) return Reason::Method;
  if (const Reason r = bypass_reason(request, query, policy.bypass); r != Reason::None) return r;
  if (facts.for_connection) return Reason::Authorization;
  if (facts.authorization && policy.authorization == AuthorizationRule::Bypass) return Reason::Authorization;
  if (!http::is_safe(facts.method) && has_precondition(request.fields)) return Reason::Precondition;
  return content == UnkeyedContent::Unexpected ? Reason::RequestBody : Reason::None;
}

Storability judge(const RequestFacts& facts, const http::ResponseView& response, const Policy& policy,
                  const ExchangeTimes& times, bool length_delimited, double jitter, std::string_view target) {
  Case c{facts, response, policy, times, target, read_response_directives(response.fields, policy.targeted_fields), {}};
  const bool guarded = facts.credential != Reason::None;
  c.lifetime = freshness_lifetime(response, c.directives, policy, times, guarded, jitter);

  Storability verdict;
  verdict.freshness = freshness_of(c);
  // Reasons of the response come first: they apply to every request, and pass memory keeps them.
  verdict.reason = response_reason(c, verdict.freshness, length_delimited);
  verdict.by_request = c.lifetime.blocked_by_guard && verdict.reason == facts.credential;
  if (verdict.reason == Reason::None) {
    verdict.reason = request_reason(c, verdict.freshness);
    verdict.by_request = verdict.reason != Reason::None;
  }
  // An error that is not stored is a failure for all followers, whatever the reason.
  if (!verdict.storable() && policy.stale.errors.covers(response.status)) {
    verdict.reason = Reason::OriginError;
    verdict.by_request = false;
  }
  if (!verdict.storable()) return verdict;
  const Freshness& f = verdict.freshness;
  const Reuse theirs = may_reuse(when_made(f, times), RequestFacts{}, policy, f.received);
  verdict.serves_followers = theirs == Reuse::Fresh || theirs == Reuse::WhileRevalidating;
  verdict.drop = fields_to_drop(c);
  return verdict;
}

bool may_renew(const RequestFacts& facts, const Freshness& stored) noexcept {
  return !stored.configured || facts.credential == Reason::None;
}

bool brings(const RequestFacts& facts, Reason reason) noexcept {
  switch (reason) {
    case Reason::Authorization: return facts.authorization;
    case Reason::RequestNoStore: return facts.no_store;
    case Reason::Cookie:
    case Reason::Credential: return facts.credential != Reason::None;
    default: return false;
  }
}

bool post_answers_get(const http::ResponseView& response, const Policy& policy, std::string_view scheme,
                      std::string_view host, std::string_view target) {
  if (response.status < 200 || response.status > 299) return false;
  if (policy.origin_cache_control != OriginCacheControl::Respect) return false;
  const auto location = response.fields.value(FieldId::ContentLocation);
  if (!location || response.fields.count(FieldId::ContentLocation) != 1) return false;
  if (http::same_origin_target(*location, scheme, host, target) != target) return false;
  const auto directives = read_response_directives(response.fields, policy.targeted_fields);
  return stated_lifetime(response, directives, Now{}).has_value();
}

}  // namespace forebay::rules
