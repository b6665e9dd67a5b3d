#include "outgoing.hpp"

#include <algorithm>

#include "forebay/http/date.hpp"
#include "forebay/http/forwarding.hpp"
#include "forebay/proxy/origin_fields.hpp"
#include "forebay/proxy/purging.hpp"
#include "forebay/rules/cache_control.hpp"
#include "forebay/rules/invalidation.hpp"

namespace forebay::proxy {
namespace {

using http::FieldId;

constexpr std::size_t kUsualText = 384;  // of the fields of a response

const rules::Policy kNoPolicy;  // of requests without a route; its `methods` declare no unsafe reads

}  // namespace

bool drops_credentials(const PendingRequest& pending, const config::Origin& origin) {
  return origin.sign.on() || pending.route->origin->state().config().sign.on();
}

OriginRequest origin_request(const PendingRequest& pending, bool shared) {
  return origin_request(pending, shared, pending.route->origin->state().config());
}

OriginRequest origin_request(const PendingRequest& pending, bool shared, const config::Origin& origin) {
  OriginRequest request{pending.config(), origin, pending.route->route, pending.request};
  request.scheme = pending.reading.scheme;
  request.host = pending.reading.host;
  request.peer = pending.peer;
  request.peer_trusted = pending.peer_trusted;
  request.looked_up = pending.keyed;
  request.drops_credentials = drops_credentials(pending, origin);
  request.shared = shared;
  request.instance_id = pending.core.shared.instance_id;
  request.request_id = pending.request_id;
  return request;
}

std::vector<Digest> invalidated_resources(const PendingRequest& pending, rules::Reason not_looked_up,
                                          const http::ResponseView& response) {
  std::vector<Digest> resources;
  const auto& view = pending.request;
  const auto& scheme = pending.reading.scheme;
  const auto& host = pending.reading.host;
  const auto& policy = pending.route->route ? pending.policy() : kNoPolicy;
  if (!rules::is_write(view.method, view.method_text, not_looked_up, policy)) return resources;
  http::Target read;
  for (const auto& target : rules::invalidated_targets(view.method, scheme, host, pending.target, response))
    if (read.read(http::Method::Get, target))
      add_resources(pending.runtime->runtime->routes, scheme, host, read, resources);
  return resources;
}

namespace {

const rules::Policy& policy_of(const PendingRequest& pending) {
  return pending.route->route ? pending.policy() : kNoPolicy;
}

/// Calls `f(field)` for the end-to-end fields that are not in `drop`.
template <class F>
void for_each_kept(const http::ResponseView& response, const std::vector<std::string>& drop, F&& f) {
  const http::ConnectionNames nominated(response.fields);
  for (const auto& field : response.fields) {
    if (http::is_hop_by_hop(field.id) || field.id == FieldId::ContentLength || nominated.has(field.name)) continue;
    const auto named = [&](const std::string& name) { return http::iequals(name, field.name); };
    if (std::none_of(drop.begin(), drop.end(), named)) f(field);
  }
}

}  // namespace

http::Fields end_to_end(const PendingRequest& pending, const http::ResponseView& response,
                        const std::vector<std::string>& drop, WallTime received, bool keep_age) {
  http::Fields fields;
  fields.reserve(kUsualText, response.fields.size() + 2);
  const bool own_x_cache = pending.config().diagnostics.x_cache;
  bool has_date = false;
  for_each_kept(response, drop, [&](const http::Field& f) {
    if (f.id == FieldId::Age && !keep_age) return;
    if (!rules::goes_downstream(f, policy_of(pending))) return;
    if (own_x_cache && f.id == FieldId::XCache) return;  // of a cache behind us: it would contradict ours
    has_date = has_date || f.id == FieldId::Date;
    fields.add(f);
  });
  if (!has_date) fields.add(FieldId::Date, http::format_date(received));
  http::add_via(fields, response.version, pending.config().diagnostics.name);
  return fields;
}

http::Fields end_to_end_interim(const PendingRequest& pending, const http::ResponseView& response) {
  http::Fields fields;
  for_each_kept(response, {}, [&](const http::Field& f) {
    if (rules::goes_downstream(f, policy_of(pending))) fields.add(f.name, f.value);
  });
  if (pending.route->route)
    for (const auto& name : pending.route->route->response_headers.remove) fields.remove(name);
  return fields;
}

http::Fields kept_back(const PendingRequest& pending, const http::ResponseView& response,
                       const std::vector<std::string>& drop) {
  http::Fields fields;
  for_each_kept(response, drop, [&](const http::Field& f) {
    if (!rules::goes_downstream(f, policy_of(pending))) fields.add(f.name, f.value);
  });
  return fields;
}

}  // namespace forebay::proxy
