#include "admin_client.hpp"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>

#include "config_source.hpp"
#include "forebay/http/fields.hpp"
#include "forebay/http/list.hpp"

namespace forebay::app {
namespace {

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

bool send_all(int fd, std::string_view bytes, SteadyClock::time_point deadline) {
  while (!bytes.empty()) {
    const auto n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(n));
    } else if (errno == EAGAIN) {
      if (!wait_for(fd, POLLOUT, deadline)) return false;
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

/// What comes until the other side closes, as `Connection: close` has asked it to.
std::string receive_all(int fd, SteadyClock::time_point deadline) {
  constexpr std::size_t kMost = 64 * 1024 * 1024;
  std::string answer;
  char buffer[16384];
  while (answer.size() < kMost && wait_for(fd, POLLIN, deadline)) {
    const auto n = ::recv(fd, buffer, sizeof buffer, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (n <= 0) break;
    answer.append(buffer, static_cast<std::size_t>(n));
  }
  return answer;
}

/// Content-Length of a head, where it has one.
std::optional<std::uint64_t> length_of(std::string_view head) {
  while (!head.empty()) {
    const auto line = head.substr(0, head.find("\r\n"));
    head.remove_prefix(std::min(head.size(), line.size() + 2));
    const auto colon = line.find(':');
    std::uint64_t n = 0;
    if (colon != std::string_view::npos && http::iequals(line.substr(0, colon), "Content-Length") &&
        http::parse_decimal(http::trim(line.substr(colon + 1)), UINT64_MAX, n))
      return n;
  }
  return std::nullopt;
}

}  // namespace

std::optional<AdminAnswer> ask_admin(const std::string& address, const AdminRequest& request,
                                     SteadyClock::time_point deadline) {
  const auto socket = connect_to(address, deadline);
  if (!socket) return std::nullopt;
  std::string text = request.method + ' ' + request.target + " HTTP/1.1\r\n";
  http::append_line(text, "Host", "localhost");
  http::append_line(text, "User-Agent", "forebay");
  http::append_line(text, "Connection", "close");
  if (!request.token.empty()) http::append_line(text, "Authorization", "Bearer " + request.token);
  if (!request.content.empty()) {
    http::append_line(text, "Content-Type", "application/json");
    http::append_line(text, "Content-Length", std::to_string(request.content.size()));
  }
  text += "\r\n" + request.content;
  // A refusal may come, and the connection end, before all has been sent: what was answered counts.
  send_all(socket->fd, text, deadline);
  const auto received = receive_all(socket->fd, deadline);
  const auto end = received.find("\r\n\r\n");
  if (received.size() < 12 || received.rfind("HTTP/1.", 0) != 0 || end == std::string::npos) return std::nullopt;
  AdminAnswer answer{std::atoi(received.c_str() + 9), received.substr(end + 4)};
  const auto length = length_of(std::string_view(received).substr(0, end));
  if (length && *length != answer.body.size()) return std::nullopt;  // cut short
  return answer;
}

std::optional<std::string> admin_address(const std::optional<std::string>& config,
                                         const std::optional<std::string>& admin, ExitCode& why) {
  const auto variables = environment();
  if (admin) return *admin;
  for (const char* name : {"FOREBAY_ADMIN", "FOREBAY_ADMIN_LISTEN"})
    if (const auto value = variables(name); value && !value->empty() && *value != "off") return *value;
  ConfigSource source(config, variables);
  const auto loaded = source.load();
  const bool named = config || variables("FOREBAY_CONFIG");
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

std::optional<std::string> admin_token(std::string& fault) {
  const auto variables = environment();
  if (const auto token = variables("FOREBAY_ADMIN_TOKEN"); token && !token->empty()) return token;
  const auto file = variables("FOREBAY_ADMIN_TOKEN_FILE");
  if (!file || file->empty()) return std::string();
  std::ifstream in(*file, std::ios::binary);
  std::string token((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  while (!token.empty() && (token.back() == '\n' || token.back() == '\r')) token.pop_back();
  if (in.bad() || token.empty()) {
    fault = "there is no token in " + *file + " ($FOREBAY_ADMIN_TOKEN_FILE)";
    return std::nullopt;
  }
  return token;
}

}  // namespace forebay::app
