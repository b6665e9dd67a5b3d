#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace forebay::cache {

/// What can be evicted: a variant, or a slot that only remembers something.
struct Item {
  enum class Kind : std::uint8_t { Variant, Slot };
  explicit Item(Kind k) noexcept : kind(k) {}
  Item(const Item&) = delete;

  bool linked() const noexcept { return newer != nullptr; }

  Item* newer = nullptr;
  Item* older = nullptr;
  std::uint64_t stamp = 0;  // how many moves to the front this list had seen when the item came there
  std::uint64_t turn = 0;   // the same of the whole store, to compare lists by
  Kind kind;
};

/// One shard's items by the time of their last use, exact but for one thing: an item among the newest quarter stays
/// where it is, so that hits on hot keys hardly ever write. Under the shard's lock, but for `oldest`.
class Lru {
 public:
  explicit Lru(std::atomic<std::uint64_t>& turns) : turns_(turns) { ends_.newer = ends_.older = &ends_; }
  Lru(const Lru&) = delete;

  static constexpr std::uint64_t kEmpty = UINT64_MAX;
  /// The turn of the item that is next to go. From any thread.
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
  /// No more items can stand before this one than were moved to the front after it.
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
