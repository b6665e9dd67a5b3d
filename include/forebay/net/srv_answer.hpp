#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "forebay/base/clock.hpp"

namespace forebay::net {

/// One SRV record (RFC 2782).
struct SrvTarget {
  std::uint16_t priority = 0;  ///< The lowest first.
  std::uint16_t weight = 0;    ///< Its share of those of the same priority.
  std::uint16_t port = 0;
  std::string host;
  bool operator==(const SrvTarget&) const = default;
};
struct SrvAnswer {
  static constexpr std::size_t kMostTargets = 32;  ///< Further ones are dropped.
  std::vector<SrvTarget> targets;  ///< In the order of the answer. Empty: none, or "." (the service is not offered).
  Duration ttl = Duration::max();  ///< The smallest of the records and of the aliases before them.
};

/// Reads the SRV records of a DNS message (RFC 1035 section 4.1), as c-ares gives it: c-ares 1.18 does not tell their
/// TTL. Nothing for a message that breaks off or whose names loop.
std::optional<SrvAnswer> read_srv_answer(std::string_view message);

}  // namespace forebay::net
