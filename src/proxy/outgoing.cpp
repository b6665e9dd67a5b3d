#include "outgoing.hpp"

#include <algorithm>

#include "forebay/http/date.hpp"
#include "forebay/http/forwarding.hpp"
#include "forebay/rules/cache_control.hpp"
#include "forebay/rules/invalidation.hpp"

namespace forebay::proxy {
namespace {

using http::FieldId;

const rules::Policy kNoPolicy;  // of requests that no route matched

bool starts_with_forebay(std::string_view name) noexcept {
  return name.size() > 8 && http::iequals(name.substr(0, 8), "forebay-");
}

bool is_condition(FieldId id) noexcept {
  switch (id) {
    case FieldId::Range:
    case FieldId::IfRange:
    case FieldId::IfMatch:
    case FieldId::IfNoneMatch:
    case FieldId::IfModifiedSince:
    case FieldId::IfUnmodifiedSince:
      return true;
    default:
      return false;
  }
}

std::string host_for(const config::Origin& origin, const Story& story) {
  if (origin.host_header == "origin" || story.host.empty()) return origin.url.authority;
  if (origin.host_header == "preserve") return story.host;
  return origin.host_header;
}

}  // namespace

http::Fields outgoing_fields(Core& core, const Story& story, bool shared) {
  const auto& config = story.runtime->config();
  http::Fields fields;
  fields.add(FieldId::Host, host_for(story.route->origin->state().config(), story));
  for (const auto& f : story.view().fields) {
    if (http::is_hop_by_hop(f.id) || f.id == FieldId::Host || f.id == FieldId::Expect || f.id == FieldId::ContentLength)
      continue;
    if (f.id == FieldId::Other && starts_with_forebay(f.name)) continue;
    if (shared && is_condition(f.id)) continue;
    if (!config.propagate_trace && (http::iequals(f.name, "traceparent") || http::iequals(f.name, "tracestate")))
      continue;
    fields.add(f.name, f.value);
  }
  http::ForwardingFacts facts;
  facts.peer = story.peer;
  facts.host = story.host;
  facts.scheme = story.scheme;
  facts.peer_trusted = story.peer_trusted;
  facts.mode = config.server.forwarded;
  http::set_forwarding_fields(fields, facts);
  http::add_via(fields, story.view().version, "forebay");
  fields.add(FieldId::CdnLoop, "forebay;id=" + core.shared.instance_id);
  if (!config.request_id.empty()) fields.set(config.request_id, story.request_id);
  return fields;
}

bool key_of_get(Core& core, const Story& story, std::string_view target, const RouteState*& route, cache::Key& key) {
  http::Target read;
  if (!read.read(http::Method::Get, target)) return false;
  const auto match = story.runtime->runtime->routes.find(story.host, read.path(), http::Method::Get, "GET");
  if (!match.route || !match.method || !match.route->policy.cache) return false;
  route = &story.runtime->routes[match.route->index];
  http::RequestView as_get = story.view();
  as_get.method = http::Method::Get;
  as_get.method_text = "GET";
  key.build(match.route->key, {match.route->name, as_get, read, story.scheme, story.host});
  (void)core;
  return true;
}

void invalidate_after(Core& core, const Story& story, const http::ResponseView& response) {
  const auto view = story.view();
  if (!story.route->route || !rules::is_write(view.method, view.method_text, story.policy())) return;
  const auto targets = rules::invalidated_targets(view.method, story.scheme, story.host, story.target, response);
  if (targets.empty()) return;
  std::vector<Digest> resources;
  std::vector<const config::Route*> routes;
  http::Target read;
  cache::Key key;
  http::RequestView as_get = view;
  as_get.method = http::Method::Get;
  as_get.method_text = "GET";
  for (const auto& target : targets) {
    if (!read.read(http::Method::Get, target)) continue;
    routes.clear();
    story.runtime->runtime->routes.find_all(story.host, read.path(), routes);
    for (const auto* route : routes) {
      key.build(route->key, {route->name, as_get, read, story.scheme, story.host});
      if (std::find(resources.begin(), resources.end(), key.resource()) == resources.end())
        resources.push_back(key.resource());
    }
  }
  if (!resources.empty()) core.shared.store.invalidate(resources);
}

http::Fields end_to_end(const Story& story, const http::ResponseView& response, const std::vector<std::string>& drop,
                        WallTime received, bool keep_age) {
  http::Fields fields;
  const auto& policy = story.route->route ? story.policy() : kNoPolicy;
  const bool own_x_cache = story.runtime->config().diagnostics.x_cache;
  const http::ConnectionNames nominated(response.fields);
  bool has_date = false;
  for (const auto& f : response.fields) {
    if (http::is_hop_by_hop(f.id) || f.id == FieldId::ContentLength) continue;
    if (f.id == FieldId::Age && !keep_age) continue;
    if (nominated.has(f.name)) continue;
    const auto named = [&](const std::string& name) { return http::iequals(name, f.name); };
    if (std::any_of(drop.begin(), drop.end(), named)) continue;
    if (!rules::goes_downstream(f, policy)) continue;
    if (own_x_cache && f.id == FieldId::XCache) continue;  // of a cache behind: it would contradict ours
    has_date = has_date || f.id == FieldId::Date;
    fields.add(f.name, f.value);
  }
  if (!has_date) fields.add(FieldId::Date, http::format_date(received));
  http::add_via(fields, response.version, "forebay");
  return fields;
}

}  // namespace forebay::proxy
