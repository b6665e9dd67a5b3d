#pragma once

#include <functional>
#include <string>
#include <vector>

#include "forebay/net/resolver.hpp"
#include "upstream/addresses.hpp"

namespace forebay::upstream {

/// One look-up of an origin's name: of its addresses, or of the targets of its service (SRV, RFC 2782) and then of the
/// addresses of each of them. Its destructor cancels it. Used by one worker.
class NameLookup {
 public:
  struct Found {
    net::Resolution result = net::Resolution::Memory;
    std::vector<Address> addresses{};
    Duration ttl = Duration::max();
    bool complete = true;  ///< False: another call with more addresses follows.
  };
  /// As `net::Resolver::Done`; it does not destroy the look-up.
  using Done = std::function<void(Found&&)>;
  /// Targets that are asked about; further ones are dropped.
  static constexpr std::size_t kMostTargets = 16;

  NameLookup(net::Resolver& resolver, Done done) : resolver_(resolver), done_(std::move(done)) {}
  NameLookup(const NameLookup&) = delete;

  /// One of them, once. Both throw std::bad_alloc.
  void addresses_of(const std::string& host, std::uint16_t port);
  void targets_of(const std::string& service);

 private:
  void ask_about(const net::ResolvedTargets& found);
  void answered(std::size_t target, const net::Resolved& answer);

  net::Resolver& resolver_;
  const Done done_;
  std::vector<net::SrvTarget> targets_;
  std::vector<net::Resolved> answers_;  // of each
  std::size_t left_ = 0;                // that have not answered
  Duration ttl_ = Duration::max();
  net::Resolver::LookupPtr first_;
  std::vector<net::Resolver::LookupPtr> lookups_;
};

}  // namespace forebay::upstream
