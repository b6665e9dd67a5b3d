#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace forebay::upstream {

/// One accepted connection, seen from the origin. Blocking; every read ends after two minutes, so that a failing test
/// ends too.
class Peer {
 public:
  explicit Peer(int fd) : fd_(fd) {
    const timeval limit{120, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }
  Peer(const Peer&) = delete;
  ~Peer() { close(); }

  /// Shakes hands as the server; whether that was done. All that follows goes over TLS.
  bool secure(SSL_CTX* context) {
    ssl_.reset(SSL_new(context));
    SSL_set_fd(ssl_.get(), fd_);
    if (SSL_accept(ssl_.get()) == 1) return true;
    ERR_clear_error();
    return false;
  }
  /// Sends close_notify.
  void say_end() {
    SSL_shutdown(ssl_.get());
    ERR_clear_error();
  }
  bool resumed() const { return SSL_session_reused(ssl_.get()) == 1; }
  /// From now on in plain text again.
  void drop_tls() { ssl_.reset(); }

  /// Up to and with `end`; empty when the connection ends before it.
  std::string read_until(std::string_view end) {
    std::size_t at;
    while ((at = buffer_.find(end)) == std::string::npos) {
      if (!fill()) return {};
    }
    return take(at + end.size());
  }
  std::string read_head() { return read_until("\r\n\r\n"); }
  std::string read_exactly(std::size_t n) {
    while (buffer_.size() < n && fill()) {
    }
    return take(std::min(n, buffer_.size()));
  }
  /// All that comes until the connection ends.
  std::string read_rest() {
    while (fill()) {
    }
    return take(buffer_.size());
  }
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto n = ssl_ ? SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()))
                          : ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }
  void close() {
    if (const int fd = fd_.exchange(-1); fd >= 0) ::close(fd);
  }
  void shutdown_send() { ::shutdown(fd_, SHUT_WR); }
  /// Ends the connection by a reset.
  void reset() {
    const linger now{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close();
  }
  void shutdown() {
    if (const int fd = fd_; fd >= 0) ::shutdown(fd, SHUT_RDWR);
  }

 private:
  bool fill() {
    char bytes[16384];
    const auto n = ssl_ ? SSL_read(ssl_.get(), bytes, sizeof bytes) : ::recv(fd_, bytes, sizeof bytes, 0);
    if (n <= 0) return false;
    buffer_.append(bytes, static_cast<std::size_t>(n));
    return true;
  }
  std::string take(std::size_t n) {
    auto taken = buffer_.substr(0, n);
    buffer_.erase(0, n);
    return taken;
  }

  struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  std::atomic<int> fd_;
  std::unique_ptr<SSL, Free> ssl_;
  std::string buffer_;
};

/// On 127.0.0.`last`, and a port of the kernel's choice where `port` is 0.
inline int listen_on_loopback(int backlog, std::uint16_t& port, std::uint32_t last = 1) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl((INADDR_LOOPBACK & ~255U) | last);
  address.sin_port = htons(port);
  socklen_t size = sizeof address;
  ::bind(fd, reinterpret_cast<sockaddr*>(&address), size);
  ::listen(fd, backlog);
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  port = ntohs(address.sin_port);
  return fd;
}

/// An origin that does on each connection what its script says: one thread a connection. The script gets the
/// connection's number, from 1 on.
class ScriptedOrigin {
 public:
  using Script = std::function<void(Peer&, int)>;

  explicit ScriptedOrigin(Script script, std::uint16_t port = 0, std::uint32_t last = 1)
      : script_(std::move(script)), port_(port) {
    listener_ = listen_on_loopback(128, port_, last);
    acceptor_ = std::thread([this] { accept(); });
  }
  /// Answers each request on each connection with these bytes.
  static Script always(std::string answer) {
    return [answer = std::move(answer)](Peer& peer, int) {
      while (!peer.read_head().empty()) peer.send(answer);
    };
  }
  ~ScriptedOrigin() {
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    ::close(listener_);
    for (auto& peer : peers_) peer.shutdown();
    for (auto& thread : threads_) thread.join();
  }

  std::uint16_t port() const { return port_; }
  /// Accepts no more connections: they are refused.
  void refuse() { ::shutdown(listener_, SHUT_RDWR); }
  int connections() const { return connections_; }
  /// Notes something for the test to look at.
  void note(std::string text) {
    const std::lock_guard lock(mutex_);
    notes_.push_back(std::move(text));
  }
  std::vector<std::string> notes() const {
    const std::lock_guard lock(mutex_);
    return notes_;
  }

 private:
  void accept() {
    for (;;) {
      const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) return;
      auto& peer = peers_.emplace_back(fd);
      threads_.emplace_back([this, &peer, number = ++connections_] {
        script_(peer, number);
        peer.close();
      });
    }
  }

  Script script_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_{0};
  std::list<Peer> peers_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
  mutable std::mutex mutex_;
  std::vector<std::string> notes_;
};

/// A port nobody listens on.
inline std::uint16_t closed_port() {
  std::uint16_t port = 0;
  ::close(listen_on_loopback(1, port));
  return port;
}

/// A port where connecting never ends: the queue of its listener is full.
class BlackHole {
 public:
  explicit BlackHole(std::uint16_t port = 0, std::uint32_t last = 1)
      : port_(port), listener_(listen_on_loopback(0, port_, last)) {
    for (int& fd : fillers_) {
      fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_addr.s_addr = htonl((INADDR_LOOPBACK & ~255U) | last);
      address.sin_port = htons(port_);
      ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address);
    }
  }
  ~BlackHole() {
    for (const int fd : fillers_) ::close(fd);
    ::close(listener_);
  }
  std::uint16_t port() const { return port_; }

 private:
  std::uint16_t port_ = 0;
  int listener_;
  int fillers_[4];
};

}  // namespace forebay::upstream
