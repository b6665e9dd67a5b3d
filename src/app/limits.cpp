#include "limits.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <string>

#include "forebay/base/log.hpp"

namespace forebay::app {
namespace {

// For listeners, logs, timers, event descriptors, and admin connections.
constexpr std::uint64_t kOwnDescriptors = 384;
constexpr unsigned kFewestConnections = 16;

// `cache.memory` + 64 MiB is promised; intervening at 48 leaves time to act.
constexpr std::uint64_t kOverhead = 48ULL << 20;
constexpr std::uint64_t kCalm = 8ULL << 20;
// A full cache frees as much as it allocates, up to a gigabyte per second. Memory that the allocator still holds must
// not exceed the overhead.
constexpr std::uint64_t kPressing = 28ULL << 20;

}  // namespace

std::uint64_t raise_fd_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  if (limit.rlim_cur < limit.rlim_max) {
    const auto before = limit.rlim_cur;
    limit.rlim_cur = limit.rlim_max;
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) return before;
  }
  return limit.rlim_cur;
}

namespace {

std::uint64_t room_for_clients(const config::Config& config, std::uint64_t fd_limit) {
  std::uint64_t others = kOwnDescriptors;
  for (const auto& [name, origin] : config.origins) others += origin.pool.max_connections;
  // A small limit is shared between clients and pools.
  others = std::min(others, fd_limit / 2);
  return std::max<std::uint64_t>(fd_limit - others, kFewestConnections);
}

}  // namespace

unsigned connections_that_fit(const config::Config& config, std::uint64_t fd_limit) {
  return static_cast<unsigned>(
      std::min<std::uint64_t>(config.server.max_connections, room_for_clients(config, fd_limit)));
}

// A tunnel has two descriptors.
unsigned tunnels_that_fit(const config::Config& config, std::uint64_t fd_limit) {
  return static_cast<unsigned>(std::min<std::uint64_t>(config.server.tunnels, room_for_clients(config, fd_limit) / 2));
}

config::ConfigPtr fitted(config::ConfigPtr config, std::uint64_t fd_limit, unsigned in_force) {
  const auto fit = connections_that_fit(*config, fd_limit);
  const auto tunnels = tunnels_that_fit(*config, fd_limit);
  if (fit == config->server.max_connections && tunnels == config->server.tunnels) return config;
  if (fit != config->server.max_connections && fit != in_force)
    log::warn("server.max_connections is lowered from " + std::to_string(config->server.max_connections) + " to " +
              std::to_string(fit) + ": the limit of open files is " + std::to_string(fd_limit) +
              "; raise it (ulimit -n, LimitNOFILE)");
  auto lowered = std::make_shared<config::Config>(*config);
  lowered->server.max_connections = fit;
  lowered->server.tunnels = tunnels;
  return lowered;
}

std::uint64_t resident_bytes() {
  std::ifstream in("/proc/self/statm");
  std::uint64_t total = 0, resident = 0;
  in >> total >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

bool MemoryGovernor::presses(std::uint64_t resident) const noexcept { return resident > configured_ + kPressing; }

std::uint64_t MemoryGovernor::limit_for(std::uint64_t resident) {
  const auto allowed = configured_ + kOverhead;
  if (resident > allowed) {
    const auto excess = resident - allowed;
    // Not below a quarter: the store does not cause growth beyond that.
    const auto least = configured_ / 4;
    limit_ = limit_ > least + excess ? limit_ - excess : least;
  } else if (limit_ < configured_ && resident + kCalm < allowed) {
    limit_ = std::min(configured_, limit_ + std::max<std::uint64_t>(configured_ / 64, 1U << 20));
  }
  return limit_;
}

}  // namespace forebay::app
