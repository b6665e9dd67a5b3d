#include "process.hpp"

#include <dirent.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>

namespace forebay::admin {
namespace {

std::uint64_t count_open_fds() {
  DIR* folder = ::opendir("/proc/self/fd");
  if (folder == nullptr) return 0;
  std::uint64_t n = 0;
  while (const dirent* entry = ::readdir(folder))
    if (entry->d_name[0] != '.') ++n;
  ::closedir(folder);
  return n - 1;  // the descriptor that reads the folder
}

// Boot time as Unix time. Computed from the clocks, since ProcSubset=pid hides /proc/stat.
double boot_time() {
  timespec wall{}, up{};
  ::clock_gettime(CLOCK_REALTIME, &wall);
  ::clock_gettime(CLOCK_BOOTTIME, &up);
  return static_cast<double>(wall.tv_sec - up.tv_sec) + static_cast<double>(wall.tv_nsec - up.tv_nsec) / 1e9;
}

}  // namespace

Process read_process() {
  Process p;
  std::ifstream in("/proc/self/stat");
  std::string line;
  std::getline(in, line);
  // The program name is in parentheses and may contain any byte; numbers follow the last one.
  const auto bracket = line.rfind(')');
  if (bracket != std::string::npos) {
    std::istringstream rest(line.substr(bracket + 1));
    std::string skipped;
    for (int field = 3; field <= 13; ++field) rest >> skipped;
    double user = 0, system = 0, start = 0;
    rest >> user >> system;  // fields 14 and 15, in ticks
    for (int field = 16; field <= 21; ++field) rest >> skipped;
    rest >> start >> p.virtual_bytes >> p.resident_bytes;  // 22 to 24; the last in pages
    const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
    p.cpu_seconds = (user + system) / ticks;
    static const double boot = boot_time();
    p.start_time_seconds = boot + start / ticks;
    p.resident_bytes *= static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  }
  p.open_fds = count_open_fds();
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) p.max_fds = limit.rlim_cur;
  return p;
}

}  // namespace forebay::admin
