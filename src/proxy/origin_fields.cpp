#include "forebay/proxy/origin_fields.hpp"

#include <algorithm>

#include "forebay/http/aws_sigv4.hpp"
#include "forebay/http/forwarding.hpp"
#include "forebay/http/list.hpp"
#include "forebay/http/names.hpp"
#include "forebay/rules/signature.hpp"
#include "outgoing.hpp"

namespace forebay::proxy {
namespace {

using http::FieldId;

constexpr std::size_t kUsualText = 512;  // of the fields of a request

bool starts_with_forebay(std::string_view name) {
  return name.size() > 8 && http::may_be_read_as(http::NameKind::Field, name.substr(0, 8), "forebay-");
}

std::string_view host_for(const OriginRequest& request) {
  const auto& origin = request.origin;
  if (origin.host_header == "origin" || request.host.empty())
    return request.url ? request.url->authority : origin.url.authority;
  if (origin.host_header == "preserve") return request.host;
  return origin.host_header;
}

bool read_as(std::string_view name, std::string_view listed) {
  return http::may_be_read_as(http::NameKind::Field, name, listed);
}

template <class Names>
bool read_as_any(std::string_view name, const Names& names) {
  return std::any_of(names.begin(), names.end(), [&](const auto& listed) { return read_as(name, listed); });
}
bool read_as_any(std::string_view name, const std::vector<rules::NamedCondition>& conditions) {
  return std::any_of(conditions.begin(), conditions.end(),
                     [&](const auto& asked) { return read_as(name, asked.name); });
}

/// Whether the field is in the route's key under exactly this name: then any value is safe.
bool is_keyed(std::string_view name, const OriginRequest& request) noexcept {
  const auto* route = request.route;
  return route && std::any_of(route->key.headers.begin(), route->key.headers.end(),
                              [&](const auto& listed) { return http::iequals(listed, name); });
}

/// Whether the name is another spelling of a field that Forebay knows or writes, or that the route uses in its key or
/// in `bypass`: an application may read both as one name.
bool is_other_spelling(std::string_view name, const OriginRequest& request) {
  std::string hyphens(name);
  for (char& c : hyphens)
    if ((c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z')) c = '-';
  if (hyphens != name && http::field_id(hyphens) != FieldId::Other) return true;
  const auto is = [&](std::string_view listed) { return read_as(name, listed) && !http::iequals(name, listed); };
  if (!request.config.request_id.empty() && is(request.config.request_id)) return true;
  const auto* route = request.route;
  if (!route) return false;
  const auto& bypass = route->policy.bypass.headers;
  return std::any_of(route->key.headers.begin(), route->key.headers.end(), is) ||
         std::any_of(bypass.begin(), bypass.end(), [&](const rules::NamedCondition& asked) {
           return read_as(name, asked.name) && !http::glob_match(asked.name, name, true);
         });
}

/// Whether the claim of a field is forwarded. A value that is not in the key must not change what others get (cache
/// poisoning), so a request that is looked up cannot name another URL or method. A trusted peer's claims about host,
/// port and prefix are in the key.
bool claim_goes_on(const http::Field& f, const OriginRequest& request) {
  const bool keeps = http::keeps_claims(request.peer_trusted, request.config.server.forwarded);
  switch (http::claim_of(f)) {
    case http::Claim::None: return true;
    case http::Claim::Method:
    case http::Claim::Target: {
      // A POST that is not looked up may name another method; nobody else gets its response.
      const bool alone = !http::is_safe(request.request.method) && !request.looked_up;
      return is_keyed(f.name, request) || (alone && (keeps || http::claim_of(f) == http::Claim::Method));
    }
    case http::Claim::Place: return keeps || is_keyed(f.name, request);
    case http::Claim::Address: return keeps;
    case http::Claim::Never: break;
  }
  return false;
}

bool is_trace(std::string_view name) { return read_as(name, "traceparent") || read_as(name, "tracestate"); }

/// The rules for fields of the head and trailer fields, except X-Forwarded-* and Forwarded.
bool goes_on(const http::Field& f, const OriginRequest& request) {
  if (f.id != FieldId::Other) return true;
  if (starts_with_forebay(f.name)) return false;
  if ((!request.config.propagate_trace || !request.traceparent.empty()) && is_trace(f.name)) return false;
  return claim_goes_on(f, request) && (is_keyed(f.name, request) || !is_other_spelling(f.name, request));
}

/// Removes and sets fields under every name that an application may read as these.
void change(const config::HeaderChanges& changes, http::Fields& fields) {
  const auto remove = [&](std::string_view name) {
    fields.remove_if([&](const http::Field& f) { return read_as(f.name, name); });
  };
  for (const auto& name : changes.remove) remove(name);
  for (const auto& [name, value] : changes.set) {
    remove(name);
    fields.add(name, value);
  }
}

}  // namespace

bool is_client_cert(std::string_view name) {
  constexpr std::string_view kCert = "Client-Cert", kChain = "Client-Cert-Chain";
  // Other spellings have as many bytes.
  if (name.size() != kCert.size() && name.size() != kChain.size()) return false;
  return read_as(name, kCert) || read_as(name, kChain);
}

bool asks_for_identity(const OriginRequest& request) noexcept {
  return request.shared && !request.own_codings && request.route && request.route->policy.compress.on();
}

http::Fields fields_for_origin(const OriginRequest& request) {
  const auto& config = request.config;
  http::Fields fields;
  constexpr std::size_t kOwn = 9;  // the fields that are added below
  fields.reserve(kUsualText, request.request.fields.size() + kOwn);
  const auto left =
      request.request.method == http::Method::Options ? http::max_forwards(request.request.fields) : std::nullopt;
  const bool identity = asks_for_identity(request);
  std::string cookies;
  fields.add(FieldId::Host, host_for(request));
  for (const auto& f : request.request.fields) {
    if (http::is_hop_by_hop(f.id) || f.id == FieldId::Host || f.id == FieldId::Expect || f.id == FieldId::ContentLength)
      continue;
    if (request.shared && rules::is_condition(f.id)) continue;
    if (!goes_on(f, request)) continue;
    // Whoever gets a signature gets the fields of one request alone: a client must not add to what is signed.
    if (request.drops_credentials && http::is_aws_field(f)) continue;
    if (identity && f.id == FieldId::AcceptEncoding) continue;
    if (left && http::iequals(f.name, "Max-Forwards")) continue;
    if (f.id == FieldId::Cookie) {
      // RFC 9113 section 8.2.3: several lines are joined here, since applications join them differently.
      if (!cookies.empty() && !f.value.empty()) cookies += "; ";
      cookies += f.value;
      continue;
    }
    fields.add(f);
  }
  if (request.request.fields.has(FieldId::Cookie)) fields.add(FieldId::Cookie, cookies);
  if (identity) fields.add(FieldId::AcceptEncoding, "identity");
  http::ForwardingFacts facts;
  facts.peer = request.peer;
  facts.host = request.host;
  facts.scheme = request.scheme;
  facts.peer_trusted = request.peer_trusted;
  facts.mode = config.server.forwarded;
  http::set_forwarding_fields(fields, facts);
  http::add_via(fields, request.request.version, config.diagnostics.name);
  fields.add(FieldId::CdnLoop, "forebay;id=" + std::string(request.instance_id));
  if (!config.request_id.empty()) fields.set(config.request_id, request.request_id);
  if (!request.traceparent.empty()) fields.add("traceparent", request.traceparent);
  if (!request.tracestate.empty()) fields.add("tracestate", request.tracestate);
  // RFC 9110 section 7.6.2. With 0, the request is answered here.
  if (left && *left > 0) fields.add("Max-Forwards", std::to_string(*left - 1));
  if (request.route) change(request.route->request_headers, fields);
  return fields;
}

void set_origin_fields(const config::Origin& origin, http::Fields& fields) {
  for (const auto& own : origin.headers) {
    fields.remove_if([&](const http::Field& f) { return read_as(f.name, own.name); });
    if (!own.value.empty()) fields.add(own.name, own.value);
  }
}

namespace {

/// Fields that most responses vary on, and that are forwarded unchanged unless a route changes them.
bool always_passed_on(std::string_view name) noexcept {
  switch (http::field_id(name)) {
    case FieldId::Accept:
    case FieldId::AcceptEncoding:
    case FieldId::AcceptLanguage:
    case FieldId::Authorization:
    case FieldId::Cookie:
    case FieldId::Origin:
    case FieldId::UserAgent: return true;
    default: return false;
  }
}

/// Whether a route removes or replaces this field (lower case).
bool changes(const config::HeaderChanges& changes, std::string_view name) {
  const auto is = [&](std::string_view other) { return read_as(other, name); };
  return std::any_of(changes.remove.begin(), changes.remove.end(), is) ||
         std::any_of(changes.set.begin(), changes.set.end(), [&](const auto& pair) { return is(pair.first); });
}

}  // namespace

http::FieldsView OriginSelecting::fields(const std::vector<std::string>& names) const {
  const auto passed_on = [&](const std::string& name) {
    if (request_.drops_credentials && http::field_id(name) == FieldId::Authorization) return false;
    return always_passed_on(name) && !(request_.route && changes(request_.route->request_headers, name));
  };
  const bool unchanged = std::all_of(names.begin(), names.end(), passed_on);
  // Several Cookie lines reach the origin as one.
  if (unchanged && request_.request.fields.count(FieldId::Cookie) < 2)
    return asks_for_identity(request_) ? with_identity() : request_.request.fields;
  if (!sent_) sent_ = fields_for_origin(request_);
  return *sent_;
}

http::FieldsView OriginSelecting::with_identity() const {
  if (!identity_) {
    auto& list = identity_.emplace();
    for (const auto& f : request_.request.fields)
      if (f.id != FieldId::AcceptEncoding) list.push_back(f);
    list.push_back({"Accept-Encoding", "identity", FieldId::AcceptEncoding});
  }
  return std::span<const http::Field>(identity_->data(), identity_->size());
}

std::optional<http::FieldsView> OriginSelecting::codings_of_client() const {
  if (!asks_for_identity(request_)) return std::nullopt;
  return request_.request.fields;
}

// Some servers merge trailer fields into the head, so the same rules apply. Fields that Forebay or the route uses must
// be in the head. So must credentials: sharing was decided without them.
void trailers_for_origin(const OriginRequest& request, http::Fields& trailers) {
  const http::ConnectionNames nominated(request.request.fields);
  const auto* route = request.route;
  trailers.remove_if([&](const http::Field& f) {
    if (f.id != FieldId::Other || !goes_on(f, request) || nominated.has(f.name) || read_as(f.name, "max-forwards") ||
        is_trace(f.name) || is_client_cert(f.name))
      return true;
    if (!request.config.request_id.empty() && read_as(f.name, request.config.request_id)) return true;
    if (read_as_any(f.name, request.config.match_headers)) return true;
    if (request.drops_credentials && http::is_aws_field(f)) return true;
    const auto& own = request.origin.headers;
    if (std::any_of(own.begin(), own.end(), [&](const auto& field) { return read_as(f.name, field.name); }))
      return true;
    if (!route) return false;
    if (route->policy.guard.has(f)) return true;
    const auto& set = route->request_headers.set;
    return std::any_of(set.begin(), set.end(), [&](const auto& field) { return read_as(f.name, field.first); }) ||
           read_as_any(f.name, route->request_headers.remove) || read_as_any(f.name, route->key.headers) ||
           read_as_any(f.name, route->policy.bypass.headers);
  });
}

void apply(const config::HeaderChanges& changes, http::Fields& fields) {
  for (const auto& name : changes.remove) fields.remove(name);
  for (const auto& [name, value] : changes.set) fields.set(name, value);
}

}  // namespace forebay::proxy
