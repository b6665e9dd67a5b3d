#include "server/sockets.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <system_error>

#include "forebay/http/list.hpp"

namespace forebay::server {

namespace {

constexpr int kBacklog = 4096;  // the kernel takes no more than net.core.somaxconn
constexpr int kFirstHandedOver = 3;

[[noreturn]] void fail(int error, const config::Address& address, const std::string& what) {
  throw std::system_error(error, std::generic_category(), "cannot listen on " + address.text + ": " + what);
}

Fd make_socket(int family) { return Fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)); }

void switch_on(int fd, int level, int option) {
  const int on = 1;
  (void)::setsockopt(fd, level, option, &on, sizeof on);
}

// One candidate to bind to.
struct Place {
  sockaddr_storage address{};
  socklen_t size = 0;
  bool dual_stack = false;
};

Place any_ipv6() {
  Place p;
  auto& in = reinterpret_cast<sockaddr_in6&>(p.address);
  in.sin6_family = AF_INET6;
  in.sin6_addr = in6addr_any;
  p.size = sizeof in;
  p.dual_stack = true;
  return p;
}

Place any_ipv4() {
  Place p;
  auto& in = reinterpret_cast<sockaddr_in&>(p.address);
  in.sin_family = AF_INET;
  in.sin_addr.s_addr = htonl(INADDR_ANY);
  p.size = sizeof in;
  return p;
}

std::vector<Place> places_of(const config::Address& address) {
  // Where there is no IPv6, the second is taken.
  if (address.host.empty()) return {any_ipv6(), any_ipv4()};
  std::string host = address.host;
  if (host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_flags = AI_PASSIVE;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(host.c_str(), nullptr, &hints, &found);
  if (error != 0) fail(EADDRNOTAVAIL, address, std::string("unknown host (") + ::gai_strerror(error) + ")");
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, &::freeaddrinfo);
  std::vector<Place> places;
  for (const addrinfo* a = found; a != nullptr; a = a->ai_next) {
    Place p;
    std::memcpy(&p.address, a->ai_addr, a->ai_addrlen);
    p.size = a->ai_addrlen;
    places.push_back(p);
  }
  return places;
}

void set_port(Place& place, std::uint16_t port) {
  if (place.address.ss_family == AF_INET6) {
    reinterpret_cast<sockaddr_in6&>(place.address).sin6_port = htons(port);
  } else {
    reinterpret_cast<sockaddr_in&>(place.address).sin_port = htons(port);
  }
}

std::uint16_t port_of(int fd) {
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size) != 0) return 0;
  if (bound.ss_family == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6&>(bound).sin6_port);
  return bound.ss_family == AF_INET ? ntohs(reinterpret_cast<const sockaddr_in&>(bound).sin_port) : std::uint16_t{0};
}

Fd bind_to(const Place& place, bool share_port, bool listen) {
  Fd fd = make_socket(place.address.ss_family);
  if (!fd) return fd;
  switch_on(fd.get(), SOL_SOCKET, SO_REUSEADDR);
  if (share_port) switch_on(fd.get(), SOL_SOCKET, SO_REUSEPORT);
  if (place.address.ss_family == AF_INET6) {
    const int only = place.dual_stack ? 0 : 1;
    (void)::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only);
  }
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&place.address), place.size) != 0 ||
      (listen && ::listen(fd.get(), kBacklog) != 0)) {
    const int error = errno;
    fd = Fd();
    errno = error;
  }
  return fd;
}

Listening open_tcp(const config::Address& address, std::size_t count) {
  Listening result{{}, address};
  int error = EADDRNOTAVAIL;
  for (Place place : places_of(address)) {
    set_port(place, address.port);
    // With SO_REUSEPORT a second process could share the port unnoticed: a probe socket without it detects that.
    if (address.port != 0 && count > 1) {
      const Fd probe = bind_to(place, false, false);
      if (!probe && errno == EADDRINUSE) fail(EADDRINUSE, address, "the port is in use by another process");
    }
    Fd first = bind_to(place, count > 1, true);
    if (!first) {
      error = errno;
      continue;
    }
    result.address.port = port_of(first.get());
    set_port(place, result.address.port);
    result.sockets.push_back(std::move(first));
    while (result.sockets.size() < count) {
      Fd next = bind_to(place, true, true);
      if (!next) fail(errno, address, "cannot bind a socket for another worker");
      result.sockets.push_back(std::move(next));
    }
    return result;
  }
  fail(error, address,
       error == EACCES       ? "ports below 1024 need CAP_NET_BIND_SERVICE"
       : error == EADDRINUSE ? "the port is in use by another process"
                             : "bind failed");
}

// A socket file that nobody listens on is left over from an earlier run.
void remove_stale(const config::Address& address, const sockaddr_un& name) {
  struct stat file {};
  if (::lstat(name.sun_path, &file) != 0) return;
  if (!S_ISSOCK(file.st_mode)) fail(EEXIST, address, "a file of that name exists and is not a socket");
  const Fd probe = make_socket(AF_UNIX);
  const bool refused =
      ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0 && errno == ECONNREFUSED;
  if (!refused) fail(EADDRINUSE, address, "another process listens on it");
  ::unlink(name.sun_path);
}

Listening open_unix(const config::Address& address) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  if (address.host.size() >= sizeof name.sun_path) fail(ENAMETOOLONG, address, "the path is too long");
  std::memcpy(name.sun_path, address.host.data(), address.host.size());
  remove_stale(address, name);
  Fd fd = make_socket(AF_UNIX);
  if (!fd || ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0) {
    fail(errno, address, "bind failed");
  }
  // The mode of the directory controls who may connect, not the umask.
  (void)::chmod(name.sun_path, 0666);
  if (::listen(fd.get(), kBacklog) != 0) fail(errno, address, "listen failed");
  Listening result{{}, address};
  result.sockets.push_back(std::move(fd));
  return result;
}

// The protocol of sd_listen_fds(3): LISTEN_PID, LISTEN_FDS, and the names in LISTEN_FDNAMES, separated by colons.
Listening open_handed_over(const config::Address& address) {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value != nullptr ? value : "");
  };
  std::uint64_t pid = 0, count = 0;
  if (!http::parse_decimal(variable("LISTEN_PID"), UINT64_MAX, pid) || static_cast<pid_t>(pid) != ::getpid() ||
      !http::parse_decimal(variable("LISTEN_FDS"), 1024, count)) {
    fail(ENOENT, address, "no sockets were passed to this process (LISTEN_PID and LISTEN_FDS)");
  }
  std::string names = variable("LISTEN_FDNAMES") + ":";
  for (std::uint64_t i = 0; i < count && !names.empty(); ++i) {
    const auto colon = names.find(':');
    const bool ours = names.substr(0, colon) == address.host;
    names.erase(0, colon + 1);
    if (!ours) continue;
    Fd fd(::fcntl(kFirstHandedOver + static_cast<int>(i), F_DUPFD_CLOEXEC, kFirstHandedOver));
    int listening = 0;
    socklen_t size = sizeof listening;
    if (!fd || ::getsockopt(fd.get(), SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) != 0 || listening == 0) {
      fail(EINVAL, address, "the descriptor is not a listening socket");
    }
    (void)::fcntl(fd.get(), F_SETFL, ::fcntl(fd.get(), F_GETFL) | O_NONBLOCK);
    Listening result{{}, address};
    result.address.port = port_of(fd.get());
    result.sockets.push_back(std::move(fd));
    return result;
  }
  fail(ENOENT, address, "no socket of that name was passed (LISTEN_FDNAMES)");
}

}  // namespace

Fd::~Fd() {
  if (fd_ >= 0) ::close(fd_);
}

Listening open_listening(const config::Address& address, std::size_t count) {
  switch (address.kind) {
    case config::Address::Kind::Unix: return open_unix(address);
    case config::Address::Kind::Fd: return open_handed_over(address);
    case config::Address::Kind::Tcp: break;
  }
  return open_tcp(address, count);
}

void remove_socket_file(const config::Address& address) noexcept {
  if (address.kind == config::Address::Kind::Unix) ::unlink(address.host.c_str());
}

Peer peer_of(int socket, const std::string& listener) {
  Peer peer;
  peer.listener = listener;
  sockaddr_storage from{};
  socklen_t size = sizeof from;
  if (::getpeername(socket, reinterpret_cast<sockaddr*>(&from), &size) != 0) return peer;
  char text[INET6_ADDRSTRLEN] = "";
  if (from.ss_family == AF_INET) {
    const auto& in = reinterpret_cast<const sockaddr_in&>(from);
    peer.ip[10] = peer.ip[11] = 0xFF;
    std::memcpy(peer.ip.data() + 12, &in.sin_addr, 4);
    peer.port = ntohs(in.sin_port);
  } else if (from.ss_family == AF_INET6) {
    const auto& in = reinterpret_cast<const sockaddr_in6&>(from);
    std::memcpy(peer.ip.data(), &in.sin6_addr, 16);
    peer.port = ntohs(in.sin6_port);
  } else {
    return peer;
  }
  peer.has_ip = true;
  in6_addr whole{};
  std::memcpy(&whole, peer.ip.data(), 16);
  // On a dual-stack socket IPv4 clients have mapped addresses, which are converted.
  if (IN6_IS_ADDR_V4MAPPED(&whole)) {
    ::inet_ntop(AF_INET, peer.ip.data() + 12, text, sizeof text);
  } else {
    ::inet_ntop(AF_INET6, &whole, text, sizeof text);
  }
  peer.address = text;
  return peer;
}

}  // namespace forebay::server
