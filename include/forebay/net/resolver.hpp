#pragma once

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/udp.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "forebay/base/clock.hpp"
#include "forebay/net/srv_answer.hpp"

namespace forebay::net {

class Worker;

/// How a look-up has ended; the label `result` of forebay_origin_resolutions_total. The later ones say less about the
/// name.
enum class Resolution : std::uint8_t {
  Found,
  NoName,        ///< There is no such name (NXDOMAIN), or it is none that can be asked for.
  NoAddress,     ///< The name has no addresses.
  ServerFailed,  ///< SERVFAIL, REFUSED, an answer that cannot be read, or no server can be reached.
  NoAnswer,      ///< No name server has answered in time.
  Memory,        ///< There was no memory for it.
  kCount
};
std::string_view to_string(Resolution r) noexcept;

/// What is known of a name.
struct Resolved {
  Resolution result = Resolution::Memory;
  std::vector<boost::asio::ip::address> v6, v4;  ///< In the order of the answer; at most `Resolver::kMostAddresses`.
  Duration ttl{};        ///< The smallest of the records and of the aliases that led to them; max(): of the hosts file.
  bool complete = true;  ///< False: a second call with the addresses of both families follows.
};

/// What is known of a service (SRV).
struct ResolvedTargets {
  Resolution result = Resolution::Memory;  ///< NoAddress: no target, or the service is not offered.
  SrvAnswer answer{};
};

/// Finds the addresses of names, by the hosts file and by DNS (c-ares), without a thread and without blocking but for
/// the reading of small local files. One per worker, used by its thread alone. A change of resolv.conf counts from the
/// next look-up on.
class Resolver {
 public:
  static constexpr std::size_t kMostAddresses = 64;  ///< Of each family; further ones are dropped.
  /// RFC 8305 section 3: so long IPv4 addresses wait for IPv6 ones.
  static constexpr Duration kResolutionDelay = std::chrono::milliseconds{50};
  /// The longest look-up.
  static constexpr Duration kLongest = std::chrono::seconds{10};

  struct Settings {
    std::vector<boost::asio::ip::udp::endpoint> servers{};  ///< None: those of `resolv_conf`.
    std::string resolv_conf = "/etc/resolv.conf";           ///< Also has the search list and its options.
    bool operator==(const Settings&) const = default;
  };

  /// A look-up under way. Its destructor cancels it; it must go before the worker.
  class Lookup {
   public:
    virtual ~Lookup() = default;
  };
  using LookupPtr = std::shared_ptr<Lookup>;
  /// Called on the worker by way of its loop, never from within `ask`; once, or twice when the families come apart
  /// (`Resolved::complete`). It may drop the look-up. It throws nothing.
  using Done = std::function<void(const Resolved&)>;
  using TargetsDone = std::function<void(const ResolvedTargets&)>;

  explicit Resolver(Worker& worker);
  Resolver(const Resolver&) = delete;
  ~Resolver();

  /// Counts from the next look-up on.
  void use(Settings settings);
  /// Asks for A and AAAA at the same time. A name without a final dot is tried with the search list of resolv.conf, as
  /// its `ndots` says. Throws std::bad_alloc; then there is no look-up.
  [[nodiscard]] LookupPtr ask(const std::string& name, Done done);
  /// Asks for the SRV records of a name such as `_http._tcp.shop.internal`, as `ask` does. `done` is called once.
  [[nodiscard]] LookupPtr ask_targets(const std::string& name, TargetsDone done);

 private:
  class Channel;
  class Pending;
  class Asked;
  class AskedTargets;

  std::shared_ptr<Channel> current();
  void settle_soon(const std::shared_ptr<Channel>& channel);

  Worker& worker_;
  Settings settings_;
  std::shared_ptr<Channel> channel_;  // also held by its look-ups
};

}  // namespace forebay::net
