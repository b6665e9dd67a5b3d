#include "forebay/cache/store.hpp"

#include <algorithm>
#include <bit>

#include "private.hpp"

namespace forebay::cache {
namespace {

// Amount of work per lock hold.
constexpr std::size_t kSweptBuckets = 512;
constexpr std::size_t kEvictedAtOnce = 32;

}  // namespace

Store::Private::Private(const StoreOptions& options)
    : budget(options.memory),
      hash_mask(options.hash_bits >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << options.hash_bits) - 1) {
  const auto count = std::bit_ceil(std::max<std::size_t>(options.shards, 1));
  for (std::size_t i = 0; i < count; ++i) shards.push_back(std::make_unique<Shard>(budget, turns));
}

Store::Private::~Private() {
  for (auto& shard : shards) {
    Garbage garbage;
    for (std::size_t b = 0; b < shard->by_key.buckets(); ++b)
      while (Slot* s = shard->by_key.bucket_chain(b)) {
        while (s->newest) shard->remove(*s->newest, Removal::Capacity, garbage);
        shard->drop(*s, garbage);
      }
  }
}

std::uint64_t Store::Private::hash_of(std::string_view key_text) const noexcept {
  return table_hash(key_text) & hash_mask;
}

Charge Store::Private::reserve(std::size_t n) {
  if (n > budget.limit()) return {};
  do {
    if (budget.try_take(n)) return Charge(budget, n);
  } while (evict(n));
  return {};
}

bool Store::Private::evict(std::size_t wanted) {
  // The shard with the oldest item, and how far it may evict before another shard has the oldest.
  Shard* from = nullptr;
  std::uint64_t first = Lru::kEmpty, second = Lru::kEmpty;
  for (auto& shard : shards) {
    // What was purged goes before what is used.
    if (shard->is_littered()) {
      Garbage garbage;
      const ShardLock lock(shard->mutex);
      shard->sweep(kSweptBuckets, Timestamp::min(), garbage);
      return true;
    }
    const auto oldest = shard->lru.oldest();
    if (oldest < first) {
      second = std::exchange(first, oldest);
      from = shard.get();
    } else if (oldest < second) {
      second = oldest;
    }
  }
  if (!from) return false;
  Garbage garbage;
  const ShardLock lock(from->mutex);
  std::size_t gone = 0;
  for (std::size_t i = 0; i < kEvictedAtOnce && gone < wanted; ++i) {
    const Item* last = from->lru.last();
    if (!last || (i != 0 && last->turn > second)) break;
    gone += from->evict_last(garbage);
  }
  return true;
}

Ref<Flight> Store::Private::new_flight() const {
  Ref<Flight> flight(new Flight);
  flight->all_waiters_ = waiting;
  flight->purge_sequence_ = purges.current();
  return flight;
}

bool Store::Private::SpareSlot::make(Private& store, std::string_view text, std::uint64_t hash, const Digest& resource,
                                     const UrlSpans& url) {
  auto charge = store.reserve(Slot::cost(text.size()));
  if (charge.bytes() == 0) return false;
  slot_ = Slot::make(text, hash, resource, url, std::move(charge));
  return true;
}

// Joins the followers of a failed flight. Their key's lock is held.
void Store::Private::follow_together(Decision& decision, Flight& failed) {
  if (decision.serves()) return;
  if (const auto& next = failed.successor_) {
    decision.kind = LookupKind::Join;
    decision.flight = next.get();
    decision.fetch = Decision::Fetch::None;
  } else if (decision.kind == LookupKind::Join) {
    failed.successor_ = Ref<Flight>(decision.flight);
    failed.has_successor_.store(true, std::memory_order_release);
    if (decision.flight->state() == Flight::State::Waiting) decision.flight->second_ = true;
  }
}

namespace {

/// Sets the alternative of the result for the decision; returns its place for the stored response.
Stored& begin(Lookup& out, const Decision& d) {
  switch (d.kind) {
    case LookupKind::Fresh: return std::get_if<Fresh>(&out)->stored;  // which a new one is
    case LookupKind::Stale: return out.emplace<Stale>(Stale{{}, {}, d.unasked}).stored;
    case LookupKind::Join: return out.emplace<Join>(Join{{}, {}, d.forward}).stored;
    case LookupKind::QueueFull: return out.emplace<QueueFull>(QueueFull{{{}, {}, d.forward}}).stored;
    case LookupKind::Lead: return out.emplace<Lead>(Lead{{}, {}, d.forward}).stored;
    case LookupKind::Pass: break;
  }
  return out.emplace<Pass>(Pass{{}, {}, d.forward, d.reason, d.pass_memory}).stored;
}

}  // namespace

Lookup Store::Private::look_up(Store& store, const LookupRequest& request, Flight* superseded, Flight* failed) {
  const auto text = request.key.text();
  const auto hash = hash_of(text);
  Shard& shard = shard_of(hash);
  Selection mine(request);
  SpareSlot spare;
  Ticket ticket;
  bool no_room = false;
  const bool superseding = superseded != nullptr;
  for (;;) {
    Lookup out;
    Garbage garbage;
    ShardLock lock(shard.mutex);
    Slot* slot = shard.find(hash, text);
    if (slot && !mine.fits(*slot)) {
      mine.take(*slot);
      lock.unlock();
      mine.build();
      continue;
    }
    if (slot && superseded && superseded->state() == Flight::State::Waiting) {
      Shard::unlist(*slot, *superseded, garbage);
      superseded = nullptr;
    }
    auto d = decide(slot, mine, request, {shard.marks, purges});
    if (request.only_stored && !d.variant) return Pass{};
    if (d.fetch == Decision::Fetch::Listed && no_room) d.fetch = Decision::Fetch::Private;
    if (failed) follow_together(d, *failed);
    // A second try has followers, listed or not.
    const bool needs_ticket = d.fetch == Decision::Fetch::Listed ||
                              (failed && d.kind == LookupKind::Lead && d.fetch != Decision::Fetch::None);
    if (needs_ticket && (!ticket || (d.fetch == Decision::Fetch::Listed && !slot && !spare.ready()))) {
      // Allocated without the lock; the decision may change meanwhile.
      const bool slot_missing = !slot;
      if (slot) shard.tidy(*slot, garbage);
      lock.unlock();
      if (slot_missing && d.fetch == Decision::Fetch::Listed)
        no_room = !spare.make(*this, text, hash, request.key.resource(), request.key.url());
      ticket = Ticket(store, new_flight(), request.key);
      continue;
    }
    Stored& stored = begin(out, d);
    stored.names_old = slot && slot->vary && request.now > slot->vary_seen + kVaryRemembered / 2;
    if (d.variant) {
      shard.lru.touch(*d.variant);
      if (d.serves()) ++d.variant->hits;
      stored.entry = d.variant->entry;
      stored.freshness = d.variant->freshness;
    } else if (slot && slot->linked()) {
      shard.lru.touch(*slot);
    }
    if (d.flight) join_of(out)->place = FollowerPlace(Ref<Flight>(d.flight));
    if (d.fetch == Decision::Fetch::Listed) {
      if (!slot) slot = &shard.insert(spare.use());
      ticket.flight_->purge_sequence_ = purges.current();
      ticket.flight_->superseding_ = superseding;
      Shard::list(*slot, {ticket.flight_, mine.names(), mine.text(), request.fingerprint});
    }
    if (failed && needs_ticket && d.kind == LookupKind::Lead) {
      ticket.flight_->second_ = true;
      failed->successor_ = ticket.flight_;
      failed->has_successor_.store(true, std::memory_order_release);
    }
    if (slot) shard.tidy(*slot, garbage);
    lock.unlock();
    if (failed) failed->changed_.notify();
    Ticket given;
    if (needs_ticket)
      given = std::move(ticket);
    else if (d.fetch == Decision::Fetch::Private)
      given = Ticket(store, new_flight(), request.key);
    stored.names = given.seen_vary_ = mine.names();
    if (given) *ticket_of(out) = std::move(given);
    return out;
  }
}

Peek Store::Private::peek(const LookupRequest& request) {
  const auto text = request.key.text();
  const auto hash = hash_of(text);
  const Shard& shard = shard_of(hash);
  Selection mine(request);
  for (;;) {
    Peek out;
    ShardLock lock(shard.mutex);
    const Slot* slot = shard.find(hash, text);
    if (slot && !mine.fits(*slot)) {
      mine.take(*slot);
      lock.unlock();
      mine.build();
      continue;
    }
    const auto d = decide(slot, mine, request, {shard.marks, purges});
    out.kind = d.kind;
    out.forward = d.forward;
    out.reason = d.reason;
    out.ticket = d.fetch != Decision::Fetch::None;
    out.pass_memory = d.pass_memory;
    out.unasked = d.unasked;
    for (const Variant* v = slot ? slot->newest : nullptr; v; v = v->next_older)
      if (!shard.is_dead(*v)) ++out.variants;
    if (const Variant* v = d.matched) {
      out.found = true;
      out.reuse = rules::may_reuse(v->freshness, request.facts, request.policy, request.now);
      out.stored.entry = v->entry;
      out.stored.freshness = v->freshness;
      out.hits = v->hits;
      out.paused = v->pause.until > request.now;
    }
    return out;
  }
}

Store::Store(const StoreOptions& options) : p_(std::make_unique<Private>(options)) {}
Store::~Store() = default;

Lookup Store::lookup(const LookupRequest& request) { return p_->look_up(*this, request, nullptr); }

Lookup Store::supersede(const LookupRequest& request, FollowerPlace waited) {
  waited.leave();
  return p_->look_up(*this, request, waited.flight().get());
}

Lookup Store::retry(const LookupRequest& request, FollowerPlace failed) {
  failed.leave();
  return p_->look_up(*this, request, nullptr, failed.flight().get());
}

Peek Store::peek(const LookupRequest& request) const { return p_->peek(request); }

Ticket Store::private_ticket(const Key& key) { return Ticket(*this, p_->new_flight(), key); }

Ticket Store::private_ticket(const Key& key, const Flight& since) { return private_ticket(key, since.purge_sequence_); }

Ticket Store::private_ticket(const Key& key, std::uint64_t since) {
  auto flight = p_->new_flight();
  flight->purge_sequence_ = since;
  return Ticket(*this, std::move(flight), key);
}

std::uint64_t Store::purge_sequence() const noexcept { return p_->purges.current(); }

bool Store::purged_since(std::uint64_t since, const Key& key, std::span<const Digest> tags) const {
  return p_->purges.forbids(since, {key.resource(), tags, key.text(), key.url()});
}

Charge Store::reserve(std::size_t n) { return p_->reserve(n); }

template <class Change>
void Store::Private::file(const Key& key, Filing& filing, bool make_slot, Change&& change) {
  const auto hash = hash_of(key.text());
  Shard& shard = shard_of(hash);
  SpareSlot spare;
  for (;;) {
    if (!filing.built()) filing.build();
    Garbage garbage;
    ShardLock lock(shard.mutex);
    Slot* slot = shard.find(hash, key.text());
    if (!slot && !make_slot) return;
    if (!filing.fits(slot)) {
      filing.take(slot);
      continue;
    }
    if (!slot && !spare.ready()) {
      lock.unlock();
      if (!spare.make(*this, key.text(), hash, key.resource(), key.url())) return;
      continue;
    }
    if (!slot) slot = &shard.insert(spare.use());
    change(shard, *slot, garbage);
    shard.tidy(*slot, garbage);
    return;
  }
}

template <class Change>
bool Store::Private::change_variant(std::string_view key_text, const Entry* entry, Change&& change) {
  const auto hash = hash_of(key_text);
  Shard& shard = shard_of(hash);
  const ShardLock lock(shard.mutex);
  Slot* slot = shard.find(hash, key_text);
  Variant* variant = slot ? shard.variant_of(*slot, entry) : nullptr;
  if (!variant) return false;
  change(shard, *variant);
  return true;
}

void Store::apply_head(const Key& key, const Ref<const Entry>& entry, const Ref<const Entry>& freshened,
                       const rules::Freshness& freshness, const rules::VaryList& vary, const Selecting& request,
                       const rules::Policy& policy, Timestamp now,
                       std::optional<std::span<const std::string_view>> stated) {
  std::optional<NewTags> tags;
  if (stated && !tags.emplace(*stated).make_room(*p_)) return;
  Filing filing(vary, freshened->head(), request, policy, now);
  p_->file(key, filing, false, [&](Shard& shard, Slot& slot, Garbage& garbage) {
    shard.mutex.held();
    Variant* v = shard.variant_of(slot, entry.get());
    // The HEAD may have been sent before the purge.
    if (!v || shard.is_softened(*v)) return;
    bool purged = tags && p_->purges.forbids_tags(v->purge_sequence, tags->digests());
    // A purge of one that it has may not have come to this shard yet.
    for (std::uint32_t i = 0; i < v->tag_count && !purged; ++i)
      purged = p_->purges.forbids_tags(v->purge_sequence, {&v->tags[i].record->digest, 1});
    if (purged) {
      v->freshness.purged = true;
      return;
    }
    if (tags) tags->give(*v, shard.tags, shard.budget, garbage);
    v->useless_after += freshness.stale_at() - v->freshness.stale_at();
    shard.freshen(*v, freshened, freshness, filing, garbage);
  });
}

void Store::note_vary(const Key& key, const rules::VaryList& vary, const Selecting& request,
                      const rules::Policy& policy, Timestamp now) {
  Filing filing(vary, {}, request, policy, now);
  p_->file(key, filing, true, [&](Shard& shard, Slot& slot, Garbage& garbage) {
    shard.mutex.held();
    filing.file(shard, slot, garbage);
    slot.remember_until = std::max(slot.remember_until, now + kVaryRemembered);
  });
}

void Store::make_stale(const Key& key, const Ref<const Entry>& entry) {
  p_->change_variant(key.text(), entry.get(), [](Shard&, Variant& v) { v.freshness.purged = true; });
}

bool Store::still_selects_by(const Key& key, const VaryRef& names) const {
  const auto hash = p_->hash_of(key.text());
  VaryRef now;
  {
    Shard& shard = p_->shard_of(hash);
    const ShardLock lock(shard.mutex);
    const Slot* slot = shard.find(hash, key.text());
    if (!slot || slot->vary == names) return true;
    now = slot->vary;
  }
  return includes(names, now);
}

void Store::discard(const Key& key, const Ref<const Entry>& entry) {
  Garbage garbage;
  p_->change_variant(key.text(), entry.get(), [&](Shard& shard, Variant& v) {
    shard.mutex.held();
    shard.remove(v, Removal::Replaced, garbage);
  });
}

bool Store::sweep(Timestamp now) {
  for (std::size_t i = 0; i < kEvictedAtOnce && p_->budget.used() > p_->budget.limit(); ++i)
    if (!p_->evict(p_->budget.used() - p_->budget.limit())) break;
  auto& shards = p_->shards;
  // The next one that has something dead, or else the next.
  const auto next = p_->next_swept.fetch_add(1, std::memory_order_relaxed);
  for (std::size_t i = 0; i <= shards.size(); ++i) {
    Shard& shard = *shards[(next + i) & (shards.size() - 1)];
    Garbage garbage;
    const ShardLock lock(shard.mutex);
    if (shard.numbers.dead == 0 && i < shards.size()) continue;
    shard.sweep(std::min(kSweptBuckets, shard.by_key.buckets()), now, garbage);
    return i < shards.size();
  }
  return false;
}

void Store::set_memory(std::size_t bytes) { p_->budget.set_limit(bytes); }

StoreNumbers Store::numbers() const {
  StoreNumbers n;
  for (const auto& shard : p_->shards) {
    const ShardLock lock(shard->mutex);
    const auto removed = [&](Removal r) {
      shard->mutex.held();
      return shard->numbers.removed[static_cast<std::size_t>(r)];
    };
    n.entries += shard->numbers.entries;
    n.slots += shard->by_key.size();
    n.evicted_capacity += removed(Removal::Capacity);
    n.evicted_expired += removed(Removal::Expired);
    n.evicted_replaced += removed(Removal::Replaced);
    n.evicted_purged += removed(Removal::Purged);
    n.stored += shard->numbers.stored;
    n.stored_bytes += shard->numbers.stored_bytes;
    n.dead += shard->numbers.dead;
    n.tags += shard->tags.size();
  }
  n.invalidated = p_->invalidated.load(std::memory_order_relaxed);
  for (std::size_t mode = 0; mode < n.purges.size(); ++mode)
    for (std::size_t kind = 0; kind < kPurgeKinds; ++kind) {
      const auto& own = p_->purge_numbers[mode];
      n.purges[mode].orders[kind] = own.orders[kind].load(std::memory_order_relaxed);
      n.purges[mode].entries[kind] = own.entries[kind].load(std::memory_order_relaxed);
    }
  n.bytes = p_->budget.used();
  n.limit = p_->budget.limit();
  n.pinned = p_->budget.pinned();
  n.waiting = p_->waiting->read();
  return n;
}

std::uint64_t Store::variants_evicted() const noexcept {
  std::uint64_t n = 0;
  for (const auto& shard : p_->shards) {
    const ShardLock lock(shard->mutex);
    n += shard->numbers.removed[static_cast<std::size_t>(Removal::TooManyVariants)];
  }
  return n;
}

Budget& Store::budget() noexcept { return p_->budget; }

}  // namespace forebay::cache
