#pragma once

#include <cstdint>

#include "forebay/config/config.hpp"

namespace forebay::app {

/// Raises the soft limit of file descriptors to the hard one; returns the effective limit.
std::uint64_t raise_fd_limit();
/// The client connections that fit: one descriptor each, besides those of the pools and our own.
unsigned connections_that_fit(const config::Config& config, std::uint64_t fd_limit);
/// The same of `server.limits.tunnels`: half of those connections, if there are not descriptors for all.
unsigned tunnels_that_fit(const config::Config& config, std::uint64_t fd_limit);
/// The configuration with `server.max_connections` lowered to what fits. Logs a warning when it differs from
/// `in_force`.
config::ConfigPtr fitted(config::ConfigPtr config, std::uint64_t fd_limit, unsigned in_force);

/// Resident memory of this process.
std::uint64_t resident_bytes();

/// Keeps the process within `cache.memory` plus a fixed overhead: memory that the allocator holds beyond the store's
/// charge reduces the store's limit until it has been returned.
class MemoryGovernor {
 public:
  explicit MemoryGovernor(std::uint64_t configured) : configured_(configured), limit_(configured) {}
  void configure(std::uint64_t bytes) { configured_ = limit_ = bytes; }
  /// The new limit of the store for this resident memory. Called once a second.
  std::uint64_t limit_for(std::uint64_t resident);
  std::uint64_t limit() const noexcept { return limit_; }
  /// Whether so much is resident that free memory must be returned at once.
  bool presses(std::uint64_t resident) const noexcept;

 private:
  std::uint64_t configured_;
  std::uint64_t limit_;
};

}  // namespace forebay::app
