#include "notify.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>

namespace forebay::app {

Notifier::Notifier() {
  const char* path = std::getenv("NOTIFY_SOCKET");
  // "@" is an abstract socket; other values must be absolute paths.
  if (path != nullptr && (*path == '/' || *path == '@') && std::strlen(path) < sizeof(sockaddr_un::sun_path)) {
    path_ = path;
    fd_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  }
  const char* usec = std::getenv("WATCHDOG_USEC");
  const char* pid = std::getenv("WATCHDOG_PID");
  if (usec == nullptr) return;
  if (const auto n = std::atoll(usec); n > 0) interval_of_main_ = std::chrono::microseconds(n) / 2;
  if (pid == nullptr || std::atol(pid) == ::getpid()) interval_ = interval_of_main_;
}

Notifier::~Notifier() {
  if (fd_ >= 0) ::close(fd_);
}

void Notifier::send(std::string_view text) {
  if (fd_ < 0) return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path_.data(), path_.size());
  if (path_[0] == '@') address.sun_path[0] = '\0';
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path_.size());
  // Errors are ignored: without a listener nothing changes.
  [[maybe_unused]] const auto sent =
      ::sendto(fd_, text.data(), text.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address), length);
}

void Notifier::ready(std::string_view status) { send("READY=1\nSTATUS=" + std::string(status)); }

void Notifier::ready_as_main(std::string_view status) {
  interval_ = interval_of_main_;
  send("MAINPID=" + std::to_string(::getpid()) + "\nREADY=1\nSTATUS=" + std::string(status));
}

void Notifier::status(std::string_view text) { send("STATUS=" + std::string(text)); }

void Notifier::reloading() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(now.tv_sec * 1'000'000LL + now.tv_nsec / 1000));
}

void Notifier::stopping() { send("STOPPING=1"); }
void Notifier::watchdog() { send("WATCHDOG=1"); }

}  // namespace forebay::app
