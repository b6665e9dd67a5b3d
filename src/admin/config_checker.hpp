#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <thread>

#include "forebay/config/load.hpp"

namespace forebay::admin {

/// Checks texts of configurations in a thread of its own and of low priority, one at a time: a long one takes seconds,
/// for which neither clients nor probes may wait. Used by the admin worker only.
class ConfigChecker {
 public:
  ConfigChecker() = default;
  ConfigChecker(const ConfigChecker&) = delete;
  ~ConfigChecker() { stop(); }

  /// False where one is checked already, after `stop`, and where the system gives no thread. `then` is called on that
  /// thread, and must not wait.
  bool ask(std::string text, std::function<void(const config::TextVerdict&)> then);
  /// Ends what is being checked, whose `then` may be called before this returns.
  void stop() noexcept;

 private:
  std::thread thread_;
  std::atomic<bool> busy_{false}, stopping_{false};
};

}  // namespace forebay::admin
