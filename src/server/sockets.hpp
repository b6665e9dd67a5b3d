#pragma once

#include <string>
#include <utility>
#include <vector>

#include "forebay/config/config.hpp"
#include "forebay/server/exchange.hpp"

namespace forebay::server {

/// A file descriptor; the destructor closes it.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) noexcept : fd_(fd) {}
  Fd(Fd&& o) noexcept : fd_(std::exchange(o.fd_, -1)) {}
  Fd& operator=(Fd&& o) noexcept {
    std::swap(fd_, o.fd_);
    return *this;
  }
  ~Fd();
  int get() const noexcept { return fd_; }
  int release() noexcept { return std::exchange(fd_, -1); }
  explicit operator bool() const noexcept { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

/// Listening sockets, bound and listening, not blocking.
struct Listening {
  std::vector<Fd> sockets;
  config::Address address;  ///< With the port that was taken.
};
/// `count` sockets for TCP, one for `unix:` and `fd:`. Throws std::system_error with a description.
Listening open_listening(const config::Address& address, std::size_t count);
/// Removes the socket file of a `unix:` listener.
void remove_socket_file(const config::Address& address) noexcept;

/// Whose connection this is. `listener` is the metric label.
Peer peer_of(int socket, const std::string& listener);

}  // namespace forebay::server
