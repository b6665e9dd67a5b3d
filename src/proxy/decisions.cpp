#include "decisions.hpp"

#include <algorithm>

#include "forebay/http/list.hpp"
#include "forebay/rules/reuse.hpp"
#include "forebay/rules/validation.hpp"

namespace forebay::proxy {

using http::FieldId;
using rules::CacheResult;
using rules::Forward;
using rules::Reason;
using Kind = cache::Lookup::Kind;

bool stays(const http::Field& field, const http::ConnectionNames& nominated) {
  switch (field.id) {
    case FieldId::Host:
    case FieldId::Connection:
    case FieldId::CdnLoop:
    case FieldId::Via:
      return true;
    default:
      return !nominated.has(field.name);
  }
}

bool asks_for_websocket(std::string_view upgrade) {
  bool asks = false;
  http::for_each_member(
      upgrade, [&](std::string_view m) { asks = asks || http::iequals(m.substr(0, m.find('/')), "websocket"); });
  return asks;
}

rules::CacheStatus bypass_status(Reason reason) noexcept {
  rules::CacheStatus status;
  status.result = CacheResult::Bypass;
  status.forward = reason == Reason::Method ? Forward::Method : Forward::Bypass;
  status.reason = reason;
  return status;
}

rules::CacheStatus stored_status(Kind kind, const rules::Freshness& freshness, Timestamp now) noexcept {
  rules::CacheStatus status;
  status.result = rules::served_as(freshness, now);
  status.max_stale = status.result == CacheResult::Stale && kind == Kind::Fresh;
  return status;
}

bool may_fly(const rules::RequestFacts& facts, const rules::Policy& policy) noexcept {
  const bool head = facts.method == http::Method::Head;
  const bool as_it_came = (facts.is_signed && (facts.conditional || head)) || facts.signed_url;
  // What is fetched for who brings credentials is for others seldom enough.
  const bool for_one = facts.credential != rules::Reason::None || (facts.authorization && !facts.authorization_in_key);
  return !(head && (!policy.convert_head || for_one)) && !facts.directives.only_if_cached && !facts.precondition &&
         !as_it_came;
}

Forward forward_word(Forward forward, const cache::KeySpec& spec, http::Method method, bool has_content) noexcept {
  if (forward != Forward::None && forward != Forward::UriMiss) return forward;
  const bool more = !spec.headers.empty() || !spec.cookies.empty() || spec.authorization || spec.graphql ||
                    cache::content_use(spec, method, has_content) == cache::ContentUse::Keyed;
  return more ? Forward::Miss : Forward::UriMiss;
}

cache::LookupRequest look_up_request(const cache::Key& key, const cache::Selecting& selecting,
                                     const rules::RequestFacts& facts, const config::Route& route, Timestamp now) {
  cache::LookupRequest request{key, selecting, facts, route.policy, route.key.fingerprint, now};
  request.may_fly = may_fly(facts, route.policy);
  return request;
}

bool serves_precondition(const rules::RequestFacts& facts, http::FieldsView request, const cache::Head& stored,
                         WallTime now) {
  return !facts.precondition || rules::preconditions_hold(request, stored.status, stored.fields, now);
}

rules::CacheStatus precondition_status() noexcept {
  rules::CacheStatus status;
  status.result = CacheResult::Miss;
  status.forward = Forward::Request;
  status.reason = Reason::Precondition;
  return status;
}

ForwardPlan plan_forward(const ForwardCase& found, const rules::RequestFacts& facts) {
  ForwardPlan plan;
  plan.may_store = found.ticket;
  plan.uses_entry = found.has_entry && !rules::keeps_for_others(found.reason);
  auto& s = plan.status;
  s.result = CacheResult::Miss;
  s.forward = found.forward == Forward::None ? Forward::UriMiss : found.forward;
  s.reason = found.reason;
  if (found.kind == Kind::Pass) {
    if (facts.is_signed && facts.conditional && s.reason == Reason::None) s.reason = Reason::Signed;
    if (facts.range) {  // the origin's own 206 is passed on
      plan.may_store = false;
      if (s.reason == Reason::None) s.reason = Reason::Range;
    }
    if (facts.precondition && s.reason == Reason::None) s.reason = Reason::Precondition;
    if (found.reason == Reason::PassMemory) {
      if (found.has_entry) {
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

bool may_be_the_leaders(upstream::FetchError error) noexcept {
  using upstream::FetchError;
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
