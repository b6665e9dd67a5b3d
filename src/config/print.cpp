// `check --print`: the effective configuration as YAML, each key with its help from the table of options.
#include <algorithm>
#include <set>
#include <string>

#include "config/address.hpp"
#include "config/scalar.hpp"
#include "config/schema.hpp"
#include "config/secret.hpp"
#include "forebay/config/load.hpp"

namespace forebay::config {
namespace {

/// A scalar that reads back as this text: quoted where YAML or Forebay would see more in it.
std::string yaml_text(std::string_view text) {
  constexpr std::string_view kPlain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./%+";
  constexpr std::string_view kOther[] = {"true", "false", "null", "yes",   "no",   "on",   "off",
                                         "y",    "n",     "True", "False", "Null", "NULL", "~"};
  const bool plain = !text.empty() && text.find_first_not_of(kPlain) == std::string_view::npos && text.front() != '-' &&
                     text.front() != '%' && !(text.front() >= '0' && text.front() <= '9') &&
                     std::find(std::begin(kOther), std::end(kOther), text) == std::end(kOther);
  if (plain) return std::string(text);
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      out += std::string{'\\', c};
    else if (c == '$')
      out += "$$";
    else if (byte < 0x20 || byte == 0x7f)
      out += std::string{'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
    else
      out += c;
  }
  return out + '"';
}

/// A name on the left of a colon, where `$` has no meaning.
std::string yaml_name(std::string_view text) {
  auto out = yaml_text(text);
  for (auto at = out.find("$$"); at != std::string::npos; at = out.find("$$", at + 1)) out.erase(at, 1);
  return out;
}

template <class List, class F>
std::string yaml_list(const List& list, F&& each) {
  std::string out = "[";
  for (const auto& item : list) {
    if (out.size() > 1) out += ", ";
    out += each(item);
  }
  return out + ']';
}
std::string yaml_texts(const std::vector<std::string>& list) {
  return yaml_list(list, [](const std::string& s) { return yaml_text(s); });
}
std::string yaml_bool(bool b) { return b ? "true" : "false"; }

template <class E>
std::string word(std::string_view option, E value) {
  const auto words = words_of(schema_at(option)->option->type);
  const auto text = words[std::min(static_cast<std::size_t>(value), words.size() - 1)];
  return std::string(text);  // Enums accept `on` and `off` as they are.
}

/// Writes keys in block style; the help of an option stands above its first use.
class Printer {
 public:
  void open(const std::string& name) {
    indent();
    out_ += name + ":\n";
    ++depth_;
  }
  /// An element of the list that is open; its first key stands behind the dash.
  void open_element() {
    ++depth_;
    dash_ = true;
  }
  void close() { --depth_; }
  void key(std::string_view schema, const std::string& value) {
    help_of(schema);
    raw(std::string(schema_at(schema)->name) + ": " + value);
  }
  void raw(const std::string& line) {
    indent();
    out_ += line + '\n';
  }
  void blank() { out_ += '\n'; }
  void help_of(std::string_view schema) {
    if (!helped_.insert(std::string(schema)).second) return;
    const auto& option = *schema_at(schema)->option;
    out_ += std::string(depth_ * 2, ' ') + "# " + std::string(option.help) +
            (option.restart ? " Needs a restart.\n" : "\n");
  }
  std::string take() { return std::move(out_); }

 private:
  void indent() {
    auto blanks = std::string(depth_ * 2, ' ');
    if (dash_) blanks.replace(blanks.size() - 2, 2, "- ");
    dash_ = false;
    out_ += blanks;
  }

  std::string out_;
  std::size_t depth_ = 0;
  bool dash_ = false;
  std::set<std::string, std::less<>> helped_;
};

void print_listeners(Printer& p, const Config& config) {
  p.help_of("listen");
  p.open("listen");
  for (const auto& listener : config.listeners) {
    p.open_element();
    p.key("listen[].address", yaml_text(listener.address.text));
    if (listener.name != listener.address.text) p.key("listen[].name", yaml_text(listener.name));
    p.close();
  }
  p.close();
  p.blank();
}

void print_server(Printer& p, const Server& server) {
  p.open("server");
  p.key("server.threads", std::to_string(server.threads));
  p.key("server.max_connections", std::to_string(server.max_connections));
  p.open("timeouts");
  p.key("server.timeouts.header", format_duration(server.timeouts.header));
  p.key("server.timeouts.body", format_duration(server.timeouts.body));
  p.key("server.timeouts.idle", format_duration(server.timeouts.idle));
  p.key("server.timeouts.write", format_duration(server.timeouts.write));
  p.close();
  p.open("limits");
  p.key("server.limits.request_target", format_size(server.request_limits.target));
  p.key("server.limits.request_header", format_size(server.request_limits.head));
  p.key("server.limits.header_count", std::to_string(server.request_limits.fields));
  p.key("server.limits.request_body", format_size(server.request_body));
  p.key("server.limits.response_header", format_size(server.response_header));
  p.key("server.limits.connections_per_address", std::to_string(server.connections_per_address));
  p.close();
  p.key("server.trusted_proxies",
        yaml_list(server.trusted_proxies, [](const auto& net) { return yaml_text(format_cidr(net)); }));
  p.key("server.forwarded", word("server.forwarded", server.forwarded));
  p.close();
  p.blank();
}

void print_origins(Printer& p, const Config& config) {
  if (!config.default_origin.empty()) {
    p.key("origin", yaml_text(config.default_origin));
    p.blank();
  }
  bool open = false;
  for (const auto& [name, origin] : config.origins) {
    if (name == origin.url.text) continue;  // Written as a url where it is used.
    if (!open) {
      p.help_of("origins");
      p.open("origins");
      open = true;
    }
    p.open(yaml_text(name));
    p.key("origins.*.url", yaml_text(origin.url.text));
    p.key("origins.*.host_header", yaml_text(origin.host_header));
    p.open("timeouts");
    p.key("origins.*.timeouts.connect", format_duration(origin.timeouts.connect));
    p.key("origins.*.timeouts.first_byte", format_duration(origin.timeouts.first_byte));
    p.key("origins.*.timeouts.between_bytes", format_duration(origin.timeouts.between_bytes));
    p.close();
    p.key("origins.*.retries", std::to_string(origin.retries));
    p.open("pool");
    p.key("origins.*.pool.max_connections", std::to_string(origin.pool.max_connections));
    p.key("origins.*.pool.max_idle", std::to_string(origin.pool.max_idle));
    p.key("origins.*.pool.idle_timeout", format_duration(origin.pool.idle_timeout));
    p.key("origins.*.pool.queue_timeout", format_duration(origin.pool.queue_timeout));
    p.close();
    p.key("origins.*.dns_refresh", format_duration(origin.dns_refresh));
    p.close();
  }
  if (!open) return;
  p.close();
  p.blank();
}

void print_cache(Printer& p, const CacheTier& cache) {
  p.open("cache");
  p.key("cache.memory", format_size(cache.memory));
  p.key("cache.max_object", format_size(cache.max_object));
  p.key("cache.shards", std::to_string(cache.shards));
  p.key("cache.eviction", "lru");
  p.key("cache.admission", "all");
  p.key("cache.keep", format_duration(cache.keep));
  p.close();
  p.blank();
}

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
  p.key("policy.key.query_sort", yaml_bool(key.query_sort));
  p.key("policy.key.headers", yaml_texts(key.headers));
  p.key("policy.key.cookies", yaml_texts(key.cookies));
  if (key.body != cache::BodyMode::Unset) p.key("policy.key.body", body_of(key));
  p.key("policy.key.form", yaml_texts(key.form));
  p.key("policy.key.body_max", format_size(key.body_max));
  p.key("policy.key.graphql", yaml_bool(key.graphql));
  p.key("policy.key.numbers", word("policy.key.numbers", key.numbers));
  p.key("policy.key.decode", yaml_bool(key.decode));
  p.close();
}

/// A secret is not shown: only where it was read.
void print_secret(Printer& p, const std::string& schema, const std::string& value, const std::string& file) {
  if (!file.empty())
    p.key(schema + "_file", yaml_text(file));
  else if (!value.empty())
    p.key(schema, yaml_text(kRedacted));
}

void print_requests(Printer& p, const Route& route) {
  const auto& policy = route.policy;
  p.open("bypass");
  p.key("policy.bypass.headers", yaml_texts(policy.bypass.headers));
  p.key("policy.bypass.cookies", yaml_texts(policy.bypass.cookies));
  p.key("policy.bypass.query", yaml_texts(policy.bypass.query));
  p.close();
  p.key("policy.refresh_ahead", policy.refresh_ahead.automatic ? "auto" : format_ratio(policy.refresh_ahead.share));
  p.open("client_refresh");
  print_secret(p, "policy.client_refresh.token", policy.client_refresh.token, route.refresh_token_file);
  p.key("policy.client_refresh.otherwise", word("policy.client_refresh.otherwise", policy.client_refresh.otherwise));
  p.close();
}

void print_changes(Printer& p, const std::string& schema, const HeaderChanges& changes) {
  if (changes.empty()) return;
  p.open(schema.substr(schema.find('.') + 1));
  std::string set;
  for (const auto& [name, value] : changes.set)
    set += (set.empty() ? "{ " : ", ") + yaml_name(name) + ": " + yaml_text(value);
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
}

void print_guards(Printer& p, const rules::Policy& policy, const cache::KeySpec& key) {
  p.key("policy.authorization", word("policy.authorization", policy.authorization));
  p.key("policy.set_cookie", word("policy.set_cookie", policy.set_cookie));
  p.key("policy.vary", policy.vary ? "respect" : "ignore");
  p.key("policy.max_variants", std::to_string(policy.max_variants));
  p.key("policy.invalidate_on_write", yaml_bool(policy.invalidate_on_write));
  print_key(p, key);
  p.key("policy.request_cookies", word("policy.request_cookies", policy.request_cookies));
  p.key("policy.close_delimited", policy.store_close_delimited ? "store" : "pass");
  p.open("targeted");
  p.key("policy.targeted.fields", yaml_texts(policy.targeted_fields));
  p.key("policy.targeted.strip", yaml_bool(policy.targeted_strip));
  p.close();
  p.key("policy.no_vary_search", policy.no_vary_search ? "respect" : "ignore");
  p.key("policy.suffix_guard", yaml_bool(policy.suffix_guard));
}

void print_routes(Printer& p, const std::vector<Route>& routes) {
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
    p.key("route.origin", yaml_text(route.origin));
    print_rewrite(p, route.rewrite);
    print_changes(p, "route.request_headers", route.request_headers);
    print_changes(p, "route.response_headers", route.response_headers);
    print_lifetimes(p, route.policy);
    print_guards(p, route.policy, route.key);
    print_requests(p, route);
    p.close();
  }
  p.close();
  p.blank();
}

void print_log(Printer& p, const Config& config) {
  const auto& access = config.access;
  p.open("log");
  p.key("log.level", word("log.level", config.log.level));
  p.key("log.format", word("log.format", config.log.format));
  p.key("log.output", yaml_text(config.log.output));
  p.open("access");
  p.key("log.access.output", yaml_text(access.output));
  p.key("log.access.format", access.format == AccessFormat::Template ? yaml_text(access.template_text)
                                                                     : word("log.access.format", access.format));
  std::vector<std::string> when;
  if (access.errors) when.emplace_back("errors");
  if (access.slow) when.emplace_back("slow");
  if (access.miss) when.emplace_back("miss");
  if (access.bypass) when.emplace_back("bypass");
  p.key("log.access.when", yaml_texts(when));
  p.key("log.access.slow", format_duration(access.slow_after));
  p.key("log.access.sample", format_ratio(access.sample));
  p.open("redact");
  p.key("log.access.redact.headers", yaml_texts(access.redact_headers));
  p.key("log.access.redact.query", yaml_texts(access.redact_query));
  p.close();
  p.key("log.access.buffer", format_size(access.buffer));
  p.key("log.access.flush", format_duration(access.flush));
  p.key("log.access.on_full", access.block_when_full ? "block" : "drop");
  p.close();
  p.close();
  p.blank();
}

void print_rest(Printer& p, const Config& config) {
  p.open("admin");
  p.key("admin.listen", config.admin ? yaml_text(config.admin->text) : "off");
  print_secret(p, "admin.token", config.operators.token, config.operators.token_file);
  p.key("admin.allow_loopback", yaml_bool(config.operators.allow_loopback));
  p.key("admin.allowed_hosts", yaml_texts(config.operators.allowed_hosts));
  p.close();
  p.blank();
  print_log(p, config);
  p.open("metrics");
  p.key("metrics.enabled", yaml_bool(config.metrics.enabled));
  p.key("metrics.per_route", yaml_bool(config.metrics.per_route));
  p.key("metrics.max_routes", std::to_string(config.metrics.max_routes));
  p.key("metrics.buckets", yaml_list(config.metrics.buckets, format_duration));
  p.close();
  p.blank();
  p.open("tracing");
  p.key("tracing.propagate", yaml_bool(config.propagate_trace));
  p.key("tracing.request_id", config.request_id.empty() ? "off" : yaml_text(config.request_id));
  p.close();
  p.blank();
  p.open("diagnostics");
  p.key("diagnostics.cache_status", word("diagnostics.cache_status", config.diagnostics.cache_status));
  p.key("diagnostics.name", yaml_text(config.diagnostics.name));
  p.key("diagnostics.x_cache", yaml_bool(config.diagnostics.x_cache));
  p.close();
  p.blank();
  p.open("shutdown");
  p.key("shutdown.delay", format_duration(config.shutdown.delay));
  p.key("shutdown.drain", format_duration(config.shutdown.drain));
  p.close();
}

}  // namespace

std::string print(const Config& config) {
  Printer p;
  p.key("version", "1");
  p.blank();
  print_listeners(p, config);
  print_origins(p, config);
  print_server(p, config.server);
  print_cache(p, config.cache);
  print_routes(p, config.routes);
  print_rest(p, config);
  return p.take();
}

}  // namespace forebay::config
