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
    const upstream::OriginState* before = nullptr;
    if (previous != nullptr) {
      const auto known = previous->origins.find(name);
      if (known != previous->origins.end() && known->second->config() == origin) {
        runtime->origins.emplace(name, known->second);
        continue;
      }
      if (known != previous->origins.end()) before = known->second.get();
    }
    runtime->origins.emplace(name, std::make_shared<upstream::OriginState>(origin, c.metrics.buckets, before));
  }
  return runtime;
}

void Runtime::use_tls(const TlsClients& clients) const {
  for (const auto& [name, of_urls] : clients)
    if (const auto found = origins.find(name); found != origins.end()) found->second->use_tls(of_urls);
}

}  // namespace forebay::proxy
