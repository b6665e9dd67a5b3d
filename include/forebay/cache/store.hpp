#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "forebay/base/budget.hpp"
#include "forebay/cache/entry.hpp"
#include "forebay/cache/flight.hpp"
#include "forebay/cache/key.hpp"
#include "forebay/cache/selecting.hpp"
#include "forebay/rules/policy.hpp"
#include "forebay/rules/reuse.hpp"
#include "forebay/rules/storability.hpp"
#include "forebay/rules/vary.hpp"

namespace forebay::cache {

class Store;
class Filing;

/// What a finished fetch brings into the store.
struct Landing {
  Ref<const PublishedHead> head;
  Ref<http::Body> body;
  rules::Freshness freshness;
  rules::VaryList vary;                   ///< Of the response.
  std::optional<std::uint64_t> length{};  ///< Of the body, where the origin stated it.
};

/// What came of a commit.
struct Committed {
  bool stored = false;
  std::uint32_t variants_evicted = 0;  ///< Dropped because the key had more than `max_variants`.
  operator bool() const noexcept { return stored; }
};

/// The right, and the duty, to fetch for one key, and to say how that ended. Dropped unsettled, the flight is
/// Abandoned: its followers look up again and one takes over. Movable; used by the leader's thread. Each call is one
/// hold of the shard's lock; followers are woken after it.
class Ticket {
 public:
  Ticket() = default;
  Ticket(Ticket&& o) noexcept;
  Ticket& operator=(Ticket&& o) noexcept;
  ~Ticket();
  explicit operator bool() const noexcept { return flight_ != nullptr; }

  /// The flight; the leader follows it like everyone else.
  const Ref<Flight>& flight() const noexcept { return flight_; }

  /// A storable head has come: followers are served as the body streams. The ticket stays, for commit or drop; dropping
  /// it then only takes the flight out (an entry that was there before stays). `request`, here and below: whose answer
  /// it is.
  void land(Landing landing, const Selecting& request, const rules::Policy& policy);
  /// Whether a commit could succeed as far as is known now: no purge since the flight's start names the resource.
  bool may_commit() const;
  /// The body is whole: takes the flight out and puts the entry in, in one lock hold, unless a purge that is later than
  /// the flight's start matches, or there is no room. For a private flight too.
  Committed commit(const EntryParts& parts, const rules::Freshness& freshness, const rules::VaryList& vary,
                   const Selecting& request, const rules::Policy& policy, std::uint64_t fingerprint, Timestamp now);
  /// A 304 said that `entry` (a variant of this key) is still good: it is replaced by `freshened` (the same body),
  /// freshness anew, and is from now on for requests like this one under the Vary that it now has. False when it has
  /// been purged meanwhile; then nothing is brought back.
  bool freshen(const Ref<const Entry>& entry, const Ref<const Entry>& freshened, const rules::Freshness& freshness,
               const rules::VaryList& vary, const Selecting& request, const rules::Policy& policy, Timestamp now);
  /// The answer is for this request alone. By the response: pass memory is set until `no_queue_until` in the same hold;
  /// by the request: nothing is remembered. `reason` is what is remembered as its cause. The ticket stays usable for
  /// `commit` (a `no-cache` answer is Own and yet stored).
  void own(rules::Reason reason, bool by_request, Timestamp no_queue_until);
  /// No answer; followers are told, none fetches again.
  /// Until `no_refresh_until` no hit on what is stored starts another refresh, so that an origin that is down is not
  /// asked as often as clients ask.
  void fail(Failure failure, Timestamp no_refresh_until = {});
  /// The body outgrew what may be stored: closes joins and sets pass memory in one hold. The caller then sets the
  /// body's window.
  void outgrow(Timestamp no_queue_until);
  /// Lets go of the flight without more: after land/own when nothing will be stored. `no_refresh_until` as for `fail`.
  void drop(Timestamp no_refresh_until = {});

 private:
  friend class Store;
  Ticket(Store& store, Ref<Flight> flight, const Key& key);
  struct Hold;
  /// Acts under the lock under which `filing` fits the key's slot.
  template <class Act>
  void with(Filing& filing, Act&& act);
  Store* store_ = nullptr;
  Ref<Flight> flight_;
  std::string key_text_;
  Digest resource_;
  VaryRef seen_vary_;  // the slot's names at the look-up
};

/// That a key's answers cannot be shared, as was learned lately: later requests do not queue for one.
struct PassMemory {
  rules::Reason cause = rules::Reason::None;  ///< What the answer said that set it.
  Duration left{0};                           ///< For how much longer; 0: none is set.
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
  /// Whether this request may start a flight for others. What cannot be fetched for all may not: it gets Pass without
  /// a ticket where it would lead or join. A HEAD that may leads, or joins, only where nothing is stored for it and no
  /// pass memory is set; its leader fetches by GET.
  bool may_fly = true;
  /// Nothing happens where nothing is stored for it: Pass without an entry, and no flight is joined or begun.
  bool only_stored = false;
  /// For `refresh_ahead: auto`: exponentially distributed with mean 1; see rules::refreshes_ahead.
  double draw = 0;
};

/// What is stored for a request.
struct Stored {
  Ref<const Entry> entry;      ///< Null: nothing that this request may have.
  rules::Freshness freshness;  ///< Of `entry`.
  VaryRef names;               ///< That select among the key's responses; `entry` was selected by them.
  bool names_old = false;      ///< It is some time since an answer has stated them.
};

/// Serve what is stored. With a ticket this request starts a refresh ahead of its end.
struct Fresh {
  Stored stored;
  Ticket refresh;
};
/// Serve what is stored, within stale-while-revalidate. With a ticket this request starts the refresh.
struct Stale {
  Stored stored;
  Ticket refresh;
};
/// Wait for a fetch that is on its way, counted as one of its waiters.
struct Join {
  Ref<Flight> flight;
  Stored stored;           ///< May be served if the fetch fails.
  rules::Forward forward;  ///< Why it goes forward: UriMiss, VaryMiss, Stale, Request.
};
/// As Join, but `max_waiters` are waiting already. `flight` is counted as joined all the same, so that `supersede` or
/// `Flight::leave` gives the place up.
struct QueueFull : Join {};
/// Fetch under the ticket, for all.
struct Lead {
  Ticket ticket;
  Stored stored;  ///< To validate or to fall back on.
  rules::Forward forward;
};
/// Fetch for itself, and wait for nobody. With a (private) ticket a storable answer is still stored.
struct Pass {
  Ticket ticket;
  Stored stored;  ///< To validate.
  rules::Forward forward = rules::Forward::None;
  rules::Reason reason = rules::Reason::None;  ///< PassMemory, Authorization (entry not for this request).
  PassMemory pass_memory{};                    ///< Where it is the reason.
};
using Lookup = std::variant<Fresh, Stale, Join, QueueFull, Lead, Pass>;

/// The alternatives of a look-up, in their order.
enum class LookupKind : std::uint8_t { Fresh, Stale, Join, QueueFull, Lead, Pass };
inline LookupKind kind_of(const Lookup& lookup) noexcept { return static_cast<LookupKind>(lookup.index()); }
/// The place in a queue of a request that waits, or would; null for all others.
inline Join* join_of(Lookup& lookup) noexcept {
  if (auto* full = std::get_if<QueueFull>(&lookup)) return full;
  return std::get_if<Join>(&lookup);
}
/// Of all that may come with a ticket.
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

/// What a look-up would find, for explain. Nothing is changed by finding out: no place in the LRU, no count, no flight.
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
  PassMemory pass_memory;  ///< Of the key, whether it is the reason or not.
};

struct StoreOptions {
  std::size_t memory = 256 * 1024 * 1024;
  std::size_t shards = 8;   ///< Power of two.
  unsigned hash_bits = 64;  ///< Tests make hashes collide by leaving few of them.
};

struct StoreNumbers {
  std::uint64_t entries = 0, slots = 0, bytes = 0, limit = 0;
  std::uint64_t evicted_capacity = 0, evicted_expired = 0, evicted_replaced = 0, evicted_purged = 0;
  std::uint64_t stored = 0, stored_bytes = 0, waiting = 0;
  std::uint64_t invalidated = 0;
};

/// Where responses are kept and shared: shards with one lock each, used by all workers. A slot a key, in which its
/// variants, its flights and its pass memory live. Thread-safe; nothing here waits, asks the time or calls a stranger
/// under a lock.
class Store {
 public:
  explicit Store(const StoreOptions& options);
  ~Store();
  Store(const Store&) = delete;

  /// One answer under one lock (two holds when a Vary list has to be consulted).
  Lookup lookup(const LookupRequest& request);
  /// The same without doing anything.
  Peek peek(const LookupRequest& request) const;
  /// After `coalesce.wait` on `waited`: Lead with a superseding flight for the first, Join of that one for the rest; or
  /// what a look-up gives by now. Gives up the place on `waited`.
  Lookup supersede(const LookupRequest& request, const Ref<Flight>& waited);
  /// After a failure of `failed` that may be its leader's own: Lead for the first who comes, Join of what that one
  /// started (or found on its way) for all others that waited on `failed`, even when it has ended by then; or what is
  /// stored by now. So those who waited, on however many workers, make one more fetch together. Gives up the place on
  /// `failed`.
  Lookup retry(const LookupRequest& request, const Ref<Flight>& failed);
  /// A ticket of its own, queueing nobody: for a follower that must fetch for itself and whose answer may be stored.
  Ticket private_ticket(const Key& key);
  /// The same for an answer that another flight fetches: purges since that one began count against it.
  Ticket private_ticket(const Key& key, const Flight& since);

  /// Room for `n` bytes, evicting the least recently used of any shard; an empty Charge when it cannot be had
  /// (`charge.bytes()` is 0).
  Charge reserve(std::size_t n);

  /// A write made these resources stale (RFC 9111 section 4.4): entries go, flights on their way are detached and will
  /// not be stored. Gives how many entries went.
  std::size_t invalidate(const std::vector<Digest>& resources);
  /// A 200 to HEAD (RFC 9111 section 4.3.5): the variant that `entry` is gets this head and freshness, or becomes
  /// stale.
  void apply_head(const Key& key, const Ref<const Entry>& entry, const Ref<const Entry>& freshened,
                  const rules::Freshness& freshness, const rules::VaryList& vary, const Selecting& request,
                  const rules::Policy& policy, Timestamp now);
  /// An answer that is not stored names these fields in its Vary: variants that were selected without them are found no
  /// more, and what is stored from now on is selected by them.
  void note_vary(const Key& key, const rules::VaryList& vary, const Selecting& request, const rules::Policy& policy,
                 Timestamp now);
  void make_stale(const Key& key, const Ref<const Entry>& entry);
  /// Whether the key's responses are still selected by no other names than these, under which a response was found. If
  /// not, the request that it was stored for and the one that has found it may differ in what counts by now.
  bool still_selects_by(const Key& key, const VaryRef& names) const;
  /// The origin has answered with something else that may not be stored: the variant that `entry` is goes.
  void discard(const Key& key, const Ref<const Entry>& entry);

  /// Removes what has outlived its use, a slice of one shard per call so that no lock is held for long. Called by a
  /// timer.
  void sweep(Timestamp now);
  /// A smaller limit evicts, in slices, by the next calls of `sweep` and `reserve`.
  void set_memory(std::size_t bytes);

  StoreNumbers numbers() const;
  /// Variants dropped because a key had more than `max_variants`.
  std::uint64_t variants_evicted() const noexcept;
  Budget& budget() noexcept;

 private:
  friend class Ticket;
  struct Private;
  std::unique_ptr<Private> p_;
};

}  // namespace forebay::cache
