#include "config/suggest.hpp"

#include <algorithm>
#include <array>

#include "config/report.hpp"
#include "config/schema.hpp"

namespace forebay::config {
namespace {

/// Names that other caches give to what is a key here, in snake_case.
struct Foreign {
  std::string_view theirs;
  std::string_view ours;
};
constexpr std::array kForeign{
    // nginx
    Foreign{"proxy_cache_valid", "ttl.status\", or \"ttl.default"},
    Foreign{"proxy_cache", "cache"},
    Foreign{"proxy_cache_path", "cache.memory"},
    Foreign{"proxy_cache_key", "key"},
    Foreign{"proxy_cache_methods", "methods"},
    Foreign{"proxy_cache_lock", "coalesce.enabled"},
    Foreign{"proxy_cache_lock_timeout", "coalesce.wait"},
    Foreign{"proxy_cache_lock_age", "coalesce.wait"},
    Foreign{"proxy_cache_use_stale", "stale.if_error"},
    Foreign{"proxy_cache_background_update", "stale.while_revalidate"},
    Foreign{"proxy_cache_revalidate", "cache.keep"},
    Foreign{"proxy_cache_min_uses", "cache.admission"},
    Foreign{"proxy_ignore_headers", "origin_cache_control"},
    Foreign{"proxy_pass", "origin"},
    Foreign{"proxy_connect_timeout", "timeouts.connect"},
    Foreign{"proxy_read_timeout", "timeouts.first_byte\" and \"timeouts.between_bytes"},
    Foreign{"proxy_next_upstream", "retries"},
    Foreign{"client_header_timeout", "server.timeouts.header"},
    Foreign{"client_body_timeout", "server.timeouts.body"},
    Foreign{"client_max_body_size", "server.limits.request_body"},
    Foreign{"large_client_header_buffers", "server.limits.request_header"},
    Foreign{"keepalive_timeout", "server.timeouts.idle"},
    Foreign{"keepalive", "pool.max_idle"},
    Foreign{"set_real_ip_from", "server.trusted_proxies"},
    Foreign{"worker_processes", "server.threads"},
    Foreign{"worker_connections", "server.max_connections"},
    Foreign{"server_name", "host"},
    Foreign{"location", "path"},
    Foreign{"locations", "routes"},
    Foreign{"upstream", "origins"},
    Foreign{"upstreams", "origins"},
    Foreign{"access_log", "log.access.output"},
    Foreign{"error_log", "log.output"},
    Foreign{"log_format", "log.access.format"},
    // Varnish
    Foreign{"backend", "origin"},
    Foreign{"backends", "origins"},
    Foreign{"default_ttl", "ttl.default"},
    Foreign{"default_grace", "stale.while_revalidate"},
    Foreign{"grace", "stale.while_revalidate"},
    Foreign{"default_keep", "cache.keep"},
    Foreign{"uncacheable_ttl", "pass_memory"},
    Foreign{"http_req_size", "server.limits.request_header"},
    Foreign{"http_max_hdr", "server.limits.header_count"},
    Foreign{"http_resp_size", "server.limits.response_header"},
    Foreign{"timeout_idle", "server.timeouts.idle"},
    Foreign{"first_byte_timeout", "timeouts.first_byte"},
    Foreign{"between_bytes_timeout", "timeouts.between_bytes"},
    Foreign{"connect_timeout", "timeouts.connect"},
    // Souin
    Foreign{"default_cache", "defaults"},
    Foreign{"reverse_proxy_url", "origin"},
    Foreign{"allowed_http_verbs", "methods"},
    Foreign{"allowed_additional_status_codes", "statuses"},
    Foreign{"disable_coalescing", "coalesce.enabled"},
    Foreign{"disable_host", "key.host"},
    Foreign{"disable_query", "key.query"},
    Foreign{"disable_body", "key.body"},
    Foreign{"sort_query", "key.query_sort"},
    Foreign{"max_cacheable_body_bytes", "cache.max_object"},
    Foreign{"cache_name", "diagnostics.name"},
    Foreign{"log_level", "log.level"},
    Foreign{"regex", "path"},
    // Kong
    Foreign{"cache_ttl", "ttl"},
    Foreign{"request_method", "methods"},
    Foreign{"response_code", "statuses"},
    Foreign{"cache_control", "origin_cache_control"},
    Foreign{"vary_headers", "key.headers"},
    Foreign{"vary_query_params", "key.query"},
    // API Gateway and CloudFront
    Foreign{"cache_ttl_in_seconds", "ttl"},
    Foreign{"caching_enabled", "cache"},
    Foreign{"cache_key_parameters", "key"},
    Foreign{"default_cache_behavior", "defaults"},
    Foreign{"cache_behaviors", "routes"},
    Foreign{"cache_policy", "policy"},
    Foreign{"path_pattern", "path"},
    Foreign{"min_ttl", "ttl.min"},
    Foreign{"max_ttl", "ttl.max"},
    Foreign{"allowed_methods", "methods"},
    Foreign{"cached_methods", "methods"},
    // Traefik, Envoy, Caddy, HAProxy
    Foreign{"entry_points", "listen"},
    Foreign{"entrypoints", "listen"},
    Foreign{"routers", "routes"},
    Foreign{"services", "origins"},
    Foreign{"clusters", "origins"},
    Foreign{"listeners", "listen"},
    Foreign{"frontend", "listen"},
    Foreign{"bind", "listen"},
    Foreign{"listen_address", "listen"},
    Foreign{"port", "listen"},
    Foreign{"workers", "server.threads"},
    Foreign{"max_size", "cache.memory"},
    Foreign{"memory_limit", "cache.memory"},
    Foreign{"swr", "stale.while_revalidate"},
    Foreign{"sie", "stale.if_error"},
    Foreign{"stale_while_revalidate", "stale.while_revalidate"},
    Foreign{"stale_if_error", "stale.if_error"},
    Foreign{"max_age", "ttl.default"},
    Foreign{"jitter", "ttl.jitter"},
    Foreign{"query_params", "key.query"},
    Foreign{"x_request_id", "tracing.request_id"},
};

bool is_name(std::string_view name) noexcept { return name != "*" && name != "[]"; }

void find_elsewhere(const Schema& node, std::string_view key, const Schema* where, const Schema* also,
                    std::vector<const Schema*>& found) {
  for (const auto& child : node.children) {
    if (&node != where && &node != also && child->name == key && child->here() &&
        !(node.parent == nullptr && (key == "policy" || key == "route"))) {
      found.push_back(&node);
    }
    find_elsewhere(*child, key, where, also, found);
  }
}

std::string path_of(const Schema& node) {
  if (!node.parent || !node.parent->parent) return std::string(node.name);
  const auto front = path_of(*node.parent);
  return node.name == "[]" ? front + "[]" : front + '.' + std::string(node.name);
}

/// Whether a key of this name is in this version somewhere.
bool is_anywhere(const Schema& node, std::string_view key) {
  return std::any_of(node.children.begin(), node.children.end(), [&](const auto& child) {
    return (child->name == key && child->here()) || is_anywhere(*child, key);
  });
}

/// Whether a later version has the key, and its name alone says what it is: a block, or more than a common word.
bool is_later_feature(const Schema& node, std::string_view key) {
  static constexpr std::array<std::string_view, 6> kWords{"http2",    "compress",  "balance",
                                                          "failover", "dashboard", "invalidates"};
  return std::any_of(node.children.begin(), node.children.end(), [&](const auto& child) {
    const bool telling = !child->children.empty() || key.find('_') != std::string_view::npos ||
                         std::find(kWords.begin(), kWords.end(), key) != kWords.end();
    return (child->name == key && !child->here() && telling && is_name(key)) || is_later_feature(*child, key);
  });
}

/// Every name that is in this version somewhere.
void add_names(const Schema& node, std::vector<std::string_view>& names) {
  for (const auto& child : node.children) {
    const bool hidden = !node.parent && (child->name == "policy" || child->name == "route");
    if (!hidden && is_name(child->name) && child->here()) names.push_back(child->name);
    add_names(*child, names);
  }
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
  add_names(schema(), names);
  const auto near = name.size() >= 4 ? nearest(name, names) : std::nullopt;
  if (!near || edit_distance(name, *near) > 1) return {};
  std::vector<const Schema*> found;
  find_elsewhere(schema(), *near, &where, also, found);
  const auto theirs = places_in_words(found, place_in_words(where));
  return theirs.empty() ? theirs : "did you mean \"" + *near + "\"? It belongs " + theirs;
}

}  // namespace

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
    for (const auto& child : node->children) {
      const bool hidden = !node->parent && (child->name == "policy" || child->name == "route");
      if (is_name(child->name) && !hidden && child->here()) siblings.push_back(child->name);
    }
  }
  if (const auto near = nearest(key, siblings)) return "did you mean \"" + *near + "\"?";
  const auto name = snake_case(key);
  std::vector<const Schema*> found;
  find_elsewhere(schema(), name, &where, also, found);
  for (const auto& foreign : kForeign) {
    // A name of others that is also a key somewhere here means what the others mean by it only where that place is far.
    if (foreign.theirs == name && found.empty()) return "this is \"" + std::string(foreign.ours) + "\" here";
  }
  const auto ours = place_in_words(where);
  if (found.empty()) return slip_of_elsewhere(name, where, also);
  if (const auto* around = holder_around(name, where))
    return in_quotes(name) + " belongs " + place_in_words(*around) + ", not " + ours;
  const auto theirs = places_in_words(found, ours);
  return theirs.empty() ? theirs : in_quotes(name) + " belongs " + theirs + ", not " + ours;
}

bool is_of_later_version(std::string_view key, const Schema& where, const Schema* also) {
  const auto in = [&](const Schema* place) {
    return place && std::any_of(place->children.begin(), place->children.end(),
                                [&](const auto& child) { return child->here() && child->name == key; });
  };
  if (in(&where) || in(also)) return false;
  return is_later_feature(schema(), key) && !is_anywhere(schema(), key);
}

}  // namespace forebay::config
