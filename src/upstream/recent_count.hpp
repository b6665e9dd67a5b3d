#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "forebay/base/clock.hpp"

namespace forebay::upstream {

/// Counts events of the recent past in a ring of buckets. Thread-safe without a lock; constant time and memory.
class RecentCount {
 public:
  /// `bucket` is the length of one bucket, the resolution of all sums.
  explicit RecentCount(Duration bucket) noexcept : bucket_(bucket) {}

  void add(Timestamp now) noexcept;
  /// Takes one event back that was added at this time.
  void remove(Timestamp now) noexcept;
  /// The events of the bucket of `now` and of those before it, `buckets` in all (at most 12). They cover more than
  /// `buckets - 1` and at most `buckets` lengths.
  std::uint64_t sum(Timestamp now, unsigned buckets) const noexcept;
  void clear() noexcept;

 private:
  // More slots than a sum has buckets: a thread whose reading of the clock is older finds its bucket too.
  static constexpr std::size_t kSlots = 16;
  std::uint32_t number(Timestamp now) const noexcept {
    return static_cast<std::uint32_t>(now.time_since_epoch() / bucket_);
  }

  const Duration bucket_;
  std::array<std::atomic<std::uint64_t>, kSlots> slots_{};  // the bucket's number << 32 | its count
};

}  // namespace forebay::upstream
