#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <vector>

#include "forebay/base/hash.hpp"
#include "forebay/base/mutex.hpp"

namespace forebay::cache {

/// The store's sequence of purges, and their resources. A fetch keeps the number at its start; its response is refused
/// when a later purge names its resource. Its lock is the innermost: it may be taken under a shard's lock.
class PurgeLog {
 public:
  explicit PurgeLog(std::size_t capacity = 4096) : capacity_(capacity) {}

  std::uint64_t current() const noexcept { return sequence_.load(std::memory_order_acquire); }
  /// Lists the resources under the next number, and returns it. Call it before the shards are searched: a later commit
  /// finds the purge in the list, an earlier one is found by the search.
  std::uint64_t add(const std::vector<Digest>& resources);
  /// Whether a fetch of this resource that began at `since` is outdated. When the list does not reach back to `since`,
  /// it is.
  bool forbids(std::uint64_t since, const Digest& resource) const;

 private:
  struct Named {
    std::uint64_t sequence;
    Digest resource;
  };
  std::atomic<std::uint64_t> sequence_{0};
  mutable Mutex mutex_;
  std::deque<Named> named_ FOREBAY_GUARDED_BY(mutex_);
  std::uint64_t forgotten_ FOREBAY_GUARDED_BY(mutex_) = 0;  // the latest number that is no longer listed completely
  std::size_t capacity_;
};

}  // namespace forebay::cache
