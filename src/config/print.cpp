// `check --print`: the effective configuration as YAML, each key with its help from the table of options.
#include <string>

#include "config/address.hpp"
#include "config/printer.hpp"
#include "config/scalar.hpp"
#include "forebay/config/load.hpp"

namespace forebay::config {
namespace {

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
  p.key("server.limits.min_rate", format_size(server.min_rate));
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
  print_routes(p, config.routes, config.access);
  print_rest(p, config);
  return p.take();
}

}  // namespace forebay::config
