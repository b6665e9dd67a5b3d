#include "plan.hpp"

#include <algorithm>

#include "forebay/http/forwarding.hpp"
#include "forebay/http/list.hpp"
#include "forebay/proxy/origin_fields.hpp"
#include "forebay/rules/reuse.hpp"
#include "forebay/rules/validation.hpp"
#include "outcome.hpp"

namespace forebay::proxy {

using http::FieldId;
using rules::CacheResult;
using rules::Forward;
using rules::Reason;
using Kind = cache::LookupKind;

const OwnError kQueueIsFull{
    504, RequestError::Coalesce, "Gateway Timeout", "Too many requests wait for the same resource.", "1", {}};
const OwnError kTooManyTunnels{
    503, RequestError::Upgrade, "Service Unavailable", "Too many tunnels (server.limits.tunnels).", "1", {}, true};
const OwnError kBadHost{400, RequestError::BadRequest, "Bad Request", "The Host field is invalid.", {}, {}, true};

namespace {

const OwnError kConnect{405, RequestError::BadRequest, "Method Not Allowed", "CONNECT is not supported.", {}, kAllow,
                        true};  // the bytes after it are for a tunnel
const OwnError kTrace{405, RequestError::BadRequest, "Method Not Allowed", "TRACE is not supported.", {}, kAllow};
const OwnError kEndsHere{200, {}, "OK", "Max-Forwards is 0, so the request is not forwarded.", {}, kAllow};
const OwnError kLoop{
    508, RequestError::Loop, "Loop Detected", "Forwarding loop: an origin sends requests back to this proxy.", {}, {}};
const OwnError kBadTarget{400, RequestError::BadRequest, "Bad Request", "The request target is invalid.", {}, {}, true};
const OwnError kNoRoute{404, RequestError::NoRoute, "Not Found", "No route matches this request.", {}, {}};
const OwnError kNoRefresh{
    403, RequestError::Forbidden, "Forbidden", "The request asks for a refresh without a valid token.", {}, {}};
const OwnError kOnlyIfCached{
    504,
    RequestError::OnlyIfCached,
    "Gateway Timeout",
    "The request allows only a stored response (only-if-cached), and there is none that it can use.",
    {},
    {}};

/// Whether a field stays even if Connection names it.
bool stays(const http::Field& field, const http::ConnectionNames& nominated) {
  switch (field.id) {
    case FieldId::Host:
    case FieldId::Connection:
    case FieldId::CdnLoop:
    case FieldId::Via: return true;
    default: return !nominated.has(field.name);
  }
}

}  // namespace

HeadFacts scan(http::FieldsView sent, std::string_view request_id) {
  HeadFacts facts;
  bool several_ids = false;
  for (const auto& f : sent) {
    switch (f.id) {
      case FieldId::XForwardedProto:
        if (facts.forwarded_proto.empty()) facts.forwarded_proto = http::forwarded_scheme(sent);
        facts.forwarding = true;
        break;
      case FieldId::XForwardedFor:
      case FieldId::XForwardedHost:
      case FieldId::XForwardedPort:
      case FieldId::Forwarded: facts.forwarding = true; break;
      case FieldId::CdnLoop: facts.loop = true; break;
      case FieldId::Connection:
        http::for_each_piece(f.value, [&](std::string_view m) {
          if (!http::iequals(m, "keep-alive") && !http::iequals(m, "close")) facts.connection_names_more = true;
        });
        break;
      case FieldId::Upgrade: facts.upgrade = true; break;
      default: break;
    }
    if (f.id == FieldId::Other && is_client_cert(f.name)) facts.client_cert = true;
    if (!request_id.empty() && (f.id == FieldId::XRequestId || f.id == FieldId::Other) &&
        http::iequals(f.name, request_id)) {
      several_ids = !facts.request_id.empty();
      facts.request_id = f.value;
    }
  }
  if (several_ids || !is_request_id(facts.request_id)) facts.request_id = {};
  return facts;
}

http::RequestView end_to_end_request(const http::RequestView& request, const HeadFacts& facts,
                                     const net::TlsClientCertificate* client, std::vector<http::Field>& kept) {
  if (client != nullptr && client->field.empty()) client = nullptr;
  if (!facts.connection_names_more && !facts.client_cert && client == nullptr) return request;
  kept.clear();
  const http::ConnectionNames nominated(request.fields);
  for (const auto& f : request.fields) {
    const bool forged = facts.client_cert && f.id == FieldId::Other && is_client_cert(f.name);
    if (!forged && stays(f, nominated)) kept.push_back(f);
  }
  if (client != nullptr) {
    kept.push_back({"Client-Cert", client->field, FieldId::Other});
    if (!client->chain_field.empty()) kept.push_back({"Client-Cert-Chain", client->chain_field, FieldId::Other});
  }
  http::RequestView view = request;
  view.fields = http::FieldsView(kept);
  return view;
}

const OwnError* refuse_head(const http::RequestView& request, const HeadFacts& facts, std::string_view instance_id,
                            Reading& reading) {
  using http::Method;
  if (request.method == Method::Connect) return &kConnect;
  if (request.method == Method::Trace) return &kTrace;
  if (request.method == Method::Options && http::max_forwards(request.fields) == std::uint64_t{0}) return &kEndsHere;
  if (facts.loop) {
    const auto verdict = http::read_cdn_loop(request.fields, "forebay", instance_id);
    if (verdict.own || verdict.members > 16) return &kLoop;
  }
  return reading.target.read(request.method, request.target) ? nullptr : &kBadTarget;
}

std::variant<Refuse, Bypass, LookUp, AnswerHere> plan_route(const Reading& reading, bool has_origin,
                                                            bool authenticated) {
  if (const auto* route = reading.route; route && route->answers != config::Answers::Origin)
    return AnswerHere{route->answers == config::Answers::Redirect ? Reason::Redirect : Reason::Respond};
  if (!has_origin) return Refuse{&kNoRoute};
  if (reading.facts.refresh_refused && reading.route->policy.client_refresh.otherwise == rules::RefreshRefusal::Forbid)
    return Refuse{&kNoRefresh};
  if (reading.reason != Reason::None) return Bypass{reading.reason};
  if (authenticated) return Bypass{Reason::Authorization};
  return LookUp{};
}

std::variant<Refuse, GoForward> plan_bypass(Reason reason, const rules::RequestFacts& facts) {
  if (facts.directives.only_if_cached) return Refuse{&kOnlyIfCached};
  return GoForward{bypass_status(reason)};
}

rules::CacheStatus bypass_status(Reason reason) noexcept {
  rules::CacheStatus status;
  status.result = CacheResult::Bypass;
  status.forward = reason == Reason::Method ? Forward::Method : Forward::Bypass;
  status.reason = reason;
  return status;
}

bool may_lead(const rules::RequestFacts& facts, const rules::Policy& policy) noexcept {
  const bool head = facts.method == http::Method::Head;
  const bool as_it_came = (facts.is_signed && (facts.conditional || head)) || facts.signed_url;
  // The response to a request with credentials is rarely for others.
  const bool for_one = facts.credential != rules::Reason::None || (facts.authorization && !facts.authorization_in_key);
  return !(head && (!policy.convert_head || for_one)) && !facts.directives.only_if_cached && !facts.precondition &&
         !as_it_came;
}

cache::LookupRequest look_up_request(const cache::Key& key, const cache::Selecting& selecting,
                                     const rules::RequestFacts& facts, const config::Route& route, Timestamp now) {
  cache::LookupRequest request{key, selecting, facts, route.policy, route.key.fingerprint, now};
  request.may_lead = may_lead(facts, route.policy);
  return request;
}

namespace {

// As RFC 9211 section 2.2 has the words: if the key has more than the URI, it is unknown whether another response of
// this URI is stored, so it is `miss` and not `uri-miss`.
Forward forward_word(Forward forward, const Asked& asked) noexcept {
  if (forward != Forward::None && forward != Forward::UriMiss) return forward;
  const auto& spec = asked.key;
  const bool more = !spec.headers.empty() || !spec.cookies.empty() || spec.authorization || spec.graphql ||
                    cache::content_use(spec, asked.facts.method, asked.has_content) == cache::ContentUse::Keyed;
  return more ? Forward::Miss : Forward::UriMiss;
}

Fetch plan_fetch(const Found& found, const rules::RequestFacts& facts, Forward forward) {
  const bool has_entry = found.stored && found.stored->entry;
  Fetch plan;
  plan.may_store = found.ticket;
  plan.uses_entry = has_entry && !rules::keeps_for_others(found.reason);
  auto& s = plan.status;
  s.result = CacheResult::Miss;
  s.forward = forward;
  s.reason = found.reason;
  if (found.kind == Kind::Pass) {
    if (facts.is_signed && facts.conditional && s.reason == Reason::None) s.reason = Reason::Signed;
    if (facts.range) {  // the origin's own 206 is passed on
      plan.may_store = false;
      if (s.reason == Reason::None) s.reason = Reason::Range;
    }
    if (facts.precondition && s.reason == Reason::None) s.reason = Reason::Precondition;
    if (found.reason == Reason::PassMemory) {
      if (has_entry) {
        s.reason = Reason::None;
      } else {
        s.result = CacheResult::Bypass;
        s.forward = Forward::Bypass;
        s.cause = found.pass_memory.cause;
        s.cause_left = seconds_left(found.pass_memory);
      }
    }
  }
  plan.validates = plan.may_store && !facts.refresh && !facts.is_signed;
  plan.by_get = plan.may_store && facts.method == http::Method::Head;
  if (facts.method == http::Method::Head && !plan.by_get && !plan.uses_entry && s.reason == Reason::None)
    s.reason = facts.is_signed || facts.signed_url ? Reason::Signed
               : facts.credential != Reason::None  ? facts.credential
               : facts.authorization               ? Reason::Authorization
                                                   : Reason::Method;
  return plan;
}

}  // namespace

Found found_of(const cache::Lookup& lookup) noexcept {
  Found found{cache::kind_of(lookup), &stored_of(lookup)};
  if (const auto* join = std::get_if<cache::Join>(&lookup)) {
    found.forward = join->forward;
  } else if (const auto* full = std::get_if<cache::QueueFull>(&lookup)) {
    found.forward = full->forward;
  } else if (const auto* stale = std::get_if<cache::Stale>(&lookup)) {
    found.unasked = stale->unasked;
  } else if (const auto* lead = std::get_if<cache::Lead>(&lookup)) {
    found.forward = lead->forward;
    found.ticket = static_cast<bool>(lead->ticket);
  } else if (const auto* pass = std::get_if<cache::Pass>(&lookup)) {
    found.forward = pass->forward;
    found.reason = pass->reason;
    found.ticket = static_cast<bool>(pass->ticket);
    found.pass_memory = pass->pass_memory;
  }
  return found;
}

Found found_of(const cache::Peek& peek) noexcept {
  const bool its_own = peek.stored.entry && peek.reuse != rules::Reuse::NotForThis;
  return {peek.kind,    its_own ? &peek.stored : nullptr,
          peek.forward, peek.reason,
          peek.ticket,  peek.pass_memory,
          peek.unasked, peek.paused};
}

FoundPlan plan_found(const Found& found, const Asked& asked) {
  const auto& facts = asked.facts;
  const bool only_stored = facts.directives.only_if_cached;
  if (found.kind == Kind::Fresh || found.kind == Kind::Stale) {
    // A Range for another version than the stored one is forwarded to the origin.
    const auto stored = found.stored->entry->head();
    if (facts.precondition && !rules::preconditions_hold(asked.fields, stored.status, stored.fields, asked.now.wall)) {
      if (only_stored) return Refuse{&kOnlyIfCached};
      GoForward plan;
      plan.status.forward = Forward::Request;
      plan.status.reason = Reason::Precondition;
      return plan;
    }
    Serve plan;
    plan.status.result =
        found.unasked ? CacheResult::StaleError : rules::served_as(found.stored->freshness, asked.now.mono);
    plan.status.max_stale = plan.status.result == CacheResult::Stale && found.kind == Kind::Fresh;
    return plan;
  }
  if (only_stored) return Refuse{&kOnlyIfCached};
  const auto forward = forward_word(found.forward, asked);
  // Waiting requests need memory, which is limited.
  if (found.kind == Kind::QueueFull || (found.kind == Kind::Join && !asked.may_wait)) return Overflow{forward};
  if (found.kind == Kind::Join) return Follow{forward};
  return plan_fetch(found, facts, forward);
}

Reason cause_of_own(const rules::Freshness& freshness) noexcept {
  return freshness.no_cache ? Reason::NoCache : Reason::ZeroTtl;
}

std::int64_t seconds_left(const cache::PassMemory& memory) noexcept {
  constexpr Duration kSecond = std::chrono::seconds{1};
  return (std::max(memory.left, Duration{0}) + kSecond - Duration{1}) / kSecond;
}

Fate fate_of(int status, bool error, bool may_store, const rules::Storability& verdict, bool has_entry,
             bool stale) noexcept {
  const bool storable = may_store && verdict.storable();
  if (error && (!storable || has_entry) && stale) return Fate::ServeStale;
  if (storable) return Fate::Store;
  return may_store && (error || status >= 500) ? Fate::Fail : Fate::PassOn;
}

bool may_be_the_leaders(int origin_status) noexcept { return origin_status < 502 || origin_status > 504; }

bool may_be_the_leaders(net::FetchError error) noexcept {
  using net::FetchError;
  return error == FetchError::Reset || error == FetchError::Protocol || error == FetchError::TooLarge;
}

ShownFreshness shown(const rules::Freshness& freshness, Timestamp now) noexcept {
  ShownFreshness s;
  s.age_s = std::max<std::int64_t>(0, whole_seconds(freshness.age(now)));
  const Duration used = freshness.lifetime - freshness.ttl(now);  // of the lifetime; the age, where that counts
  s.ttl_s = whole_seconds(freshness.lifetime) - std::max<std::int64_t>(0, whole_seconds(used));
  if (freshness.ttl(now).count() < 0) s.ttl_s = std::min<std::int64_t>(s.ttl_s, -1);
  return s;
}

}  // namespace forebay::proxy
