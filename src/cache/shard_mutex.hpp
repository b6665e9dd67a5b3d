#pragma once

#include <atomic>
#include <cstdint>

#include "forebay/base/give_way.hpp"
#include "forebay/base/mutex.hpp"

namespace forebay::cache {

/// The mutex of a shard, which knows whether somebody waits for it: a mutex is not fair, and a thread that takes it
/// again and again gets it before one that has to wake up first.
class FOREBAY_THREAD_SAFETY(capability("mutex")) ShardMutex {
 public:
  void lock() FOREBAY_THREAD_SAFETY(acquire_capability()) FOREBAY_NOT_ANALYSED {
    if (!mutex_.try_lock()) lock_when_free();
  }
  void unlock() FOREBAY_THREAD_SAFETY(release_capability()) FOREBAY_NOT_ANALYSED { mutex_.unlock(); }
  /// For a long job that holds the lock in slices: lets those who wait have it first, for about a millisecond
  /// at most.
  void lock_after_others() FOREBAY_THREAD_SAFETY(acquire_capability()) {
    constexpr int kTurns = 2000;
    give_way(kTurns, [this] { return !is_waited_for(); });
    lock();
  }
  bool is_waited_for() const noexcept { return waiting_.load(std::memory_order_relaxed) != 0; }
  /// For the analysis alone: in a lambda that is called with the lock held.
  void held() const FOREBAY_THREAD_SAFETY(assert_capability(this)) {}

 private:
  void lock_when_free() FOREBAY_NOT_ANALYSED {
    waiting_.fetch_add(1, std::memory_order_relaxed);
    mutex_.lock();
    waiting_.fetch_sub(1, std::memory_order_relaxed);
  }
  Mutex mutex_;
  std::atomic<int> waiting_{0};
};

/// Holds it until it goes, or between `lock` and `unlock`.
class FOREBAY_THREAD_SAFETY(scoped_lockable) ShardLock {
 public:
  explicit ShardLock(ShardMutex& mutex) FOREBAY_THREAD_SAFETY(acquire_capability(mutex)) : mutex_(mutex) {
    mutex_.lock();
  }
  enum class After : std::uint8_t { Others };
  /// As `ShardMutex::lock_after_others`.
  ShardLock(ShardMutex& mutex, After) FOREBAY_THREAD_SAFETY(acquire_capability(mutex)) : mutex_(mutex) {
    mutex_.lock_after_others();
  }
  ShardLock(const ShardLock&) = delete;
  ~ShardLock() FOREBAY_THREAD_SAFETY(release_capability()) FOREBAY_NOT_ANALYSED {
    if (held_) mutex_.unlock();
  }

  void lock() FOREBAY_THREAD_SAFETY(acquire_capability()) FOREBAY_NOT_ANALYSED {
    mutex_.lock();
    held_ = true;
  }
  void unlock() FOREBAY_THREAD_SAFETY(release_capability()) FOREBAY_NOT_ANALYSED {
    held_ = false;
    mutex_.unlock();
  }
  bool owns_lock() const noexcept { return held_; }

 private:
  ShardMutex& mutex_;
  bool held_ = true;
};

}  // namespace forebay::cache
