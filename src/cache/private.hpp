#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <vector>

#include "decision.hpp"
#include "filing.hpp"
#include "forebay/cache/store.hpp"
#include "purge.hpp"
#include "shard.hpp"

namespace forebay::cache {

struct Store::Private {
  /// A slot allocated before the lock is taken, in case there is none: its memory may have to come from other shards.
  class SpareSlot {
   public:
    /// Without the lock. False when there is no memory for it.
    bool make(Private& store, std::string_view text, std::uint64_t hash, const Digest& resource, const UrlSpans& url);
    bool ready() const noexcept { return slot_ != nullptr; }
    SlotPtr use() noexcept { return std::move(slot_); }

   private:
    SlotPtr slot_;
  };

  class Listing;  // one page of a listing

  explicit Private(const StoreOptions& options);
  ~Private();

  std::uint64_t hash_of(std::string_view key_text) const noexcept;
  Shard& shard_of(std::uint64_t hash) noexcept {
    return *shards[static_cast<std::size_t>(hash >> 32) & (shards.size() - 1)];
  }

  Charge reserve(std::size_t n);
  /// Evicts about `wanted` bytes, least recently used first, in slices. False when nothing is left to evict.
  bool evict(std::size_t wanted);

  Lookup look_up(Store& store, const LookupRequest& request, Flight* superseded, Flight* failed = nullptr);
  static void follow_together(Decision& decision, Flight& failed);
  Peek peek(const LookupRequest& request);
  Ref<Flight> new_flight() const;
  /// Changes the variant that `entry` is, if it is still there.
  template <class Change>
  bool change_variant(std::string_view key_text, const Entry* entry, Change&& change);

  /// Changes the slot of a key, if there is one, under the lock under which `filing` fits it.
  template <class Change>
  void file(const Key& key, Filing& filing, bool make_slot, Change&& change);

  /// Counts the order for each kind that it has.
  void count(const PurgeOrder& order, const Purged& purged) noexcept;

  Budget budget;
  std::uint64_t hash_mask;
  std::atomic<std::uint64_t> turns{0};
  std::vector<std::unique_ptr<Shard>> shards;
  PurgeLog purges;
  std::atomic<std::uint64_t> orders{0};  // also dry runs
  struct Purges {
    std::array<std::atomic<std::uint64_t>, kPurgeKinds> orders{}, entries{};
  };
  std::array<Purges, 2> purge_numbers{};  // by mode
  std::atomic<std::uint64_t> invalidated{0};
  std::atomic<std::size_t> next_swept{0};
  Ref<WaitingCount> waiting{new WaitingCount};
};

}  // namespace forebay::cache
