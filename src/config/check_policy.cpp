// What is wrong or dangerous about a route's policy once all of it is known.
#include <algorithm>

#include "config/readers.hpp"
#include "config/suggest.hpp"
#include "forebay/http/fields.hpp"
#include "forebay/http/list.hpp"
#include "forebay/rules/query_secrets.hpp"

namespace forebay::config {
namespace {

using http::Method;

/// The methods of a policy by name.
std::vector<std::string_view> names_of_methods(const rules::Policy& policy) {
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < static_cast<std::size_t>(Method::Other); ++i)
    if (policy.methods.test(i)) names.push_back(http::to_string(static_cast<Method>(i)));
  names.insert(names.end(), policy.other_methods.begin(), policy.other_methods.end());
  return names;
}

bool is_one_of(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string in_words(const std::vector<std::string>& names) {
  std::string out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) out += i + 1 == names.size() ? " and " : ", ";
    out += names[i];
  }
  return out;
}

class PolicyCheck {
 public:
  PolicyCheck(Loading& loading, const PolicyDraft& draft, const Route& route)
      : loading_(loading),
        report_(loading.report),
        draft_(draft),
        policy_(draft.policy),
        key_(draft.key),
        route_(route) {}

  void all() {
    lifetimes();
    captures();
    path_left_out();
    content();
    writes();
    sharing();
    identity();
    credentials();
    refresh();
    compression();
  }

  /// Settings of what is not stored as one answer.
  void streams() {
    if (policy_.early_hints == rules::EarlyHints::Replay && !policy_.cache)
      warning(2060, at("early_hints"), "early_hints: replay does nothing under cache: false",
              "links are sent ahead from stored responses; leave it out, or write early_hints: pass");
    if (!policy_.upgrade.empty() && !policy_.methods.test(static_cast<std::size_t>(Method::Get)))
      warning(2062, at("upgrade"), "the route is not for GET, and only a GET can upgrade",
              "add GET to \"methods\", or set upgrade where GET is handled");
  }

 private:
  const SetBy* at(std::string_view key) const { return draft_.set_by(key); }
  void error(int code, const SetBy& by, std::string message, std::string hint) {
    report_.error(code, *by.node, by.path, std::move(message), std::move(hint));
  }
  void warning(int code, const SetBy* by, std::string message, std::string hint) {
    if (by) report_.warning(code, *by->node, by->path, std::move(message), std::move(hint));
  }

  void lifetimes() {
    const auto& ttl = policy_.ttl;
    const auto* max = at("ttl.max");
    if (ttl.min > ttl.max) {
      const auto* by = at("ttl.min") ? at("ttl.min") : max;
      if (by)
        error(1004, *by, "ttl.min " + format_duration(ttl.min) + " is above ttl.max " + format_duration(ttl.max), {});
      return;
    }
    const auto above = [&](const std::string& name, Duration value) {
      if (value <= ttl.max) return;
      const auto* by = at(name) ? at(name) : max;
      warning(2004, by, name + ' ' + format_duration(value) + " is above ttl.max " + format_duration(ttl.max),
              "it is cut to " + format_duration(ttl.max));
    };
    above("ttl.default", ttl.fallback);
    for (const auto& [status, lifetime] : ttl.status) above("ttl.status." + format_status(status), lifetime);
    client_errors();
  }

  /// `4xx`: the class reads as if it were for all of its statuses.
  void client_errors() {
    const auto warn = [&](const SetBy* by, const rules::StatusPattern& status, std::string_view where) {
      warning(
          2030, by,
          format_status(status) + " in " + std::string(where) +
              " gives 404, 410 and the like a lifetime, and none to 400, 401, 403, 429 and others that one client's "
              "request brings about",
          "write the statuses that are meant, such as \"404\"");
    };
    const auto is_class = [](const rules::StatusPattern& s) {
      for (int status = s.from; s.from != s.to && status <= s.to; ++status)
        if (rules::is_client_made(status)) return true;
      return false;
    };
    for (const auto& [status, lifetime] : policy_.ttl.status)
      if (is_class(status) && lifetime > Duration{0})
        warn(at("ttl.status." + format_status(status)), status, "ttl.status");
    const auto& listed = policy_.statuses;
    const auto it = std::find_if(listed.begin(), listed.end(), is_class);
    if (policy_.ttl.fallback > Duration{0} && it != listed.end()) warn(at("statuses"), *it, "statuses");
  }

  /// The element of a list that says this, else the whole of it.
  static std::pair<const Node*, std::string> element(const SetBy& by, std::string_view text) {
    for (std::size_t i = 0; i < by.node->items.size(); ++i)
      if (by.node->items[i]->text == text) return {by.node->items[i].get(), by.path + '[' + std::to_string(i) + ']'};
    return {by.node, by.path};
  }

  void captures() {
    const auto* by = at("key.path");
    if (!by || key_.path != cache::PathMode::Captures) return;
    const auto& there = route_.path.captures();
    for (const auto& name : key_.captures) {
      if (std::find(there.begin(), there.end(), name) != there.end()) continue;
      const auto [node, path] = element(*by, name);
      const auto near = nearest(name, {there.begin(), there.end()});
      std::string hint = "the path has no captures; write {" + name + "} for a segment of it";
      if (near)
        hint = "did you mean " + *near + "?";
      else if (!there.empty())
        hint = (there.size() == 1 ? "its capture is " : "its captures are ") + in_words(there);
      report_.error(1009, *node, path,
                    "the path of route " + in_quotes(route_.name) + " has no capture " + in_quotes(name), hint);
    }
  }

  /// Captures choose the answer, as a rule.
  void path_left_out() {
    const auto* by = at("key.path");
    if (!by || key_.path == cache::PathMode::All) return;
    const auto& keyed = key_.captures;
    const auto& there = route_.path.captures();
    const bool wrong = std::any_of(keyed.begin(), keyed.end(), [&](const auto& name) {
      return std::find(there.begin(), there.end(), name) == there.end();
    });
    // Names that are none have been reported.
    if (wrong || (key_.path == cache::PathMode::Captures && keyed.empty())) return;
    std::vector<std::string> missing;
    for (const auto& name : there)
      if (key_.path == cache::PathMode::None || std::find(keyed.begin(), keyed.end(), name) == keyed.end())
        missing.push_back('{' + name + '}');
    if (missing.empty()) return;
    std::string all;
    for (const auto& name : there) all += (all.empty() ? "" : ", ") + name;
    warning(2029, by,
            in_words(missing) + " of route " + in_quotes(route_.name) + (missing.size() == 1 ? " is" : " are") +
                " not in the key: paths that differ there share one answer",
            "write [" + all + "], or * in the path for a part that does not matter");
  }

  void content() {
    const auto* body = key_.body == cache::BodyMode::None ? nullptr : at("key.body");
    const auto* form = key_.form.empty() ? nullptr : at("key.form");
    const auto* graphql = key_.graphql ? at("key.graphql") : nullptr;
    choose_one(body, "key.body", form, "key.form");
    choose_one(body, "key.body", graphql, "key.graphql");
    choose_one(form, "key.form", graphql, "key.graphql");
    if (graphql) graphql_methods(*graphql);
    if (key_.body == cache::BodyMode::None && !form && !graphql) body_left_out();
    if (key_.body == cache::BodyMode::Pointers) content_missing(body, "key.body");
    content_missing(form, "key.form");
    const auto limit = loading_.config.server.request_body;
    if (const auto* by = at("key.body_max"); by && key_.body_max > limit)
      warning(
          2005, by,
          "key.body_max " + format_size(key_.body_max) + " is above server.limits.request_body " + format_size(limit),
          "larger requests are refused (413) before they are keyed");
  }

  void choose_one(const SetBy* one, const char* name, const SetBy* two, const char* other) {
    if (!one || !two) return;
    // The later of the two is the one to look at.
    if (one->node->place.line > two->node->place.line) std::swap(one, two);
    const auto& place = one->node->place;
    error(1004, *two, std::string(name) + " and " + other + " both say what of the content is keyed",
          "choose one" + (place.line > 0 ? "; the other is" + loading_.report.in_words(place) : std::string()));
  }

  void graphql_methods(const SetBy& graphql) {
    for (const auto name : names_of_methods(policy_)) {
      if (is_one_of(name, {"GET", "HEAD", "POST"})) continue;
      const auto* methods = at("methods");
      const auto [node, path] = element(methods ? *methods : graphql, name);
      report_.error(1004, *node, path, "key.graphql is for GET, HEAD and POST, not " + std::string(name),
                    "give " + std::string(name) + " a route of its own");
    }
  }

  /// An explicit `key.body: none` on methods whose content matters.
  void body_left_out() {
    const auto* by = at("key.body");
    if (!by) return;
    std::vector<std::string> careless;
    for (const auto name : names_of_methods(policy_)) {
      if (name == "QUERY")
        error(1004, *by, "the content of a QUERY is what it asks for; key.body: none leaves it out",
              "write all, or pointers such as [/query]");
      else if (!is_one_of(name, {"GET", "HEAD", "OPTIONS"}))
        careless.emplace_back(name);
    }
    if (!careless.empty())
      warning(2002, by, "route " + in_quotes(route_.name) + " caches " + in_words(careless) + " under key.body: none",
              "different contents share one answer; write all, or pointers such as [/query]");
  }

  /// A form or a choice of the content, set for this route, on which no content comes. One that lists its methods
  /// itself means what it says: some do send content with GET, and that is keyed.
  void content_missing(const SetBy* by, const std::string& what) {
    const auto of_route = [](const SetBy* one) { return one && one->said.starts_with("routes."); };
    if (!of_route(by) || of_route(at("methods"))) return;
    std::vector<std::string> names;
    for (const auto name : names_of_methods(policy_)) {
      if (!is_one_of(name, {"GET", "HEAD", "OPTIONS"})) return;
      names.emplace_back(name);
    }
    warning(2020, by,
            what + " never applies without content, and route " + in_quotes(route_.name) + " is for " + in_words(names),
            "write methods: POST, or list here the methods whose requests do have content");
  }

  /// Methods that change something as a rule, declared to be reads.
  void writes() {
    const auto* by = at("methods");
    if (!by) return;
    for (const auto name : names_of_methods(policy_)) {
      if (!is_one_of(name, {"PUT", "PATCH", "DELETE"})) continue;
      const auto [node, path] = element(*by, name);
      report_.warning(2018, *node, path,
                      "a second " + std::string(name) +
                          " may be answered from the cache and never reach the origin, and it invalidates nothing",
                      "leave it out unless it only reads; what is not listed is forwarded");
    }
  }

  void sharing() {
    using rules::AuthorizationRule, rules::OriginCacheControl, rules::SetCookieRule;
    if (policy_.set_cookie == SetCookieRule::Store)
      warning(2003, at("set_cookie"),
              "answers are stored with their Set-Cookie, and one client's cookie goes to others",
              "write strip or bypass");
    if (!policy_.vary)
      warning(2028, at("vary"),
              "Vary of the origin is ignored: a client may get another one's language, coding or page",
              "write respect, and name what chooses the answer in key.headers");
    if (policy_.origin_cache_control == OriginCacheControl::Override)
      warning(2012, at("origin_cache_control"), "no-store and private of the origin are overridden",
              "ignore passes over lifetimes only");
    if (policy_.authorization == AuthorizationRule::Share)
      warning(2014, at("authorization"), "answers to authorised requests are shared with everyone",
              "key keeps them apart");
    if (key_.host) return;
    const auto& origins = loading_.config.origins;
    const auto sees_host = [&](const std::string& name) {
      const auto found = origins.find(name);
      return found != origins.end() && found->second.host_header == "preserve";
    };
    const auto origin = origins.find(route_.origin);
    std::vector<std::string> names{route_.origin};
    if (origin != origins.end() && !origin->second.failover.empty()) names.push_back(origin->second.failover);
    for (const auto& name : names)
      if (sees_host(name))
        warning(2013, at("key.host"), "the host is no part of the key, and the origin " + in_quotes(name) + " sees it",
                "write host_header: origin there");
  }

  void identity() {
    for (const auto& header : key_.headers)
      if (header == "cookie" || header == "authorization")
        warning(2011, at("key.headers"), "a key over " + in_quotes(header) + " keeps an entry for each client",
                header == "cookie" ? "name what matters in key.cookies" : "write authorization: key");
    if (std::find(key_.cookies.begin(), key_.cookies.end(), "*") != key_.cookies.end())
      warning(2011, at("key.cookies"), "a key over all cookies keeps an entry for each client", "name what matters");
    const auto is_cookie = [](std::string_view name) { return http::iequals(name, "cookie"); };
    const auto& changes = route_.request_headers;
    const bool forwarded =
        std::none_of(changes.remove.begin(), changes.remove.end(), is_cookie) &&
        std::none_of(changes.set.begin(), changes.set.end(), [&](const auto& field) { return is_cookie(field.first); });
    const bool keyed = !key_.cookies.empty() || !policy_.bypass.cookies.empty() ||
                       std::any_of(key_.headers.begin(), key_.headers.end(), is_cookie);
    if (policy_.request_cookies == rules::RequestCookies::Share && forwarded && !keyed)
      warning(2015, at("request_cookies"),
              "cookies go to the origin and are not in the key: one client's answer goes to others",
              "name those that matter in key.cookies or bypass.cookies, or remove Cookie by request_headers.remove");
  }

  /// What is no credential any more, on a route that gives lifetimes of its own; and secrets that are left out of the
  /// key.
  void credentials() {
    const auto& ttl = policy_.ttl;
    const bool configured =
        ttl.fallback > Duration{0} || ttl.heuristic > 0 ||
        std::any_of(ttl.status.begin(), ttl.status.end(), [](const auto& line) { return line.second > Duration{0}; });
    auto usual = policy_;
    usual.credentials = rules::Policy().credentials;
    const auto guarded = policy_.guard.names();
    std::vector<std::string> missing;
    for (const auto& name : guard_of(usual, key_, route_.request_headers).names())
      if (std::find(guarded.begin(), guarded.end(), name) == guarded.end()) missing.push_back(name);
    if (configured && !missing.empty())
      warning(2023, at("credentials"), "requests with " + in_words(missing) + " share answers of a configured lifetime",
              "lists replace the default; write all that are credentials");
    if (key_.query != cache::QueryMode::Except || policy_.credentials.empty()) return;
    for (const auto& name : key_.query_names)
      if (rules::names_secret(name))
        warning(
            2024, at("key.query"), "requests with " + in_quotes(name) + " are never served from the cache",
            "it is a secret: in the key it keeps answers apart; outside of it each answer is for its request alone");
  }

  void refresh() {
    using rules::RefreshRefusal;
    const auto& client = policy_.client_refresh;
    if (client.otherwise == RefreshRefusal::Ignore || !client.token.empty()) return;
    // One that is there and empty comes from a variable, and is another one elsewhere.
    if (at("client_refresh.token") || at("client_refresh.token_file")) return;
    warning(2016, at("client_refresh.otherwise"),
            std::string("client_refresh.otherwise: ") + (client.otherwise == RefreshRefusal::Warn ? "warn" : "forbid") +
                " does nothing without a token",
            "set client_refresh.token or token_file, or leave it out");
  }

  /// What was meant for this route; a default that does not fit one of them is no mistake.
  void compression() {
    const auto* by = at("compress");
    if (!by || !by->said.starts_with("routes.") || !policy_.compress.on() || !keys_secrets(policy_, key_)) return;
    warning(2064, by, "the key has credentials or cookies: requests that bring them get nothing compressed",
            "compression shows what one client's page has in common with what another site can add to it (BREACH)");
  }

  Loading& loading_;
  Report& report_;
  const PolicyDraft& draft_;
  const rules::Policy& policy_;
  const cache::KeySpec& key_;
  const Route& route_;
};

/// `defaults`, or a named policy, of a setting within it.
std::string layer_of(const SetBy& by, std::string_view key) {
  const std::string_view owner = std::string_view(by.said).substr(0, by.said.size() - key.size() - 1);
  constexpr std::string_view kPolicies = "policies.";
  return owner.starts_with(kPolicies) ? "policy " + in_quotes(owner.substr(kPolicies.size())) : std::string(owner);
}

/// As the layer below wrote it: the names of fields are kept in lower case.
std::string as_written(const SetBy& by, const std::string& name) {
  const auto same = [&](const Node& node) { return node.is_scalar() && http::iequals(node.text, name); };
  for (const auto& item : by.node->items)
    if (same(*item)) return item->text;
  return same(*by.node) ? by.node->text : name;
}

void check_list(Report& report, std::string_view key, const PolicyDraft& below, const PolicyDraft& draft,
                const std::vector<std::string>& before, const std::vector<std::string>& now) {
  const auto* old = below.set_by(key);
  const auto* by = draft.set_by(key);
  // An empty list is there to empty it.
  if (!old || !by || by->said == old->said || now.empty()) return;
  for (const auto& name : before) {
    const bool kept =
        std::any_of(now.begin(), now.end(), [&](const auto& glob) { return http::glob_match(glob, name); });
    if (kept) continue;
    const auto written = as_written(*old, name);
    report.warning(2019, *by->node, by->path, written + " of " + layer_of(*old, key) + " is no longer part of the key",
                   "lists replace those of earlier layers; write " + written + " here too");
  }
}

}  // namespace

void check_layers(Report& report, const PolicyDraft& below, const PolicyDraft& draft) {
  if (!draft.policy.cache) return;
  check_list(report, "key.headers", below, draft, below.key.headers, draft.key.headers);
  check_list(report, "key.cookies", below, draft, below.key.cookies, draft.key.cookies);
}

namespace {

/// Settings of the route itself that have no effect, and types that are compressed already.
void check_compression(Report& report, const PolicyDraft& draft) {
  const auto own = [&](std::string_view key) {
    const auto* by = draft.set_by(key);
    return by && by->said.starts_with("routes.") ? by : nullptr;
  };
  const auto& compress = draft.policy.compress;
  if (const auto* by = own("compress"); by && compress.on() && !draft.policy.cache)
    report.warning(2063, *by->node, by->path, "compress does nothing on a route with cache: false",
                   "only stored responses are compressed; what is passed on keeps the origin's coding");
  // The defaults, as `check --print` writes them, are no mistake.
  const rules::Policy::Compress usual;
  const auto idle = [&](const char* key, bool changed) {
    if (const auto* by = own(key); by && changed && !compress.on())
      report.warning(2063, *by->node, by->path, std::string(key) + " does nothing without compress",
                     "write compress: [zstd, br, gzip]");
  };
  idle("compress_types", compress.types != usual.types);
  idle("compress_min", compress.min != usual.min);
  const auto* by = draft.set_by("compress_types");
  if (!by || !compress.on()) return;
  for (const auto* dense : {"image/png", "image/jpeg", "image/webp", "video/mp4", "audio/mpeg", "application/zip",
                            "application/gzip", "font/woff2"}) {
    const auto glob = std::find_if(compress.types.begin(), compress.types.end(),
                                   [&](const auto& type) { return http::glob_match(type, dense); });
    if (glob == compress.types.end()) continue;
    report.warning(2065, *by->node, by->path, in_quotes(*glob) + " includes " + dense + ", which is compressed already",
                   "it costs time and becomes no smaller; list types of text");
    return;
  }
}

}  // namespace

void check_policy(Loading& loading, const PolicyDraft& draft, const Route& route) {
  check_compression(loading.report, draft);
  PolicyCheck check(loading, draft, route);
  if (draft.policy.cache) check.all();
  check.streams();
}

}  // namespace forebay::config
