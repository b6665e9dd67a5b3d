#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <utility>

namespace forebay::proxy {

/// A queue of bounded length between any threads, without a lock, so that a thread of low priority that is suspended in
/// the middle of a call delays nobody. (D. Vyukov's: each cell has the number of the turn that it is ready for.)
template <class T, std::size_t kSize>
class BoundedQueue {
  static_assert((kSize & (kSize - 1)) == 0);

 public:
  BoundedQueue() {
    for (std::size_t i = 0; i < kSize; ++i) cells_[i].turn.store(i, std::memory_order_relaxed);
  }
  BoundedQueue(const BoundedQueue&) = delete;

  /// False when it is full; `item` is left alone then.
  bool push(T& item) noexcept {
    std::size_t at = end_.load(std::memory_order_relaxed);
    for (;;) {
      Cell& cell = cells_[at % kSize];
      const std::size_t turn = cell.turn.load(std::memory_order_acquire);
      if (turn == at) {
        if (!end_.compare_exchange_weak(at, at + 1, std::memory_order_relaxed)) continue;
        cell.item = std::move(item);
        cell.turn.store(at + 1, std::memory_order_release);
        return true;
      }
      if (turn < at) return false;
      at = end_.load(std::memory_order_relaxed);
    }
  }
  /// False when it is empty.
  bool pop(T& item) noexcept {
    std::size_t at = begin_.load(std::memory_order_relaxed);
    for (;;) {
      Cell& cell = cells_[at % kSize];
      const std::size_t turn = cell.turn.load(std::memory_order_acquire);
      if (turn == at + 1) {
        if (!begin_.compare_exchange_weak(at, at + 1, std::memory_order_relaxed)) continue;
        item = std::move(cell.item);
        cell.turn.store(at + kSize, std::memory_order_release);
        return true;
      }
      if (turn <= at) return false;
      at = begin_.load(std::memory_order_relaxed);
    }
  }
  /// About how many there are.
  std::size_t size() const noexcept {
    const std::size_t begin = begin_.load(std::memory_order_relaxed);
    const std::size_t end = end_.load(std::memory_order_relaxed);
    return end > begin ? end - begin : 0;
  }

 private:
  struct Cell {
    std::atomic<std::size_t> turn;
    T item;
  };
  std::array<Cell, kSize> cells_;
  alignas(64) std::atomic<std::size_t> end_{0};
  alignas(64) std::atomic<std::size_t> begin_{0};
};

}  // namespace forebay::proxy
