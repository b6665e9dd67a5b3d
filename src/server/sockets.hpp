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

/// The file of a Unix socket. The destructor of its owner removes it, unless another file has taken its place.
class SocketFile {
 public:
  /// That of a socket which this process has bound, and owns. Throws std::system_error when there is none.
  explicit SocketFile(config::Address address);
  /// That of another process: `file` is open, by O_PATH. It stays that one's until `own`.
  SocketFile(config::Address address, Fd file);
  SocketFile(const SocketFile&) = delete;
  ~SocketFile();
  void own() noexcept { owned_ = true; }
  void disown() noexcept { owned_ = false; }
  /// Whether it is still what the path leads to.
  bool is_in_place() const noexcept;
  int descriptor() const noexcept { return file_.get(); }
  /// Throws std::runtime_error with a description.
  void set_access(const config::Listener& listener) const;

 private:
  void look();

  config::Address address_;
  Fd file_;  // by O_PATH
  dev_t device_ = 0;
  ino_t inode_ = 0;
  bool owned_ = true;
};

/// Throws std::system_error, or std::runtime_error where no call of the system has failed.
[[noreturn]] void cannot_listen(int error, const config::Address& address, const std::string& what);
[[noreturn]] void cannot_listen(const config::Address& address, const std::string& what);

/// Listening sockets, bound and listening, not blocking.
struct Listening {
  std::vector<Fd> sockets;
  config::Address address;           ///< With the port that was taken.
  std::shared_ptr<SocketFile> file;  ///< Of a `unix:` listener.
};
/// `count` sockets for TCP, one for `unix:`, those of the name for `fd:`. Throws std::runtime_error with a
/// description, a std::system_error where a call of the system has failed.
Listening open_listening(const config::Listener& listener, std::size_t count, const Neighbours& neighbours = {});

/// Those of the name, for `fd:`. Throws as `open_listening` does.
Listening open_handed_over(const config::Address& address);

/// A Unix socket of whole messages (SOCK_SEQPACKET), for this user and root alone. Throws as `open_listening` does.
Listening open_packets(const config::Address& address);

/// Throws std::runtime_error with a description if this is not a listening stream socket that is fit for `address`.
void check_listening(int socket, const config::Address& address);
/// 0 for a Unix socket.
std::uint16_t port_of(int socket);

/// Whose connection this is. `listener` is the metric label.
Peer peer_of(int socket, const std::string& listener);

}  // namespace forebay::server
