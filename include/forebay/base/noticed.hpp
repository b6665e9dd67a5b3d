#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace forebay {

/// Remembers what has been reported, so that each is reported once. Bounded: when it is full, nothing is new any more.
/// From any thread, without a lock.
class Noticed {
 public:
  /// How many keys it remembers.
  static constexpr std::size_t kMost = 64;

  /// True for the first call with this key.
  bool first(std::uint64_t key) noexcept {
    key = key == 0 ? ~std::uint64_t{0} : key;
    for (auto& cell : cells_) {
      std::uint64_t there = cell.load(std::memory_order_relaxed);
      if (there == 0 && cell.compare_exchange_strong(there, key, std::memory_order_relaxed)) return true;
      if (there == key) return false;
    }
    return false;
  }

 private:
  std::array<std::atomic<std::uint64_t>, kMost> cells_{};
};

}  // namespace forebay
