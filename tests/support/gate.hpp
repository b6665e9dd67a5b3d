#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <stop_token>

#include "support/socket.hpp"

namespace forebay::test {

/// A latch that a test opens: what an origin waits on instead of sleeping.
class Gate {
 public:
  void open() {
    {
      const std::lock_guard lock(mutex_);
      open_ = true;
    }
    changed_.notify_all();
  }
  /// False when the stop came first.
  bool wait(std::stop_token stop) {
    std::unique_lock lock(mutex_);
    ++reached_;
    changed_.notify_all();
    return changed_.wait(lock, std::move(stop), [&] { return open_; });
  }
  /// Waits until so many have come to the gate.
  bool reached(int times = 1) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, [&] { return reached_ >= times; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool open_ = false;
  int reached_ = 0;
};
using GatePtr = std::shared_ptr<Gate>;
inline GatePtr gate() { return std::make_shared<Gate>(); }

}  // namespace forebay::test
