#pragma once

#include <mutex>

// clang checks by these attributes (-Wthread-safety, `make analyze`) that what a mutex guards is touched under it
// alone. Other compilers see nothing of them.
#if defined(__clang__)
#define FOREBAY_THREAD_SAFETY(attribute) __attribute__((attribute))
#else
#define FOREBAY_THREAD_SAFETY(attribute)
#endif

/// A member that is read and written under this mutex.
#define FOREBAY_GUARDED_BY(mutex) FOREBAY_THREAD_SAFETY(guarded_by(mutex))
/// A function whose caller holds this mutex.
#define FOREBAY_REQUIRES(mutex) FOREBAY_THREAD_SAFETY(requires_capability(mutex))
/// A function that locks where the analysis cannot follow: which mutex it is is known at run time alone.
#define FOREBAY_NOT_ANALYSED FOREBAY_THREAD_SAFETY(no_thread_safety_analysis)

namespace forebay {

/// A std::mutex that the analysis knows.
class FOREBAY_THREAD_SAFETY(capability("mutex")) Mutex {
 public:
  void lock() FOREBAY_THREAD_SAFETY(acquire_capability()) { mutex_.lock(); }
  void unlock() FOREBAY_THREAD_SAFETY(release_capability()) { mutex_.unlock(); }
  bool try_lock() FOREBAY_THREAD_SAFETY(try_acquire_capability(true)) { return mutex_.try_lock(); }
  /// For the analysis alone: in a lambda that is called with the lock held.
  void held() const FOREBAY_THREAD_SAFETY(assert_capability(this)) {}

 private:
  friend class MutexLock;
  std::mutex mutex_;
};

/// Holds a mutex until it goes, or between `lock` and `unlock`.
class FOREBAY_THREAD_SAFETY(scoped_lockable) MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) FOREBAY_THREAD_SAFETY(acquire_capability(mutex)) : lock_(mutex.mutex_) {}
  MutexLock(const MutexLock&) = delete;
  ~MutexLock() FOREBAY_THREAD_SAFETY(release_capability()) {}

  void lock() FOREBAY_THREAD_SAFETY(acquire_capability()) { lock_.lock(); }
  void unlock() FOREBAY_THREAD_SAFETY(release_capability()) { lock_.unlock(); }
  bool owns_lock() const noexcept { return lock_.owns_lock(); }
  /// For a condition variable, whose `wait` gives the mutex back as it found it. Its condition is written as a loop,
  /// since the analysis does not see that the lambda of a predicate is called under the lock.
  std::unique_lock<std::mutex>& native() noexcept { return lock_; }

 private:
  std::unique_lock<std::mutex> lock_;
};

}  // namespace forebay
