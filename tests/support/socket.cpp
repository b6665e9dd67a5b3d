#include "support/socket.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "support/tls_layer.hpp"

namespace forebay::test {
namespace {

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

// Whether `events` came before the limit.
bool ready(int fd, short events, Clock::time_point until) {
  for (;;) {
    const auto left = std::chrono::duration_cast<milliseconds>(until - Clock::now()).count();
    pollfd p{fd, events, 0};
    const int n = ::poll(&p, 1, left > 0 ? static_cast<int>(left) : 0);
    if (n > 0) return true;
    if (n == 0) return false;
    if (errno != EINTR) return false;
  }
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_port = htons(port);
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return a;
}

}  // namespace

Socket::Socket() = default;
Socket::Socket(int fd) : fd_(fd) {}
Socket::Socket(Socket&& o) noexcept : fd_(std::exchange(o.fd_, -1)), tls_(std::move(o.tls_)) {}
Socket::~Socket() { close(); }

Socket& Socket::operator=(Socket&& o) noexcept {
  if (this != &o) {
    close();
    fd_ = std::exchange(o.fd_, -1);
    tls_ = std::move(o.tls_);
  }
  return *this;
}

Socket Socket::connect(std::uint16_t port) { return connect_from("", port); }

Socket Socket::connect_from(const std::string& address, std::uint16_t port) {
  auto s = connect_plain(address, port);
  if (is_tls(port)) s.start_tls({});
  return s;
}

void Socket::start_tls(const TlsOptions& options) { tls_ = TlsLayer::connect(fd_, options); }

Socket Socket::connect_plain(const std::string& address, std::uint16_t port) {
  Socket s{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  if (!s.open()) fail("socket");
  if (!address.empty()) {
    auto own = loopback(0);
    if (::inet_pton(AF_INET, address.c_str(), &own.sin_addr) != 1) fail("an address");
    if (::bind(s.fd_, reinterpret_cast<const sockaddr*>(&own), sizeof own) != 0) fail("bind");
  }
  const auto a = loopback(port);
  if (::connect(s.fd_, reinterpret_cast<const sockaddr*>(&a), sizeof a) != 0) fail("connect");
  const int on = 1;
  ::setsockopt(s.fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return s;
}

Socket Socket::connect_to(const std::string& address, std::uint16_t port) {
  const bool v6 = address.find(':') != std::string::npos;
  Socket s{::socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  if (!s.open()) fail("socket");
  auto v4 = loopback(port);
  sockaddr_in6 in6{};
  in6.sin6_family = AF_INET6;
  in6.sin6_port = htons(port);
  void* to = v6 ? static_cast<void*>(&in6.sin6_addr) : &v4.sin_addr;
  if (::inet_pton(v6 ? AF_INET6 : AF_INET, address.c_str(), to) != 1) fail("an address");
  const auto* a = v6 ? reinterpret_cast<const sockaddr*>(&in6) : reinterpret_cast<const sockaddr*>(&v4);
  if (::connect(s.fd_, a, v6 ? sizeof in6 : sizeof v4) != 0) fail("connect");
  const int on = 1;
  ::setsockopt(s.fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return s;
}

Socket Socket::connect_unix(const std::string& path) {
  Socket s{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  if (!s.open()) fail("socket");
  sockaddr_un a{};
  a.sun_family = AF_UNIX;
  std::strncpy(a.sun_path, path.c_str(), sizeof a.sun_path - 1);
  if (::connect(s.fd_, reinterpret_cast<const sockaddr*>(&a), sizeof a) != 0) fail("connect");
  return s;
}

Socket Socket::listen(std::uint16_t& port) {
  Socket s{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  if (!s.open()) fail("socket");
  const int on = 1;
  ::setsockopt(s.fd_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  auto a = loopback(port);
  if (::bind(s.fd_, reinterpret_cast<const sockaddr*>(&a), sizeof a) != 0) fail("bind");
  if (::listen(s.fd_, 1024) != 0) fail("listen");
  socklen_t size = sizeof a;
  ::getsockname(s.fd_, reinterpret_cast<sockaddr*>(&a), &size);
  port = ntohs(a.sin_port);
  return s;
}

Socket::Got Socket::receive(std::string& into, Clock::duration limit, std::size_t max) {
  if (tls_) return tls_->receive(into, limit, max);
  const auto until = Clock::now() + limit;
  for (;;) {
    if (!ready(fd_, POLLIN, until)) return Got::Timeout;
    const auto before = into.size();
    into.resize(before + max);
    const auto n = ::recv(fd_, into.data() + before, max, 0);
    into.resize(before + (n > 0 ? static_cast<std::size_t>(n) : 0));
    if (n > 0) return Got::Data;
    if (n == 0) return Got::End;
    if (errno != EINTR && errno != EAGAIN) return Got::Reset;
  }
}

bool Socket::send(std::string_view bytes, Clock::duration limit) {
  if (tls_) return tls_->send(bytes, limit);
  const auto until = Clock::now() + limit;
  while (!bytes.empty()) {
    if (!ready(fd_, POLLOUT, until)) return false;
    const auto n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0)
      bytes.remove_prefix(static_cast<std::size_t>(n));
    else if (errno != EINTR && errno != EAGAIN)
      return false;
  }
  return true;
}

void Socket::finish_sending() {
  if (tls_) tls_->say_end();
  ::shutdown(fd_, SHUT_WR);
}

void Socket::close() {
  if (fd_ >= 0 && tls_) tls_->say_end();
  tls_.reset();
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

void Socket::reset() {
  if (fd_ < 0) return;
  tls_.reset();
  const linger hard{1, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  close();
}

std::uint16_t Socket::local_port() const {
  sockaddr_in a{};
  socklen_t size = sizeof a;
  ::getsockname(fd_, reinterpret_cast<sockaddr*>(&a), &size);
  return ntohs(a.sin_port);
}

void Socket::shut() { ::shutdown(fd_, SHUT_RDWR); }

void Socket::receive_buffer(int bytes) { ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes); }

}  // namespace forebay::test
