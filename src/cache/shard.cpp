#include "shard.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

#include "filing.hpp"

namespace forebay::cache {
namespace {

// Clients choose the digested text, so the table needs a seeded hash.
std::uint64_t hash_of(const Digest& d) noexcept { return table_hash({reinterpret_cast<const char*>(&d), sizeof d}); }

}  // namespace

std::size_t cost_of_text(std::size_t size) noexcept { return size < 16 ? 0 : allocated_size(size + 1); }

namespace {

// The growth by a Vary is bounded by the size of a head, and cannot be refused.
void adjust(Charge& charge, std::size_t before, std::size_t now, Budget& budget, Charge& room) noexcept {
  if (now > before) {
    const auto paid = std::min(now - before, room.bytes());
    const auto forced = now - before - paid;
    budget.force_take(forced);
    charge.merge(room.split(paid));
    charge.merge(Charge(budget, forced));
  } else {
    charge.split(before - now);
  }
}

}  // namespace

std::size_t cost_of(const VaryRef& names) noexcept {
  if (!names) return 0;
  std::size_t n = allocated_size(sizeof(VaryNames)) + allocated_size(names->names.size() * sizeof(std::string));
  for (const auto& name : names->names) n += cost_of_text(name.size());
  return n;
}

std::size_t Variant::cost(std::string_view secondary, const VaryRef& stated) noexcept {
  return allocated_size(sizeof(Variant)) + cost_of_text(secondary.size()) + cost_of(stated);
}

std::size_t Variant::bytes() const noexcept {
  const auto* encodings = entry->encodings();
  return entry->charged() + charge.bytes() + (encodings ? encodings->charged() : 0);
}

bool Variant::has(const TagRecord& tag) const noexcept {
  return std::any_of(tags.get(), tags.get() + tag_count, [&](const TagLink& own) { return own.record == &tag; });
}

VaryRef Slot::take_names(VaryRef names, Budget& budget, Charge& room) noexcept {
  adjust(charge, cost_of(vary), cost_of(names), budget, room);
  return std::exchange(vary, std::move(names));
}

SlotPtr Slot::make(std::string_view text, std::uint64_t hash, const Digest& resource, const UrlSpans& url,
                   Charge charge) {
  void* block = std::malloc(sizeof(Slot) + text.size());
  if (!block) throw std::bad_alloc();
  auto* slot = new (block) Slot(text.size());
  std::memcpy(static_cast<void*>(slot + 1), text.data(), text.size());
  slot->hash = hash;
  slot->url = url;
  slot->signature = signature_of(text, url);
  slot->resource = resource;
  slot->resource_hash = hash_of(resource);
  slot->charge = std::move(charge);
  return SlotPtr(slot);
}

void Slot::Free::operator()(Slot* s) const noexcept {
  const Charge last = std::move(s->charge);
  s->~Slot();
  std::free(s);
}

Garbage::~Garbage() {
  while (items_) {
    Item* item = std::exchange(items_, items_->older);
    if (item->kind == Item::Kind::Slot) {
      SlotPtr(static_cast<Slot*>(item)).reset();
      continue;
    }
    const std::unique_ptr<Variant> variant(static_cast<Variant*>(item));
    variant->entry->leave_store();
  }
  while (records_) {
    const std::unique_ptr<TagRecord> record(std::exchange(records_, records_->by_tag.next));
    const Charge last = std::move(record->charge);
  }
}

void Slot::weigh_refusable() noexcept {
  refusable = std::any_of(flights.begin(), flights.end(), [](const ListedFlight& l) { return l.flight->refusable(); });
  for (const Variant* v = newest; v && !refusable; v = v->next_older) refusable = v->refusable;
}

Slot* Shard::find(std::uint64_t hash, std::string_view text) const noexcept {
  // The hash only leads to the chain; equality is of the text.
  for (Slot* s = by_key.chain(hash); s; s = by_key.next(*s))
    if (s->hash == hash && s->text() == text) return s;
  return nullptr;
}

Slot& Shard::insert(SlotPtr slot) noexcept {
  Slot& s = *slot.release();
  by_key.insert(s, budget);
  by_resource.insert(s, budget);
  return s;
}

Slot* Shard::first_of(const Digest& resource) const noexcept {
  Slot* s = by_resource.chain(hash_of(resource));
  while (s && s->resource != resource) s = by_resource.next(*s);
  return s;
}

Slot* Shard::next_of(const Slot& slot, const Digest& resource) noexcept {
  Slot* s = decltype(by_resource)::next(slot);
  while (s && s->resource != resource) s = decltype(by_resource)::next(*s);
  return s;
}

void Shard::add(Slot& slot, Variant& variant, TagRoom& room, Garbage& garbage) noexcept {
  if (slot.linked()) lru.remove(slot);
  variant.slot = &slot;
  reap(slot, garbage);
  variant.next_older = slot.newest;
  slot.newest = &variant;
  ++slot.variants;
  ++numbers.entries;
  tags.add(variant, room, budget);
  lru.add(variant);
}

namespace {

void unlink_from_slot(Variant& variant) noexcept {
  Variant** at = &variant.slot->newest;
  while (*at != &variant) at = &(*at)->next_older;
  *at = variant.next_older;
}

}  // namespace

void Shard::remove(Variant& variant, Removal why, Garbage& garbage) noexcept {
  unlink_from_slot(variant);
  --variant.slot->variants;
  if (is_dead(variant)) {
    take_dead();
  } else {
    --numbers.entries;
    ++numbers.removed[static_cast<std::size_t>(why)];
  }
  tags.remove(variant, garbage);
  lru.remove(variant);
  if (variant.refusable) variant.slot->weigh_refusable();
  garbage.take(variant);
}

void Pause::add(const RefreshPause& failed) noexcept {
  constexpr Duration kFirst = std::chrono::seconds{10}, kLongest = std::chrono::minutes{5};
  until = std::max(until, failed.from + failed.least);
  if (failed.wished <= Duration{0}) return;
  // Failures of one time count once: only what is asked behind the pause confirms it.
  const bool lasts = wished_until > failed.from;
  const Duration most = std::max(kFirst, lasts ? wished : 2 * wished);
  const Duration given = std::min({failed.wished, most, kLongest});
  wished = lasts ? std::max(wished, given) : given;
  wished_until = std::max(wished_until, failed.from + given);
  until = std::max(until, wished_until);
  if (failed.serves) serves_until = std::max(serves_until, failed.from + given);
}

void Shard::renew(Variant& variant) noexcept {
  unlink_from_slot(variant);
  variant.next_older = variant.slot->newest;
  variant.slot->newest = &variant;
  lru.touch(variant);
}

Variant* Shard::variant_of(Slot& slot, const Entry* entry) const noexcept {
  Variant* v = slot.newest;
  while (v && v->entry.get() != entry) v = v->next_older;
  return v && !is_dead(*v) ? v : nullptr;
}

void Shard::file(Slot& slot, Variant& variant, const Filing& filing, Garbage& garbage, Charge room) {
  const auto cost = Variant::cost(filing.secondary(), filing.own_stated()) + TagRoom::links_cost(variant.tag_count);
  adjust(variant.charge, variant.charge.bytes(), cost, budget, room);
  garbage.take(Owner(std::exchange(variant.vary, filing.names())));
  garbage.take(Owner(std::exchange(variant.stated, filing.stated())));
  variant.secondary = filing.secondary();
  variant.refusable = filing.refusable();
  filing.file(*this, slot, garbage, std::move(room));
  for (Variant* v = slot.newest; v;) {
    Variant* older = v->next_older;
    if (v != &variant && v->vary == variant.vary && v->secondary == variant.secondary)
      remove(*v, Removal::Replaced, garbage);
    v = older;
  }
  slot.refusable |= variant.refusable;
}

void Shard::freshen(Variant& v, const Ref<const Entry>& freshened, const rules::Freshness& freshness,
                    const Filing& filing, Garbage& garbage) {
  garbage.take(Owner(std::exchange(v.entry, freshened)));
  v.freshness = freshness;
  v.softened = false;
  v.hits = 0;
  v.pause = {};
  file(*v.slot, v, filing, garbage);
  renew(v);
}

void Shard::list(Slot& slot, ListedFlight flight) {
  slot.flights.push_back(std::move(flight));
  slot.flights.back().flight->listed_ = true;
}

void Shard::unlist(Slot& slot, Flight& flight, Garbage& garbage) noexcept {
  if (!flight.listed_) return;
  flight.listed_ = false;
  const auto f = std::find_if(slot.flights.begin(), slot.flights.end(),
                              [&](const ListedFlight& l) { return l.flight.get() == &flight; });
  garbage.take(Owner(std::move(f->flight)));
  garbage.take(Owner(std::move(f->vary)));
  slot.flights.erase(f);
  if (flight.refusable()) slot.weigh_refusable();
}

void Shard::tidy(Slot& slot, Garbage& garbage) noexcept {
  if (!slot.bare()) {
    if (slot.linked()) lru.remove(slot);
    return;
  }
  if (!slot.vary && slot.no_queue_until == Timestamp{}) return drop(slot, garbage);
  if (!slot.linked()) lru.add(slot);
}

void Shard::drop(Slot& slot, Garbage& garbage) noexcept {
  if (slot.linked()) lru.remove(slot);
  by_key.remove(slot);
  by_resource.remove(slot);
  garbage.take(slot);
}

std::size_t Shard::evict_last(Garbage& garbage) noexcept {
  Item* item = lru.last();
  if (!item) return 0;
  if (item->kind == Item::Kind::Slot) {
    auto& slot = static_cast<Slot&>(*item);
    const auto bytes = slot.charge.bytes();
    drop(slot, garbage);
    return bytes;
  }
  auto& variant = static_cast<Variant&>(*item);
  auto& slot = *variant.slot;
  const auto bytes = variant.bytes();
  remove(variant, Removal::Capacity, garbage);
  tidy(slot, garbage);
  return bytes;
}

void Shard::sweep(std::size_t count, Timestamp now, Garbage& garbage) noexcept {
  constexpr std::size_t kMost = 128, kLarge = 64 * 1024;
  std::size_t gone = 0;
  for (; count != 0 && gone < kMost; --count) {
    swept = swept + 1 < by_key.buckets() ? swept + 1 : 0;
    for (Slot* s = by_key.bucket_chain(swept); s;) {
      Slot* next = by_key.next(*s);
      for (Variant* v = s->newest; v;) {
        Variant* older = v->next_older;
        if (now > v->useless_after || is_dead(*v)) {
          // A large body is many chunks.
          gone += 1 + v->bytes() / kLarge;
          remove(*v, Removal::Expired, garbage);
        }
        v = older;
      }
      if (now >= s->no_queue_until) s->no_queue_until = {};
      const bool forgettable = s->bare() && s->no_queue_until == Timestamp{} && now > s->remember_until;
      if (forgettable)
        drop(*s, garbage);
      else
        tidy(*s, garbage);
      s = next;
    }
  }
}

void Shard::add_dead(std::uint64_t n) noexcept {
  numbers.dead += n;
  littered.store(numbers.dead != 0 && numbers.dead >= by_key.size() / 8, std::memory_order_relaxed);
}

void Shard::take_dead() noexcept {
  --numbers.dead;
  add_dead(0);
}

void Shard::purge(Variant& variant, PurgeMode mode, Timestamp now) noexcept {
  if (mode == PurgeMode::Soft) {
    variant.softened = true;
    rules::become_stale(variant.freshness, now);
    return;
  }
  variant.purge_sequence = 0;
  --numbers.entries;
  add_dead(1);
  ++numbers.removed[static_cast<std::size_t>(Removal::Purged)];
}

void Shard::purge_all(std::uint64_t sequence) noexcept {
  if (marks.hard >= sequence) return;
  marks.hard = sequence;
  marks.flights = std::max(marks.flights, sequence);
  all_counted += numbers.entries;
  numbers.removed[static_cast<std::size_t>(Removal::Purged)] += numbers.entries;
  add_dead(std::exchange(numbers.entries, 0));
}

void Shard::reap(Slot& slot, Garbage& garbage) noexcept {
  for (Variant* v = slot.newest; v;) {
    Variant* older = v->next_older;
    if (is_dead(*v)) remove(*v, Removal::Purged, garbage);
    v = older;
  }
}

void Shard::unlist_older(Slot& slot, std::uint64_t sequence, Garbage& garbage) noexcept {
  for (std::size_t i = slot.flights.size(); i-- > 0;) {
    Flight& f = *slot.flights[i].flight;
    if (f.purge_sequence_ < sequence) unlist(slot, f, garbage);
  }
}

}  // namespace forebay::cache
