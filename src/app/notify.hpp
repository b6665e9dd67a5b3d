#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "forebay/base/clock.hpp"

namespace forebay::app {

/// Notifies the service manager, if there is one (sd_notify(3)): a datagram to $NOTIFY_SOCKET, without libsystemd.
class Notifier {
 public:
  /// Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID.
  Notifier();
  ~Notifier();
  Notifier(const Notifier&) = delete;

  void ready(std::string_view status);
  /// RELOADING=1 with the monotonic time, as Type=notify-reload wants it.
  void reloading();
  /// As `ready`, with MAINPID: this process has replaced the one that the manager knows. `watchdog` is expected of this
  /// one from then on, also where WATCHDOG_PID is the other's.
  void ready_as_main(std::string_view status);
  void stopping();
  void status(std::string_view text);
  void watchdog();
  /// How often `watchdog` is expected; nothing when it is not.
  std::optional<Duration> watchdog_interval() const noexcept { return interval_; }

 private:
  void send(std::string_view text);
  int fd_ = -1;
  std::string path_;
  std::optional<Duration> interval_;
  std::optional<Duration> interval_of_main_;  // by WATCHDOG_USEC, whoever WATCHDOG_PID is
};

}  // namespace forebay::app
