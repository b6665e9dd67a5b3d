#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace forebay {

/// A number that one thread writes and others read. Relaxed, so an increment costs as much as a plain one.
class Cell {
 public:
  void add(std::uint64_t n = 1) noexcept {
    v_.store(v_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  void sub(std::uint64_t n = 1) noexcept {
    v_.store(v_.load(std::memory_order_relaxed) - n, std::memory_order_relaxed);
  }
  std::uint64_t read() const noexcept { return v_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> v_{0};
};

/// Counts per bucket, with one writing thread. `bounds` are inclusive upper bounds in ascending order; the last bucket
/// is everything above. The bounds must outlive the histogram.
template <std::size_t MaxBuckets = 24>
class Histogram {
 public:
  void observe(std::uint64_t value, const std::uint64_t* bounds, std::size_t n) noexcept {
    std::size_t i = 0;
    while (i < n && value > bounds[i]) ++i;
    buckets_[i].add();
    sum_.add(value);
  }
  std::uint64_t bucket(std::size_t i) const noexcept { return buckets_[i].read(); }
  std::uint64_t sum() const noexcept { return sum_.read(); }

 private:
  std::array<Cell, MaxBuckets + 1> buckets_{};
  Cell sum_;
};

}  // namespace forebay
