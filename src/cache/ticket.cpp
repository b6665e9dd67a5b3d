#include <algorithm>

#include "forebay/base/terminate.hpp"
#include "private.hpp"

// The transitions of a flight. Each holds its key's lock once; followers are woken and memory is freed after it.

namespace forebay::cache {
/// One hold of the lock of a ticket's shard.
struct Ticket::Hold {
  explicit Hold(Ticket& t) FOREBAY_NOT_ANALYSED : store(*t.store_->p_),
                                                  ticket(t),
                                                  hash(store.hash_of(t.key_text_)),
                                                  shard(store.shard_of(hash)),
                                                  lock(shard.mutex),
                                                  slot(shard.find(hash, t.key_text_)) {
    // One that is on its way to this shard: it would take what is stored now for older than itself.
    if (const auto all = store.purges.all_hard(); all > shard.marks.hard) shard.purge_all(all);
  }
  ~Hold() FOREBAY_NOT_ANALYSED {
    if (slot) shard.tidy(*slot, garbage);
    if (lock.owns_lock()) lock.unlock();
    if (ended) ended->changed_.notify();
  }

  /// Null without memory. Releases the lock if it must allocate.
  Slot* slot_or_new() FOREBAY_NOT_ANALYSED {
    while (!slot && !no_room) {
      if (spare.ready()) {
        slot = &shard.insert(spare.use());
        break;
      }
      lock.unlock();
      no_room = !spare.make(store, ticket.key_text_, hash, ticket.resource_, ticket.url_);
      lock.lock();
      slot = shard.find(hash, ticket.key_text_);
    }
    return slot;
  }
  void pause_refreshes(const RefreshPause& pause) noexcept FOREBAY_NOT_ANALYSED {
    if (!slot || !pause.entry) return;
    if (auto* const variant = shard.variant_of(*slot, pause.entry)) variant->pause.add(pause);
  }
  bool has_newer(const Filing& filing, std::uint64_t fingerprint,
                 Timestamp received) const noexcept FOREBAY_NOT_ANALYSED {
    for (const Variant* v = slot ? slot->newest : nullptr; v; v = v->next_older) {
      if (v->vary == filing.names() && v->secondary == filing.secondary() && v->fingerprint == fingerprint &&
          v->freshness.received > received && !shard.is_dead(*v))
        return true;
    }
    return false;
  }
  void unlist() {
    if (slot) Shard::unlist(*slot, *ticket.flight_, garbage);
  }
  bool waiting() const noexcept { return ticket.flight_->state() == Flight::State::Waiting; }
  void end(Flight::State how) {
    ensure(waiting(), "a flight ends once");
    ticket.flight_->state_.store(how, std::memory_order_release);
    ended = ticket.flight_;
  }
  void remember_pass(Timestamp until, rules::Reason cause) {
    if (until == Timestamp{}) return;
    Slot* s = slot_or_new();
    if (!s || s->no_queue_until > until) return;
    s->no_queue_until = until;
    s->pass_cause = cause;
  }
  /// A shareable response that is stored ends the key's pass memory.
  void forget_pass(const rules::Freshness& freshness, Timestamp now) const noexcept {
    if (!freshness.no_cache && freshness.ttl(now) > Duration{0}) slot->no_queue_until = {};
  }

  Store::Private& store;
  Ticket& ticket;
  std::uint64_t hash;
  Shard& shard;
  Ref<Flight> ended;
  Garbage garbage;  // declared before the lock, so that it is destroyed after it
  Store::Private::SpareSlot spare;
  ShardLock lock;
  Slot* slot;
  bool no_room = false;
};

Ticket::Ticket(Store& store, Ref<Flight> flight, const Key& key)
    : store_(&store), flight_(std::move(flight)), key_text_(key.text()), resource_(key.resource()), url_(key.url()) {}

Ticket::Ticket(Ticket&& o) noexcept
    : store_(o.store_),
      flight_(std::move(o.flight_)),
      key_text_(std::move(o.key_text_)),
      resource_(o.resource_),
      url_(o.url_),
      seen_vary_(std::move(o.seen_vary_)) {}

Ticket& Ticket::operator=(Ticket&& o) noexcept {
  if (this == &o) return *this;
  drop();
  store_ = o.store_;
  flight_ = std::move(o.flight_);
  key_text_ = std::move(o.key_text_);
  resource_ = o.resource_;
  url_ = o.url_;
  seen_vary_ = std::move(o.seen_vary_);
  return *this;
}

Ticket::~Ticket() { drop(); }

template <class Act>
void Ticket::with(Filing& filing, Act&& act) {
  for (;;) {
    if (!filing.built()) filing.build();
    Hold hold(*this);
    if (filing.fits(hold.slot)) return act(hold);
    filing.take(hold.slot);
  }
}

void Ticket::land(Landing landing, const Selecting& request, const rules::Policy& policy) {
  if (!flight_) return;
  const Timestamp received = landing.freshness.received;
  Filing filing(landing.vary, landing.head->head(), request, policy, received, seen_vary_);
  with(filing, [&](Hold& hold) {
    hold.shard.mutex.held();
    if (!hold.waiting()) return;
    // Some follower may have come after the purge: all look up again.
    if (store_->p_->purges.forbids_tags(flight_->purge_sequence_, landing.tags)) {
      hold.unlist();
      flight_->own_by_request_ = true;
      return hold.end(Flight::State::NotShareable);
    }
    flight_->tags_ = std::move(landing.tags);
    flight_->head_ = std::move(landing.head);
    flight_->body_ = std::move(landing.body);
    flight_->freshness_ = landing.freshness;
    flight_->length_ = landing.length;
    flight_->vary_ = filing.names();
    flight_->secondary_ = filing.secondary();
    flight_->refusable_ = filing.refusable();
    flight_->unwelcome_ = filing.unwelcome();
    if (flight_->listed_) {
      filing.file(hold.shard, *hold.slot, hold.garbage);
      hold.slot->refusable |= flight_->refusable_;
      hold.slot->remember_until = std::max(hold.slot->remember_until, received + kVaryRemembered);
      for (auto& l : hold.slot->flights) {
        if (l.flight != flight_) continue;
        hold.garbage.take(Owner(std::exchange(l.vary, filing.names())));
        l.secondary = filing.secondary();
      }
    }
    hold.end(Flight::State::Landed);
  });
}

Purgeable Ticket::purgeable(std::span<const Digest> tags) const noexcept { return {resource_, tags, key_text_, url_}; }

bool Ticket::may_commit() const {
  return flight_ && !store_->p_->purges.forbids(flight_->purge_sequence_, purgeable(flight_->tags_));
}

Committed Ticket::commit(const EntryParts& parts, const rules::Freshness& freshness, const rules::VaryList& vary,
                         const Selecting& request, const rules::Policy& policy, std::uint64_t fingerprint,
                         Timestamp now) {
  if (!flight_) return {};
  Committed done;
  auto& store = *store_->p_;
  const auto checked = store.purges.current();
  const TagList tags(parts.tags);
  bool stored = !store.purges.forbids(flight_->purge_sequence_, purgeable(tags.digests()));

  // Allocates everything before the lock is taken.
  Filing filing(vary, parts.head, request, policy, now, seen_vary_);
  std::unique_ptr<Variant> variant;
  Charge for_names;
  TagRoom for_tags;
  if (stored) {
    filing.build();
    EntryParts whole = parts;
    whole.key_text = key_text_;
    const auto entry_cost = Entry::cost(whole);
    const auto variant_cost = Variant::cost(filing.secondary(), filing.own_stated());
    // Room for the names, which the slot takes over.
    const auto names_cost = cost_of(filing.names());
    const auto tags_cost = TagRoom::cost(tags);
    auto charge = store.reserve(entry_cost + variant_cost + names_cost + tags_cost);
    stored = charge.bytes() != 0;
    if (stored) {
      variant = std::make_unique<Variant>();
      for_names = charge.split(names_cost);
      for_tags = TagRoom(tags, charge.split(tags_cost));
      variant->charge = charge.split(variant_cost);
      variant->entry = Entry::make(whole, std::move(charge));
      variant->freshness = freshness;
      variant->fingerprint = fingerprint;
      variant->purge_sequence = flight_->purge_sequence_;
      const bool has_validator = variant->entry->etag() || variant->entry->last_modified();
      variant->useless_after = rules::useless_after(freshness, policy, has_validator);
    }
  }
  with(filing, [&](Hold& hold) {
    auto& shard = hold.shard;
    shard.mutex.held();
    if (stored) stored = hold.slot_or_new() != nullptr;
    if (stored && !filing.fits(hold.slot)) stored = false;  // the slot was removed and created again meanwhile
    if (store.purges.current() != checked) stored = stored && !store.purges.forbids(checked, purgeable(tags.digests()));
    // Of two concurrent fetches, the later response stays (RFC 9111 section 4).
    if (stored) stored = !hold.has_newer(filing, fingerprint, freshness.received);
    hold.unlist();
    if (hold.waiting()) hold.end(Flight::State::Abandoned);  // the followers find what is stored by now
    if (stored) {
      // Other requests have added names meanwhile: the slot and the variant need more than was reserved.
      const auto needed = cost_of(filing.names()) + Variant::cost(filing.secondary(), filing.own_stated());
      const auto reserved = for_names.bytes() + variant->charge.bytes();
      if (needed > reserved) {
        stored = store.budget.try_take(needed - reserved);
        if (stored) for_names.merge(Charge(store.budget, needed - reserved));
      }
    }
    if (!stored) return;
    Slot& slot = *hold.slot;
    shard.file(slot, *variant, filing, hold.garbage, std::move(for_names));
    shard.numbers.stored += 1;
    shard.numbers.stored_bytes += variant->entry->body_length();
    done.entry = variant->entry;
    shard.add(slot, *variant.release(), for_tags, hold.garbage);
    while (slot.variants > std::max<std::uint32_t>(policy.max_variants, 1)) {
      Variant* oldest = slot.newest;
      while (oldest->next_older) oldest = oldest->next_older;
      shard.remove(*oldest, Removal::TooManyVariants, hold.garbage);
      ++done.variants_evicted;
    }
    slot.remember_until = std::max(slot.remember_until, now + kVaryRemembered);
    hold.forget_pass(freshness, now);
  });
  flight_.reset();
  return done;
}

bool Ticket::freshen(const Ref<const Entry>& entry, const Ref<const Entry>& freshened,
                     const rules::Freshness& freshness, const rules::VaryList& vary, const Selecting& request,
                     const rules::Policy& policy, Timestamp now,
                     std::optional<std::span<const std::string_view>> stated) {
  if (!flight_) return false;
  const bool has_validator = freshened->etag() || freshened->last_modified();
  const auto useless_after = rules::useless_after(freshness, policy, has_validator);
  auto& store = *store_->p_;
  const auto& purges = store.purges;
  const auto checked = purges.current();
  if (purges.forbids(flight_->purge_sequence_, purgeable({}))) return false;
  std::optional<NewTags> tags;
  if (stated && !tags.emplace(*stated).make_room(store)) return false;
  Filing filing(vary, freshened->head(), request, policy, now, seen_vary_);
  bool done = false;
  with(filing, [&](Hold& hold) {
    hold.shard.mutex.held();
    Variant* v = hold.slot ? hold.shard.variant_of(*hold.slot, entry.get()) : nullptr;
    if (!v) return;
    // A purge that has not reached this shard yet will find the entry, which is as old as this fetch.
    if (purges.current() != checked && purges.forbids(checked, purgeable({}))) return;
    for (std::uint32_t i = 0; i < v->tag_count; ++i)
      if (purges.forbids_tags(flight_->purge_sequence_, {&v->tags[i].record->digest, 1})) return;
    if (tags && purges.forbids_tags(flight_->purge_sequence_, tags->digests())) return;
    v->purge_sequence = flight_->purge_sequence_;
    v->useless_after = useless_after;
    if (tags) tags->give(*v, hold.shard.tags, store.budget, hold.garbage);
    hold.shard.freshen(*v, freshened, freshness, filing, hold.garbage);
    hold.forget_pass(freshness, now);
    done = true;
  });
  return done;
}

bool Flight::is_like(const Selecting& request) const {
  if (!vary_) return true;
  std::string own;
  rules::append_secondary_key(vary_->names, request.fields(vary_->names), own);
  return own == secondary_;
}

bool Flight::is_for(const Selecting& request) const {
  if (!is_like(request)) return false;
  if (!refusable_) return true;
  std::string scratch;
  return accepted_codings(request, scratch)
      .accept(head_->head().fields.value(http::FieldId::ContentEncoding).value_or(""));
}

void Ticket::own(rules::Reason reason, bool by_request, Timestamp no_queue_until) {
  if (!flight_) return;
  Hold hold(*this);
  if (!by_request) hold.remember_pass(no_queue_until, reason);
  hold.unlist();
  if (!hold.waiting()) return;
  flight_->own_reason_ = reason;
  flight_->own_by_request_ = by_request;
  hold.end(Flight::State::NotShareable);
}

void Ticket::fail(Failure failure, RefreshPause pause) {
  if (!flight_) return;
  {
    Hold hold(*this);
    hold.unlist();
    hold.pause_refreshes(pause);
    if (hold.waiting()) {
      flight_->failure_ = std::move(failure);
      hold.end(Flight::State::Failed);
    }
  }
  flight_.reset();
}

void Ticket::outgrow(Timestamp no_queue_until) {
  if (!flight_) return;
  Hold hold(*this);
  hold.remember_pass(no_queue_until, rules::Reason::TooLarge);
  hold.unlist();
  flight_->joinable_.store(false, std::memory_order_release);
}

void Ticket::drop(RefreshPause pause) {
  if (!flight_) return;
  {
    Hold hold(*this);
    hold.pause_refreshes(pause);
    hold.unlist();
    if (hold.waiting()) hold.end(Flight::State::Abandoned);
  }
  flight_.reset();
}

}  // namespace forebay::cache
