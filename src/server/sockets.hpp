#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "forebay/config/config.hpp"
#include "forebay/server/exchange.hpp"
#include "forebay/server/listener.hpp"

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

/// Another descriptor for the same socket. Throws std::system_error.
Fd duplicate(int fd);

/// The file of a Unix socket. The destructor removes it, unless another file has taken its place.
class SocketFile {
 public:
  /// Throws std::system_error when there is no socket of that name.
  explicit SocketFile(config::Address address);
  SocketFile(const SocketFile&) = delete;
  ~SocketFile();
  /// Throws std::runtime_error with a description.
  void set_access(const config::Listener& listener) const;

 private:
  bool is_in_place() const noexcept;

  config::Address address_;
  Fd file_;  // by O_PATH
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

/// Listening sockets, bound and listening, not blocking.
struct Listening {
  std::vector<Fd> sockets;
  config::Address address;                 ///< With the port that was taken.
  std::shared_ptr<const SocketFile> file;  ///< Of a `unix:` listener.
};
/// `count` sockets for TCP, one for `unix:`, those of the name for `fd:`. Throws std::runtime_error with a
/// description, a std::system_error where a call of the system has failed.
Listening open_listening(const config::Listener& listener, std::size_t count, const Neighbours& neighbours = {});

/// Whose connection this is. `listener` is the metric label.
Peer peer_of(int socket, const std::string& listener);

}  // namespace forebay::server
