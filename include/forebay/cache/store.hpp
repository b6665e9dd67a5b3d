#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "forebay/base/budget.hpp"
#include "forebay/cache/entry.hpp"
#include "forebay/cache/flight.hpp"
#include "forebay/cache/key.hpp"
#include "forebay/cache/purge_order.hpp"
#include "forebay/cache/selecting.hpp"
#include "forebay/rules/policy.hpp"
#include "forebay/rules/reuse.hpp"
#include "forebay/rules/storability.hpp"
#include "forebay/rules/vary.hpp"

namespace forebay::cache {

class Store;
class Filing;
struct Purgeable;
struct Listed;
struct ListPage;
struct ListQuery;

/// The result of a finished fetch, for the store.
struct Landing {
  Ref<const PublishedHead> head;
  Ref<http::Body> body;
  rules::Freshness freshness;
  rules::VaryList vary;                   ///< Of the response.
  std::optional<std::uint64_t> length{};  ///< Of the body, where the origin stated it.
  std::vector<Digest> tags{};             ///< `tag_digest` of each; those that the commit will have.
};

/// The result of a commit.
struct Committed {
  Ref<const Entry> entry;              ///< What is stored now, so that another tier can keep it; null: nothing.
  std::uint32_t variants_evicted = 0;  ///< Dropped because the key had more than `max_variants`.
  operator bool() const noexcept { return entry != nullptr; }
};

/// How long a stored response is left alone after the fetch for it has failed.
struct RefreshPause {
  const Entry* entry = nullptr;  ///< Which one. Nothing pauses where it is not stored any more, or was freshened.
  Timestamp from{};
  /// For so long no hit on it starts another refresh, so that an origin that is down gets few requests.
  Duration least{0};
  /// The origin wants no request for so long (Retry-After). The first pause has at most ten seconds, each further one
  /// at most twice the one before, and none more than five minutes: one failure alone does not stop many requests.
  Duration wished{0};
  /// Stale-if-error covers the failure: requests that may have the stored response get it without asking while the
  /// origin wants none.
  bool serves = false;
};

/// The right to fetch for one key, and the duty to report the result. If it is dropped without a result, the flight is
/// Abandoned: its followers look up again and one takes over. Movable; used by the leader's thread. Each call locks the
/// shard once; followers are woken after it.
class Ticket {
 public:
  Ticket() = default;
  Ticket(Ticket&& o) noexcept;
  Ticket& operator=(Ticket&& o) noexcept;
  ~Ticket();
  explicit operator bool() const noexcept { return flight_ != nullptr; }

  /// The flight; the leader follows it like its followers.
  const Ref<Flight>& flight() const noexcept { return flight_; }

  /// A storable head has arrived: followers are served as the body streams. The ticket stays, for commit or drop;
  /// dropping it then only removes the flight (an older entry stays). `request`, here and below: the request of the
  /// response.
  void land(Landing landing, const Selecting& request, const rules::Policy& policy);
  /// Whether a commit can succeed, as far as known: no purge since the flight's start names the resource.
  bool may_commit() const;
  /// The body is complete: removes the flight and adds the entry under one lock, unless a purge later than the flight's
  /// start matches, or there is no memory. For a private flight too.
  Committed commit(const EntryParts& parts, const rules::Freshness& freshness, const rules::VaryList& vary,
                   const Selecting& request, const rules::Policy& policy, std::uint64_t fingerprint, Timestamp now);
  /// A 304 has validated `entry` (a variant of this key): it is replaced by `freshened` (the same body) with new
  /// freshness, and selected by requests like this one under its new Vary. False when it has been purged meanwhile.
  /// `tags`: those that the 304 states (RFC 9111 section 3.2), in place of the ones that it has.
  bool freshen(const Ref<const Entry>& entry, const Ref<const Entry>& freshened, const rules::Freshness& freshness,
               const rules::VaryList& vary, const Selecting& request, const rules::Policy& policy, Timestamp now,
               std::optional<std::span<const std::string_view>> tags = std::nullopt);
  /// The response is for this request only. Because of the response: pass memory is set until `no_queue_until` under
  /// the same lock; because of the request: nothing is remembered. `reason` is remembered as the cause. The ticket
  /// stays usable for `commit` (a `no-cache` answer is NotShareable and yet stored).
  void own(rules::Reason reason, bool by_request, Timestamp no_queue_until);
  /// No response; followers are notified, none fetches again.
  void fail(Failure failure, RefreshPause pause = {});
  /// The body is too large to be stored: closes joins and sets pass memory under one lock. The caller then sets the
  /// body's window.
  void outgrow(Timestamp no_queue_until);
  /// Releases the flight: after land/own when nothing will be stored.
  void drop(RefreshPause pause = {});

 private:
  friend class Store;
  Ticket(Store& store, Ref<Flight> flight, const Key& key);
  struct Hold;
  /// Runs under the lock, once `filing` fits the key's slot.
  template <class Act>
  void with(Filing& filing, Act&& act);
  Store* store_ = nullptr;
  Ref<Flight> flight_;
  Purgeable purgeable(std::span<const Digest> tags) const noexcept;
  std::string key_text_;
  Digest resource_;
  UrlSpans url_;
  VaryRef seen_vary_;  // the slot's names at the look-up
};

/// Recent responses for the key could not be shared: later requests do not wait for one.
struct PassMemory {
  rules::Reason cause = rules::Reason::None;  ///< Why the response could not be shared.
  Duration left{0};                           ///< Remaining time; 0: none is set.
  explicit operator bool() const noexcept { return left > Duration{0}; }
};

/// One look-up, as a value.
struct LookupRequest {
  const Key& key;
  const Selecting& selecting;
  const rules::RequestFacts& facts;
  const rules::Policy& policy;
  std::uint64_t fingerprint = 0;
  Timestamp now{};
  /// Whether this request may start a flight for others. If not, it gets Pass without a ticket instead of Lead or Join.
  /// A HEAD leads or joins only when nothing is stored for it and no pass memory is set; its leader fetches by GET.
  bool may_lead = true;
  /// When nothing is stored for it: Pass without an entry, and no flight is joined or begun.
  bool only_stored = false;
  /// For `refresh_ahead: auto`: exponentially distributed with mean 1; see rules::refreshes_ahead.
  double draw = 0;
};

/// What is stored for a request.
struct Stored {
  Ref<const Entry> entry;      ///< Null: nothing for this request.
  rules::Freshness freshness;  ///< Of `entry`.
  VaryRef names;               ///< The names that select among the key's responses; `entry` was selected by them.
  bool names_old = false;      ///< No recent response has stated them.
};

/// Serve the stored response. With a ticket, this request starts an early refresh.
struct Fresh {
  Stored stored;
  Ticket refresh;
};
/// Serve the stored response, within stale-while-revalidate unless `unasked`. With a ticket, this request starts the
/// refresh.
struct Stale {
  Stored stored;
  Ticket refresh;
  bool unasked = false;  ///< In place of an error: within stale-if-error, while the origin wants no request.
};
/// Wait for a fetch in progress.
struct Join {
  FollowerPlace place;
  Stored stored;           ///< May be served if the fetch fails.
  rules::Forward forward;  ///< Why it is forwarded: UriMiss, VaryMiss, Stale, Request.
};
/// Like Join, but `max_waiters` requests wait already.
struct QueueFull : Join {};
/// Fetch with the ticket, for all.
struct Lead {
  Ticket ticket;
  Stored stored;  ///< To validate, or to serve if the fetch fails.
  rules::Forward forward;
};
/// Fetch for this request only, without waiting. With a (private) ticket, a storable response is still stored.
struct Pass {
  Ticket ticket;
  Stored stored;  ///< To validate.
  rules::Forward forward = rules::Forward::None;
  rules::Reason reason = rules::Reason::None;  ///< PassMemory, Authorization (entry not for this request).
  PassMemory pass_memory{};                    ///< If it is the reason.
};
using Lookup = std::variant<Fresh, Stale, Join, QueueFull, Lead, Pass>;

/// The alternatives of a look-up, in their order.
enum class LookupKind : std::uint8_t { Fresh, Stale, Join, QueueFull, Lead, Pass };
inline LookupKind kind_of(const Lookup& lookup) noexcept { return static_cast<LookupKind>(lookup.index()); }
/// For a request that waits or would wait; null for all others.
inline Join* join_of(Lookup& lookup) noexcept {
  if (auto* full = std::get_if<QueueFull>(&lookup)) return full;
  return std::get_if<Join>(&lookup);
}
/// The ticket of an alternative that has one.
inline Ticket* ticket_of(Lookup& lookup) noexcept {
  if (auto* fresh = std::get_if<Fresh>(&lookup)) return &fresh->refresh;
  if (auto* stale = std::get_if<Stale>(&lookup)) return &stale->refresh;
  if (auto* lead = std::get_if<Lead>(&lookup)) return &lead->ticket;
  if (auto* pass = std::get_if<Pass>(&lookup)) return &pass->ticket;
  return nullptr;
}
/// What is stored for the request.
inline Stored& stored_of(Lookup& lookup) noexcept {
  return std::visit([](auto& l) -> Stored& { return l.stored; }, lookup);
}
inline const Stored& stored_of(const Lookup& lookup) noexcept { return stored_of(const_cast<Lookup&>(lookup)); }

/// What a look-up would find, for explain. Changes neither the LRU, nor counts, nor flights.
struct Peek {
  bool found = false;  ///< A variant for this request, whatever its state.
  LookupKind kind = LookupKind::Lead;
  rules::Reuse reuse = rules::Reuse::Validate;  ///< Of the variant.
  Stored stored;                                ///< Of the variant.
  std::uint64_t hits = 0;
  std::size_t variants = 0;  ///< Of the key.
  rules::Forward forward = rules::Forward::None;
  rules::Reason reason = rules::Reason::None;
  bool ticket = false;     ///< A look-up would give a ticket.
  bool unasked = false;    ///< As in `Stale`.
  bool paused = false;     ///< A fetch for the variant has failed, and the next refresh waits.
  PassMemory pass_memory;  ///< Of the key, whether it is the reason or not.
};

struct StoreOptions {
  std::size_t memory = 256 * 1024 * 1024;
  std::size_t shards = 8;   ///< Power of two.
  unsigned hash_bits = 64;  ///< Tests make hashes collide by leaving few of them.
};

struct StoreNumbers {
  std::uint64_t entries = 0, slots = 0, bytes = 0, limit = 0;
  std::uint64_t pinned = 0;  ///< Of `bytes`, what only clients hold that still read it.
  std::uint64_t evicted_capacity = 0, evicted_expired = 0, evicted_replaced = 0, evicted_purged = 0;
  std::uint64_t stored = 0, stored_bytes = 0, waiting = 0;
  std::uint64_t invalidated = 0;
  std::uint64_t dead = 0;  ///< Purged and not in `entries` any more, but not yet freed.
  std::uint64_t tags = 0;  ///< Different tags of the entries, summed over the shards.
  /// Orders, without dry runs, and the entries that they named.
  struct Purges {
    std::array<std::uint64_t, kPurgeKinds> orders{}, entries{};
  };
  std::array<Purges, 2> purges{};  ///< By mode.
};

/// Stores and shares responses: shards with one lock each, used by all workers. Each key has a slot with its variants,
/// flights and pass memory. Thread-safe. Nothing here waits, reads a clock, or calls foreign code under a lock.
class Store {
 public:
  explicit Store(const StoreOptions& options);
  ~Store();
  Store(const Store&) = delete;

  /// One result under one lock (locked twice when secondary keys must be built).
  Lookup lookup(const LookupRequest& request);
  /// The same without changes.
  Peek peek(const LookupRequest& request) const;
  /// After `coalesce.wait` on `waited`: Lead with a superseding flight for the first, Join of that flight for the
  /// others; or the result of a new look-up. Releases the place.
  Lookup supersede(const LookupRequest& request, FollowerPlace waited);
  /// After a failure of `failed` that its leader may have caused: Lead for the first caller, Join of its flight (or of
  /// one in progress) for all other followers of `failed`, even when that flight has ended by then; or what is stored
  /// by now. So all followers, on any number of workers, make one more fetch together. Releases the place.
  Lookup retry(const LookupRequest& request, FollowerPlace failed);
  /// A private ticket that nobody joins: for a follower that must fetch for itself and whose response may be stored.
  Ticket private_ticket(const Key& key);
  /// The same for the response of another flight: purges since that flight began count.
  Ticket private_ticket(const Key& key, const Flight& since);
  /// The same for one that began when `purge_sequence` was `since`.
  Ticket private_ticket(const Key& key, std::uint64_t since);
  /// The number of orders to purge so far, at least; each order adds one.
  std::uint64_t purge_sequence() const noexcept;
  /// Whether a response to a request that was sent when `purge_sequence` was `since` has been purged by now.
  bool purged_since(std::uint64_t since, const Key& key, std::span<const Digest> tags) const;

  /// Reserves `n` bytes, evicting least recently used entries of any shard; an empty Charge on failure
  /// (`charge.bytes()` is 0).
  Charge reserve(std::size_t n);

  /// A write made these resources stale (RFC 9111 section 4.4): removes entries, and detaches flights, which will not
  /// be stored. Returns the number of removed entries.
  std::size_t invalidate(const std::vector<Digest>& resources);
  /// When it returns, no look-up finds a named entry (hard), or finds it fresh (soft). A fetch that began before is not
  /// stored in both modes, and no later request joins it. Never holds a lock for long; memory is freed by and by, by
  /// `sweep`. Of entries that are stored meanwhile, none that was fetched since the call is named. Takes long where
  /// many entries are named or searched: a worker uses `PurgeRun` then.
  Purged purge(const PurgeOrder& order);
  /// A 200 to HEAD (RFC 9111 section 4.3.5): the variant of `entry` gets this head and freshness, and the tags that it
  /// states. It becomes stale instead where one of these was purged since it was fetched.
  void apply_head(const Key& key, const Ref<const Entry>& entry, const Ref<const Entry>& freshened,
                  const rules::Freshness& freshness, const rules::VaryList& vary, const Selecting& request,
                  const rules::Policy& policy, Timestamp now,
                  std::optional<std::span<const std::string_view>> tags = std::nullopt);
  /// A response that is not stored has these names in its Vary: variants selected without them are no longer found, and
  /// later responses are selected by them.
  void note_vary(const Key& key, const rules::VaryList& vary, const Selecting& request, const rules::Policy& policy,
                 Timestamp now);
  void make_stale(const Key& key, const Ref<const Entry>& entry);
  /// Whether the key's responses are still selected by exactly these names, under which a response was found. If not,
  /// the response may not match the request any more.
  bool still_selects_by(const Key& key, const VaryRef& names) const;
  /// The origin has sent another response that may not be stored: removes the variant of `entry`.
  void discard(const Key& key, const Ref<const Entry>& entry);

  /// Removes expired and purged entries, a slice of one shard per call so that no lock is held for long. Called by a
  /// timer. True when there were purged ones: they are many then, and the next call should come soon.
  bool sweep(Timestamp now);
  /// A smaller limit evicts, in slices, by the next calls of `sweep` and `reserve`.
  void set_memory(std::size_t bytes);

  /// One page of what is stored (forebay/cache/listing.hpp), for inspection: it counts as no hit, and changes nothing.
  /// Holds no lock for long. Through all pages, an entry that is there and fits all the time is listed once; one that
  /// comes, goes or changes meanwhile is listed once or not at all. A purged one is never listed afterwards.
  ListPage list(const ListQuery& query) const;
  /// All stored responses of one key. Searches all keys, without looking closely at most of them.
  std::vector<Listed> find(const Digest& id, Timestamp now) const;

  StoreNumbers numbers() const;
  /// Variants dropped because a key had more than `max_variants`.
  std::uint64_t variants_evicted() const noexcept;
  Budget& budget() noexcept;

 private:
  friend class Ticket;
  friend class PurgeRun;
  struct Private;
  std::unique_ptr<Private> p_;
};

}  // namespace forebay::cache
