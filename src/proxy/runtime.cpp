#include "forebay/proxy/runtime.hpp"

#include <tuple>

namespace forebay::proxy {
namespace {

bool same(const config::Origin& a, const config::Origin& b) {
  const auto facts = [](const config::Origin& o) {
    return std::tie(o.name, o.url.scheme, o.url.host, o.url.port, o.url.authority, o.host_header, o.timeouts.connect,
                    o.timeouts.first_byte, o.timeouts.between_bytes, o.retries, o.pool.max_connections, o.pool.max_idle,
                    o.pool.idle_timeout, o.pool.queue_timeout, o.dns_refresh);
  };
  return facts(a) == facts(b);
}

bool same(const config::AccessLog& a, const config::AccessLog& b) {
  const auto facts = [](const config::AccessLog& l) {
    return std::tie(l.output, l.format, l.template_text, l.errors, l.slow, l.miss, l.bypass, l.slow_after, l.sample,
                    l.redact_headers, l.redact_query, l.buffer, l.flush, l.block_when_full);
  };
  return facts(a) == facts(b);
}

}  // namespace

std::shared_ptr<const Runtime> Runtime::make(config::ConfigPtr config, const Runtime* previous, std::size_t workers) {
  const config::Config& c = *config;
  auto runtime = std::make_shared<Runtime>(Runtime{config, config::RouteTable(c), {}, nullptr});

  if (previous != nullptr && same(previous->config->access, c.access))
    runtime->access = previous->access;
  else
    runtime->access = std::make_shared<AccessLog>(c.access, workers);

  for (const auto& [name, origin] : c.origins) {
    if (previous != nullptr) {
      const auto before = previous->origins.find(name);
      if (before != previous->origins.end() && same(before->second->config(), origin)) {
        runtime->origins.emplace(name, before->second);
        continue;
      }
    }
    runtime->origins.emplace(name, std::make_shared<upstream::OriginState>(origin, c.metrics.buckets));
  }
  return runtime;
}

}  // namespace forebay::proxy
