#include "bonds.hpp"

#include <algorithm>
#include <vector>

namespace forebay::proxy {
namespace {

using Bonds = std::vector<std::shared_ptr<upstream::Bond>>;

// A long connection over many routes and reloads must not collect them.
constexpr std::size_t kMaxBonds = 4;

}  // namespace

std::shared_ptr<upstream::Bond> find_bond(server::Exchange& exchange, const upstream::Origin& origin) {
  const auto* companion = exchange.companion();
  if (!companion || !*companion) return nullptr;
  const auto& bonds = *static_cast<const Bonds*>(companion->get());
  const auto found = std::find_if(bonds.begin(), bonds.end(), [&](const auto& b) { return origin.made(*b); });
  return found == bonds.end() ? nullptr : *found;
}

std::shared_ptr<upstream::Bond> find_or_make_bond(server::Exchange& exchange, upstream::Origin& origin) {
  if (auto found = find_bond(exchange, origin)) return found;
  auto* companion = exchange.companion();
  if (!companion) return nullptr;
  if (!*companion) *companion = std::make_shared<Bonds>();
  auto& bonds = *static_cast<Bonds*>(companion->get());
  if (bonds.size() >= kMaxBonds) bonds.erase(bonds.begin());
  return bonds.emplace_back(origin.make_bond());
}

bool is_authenticated(server::Exchange& exchange, const upstream::Origin& origin) {
  const auto bond = find_bond(exchange, origin);
  return bond && bond->alive();
}

}  // namespace forebay::proxy
