#include "config/suggest.hpp"

#include <algorithm>
#include <array>

#include "config/report.hpp"
#include "config/schema.hpp"

namespace forebay::config {
namespace {

/// Names that other proxies give to what is a key here, in snake_case: theirs and ours.
constexpr std::pair<std::string_view, std::string_view> kForeign[] = {
    {"proxy_cache_valid", "ttl.status\", or \"ttl.default"},
    {"proxy_cache", "cache"},
    {"proxy_cache_path", "cache.memory"},
    {"proxy_cache_key", "key"},
    {"proxy_cache_lock", "coalesce.enabled"},
    {"proxy_cache_lock_timeout", "coalesce.wait"},
    {"proxy_cache_use_stale", "stale.if_error"},
    {"proxy_cache_background_update", "stale.while_revalidate"},
    {"proxy_ignore_headers", "origin_cache_control"},
    {"proxy_pass", "origin"},
    {"proxy_connect_timeout", "timeouts.connect"},
    {"proxy_read_timeout", "timeouts.first_byte\" and \"timeouts.between_bytes"},
    {"client_header_timeout", "server.timeouts.header"},
    {"client_body_timeout", "server.timeouts.body"},
    {"client_max_body_size", "server.limits.request_body"},
    {"keepalive_timeout", "server.timeouts.idle"},
    {"set_real_ip_from", "server.trusted_proxies"},
    {"worker_processes", "server.threads"},
    {"server_name", "host"},
    {"ssl_certificate", "tls.cert"},
    {"ssl_certificate_key", "tls.key"},
    {"ssl_client_certificate", "tls.client_ca"},
    {"ssl_protocols", "tls.min_version"},
    {"ssl_verify_client", "tls.client_auth"},
    {"ssl_session_tickets", "tls.session_tickets"},
    {"ssl_stapling_file", "tls.ocsp"},
    {"certificate", "cert"},
    {"key_file", "key"},
    {"private_key", "key"},
    {"connections_per_ip", "connections_per_address"},
    {"websocket", "upgrade"},
    {"websockets", "upgrade"},
    {"cert_file", "cert"},
    {"max_fails", "passive.failures"},
    {"fail_timeout", "passive.hold"},
    {"outlier_detection", "passive"},
    {"circuit_breaker", "passive"},
    {"circuit_breakers", "max_concurrency\" and \"passive"},
    {"consecutive_5xx", "passive.failures"},
    {"base_ejection_time", "passive.hold"},
    {"proxy_next_upstream", "retries\" and \"failover_on"},
    {"proxy_next_upstream_tries", "retries"},
    {"num_retries", "retries"},
    {"retry", "retries"},
    {"per_try_timeout", "timeouts.first_byte"},
    {"least_conn", "balance"},
    {"ip_hash", "balance"},
    {"load_balance", "balance"},
    {"fallback", "failover"},
    {"concurrency", "max_concurrency"},
    {"maxconn", "max_concurrency"},
    {"keepalive", "pool.max_idle"},
    {"probe", "health"},
    {"rise", "health.up_after"},
    {"fall", "health.down_after"},
    {"inter", "health.interval"},
    {"healthy_threshold", "health.up_after"},
    {"unhealthy_threshold", "health.down_after"},
    {"health_check", "health"},
    {"health_checks", "health"},
    {"healthcheck", "health"},
    {"lb_policy", "balance"},
    {"load_balancing", "balance"},
    {"max_conns", "pool.max_connections"},
    {"backup", "failover"},
    {"location", "path"},
    {"locations", "routes"},
    {"upstream", "origins"},
    {"upstreams", "origins"},
    {"access_log", "log.access.output"},
    {"error_log", "log.output"},
    {"log_format", "log.access.format"},
    {"backend", "origin"},
    {"backends", "origins"},
    {"default_ttl", "ttl.default"},
    {"default_grace", "stale.while_revalidate"},
    {"grace", "stale.while_revalidate"},
    {"first_byte_timeout", "timeouts.first_byte"},
    {"between_bytes_timeout", "timeouts.between_bytes"},
    {"connect_timeout", "timeouts.connect"},
    {"default_cache", "defaults"},
    {"sort_query", "key.query_sort"},
    {"cache_ttl_in_seconds", "ttl"},
    {"cache_policy", "policy"},
    {"min_ttl", "ttl.min"},
    {"max_ttl", "ttl.max"},
    {"allowed_methods", "methods"},
    {"listeners", "listen"},
    {"port", "listen"},
    {"workers", "server.threads"},
    {"max_size", "cache.memory"},
    {"swr", "stale.while_revalidate"},
    {"stale_while_revalidate", "stale.while_revalidate"},
    {"stale_if_error", "stale.if_error"},
    {"max_age", "ttl.default"}};

/// Calls `f` with every key below `node`.
template <class F>
void each_key(const Schema& node, const F& f) {
  for (const auto& child : node.children) {
    if (!child->is_element()) f(*child);
    each_key(*child, f);
  }
}

/// The blocks other than these that have a key of this name.
std::vector<const Schema*> find_elsewhere(std::string_view name, const Schema* where, const Schema* also) {
  std::vector<const Schema*> found;
  each_key(schema(), [&](const Schema& key) {
    if (key.name == name && key.here() && key.parent != where && key.parent != also) found.push_back(key.parent);
  });
  return found;
}

std::string path_of(const Schema& node) {
  if (!node.parent || !node.parent->parent) return std::string(node.name);
  const auto front = path_of(*node.parent);
  return node.name == "[]" ? front + "[]" : front + '.' + std::string(node.name);
}

/// A block around this one that has the key: a route's are those of a policy, too.
const Schema* holder_around(std::string_view key, const Schema& where) {
  const auto has = [&](const Schema* node) {
    const auto* child = node ? node->child(key) : nullptr;
    return child && child->here();
  };
  for (const auto* around = where.parent; around && around->parent; around = around->parent)
    if (has(around)) return around;
  const auto path = path_of(where);
  if (!path.starts_with("route.") && !path.starts_with("policy.")) return nullptr;
  for (const auto* root : {"route", "policy"})
    if (has(schema_at(root))) return schema_at(root);
  return nullptr;
}

/// The places of one name, three at most.
std::string places_in_words(const std::vector<const Schema*>& found, const std::string& ours) {
  std::vector<std::string> places;
  for (const auto* node : found) {
    auto place = place_in_words(*node);
    if (place == "in a route" && path_of(*node) == "policy" && ours == "at the top level")
      place = "in \"defaults\" or in a route";
    if (place != ours && std::find(places.begin(), places.end(), place) == places.end()) places.push_back(place);
  }
  std::string out;
  for (std::size_t i = 0; i < std::min<std::size_t>(places.size(), 3); ++i) out += (i > 0 ? " or " : "") + places[i];
  return out;
}

/// A slip of the pen for a key that belongs elsewhere.
std::string slip_of_elsewhere(std::string_view name, const Schema& where, const Schema* also) {
  std::vector<std::string_view> names;
  each_key(schema(), [&](const Schema& key) {
    if (key.here()) names.push_back(key.name);
  });
  const auto near = name.size() >= 4 ? nearest(name, names) : std::nullopt;
  if (!near || edit_distance(name, *near) > 1) return {};
  const auto theirs = places_in_words(find_elsewhere(*near, &where, also), place_in_words(where));
  return theirs.empty() ? theirs : "did you mean \"" + *near + "\"? It belongs " + theirs;
}

}  // namespace

std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& candidates,
                         std::string otherwise) {
  const auto near = nearest(word, candidates);
  return near ? "did you mean \"" + *near + "\"?" : std::move(otherwise);
}

std::string place_in_words(const Schema& where) {
  if (!where.parent) return "at the top level";
  const auto path = path_of(where);
  const auto inside = [&](std::string_view prefix, const char* what) {
    const auto rest = path.size() > prefix.size() ? path.substr(prefix.size() + 1) : std::string();
    return rest.empty() ? "in " + std::string(what) : "in \"" + rest + "\" of " + what;
  };
  if (path.starts_with("policy")) return inside("policy", "a route");
  if (path.starts_with("route")) return inside("route", "a route");
  if (path.starts_with("origins.*")) return inside("origins.*", "an origin");
  if (path.starts_with("listen[]")) return inside("listen[]", "a listener");
  return "in \"" + path + '"';
}

std::string suggest_key(std::string_view key, const Schema& where, const Schema* also) {
  std::vector<std::string_view> siblings;
  for (const auto* node : {&where, also}) {
    if (!node) continue;
    for (const auto& child : node->children)
      if (!child->is_element() && child->here()) siblings.push_back(child->name);
  }
  if (auto near = did_you_mean(key, siblings); !near.empty()) return near;
  const auto name = snake_case(key);
  // Where a log goes. Both names are keys elsewhere, which nobody means here.
  if ((name == "file" || name == "path") && std::find(siblings.begin(), siblings.end(), "output") != siblings.end())
    return "this is \"output\" here";
  const auto found = find_elsewhere(name, &where, also);
  // A name of others that is also a key somewhere here means what the others mean by it only where that place is far.
  for (const auto& [theirs, ours] : kForeign)
    if (theirs == name && found.empty()) return "this is \"" + std::string(ours) + "\" here";
  const auto ours = place_in_words(where);
  if (found.empty()) return slip_of_elsewhere(name, where, also);
  if (const auto* around = holder_around(name, where))
    return in_quotes(name) + " belongs " + place_in_words(*around) + ", not " + ours;
  const auto theirs = places_in_words(found, ours);
  return theirs.empty() ? theirs : in_quotes(name) + " belongs " + theirs + ", not " + ours;
}

bool is_of_later_version(std::string_view name) {
  bool here = false, later = false;
  each_key(schema(), [&](const Schema& key) {
    if (key.name == name) (key.here() ? here : later) = true;
  });
  return later && !here && name != "mode";  // A word that says nothing by itself.
}

}  // namespace forebay::config
