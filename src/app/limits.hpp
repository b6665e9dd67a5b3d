#pragma once

#include <cstdint>

#include "forebay/config/config.hpp"

namespace forebay::app {

/// Raises the soft limit of file descriptors to the hard one; gives what is in force.
std::uint64_t raise_fd_limit();
/// The client connections that fit: one descriptor each, beside those of the origins' pools and a few of our own.
unsigned connections_that_fit(const config::Config& config, std::uint64_t fd_limit);
/// The configuration with `server.max_connections` lowered to what fits. A warning in the log says so when it is not
/// what was `in_force`.
config::ConfigPtr fitted(config::ConfigPtr config, std::uint64_t fd_limit, unsigned in_force);

/// Resident memory of this process.
std::uint64_t resident_bytes();

/// Keeps the process within `cache.memory` and its fixed overhead: what the allocator holds beyond what the store was
/// charged is taken from the store, until it has been given back.
class MemoryGovernor {
 public:
  explicit MemoryGovernor(std::uint64_t configured) : configured_(configured), limit_(configured) {}
  void configure(std::uint64_t bytes) { configured_ = limit_ = bytes; }
  /// The store's limit from now on, given what is resident. Called once a second.
  std::uint64_t limit_for(std::uint64_t resident);
  std::uint64_t limit() const noexcept { return limit_; }
  /// Whether so much is resident that what is free has to go back without delay.
  bool presses(std::uint64_t resident) const noexcept;

 private:
  std::uint64_t configured_;
  std::uint64_t limit_;
};

}  // namespace forebay::app
