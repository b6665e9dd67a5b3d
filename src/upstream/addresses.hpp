#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "forebay/base/clock.hpp"
#include "forebay/base/mutex.hpp"
#include "forebay/base/waker.hpp"

namespace forebay::upstream {

struct Address {
  boost::asio::ip::tcp::endpoint endpoint;
  std::string text;  ///< "127.0.0.1:3000", "[::1]:3000"
  // Of the SRV record that led to it (RFC 2782): which target of the set, the lowest priority first.
  unsigned target = 0;
  std::uint16_t priority = 0, weight = 0;
};
using AddressList = std::shared_ptr<const std::vector<Address>>;

Address address_of(const boost::asio::ip::tcp::endpoint& endpoint);
bool contains(const std::vector<Address>& list, std::string_view text) noexcept;
/// The families by turns, IPv6 first (RFC 8305 section 4); each in the order of the resolver.
std::vector<Address> interleaved(const std::vector<boost::asio::ip::address>& v6,
                                 const std::vector<boost::asio::ip::address>& v4, std::uint16_t port);

/// The order in which they are tried this time: the targets by priority, those of the same priority by chance and
/// weight (RFC 2782). The addresses of one target stay together, in their order. `random` is asked for a number from 0
/// to its argument.
std::vector<Address> in_turn(const std::vector<Address>& list, const std::function<unsigned(unsigned)>& random);

/// The known addresses of an origin, for all workers. A numeric host and `localhost` (127.0.0.1, then ::1) are known
/// from the start and never resolved. Another name is resolved by one worker at a time, anew when the TTL of its set
/// has passed, and after a failure with growing pauses. The last good set stays until there is another. Thread-safe.
class Addresses {
 public:
  /// A set is used for this long after its TTL without a wait for the next one.
  static constexpr Duration kGrace = std::chrono::seconds{1};
  static constexpr Duration kShortestTtl = std::chrono::seconds{1};
  static constexpr Duration kFirstPause = std::chrono::seconds{1};
  static constexpr Duration kLongestPause = std::chrono::seconds{30};
  /// While there is no set, so that a name that has just been made is found soon.
  static constexpr Duration kLongestPauseWithout = std::chrono::seconds{5};

  /// `longest` bounds every TTL from above.
  Addresses(std::string_view host, std::uint16_t port, Duration longest);

  /// The right and duty to resolve again; one at a time. Its end notifies `changed`.
  class Turn {
   public:
    explicit Turn(Addresses& addresses) noexcept : addresses_(&addresses) {}
    Turn(const Turn&) = delete;
    ~Turn() { addresses_->give_back_turn(); }

   private:
    Addresses* addresses_;
  };
  enum class Use : std::uint8_t {
    Now,     ///< The list is good.
    Stale,   ///< Its TTL has passed and resolving fails: the list is the last good one.
    Wait,    ///< Somebody resolves, and `changed` tells when it is over. The list, if there is one, is out of date.
    Failed,  ///< There is none, and `why`; it is not tried again yet.
  };
  struct Look {
    Use use = Use::Now;
    AddressList list{};
    std::shared_ptr<Turn> turn{};  ///< This caller must resolve.
    std::string why{};
  };
  Look look(Timestamp now);
  /// The set, and when it should be resolved again; max(): never, or somebody does.
  struct Peek {
    AddressList list;
    Timestamp due;
  };
  Peek peek() const;

  /// A set with its TTL. True: it ends a series of failures.
  bool learn(std::vector<Address> fresh, Duration ttl, Timestamp now);
  /// A part of the first set, before the rest has come. No effect when there is a set.
  void learn_part(std::vector<Address> part, Timestamp now);
  /// A part of the set is known, and the rest is on its way.
  bool awaits_rest() const;
  /// Resolving failed. True: for the first time since it last succeeded.
  bool keep(std::string why, Timestamp now);

  const std::string& host() const noexcept { return host_; }
  std::uint16_t port() const noexcept { return port_; }
  /// The addresses never change.
  bool fixed() const noexcept { return fixed_; }
  /// Notified whenever a `Look` may be another.
  Signal& changed() noexcept { return changed_; }

 private:
  void give_back_turn() noexcept;
  Timestamp due() const FOREBAY_REQUIRES(mutex_);

  const std::string host_;
  const std::uint16_t port_;
  const Duration longest_;
  bool fixed_ = false;
  Signal changed_;
  mutable Mutex mutex_;
  AddressList list_ FOREBAY_GUARDED_BY(mutex_);
  Timestamp fresh_until_ FOREBAY_GUARDED_BY(mutex_){};
  Timestamp next_try_ FOREBAY_GUARDED_BY(mutex_){};
  unsigned failures_ FOREBAY_GUARDED_BY(mutex_) = 0;  // in a row
  std::string why_ FOREBAY_GUARDED_BY(mutex_);        // of the last one
  bool resolving_ FOREBAY_GUARDED_BY(mutex_) = false;
  bool part_ FOREBAY_GUARDED_BY(mutex_) = false;  // `list_` is one, while it is being resolved
};

}  // namespace forebay::upstream
