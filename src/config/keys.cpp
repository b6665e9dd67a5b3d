#include "config/keys.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "config/address.hpp"
#include "config/scalar.hpp"
#include "config/suggest.hpp"

namespace forebay::config {
namespace {

std::string join(const std::string& path, const std::string& key) {
  return path.empty() ? clipped(name_of_key(key)) : path + '.' + clipped(name_of_key(key));
}

class KeyWalk {
 public:
  explicit KeyWalk(KeyVisitor& visitor) : visitor_(visitor) {}

  void map(const Node& node, const Where& where) {
    if (node.bad || node.is_null()) return;
    if (!node.is_map()) return visitor_.misshapen(node, where.path, in_words(where) + " takes keys and values", {});
    for (const auto& entry : node.repeated) visitor_.repeated(entry, known_in(where, entry.key->text));
    for (const auto& entry : node.entries) {
      const auto& name = entry.key->text;
      if (is_users_own(name)) {
        visitor_.users_own(entry);
        continue;
      }
      const Schema* known = known_in(where, name);
      if (!known)
        visitor_.unknown(entry, where);
      else if (!known->here())
        visitor_.later(entry, where);
      else
        value_of(entry, *known, join(where.path, name));
    }
  }

 private:
  static const Schema* known_in(const Where& where, const std::string& name) {
    const Schema* known = where.schema->child(name);
    if (!known && where.also) known = where.also->child(name);
    return known && !known->is_element() ? known : nullptr;
  }
  static std::string in_words(const Where& where) { return where.path.empty() ? "the file" : '"' + where.path + '"'; }

  void value_of(const Entry& entry, const Schema& known, const std::string& path) {
    const Node& value = *entry.value;
    const auto type = known.type();
    const auto* policy = schema_at("policy");
    if (type == "policy") return map(value, {policy, nullptr, path, {}});
    if (type == "map of policy") return named(value, path, policy);
    if (type == "list of route") return routes(value, path);
    if (const auto* any = known.child("*")) return named(value, path, any);
    if (const auto* element = known.child("[]")) return elements(value, path, *element);
    if (known.children.empty() || (!type.empty() && !value.is_map()))  // `ttl: 30s`; its reader looks at it.
      return visitor_.leaf(entry, known);
    if (value.is_scalar() || value.is_list()) {
      if (!value.bad)
        visitor_.misshapen(value, path, '"' + path + "\" takes keys and values, such as " + in_quotes(first_key(known)),
                           {});
      return;
    }
    map(value, {&known, nullptr, path, {}});
  }

  static std::string first_key(const Schema& known) {
    for (const auto& child : known.children)
      if (child->here()) return std::string(child->name);
    return {};
  }

  /// `origins` and `policies`: the user's names.
  void named(const Node& value, const std::string& path, const Schema* inside) {
    if (value.bad || value.is_null()) return;
    if (!value.is_map()) return visitor_.misshapen(value, path, '"' + path + "\" is a map of names", {});
    for (const auto& entry : value.repeated) visitor_.repeated(entry, nullptr);
    for (const auto& entry : value.entries) {
      if (is_users_own(entry.key->text))
        visitor_.users_own(entry);
      else if (inside->name == "*" && entry.value->is_list())  // An origin may be a mere url, or a list of them.
        elements(*entry.value, path + '.' + clipped(entry.key->text), *schema_at("origins.*.urls.[]"));
      else if (inside->name != "*" || !entry.value->is_scalar())
        map(*entry.value, {inside, nullptr, path + '.' + clipped(entry.key->text), {}});
    }
  }

  void elements(const Node& value, const std::string& path, const Schema& element) {
    if (value.is_map()) return map(value, {&element, nullptr, path, {}});
    for (std::size_t i = 0; i < value.items.size(); ++i) {
      const auto& item = *value.items[i];
      const auto inside = path + '[' + std::to_string(i) + ']';
      if (item.is_map()) map(item, {&element, nullptr, inside, {}});
      if (item.is_list())
        elements(item, inside, element);  // Its reader refuses it; what is in it is hidden all the same.
    }
  }

  void routes(const Node& value, const std::string& path) {
    if (value.bad || value.is_null()) return;
    if (!value.is_list())
      return visitor_.misshapen(value, path, "\"routes\" is a list", "begin each route with \"- path: ...\"");
    for (std::size_t i = 0; i < value.items.size(); ++i) {
      const auto* name = value.items[i]->find("name");
      const auto label = name && name->is_scalar() && !name->bad ? " (" + clipped(name->text) + ')' : std::string();
      map(*value.items[i], {schema_at("route"), schema_at("policy"), path + '[' + std::to_string(i) + ']', label});
    }
  }

  KeyVisitor& visitor_;
};

/// What others call `set`.
bool is_one_of_verbs(std::string_view name) {
  const auto low = lower_case(name);
  return low == "add" || low == "append" || low == "insert" || low == "replace" || low == "override";
}

/// What is meant by an unknown key that is no slip of the pen; empty where its name has to say it. Tells nothing of the
/// value, but of a plain url.
std::string hint_for(const Entry& entry, const Where& where) {
  const auto& name = entry.key->text;
  const std::string_view place = where.schema->name;
  if (where.also && name == "headers")
    return "fields towards the origin are request_headers: { set: { ... } }; match.headers asks for values, "
           "key.headers "
           "names those of the key";
  const bool near = nearest(name, {"set", "remove"}).has_value();
  if ((place == "request_headers" || place == "response_headers") && !near) {
    if (place == "request_headers" && lower_case(name) == "host")
      return "see host_header of the origin: preserve, origin, or a text";
    if (!entry.value->is_scalar() && is_one_of_verbs(name)) return "write set, which replaces a field that is there";
    return "fields stand below \"set\": write set: { " + clipped(name_of_key(name)) + ": ... }";
  }
  if ((place == "redirect" || place == "respond") && (name == "code" || name == "status_code"))
    return "this is \"status\" here";
  if (place == "tls" && name == "client_cert")
    return "\"client_ca\" names the file of those who sign clients' certificates, \"client_cert_header\" passes them "
           "on";
  if (place == "ttl" && parse_status(name).value) return "write status: { \"" + name + "\": ... }";
  if (stands_for_origin(entry) && !where.path.starts_with("origins")) {
    const auto url = plain_url(*entry.value);
    return "this is \"origin\" here" + (url ? ": write origin: " + *url : ", such as origin: http://host:port");
  }
  return {};
}

/// The key at the end of a path.
std::string_view last_of(std::string_view path) { return path.substr(path.rfind('.') + 1); }

bool is_switch(std::string_view text) {
  return text == "true" || text == "false" || text == "on" || text == "off" || text == "yes" || text == "no";
}

/// The same of a text where a map is needed.
std::string hint_for_shape(const Node& value, const std::string& path) {
  if (!value.is_scalar()) return {};
  const auto& text = value.text;
  const auto key = last_of(path);
  const bool duration = parse_duration(text).value.has_value();
  if (path == "cache") {
    if (text == "true" || text == "false")
      return "whether a route is cached is its own \"cache\", or that of \"defaults\"";
    if (duration) return "a lifetime is \"ttl\": write defaults: { ttl: ... }";
    return parse_size(text).value ? "write cache: { memory: ... }" : "";
  }
  if (path == "admin" && parse_address(text).value) return "write admin: { listen: " + in_quotes(text) + " }";
  if (path == "admin" && is_switch(text) && text != "true" && text != "on" && text != "yes")
    return "write admin: { listen: off }";
  if (key == "stale" && duration) return "write stale: { while_revalidate: " + text + " }";
  if (key == "coalesce" && is_switch(text))
    return std::string("write coalesce: { enabled: ") +
           (text == "true" || text == "on" || text == "yes" ? "true" : "false") + " }";
  if (key == "coalesce" && duration) return "write coalesce: { wait: " + text + " }";
  if (key == "health" && is_plain_path(text)) return "write health: { path: " + text + " }";
  if (key == "health" && is_switch(text)) return "such as health: { path: /healthz }; without it nothing is checked";
  if (key == "passive" && is_switch(text)) return "0 is off: write passive: { failures: 0, error_ratio: 0% }";
  if (key == "ramp") return "such as ramp: { add: 10, every: 10s }; without it there is none";
  if (key == "rewrite" && is_plain_path(text)) return "write rewrite: { strip_prefix: " + text + " }";
  return {};
}

class KeyCheck final : public KeyVisitor {
 public:
  explicit KeyCheck(Report& report) : report_(report) {}

  void unknown(const Entry& entry, const Where& where) override {
    if (report_.closed()) return;
    const auto& name = entry.key->text;
    if (is_of_later_version(name)) return later(entry, where);
    auto hint = hint_for(entry, where);
    if (hint.empty()) hint = suggest_key(name, *where.schema, where.also);
    report_.error(1001, *entry.key, join(where.path, name),
                  "unknown key " + key_in_quotes(name) + " " + in_place(where), std::move(hint));
  }
  void later(const Entry& entry, const Where& where) override {
    report_.error(1016, *entry.key, join(where.path, entry.key->text),
                  in_quotes(entry.key->text) + " " + in_place(where) + " is not in this version", "leave it out");
  }
  void misshapen(const Node& value, const std::string& path, std::string message, std::string hint) override {
    if (hint.empty()) hint = hint_for_shape(value, path);
    report_.error(1002, value, path, std::move(message), std::move(hint));
  }
  void leaf(const Entry&, const Schema&) override {}
  void users_own(const Entry&) override {}
  void repeated(const Entry&, const Schema*) override {}  // Reported when it was read.

 private:
  static std::string in_place(const Where& where) {
    return where.path.empty() ? "at the top level" : "in " + where.path + where.label;
  }

  Report& report_;
};

}  // namespace

bool stands_for_origin(const Entry& entry) {
  static constexpr std::array<std::string_view, 8> kNames{"upstream",   "backend",      "proxy_pass",  "target",
                                                          "origin_url", "upstream_url", "backend_url", "proxy_to"};
  return entry.value->is_scalar() && std::find(kNames.begin(), kNames.end(), entry.key->text) != kNames.end();
}

std::optional<std::string> plain_url(const Node& value) {
  if (!value.is_scalar() || value.replaced) return std::nullopt;
  const auto& text = value.text;
  if (looks_like_url(text)) {
    const auto whole = parse_origin_url(text);
    return whole.value ? std::optional(text) : std::nullopt;
  }
  // Without a port it may be any word.
  const auto url = text.find(':') == std::string::npos ? std::string() : "http://" + text;
  return parse_origin_url(url).value ? std::optional(url) : std::nullopt;
}

bool is_plain_path(std::string_view text) {
  return text.starts_with('/') && text.find_first_of(" ?#{}*") == std::string_view::npos;
}

bool is_harmless(const Node& value, std::string_view path) {
  if (!value.is_scalar() || value.replaced) return false;
  const auto key = last_of(path);
  const auto& text = value.text;
  if (path == "admin") return parse_address(text).value.has_value();
  if (key == "rewrite") return is_plain_path(text);
  if (key == "health") return is_plain_path(text) || is_switch(text);
  if (key == "passive") return is_switch(text);
  return (key == "stale" || key == "coalesce") && (is_switch(text) || parse_duration(text).value.has_value());
}

void walk_keys(const Node& root, KeyVisitor& visitor) { KeyWalk(visitor).map(root, {&schema(), nullptr, {}, {}}); }

void check_keys(const Node& root, Report& report) {
  KeyCheck check(report);
  walk_keys(root, check);
}

}  // namespace forebay::config
