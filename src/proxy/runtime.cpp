#include "forebay/proxy/runtime.hpp"

#include <utility>

namespace forebay::proxy {
std::shared_ptr<const Runtime> Runtime::make(const config::ConfigPtr& config, const Runtime* previous,
                                             std::size_t workers) {
  const config::Config& c = *config;
  auto runtime = std::make_shared<Runtime>(Runtime{config, config::RouteTable(c), {}, nullptr});

  if (previous != nullptr && previous->config->access == c.access)
    runtime->access = previous->access;
  else
    runtime->access = std::make_shared<AccessLog>(c.access, workers);

  for (const auto& [name, origin] : c.origins) {
    if (previous != nullptr) {
      const auto before = previous->origins.find(name);
      if (before != previous->origins.end() && before->second->config() == origin) {
        runtime->origins.emplace(name, before->second);
        continue;
      }
    }
    runtime->origins.emplace(name, std::make_shared<upstream::OriginState>(origin, c.metrics.buckets));
  }
  return runtime;
}

void Runtime::use_tls(const TlsClients& clients) const {
  for (const auto& [name, client] : clients)
    if (const auto found = origins.find(name); found != origins.end()) found->second->use_tls(client);
}

}  // namespace forebay::proxy
