#include "probe_case.hpp"

#include <algorithm>
#include <array>

#include "forebay/base/text.hpp"
#include "forebay/content/coding.hpp"
#include "forebay/http/forwarding.hpp"
#include "forebay/http/h1_writer.hpp"
#include "forebay/http/target.hpp"
#include "forebay/proxy/explain.hpp"
#include "forebay/proxy/origin_fields.hpp"
#include "forebay/rules/storability.hpp"
#include "forebay/rules/vary.hpp"

namespace forebay::probe {
namespace {

using http::FieldId;
using rules::Reason;

constexpr std::string_view kPeer = "127.0.0.1";
constexpr std::string_view kAgent = "forebay-check";

/// `canary` is in lower case; origins may change the case of hosts and languages.
bool has_canary(std::string_view text, std::string_view canary) noexcept {
  return std::search(text.begin(), text.end(), canary.begin(), canary.end(),
                     [](char a, char b) { return to_lower(a) == b; }) != text.end();
}

std::string without(std::string text, std::string_view token) {
  for (auto at = text.find(token); at != std::string::npos; at = text.find(token, at)) text.erase(at, token.size());
  return text;
}

bool ends_with_host(std::string_view name) noexcept {
  return name.size() >= 4 && http::iequals(name.substr(name.size() - 4), "host");
}

/// What a client sends, for explaining and for sending.
http::Fields client_fields(const ProbeField* field) {
  http::Fields fields;
  fields.add(FieldId::UserAgent, kAgent);
  fields.add(FieldId::Accept, "*/*");
  if (field) fields.set(field->name, field->value);
  return fields;
}

/// A Host that the route matches and that its origin may know.
std::string host_of(const config::Config& config, const config::Route& route) {
  const auto& authority = config.origins.at(route.origin).url.authority;
  if (route.hosts.empty() || route.hosts.front() == "*") return authority;
  std::string host = route.hosts.front();
  for (auto star = host.find('*'); star != std::string::npos; star = host.find('*', star)) host.replace(star, 1, "www");
  return host;
}

bool caches_get(const config::Route& route) noexcept {
  return route.policy.cache && rules::lists_method(route.policy, http::Method::Get, "GET");
}

/// A probe without a signature would be refused.
bool asks_for_signature(const config::Config& config, const config::Route& route) {
  const auto origin = config.origins.find(route.origin);
  return origin != config.origins.end() && origin->second.sign.on();
}

std::string of_route(const config::Route& route) { return "route \"" + route.name + '"'; }

bool names(const std::vector<std::string>& list, std::string_view name) noexcept {
  return std::any_of(list.begin(), list.end(), [&](const auto& n) { return http::iequals(n, name); });
}

/// Whether clients see this field of the origin's answer as it is.
bool reaches_clients(const config::Route& route, std::string_view name) noexcept {
  const auto& changes = route.response_headers;
  return !names(changes.remove, name) && std::none_of(changes.set.begin(), changes.set.end(),
                                                      [&](const auto& f) { return http::iequals(f.first, name); });
}

bool same_field(const ProbeAnswer& a, const ProbeAnswer& b, FieldId id) {
  std::string one, two;
  return a.fields.view().combined(id, one) == b.fields.view().combined(id, two);
}

// Fields that identify the response; others, such as Date and ETag, change without cause.
constexpr std::array kTelling{FieldId::Location, FieldId::ContentType, FieldId::ContentLanguage};

Showing difference(const config::Route& route, const ProbeAnswer& before, const ProbeAnswer& after) {
  if (before.status != after.status) return {Showing::Kind::Status, {}, before.status, after.status};
  for (const auto id : kTelling)
    if (reaches_clients(route, http::field_name(id)) && !same_field(before, after, id))
      return {Showing::Kind::Change, std::string(http::field_name(id)), before.status, after.status};
  if (before.content != after.content) return {Showing::Kind::Change, {}, before.status, after.status};
  return {};
}

}  // namespace

std::vector<std::string> probed_names(const std::vector<std::string>& more) {
  std::vector<std::string> all{"X-Forwarded-Host",
                               "X-Forwarded-Scheme",
                               "X-Forwarded-Proto",
                               "X-Host",
                               "X-Original-URL",
                               "X-Rewrite-URL",
                               "X-Forwarded-Prefix",
                               "X-HTTP-Method-Override",
                               "X-Real-IP",
                               "X-Requested-With",
                               "Accept",
                               "Accept-Language",
                               "User-Agent",
                               "Origin",
                               "Referer",
                               "Cookie"};
  for (const auto& name : more)
    if (!names(all, name)) all.push_back(name);
  return all;
}

ProbeField probe_field(std::string_view name, std::string_view canary) {
  const std::string mark(canary);
  const auto is = [&](std::string_view other) { return http::iequals(name, other); };
  std::string value = mark;
  if (is("Accept"))
    value = "application/json, application/x-" + mark + ";q=0.5";
  else if (is("Accept-Language"))
    value = mark + ", de;q=0.9, fr;q=0.8, es;q=0.7, zh;q=0.6, ja;q=0.5, en;q=0.1";
  else if (is("User-Agent"))
    value = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Mobile/15E148 " + mark;
  else if (is("Cookie"))
    value = mark + '=' + mark;
  else if (is("Origin"))
    value = "https://" + mark + ".example";
  else if (is("Referer"))
    value = "https://" + mark + ".example/";
  else if (is("X-Original-URL") || is("X-Rewrite-URL") || is("X-Forwarded-Prefix"))
    value = '/' + mark;
  else if (ends_with_host(name))
    value = mark + ".example";
  return {std::string(name), std::move(value), mark};
}

ProbeAnswer probe_answer(int status, http::FieldsView fields, std::string_view body, std::string_view token) {
  ProbeAnswer answer;
  answer.status = status;
  for (const auto& f : fields) answer.fields.add(f.name, without(std::string(f.value), token));
  content::Decoder decoder(fields.value(FieldId::ContentEncoding).value_or(""));
  std::string plain;
  // Truncated or broken content is compared as far as it was decoded.
  static_cast<void>(decoder.feed(body, kProbeContent, plain));
  if (plain.empty()) plain = body.substr(0, kProbeContent);
  answer.content = without(std::move(plain), token);
  return answer;
}

/// Where a plain GET of a URL leads.
struct Prober::Led {
  const config::Route* route = nullptr;
  bool looked_up = false;
  Reason reason = Reason::None;
  ProbeTarget target;
};

Prober::Led Prober::lead(const std::string& url) const {
  proxy::ExplainRequest request;
  request.url = url;
  request.fields = client_fields(nullptr);
  const auto explained = proxy::explain(request, {config_, routes_, nullptr, nullptr, now_});
  Led led;
  if (!explained || !explained->route) return led;
  led.route = &config_.routes[explained->route->index];
  led.looked_up = explained->looked_up && explained->own_status == 0;
  led.reason = explained->lookup_reason;
  const std::string_view whole = explained->url;
  const auto host = whole.substr(whole.find("://") + 3);
  led.target = {led.route, explained->url, explained->route->target, std::string(host.substr(0, host.find('/'))),
                explained->key_text};
  return led;
}

void Prober::add_route(const config::Route& route, ProbeTargets& out) const {
  const auto path = route.path.example();
  if (!path) {
    out.notes.push_back(of_route(route) + ": its path is a regular expression; pass a path with --probe-path");
    return;
  }
  const auto led = lead("http://" + host_of(config_, route) + *path);
  if (led.route != &route)
    out.notes.push_back(of_route(route) + ": another route matches " + *path + "; pass a path with --probe-path");
  else if (!led.looked_up)
    out.notes.push_back(of_route(route) + ": " + *path + " is not looked up (" +
                        std::string(rules::to_string(led.reason)) + "); pass a path with --probe-path");
  else
    out.targets.push_back(led.target);
}

void Prober::add_path(const std::string& path, ProbeTargets& out) const {
  std::vector<std::string> urls;
  http::Target read;
  if (path.find("://") < path.find_first_of("/?")) {
    urls.push_back(path);
  } else if (path.starts_with('/') && read.read(http::Method::Get, path)) {
    for (const auto& route : config_.routes)
      if (caches_get(route) && route.path.matches(read.path()))
        urls.push_back("http://" + host_of(config_, route) + path);
  }
  bool any = false;
  for (const auto& url : urls) {
    const auto led = lead(url);
    if (!led.looked_up || !caches_get(*led.route)) continue;
    any = true;
    if (asks_for_signature(config_, *led.route)) {
      out.notes.push_back(of_route(*led.route) + ": its origin gets signed requests, and probes are not signed");
      continue;
    }
    const bool there = std::any_of(out.targets.begin(), out.targets.end(), [&](const ProbeTarget& t) {
      return t.route == led.route && t.target == led.target.target;
    });
    if (!there) out.targets.push_back(led.target);
  }
  if (!any) out.missed.push_back("no route looks up GET " + path);
}

ProbeTargets Prober::targets(const std::vector<std::string>& paths) const {
  ProbeTargets out;
  for (const auto& path : paths) add_path(path, out);
  if (!paths.empty()) return out;
  for (const auto& route : config_.routes)
    if (caches_get(route) && asks_for_signature(config_, route))
      out.left_out.push_back(route.name + " (its origin gets signed requests)");
    else if (caches_get(route))
      add_route(route, out);
    else if (route.answers != config::Answers::Origin)
      out.left_out.push_back(route.name + " (it answers by itself)");
    else
      out.left_out.push_back(route.name + (route.policy.cache ? " (no GET)" : " (cache: false)"));
  return out;
}

http::Fields Prober::fields(const ProbeTarget& target, const ProbeField* field, bool trusted,
                            std::string_view token) const {
  const auto sent = client_fields(field);
  const auto& route = *target.route;
  proxy::OriginRequest request{
      config_,
      config_.origins.at(route.origin),
      &route,
      {http::Method::Get, "GET", target.target, http::Version::Http11, sent.view()},
  };
  request.scheme = "http";
  request.host = target.host;
  request.peer = kPeer;
  request.peer_trusted = trusted;
  request.looked_up = true;
  request.shared = true;
  request.drops_credentials = request.origin.sign.on();
  request.instance_id = token;
  request.request_id = token;
  auto out = proxy::fields_for_origin(request);
  proxy::set_origin_fields(request.origin, out);
  return out;
}

Way Prober::way(const ProbeTarget& target, const ProbeField& field) const {
  proxy::ExplainRequest request;
  request.url = target.url;
  request.fields = client_fields(&field);
  const auto explained = proxy::explain(request, {config_, routes_, nullptr, nullptr, now_});
  if (!explained || !explained->looked_up || explained->own_status != 0) return Way::Bypassed;
  if (explained->key_text != target.key) return Way::Keyed;
  const auto comes_through = [&](bool trusted) {
    const auto there = fields(target, &field, trusted, {});
    const auto view = there.view();
    return std::any_of(view.begin(), view.end(), [&](const http::Field& f) {
      return http::iequals(f.name, field.name) && has_canary(f.value, field.canary);
    });
  };
  if (comes_through(false)) return Way::Open;
  if (config_.server.trusted_proxies.empty()) return Way::Closed;
  // From a trusted proxy, X-Forwarded-Proto is the scheme of the key, and claims about host, port and prefix are in it
  // too.
  const auto id = http::field_id(field.name);
  const bool scheme = target.route->key.scheme && id == FieldId::XForwardedProto;
  const bool keyed = scheme || http::claim_of({field.name, field.value, id}) == http::Claim::Place;
  if (keyed && http::keeps_claims(true, config_.server.forwarded)) return Way::Keyed;
  return comes_through(true) ? Way::Trusted : Way::Closed;
}

std::string Prober::request(const ProbeTarget& target, const ProbeField* field, Way way, std::string_view token) const {
  auto there = fields(target, way == Way::Closed ? nullptr : field, way == Way::Trusted, token);
  if (field && way == Way::Closed) there.set(field->name, field->value);
  std::string asked = target.target;
  asked += asked.find('?') == std::string::npos ? '?' : '&';
  asked.append("forebay-probe=").append(token);
  std::string out;
  http::append_request_line(out, "GET", asked);
  for (const auto& f : there.view()) http::append_line(out, f.name, f.value);
  http::append_line(out, FieldId::Connection, "close");
  return out += "\r\n";
}

bool Prober::varies(const ProbeTarget& target, const ProbeAnswer& answer, std::string_view name) const {
  if (!target.route->policy.vary) return false;
  const auto vary = rules::read_vary(answer.fields);
  return vary.any || names(vary.names, name);
}

Showing Prober::showing(const ProbeTarget& target, const ProbeField& field, const ProbeAnswer& first,
                        const ProbeAnswer& second, const ProbeAnswer& answer) const {
  if (varies(target, answer, field.name)) return {};
  for (const auto& f : answer.fields.view())
    if (has_canary(f.value, field.canary) && reaches_clients(*target.route, f.name))
      return {Showing::Kind::Field, std::string(f.name), first.status, answer.status};
  if (has_canary(answer.content, field.canary)) return {Showing::Kind::Content, {}, first.status, answer.status};
  // Differences that also occur without the field do not count.
  const auto noise = difference(*target.route, first, second);
  if (noise.kind == Showing::Kind::Status) return {};
  const auto change = difference(*target.route, first, answer);
  return noise && change.kind == Showing::Kind::Change ? Showing{} : change;
}

Keeping Prober::keeping(const ProbeTarget& target, const ProbeField& field, const ProbeAnswer& answer) const {
  proxy::ExplainRequest request;
  request.url = target.url;
  request.fields = client_fields(&field);
  request.response = proxy::ExplainRequest::Response{};
  auto& response = *request.response;
  response.status = answer.status;
  response.fields = answer.fields;
  if (target.route->key.graphql) {
    response.fields.remove(FieldId::ContentEncoding);
    response.content = answer.content;
  }
  const auto explained = proxy::explain(request, {config_, routes_, nullptr, nullptr, now_});
  if (!explained || !explained->response) return Keeping::Never;
  if (explained->response->storable) return Keeping::Stored;
  const auto& statuses = target.route->policy.statuses;
  const bool could = explained->response->reason == Reason::NoFreshness &&
                     std::any_of(statuses.begin(), statuses.end(),
                                 [&](const rules::StatusPattern& s) { return s.matches(answer.status); });
  return could ? Keeping::WithLifetime : Keeping::Never;
}

std::string showing_message(const ProbeTarget& target, const ProbeField& field, Way way, const Showing& showing,
                            Keeping keeping) {
  std::string out = of_route(*target.route) + " does not have " + field.name + " in its key, but its response ";
  switch (showing.kind) {
    case Showing::Kind::Field: out += "contains it: in " + showing.field + " of "; break;
    case Showing::Kind::Status:
      out += "depends on it: status " + std::to_string(showing.after) + " instead of " +
             std::to_string(showing.before) + " at ";
      break;
    case Showing::Kind::Change:
      out += "depends on it: " + (showing.field.empty() ? "different content" : "different " + showing.field) + " at ";
      break;
    case Showing::Kind::Content:
    case Showing::Kind::Nothing: out += "contains it: in the content of "; break;
  }
  out += target.url;
  if (way == Way::Trusted) out += ", if a trusted proxy sends it";
  if (keeping == Keeping::WithLifetime) out += " (not stored while it has no lifetime)";
  return out;
}

std::string showing_hint(const ProbeTarget& target, const ProbeField& field, Way way) {
  const auto id = http::field_id(field.name);
  const bool forwarding = id == FieldId::XForwardedFor || id == FieldId::XForwardedHost ||
                          id == FieldId::XForwardedPort || id == FieldId::XForwardedProto || id == FieldId::Forwarded;
  if (way == Way::Trusted && forwarding) return "server.forwarded: set, or have the proxy in front replace it";
  std::string out = "key.headers: [" + field.name + ']';
  if (id == FieldId::Cookie) out = "key.cookies, bypass.cookies";
  out += ", request_headers: { remove: [" + field.name + "] }";
  if (way == Way::Trusted) return out + ", or have the proxy in front remove it";
  if (target.route->policy.vary) out += ", or Vary: " + field.name + " at the origin";
  return out;
}

}  // namespace forebay::probe
