#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace forebay::cache {

/// What can be evicted: a variant, or a slot without variants and flights.
struct Item {
  enum class Kind : std::uint8_t { Variant, Slot };
  explicit Item(Kind k) noexcept : kind(k) {}
  Item(const Item&) = delete;

  bool linked() const noexcept { return newer != nullptr; }

  Item* newer = nullptr;
  Item* older = nullptr;
  std::uint64_t stamp = 0;  // number of moves to the front of this list when the item got there
  std::uint64_t turn = 0;   // the same of the whole store, to compare lists by
  Kind kind;
};

/// One shard's items by last use. An item in the newest quarter is not moved, so that hits on hot keys hardly ever
/// write. Under the shard's lock, except `oldest`.
class Lru {
 public:
  explicit Lru(std::atomic<std::uint64_t>& turns) : turns_(turns) { ends_.newer = ends_.older = &ends_; }
  Lru(const Lru&) = delete;

  static constexpr std::uint64_t kEmpty = UINT64_MAX;
  /// The turn of the next item to evict. From any thread.
  std::uint64_t oldest() const noexcept { return oldest_.load(std::memory_order_relaxed); }
  Item* last() noexcept { return ends_.newer == &ends_ ? nullptr : ends_.newer; }
  std::size_t size() const noexcept { return size_; }

  void add(Item& item) noexcept {
    item.stamp = ++moves_;
    item.turn = turns_.fetch_add(1, std::memory_order_relaxed);
    item.older = ends_.older;
    item.newer = &ends_;
    ends_.older->newer = &item;
    ends_.older = &item;
    ++size_;
    publish();
  }
  void remove(Item& item) noexcept {
    item.newer->older = item.older;
    item.older->newer = item.newer;
    item.newer = item.older = nullptr;
    --size_;
    publish();
  }
  /// At most as many items are before this one as were moved to the front after it.
  void touch(Item& item) noexcept {
    if (ends_.older == &item || moves_ - item.stamp < size_ / 4) return;
    remove(item);
    add(item);
  }

 private:
  // `ends_.older` is the newest item, `ends_.newer` the oldest.
  void publish() noexcept {
    oldest_.store(ends_.newer == &ends_ ? kEmpty : ends_.newer->turn, std::memory_order_relaxed);
  }

  Item ends_{Item::Kind::Slot};
  std::size_t size_ = 0;
  std::uint64_t moves_ = 0;
  std::atomic<std::uint64_t> oldest_{kEmpty};
  std::atomic<std::uint64_t>& turns_;
};

}  // namespace forebay::cache
