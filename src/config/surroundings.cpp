#include "config/surroundings.hpp"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace forebay::config {
namespace {

std::string content_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  if (in) out << in.rdbuf();
  return out.str();
}

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end == text.data()) return std::nullopt;
  return value;
}

/// This process's group of a hierarchy in /proc/self/cgroup: `0::/path` (v2) or `4:memory:/path` (v1).
std::string group_of(const std::string& listing, std::string_view controller) {
  std::istringstream lines(listing);
  for (std::string line; std::getline(lines, line);) {
    const auto first = line.find(':');
    const auto second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const auto names = "," + line.substr(first + 1, second - first - 1) + ",";
    const bool fits =
        controller.empty() ? names == ",," : names.find("," + std::string(controller) + ",") != std::string::npos;
    if (fits) return line.substr(second + 1);
  }
  return "/";
}

/// Calls `read` with the directory of the group and of each one above it: the tightest limit on the way counts.
template <class F>
void for_each_group(const std::string& mount, std::string group, F&& read) {
  if (!group.starts_with('/') || group.find("/..") != std::string::npos) group = "/";
  while (true) {
    read(mount + (group == "/" ? "" : group));
    if (group == "/" || group.empty()) return;
    group.erase(std::max<std::size_t>(group.rfind('/'), 1));
    if (group.empty()) group = "/";
  }
}

struct Limits {
  std::optional<std::uint64_t> memory;
  std::optional<unsigned> cpus;

  void add_memory(std::optional<std::uint64_t> bytes) {
    if (bytes && *bytes > 0) memory = std::min(memory.value_or(*bytes), *bytes);
  }
  void add_cpu(std::optional<std::uint64_t> quota, std::optional<std::uint64_t> period) {
    if (!quota || !period || *quota == 0 || *period == 0) return;
    const auto n = static_cast<unsigned>(std::min<std::uint64_t>((*quota + *period - 1) / *period, 100'000));
    cpus = std::min(cpus.value_or(n), n);
  }
};

}  // namespace

Surroundings surroundings_below(const std::string& root, std::uint64_t physical_memory, unsigned cores) {
  const auto listing = content_of(root + "/proc/self/cgroup");
  Limits limits;
  for_each_group(root + "/sys/fs/cgroup", group_of(listing, ""), [&](const std::string& dir) {
    limits.add_memory(number(content_of(dir + "/memory.max")));  // "max" is no number
    const auto cpu = content_of(dir + "/cpu.max");               // "200000 100000"
    const auto blank = cpu.find(' ');
    if (blank != std::string::npos) limits.add_cpu(number(cpu), number(std::string_view(cpu).substr(blank + 1)));
  });
  for_each_group(root + "/sys/fs/cgroup/memory", group_of(listing, "memory"), [&](const std::string& dir) {
    limits.add_memory(number(content_of(dir + "/memory.limit_in_bytes")));
  });
  for_each_group(root + "/sys/fs/cgroup/cpu", group_of(listing, "cpu"), [&](const std::string& dir) {
    limits.add_cpu(number(content_of(dir + "/cpu.cfs_quota_us")), number(content_of(dir + "/cpu.cfs_period_us")));
  });
  Surroundings out;
  out.variable = [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    return value ? std::optional<std::string>(value) : std::nullopt;
  };
  // v1 says "no limit" by a number beyond all memory.
  out.memory_limit_is_cgroup = limits.memory && (physical_memory == 0 || *limits.memory < physical_memory);
  out.memory_limit = out.memory_limit_is_cgroup ? *limits.memory : physical_memory;
  out.cpus = std::max(1u, std::min(limits.cpus.value_or(cores), std::max(1u, cores)));
  return out;
}

Surroundings surroundings_of_this_machine() {
  const auto pages = ::sysconf(_SC_PHYS_PAGES), page = ::sysconf(_SC_PAGESIZE);
  const auto memory = pages > 0 && page > 0 ? static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(page) : 0;
  cpu_set_t set;
  CPU_ZERO(&set);
  unsigned cores = 0;
  if (::sched_getaffinity(0, sizeof set, &set) == 0) cores = static_cast<unsigned>(CPU_COUNT(&set));
  if (cores == 0) cores = static_cast<unsigned>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN)));
  return surroundings_below("", memory, cores);
}

}  // namespace forebay::config
