#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <iostream>
#include <memory>
#include <optional>
#include <string>

#include "commands.hpp"
#include "config_source.hpp"

namespace forebay::app {
namespace {

using SteadyClock = std::chrono::steady_clock;

struct Socket {
  int fd = -1;
  explicit Socket(int f) : fd(f) {}
  Socket(const Socket&) = delete;
  ~Socket() {
    if (fd >= 0) ::close(fd);
  }
};

bool wait_for(int fd, short what, SteadyClock::time_point deadline) {
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - SteadyClock::now()).count();
    if (left <= 0) return false;
    pollfd p{fd, what, 0};
    const int n = ::poll(&p, 1, static_cast<int>(left));
    if (n > 0) return true;
    if (n == 0 || errno != EINTR) return false;
  }
}

bool connect_within(int fd, const sockaddr* to, socklen_t length, SteadyClock::time_point deadline) {
  if (::connect(fd, to, length) == 0) return true;
  if (errno != EINPROGRESS || !wait_for(fd, POLLOUT, deadline)) return false;
  int error = 0;
  socklen_t size = sizeof error;
  return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
}

constexpr int kSocketKind = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;

std::unique_ptr<Socket> connect_unix(const std::string& path, SteadyClock::time_point deadline) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return nullptr;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  auto socket = std::make_unique<Socket>(::socket(AF_UNIX, kSocketKind, 0));
  if (!connect_within(socket->fd, reinterpret_cast<const sockaddr*>(&address), sizeof address, deadline))
    return nullptr;
  return socket;
}

std::unique_ptr<Socket> connect_tcp(const std::string& host, const std::string& port,
                                    SteadyClock::time_point deadline) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), port.c_str(), &hints, &found) != 0) return nullptr;
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> list(found, &::freeaddrinfo);
  for (const auto* a = found; a != nullptr; a = a->ai_next) {
    auto socket = std::make_unique<Socket>(::socket(a->ai_family, kSocketKind, 0));
    if (socket->fd >= 0 && connect_within(socket->fd, a->ai_addr, a->ai_addrlen, deadline)) return socket;
  }
  return nullptr;
}

// `:8081`, `127.0.0.1:8081`, `[::1]:8081`, `unix:/path`. An address that means "all" is asked at loopback.
std::unique_ptr<Socket> connect_to(std::string address, SteadyClock::time_point deadline) {
  if (address.rfind("http://", 0) == 0) address = address.substr(7, address.find('/', 7) - 7);
  if (address.rfind("unix:", 0) == 0) return connect_unix(address.substr(5), deadline);
  const auto colon = address.rfind(':');
  if (colon == std::string::npos) return nullptr;
  auto host = address.substr(0, colon);
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  if (host.empty() || host == "0.0.0.0") host = "127.0.0.1";
  if (host == "::") host = "::1";
  return connect_tcp(host, address.substr(colon + 1), deadline);
}

// The status of the answer, or nothing.
std::optional<int> ask_readiness(int fd, SteadyClock::time_point deadline, std::string& body) {
  static constexpr std::string_view kRequest =
      "GET /readyz HTTP/1.1\r\nHost: localhost\r\nUser-Agent: forebay-healthcheck\r\nConnection: close\r\n\r\n";
  if (::send(fd, kRequest.data(), kRequest.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(kRequest.size()))
    return std::nullopt;
  std::string answer;
  char buffer[4096];
  while (answer.size() < 65536 && wait_for(fd, POLLIN, deadline)) {
    const auto n = ::recv(fd, buffer, sizeof buffer, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (n <= 0) break;
    answer.append(buffer, static_cast<std::size_t>(n));
  }
  if (answer.size() < 12 || answer.rfind("HTTP/1.", 0) != 0) return std::nullopt;
  const auto end = answer.find("\r\n\r\n");
  if (end != std::string::npos) body = answer.substr(end + 4);
  return std::atoi(answer.c_str() + 9);
}

/// Nothing, with the reason on standard error, when a file was named that does not say.
std::optional<std::string> admin_address(const HealthcheckFlags& flags, ExitCode& why) {
  const auto variables = environment();
  if (flags.admin) return *flags.admin;
  for (const char* name : {"FOREBAY_ADMIN", "FOREBAY_ADMIN_LISTEN"})
    if (const auto value = variables(name); value && !value->empty() && *value != "off") return *value;
  ConfigSource source(flags.config, variables);
  const auto loaded = source.load();
  const bool named = flags.config || variables("FOREBAY_CONFIG");
  if (!loaded.ok() && named) {
    std::cerr << config::to_text(loaded.diagnostics);
    why = ExitCode::Configuration;
    return std::nullopt;
  }
  if (loaded.ok() && !loaded.config->admin) {
    std::cerr << "forebay: the admin listener is off in " << source.name() << ", so nobody can be asked\n";
    why = ExitCode::NotReached;
    return std::nullopt;
  }
  return loaded.ok() ? loaded.config->admin->text : "127.0.0.1:8081";
}

}  // namespace

ExitCode healthcheck(const HealthcheckFlags& flags) {
  const auto deadline = SteadyClock::now() + flags.timeout;
  auto why = ExitCode::Done;
  const auto found = admin_address(flags, why);
  if (!found) return why;
  const auto& address = *found;
  const auto socket = connect_to(address, deadline);
  std::string body;
  const auto status = socket ? ask_readiness(socket->fd, deadline, body) : std::nullopt;
  if (!status) {
    std::cerr << "forebay: no daemon answers at " << address << '\n';
    return ExitCode::NotReached;
  }
  std::cout << body << '\n';
  if (*status == 200) return ExitCode::Done;
  if (*status == 503) return ExitCode::NotReady;
  std::cerr << "forebay: " << address << " answers " << *status << ", which is not a Forebay's admin listener\n";
  return ExitCode::NotReached;
}

}  // namespace forebay::app
