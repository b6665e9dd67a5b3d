// What can only be judged when everything has been read.
#include <algorithm>
#include <set>
#include <unordered_map>

#include "config/address.hpp"
#include "config/codecs.hpp"
#include "config/origin_urls.hpp"
#include "config/readers.hpp"
#include "forebay/http/list.hpp"

namespace forebay::config {
namespace {

const SetBy* set_by(const Loading& loading, const std::string& what) {
  const auto it = loading.places.find(what);
  return it == loading.places.end() ? nullptr : &it->second;
}

/// Of two addresses that share a port, the one without a host leaves all IPv4 addresses to `0.0.0.0`.
void leave_ipv4(Address& a, Address& b) {
  if (a.port != b.port) return;
  if (a.host.empty() && is_any_host(b.host)) a.v6_only = true;
  if (b.host.empty() && is_any_host(a.host)) b.v6_only = true;
}

/// Settings of listeners that have no effect, or that let nobody in.
void check_listeners(Loading& loading) {
  const auto& config = loading.config;
  const auto& trusted = config.server.trusted_proxies;
  bool any_unix = false;
  for (std::size_t i = 0; i < config.listeners.size(); ++i) {
    const auto& l = config.listeners[i];
    const auto* by = set_by(loading, "listen " + std::to_string(i));
    const bool is_unix = l.address.kind == Address::Kind::Unix;
    any_unix = any_unix || is_unix || l.address.kind == Address::Kind::Fd;
    if (!by) continue;
    if (!is_unix && (l.mode || !l.owner.empty() || !l.group.empty()))
      loading.report.warning(
          2057, *by->node, by->path,
          "mode, owner and group have no effect: " + in_quotes(l.address.text) + " is not the path of a Unix socket",
          l.address.kind == Address::Kind::Fd ? "the socket unit sets SocketMode, SocketUser and so on"
                                              : "leave them out");
    const bool nobody = trusted.empty() || (is_unix && !trusted.unix_sockets) ||
                        (l.address.kind == Address::Kind::Tcp && trusted.networks.empty());
    if (l.proxy_protocol && nobody)
      loading.report.warning(2058, *by->node, by->path,
                             "proxy_protocol: every connection will be closed, since no peer of this listener is in "
                             "server.trusted_proxies",
                             is_unix ? "write server.trusted_proxies: [unix]"
                                     : "list the networks of the load balancers there, such as 10.0.0.0/8");
  }
  const auto* server = loading.root.find("server");
  const auto* node = server && server->is_map() ? server->find("trusted_proxies") : nullptr;
  if (node && trusted.unix_sockets && !any_unix)
    loading.report.warning(2059, *node, "server.trusted_proxies",
                           "\"unix\" has no effect: nothing listens on a Unix socket", "leave it out");
}

void check_addresses(Loading& loading) {
  auto& config = loading.config;
  const auto say = [&](const SetBy* by, const SetBy* other, const std::string& text) {
    if (!by) std::swap(by, other);
    if (!by) return;
    std::string hint = "one listener for each address";
    if (other && other->node->place.line > 0) hint = "also" + loading.report.in_words(other->node->place);
    loading.report.error(1012, *by->node, by->path, "the address " + in_quotes(text) + " is used twice", hint);
  };
  auto& all = config.listeners;
  for (std::size_t i = 0; i < all.size() && i < 1000; ++i) {
    const auto* by = set_by(loading, "listen " + std::to_string(i));
    for (std::size_t j = 0; j < i; ++j)
      if (share_port(all[i].address, all[j].address))
        leave_ipv4(all[i].address, all[j].address);
      else if (collide(all[i].address, all[j].address))
        say(by, set_by(loading, "listen " + std::to_string(j)), all[i].address.text);
    if (config.admin && collide(all[i].address, *config.admin)) say(set_by(loading, "admin"), by, config.admin->text);
  }
  if (config.server.handover.empty()) return;
  const auto text = "unix:" + config.server.handover;
  const Address handover{Address::Kind::Unix, config.server.handover, 0, text};
  for (std::size_t i = 0; i < all.size() && i < 1000; ++i)
    if (collide(all[i].address, handover))
      say(set_by(loading, "handover"), set_by(loading, "listen " + std::to_string(i)), text);
  if (config.admin && collide(*config.admin, handover))
    say(set_by(loading, "handover"), set_by(loading, "admin"), text);
}

/// The token for reading would allow changes.
void check_admin_tokens(Loading& loading) {
  const auto& operators = loading.config.operators;
  if (operators.token.empty() || operators.token != operators.read_token) return;
  const auto* admin = loading.root.find("admin");
  const auto* node =
      admin ? admin->find(operators.read_token_file.empty() ? "read_token" : "read_token_file") : nullptr;
  if (!node) return;
  loading.report.error(1004, *node, "admin.read_token", "admin.token and admin.read_token are the same",
                       "whoever reads could make changes; generate another token, e.g. openssl rand -hex 32");
}

/// Settings of the admin listener's socket that have no effect, or exclude each other.
void check_admin_listener(Loading& loading) {
  const auto& config = loading.config;
  const auto* admin = loading.root.find("admin");
  if (!admin || !admin->is_map()) return;
  const auto& l = config.admin_listener;
  const bool is_unix = config.admin && config.admin->kind == Address::Kind::Unix;
  for (const auto* name : {"mode", "owner", "group"})
    if (const auto* node = admin->find(name); node && !is_unix)
      loading.report.warning(2057, *node, "admin." + std::string(name),
                             in_quotes(name) + " has no effect: admin.listen is not the path of a Unix socket",
                             "leave it out");
  if (const auto* node = admin->find("tls"); node && is_unix && l.tls.on())
    loading.report.error(1004, *node, "admin.tls", "a Unix socket has no TLS on the admin listener",
                         "its file's mode, owner and group say who may connect");
}

void check_admin(Loading& loading) {
  const auto& config = loading.config;
  const auto* by = set_by(loading, "admin");
  if (!by || config.admin->kind != Address::Kind::Tcp || is_loopback_host(config.admin->host) ||
      !config.operators.token.empty() || !config.operators.read_token.empty())
    return;
  // Whoever writes an empty token, or one of a variable that is not set, knows that there is none.
  const auto* token = loading.root.find("admin")->find("token");
  if (token && token->is_scalar() && !token->bad && token->text.empty()) return;
  loading.report.warning(2010, *by->node, by->path, "the admin listener can be reached from outside, without a token",
                         "only /livez, /readyz, /metrics and /version are answered there; set token_file for more");
}

/// Who may purge by PURGE and BAN.
void check_purging(Loading& loading) {
  const auto& purging = loading.config.purging;
  const auto* by = set_by(loading, "purge.methods");
  const bool on = purging.purge || purging.ban;
  const auto* block = loading.root.find("purge");
  const bool silent = !on && block && block->is_map() && !block->find("methods");
  for (const std::string name : {"allow", "token", "token_file"}) {
    const auto* node = silent ? block->find(name) : nullptr;
    if (node)
      loading.report.warning(2086, *node, "purge." + name, "it has no effect: purge.methods lists no method",
                             "write methods: [PURGE], or leave it out");
  }
  for (const std::string name : {"token", "token_file"})
    if (const auto* node = on && purging.token.empty() && block && block->is_map() ? block->find(name) : nullptr;
        node && !node->bad)
      loading.report.error(1004, *node, "purge." + name, "the token is empty, so that none would be required",
                           "set the variable or the file, or leave the key out");
  const bool anybody = std::any_of(purging.allow.begin(), purging.allow.end(), trusts_strangers);
  if (!on || !by || !purging.token.empty() || !anybody) return;
  loading.report.warning(2085, *by->node, by->path,
                         "anybody may purge: purge.allow has networks of strangers, and no token is required",
                         "list your own networks in purge.allow, or set purge.token_file");
}

bool requires_certificate(const Listener& listener) {
  const auto& tls = listener.tls;
  return tls.on() && !tls.client_ca.empty() && tls.client_auth == ListenerTls::ClientAuth::Require;
}

/// Routes are those of every listener: what one asks of clients, another may not.
void check_clients(Loading& loading) {
  const auto& all = loading.config.listeners;
  const auto strict = std::find_if(all.begin(), all.end(), requires_certificate);
  if (strict == all.end()) return;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto* by = set_by(loading, "listen " + std::to_string(i));
    const bool own_files = all[i].address.kind == Address::Kind::Unix;  // its mode says who may connect
    if (!by || own_files || requires_certificate(all[i])) continue;
    loading.report.warning(2054, *by->node, by->path,
                           "this listener serves the routes of " + in_quotes(strict->name) +
                               " too, and requires no certificate of clients",
                           all[i].tls.client_ca.empty()
                               ? "let another process serve what is for everybody, or set client_ca here as well"
                               : "let another process serve what is for everybody, or write client_auth: require here");
  }
}

/// Whether a connection to `url` would arrive at `address`.
bool leads_to(const Url& url, const Address& address) {
  if (address.kind != Address::Kind::Tcp || address.port == 0 || address.port != url.port) return false;
  const bool local = is_loopback_host(url.host) || is_any_host(url.host);
  if (is_any_host(address.host)) return local;
  if (local) return is_loopback_host(address.host);
  const auto ours = http::parse_ip(address.host), theirs = http::parse_ip(url.host);
  return ours && theirs && *ours == *theirs;
}

void check_loops(Loading& loading) {
  const auto& config = loading.config;
  for (const auto& [name, origin] : config.origins) {
    for (std::size_t i = 0; i < origin.urls.size(); ++i) {
      const auto* by = set_by(loading, place_of_url(name, i));
      const auto& url = origin.urls[i].url;
      const bool own = std::any_of(config.listeners.begin(), config.listeners.end(),
                                   [&](const auto& l) { return leads_to(url, l.address); }) ||
                       (config.admin && leads_to(url, *config.admin));
      if (own && by)
        loading.report.error(1013, *by->node, by->path, in_quotes(url.text) + " is this Forebay itself",
                             "name the server behind it, or another port in \"listen\"");
    }
  }
}

bool hosts_cover(const Route& ours, const Route& theirs) {
  if (ours.hosts.empty()) return true;
  if (theirs.hosts.empty()) return std::find(ours.hosts.begin(), ours.hosts.end(), "*") != ours.hosts.end();
  return std::all_of(theirs.hosts.begin(), theirs.hosts.end(), [&](const auto& host) {
    return std::any_of(ours.hosts.begin(), ours.hosts.end(),
                       [&](const auto& glob) { return http::glob_match(glob, host); });
  });
}

bool methods_cover(const Route& our_route, const Route& their_route) {
  if (our_route.any_method || their_route.any_method) return our_route.any_method;
  const auto &ours = our_route.policy, &theirs = their_route.policy;
  return (theirs.methods & ~ours.methods).none() &&
         std::all_of(theirs.other_methods.begin(), theirs.other_methods.end(), [&](const auto& m) {
           return std::find(ours.other_methods.begin(), ours.other_methods.end(), m) != ours.other_methods.end();
         });
}

/// The first segment of a pattern when it is a literal one; two patterns that differ in it have no path in common.
std::string_view first_segment(const std::string& pattern) {
  if (!pattern.starts_with('/')) return {};
  const auto segment = std::string_view(pattern).substr(1, pattern.find('/', 1) - 1);
  return segment.find_first_of("*{%") == std::string_view::npos ? segment : std::string_view();
}

void check_reach(Loading& loading) {
  const auto& routes = loading.config.routes;
  std::unordered_map<std::string_view, std::vector<std::size_t>> before;  // by first segment; "" is any
  for (std::size_t j = 0; j < routes.size(); ++j) {
    loading.report.step();
    const auto segment = first_segment(routes[j].path.text());
    std::size_t first = j;
    for (const auto key : {std::string_view(), segment}) {
      const auto it = before.find(key);
      if (it == before.end()) continue;
      for (const auto i : it->second) {
        if (i >= first) break;
        if (routes[i].match.empty() && routes[i].path.covers(routes[j].path) && hosts_cover(routes[i], routes[j]) &&
            methods_cover(routes[i], routes[j]) && !routes[i].redirect.only_http)
          first = i;
      }
    }
    before[segment].push_back(j);
    const auto* by = set_by(loading, "route " + std::to_string(j));
    if (first == j || !by) continue;
    const auto* other = set_by(loading, "route " + std::to_string(first));
    const auto line =
        other && other->node->place.line > 0 ? loading.report.in_words(other->node->place) : std::string();
    const auto* path = by->node->find("path");
    loading.report.warning(2001, path ? *path : *by->node, by->path,
                           "route " + in_quotes(routes[j].name) + " is never reached: route " +
                               in_quotes(routes[first].name) + line + " matches all of it",
                           "the first route that matches counts; put the narrower one first");
  }
}

/// The pattern of everything below one that is for a single path or segment; empty for others.
std::string everything_below(const std::string& pattern) {
  if (!pattern.starts_with('/')) return {};
  if (pattern.ends_with('/')) return pattern + "**";
  return pattern.ends_with("/*") ? pattern + '*' : std::string();
}

bool takes_get(const Route& route) { return route.policy.methods.test(static_cast<std::size_t>(http::Method::Get)); }

/// `path: /` where other proxies mean all paths by it.
void check_width(Loading& loading) {
  const auto& routes = loading.config.routes;
  for (std::size_t j = 0; j < routes.size(); ++j) {
    loading.report.step();
    const auto& text = routes[j].path.text();
    const auto wider = everything_below(text);
    std::string why;
    const auto pattern = wider.empty() ? std::nullopt : PathPattern::parse(wider, why);
    const auto* by = set_by(loading, "route " + std::to_string(j));
    if (!pattern || !by) continue;
    // An endpoint that takes POST alone, such as DynamoDB's, has one path.
    if (!takes_get(routes[j]) || routes[j].answers != Answers::Origin) continue;
    const bool segment = text.ends_with('*');
    const auto prefix = segment ? std::string_view(text).substr(0, text.size() - 1) : std::string_view();
    const bool minded = std::any_of(routes.begin(), routes.end(), [&](const Route& other) {
      if (&other == &routes[j]) return false;
      // Who has a route for what lies deeper knows what `*` is for.
      if (segment && other.path.text().starts_with(prefix) &&
          other.path.text().find('/', prefix.size()) != std::string::npos)
        return true;
      return other.match.empty() && takes_get(other) && other.path.covers(*pattern) && hosts_cover(other, routes[j]);
    });
    if (minded) continue;
    const auto* path = by->node->find("path");
    loading.report.warning(2031, path ? *path : *by->node, by->path,
                           in_quotes(text) + (segment ? " matches only one segment" : " matches only this path"),
                           "for everything below it write " + in_quotes(wider));
  }
}

/// Conditions with nothing behind them: whoever does not meet them gets a 404.
void check_fall(Loading& loading) {
  const auto& routes = loading.config.routes;
  if (!loading.config.default_origin.empty()) return;
  std::set<std::string_view> told;
  for (std::size_t j = 0; j < routes.size(); ++j) {
    loading.report.step();
    const auto& route = routes[j];
    const auto* by = set_by(loading, "route " + std::to_string(j));
    if (route.match.empty() || !by) continue;
    const bool caught = std::any_of(routes.begin(), routes.end(), [&](const Route& other) {
      return other.match.empty() && other.path.covers(route.path) && hosts_cover(other, route);
    });
    if (caught || !told.insert(route.path.text()).second) continue;
    const auto* match = by->node->find("match");
    loading.report.warning(2042, match ? *match : *by->node, by->path + ".match",
                           "what does not meet the conditions of route " + in_quotes(route.name) +
                               " is answered by 404: no other route is for it, and there is no default origin",
                           "add a route with path: " + route.path.text() + " and cache: false behind it");
  }
}

/// A redirect to https that sends clients back to where they were.
void check_https(Loading& loading) {
  const auto& config = loading.config;
  const auto& all = config.listeners;
  if (!config.server.trusted_proxies.empty() || std::any_of(all.begin(), all.end(), [](auto& l) { return l.tls.on(); }))
    return;
  for (const auto& route : config.routes) {
    const auto* by = set_by(loading, "route " + std::to_string(route.index));
    if (!by || route.answers != Answers::Redirect || !route.redirect.only_http) continue;
    loading.report.warning(2067, *by->node->find("redirect"), by->path + ".redirect",
                           "every request counts as one over http: no listener has TLS, and there are no "
                           "server.trusted_proxies whose X-Forwarded-Proto is believed",
                           "behind a proxy that ends TLS, clients are redirected for ever: list its network in "
                           "server.trusted_proxies");
  }
}

void check_tunnels(Loading& loading) {
  const auto& server = loading.config.server;
  if (server.tunnels <= server.max_connections) return;
  const auto* block = loading.root.find("server");
  const auto* limits = block ? block->find("limits") : nullptr;
  const auto* by = limits ? limits->find("tunnels") : nullptr;
  if (!by) return;
  loading.report.warning(2061, *by, "server.limits.tunnels",
                         "server.limits.tunnels " + std::to_string(server.tunnels) +
                             " is above server.max_connections " + std::to_string(server.max_connections),
                         "each tunnel is a client connection too; raise max_connections, or lower tunnels");
}

}  // namespace

void check_whole(Loading& loading) {
  check_admin_tokens(loading);
  check_admin_listener(loading);
  check_admin(loading);
  check_purging(loading);
  check_addresses(loading);
  check_listeners(loading);
  check_clients(loading);
  check_loops(loading);
  check_tunnels(loading);
  if (loading.report.failed() || loading.report.open()) return;
  check_reach(loading);
  check_width(loading);
  check_fall(loading);
  check_invalidations(loading);
  check_https(loading);
}

}  // namespace forebay::config
