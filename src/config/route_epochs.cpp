#include "forebay/config/route_epochs.hpp"

#include <utility>

#include "forebay/base/hash.hpp"

namespace forebay::config {
namespace {

std::uint64_t form_of(const config::Route& route) {
  auto text = std::to_string(route.key.fingerprint) + (route.policy.cache ? " 1 " : " 0 ") +
              std::to_string(static_cast<int>(route.answers)) + '\n' + route.path.text();
  for (const auto& host : route.hosts) text.append("\n").append(host);
  return digest_of(text).lo;
}

}  // namespace

void RouteEpochs::enter(Config& next) {
  std::map<std::string, Route> routes;
  for (auto& route : next.routes) {
    const auto form = form_of(route);
    const auto known = routes_.find(route.name);
    const bool same = known != routes_.end() && known->second.form == form;
    const auto since = same ? known->second.since : count_;
    routes.emplace(route.name, Route{form, since});
    // An odd factor mixes all of it; those that are there from the start stay as they are.
    route.key.fingerprint += since * 0x9E3779B97F4A7C15u;
  }
  routes_ = std::move(routes);
  ++count_;
}

}  // namespace forebay::config
