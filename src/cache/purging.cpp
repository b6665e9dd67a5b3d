#include "forebay/cache/purge_run.hpp"

#include <algorithm>
#include <utility>

#include "key_text.hpp"
#include "private.hpp"

// How orders to purge go through the shards: in slices, from one to the next, so that no look-up waits for long. A
// thread that waits for a shard wakes up while the order is at another one.

namespace forebay::cache {
namespace {

// Amount of work per lock hold.
constexpr std::size_t kSlotsOfResource = 256;
constexpr std::size_t kWalked = 512;
constexpr std::size_t kScannedBuckets = 4096;  // of an order with one name
constexpr std::size_t kScanned = 128;          // slots, or as much work
constexpr std::size_t kComparedBytes = 512;    // with patterns: as much work as a slot
constexpr auto kAfterOthers = ShardLock::After::Others;

}  // namespace

class PurgeRun::Work {
 public:
  Work(Store::Private& store, const PurgeOrder& order);
  Work(const Work&) = delete;
  ~Work();
  bool step();
  const Purged& purged() const noexcept { return out_; }

 private:
  // In each shard. Resources are last, since that removes entries, which then count for no other kind.
  enum class Phase : std::uint8_t { Everything, Tags, Scan, Resources, Crowds, Done };

  /// How far a shard has come.
  struct Part {
    Part(Shard& s, Phase p) : shard(&s), phase(p) {}
    void begin(Phase next) noexcept {
      phase = next;
      at = 0;
    }
    Shard* shard;
    Phase phase;
    bool walking = false;           // with its own one of `walks_`
    std::size_t at = 0;             // the tag, resource or bucket that is next
    std::vector<Digest> crowded{};  // sorted resources with many slots, which a second scan visits
  };

  /// The part to go on with: shards that nobody waits for come first, in turn.
  std::size_t choose() const noexcept;
  // Each is one lock hold, and returns whether there is more of the same.
  void all(Shard& shard);
  bool resource(Part& part, const Digest& resource);
  bool tag(Part& part, TagWalk& walk, const Digest& tag);
  bool scan(Part& part);
  bool go_on(std::size_t number);
  bool may_name(const Part& part, const Signature& names) const noexcept;
  /// Returns the work that it was.
  std::size_t visit(const Part& part, Shard& shard, Slot& slot, Garbage& garbage) FOREBAY_REQUIRES(shard.mutex);
  void take(Shard& shard, Slot& slot, PurgeKind kind, Garbage& garbage) FOREBAY_REQUIRES(shard.mutex);
  void take(Shard& shard, Variant& variant, PurgeKind kind) noexcept FOREBAY_REQUIRES(shard.mutex);

  Store::Private& store_;
  const PurgeOrder& order_;
  const std::uint64_t order_number_;
  std::uint64_t sequence_ = 0;  // 0: a dry run
  std::vector<UrlMatcher> urls_;
  std::vector<std::string> routes_;  // as in keys
  std::vector<Digest> ids_;          // sorted
  std::vector<Signature> sought_;    // of urls, routes and ids

  std::vector<Part> parts_;
  std::vector<TagWalk> walks_;  // one for each shard, if there are tags
  std::size_t left_ = 0;        // parts that are not done
  std::size_t next_ = 0;
  Purged out_;
};

PurgeRun::Work::Work(Store::Private& store, const PurgeOrder& order)
    : store_(store),
      order_(order),
      order_number_(store.orders.fetch_add(1, std::memory_order_relaxed) + 1),
      walks_(order.all || order.tags.empty() ? 0 : store.shards.size()) {
  if (order.empty()) return;
  parts_.reserve(store.shards.size());
  for (const auto& shard : store.shards) parts_.emplace_back(*shard, order.all ? Phase::Everything : Phase::Tags);
  left_ = parts_.size();
  if (!order.dry_run) sequence_ = store.purges.add(order);
  if (order.all) return;
  for (const auto& u : order.urls) urls_.emplace_back(u);
  for (const auto& r : order.routes) append_escaped(routes_.emplace_back(), r, kInPart);
  ids_ = order.ids;
  std::sort(ids_.begin(), ids_.end());
  for (const auto& u : urls_) sought_.push_back(u.names());
  for (const auto& r : routes_) sought_.push_back(signature_of_route(r));
  for (const auto& i : ids_) sought_.push_back(signature_of_id(i));
}

PurgeRun::Work::~Work() {
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    if (!parts_[i].walking) continue;
    Shard& shard = *parts_[i].shard;
    Garbage garbage;
    const ShardLock lock(shard.mutex);
    walks_[i].end(shard.tags, garbage);
  }
}

bool PurgeRun::Work::step() {
  if (left_ == 0) return false;
  const auto number = choose();
  next_ = number + 1 == parts_.size() ? 0 : number + 1;
  if (go_on(number)) return true;
  parts_[number].phase = Phase::Done;
  if (--left_ != 0) return true;
  if (sequence_ != 0) store_.count(order_, out_);
  return false;
}

std::size_t PurgeRun::Work::choose() const noexcept {
  std::size_t any = parts_.size();
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    const auto number = next_ + i < parts_.size() ? next_ + i : next_ + i - parts_.size();
    const auto& part = parts_[number];
    if (part.phase == Phase::Done) continue;
    if (!part.shard->mutex.is_waited_for()) return number;
    if (any == parts_.size()) any = number;
  }
  return any;
}

// One lock hold, or none. False when the shard is through.
bool PurgeRun::Work::go_on(std::size_t number) {
  auto& part = parts_[number];
  switch (part.phase) {
    case Phase::Everything: all(*part.shard); return false;
    case Phase::Tags:
      if (part.at < order_.tags.size()) {
        if (!tag(part, walks_[number], order_.tags[part.at])) ++part.at;
        return true;
      }
      part.begin(Phase::Scan);
      [[fallthrough]];
    case Phase::Scan:
      if (!sought_.empty() && scan(part)) return true;
      part.begin(Phase::Resources);
      [[fallthrough]];
    case Phase::Resources:
      if (part.at < order_.resources.size()) {
        if (!resource(part, order_.resources[part.at])) ++part.at;
        return true;
      }
      std::sort(part.crowded.begin(), part.crowded.end());
      part.begin(Phase::Crowds);
      [[fallthrough]];
    case Phase::Crowds:
    case Phase::Done: break;
  }
  return !part.crowded.empty() && scan(part);
}

void PurgeRun::Work::all(Shard& shard) {
  const ShardLock lock(shard.mutex);
  std::uint64_t n = shard.numbers.entries;
  if (sequence_ != 0) {
    auto& marks = shard.marks;
    if (order_.mode == PurgeMode::Hard) {
      shard.purge_all(sequence_);
      n = std::exchange(shard.all_counted, 0);
    } else if (marks.soft < sequence_) {
      marks.soft = sequence_;
      marks.soft_at = order_.now;
      marks.flights = std::max(marks.flights, sequence_);
    }
  }
  out_.by[static_cast<std::size_t>(PurgeKind::All)] += n;
  out_.total += n;
}

bool PurgeRun::Work::resource(Part& part, const Digest& resource) {
  Shard& shard = *part.shard;
  // Hard ones are removed at once, so that the chain becomes shorter; else the scan visits what is left.
  const bool removes = sequence_ != 0 && order_.mode == PurgeMode::Hard;
  Garbage garbage;
  const ShardLock lock(shard.mutex, kAfterOthers);
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
  if (s && removed == 0) part.crowded.push_back(resource);
  return s && removed != 0;
}

bool PurgeRun::Work::tag(Part& part, TagWalk& walk, const Digest& tag) {
  Shard& shard = *part.shard;
  Garbage garbage;
  const ShardLock lock(shard.mutex, kAfterOthers);
  if (!part.walking) {
    if (sequence_ != 0) shard.marks.tags = std::max(shard.marks.tags, sequence_);
    part.walking = walk.begin(shard.tags, tag);
    if (!part.walking) return false;
  }
  part.walking =
      walk.go(shard.tags, kWalked, garbage, [&](Variant& v) FOREBAY_NOT_ANALYSED { take(shard, v, PurgeKind::Tag); });
  return part.walking;
}

bool PurgeRun::Work::may_name(const Part& part, const Signature& names) const noexcept {
  return !part.crowded.empty() ||
         std::any_of(sought_.begin(), sought_.end(), [&](const auto& s) { return names.has(s); });
}

bool PurgeRun::Work::scan(Part& part) {
  Shard& shard = *part.shard;
  const auto buckets = std::max<std::size_t>(kScannedBuckets / (1 + sought_.size()), 1);
  Garbage garbage;
  const ShardLock lock(shard.mutex, kAfterOthers);
  // The table only grows, and a slot moves to a later bucket then.
  const auto end = shard.by_key.buckets();
  part.at = shard.by_key.search(
      part.at, std::min(end, part.at + buckets), kScanned,
      [&](const Signature& names) { return may_name(part, names); },
      [](const Slot& slot) { __builtin_prefetch(slot.newest); },
      [&](Slot& slot) FOREBAY_NOT_ANALYSED { return visit(part, shard, slot, garbage); });
  return part.at < end;
}

std::size_t PurgeRun::Work::visit(const Part& part, Shard& shard, Slot& slot, Garbage& garbage) {
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
  if (std::binary_search(part.crowded.begin(), part.crowded.end(), slot.resource)) take_as(PurgeKind::Url);
  if (named && sequence_ != 0) shard.tidy(slot, garbage);
  std::size_t compared = routes_.size() * 32;
  for (const auto& u : urls_) compared += u.work(slot.url);
  return 1 + compared / kComparedBytes;
}

void PurgeRun::Work::take(Shard& shard, Slot& slot, PurgeKind kind, Garbage& garbage) {
  for (Variant* v = slot.newest; v; v = v->next_older) take(shard, *v, kind);
  if (sequence_ != 0) Shard::unlist_older(slot, sequence_, garbage);
}

void PurgeRun::Work::take(Shard& shard, Variant& variant, PurgeKind kind) noexcept {
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
  if (order.by_write && !order.resources.empty() && order.tags.empty() && order.routes.empty())
    invalidated.fetch_add(purged.total, std::memory_order_relaxed);
  auto& numbers = purge_numbers[static_cast<std::size_t>(order.mode)];
  for (std::size_t k = 0; k < kPurgeKinds; ++k) {
    if (has[k]) numbers.orders[k].fetch_add(1, std::memory_order_relaxed);
    numbers.entries[k].fetch_add(purged.by[k], std::memory_order_relaxed);
  }
}

PurgeRun::PurgeRun(Store& store, PurgeOrder order)
    : order_(std::make_unique<const PurgeOrder>(std::move(order))), work_(std::make_unique<Work>(*store.p_, *order_)) {}

PurgeRun::PurgeRun(PurgeRun&& o) noexcept = default;
PurgeRun& PurgeRun::operator=(PurgeRun&& o) noexcept = default;
PurgeRun::~PurgeRun() = default;

bool PurgeRun::step() { return work_->step(); }
const Purged& PurgeRun::purged() const noexcept { return work_->purged(); }

Purged Store::purge(const PurgeOrder& order) {
  PurgeRun::Work work(*p_, order);
  while (work.step()) {
  }
  return work.purged();
}

std::size_t Store::invalidate(const std::vector<Digest>& resources) {
  PurgeOrder order;
  order.resources = resources;
  order.by_write = true;
  return static_cast<std::size_t>(purge(order).total);
}

}  // namespace forebay::cache
