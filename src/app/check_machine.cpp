#include "check_machine.hpp"

#include <grp.h>
#include <pwd.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "forebay/base/output_file.hpp"
#include "tls_files.hpp"

namespace forebay::app {
namespace {

/// What `run` on this machine would fail at.
void warn_of_machine(config::LoadResult& loaded, std::string key, std::string message, std::string hint) {
  config::Diagnostic d;
  d.severity = config::Severity::Warning;
  d.code = 2050;
  d.message = key + ": " + std::move(message);
  d.path = std::move(key);
  d.hint = std::move(hint);
  loaded.diagnostics.push_back(std::move(d));
}

/// For an entry of the databases of users and groups; a group may have many members.
constexpr std::size_t kAccountRoom = 256 * 1024;
constexpr const char* kCreateIt = "create it before the start; forebay does not create directories";

void warn_of_outputs(config::LoadResult& loaded) {
  const std::pair<const char*, const std::string&> outputs[] = {{"log.output", loaded.config->log.output},
                                                                {"log.access.output", loaded.config->access.output}};
  for (const auto& [key, file] : outputs)
    if (const auto missing = missing_directory(file))
      warn_of_machine(loaded, key, "the directory " + *missing + " does not exist on this machine", kCreateIt);
}

/// The place of a Unix socket.
void warn_of_socket_file(config::LoadResult& loaded, const std::string& key, const std::string& file) {
  std::error_code error;
  const auto there = std::filesystem::symlink_status(file, error);
  if (const auto missing = missing_directory(file))
    warn_of_machine(loaded, key, "the directory " + *missing + " does not exist on this machine", kCreateIt);
  else if (std::filesystem::exists(there) && !std::filesystem::is_socket(there))
    warn_of_machine(loaded, key, file + " exists on this machine and is not a socket",
                    "remove it before the start, or name another path");
}

bool is_number(const std::string& text) { return text.find_first_not_of("0123456789") == std::string::npos; }

bool has_user(const std::string& name) {
  passwd entry{};
  passwd* found = nullptr;
  std::vector<char> room(kAccountRoom);
  return ::getpwnam_r(name.c_str(), &entry, room.data(), room.size(), &found) == 0 && found != nullptr;
}

bool has_group(const std::string& name) {
  group entry{};
  group* found = nullptr;
  std::vector<char> room(kAccountRoom);
  return ::getgrnam_r(name.c_str(), &entry, room.data(), room.size(), &found) == 0 && found != nullptr;
}

/// The places, owners and groups of Unix sockets.
void warn_of_sockets(config::LoadResult& loaded) {
  if (const auto& handover = loaded.config->server.handover; !handover.empty())
    warn_of_socket_file(loaded, "server.handover", handover);
  const auto& listeners = loaded.config->listeners;
  for (std::size_t i = 0; i < listeners.size(); ++i) {
    const auto& l = listeners[i];
    if (l.address.kind != config::Address::Kind::Unix) continue;
    const auto& file = l.address.host;
    const auto key = "listen[" + std::to_string(i) + ']';
    warn_of_socket_file(loaded, key, file);
    if (!l.owner.empty() && !is_number(l.owner) && !has_user(l.owner))
      warn_of_machine(loaded, key, "there is no user \"" + l.owner + "\" on this machine",
                      "create it before the start");
    if (!l.group.empty() && !is_number(l.group) && !has_group(l.group))
      warn_of_machine(loaded, key, "there is no group \"" + l.group + "\" on this machine",
                      "create it before the start");
  }
}

}  // namespace

config::LoadResult check_on_this_machine(ConfigSource& source, const Clock& clock) {
  auto loaded = source.load();
  read_tls(loaded, nullptr, clock);
  if (loaded.ok()) {
    warn_of_outputs(loaded);
    warn_of_sockets(loaded);
  }
  return loaded;
}

}  // namespace forebay::app
