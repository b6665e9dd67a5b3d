#pragma once

#include <utility>

#include "forebay/proxy/runtime.hpp"

namespace forebay::proxy {

/// A place within `server.limits.tunnels`, from before the origin is asked until the tunnel has ended. The destructor
/// gives it back.
class TunnelPlace {
 public:
  TunnelPlace() = default;
  /// From any thread. Empty when `most` are taken.
  static TunnelPlace take(Shared& shared, unsigned most) noexcept {
    TunnelPlace place;
    if (shared.tunnels.fetch_add(1, std::memory_order_relaxed) < most)
      place.shared_ = &shared;
    else
      shared.tunnels.fetch_sub(1, std::memory_order_relaxed);
    return place;
  }
  TunnelPlace(TunnelPlace&& o) noexcept : shared_(std::exchange(o.shared_, nullptr)) {}
  TunnelPlace& operator=(TunnelPlace&& o) noexcept {
    std::swap(shared_, o.shared_);
    return *this;
  }
  ~TunnelPlace() {
    if (shared_) shared_->tunnels.fetch_sub(1, std::memory_order_relaxed);
  }
  explicit operator bool() const noexcept { return shared_ != nullptr; }

 private:
  Shared* shared_ = nullptr;
};

}  // namespace forebay::proxy
