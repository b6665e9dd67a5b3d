#include <algorithm>

#include "key_text.hpp"
#include "private.hpp"

// How orders to purge go through the shards: in slices, so that no look-up waits for long.

namespace forebay::cache {
namespace {

// Amount of work per lock hold.
constexpr std::size_t kSlotsOfResource = 256;
constexpr std::size_t kWalked = 1024;
constexpr std::size_t kScannedBuckets = 8192;
constexpr std::size_t kScannedSlots = 256;

}  // namespace

class Store::Private::Purging {
 public:
  Purging(Store::Private& store, const PurgeOrder& order);
  Purged run();

 private:
  void all(Shard& shard);
  void resource(Shard& shard, const Digest& resource);
  void tag(Shard& shard, const Digest& tag);
  void scan(Shard& shard);
  bool may_name(const Signature& names) const noexcept;
  void visit(Shard& shard, Slot& slot, Garbage& garbage) FOREBAY_REQUIRES(shard.mutex);
  void take(Shard& shard, Slot& slot, PurgeKind kind, Garbage& garbage) FOREBAY_REQUIRES(shard.mutex);
  void take(Shard& shard, Variant& variant, PurgeKind kind) noexcept FOREBAY_REQUIRES(shard.mutex);

  Store::Private& store_;
  const PurgeOrder& order_;
  const std::uint64_t order_number_;
  std::uint64_t sequence_ = 0;  // 0: a dry run
  std::vector<UrlMatcher> urls_;
  std::vector<std::string> routes_;  // as in keys
  std::vector<Digest> ids_;          // sorted
  std::vector<Digest> crowded_;      // sorted resources with many slots, which the scan visits
  std::vector<Signature> sought_;    // of urls, routes and ids
  Purged out_;
};

Store::Private::Purging::Purging(Store::Private& store, const PurgeOrder& order)
    : store_(store), order_(order), order_number_(store.orders.fetch_add(1, std::memory_order_relaxed) + 1) {
  if (order.all) return;
  for (const auto& u : order.urls) urls_.emplace_back(u);
  for (const auto& r : order.routes) append_escaped(routes_.emplace_back(), r, kInPart);
  ids_ = order.ids;
  std::sort(ids_.begin(), ids_.end());
  for (const auto& u : urls_) sought_.push_back(u.names());
  for (const auto& r : routes_) sought_.push_back(signature_of_route(r));
  for (const auto& i : ids_) sought_.push_back(signature_of_id(i));
}

Purged Store::Private::Purging::run() {
  if (!order_.dry_run) sequence_ = store_.purges.add(order_);
  for (auto& shard : store_.shards) {
    if (order_.all) {
      all(*shard);
      continue;
    }
    for (const auto& t : order_.tags) tag(*shard, t);
    if (!sought_.empty()) scan(*shard);
    // Last, since this removes entries, which then count for no other kind.
    for (const auto& r : order_.resources) resource(*shard, r);
    if (crowded_.empty()) continue;
    std::sort(crowded_.begin(), crowded_.end());
    scan(*shard);
    crowded_.clear();
  }
  return out_;
}

void Store::Private::Purging::all(Shard& shard) {
  const MutexLock lock(shard.mutex);
  std::uint64_t n = shard.numbers.entries;
  if (sequence_ != 0) {
    auto& marks = shard.marks;
    if (order_.mode == PurgeMode::Hard) {
      shard.purge_all(sequence_);
      n = marks.hard == sequence_ ? shard.all_counted : 0;
    } else if (marks.soft < sequence_) {
      marks.soft = sequence_;
      marks.soft_at = order_.now;
      marks.flights = std::max(marks.flights, sequence_);
    }
  }
  out_.by[static_cast<std::size_t>(PurgeKind::All)] += n;
  out_.total += n;
}

void Store::Private::Purging::resource(Shard& shard, const Digest& resource) {
  // Hard ones are removed at once, so that the chain becomes shorter; else the scan visits what is left.
  const bool removes = sequence_ != 0 && order_.mode == PurgeMode::Hard;
  for (;;) {
    Garbage garbage;
    const MutexLock lock(shard.mutex);
    std::size_t visited = 0, removed = 0;
    Slot* s = shard.first_of(resource);
    while (s && visited < kSlotsOfResource) {
      Slot* next = Shard::next_of(*s, resource);
      take(shard, *s, PurgeKind::Url, garbage);
      const auto variants = s->variants;
      if (removes) shard.reap(*s, garbage);
      removed += variants - s->variants;
      if (sequence_ != 0) shard.tidy(*s, garbage);
      ++visited;
      s = next;
    }
    if (!s) return;
    if (removed != 0) continue;
    crowded_.push_back(resource);
    return;
  }
}

void Store::Private::Purging::tag(Shard& shard, const Digest& tag) {
  TagWalk walk;
  bool begun = false;
  for (bool more = true; more;) {
    Garbage garbage;
    const MutexLock lock(shard.mutex);
    if (!begun) {
      if (sequence_ != 0) shard.marks.tags = std::max(shard.marks.tags, sequence_);
      if (!walk.begin(shard.tags, tag)) return;
      begun = true;
    }
    more =
        walk.go(shard.tags, kWalked, garbage, [&](Variant& v) FOREBAY_NOT_ANALYSED { take(shard, v, PurgeKind::Tag); });
  }
}

bool Store::Private::Purging::may_name(const Signature& names) const noexcept {
  return !crowded_.empty() || std::any_of(sought_.begin(), sought_.end(), [&](const auto& s) { return names.has(s); });
}

void Store::Private::Purging::scan(Shard& shard) {
  // The table only grows, and a slot moves to a later bucket then.
  for (std::size_t b = 0, end = 1; b < end;) {
    Garbage garbage;
    const MutexLock lock(shard.mutex);
    end = shard.by_key.buckets();
    b = shard.by_key.search(
        b, std::min(end, b + kScannedBuckets), kScannedSlots,
        [this](const Signature& names) { return may_name(names); },
        [](const Slot& slot) { __builtin_prefetch(slot.newest); },
        [&](Slot& slot) FOREBAY_NOT_ANALYSED { visit(shard, slot, garbage); });
  }
}

void Store::Private::Purging::visit(Shard& shard, Slot& slot, Garbage& garbage) {
  const auto text = slot.text();
  bool named = false;
  const auto take_as = [&](PurgeKind kind) FOREBAY_NOT_ANALYSED {
    named = true;
    take(shard, slot, kind, garbage);
  };
  for (const auto& u : urls_)
    if (u.matches(text, slot.url)) take_as(u.kind());
  for (const auto& r : routes_)
    if (text.size() > r.size() && text[r.size()] == '|' && text.starts_with(r)) take_as(PurgeKind::Route);
  if (!ids_.empty() && std::binary_search(ids_.begin(), ids_.end(), digest_of(text))) take_as(PurgeKind::Id);
  if (std::binary_search(crowded_.begin(), crowded_.end(), slot.resource)) take_as(PurgeKind::Url);
  if (named && sequence_ != 0) shard.tidy(slot, garbage);
}

void Store::Private::Purging::take(Shard& shard, Slot& slot, PurgeKind kind, Garbage& garbage) {
  for (Variant* v = slot.newest; v; v = v->next_older) take(shard, *v, kind);
  if (sequence_ != 0) Shard::unlist_older(slot, sequence_, garbage);
}

void Store::Private::Purging::take(Shard& shard, Variant& variant, PurgeKind kind) noexcept {
  if (order_.by_write) kind = PurgeKind::Write;
  const bool counted = variant.counted >> kPurgeKinds == order_number_;
  if (!counted) {
    if (shard.is_dead(variant)) return;
    if (sequence_ != 0) {
      if (variant.purge_sequence >= sequence_) return;  // fetched since
      shard.purge(variant, order_.mode, order_.now);
    }
    ++out_.total;
    variant.counted = order_number_ << kPurgeKinds;
  }
  const auto bit = std::uint64_t{1} << static_cast<unsigned>(kind);
  if (variant.counted & bit) return;
  variant.counted |= bit;
  ++out_.by[static_cast<std::size_t>(kind)];
}

void Store::Private::count(const PurgeOrder& order, const Purged& purged) noexcept {
  std::array<bool, kPurgeKinds> has{};
  const auto kind = [&](PurgeKind k) -> bool& {
    return has[static_cast<std::size_t>(order.by_write ? PurgeKind::Write : k)];
  };
  if (order.all) {
    kind(PurgeKind::All) = true;
  } else {
    if (!order.resources.empty()) kind(PurgeKind::Url) = true;
    for (const auto& u : order.urls) kind(UrlMatcher(u).kind()) = true;
    if (!order.tags.empty()) kind(PurgeKind::Tag) = true;
    if (!order.routes.empty()) kind(PurgeKind::Route) = true;
    if (!order.ids.empty()) kind(PurgeKind::Id) = true;
  }
  auto& numbers = purge_numbers[static_cast<std::size_t>(order.mode)];
  for (std::size_t k = 0; k < kPurgeKinds; ++k) {
    if (has[k]) numbers.orders[k].fetch_add(1, std::memory_order_relaxed);
    numbers.entries[k].fetch_add(purged.by[k], std::memory_order_relaxed);
  }
}

Purged Store::purge(const PurgeOrder& order) {
  if (order.empty()) return {};
  const auto purged = Private::Purging(*p_, order).run();
  if (!order.dry_run) p_->count(order, purged);
  return purged;
}

std::size_t Store::invalidate(const std::vector<Digest>& resources) {
  PurgeOrder order;
  order.resources = resources;
  order.by_write = true;
  const auto gone = purge(order).total;
  p_->invalidated.fetch_add(gone, std::memory_order_relaxed);
  return static_cast<std::size_t>(gone);
}

}  // namespace forebay::cache
