#pragma once

#include <atomic>
#include <boost/container/small_vector.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "forebay/base/budget.hpp"
#include "forebay/base/guarded.hpp"
#include "forebay/base/hash.hpp"
#include "forebay/cache/entry.hpp"
#include "forebay/cache/flight.hpp"
#include "forebay/cache/selecting.hpp"
#include "forebay/cache/store.hpp"
#include "forebay/rules/freshness.hpp"
#include "lru.hpp"
#include "purge.hpp"
#include "shard_mutex.hpp"
#include "table.hpp"
#include "tags.hpp"

namespace forebay::cache {

/// Further flights of a key are not listed: many values of a Vary field must not make lock holds long.
inline constexpr std::size_t kMaxFlights = 64;

struct Slot;
class Filing;

/// The memory of a list of names.
std::size_t cost_of(const VaryRef& names) noexcept;
/// The memory of a std::string beside itself.
std::size_t cost_of_text(std::size_t size) noexcept;

/// What failed fetches for a stored response leave.
struct Pause {
  Timestamp until{};         // no refresh starts
  Timestamp wished_until{};  // the origin wants no request
  Timestamp serves_until{};  // it is served without asking
  Duration wished{0};        // how long the origin was given last

  void add(const RefreshPause& failed) noexcept;
};

/// One stored response of a key, and what may change about it.
struct Variant final : Item {
  Variant() : Item(Kind::Variant) {}
  /// `stated`: names of its own Vary, where they are not those of the slot.
  static std::size_t cost(std::string_view secondary, const VaryRef& stated) noexcept;
  /// Of it and its entry, compressed forms included.
  std::size_t bytes() const noexcept;
  bool has(const TagRecord& tag) const noexcept;

  // The members that a look-up reads come first.
  Variant* next_older = nullptr;     // in the slot, by the time it came or was freshened
  std::uint64_t purge_sequence = 0;  // of the latest purge when its fetch began; 0: it is purged
  std::uint64_t fingerprint = 0;
  VaryRef vary;            // the names that it is filed under
  bool refusable = false;  // has a coding that a request may refuse although the names match
  bool softened = false;   // by a soft purge since its fetch began
  rules::Freshness freshness;
  Ref<const Entry> entry;
  std::uint64_t hits = 0;     // since it was stored or last freshened
  std::uint64_t counted = 0;  // the order to purge that counted it last, and by which kinds
  Pause pause;                // likewise
  Slot* slot = nullptr;
  std::string secondary;
  VaryRef stated;                   // the names of its own Vary
  std::unique_ptr<TagLink[]> tags;  // one for each
  std::uint32_t tag_count = 0;
  Timestamp useless_after{};
  Charge charge;
};

/// A flight that others can find, and its secondary key.
struct ListedFlight {
  Ref<Flight> flight;
  VaryRef vary;  // the names that the slot knew, and since its head has come those that it is filed under
  std::string secondary;
  std::uint64_t fingerprint = 0;
};

/// The mutable state of a key. Its text follows in the same block.
struct Slot final : Item {
  struct Free {
    void operator()(Slot* s) const noexcept;
  };
  static std::size_t cost(std::size_t text_size) noexcept { return allocated_size(sizeof(Slot) + text_size); }
  static std::unique_ptr<Slot, Free> make(std::string_view text, std::uint64_t hash, const Digest& resource,
                                          const UrlSpans& url, Charge charge);

  std::string_view text() const noexcept { return {reinterpret_cast<const char*>(this + 1), text_size}; }
  /// Without variants and flights; it may still have pass memory or names.
  bool bare() const noexcept { return !newest && flights.empty(); }
  /// Sets the names, and charges them.
  VaryRef take_names(VaryRef names, Budget& budget, Charge& room) noexcept;
  /// After a refusable variant was removed.
  void weigh_refusable() noexcept;

  // The members that a look-up reads come first.
  std::uint64_t hash = 0;
  TableLink<Slot> by_key;
  const std::size_t text_size;
  Variant* newest = nullptr;
  VaryRef vary;                                    // all names of recent Vary fields; null: none
  bool refusable = false;                          // some variant is
  std::vector<ListedFlight> flights;               // the newest stands last
  Timestamp no_queue_until{};                      // pass memory,
  UrlSpans url;                                    // these are what a purge reads
  Signature signature;                             // of what it may search for
  rules::Reason pass_cause = rules::Reason::None;  // and why it was set
  Timestamp vary_seen{};                           // when a response last had all of `vary`
  std::size_t variants = 0;
  Timestamp remember_until{};  // `vary`
  Digest resource;
  std::uint64_t resource_hash = 0;
  TableLink<Slot> by_resource;
  Charge charge;

 private:
  explicit Slot(std::size_t size) : Item(Kind::Slot), text_size(size) {}
};
using SlotPtr = std::unique_ptr<Slot, Slot::Free>;

/// Objects removed under a lock, freed after it: declare it before the lock.
class Garbage {
 public:
  Garbage() = default;
  Garbage(const Garbage&) = delete;
  ~Garbage();
  void take(Item& item) noexcept {
    item.older = items_;
    items_ = &item;
  }
  void take(TagRecord& record) noexcept {
    record.by_tag.next = records_;
    records_ = &record;
  }
  /// Without memory to keep it, it is freed at once.
  void take(Owner owner) noexcept {
    if (owner) guarded([&] { owners_.push_back(std::move(owner)); }, [] {});
  }

 private:
  Item* items_ = nullptr;
  TagRecord* records_ = nullptr;
  boost::container::small_vector<Owner, 4> owners_;
};

/// Tags that a variant is to have in place of its own. Declare it before the lock.
class NewTags {
 public:
  explicit NewTags(std::span<const std::string_view> texts) : list_(texts) {}
  /// Without a lock. False when there is no memory.
  template <class Store>
  bool make_room(Store& store) {
    const auto cost = TagRoom::cost(list_);
    if (cost == 0) return true;
    auto charge = store.reserve(cost);
    if (charge.bytes() == 0) return false;
    room_ = TagRoom(list_, std::move(charge));
    return true;
  }
  std::span<const Digest> digests() const noexcept { return list_.digests(); }
  /// Under the lock.
  void give(Variant& variant, TagIndex& index, Budget& budget, Garbage& garbage) noexcept {
    index.replace(variant, room_, budget, garbage);
  }

 private:
  TagList list_;
  TagRoom room_;
};

/// What purges have done to a shard as a whole. Variants and flights know the number of the latest purge when they
/// began.
struct PurgeMarks {
  std::uint64_t hard = 1;  // variants from before are absent; so are those that were purged alone, which have 0
  std::uint64_t soft = 0;  // variants from before are stale since `soft_at`
  Timestamp soft_at{};
  std::uint64_t flights = 0;  // those from before are not joined
  std::uint64_t tags = 0;     // for those from before, the log knows whether one of their tags was purged
};

enum class Removal : std::uint8_t { Capacity, Expired, Replaced, Purged, TooManyVariants };

/// A part of the store under one lock. What its slots and variants hold is guarded by it, too.
struct alignas(64) Shard {
  Shard(Budget& b, std::atomic<std::uint64_t>& turns) : budget(b), lru(turns) {}

  Slot* find(std::uint64_t hash, std::string_view text) const noexcept FOREBAY_REQUIRES(mutex);
  Slot& insert(SlotPtr slot) noexcept FOREBAY_REQUIRES(mutex);
  /// The slots of a resource.
  Slot* first_of(const Digest& resource) const noexcept FOREBAY_REQUIRES(mutex);
  static Slot* next_of(const Slot& slot, const Digest& resource) noexcept;

  void add(Slot& slot, Variant& variant, TagRoom& tags, Garbage& garbage) noexcept FOREBAY_REQUIRES(mutex);
  /// Purged: not found any more, and not in `numbers.entries`, but still to be removed.
  bool is_dead(const Variant& variant) const noexcept FOREBAY_REQUIRES(mutex) {
    return variant.purge_sequence < marks.hard;
  }
  bool is_softened(const Variant& variant) const noexcept FOREBAY_REQUIRES(mutex) {
    return variant.softened || variant.purge_sequence < marks.soft;
  }
  void remove(Variant& variant, Removal why, Garbage& garbage) noexcept FOREBAY_REQUIRES(mutex);
  /// Makes it the newest of its slot, and of the shard.
  void renew(Variant& variant) noexcept FOREBAY_REQUIRES(mutex);
  /// Null where it was purged.
  Variant* variant_of(Slot& slot, const Entry* entry) const noexcept FOREBAY_REQUIRES(mutex);
  /// Sets the slot's names to those of the filing, and files the variant, new or existing; a variant filed under the
  /// same key is removed. `room` pays for what the names and the variant need more than before, as far as it goes.
  void file(Slot& slot, Variant& variant, const Filing& filing, Garbage& garbage, Charge room = {})
      FOREBAY_REQUIRES(mutex);
  /// Replaces the head of the variant, with new freshness.
  void freshen(Variant& variant, const Ref<const Entry>& freshened, const rules::Freshness& freshness,
               const Filing& filing, Garbage& garbage) FOREBAY_REQUIRES(mutex);

  static void list(Slot& slot, ListedFlight flight);
  /// Unlists the flight. No effect if it is not listed.
  static void unlist(Slot& slot, Flight& flight, Garbage& garbage) noexcept;

  /// Call it when something was removed from the slot: drops an empty slot, or lets it age.
  void tidy(Slot& slot, Garbage& garbage) noexcept FOREBAY_REQUIRES(mutex);
  void drop(Slot& slot, Garbage& garbage) noexcept FOREBAY_REQUIRES(mutex);
  /// Evicts from the end of the list; returns about how many bytes it freed.
  std::size_t evict_last(Garbage& garbage) noexcept FOREBAY_REQUIRES(mutex);
  /// Removes expired and dead items of the next `count` buckets, or of fewer, so that not much is freed at once.
  void sweep(std::size_t count, Timestamp now, Garbage& garbage) noexcept FOREBAY_REQUIRES(mutex);

  /// Makes it dead, or stale.
  void purge(Variant& variant, PurgeMode mode, Timestamp now) noexcept FOREBAY_REQUIRES(mutex);
  /// Makes all entries from before `sequence` dead. No effect if it was done.
  void purge_all(std::uint64_t sequence) noexcept FOREBAY_REQUIRES(mutex);
  /// Removes dead variants of the slot.
  void reap(Slot& slot, Garbage& garbage) noexcept FOREBAY_REQUIRES(mutex);
  /// Unlists flights from before `sequence`.
  static void unlist_older(Slot& slot, std::uint64_t sequence, Garbage& garbage) noexcept;

  struct Numbers {
    std::uint64_t entries = 0, dead = 0, removed[5] = {}, stored = 0, stored_bytes = 0;
  };
  /// Counts variants that have become dead, or were dead and are removed.
  void add_dead(std::uint64_t n) noexcept FOREBAY_REQUIRES(mutex);
  void take_dead() noexcept FOREBAY_REQUIRES(mutex);
  /// So many of its items are dead that a search finds some soon. From any thread.
  bool is_littered() const noexcept { return littered.load(std::memory_order_relaxed); }

  mutable ShardMutex mutex;
  Budget& budget;
  PurgeMarks marks FOREBAY_GUARDED_BY(mutex);
  Table<Slot, &Slot::hash, &Slot::by_key, &Slot::signature> by_key FOREBAY_GUARDED_BY(mutex);
  Table<Slot, &Slot::resource_hash, &Slot::by_resource> by_resource FOREBAY_GUARDED_BY(mutex);
  TagIndex tags FOREBAY_GUARDED_BY(mutex);
  Lru lru;
  std::uint64_t all_counted FOREBAY_GUARDED_BY(mutex) = 0;  // dead by purges of everything, in no order's count
  Numbers numbers FOREBAY_GUARDED_BY(mutex);
  std::size_t swept FOREBAY_GUARDED_BY(mutex) = 0;
  std::atomic<bool> littered{false};
};

}  // namespace forebay::cache
