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

/// Fields by which some applications let a client name another resource, host or method than the request does. What is
/// no part of the key must not choose the answer that others get (cache poisoning); who is trusted may say so, and a
/// route that keys on one passes it on.
bool chooses_behind_the_key(const http::Field& f, const Story& story) noexcept {
  static constexpr std::string_view kTargets[] = {"x-original-url",
                                                  "x-original-uri",
                                                  "x-original-host",
                                                  "x-original-path",
                                                  "x-rewrite-url",
                                                  "x-rewrite-uri",
                                                  "x-host",
                                                  "x-http-host-override",
                                                  "x-forwarded-server",
                                                  "x-forwarded-prefix",
                                                  "x-forwarded-path",
                                                  "x-forwarded-uri",
                                                  "x-forwarded-scheme",
                                                  "x-forwarded-ssl",
                                                  "x-forwarded-protocol",
                                                  "x-url-scheme",
                                                  "x-forwarded-method",
                                                  "front-end-https",
                                                  "x-envoy-original-path",
                                                  "x-script-name"};
  static constexpr std::string_view kMethods[] = {"x-http-method-override", "x-http-method", "x-method-override"};
  if (f.id != FieldId::Other || story.peer_trusted) return false;
  const auto named = [&](std::string_view name) { return http::iequals(name, f.name); };
  // A POST that is not looked up may say what it stands for; nobody else gets its answer.
  const bool method_matters = http::is_safe(story.view().method) || story.looked_up();
  if (std::none_of(std::begin(kTargets), std::end(kTargets), named) &&
      !(method_matters && std::any_of(std::begin(kMethods), std::end(kMethods), named)))
    return false;
  const auto* route = story.route->route;
  return !route || std::none_of(route->key.headers.begin(), route->key.headers.end(), named);
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
    if (chooses_behind_the_key(f, story)) continue;
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
  if (const auto* route = story.route->route) apply(route->request_headers, fields);
  return fields;
}

void apply(const config::HeaderChanges& changes, http::Fields& fields) {
  for (const auto& name : changes.remove) fields.remove(name);
  for (const auto& [name, value] : changes.set) fields.set(name, value);
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
  std::vector<cache::Capture> captures;
  match.route->path.capture(read.path(), captures);
  cache::KeyInput input{match.route->name, as_get, read, story.scheme, story.host};
  input.captures = captures;
  input.persisted = &core.shared.persisted;
  return key.build(match.route->key, input) == rules::Reason::None;
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
  std::vector<cache::Capture> captures;
  const auto add = [&resources](const Digest& resource) {
    if (std::find(resources.begin(), resources.end(), resource) == resources.end()) resources.push_back(resource);
  };
  http::RequestView as_get = view;
  as_get.method = http::Method::Get;
  as_get.method_text = "GET";
  for (const auto& target : targets) {
    if (!read.read(http::Method::Get, target)) continue;
    routes.clear();
    story.runtime->runtime->routes.find_all(story.host, read.path(), routes);
    for (const auto* route : routes) {
      captures.clear();
      route->path.capture(read.path(), captures);
      cache::KeyInput input{route->name, as_get, read, story.scheme, story.host};
      input.captures = captures;
      key.build_resource(route->key, input);
      add(key.resource());
      // What is stored under a rule for the query is stored for many URLs, this one maybe among them.
      if (route->policy.no_vary_search) add(key.searched_resource());
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
