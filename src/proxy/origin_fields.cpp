#include "forebay/proxy/origin_fields.hpp"

#include <algorithm>

#include "forebay/http/forwarding.hpp"
#include "forebay/http/list.hpp"
#include "forebay/rules/signature.hpp"
#include "outgoing.hpp"

namespace forebay::proxy {
namespace {

using http::FieldId;

bool starts_with_forebay(std::string_view name) noexcept {
  return name.size() > 8 && http::iequals(name.substr(0, 8), "forebay-");
}

std::string_view host_for(const OriginRequest& request) {
  const auto& origin = request.origin;
  if (origin.host_header == "origin" || request.host.empty()) return origin.url.authority;
  if (origin.host_header == "preserve") return request.host;
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
bool chooses_behind_the_key(const http::Field& f, const OriginRequest& request) noexcept {
  if (f.id != FieldId::Other || request.peer_trusted) return false;
  const auto read_as = [&](std::string_view name) { return reads_as(f.name, name); };
  const auto* route = request.route;
  const auto is = [&](std::string_view name) { return http::iequals(f.name, name); };
  if (route && std::any_of(route->key.headers.begin(), route->key.headers.end(), is)) return false;
  if (std::any_of(std::begin(kTargets), std::end(kTargets), read_as)) return true;
  // A POST that is not looked up may say what it stands for; nobody else gets its answer.
  const bool method_matters = http::is_safe(request.request.method) || request.looked_up;
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

http::Fields fields_for_origin(const OriginRequest& request) {
  const auto& config = request.config;
  http::Fields fields;
  fields.add(FieldId::Host, host_for(request));
  for (const auto& f : request.request.fields) {
    if (http::is_hop_by_hop(f.id) || f.id == FieldId::Host || f.id == FieldId::Expect || f.id == FieldId::ContentLength)
      continue;
    if (f.id == FieldId::Other && starts_with_forebay(f.name)) continue;
    if (request.shared && rules::is_condition(f.id)) continue;
    if (chooses_behind_the_key(f, request)) continue;
    if (!config.propagate_trace && (http::iequals(f.name, "traceparent") || http::iequals(f.name, "tracestate")))
      continue;
    fields.add(f.name, f.value);
  }
  http::ForwardingFacts facts;
  facts.peer = request.peer;
  facts.host = request.host;
  facts.scheme = request.scheme;
  facts.peer_trusted = request.peer_trusted;
  facts.mode = config.server.forwarded;
  http::set_forwarding_fields(fields, facts);
  http::add_via(fields, request.request.version, "forebay");
  fields.add(FieldId::CdnLoop, "forebay;id=" + std::string(request.instance_id));
  if (!config.request_id.empty()) fields.set(config.request_id, request.request_id);
  if (request.route) apply(request.route->request_headers, fields);
  return fields;
}

namespace {

/// What most responses vary on, and what reaches an origin as it came unless a route changes it.
bool always_passed_on(std::string_view name) noexcept {
  switch (http::field_id(name)) {
    case FieldId::Accept:
    case FieldId::AcceptEncoding:
    case FieldId::AcceptLanguage:
    case FieldId::Authorization:
    case FieldId::Cookie:
    case FieldId::Origin:
    case FieldId::UserAgent:
      return true;
    default:
      return false;
  }
}

}  // namespace

http::FieldsView OriginSelecting::fields(const std::vector<std::string>& names) const {
  const bool unchanged = (!request_.route || request_.route->request_headers.empty()) &&
                         std::all_of(names.begin(), names.end(), always_passed_on);
  if (unchanged) return request_.request.fields;
  if (!sent_) sent_ = fields_for_origin(request_);
  return *sent_;
}

void apply(const config::HeaderChanges& changes, http::Fields& fields) {
  for (const auto& name : changes.remove) fields.remove(name);
  for (const auto& [name, value] : changes.set) fields.set(name, value);
}

}  // namespace forebay::proxy
