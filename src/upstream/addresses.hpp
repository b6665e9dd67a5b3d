#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "forebay/base/clock.hpp"
#include "forebay/base/mutex.hpp"

namespace forebay::upstream {

struct Address {
  boost::asio::ip::tcp::endpoint endpoint;
  std::string text;  ///< "127.0.0.1:3000", "[::1]:3000"
};
using AddressList = std::shared_ptr<const std::vector<Address>>;

Address address_of(const boost::asio::ip::tcp::endpoint& endpoint);

/// The known addresses of an origin, for all workers. A numeric host and `localhost` (127.0.0.1, then ::1) are known
/// from the start and never resolved. A set is used until a newer one is there: once it is older than `refresh` it is
/// resolved again in the background; after a failure the old set stays. Thread-safe.
class Addresses {
 public:
  Addresses(std::string_view host, std::uint16_t port, Duration refresh);

  /// The right and duty to resolve again; one at a time.
  class Turn {
   public:
    explicit Turn(Addresses& addresses) noexcept : addresses_(&addresses) {}
    Turn(const Turn&) = delete;
    ~Turn();

   private:
    Addresses* addresses_;
  };
  struct Look {
    AddressList list;            ///< Null: nothing is known yet.
    std::shared_ptr<Turn> turn;  ///< The set is old, and this caller must resolve again.
  };
  Look look(Timestamp now);
  void learn(std::vector<Address> fresh, Timestamp now);
  /// Resolving failed: the old set stays for a while more.
  void keep(Timestamp now);

  const std::string& host() const noexcept { return host_; }
  std::uint16_t port() const noexcept { return port_; }

 private:
  const std::string host_;
  const std::uint16_t port_;
  const Duration refresh_;
  Mutex mutex_;
  AddressList list_ FOREBAY_GUARDED_BY(mutex_);
  Timestamp fresh_until_ FOREBAY_GUARDED_BY(mutex_){};
  bool resolving_ FOREBAY_GUARDED_BY(mutex_) = false;
};

}  // namespace forebay::upstream
