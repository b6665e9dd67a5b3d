#include "forebay/cache/listing.hpp"

#include <algorithm>
#include <charconv>

#include "forebay/rules/reuse.hpp"
#include "key_text.hpp"
#include "private.hpp"

namespace forebay::cache {
namespace {

// Amount of work per lock hold: a key that is looked at counts as many passed buckets.
constexpr std::size_t kWorkAtOnce = 1024;
constexpr std::size_t kWorkOfKey = 32;
constexpr std::size_t kWorkOfTag = 4;
constexpr std::size_t kBytesOfWork = 64;  // compared with a pattern
// With more members in a shard, a tag's list is no shorter way than the table.
constexpr std::size_t kMostByTag = 4096;
constexpr std::size_t kMembersAtOnce = 512;

EntryState state_of(const rules::Freshness& freshness, Timestamp now) noexcept {
  if (freshness.purged) return EntryState::Purged;
  return rules::is_fresh(freshness, now) ? EntryState::Fresh : EntryState::Stale;
}

}  // namespace

std::string_view to_string(EntryState state) noexcept {
  switch (state) {
    case EntryState::Fresh: return "fresh";
    case EntryState::Stale: return "stale";
    case EntryState::Purged: break;
  }
  return "purged";
}

std::string ListCursor::text() const { return to_hex(Digest{shard, place}); }

std::optional<ListCursor> ListCursor::parse(std::string_view text) {
  if (text.size() != 32) return std::nullopt;
  const auto number = [&](std::size_t from) -> std::optional<std::uint64_t> {
    std::uint64_t n = 0;
    const char* const first = text.data() + from;
    const auto [end, error] = std::from_chars(first, first + 16, n, 16);
    if (error != std::errc{} || end != first + 16) return std::nullopt;
    return n;
  };
  const auto shard = number(0), place = number(16);
  if (!shard || !place) return std::nullopt;
  return ListCursor{static_cast<std::size_t>(*shard), *place};
}

/// One page under way. Keys are visited in the order of their places, which is the same by way of the table and by way
/// of a tag's list, and does not change when the table grows.
class Store::Private::Listing {
 public:
  Listing(Store::Private& store, const ListQuery& query);
  ListPage run();

 private:
  using Place = std::optional<std::uint64_t>;
  /// Where it goes on in the shard; nothing: it is through.
  Place walk(Shard& shard, std::uint64_t from);
  /// The same by the list of the query's tag. False when it would be no shorter way.
  bool by_tag(Shard& shard, std::uint64_t from, Place& next);
  std::size_t members(Shard& shard, std::vector<std::uint64_t>& hashes);
  /// False when there is no room for its rows on this page, which is ignored if `must`.
  bool take(Shard& shard, const Slot& slot, const TagRecord* tag, bool must) FOREBAY_REQUIRES(shard.mutex);
  bool names(const Slot& slot) const noexcept;
  bool fits(const Shard& shard, const Variant& variant, const TagRecord* tag) const noexcept
      FOREBAY_REQUIRES(shard.mutex);
  rules::Freshness freshness_of(const Shard& shard, const Variant& variant) const noexcept
      FOREBAY_REQUIRES(shard.mutex);
  void add(const Shard& shard, const Variant& variant) FOREBAY_REQUIRES(shard.mutex);

  Store::Private& store_;
  const ListQuery& query_;
  std::optional<UrlMatcher> url_;
  std::string route_;  // as in keys
  Signature sought_;
  std::size_t work_ = 0;  // of this lock hold
  bool full_ = false;
  ListPage page_;
};

Store::Private::Listing::Listing(Store::Private& store, const ListQuery& query) : store_(store), query_(query) {
  if (query.url) sought_.add(url_.emplace(*query.url).names());
  append_escaped(route_, query.route, kInPart);
  if (!route_.empty()) sought_.add(signature_of_route(route_));
  if (query.id) sought_.add(signature_of_id(*query.id));
}

ListPage Store::Private::Listing::run() {
  page_.rows.reserve(std::min<std::size_t>(query_.rows, 1024));
  auto [number, from] = query_.from;
  while (number < store_.shards.size()) {
    Shard& shard = *store_.shards[number];
    Place next;
    if (!query_.tag || !by_tag(shard, from, next)) next = walk(shard, from);
    if (!next) ++number;
    from = next.value_or(0);
    if (!full_ && page_.visited < query_.visits) continue;
    if (number < store_.shards.size()) page_.next = ListCursor{number, from};
    break;
  }
  for (auto& row : page_.rows) row.id = digest_of(row.entry->key_text());
  return std::move(page_);
}

std::optional<std::uint64_t> Store::Private::Listing::walk(Shard& shard, std::uint64_t from) {
  Place next = from;
  while (next && !full_ && page_.visited < query_.visits) {
    const ShardLock lock(shard.mutex, ShardLock::After::Others);
    const TagRecord* tag = query_.tag ? shard.tags.find(*query_.tag) : nullptr;
    if (query_.tag && !tag) return std::nullopt;
    work_ = 0;
    next = shard.by_key.walk(
        *next,
        [&](const Signature& names) {
          ++work_;
          ++page_.visited;
          return names.has(sought_);
        },
        [&](const Slot& slot, bool must) FOREBAY_NOT_ANALYSED { return take(shard, slot, tag, must); },
        [&] { return work_ < kWorkAtOnce; });
  }
  return next;
}

std::size_t Store::Private::Listing::members(Shard& shard, std::vector<std::uint64_t>& hashes) {
  TagWalk walk;
  std::size_t count = 0;
  bool begun = false;
  for (bool more = true; more;) {
    Garbage garbage;
    const ShardLock lock(shard.mutex, ShardLock::After::Others);
    if (!begun) {
      const TagRecord* record = shard.tags.find(*query_.tag);
      count = record ? record->members : 0;
      if (count == 0 || count > kMostByTag) return count;
      begun = walk.begin(shard.tags, *query_.tag);
    }
    more = walk.go(shard.tags, kMembersAtOnce, garbage, [&](const Variant& v) {
      if (hashes.size() < hashes.capacity()) hashes.push_back(v.slot->hash);
    });
  }
  return count;
}

bool Store::Private::Listing::by_tag(Shard& shard, std::uint64_t from, Place& next) {
  std::vector<std::uint64_t> hashes;
  hashes.reserve(kMostByTag);
  const auto count = members(shard, hashes);
  if (count > kMostByTag) return false;
  page_.visited += 1 + count;
  for (auto& hash : hashes) hash = place_of(hash);
  std::sort(hashes.begin(), hashes.end());
  hashes.erase(std::unique(hashes.begin(), hashes.end()), hashes.end());
  for (auto place = std::lower_bound(hashes.begin(), hashes.end(), from); place != hashes.end();) {
    const ShardLock lock(shard.mutex, ShardLock::After::Others);
    const TagRecord* tag = shard.tags.find(*query_.tag);
    if (!tag) return true;
    for (work_ = 0; place != hashes.end() && work_ < kWorkAtOnce; ++place) {
      const auto hash = place_of(*place);
      bool must = false;
      for (const Slot* s = shard.by_key.chain(hash); s; s = shard.by_key.next(*s)) {
        if (s->hash != hash) continue;
        if (!take(shard, *s, tag, must)) {
          next = *place;
          return true;
        }
        must = true;
      }
    }
  }
  return true;
}

bool Store::Private::Listing::take(Shard& shard, const Slot& slot, const TagRecord* tag, bool must) {
  work_ += kWorkOfKey + (url_ ? url_->work(slot.url) / kBytesOfWork : 0);
  ++page_.visited;
  if (!names(slot)) return true;
  std::size_t found = 0;
  for (const Variant* v = slot.newest; v; v = v->next_older) found += fits(shard, *v, tag);
  if (found == 0) return true;
  full_ = !page_.rows.empty() && page_.rows.size() + found > query_.rows;
  if (full_ && !must) return false;
  for (const Variant* v = slot.newest; v; v = v->next_older)
    if (fits(shard, *v, tag)) add(shard, *v);
  return true;
}

bool Store::Private::Listing::names(const Slot& slot) const noexcept {
  const auto text = slot.text();
  if (!route_.empty() && route_in(text) != route_) return false;
  if (url_ && !url_->matches(text, slot.url)) return false;
  return !query_.id || digest_of(text) == *query_.id;
}

rules::Freshness Store::Private::Listing::freshness_of(const Shard& shard, const Variant& variant) const noexcept {
  auto freshness = variant.freshness;
  if (variant.purge_sequence < shard.marks.soft) rules::become_stale(freshness, shard.marks.soft_at);
  return freshness;
}

bool Store::Private::Listing::fits(const Shard& shard, const Variant& variant, const TagRecord* tag) const noexcept {
  if (shard.is_dead(variant) || variant.hits < query_.least_hits) return false;
  const auto received = variant.freshness.received;
  if (received < query_.received_from || received > query_.received_to) return false;
  if (tag && !variant.has(*tag)) return false;
  if (query_.state && state_of(freshness_of(shard, variant), query_.now) != *query_.state) return false;
  return query_.least_bytes == 0 || variant.bytes() >= query_.least_bytes;
}

void Store::Private::Listing::add(const Shard& shard, const Variant& variant) {
  Listed row;
  row.entry = variant.entry;
  row.url = variant.slot->url;
  row.freshness = freshness_of(shard, variant);
  row.state = state_of(row.freshness, query_.now);
  row.hits = variant.hits;
  row.bytes = variant.bytes();
  row.names = variant.vary;
  row.secondary = variant.secondary;
  row.tags.reserve(variant.tag_count);
  for (std::uint32_t i = 0; i < variant.tag_count; ++i) row.tags.push_back(variant.tags[i].record->text);
  work_ += kWorkOfTag * variant.tag_count;
  page_.rows.push_back(std::move(row));
}

ListPage Store::list(const ListQuery& query) const { return Private::Listing(*p_, query).run(); }

std::vector<Listed> Store::find(const Digest& id, Timestamp now) const {
  ListQuery query;
  query.id = id;
  query.now = now;
  query.visits = SIZE_MAX;
  return list(query).rows;
}

}  // namespace forebay::cache
