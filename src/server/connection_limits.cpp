#include "server/connection_limits.hpp"

#include <algorithm>

#include "forebay/base/terminate.hpp"
#include "forebay/server/giving_way.hpp"

namespace forebay::server {

std::shared_ptr<ConnectionLimits> make_connection_limits() { return std::make_shared<ConnectionLimits>(); }

std::shared_ptr<ConnectionLimits> limits_with_giving_way() {
  auto limits = make_connection_limits();
  limits->silent_give_way = true;
  return limits;
}

ConnectionLimits::Place ConnectionLimits::enter(const config::Server& settings) {
  Place place;
  if (open_.fetch_add(1, std::memory_order_relaxed) >= settings.max_connections) {
    open_.fetch_sub(1, std::memory_order_relaxed);
    return place;
  }
  place.limits_ = shared_from_this();
  return place;
}

ConnectionLimits::Place ConnectionLimits::enter(const Peer& peer, const config::Server& settings) {
  Place place = enter(settings);
  if (place) place.admit(peer, settings);
  return place;
}

bool ConnectionLimits::Place::admit(const Peer& peer, const config::Server& settings) {
  // A trusted proxy has the connections of many clients.
  if (settings.connections_per_address == 0 || !peer.has_ip || trusts(settings, peer)) return true;
  Ip ip = peer.ip;
  if (!http::is_ipv4(ip)) std::fill(ip.begin() + 8, ip.end(), std::uint8_t{0});
  if (!limits_->count(ip, settings.connections_per_address)) {
    *this = Place();
    address_full_ = true;
    return false;
  }
  ip_ = ip;
  by_address_ = true;
  return true;
}

bool ConnectionLimits::count(const Ip& ip, unsigned most) {
  const MutexLock lock(mutex_);
  unsigned& count = by_address_[ip];
  if (count >= most) return false;
  ++count;
  return true;
}

void ConnectionLimits::leave(const Place& place) {
  ensure(open_.fetch_sub(1, std::memory_order_relaxed) != 0, "a place is left once");
  if (!place.by_address_) return;
  const MutexLock lock(mutex_);
  const auto it = by_address_.find(place.ip_);
  if (it != by_address_.end() && --it->second == 0) by_address_.erase(it);
}

}  // namespace forebay::server
