#include <algorithm>

#include "config/readers.hpp"
#include "config/schema.hpp"
#include "config/secret.hpp"
#include "config/suggest.hpp"
#include "forebay/base/hash.hpp"
#include "forebay/http/fields.hpp"

namespace forebay::config {
namespace {

/// Remembers who has set what: every key of the block by its path within the policy.
class Notes {
 public:
  Notes(const std::string& owner, PolicyDraft& draft) : owner_(owner), set_(draft.set) {}

  void map(const Node& node, const Schema& schema, const std::string& key, const std::string& path) {
    for (const auto& [name, value] : node.entries) {
      const auto* known = schema.child(name->text);
      if (!known || value->bad || value->is_null()) continue;
      const auto inner_key = key.empty() ? name->text : key + '.' + name->text;
      const auto inner_path = path + '.' + name->text;
      if (inner_key == "ttl" && value->is_scalar())
        leaf("ttl.default", *value, inner_path);
      else if (inner_key == "ttl.status" && value->is_map())
        statuses(*value, inner_path);
      else if (value->is_map() && !known->children.empty())
        map(*value, *known, inner_key, inner_path);
      else
        leaf(inner_key, *value, inner_path);
    }
  }

 private:
  void statuses(const Node& node, const std::string& path) {
    for (const auto& [name, value] : node.entries) {
      const auto status = parse_status(name->text);
      if (status.value && !value->is_null())
        leaf("ttl.status." + format_status(*status.value), *value, path + '.' + name->text);
    }
  }
  void leaf(const std::string& key, const Node& node, const std::string& path) {
    set_[key] = {&node, path, owner_ + '.' + key};
  }

  const std::string& owner_;
  std::map<std::string, SetBy, std::less<>>& set_;
};

void read_status_ttl(const Section& ttl, rules::Policy& policy) {
  const auto* node = ttl.find("status");
  if (!node) return;
  if (!node->is_map()) {
    ttl.error(1002, *node, ttl.path_of("status"), "\"ttl.status\" maps statuses to durations",
              "such as { \"404\": 10s }");
    return;
  }
  auto& all = policy.ttl.status;
  for (const auto& [key, value] : node->entries) {
    if (is_users_own(key->text)) continue;
    const auto path = ttl.path_of("status") + '.' + clipped(key->text);
    const auto status = parse_status(key->text);
    if (!status.value) {
      ttl.fault(*key, path, status.fault);
      continue;
    }
    if (value->is_null()) {
      ttl.error(1002, *key, path, in_quotes(key->text) + " has no value", {});
      continue;
    }
    const auto lifetime = ttl.duration_of("status", *value, path);
    if (!lifetime) continue;
    const auto known = std::find_if(all.begin(), all.end(), [&](const auto& s) {
      return s.first.from == status.value->from && s.first.to == status.value->to;
    });
    if (known != all.end())
      known->second = *lifetime;
    else
      all.emplace_back(*status.value, *lifetime);
  }
  // The first that matches counts, so exact statuses stand before classes.
  std::stable_partition(all.begin(), all.end(), [](const auto& s) { return s.first.from == s.first.to; });
}

void read_ttl(const Section& block, rules::Policy& policy) {
  const auto* node = block.find("ttl");
  if (!node) return;
  auto& ttl = policy.ttl;
  if (!node->is_map()) {
    const Section inside(block.report(), block.node(), "policy.ttl", block.path());
    if (const auto value = inside.duration_of("default", *node, block.path_of("ttl"))) ttl.fallback = *value;
    return;
  }
  const auto map = block.in("ttl");
  map.duration("default", ttl.fallback);
  map.duration("min", ttl.min);
  map.duration("max", ttl.max);
  map.duration("negative", ttl.negative);
  map.ratio("jitter", ttl.jitter);
  map.ratio("heuristic", ttl.heuristic);
  read_status_ttl(map, policy);
}

void read_statuses(const Section& block, rules::Policy& policy) {
  const auto list = block.list("statuses");
  if (!list) return;
  policy.statuses.clear();
  for (std::size_t i = 0; i < list->size(); ++i) {
    const auto status = parse_status((*list)[i]->text);
    if (status.value)
      policy.statuses.push_back(*status.value);
    else
      block.fault(*(*list)[i], block.path_of("statuses", i), status.fault);
  }
}

void read_stale(const Section& stale, rules::StalePolicy& policy) {
  stale.duration("while_revalidate", policy.while_revalidate);
  stale.duration("if_error", policy.if_error);
  const auto list = stale.list("errors");
  if (!list) return;
  policy.errors = {};
  policy.errors.connect = policy.errors.timeout = false;
  policy.errors.statuses.clear();
  for (std::size_t i = 0; i < list->size(); ++i) {
    const auto& item = *(*list)[i];
    if (item.text == "connect") {
      policy.errors.connect = true;
    } else if (item.text == "timeout") {
      policy.errors.timeout = true;
    } else if (const auto status = parse_status(item.text); status.value) {
      policy.errors.statuses.push_back(*status.value);
    } else if (status.fault.code == 1004) {
      stale.fault(item, stale.path_of("errors", i), status.fault);
    } else {
      const auto near = nearest(item.text, {"connect", "timeout"});
      stale.error(1002, item, stale.path_of("errors", i), in_quotes(item.text) + " is not connect, timeout or a status",
                  near ? "did you mean \"" + *near + "\"?" : "such as 503 or 5xx");
    }
  }
}

void read_refresh(const Section& block, PolicyDraft& draft) {
  auto& policy = draft.policy;
  if (const auto* node = block.find("refresh_ahead"); node && node->is_scalar() && node->text == "auto")
    policy.refresh_ahead = {0, true};
  else if (node && node->is_scalar() && nearest(node->text, {"auto"}))
    block.error(1002, *node, block.path_of("refresh_ahead"), in_quotes(node->text) + " is not a ratio or auto",
                "did you mean auto?");
  else if (double share = 0; node && block.ratio("refresh_ahead", share))
    policy.refresh_ahead = {share, false};
  const auto client = block.in("client_refresh");
  read_secret(client, "token", policy.client_refresh.token, draft.refresh_token_file);
  client.choice("otherwise", policy.client_refresh.otherwise);
}

void read_guards(const Section& block, rules::Policy& policy) {
  block.choice("authorization", policy.authorization);
  block.choice("set_cookie", policy.set_cookie);
  enum class Vary { Respect, Ignore } vary{policy.vary ? Vary::Respect : Vary::Ignore};
  if (block.choice("vary", vary)) policy.vary = vary == Vary::Respect;
  block.integer("max_variants", policy.max_variants);
  block.boolean("invalidate_on_write", policy.invalidate_on_write);
  block.boolean("convert_head", policy.convert_head);
  block.choice("request_cookies", policy.request_cookies);
  block.header_names("credentials", policy.credentials);
  block.header_names("graphql_preflight", policy.graphql_preflight);
  enum class Close { Pass, Store } close{};
  if (block.choice("close_delimited", close)) policy.store_close_delimited = close == Close::Store;
  enum class Search { Ignore, Respect } search{};
  if (block.choice("no_vary_search", search)) policy.no_vary_search = search == Search::Respect;
  block.boolean("suffix_guard", policy.suffix_guard);
  block.globs("signed_schemes", policy.signed_schemes);
  const auto targeted = block.in("targeted");
  targeted.header_names("fields", policy.targeted_fields);
  targeted.boolean("strip", policy.targeted_strip);
}

}  // namespace

void read_policy(const Section& block, const std::string& owner, PolicyDraft& draft) {
  if (!block.node()) return;
  Notes(owner, draft).map(*block.node(), *schema_at("policy"), {}, block.path());
  auto& policy = draft.policy;
  block.boolean("cache", policy.cache);
  read_methods(block, policy);
  read_statuses(block, policy);
  read_ttl(block, policy);
  block.choice("origin_cache_control", policy.origin_cache_control);
  enum class Honour { Ignore, Respect } client{};
  if (block.choice("client_cache_control", client)) policy.client_cache_control = client == Honour::Respect;
  read_stale(block.in("stale"), policy.stale);
  const auto coalesce = block.in("coalesce");
  coalesce.boolean("enabled", policy.coalesce.enabled);
  coalesce.duration("wait", policy.coalesce.wait);
  coalesce.choice("on_timeout", policy.coalesce.on_timeout);
  coalesce.integer("max_waiters", policy.coalesce.max_waiters);
  block.duration("pass_memory", policy.pass_memory);
  block.size("max_object", policy.max_object);
  block.size("request_buffer", policy.request_buffer);
  read_guards(block, policy);
  read_key(block.in("key"), draft.key);
  draft.key.authorization = policy.authorization == rules::AuthorizationRule::Key;
  read_bypass(block.in("bypass"), policy.bypass);
  read_refresh(block, draft);
}

rules::CredentialGuard guard_of(const rules::Policy& policy, const cache::KeySpec& key, const HeaderChanges& changes) {
  // A value that bypasses says nothing of the same cookie with another one.
  const auto& bypass = policy.bypass.cookies;
  const bool cookies_chosen = !key.cookies.empty() || policy.request_cookies == rules::RequestCookies::Share ||
                              std::any_of(bypass.begin(), bypass.end(), [](const auto& c) { return c.value.present; });
  std::vector<std::string> guarded;
  for (const auto& name : policy.credentials) {
    const auto is = [&](std::string_view other) { return http::iequals(name, other); };
    const auto is_set = [&](const auto& field) { return is(field.first); };
    const bool keyed = std::any_of(key.headers.begin(), key.headers.end(), is);
    const bool chosen = (is("Cookie") && cookies_chosen) ||
                        (is("Authorization") && policy.authorization != rules::AuthorizationRule::Rfc);
    const bool stays_here = std::any_of(changes.remove.begin(), changes.remove.end(), is) ||
                            std::any_of(changes.set.begin(), changes.set.end(), is_set);
    if (!keyed && !chosen && !stays_here) guarded.push_back(name);
  }
  return rules::CredentialGuard(guarded);
}

namespace {

/// A digest of settings, each with its length before it, so that no two lists of them have one text.
struct Settings {
  std::string text;
  void add(std::string_view part) {
    text += std::to_string(part.size());
    text += ':';
    text += part;
  }
  void add_number(auto value) { add(std::to_string(static_cast<std::int64_t>(value))); }
  void add_list(const std::vector<std::string>& list) {
    add_number(list.size());
    for (const auto& item : list) add(item);
  }
  void add_statuses(const rules::StatusPattern& pattern) {
    add_number(pattern.from);
    add_number(pattern.to);
  }
  std::uint64_t digest() const {
    const auto digest = digest_of(text);
    return digest.hi ^ digest.lo;
  }
};

}  // namespace

std::uint64_t lifetimes_of(const rules::Policy& policy) {
  Settings s;
  const auto& ttl = policy.ttl;
  for (const auto time : {ttl.fallback, ttl.min, ttl.max, ttl.negative}) s.add_number(time.count());
  for (const auto& [pattern, value] : ttl.status) {
    s.add_statuses(pattern);
    s.add_number(value.count());
  }
  s.add(std::to_string(ttl.heuristic));
  for (const auto& pattern : policy.statuses) s.add_statuses(pattern);
  s.add_number(policy.origin_cache_control);
  return s.digest();
}

std::uint64_t fingerprint_of(const Route& route) {
  const auto& key = route.key;
  const auto& policy = route.policy;
  Settings s;
  const auto add = [&](std::string_view part) { s.add(part); };
  const auto add_number = [&](auto value) { s.add_number(value); };
  const auto add_list = [&](const std::vector<std::string>& list) { s.add_list(list); };
  add_number(key.host);
  add_number(key.scheme);
  add_number(key.path);
  add_list(key.captures);
  add_number(key.query);
  add_number(key.sorts_query());
  add_list(key.query_names);
  add_list(key.headers);
  add_list(key.cookies);
  add_number(key.body);
  add_number(key.pointers.size());
  for (const auto& pointer : key.pointers) add(pointer.text());
  add_list(key.form);
  add_number(key.graphql);
  if (key.graphql) add_list(key.graphql_ignore);
  add_number(key.numbers);
  add_number(key.decode);
  add_number(policy.authorization);
  add_number(policy.vary);
  add_number(policy.set_cookie);
  add_list(rules::CredentialGuard(policy.credentials).names());
  add_number(policy.request_cookies);
  add_number(policy.no_vary_search);
  const auto add_values = [&](const rules::NamedCondition& asked) {
    add(asked.name);
    add_number(asked.value.present);
    add_number(asked.value.absent);
    add_list(asked.value.globs);
  };
  // What the conditions let in need not be in the key.
  const auto& match = route.match;
  add_number(match.headers.size());
  for (const auto& asked : match.headers) add_values(asked);
  add_number(match.query.size());
  for (const auto& asked : match.query) add_values(asked);
  add_number(match.body.pointers.size());
  for (std::size_t i = 0; i < match.body.pointers.size(); ++i) {
    add(match.body.pointers[i].text());
    add_number(match.body.values[i].size());
    for (const auto& value : match.body.values[i]) {
      add_number(value.kind);
      add(value.text);
    }
  }
  add(route.origin);
  add(route.rewrite.strip_prefix);
  add(route.rewrite.add_prefix);
  return s.digest();
}

}  // namespace forebay::config
