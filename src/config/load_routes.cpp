#include <algorithm>
#include <set>
#include <unordered_set>
#include <utility>

#include "config/codecs.hpp"
#include "config/keys.hpp"
#include "config/schema.hpp"
#include "config/suggest.hpp"
#include "forebay/http/fields.hpp"

namespace forebay::config {
namespace {

constexpr std::size_t kMostRoutes = 10'000;
constexpr std::size_t kLongestName = 80;
constexpr std::string_view kReserved[] = {"_none", "_other"};  // label values of requests without a route of their own

std::string name_from_path(std::string_view path) {
  std::string name(path.substr(0, kLongestName));
  for (char& c : name)
    if (!is_label(std::string_view(&c, 1))) c = '_';
  return name.empty() ? "_" : name;
}

using Drafts = std::map<std::string, PolicyDraft, std::less<>>;

/// Whether "origin" is there but wrong, misspelt, or called as elsewhere.
bool means_origin(const Node* map, const Schema& where, const Schema* also) {
  if (!map) return false;
  return std::any_of(map->entries.begin(), map->entries.end(), [&](const Entry& entry) {
    const auto& name = entry.key->text;
    if (name == "origin" || is_users_own(name)) return name == "origin";
    if (where.child(name) || (also && also->child(name))) return false;
    return stands_for_origin(entry) || suggest_key(name, where, also).find("\"origin\"") != std::string::npos;
  });
}

/// Whether to say that there is no origin: once, and not where the file means to set one.
bool misses_origin(Loading& loading) {
  loading.origin_missed = loading.origin_missed || means_origin(loading.top.node(), schema(), nullptr);
  return !std::exchange(loading.origin_missed, true);
}

/// Whether there may be routes and policies in files that are not looked at.
bool includes_unread(const Loading& loading) {
  const auto* names = loading.root.find("include");
  return loading.report.alone() && names && !names->is_null();
}

/// `defaults` over what is built in, and each named policy over that.
PolicyDraft read_named(Loading& loading, Drafts& named) {
  PolicyDraft base;
  base.policy.max_object = loading.config.cache.max_object;
  base.policy.keep = loading.config.cache.keep;
  read_policy(loading, loading.top.in("defaults"), "defaults", base);
  if (const auto* policies = loading.top.map("policies")) {
    for (const auto& [key, value] : policies->entries) {
      if (is_users_own(key->text)) continue;
      auto draft = base;
      const auto path = "policies." + clipped(key->text);
      read_policy(loading, Section(loading.report, value.get(), path), path, draft);
      check_layers(loading.report, base, draft);
      named.emplace(key->text, std::move(draft));
    }
  }
  return base;
}

bool read_path(const Section& section, Route& route) {
  const auto* node = section.find("path");
  if (!node) {
    if (section.node()->find("path") == nullptr)
      section.error(1002, *section.node(), section.path(), section.path() + " needs a \"path\"",
                    "such as path: /api/**");
    return false;
  }
  const auto* text = section.scalar(*node, section.path_of("path"), "a path pattern");
  if (!text) return false;
  std::string why;
  auto pattern = PathPattern::parse(*text, why);
  if (!pattern) {
    section.error(1011, *node, section.path_of("path"), "bad pattern " + in_quotes(*text) + ": " + why,
                  hint_for_pattern(*text));
    return false;
  }
  route.path = std::move(*pattern);
  return true;
}

/// The policy that all layers together have made, judged and put where it is used.
void take_policy(Loading& loading, PolicyDraft&& draft, Route& route) {
  if (route.answers == Answers::Origin) check_policy(loading, draft, route);
  for (const auto& [key, by] : draft.set) {
    const auto flag = loading.report.flag_of(by.node->place);
    const auto line = loading.report.at(by.node->place).line;
    route.provenance[key] = flag.empty() ? Provenance{by.said, line} : Provenance{flag, 0};
  }
  auto& [policy, key, set] = draft;
  // Servers choose the type of their answer by it, and say no Vary.
  if (key.graphql && key.graphql_accept) add_once(key.headers, "accept");
  policy.compress.keyed_secrets = keys_secrets(policy, key);
  policy.guards_preflight = key.graphql && !policy.graphql_preflight.empty();
  policy.lifetimes = lifetimes_of(draft);
  key.fingerprint = fingerprint_of(route, draft);
  route.policy = std::move(policy);
  route.key = std::move(key);
}

/// A route that answers by itself has of a policy only its own `methods`; without them it takes all.
void take_answer(const Section& section, Route& route, PolicyDraft& draft) {
  draft.policy.cache = false;
  route.any_method = section.find("methods") == nullptr;
  if (route.any_method) draft.policy.methods.set();
}

void read_route(Loading& loading, const Node& node, const std::string& path, const Drafts& named,
                const PolicyDraft& base, Route& route) {
  loading.report.step();
  const Section section(loading.report, &node, path);
  if (node.is_null() && !node.bad) {
    section.error(1002, node, path, path + " needs a \"path\"", "such as path: /api/**");
  }
  if (!section.node()) return;
  const auto stands = loading.report.at(node.place);
  route.file = stands.first ? loading.config.file : stands.file;
  route.line = stands.line;
  const bool has_pattern = read_path(section, route);
  read_rows(loading, section, route_table().rows, &route);
  read_answer(section, route);
  const bool asks_origin = route.answers == Answers::Origin;
  auto draft = base;
  const auto* by_name = section.find("policy");
  if (const auto* policy = by_name ? section.scalar(*by_name, section.path_of("policy"), "a text") : nullptr) {
    if (const auto it = named.find(*policy); it != named.end()) {
      draft = it->second;
      route.policy_name = *policy;
    } else if (!includes_unread(loading)) {
      std::vector<std::string_view> names;
      for (const auto& [name, unused] : named) names.push_back(name);
      section.error(1009, *by_name, section.path_of("policy"), "there is no policy " + in_quotes(*policy),
                    did_you_mean(*policy, names, "name it under \"policies\""));
    }
  }
  const auto below = draft;
  read_policy(loading, section, "routes." + route.name, draft);
  check_layers(loading.report, below, draft);
  if (const auto* origin = section.find("origin"); origin && asks_origin) {
    route.origin = resolve_origin(loading, *origin, section.path_of("origin"));
  } else if (node.find("origin") == nullptr && asks_origin) {
    route.origin = loading.config.default_origin;
    const bool meant = means_origin(&node, *schema_at("route"), schema_at("policy"));
    if (route.origin.empty() && !meant && misses_origin(loading)) {
      section.error(1009, node, path, path + " has no origin",
                    "write \"origin: http://host:port\" here or at the top level");
    }
  }
  // Cookies that never reach the origin cannot choose its answer.
  draft.policy.guard = guard_of(draft.policy, draft.key, route.request_headers);
  if (has_pattern)
    check_pattern(section, route);
  else
    draft.key.captures.clear();  // Whether they exist cannot be told.
  if (asks_origin && has_pattern) check_tags(section, draft, route);
  if (asks_origin)
    check_conditions(section, draft, route);
  else
    take_answer(section, route, draft);
  take_policy(loading, std::move(draft), route);
}

void check_names(Loading& loading, const Node& list, const std::vector<std::string>& names) {
  std::unordered_set<std::string> seen;
  for (std::size_t i = 0; i < list.items.size(); ++i) {
    const auto* name = list.items[i]->find("name");
    if (!name || name->bad || name->is_null()) continue;
    const auto path = "routes[" + std::to_string(i) + "].name";
    if (!loading.top.scalar(*name, path, "a name")) continue;
    if (!is_label(name->text)) {
      loading.report.error(1004, *name, path, in_quotes(name->text) + " cannot be a name",
                           "1 to 80 letters, digits and _ . - : / { } * +");
    } else if (std::find(std::begin(kReserved), std::end(kReserved), name->text) != std::end(kReserved)) {
      loading.report.error(1010, *name, path, "the name " + in_quotes(name->text) + " is Forebay's own",
                           "it labels requests without a route");
    } else if (!seen.insert(names[i]).second) {
      loading.report.error(1010, *name, path, "two routes have the name " + in_quotes(name->text),
                           "names are unique; they label metrics");
    }
  }
}

}  // namespace

std::vector<std::string> names_of_routes(const Node& list) {
  std::vector<std::string> names(list.items.size());
  std::set<std::string> taken(std::begin(kReserved), std::end(kReserved));
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto* name = list.items[i]->find("name");
    if (name && name->is_scalar() && !name->text.empty()) taken.insert(names[i] = name->text);
  }
  std::map<std::string, int> counts;  // so that a thousand equal paths take no million tries
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!names[i].empty()) continue;
    const auto* path = list.items[i]->find("path");
    const auto base = name_from_path(path && path->is_scalar() ? std::string_view(path->text) : std::string_view());
    auto name = base;
    for (int& n = counts[base]; !taken.insert(name).second;) {
      n = std::max(n, 1) + 1;
      const auto suffix = ':' + std::to_string(n);
      name = base.substr(0, kLongestName - suffix.size()) + suffix;
    }
    names[i] = std::move(name);
  }
  return names;
}

void Routes::read(const Reading& r, Config& config) {
  auto& loading = r.loading;
  Drafts named;
  const auto base = read_named(loading, named);
  config.upgrade = base.policy.upgrade;
  const auto* routes = loading.top.node() ? loading.top.node()->find("routes") : nullptr;
  if (!routes || routes->is_null()) {
    Route route;
    route.name = "/**";
    route.origin = config.default_origin;
    route.file = config.file;
    if (route.origin.empty() && !includes_unread(loading) && misses_origin(loading)) {
      loading.report.error(1009, loading.root.place, "origin", "no origin is set",
                           "write \"origin: http://host:port\", or give --origin URL");
    }
    take_policy(loading, PolicyDraft(base), route);
    config.routes.push_back(std::move(route));
    return;
  }
  if (!routes->is_list()) return;  // Reported by the key check.
  if (routes->items.size() > kMostRoutes) {
    loading.report.error(1004, *routes, "routes", std::to_string(routes->items.size()) + " routes",
                         "at most " + std::to_string(kMostRoutes));
    return;
  }
  const auto names = names_of_routes(*routes);
  check_names(loading, *routes, names);
  config.routes.resize(names.size());
  std::set<std::string> asked_for;
  for (std::size_t i = 0; i < names.size(); ++i) {
    auto& route = config.routes[i];
    route.name = names[i];
    route.index = i;
    const auto path = "routes[" + std::to_string(i) + ']';
    loading.places["route " + std::to_string(i)] = {routes->items[i].get(), path};
    if (!loading.report.full()) read_route(loading, *routes->items[i], path, named, base, route);
    for (const auto& asked : route.match.headers) asked_for.insert(asked.name);
  }
  config.match_headers.assign(asked_for.begin(), asked_for.end());
}

}  // namespace forebay::config
