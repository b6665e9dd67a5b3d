#include <algorithm>
#include <array>

#include "config/readers.hpp"
#include "config/suggest.hpp"
#include "forebay/base/hash.hpp"

namespace forebay::config {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return out;
}

void note(const Section& section, std::string_view key, const std::string& name, PolicyDraft& draft) {
  if (const auto* node = section.node() ? section.node()->find(key) : nullptr) {
    draft.set[name] = {node, section.path_of(key)};
  }
}

std::string element(const Section& section, std::string_view key, std::size_t i) {
  return section.path_of(key) + '[' + std::to_string(i) + ']';
}

void read_methods(const Section& block, PolicyDraft& draft) {
  const auto list = block.list("methods");
  if (!list) return;
  auto& policy = draft.policy;
  policy.methods.reset();
  policy.other_methods.clear();
  draft.set.erase("body method");
  if (list->empty())
    block.error(1004, *block.node()->find("methods"), block.path_of("methods"),
                "a route without methods matches nothing", "leave \"methods\" out");
  for (std::size_t i = 0; i < list->size(); ++i) {
    const auto& item = *(*list)[i];
    const auto path = element(block, "methods", i);
    auto upper = item.text;
    for (char& c : upper)
      if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
    const auto method = http::method_of(item.text);
    const bool known_in_capitals = method == http::Method::Other && http::method_of(upper) != http::Method::Other;
    const bool never = method == http::Method::Connect || method == http::Method::Trace;
    const bool good = is_token(item.text) && !known_in_capitals && !never;
    if (!is_token(item.text)) {
      block.error(1002, item, path, in_quotes(item.text) + " is not a method", "such as GET");
    } else if (known_in_capitals) {
      block.error(1002, item, path, in_quotes(item.text) + " is not a method: their case matters", "write " + upper);
    } else if (never) {
      block.error(1002, item, path, in_quotes(item.text) + " is never forwarded (405)", "leave it out");
    } else if (method == http::Method::Other) {
      policy.other_methods.push_back(item.text);
    } else {
      policy.methods.set(static_cast<std::size_t>(method));
      if (method == http::Method::Get) policy.methods.set(static_cast<std::size_t>(http::Method::Head));
    }
    // Reported when the route is known: one that is not cached needs no key.
    const bool bodyless =
        method == http::Method::Get || method == http::Method::Head || method == http::Method::Options;
    if (!bodyless && good && draft.set.count("body method") == 0) draft.set["body method"] = {&item, path};
  }
}

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

void read_ttl(const Section& block, PolicyDraft& draft) {
  const auto* node = block.find("ttl");
  if (!node) return;
  auto& ttl = draft.policy.ttl;
  if (!node->is_map()) {
    if (const auto value = Section(block.report(), block.node(), "policy.ttl", block.path())
                               .duration_of("default", *node, block.path_of("ttl"))) {
      ttl.fallback = *value;
      draft.set["ttl.default"] = {node, block.path_of("ttl")};
    }
    return;
  }
  const auto map = block.in("ttl");
  if (map.duration("default", ttl.fallback)) note(map, "default", "ttl.default", draft);
  if (map.duration("min", ttl.min)) note(map, "min", "ttl.min", draft);
  if (map.duration("max", ttl.max)) note(map, "max", "ttl.max", draft);
  map.ratio("jitter", ttl.jitter);
  map.ratio("heuristic", ttl.heuristic);
  read_status_ttl(map, draft.policy);
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
      block.fault(*(*list)[i], element(block, "statuses", i), status.fault);
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
      stale.fault(item, element(stale, "errors", i), status.fault);
    } else {
      const auto near = nearest(item.text, {"connect", "timeout"});
      stale.error(1002, item, element(stale, "errors", i),
                  in_quotes(item.text) + " is not connect, timeout or a status",
                  near ? "did you mean \"" + *near + "\"?" : "such as 503 or 5xx");
    }
  }
}

std::optional<std::vector<std::string>> read_header_names(const Section& section, std::string_view key) {
  const auto list = section.list(key);
  if (!list) return std::nullopt;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < list->size(); ++i) {
    const auto& item = *(*list)[i];
    if (!is_token(item.text)) {
      section.error(1002, item, element(section, key, i), in_quotes(item.text) + " is not the name of a header field",
                    {});
    } else {
      names.push_back(item.text);
    }
  }
  return names;
}

bool read_globs(const Section& section, std::string_view key, std::vector<std::string>& out) {
  const auto list = section.list(key);
  if (!list) return false;
  out.clear();
  for (std::size_t i = 0; i < list->size(); ++i) {
    const auto& item = *(*list)[i];
    if (is_glob(item.text))
      out.push_back(item.text);
    else
      section.error(1002, item, element(section, key, i), in_quotes(item.text) + " is not a name or glob",
                    "such as utm_*");
  }
  return true;
}

void read_query(const Section& key, cache::KeySpec& spec) {
  const auto* node = key.find("query");
  if (!node) return;
  const auto path = key.path_of("query");
  if (node->is_map()) {
    const Section map(key.report(), node, "policy.key.query", path);
    for (const auto& [name, value] : node->entries) {
      if (name->text == "except" || is_users_own(name->text)) continue;
      key.error(1001, *name, path + '.' + clipped(name->text), "unknown key " + in_quotes(name->text) + " in " + path,
                "write { except: [names] }");
    }
    if (node->find("except") == nullptr) {
      key.error(1002, *node, path, "a map here has the key \"except\"", "write { except: [names] }");
    } else if (read_globs(map, "except", spec.query_names)) {
      spec.query = cache::QueryMode::Except;
    }
    return;
  }
  if (node->is_scalar() && (node->text == "all" || node->text == "none")) {
    spec.query = node->text == "all" ? cache::QueryMode::All : cache::QueryMode::None;
    spec.query_names.clear();
    return;
  }
  if (read_globs(key, "query", spec.query_names)) spec.query = cache::QueryMode::Only;
}

void read_key(const Section& key, PolicyDraft& draft) {
  auto& spec = draft.key;
  if (key.boolean("host", spec.host)) note(key, "host", "key.host", draft);
  key.boolean("scheme", spec.scheme);
  read_query(key, spec);
  key.boolean("query_sort", spec.query_sort);
  const auto names = read_header_names(key, "headers");
  if (!names) return;
  note(key, "headers", "key.headers", draft);
  spec.headers.clear();
  for (const auto& name : *names) {
    const auto low = lower(name);
    if (std::find(spec.headers.begin(), spec.headers.end(), low) == spec.headers.end()) spec.headers.push_back(low);
  }
}

}  // namespace

void read_policy(const Section& block, PolicyDraft& draft) {
  if (!block.node()) return;
  auto& policy = draft.policy;
  block.boolean("cache", policy.cache);
  read_methods(block, draft);
  read_statuses(block, policy);
  read_ttl(block, draft);
  if (block.choice("origin_cache_control", policy.origin_cache_control))
    note(block, "origin_cache_control", "origin_cache_control", draft);
  enum class Honour { Ignore, Respect } client{policy.client_cache_control ? Honour::Respect : Honour::Ignore};
  if (block.choice("client_cache_control", client)) policy.client_cache_control = client == Honour::Respect;
  read_stale(block.in("stale"), policy.stale);
  const auto coalesce = block.in("coalesce");
  coalesce.boolean("enabled", policy.coalesce.enabled);
  coalesce.duration("wait", policy.coalesce.wait);
  coalesce.choice("on_timeout", policy.coalesce.on_timeout);
  coalesce.integer("max_waiters", policy.coalesce.max_waiters);
  block.duration("pass_memory", policy.pass_memory);
  block.size("max_object", policy.max_object);
  if (block.choice("authorization", policy.authorization)) note(block, "authorization", "authorization", draft);
  draft.key.authorization = policy.authorization == rules::AuthorizationRule::Key;
  if (block.choice("set_cookie", policy.set_cookie)) note(block, "set_cookie", "set_cookie", draft);
  enum class Vary { Respect, Ignore } vary{};
  if (block.choice("vary", vary)) policy.vary = vary == Vary::Respect;
  block.integer("max_variants", policy.max_variants);
  block.boolean("invalidate_on_write", policy.invalidate_on_write);
  read_key(block.in("key"), draft);
  block.choice("request_cookies", policy.request_cookies);
  enum class Close { Pass, Store } close{};
  if (block.choice("close_delimited", close)) policy.store_close_delimited = close == Close::Store;
  const auto targeted = block.in("targeted");
  if (const auto names = read_header_names(targeted, "fields")) policy.targeted_fields = *names;
  targeted.boolean("strip", policy.targeted_strip);
}

bool is_glob(std::string_view text) noexcept {
  return !text.empty() && text.size() <= 256 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

std::uint64_t fingerprint_of(const cache::KeySpec& key, const rules::Policy& policy, std::string_view origin) {
  std::string text;
  const auto add = [&](std::string_view part) {
    text += std::to_string(part.size());
    text += ':';
    text += part;
  };
  const auto add_number = [&](auto value) { add(std::to_string(static_cast<int>(value))); };
  add_number(key.host);
  add_number(key.scheme);
  add_number(key.query);
  add_number(key.query_sort);
  add_number(key.query_names.size());
  for (const auto& name : key.query_names) add(name);
  add_number(key.headers.size());
  for (const auto& name : key.headers) add(name);
  add_number(policy.authorization);
  add_number(policy.vary);
  add_number(policy.set_cookie);
  add_number(policy.request_cookies);
  add(origin);
  const auto digest = digest_of(text);
  return digest.hi ^ digest.lo;
}

}  // namespace forebay::config
