#include "forebay/config/source_files.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <vector>

#include "config/include.hpp"

namespace forebay::config {
namespace {

/// A change of permissions counts: a file may become readable.
std::string state_of(const std::string& file) {
  struct stat s {};
  if (::stat(file.c_str(), &s) != 0) return "errno " + std::to_string(errno);
  std::string state;
  for (const auto number :
       {static_cast<long long>(s.st_dev), static_cast<long long>(s.st_ino), static_cast<long long>(s.st_size),
        static_cast<long long>(s.st_mtim.tv_sec), static_cast<long long>(s.st_mtim.tv_nsec),
        static_cast<long long>(s.st_ctim.tv_sec), static_cast<long long>(s.st_ctim.tv_nsec)})
    state += std::to_string(number) + ' ';
  return state;
}

}  // namespace

FileStates states_of(const SourceFiles& files) {
  FileStates states;
  for (const auto& name : files.names) states.emplace(name, state_of(name));
  for (const auto& pattern : files.patterns) {
    std::vector<std::string> found;
    // A folder that cannot be read is a state too.
    if (!files_of(pattern, found)) states.emplace(pattern, "unreadable");
    for (const auto& name : found) states.emplace(name, state_of(name));
  }
  return states;
}

void add_tls_files(SourceFiles& files, const Config& config) {
  const auto add = [&](const std::string& name) {
    if (!name.empty()) files.names.push_back(name);
  };
  const auto add_all = [&](const ListenerTls& tls) {
    for (const auto& certificate : tls.certificates) {
      add(certificate.cert);
      add(certificate.key);
      add(certificate.ocsp);
    }
    add(tls.client_ca);
  };
  for (const auto& listener : config.listeners) add_all(listener.tls);
  add_all(config.admin_listener.tls);
  for (const auto& [name, origin] : config.origins) {
    add(origin.tls.ca);
    add(origin.tls.cert);
    add(origin.tls.key);
  }
}

}  // namespace forebay::config
