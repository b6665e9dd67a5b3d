#include "server/sockets.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <thread>

#include "forebay/base/guarded.hpp"
#include "forebay/http/list.hpp"
#include "server/inheritance.hpp"

namespace forebay::server {

namespace {

constexpr int kBacklog = 4096;  // the kernel takes no more than net.core.somaxconn

Fd make_socket(int family, int type = SOCK_STREAM) {
  return Fd(::socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

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
  if (address.host.empty() && address.v6_only) {
    Place all = any_ipv6();
    all.dual_stack = false;
    return {all};
  }
  // Where there is no IPv6, the second is taken.
  if (address.host.empty()) return {any_ipv6(), any_ipv4()};
  std::string host = address.host;
  if (host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_flags = AI_PASSIVE;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(host.c_str(), nullptr, &hints, &found);
  if (error != 0) cannot_listen(address, std::string("unknown host (") + ::gai_strerror(error) + ")");
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

enum class Binding : std::uint8_t { Probe, Listen };

// All listening sockets have SO_REUSEPORT: one for each worker, and a new address may overlap with an old one that is
// about to close.
Fd bind_to(const Place& place, Binding how) {
  Fd fd = make_socket(place.address.ss_family);
  if (!fd) return fd;
  switch_on(fd.get(), SOL_SOCKET, SO_REUSEADDR);
  if (how == Binding::Listen) switch_on(fd.get(), SOL_SOCKET, SO_REUSEPORT);
  if (place.address.ss_family == AF_INET6) {
    const int only = place.dual_stack ? 0 : 1;
    (void)::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only);
  }
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&place.address), place.size) != 0 ||
      (how == Binding::Listen && ::listen(fd.get(), kBacklog) != 0)) {
    const int error = errno;
    fd = Fd();
    errno = error;
  }
  return fd;
}

Listening open_tcp(const config::Address& address, std::size_t count, const Neighbours& neighbours) {
  Listening result{{}, address, {}};
  const bool overlaps = std::any_of(neighbours.own.begin(), neighbours.own.end(), [&](const config::Address& own) {
    return own.kind == config::Address::Kind::Tcp && own.port == address.port;
  });
  int error = EADDRNOTAVAIL;
  for (Place place : places_of(address)) {
    set_port(place, address.port);
    // With SO_REUSEPORT a second process could share the port unnoticed: a probe socket without it detects that.
    if (address.port != 0 && !overlaps) {
      const Fd probe = bind_to(place, Binding::Probe);
      if (!probe && errno == EADDRINUSE) cannot_listen(EADDRINUSE, address, "the port is in use by another process");
    }
    Fd first = bind_to(place, Binding::Listen);
    if (!first) {
      error = errno;
      continue;
    }
    result.address.port = port_of(first.get());
    set_port(place, result.address.port);
    result.sockets.push_back(std::move(first));
    while (result.sockets.size() < count) {
      Fd next = bind_to(place, Binding::Listen);
      if (!next) cannot_listen(errno, address, "cannot bind a socket for another worker");
      result.sockets.push_back(std::move(next));
    }
    return result;
  }
  cannot_listen(error, address,
                error == EACCES
                    ? "ports below 1024 need CAP_NET_BIND_SERVICE: use the unit of deploy/systemd, or setcap "
                      "cap_net_bind_service=+ep on the program"
                : error == EADDRINUSE    ? "the port is in use by another process"
                : error == EADDRNOTAVAIL ? "no interface has this address"
                                         : "bind failed");
}

sockaddr_un name_of(const config::Address& address) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  if (address.host.size() >= sizeof name.sun_path) cannot_listen(ENAMETOOLONG, address, "the path is too long");
  std::memcpy(name.sun_path, address.host.data(), address.host.size());
  return name;
}

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

/// Held from the look at a socket's file until somebody listens on it: between its `bind` and its `listen` a socket
/// looks like one that was left over, and another start would remove it. The lock is on the directory, so that no file
/// is needed. A holder that keeps it for longer is none of ours; who may not read the directory goes without it.
class StartLock {
 public:
  explicit StartLock(const std::string& path)
      : folder_(::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    constexpr auto kPatience = std::chrono::seconds{5};
    constexpr auto kAgain = std::chrono::milliseconds{5};
    for (auto left = Duration{kPatience}; folder_ && left.count() > 0; left -= kAgain) {
      if (::flock(folder_.get(), LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) return;
      std::this_thread::sleep_for(kAgain);
    }
  }

 private:
  Fd folder_;  // closing it ends the lock
};

// A socket file that nobody listens on is left over from an earlier run.
void remove_stale(const config::Address& address, const sockaddr_un& name) {
  struct stat file {};
  if (::lstat(name.sun_path, &file) != 0) return;
  if (!S_ISSOCK(file.st_mode)) cannot_listen(address, "a file of that name exists and is not a socket");
  const Fd probe = make_socket(AF_UNIX);
  if (!probe) cannot_listen(errno, address, "there is no descriptor for a socket");
  const int error = ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0 ? 0 : errno;
  switch (error) {
    case ECONNREFUSED: break;
    case EPROTOTYPE: cannot_listen(EADDRINUSE, address, "a socket of another type exists there");
    case EACCES: cannot_listen(EACCES, address, "a socket exists there, and whether it is in use cannot be told");
    default: cannot_listen(EADDRINUSE, address, "another process listens on it");
  }
  if (::unlink(name.sun_path) != 0 && errno != ENOENT)
    cannot_listen(errno, address, "a socket that nobody listens on exists there and cannot be removed");
}

Listening open_unix(const config::Listener& listener, int type = SOCK_STREAM) {
  const auto& address = listener.address;
  const auto name = name_of(address);
  const StartLock lock(address.host);
  remove_stale(address, name);
  Fd fd = make_socket(AF_UNIX, type);
  if (!fd || ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0) {
    const int error = errno;
    const auto folder = folder_of(address.host);
    cannot_listen(error, address,
                  error == ENOENT   ? "the directory " + folder + " does not exist"
                  : error == EACCES ? "this user may not write to the directory " + folder
                                    : std::string("bind failed"));
  }
  Listening result{{}, address, std::make_shared<SocketFile>(address)};
  // Nobody can connect before `listen`.
  result.file->set_access(listener);
  if (::listen(fd.get(), kBacklog) != 0) cannot_listen(errno, address, "listen failed");
  result.sockets.push_back(std::move(fd));
  return result;
}

int option_of(int fd, int option) {
  int value = -1;
  socklen_t size = sizeof value;
  return ::getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

// The number of a user or group by its name, or the number itself.
template <class Find>
std::uint32_t id_of(const config::Address& address, const std::string& name, const char* what, Find find) {
  std::uint64_t id = 0;
  if (http::parse_decimal(name, UINT32_MAX - 1, id)) return static_cast<std::uint32_t>(id);
  const auto found = find(name.c_str());
  if (!found) cannot_listen(address, std::string("there is no ") + what + " \"" + name + '"');
  return *found;
}

}  // namespace

void cannot_listen(int error, const config::Address& address, const std::string& what) {
  throw std::system_error(error, std::generic_category(), "cannot listen on " + address.text + ": " + what);
}

void cannot_listen(const config::Address& address, const std::string& what) {
  throw std::runtime_error("cannot listen on " + address.text + ": " + what);
}

Fd::~Fd() {
  if (fd_ >= 0) ::close(fd_);
}

std::uint16_t port_of(int fd) {
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size) != 0) return 0;
  if (bound.ss_family == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6&>(bound).sin6_port);
  return bound.ss_family == AF_INET ? ntohs(reinterpret_cast<const sockaddr_in&>(bound).sin_port) : std::uint16_t{0};
}

void check_listening(int socket, const config::Address& address) {
  using Kind = config::Address::Kind;
  const int domain = option_of(socket, SO_DOMAIN);
  if (domain < 0) cannot_listen(address, "the descriptor is not a socket");
  const bool tcp = domain == AF_INET || domain == AF_INET6;
  if (option_of(socket, SO_TYPE) != SOCK_STREAM || (!tcp && domain != AF_UNIX))
    cannot_listen(address, "the socket is not of type stream over TCP or a Unix socket (ListenStream=)");
  if (option_of(socket, SO_ACCEPTCONN) != 1)
    cannot_listen(address, "the descriptor is not a listening socket (Accept=no)");
  const bool other = (address.kind == Kind::Tcp && (!tcp || (address.port != 0 && port_of(socket) != address.port))) ||
                     (address.kind == Kind::Unix && tcp);
  if (other) cannot_listen(address, "the socket that was handed over has another address");
}

Fd duplicate(int fd) {
  Fd other(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!other) throw std::system_error(errno, std::generic_category(), "cannot keep a listening socket open");
  return other;
}

SocketFile::SocketFile(config::Address address)
    : address_(std::move(address)), file_(::open(address_.host.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC)) {
  look();
}

SocketFile::SocketFile(config::Address address, Fd file)
    : address_(std::move(address)), file_(std::move(file)), owned_(false) {
  look();
}

void SocketFile::look() {
  struct stat file {};
  if (!file_ || ::fstat(file_.get(), &file) != 0) cannot_listen(errno, address_, "the socket's file is gone");
  if (!S_ISSOCK(file.st_mode)) cannot_listen(EEXIST, address_, "another file has taken the place of the socket");
  device_ = file.st_dev;
  inode_ = file.st_ino;
}

SocketFile::~SocketFile() {
  if (!owned_) return;
  guarded(
      [this] {
        const StartLock lock(address_.host);
        if (is_in_place()) ::unlink(address_.host.c_str());
      },
      [] {});
}

// The file that is open keeps its number: no other file can have it.
bool SocketFile::is_in_place() const noexcept {
  struct stat file {};
  return ::lstat(address_.host.c_str(), &file) == 0 && file.st_dev == device_ && file.st_ino == inode_;
}

void SocketFile::set_access(const config::Listener& listener) const {
  // Without a mode, that of the directory controls who may connect.
  constexpr std::uint32_t kEverybody = 0666;
  const auto user = [](const char* name) -> std::optional<std::uint32_t> {
    const auto* found = ::getpwnam(name);
    return found != nullptr ? std::optional(found->pw_uid) : std::nullopt;
  };
  const auto group = [](const char* name) -> std::optional<std::uint32_t> {
    const auto* found = ::getgrnam(name);
    return found != nullptr ? std::optional(found->gr_gid) : std::nullopt;
  };
  const auto uid = listener.owner.empty() ? ::geteuid() : id_of(address_, listener.owner, "user", user);
  const auto gid = listener.group.empty() ? ::getegid() : id_of(address_, listener.group, "group", group);
  if (!is_in_place()) cannot_listen(ENOENT, address_, "the socket's file is gone, or another one has taken its place");
  // Not by the path: what stands there may change, and may be a link to anything.
  struct stat file {};
  if (::fstat(file_.get(), &file) != 0) cannot_listen(errno, address_, "the socket's file cannot be read");
  if ((file.st_uid != uid || file.st_gid != gid) && ::fchownat(file_.get(), "", uid, gid, AT_EMPTY_PATH) != 0)
    cannot_listen(errno, address_, "the socket's owner cannot be set");
  const auto by_number = "/proc/self/fd/" + std::to_string(file_.get());
  if (::chmod(by_number.c_str(), listener.mode.value_or(kEverybody)) != 0)
    cannot_listen(errno, address_, "the socket's mode cannot be set");
}

Listening open_listening(const config::Listener& listener, std::size_t count, const Neighbours& neighbours) {
  const auto names = handed_over();
  const bool by_systemd = listener.address.kind == config::Address::Kind::Fd &&
                          std::find(names.begin(), names.end(), listener.address.host) != names.end();
  if (neighbours.inherited != nullptr && !by_systemd)
    if (auto found = neighbours.inherited->take(listener.address)) return std::move(*found);
  switch (listener.address.kind) {
    case config::Address::Kind::Unix: return open_unix(listener);
    case config::Address::Kind::Fd: return open_handed_over(listener.address);
    case config::Address::Kind::Tcp: break;
  }
  return open_tcp(listener.address, count, neighbours);
}

Listening open_packets(const config::Address& address) {
  config::Listener listener;
  listener.address = address;
  listener.mode = 0600;
  return open_unix(listener, SOCK_SEQPACKET);
}

Peer peer_of(int socket, const std::string& listener) {
  Peer peer;
  peer.listener = listener;
  peer.unix_socket = option_of(socket, SO_DOMAIN) == AF_UNIX;
  sockaddr_storage from{};
  socklen_t size = sizeof from;
  if (::getpeername(socket, reinterpret_cast<sockaddr*>(&from), &size) != 0) return peer;
  // On a dual-stack socket IPv4 clients have mapped addresses, which are written as IPv4.
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
  peer.address = http::ip_text(peer.ip);
  return peer;
}

}  // namespace forebay::server
