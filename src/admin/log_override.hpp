#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "forebay/base/log.hpp"
#include "forebay/net/worker.hpp"

namespace forebay::admin {

/// A level of the operational log that an operator has chosen in place of the configured one. Used by the admin worker
/// only.
class LogOverride {
 public:
  /// Until it is set again, or a reload changes `log`.
  void set(log::Level level) {
    deadline_.reset();
    log::set_level(level);
  }
  /// The same for so long; then it becomes `after()`.
  void set_for(net::Worker& worker, log::Level level, Duration time, std::function<log::Level()> after);
  /// The time that is left; nothing where it has no end.
  std::optional<Duration> left(Timestamp now) const;

 private:
  std::unique_ptr<net::Deadline> deadline_;
  log::Level level_ = log::Level::Info;
  Timestamp until_{};
};

}  // namespace forebay::admin
