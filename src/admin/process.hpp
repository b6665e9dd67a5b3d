#pragma once

#include <cstdint>

namespace forebay::admin {

/// What the kernel reports about this process; 0 if unknown.
struct Process {
  double cpu_seconds = 0;
  double start_time_seconds = 0;  ///< Unix time.
  std::uint64_t open_fds = 0, max_fds = 0;
  std::uint64_t resident_bytes = 0, virtual_bytes = 0;
};
Process read_process();

}  // namespace forebay::admin
