// Routes with their policies for `check --print`.
#include "config/printer.hpp"
#include "config/scalar.hpp"
#include "config/secret.hpp"
#include "forebay/config/secrecy.hpp"

namespace forebay::config {
namespace {

std::string methods_of(const rules::Policy& policy) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < static_cast<std::size_t>(http::Method::Other); ++i)
    if (policy.methods.test(i)) names.emplace_back(http::to_string(static_cast<http::Method>(i)));
  names.insert(names.end(), policy.other_methods.begin(), policy.other_methods.end());
  return yaml_texts(names);
}

std::string status_ttls_of(const rules::Policy& policy) {
  std::string out;
  for (const auto& [status, ttl] : policy.ttl.status) {
    out += out.empty() ? "{ " : ", ";
    out += '"' + format_status(status) + "\": " + format_duration(ttl);
  }
  return out.empty() ? "{}" : out + " }";
}

std::string stale_errors_of(const rules::StaleErrors& errors) {
  std::vector<std::string> names;
  if (errors.connect) names.emplace_back("connect");
  if (errors.timeout) names.emplace_back("timeout");
  for (const auto& status : errors.statuses) names.push_back(format_status(status));
  return yaml_list(names, [](const std::string& name) { return name; });
}

std::string query_of(const cache::KeySpec& key) {
  switch (key.query) {
    case cache::QueryMode::All:
      return "all";
    case cache::QueryMode::None:
      return "none";
    case cache::QueryMode::Only:
      return yaml_texts(key.query_names);
    case cache::QueryMode::Except:
      break;
  }
  return "{ except: " + yaml_texts(key.query_names) + " }";
}

std::string path_of(const cache::KeySpec& key) {
  if (key.path == cache::PathMode::Captures) return yaml_texts(key.captures);
  return key.path == cache::PathMode::All ? "all" : "none";
}

std::string body_of(const cache::KeySpec& key) {
  if (key.body == cache::BodyMode::Pointers)
    return yaml_list(key.pointers, [](const content::JsonPointer& pointer) { return yaml_text(pointer.text()); });
  return key.body == cache::BodyMode::All ? "all" : "none";
}

void print_key(Printer& p, const cache::KeySpec& key) {
  p.open("key");
  p.key("policy.key.host", yaml_bool(key.host));
  p.key("policy.key.scheme", yaml_bool(key.scheme));
  p.key("policy.key.path", path_of(key));
  p.key("policy.key.query", query_of(key));
  p.key("policy.key.query_sort", yaml_bool(key.sorts_query()));
  p.key("policy.key.headers", yaml_texts(key.headers));
  p.key("policy.key.cookies", yaml_texts(key.cookies));
  if (key.body != cache::BodyMode::Unset) p.key("policy.key.body", body_of(key));
  p.key("policy.key.form", yaml_texts(key.form));
  p.key("policy.key.body_max", format_size(key.body_max));
  p.key("policy.key.graphql", yaml_bool(key.graphql));
  p.key("policy.key.graphql_accept", yaml_bool(key.graphql_accept));
  p.key("policy.key.graphql_ignore", yaml_texts(key.graphql_ignore));
  p.key("policy.key.numbers", word("policy.key.numbers", key.numbers));
  p.key("policy.key.decode", yaml_bool(key.decode));
  p.close();
}

std::string values_of(const rules::ValueCondition& asked, bool shown) {
  std::vector<std::string> all;
  if (asked.present) all.emplace_back("true");
  if (asked.absent) all.emplace_back("false");
  if (!shown && !asked.globs.empty()) all.push_back(yaml_text(kRedacted));
  if (shown)
    for (const auto& glob : asked.globs) all.push_back(yaml_text(glob));
  return all.size() == 1 ? all.front() : yaml_list(all, [](const std::string& text) { return text; });
}

std::string values_of(const std::vector<rules::JsonValue>& asked, bool shown) {
  using Kind = rules::JsonValue::Kind;
  const auto one = [&](const rules::JsonValue& value) -> std::string {
    if (!shown && (value.kind == Kind::Text || value.kind == Kind::Number)) return yaml_text(kRedacted);
    if (value.kind == Kind::Anything) return "\"*\"";
    if (value.kind == Kind::Nothing) return "null";
    return value.kind == Kind::Text ? yaml_text(value.text) : value.text;
  };
  return asked.size() == 1 ? one(asked.front()) : yaml_list(asked, one);
}

std::string map_of(const AccessLog& access, Named kind, const std::vector<rules::NamedCondition>& asked) {
  std::string out;
  for (const auto& one : asked)
    out += (out.empty() ? "{ " : ", ") + yaml_name(one.name) + ": " +
           values_of(one.value, shows_value(access, kind, one.name));
  return out.empty() ? "{}" : out + " }";
}

std::string map_of(const AccessLog& access, const rules::BodyConditions& asked) {
  std::string out;
  for (std::size_t i = 0; i < asked.pointers.size(); ++i) {
    const auto& pointer = asked.pointers[i].text();
    out += (out.empty() ? "{ " : ", ") + yaml_name(pointer) + ": " +
           values_of(asked.values[i], shows_value(access, Named::Member, pointer));
  }
  return out.empty() ? "{}" : out + " }";
}

/// Names alone are a list.
std::string names_or_map(const AccessLog& access, Named kind, const std::vector<rules::NamedCondition>& asked) {
  const bool names = std::all_of(asked.begin(), asked.end(), [](const auto& one) {
    return one.value.present && !one.value.absent && one.value.globs.empty();
  });
  return names ? yaml_list(asked, [](const auto& one) { return yaml_text(one.name); }) : map_of(access, kind, asked);
}

void print_match(Printer& p, const rules::Conditions& match, const AccessLog& access) {
  if (match.empty()) return;
  p.open("match");
  if (!match.headers.empty()) p.key("route.match.headers", map_of(access, Named::Field, match.headers));
  if (!match.query.empty()) p.key("route.match.query", map_of(access, Named::Parameter, match.query));
  if (!match.body.empty()) p.key("route.match.body", map_of(access, match.body));
  p.close();
}

void print_requests(Printer& p, const Route& route, const AccessLog& access) {
  const auto& policy = route.policy;
  p.open("bypass");
  p.key("policy.bypass.headers", names_or_map(access, Named::Field, policy.bypass.headers));
  p.key("policy.bypass.cookies", names_or_map(access, Named::Cookie, policy.bypass.cookies));
  p.key("policy.bypass.query", names_or_map(access, Named::Parameter, policy.bypass.query));
  p.key("policy.bypass.body", map_of(access, policy.bypass.body));
  p.close();
  p.key("policy.signed_schemes", yaml_texts(policy.signed_schemes));
  p.key("policy.refresh_ahead", policy.refresh_ahead.automatic ? "auto" : format_ratio(policy.refresh_ahead.share));
  p.open("client_refresh");
  print_secret(p, "policy.client_refresh.token", policy.client_refresh.token, route.refresh_token_file);
  p.key("policy.client_refresh.otherwise", word("policy.client_refresh.otherwise", policy.client_refresh.otherwise));
  p.close();
}

void print_changes(Printer& p, const std::string& schema, const HeaderChanges& changes, const AccessLog& access) {
  if (changes.empty()) return;
  p.open(schema.substr(schema.find('.') + 1));
  std::string set;
  for (const auto& [name, value] : changes.set)
    set += (set.empty() ? "{ " : ", ") + yaml_name(name) + ": " +
           yaml_text(shows_value(access, Named::Field, name) ? value : kRedacted);
  if (!set.empty()) p.key(schema + ".set", set + " }");
  if (!changes.remove.empty()) p.key(schema + ".remove", yaml_texts(changes.remove));
  p.close();
}

void print_rewrite(Printer& p, const Rewrite& rewrite) {
  if (rewrite.empty()) return;
  p.open("rewrite");
  if (!rewrite.strip_prefix.empty()) p.key("route.rewrite.strip_prefix", yaml_text(rewrite.strip_prefix));
  if (!rewrite.add_prefix.empty()) p.key("route.rewrite.add_prefix", yaml_text(rewrite.add_prefix));
  p.close();
}

void print_lifetimes(Printer& p, const rules::Policy& policy) {
  p.key("policy.cache", yaml_bool(policy.cache));
  p.key("policy.methods", methods_of(policy));
  p.key("policy.statuses", yaml_list(policy.statuses, format_status));
  p.open("ttl");
  p.key("policy.ttl.default", format_duration(policy.ttl.fallback));
  p.key("policy.ttl.min", format_duration(policy.ttl.min));
  p.key("policy.ttl.max", format_duration(policy.ttl.max));
  p.key("policy.ttl.negative", format_duration(policy.ttl.negative));
  p.key("policy.ttl.status", status_ttls_of(policy));
  p.key("policy.ttl.jitter", format_ratio(policy.ttl.jitter));
  p.key("policy.ttl.heuristic", format_ratio(policy.ttl.heuristic));
  p.close();
  p.key("policy.origin_cache_control", word("policy.origin_cache_control", policy.origin_cache_control));
  p.key("policy.client_cache_control", policy.client_cache_control ? "respect" : "ignore");
  p.open("stale");
  p.key("policy.stale.while_revalidate", format_duration(policy.stale.while_revalidate));
  p.key("policy.stale.if_error", format_duration(policy.stale.if_error));
  p.key("policy.stale.errors", stale_errors_of(policy.stale.errors));
  p.close();
  p.open("coalesce");
  p.key("policy.coalesce.enabled", yaml_bool(policy.coalesce.enabled));
  p.key("policy.coalesce.wait", format_duration(policy.coalesce.wait));
  p.key("policy.coalesce.on_timeout", word("policy.coalesce.on_timeout", policy.coalesce.on_timeout));
  p.key("policy.coalesce.max_waiters", std::to_string(policy.coalesce.max_waiters));
  p.close();
  p.key("policy.pass_memory", format_duration(policy.pass_memory));
  p.key("policy.max_object", format_size(policy.max_object));
  p.key("policy.request_buffer", format_size(policy.request_buffer));
}

void print_guards(Printer& p, const rules::Policy& policy, const cache::KeySpec& key) {
  p.key("policy.authorization", word("policy.authorization", policy.authorization));
  p.key("policy.set_cookie", word("policy.set_cookie", policy.set_cookie));
  p.key("policy.vary", policy.vary ? "respect" : "ignore");
  p.key("policy.max_variants", std::to_string(policy.max_variants));
  p.key("policy.invalidate_on_write", yaml_bool(policy.invalidate_on_write));
  p.key("policy.convert_head", yaml_bool(policy.convert_head));
  print_key(p, key);
  p.key("policy.credentials", yaml_texts(policy.credentials));
  p.key("policy.graphql_preflight", yaml_texts(policy.graphql_preflight));
  p.key("policy.request_cookies", word("policy.request_cookies", policy.request_cookies));
  p.key("policy.close_delimited", policy.store_close_delimited ? "store" : "pass");
  p.open("targeted");
  p.key("policy.targeted.fields", yaml_texts(policy.targeted_fields));
  p.key("policy.targeted.strip", yaml_bool(policy.targeted_strip));
  p.close();
  p.key("policy.no_vary_search", policy.no_vary_search ? "respect" : "ignore");
  p.key("policy.suffix_guard", yaml_bool(policy.suffix_guard));
}

}  // namespace

void print_routes(Printer& p, const std::vector<Route>& routes, const AccessLog& access) {
  p.help_of("routes");
  if (routes.empty()) {
    p.raw("routes: []");
    p.blank();
    return;
  }
  p.open("routes");
  for (const auto& route : routes) {
    p.open_element();
    p.key("route.name", yaml_text(route.name));
    if (!route.hosts.empty()) p.key("route.host", yaml_texts(route.hosts));
    p.key("route.path", yaml_text(route.path.text()));
    print_match(p, route.match, access);
    p.key("route.origin", yaml_text(route.origin));
    print_rewrite(p, route.rewrite);
    print_changes(p, "route.request_headers", route.request_headers, access);
    print_changes(p, "route.response_headers", route.response_headers, access);
    print_lifetimes(p, route.policy);
    print_guards(p, route.policy, route.key);
    print_requests(p, route, access);
    p.close();
  }
  p.close();
  p.blank();
}

}  // namespace forebay::config
