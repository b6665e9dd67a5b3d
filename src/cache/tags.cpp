#include "tags.hpp"

#include <algorithm>

#include "forebay/cache/purge_order.hpp"
#include "shard.hpp"

namespace forebay::cache {
namespace {

// Origins choose the tags, so the table needs a seeded hash.
std::uint64_t hash_of(const Digest& d) noexcept { return table_hash({reinterpret_cast<const char*>(&d), sizeof d}); }

}  // namespace

std::size_t TagRecord::cost(std::string_view text) noexcept {
  return allocated_size(sizeof(TagRecord)) + cost_of_text(text.size());
}

TagList::TagList(std::span<const std::string_view> texts) {
  for (const auto text : texts) {
    const auto digest = tag_digest(text);
    if (std::find(digests_.begin(), digests_.end(), digest) != digests_.end()) continue;
    digests_.push_back(digest);
    texts_.push_back(text);
  }
}

std::size_t TagRoom::cost(const TagList& tags) noexcept {
  auto n = links_cost(tags.size());
  for (const auto text : tags.texts()) n += TagRecord::cost(text);
  return n;
}

TagRoom::TagRoom(const TagList& tags, Charge charge) {
  if (tags.size() == 0) return;
  links = std::make_unique<TagLink[]>(tags.size());
  links_charge = charge.split(links_cost(tags.size()));
  records.reserve(tags.size());
  for (std::size_t i = 0; i < tags.size(); ++i) {
    auto& record = *records.emplace_back(std::make_unique<TagRecord>());
    record.digest = tags.digests()[i];
    record.hash = hash_of(record.digest);
    record.text = tags.texts()[i];
    record.charge = charge.split(TagRecord::cost(record.text));
  }
}

TagRecord* TagIndex::find(const Digest& tag) const noexcept {
  for (auto* r = records_.chain(hash_of(tag)); r; r = records_.next(*r))
    if (r->digest == tag) return r;
  return nullptr;
}

void TagIndex::add(Variant& variant, TagRoom& room, Budget& budget) noexcept {
  variant.tags = std::move(room.links);
  variant.tag_count = static_cast<std::uint32_t>(room.records.size());
  variant.charge.merge(std::move(room.links_charge));
  for (std::size_t i = 0; i < room.records.size(); ++i) {
    TagRecord* record = find(room.records[i]->digest);
    if (!record) {
      record = room.records[i].release();
      records_.insert(*record, budget);
    }
    auto& own = variant.tags[i];
    own.variant = &variant;
    own.record = record;
    ++record->members;
    link(own, record->lists[record->next_list++ % TagRecord::kLists]);
  }
}

void TagIndex::remove(TagLink& link, Garbage& garbage) noexcept {
  unlink(link);
  --link.record->members;
  release(*link.record, garbage);
}

void TagIndex::remove(Variant& variant, Garbage& garbage) noexcept {
  for (std::uint32_t i = 0; i < variant.tag_count; ++i) remove(variant.tags[i], garbage);
}

void TagIndex::replace(Variant& variant, TagRoom& room, Budget& budget, Garbage& garbage) noexcept {
  const auto count = variant.tag_count;
  auto old = std::move(variant.tags);
  auto charge = variant.charge.split(TagRoom::links_cost(count));
  add(variant, room, budget);
  for (std::uint32_t i = 0; i < count; ++i) remove(old[i], garbage);
  room.links = std::move(old);
  room.links_charge = std::move(charge);
}

void TagIndex::release(TagRecord& record, Garbage& garbage) noexcept {
  if (!record.unused()) return;
  records_.remove(record);
  garbage.take(record);
}

bool TagWalk::begin(TagIndex& index, const Digest& tag) noexcept {
  record_ = index.find(tag);
  if (!record_) return false;
  ++record_->walks;
  for (std::size_t i = 0; i < TagRecord::kLists; ++i) TagIndex::link(places_[i], record_->lists[i]);
  return true;
}

}  // namespace forebay::cache
