#include "outgoing.hpp"

#include <algorithm>

#include "forebay/http/date.hpp"
#include "forebay/http/forwarding.hpp"
#include "forebay/http/list.hpp"
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

/// Whether `name` is `wanted` (lower case) to readers that take `_` for `-`, as CGI, WSGI and their heirs do.
bool reads_as(std::string_view name, std::string_view wanted) noexcept {
  if (name.size() != wanted.size()) return false;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i] == '_' ? '-' : name[i] >= 'A' && name[i] <= 'Z' ? static_cast<char>(name[i] + 32) : name[i];
    if (c != wanted[i]) return false;
  }
  return true;
}

// Fields by which some applications let a client name another resource or host than the request does.
constexpr std::string_view kTargets[] = {"x-original-url",
                                         "x-original-uri",
                                         "x-original-host",
                                         "x-original-path",
                                         "x-rewrite-url",
                                         "x-rewrite-uri",
                                         "x-host",
                                         "x-http-host-override",
                                         "x-forwarded",
                                         "x-forwarded-server",
                                         "x-forwarded-prefix",
                                         "x-forwarded-path",
                                         "x-forwarded-uri",
                                         "x-forwarded-url",
                                         "x-forwarded-scheme",
                                         "x-forwarded-ssl",
                                         "x-forwarded-https",
                                         "x-forwarded-protocol",
                                         "x-forwarded-proto",
                                         "x-forwarded-host",
                                         "x-forwarded-port",
                                         "x-forwarded-for",
                                         "x-url-scheme",
                                         "x-request-uri",
                                         "x-override-url",
                                         "x-backend-host",
                                         "x-replaced-path",
                                         "x-http-destinationurl",
                                         "x-arr-ssl",
                                         "x-sendfile-type",
                                         "x-envoy-original-path",
                                         "x-script-name",
                                         "front-end-https",
                                         "base-url",
                                         "x-forwarded-method"};
constexpr std::string_view kMethods[] = {"x-http-method-override", "x-http-method", "x-method-override"};

/// Whether a field could choose the answer behind the key's back (cache poisoning): what is no part of the key must not
/// decide what others get. Who is trusted may say such things, and a route that keys on one passes it on.
bool chooses_behind_the_key(const http::Field& f, const Story& story) noexcept {
  if (f.id != FieldId::Other || story.peer_trusted) return false;
  const auto read_as = [&](std::string_view name) { return reads_as(f.name, name); };
  const auto* route = story.route->route;
  const auto is = [&](std::string_view name) { return http::iequals(f.name, name); };
  if (route && std::any_of(route->key.headers.begin(), route->key.headers.end(), is)) return false;
  if (std::any_of(std::begin(kTargets), std::end(kTargets), read_as)) return true;
  // A POST that is not looked up may say what it stands for; nobody else gets its answer.
  const bool method_matters = http::is_safe(story.view().method) || story.looked_up();
  if (method_matters && std::any_of(std::begin(kMethods), std::end(kMethods), read_as)) return true;
  if (f.name.find('_') == std::string_view::npos) return false;
  // `X_Tenant` beside a keyed `X-Tenant`, or `Accept_Language`: two names here, and one to such an application.
  std::string hyphens(f.name);
  std::replace(hyphens.begin(), hyphens.end(), '_', '-');
  if (http::field_id(hyphens) != FieldId::Other) return true;
  if (!route) return false;
  const auto matches = [&](const std::string& glob) { return http::glob_match(glob, hyphens, true); };
  return std::any_of(route->key.headers.begin(), route->key.headers.end(), read_as) ||
         std::any_of(route->policy.bypass.headers.begin(), route->policy.bypass.headers.end(), matches);
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
  const auto get = as_get(view);
  for (const auto& target : targets) {
    if (!read.read(http::Method::Get, target)) continue;
    routes.clear();
    story.runtime->runtime->routes.find_all(story.host, read.path(), routes);
    for (const auto* route : routes) {
      captures.clear();
      route->path.capture(read.path(), captures);
      cache::KeyInput input{route->name, get, read, story.scheme, story.host};
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
