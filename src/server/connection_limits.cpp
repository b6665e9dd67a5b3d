#include "server/connection_limits.hpp"

#include "forebay/base/terminate.hpp"

namespace forebay::server {

std::shared_ptr<ConnectionLimits> make_connection_limits() { return std::make_shared<ConnectionLimits>(); }

ConnectionLimits::Place ConnectionLimits::enter(const Peer& peer, const config::Server& settings) {
  Place place;
  if (open_.fetch_add(1, std::memory_order_relaxed) >= settings.max_connections) {
    open_.fetch_sub(1, std::memory_order_relaxed);
    return place;
  }
  if (settings.connections_per_address != 0 && peer.has_ip) {
    const MutexLock lock(mutex_);
    unsigned& count = by_address_[peer.ip];
    if (count >= settings.connections_per_address) {
      open_.fetch_sub(1, std::memory_order_relaxed);
      return place;
    }
    ++count;
    place.ip_ = peer.ip;
    place.by_address_ = true;
  }
  place.limits_ = shared_from_this();
  return place;
}

void ConnectionLimits::leave(const Place& place) {
  ensure(open_.fetch_sub(1, std::memory_order_relaxed) != 0, "a place is left once");
  if (!place.by_address_) return;
  const MutexLock lock(mutex_);
  const auto it = by_address_.find(place.ip_);
  if (it != by_address_.end() && --it->second == 0) by_address_.erase(it);
}

}  // namespace forebay::server
