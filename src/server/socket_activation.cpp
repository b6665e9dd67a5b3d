// The sockets that systemd passes to a process: the protocol of sd_listen_fds(3).
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "forebay/http/list.hpp"
#include "server/sockets.hpp"

namespace forebay::server {
namespace {

constexpr int kFirstHandedOver = 3;

// LISTEN_PID, LISTEN_FDS, and the names in LISTEN_FDNAMES, separated by colons. Nothing if no sockets were passed to
// this process. What was read is remembered, and goes from the environment.
const std::vector<std::string>& names_handed_over() {
  static std::vector<std::string> known;
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value != nullptr ? value : "");
  };
  std::uint64_t pid = 0, count = 0;
  if (!http::parse_decimal(variable("LISTEN_PID"), UINT64_MAX, pid) || static_cast<pid_t>(pid) != ::getpid() ||
      !http::parse_decimal(variable("LISTEN_FDS"), 1024, count))
    return known;
  known.clear();
  std::string names = variable("LISTEN_FDNAMES");
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto colon = names.find(':');
    auto name = names.substr(0, colon);
    names.erase(0, colon == std::string::npos ? colon : colon + 1);
    known.push_back(name.empty() ? "unknown" : std::move(name));
  }
  for (const char* name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PIDFDID"}) ::unsetenv(name);
  return known;
}

}  // namespace

std::vector<std::string> handed_over() {
  auto names = names_handed_over();  // a copy
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

// A name may stand for several sockets, such as one for IPv4 and one for IPv6.
Listening open_handed_over(const config::Address& address) {
  const auto names = names_handed_over();
  if (names.empty()) cannot_listen(address, "no sockets were passed to this process (LISTEN_PID and LISTEN_FDS)");
  Listening result{{}, address, {}};
  std::string others;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] != address.host) {
      others += (others.empty() ? "" : ", ") + names[i];
      continue;
    }
    Fd fd(::fcntl(kFirstHandedOver + static_cast<int>(i), F_DUPFD_CLOEXEC, kFirstHandedOver));
    if (!fd) cannot_listen(errno, address, "the descriptor is not open");
    check_listening(fd.get(), address);
    (void)::fcntl(fd.get(), F_SETFL, ::fcntl(fd.get(), F_GETFL) | O_NONBLOCK);
    if (result.address.port == 0) result.address.port = port_of(fd.get());
    result.sockets.push_back(std::move(fd));
  }
  if (result.sockets.empty())
    cannot_listen(address, "no socket of that name was passed (LISTEN_FDNAMES); there are: " + others);
  return result;
}

}  // namespace forebay::server
