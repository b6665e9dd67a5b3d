#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <utility>

#include "forebay/base/mutex.hpp"
#include "forebay/base/once_per.hpp"
#include "forebay/server/exchange.hpp"
#include "forebay/server/listener.hpp"
#include "server/stalled_readers.hpp"

namespace forebay::server {

/// Content of requests that waits for its handlers in HTTP/2 connections, of all workers: what exceeds the part that
/// each connection may hold by itself.
class WaitingContent {
 public:
  static constexpr std::size_t kMost = std::size_t{32} * 1024 * 1024;

  /// False where that would be too much.
  bool take(std::size_t bytes) noexcept {
    if (held_.fetch_add(bytes, std::memory_order_relaxed) + bytes <= kMost) return true;
    give_back(bytes);
    return false;
  }
  void give_back(std::size_t bytes) noexcept { held_.fetch_sub(bytes, std::memory_order_relaxed); }
  std::size_t held() const noexcept { return held_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::size_t> held_{0};
};

class ConnectionLimits : public std::enable_shared_from_this<ConnectionLimits> {
 public:
  using Ip = std::array<std::uint8_t, 16>;

  /// A connection's place; the destructor releases it. Empty: there was none.
  class Place {
   public:
    Place() = default;
    Place(Place&& o) noexcept
        : limits_(std::move(o.limits_)), ip_(o.ip_), by_address_(o.by_address_), address_full_(o.address_full_) {}
    Place& operator=(Place&& o) noexcept {
      std::swap(limits_, o.limits_);
      std::swap(ip_, o.ip_);
      std::swap(by_address_, o.by_address_);
      std::swap(address_full_, o.address_full_);
      return *this;
    }
    ~Place() {
      if (limits_) limits_->leave(*this);
    }
    explicit operator bool() const noexcept { return limits_ != nullptr; }
    /// Counts it for the peer's address too, unless the peer is trusted. Where that address has too many, the place is
    /// released, and this is false.
    bool admit(const Peer& peer, const config::Server& settings);
    /// Why it is empty: `connections_per_address`, else `max_connections`.
    bool address_full() const noexcept { return address_full_; }

   private:
    friend class ConnectionLimits;
    std::shared_ptr<ConnectionLimits> limits_;
    Ip ip_{};
    bool by_address_ = false, address_full_ = false;
  };

  /// From any thread. A place, unless that would be more than `server.max_connections`.
  Place enter(const config::Server& settings);
  /// The same, counted for the peer's address, unless the peer is in `server.trusted_proxies`. Addresses are counted
  /// only while there is a limit for them; of IPv6 the /64, since that is what one customer or host has.
  Place enter(const Peer& peer, const config::Server& settings);
  /// Which connection is reset when clients do not read.
  StallBoard stalls;
  OncePer told{std::chrono::seconds{10}};  ///< That connections are refused.
  WaitingContent content;
  bool silent_give_way = false;  ///< Silent connections are closed in favour of new ones.
  std::uint64_t open() const noexcept { return open_.load(std::memory_order_relaxed); }

 private:
  bool count(const Ip& ip, unsigned most);
  void leave(const Place& place);

  std::atomic<std::uint64_t> open_{0};
  Mutex mutex_;
  std::map<Ip, unsigned> by_address_ FOREBAY_GUARDED_BY(mutex_);
};

}  // namespace forebay::server
