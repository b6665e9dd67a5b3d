#pragma once

#include <atomic>
#include <functional>
#include <vector>

#include "forebay/base/mutex.hpp"

namespace forebay::proxy {

/// The process that replaces this one, for writes that still come here: what they make stale is stored there. Requests
/// to purge that come while one is on its way share the next one. Any thread may call it.
class Successor {
 public:
  /// Called on another thread. It must not wait.
  using Done = std::function<void()>;

  /// There is one from now on. `ask` is called on any thread when `take` has something; it must not wait.
  void open(std::function<void()> ask);
  /// It is to drop what it has fetched so far. `done` is called when it has, or when it is gone. False where there is
  /// none, or no memory for `done`, which is not called then.
  bool purge(Done done) noexcept;
  /// Whether it is to be asked now; `settle` follows when it has purged.
  bool take();
  void settle();
  /// It is gone, and nobody waits for it any longer.
  void close();

 private:
  Mutex mutex_;
  std::function<void()> ask_;  // set while it is not open
  std::atomic<bool> open_{false};
  bool wanted_ FOREBAY_GUARDED_BY(mutex_) = false;
  bool asked_ FOREBAY_GUARDED_BY(mutex_) = false;
  std::vector<Done> waiting_ FOREBAY_GUARDED_BY(mutex_);  // for the next time
  std::vector<Done> sent_ FOREBAY_GUARDED_BY(mutex_);
};

}  // namespace forebay::proxy
