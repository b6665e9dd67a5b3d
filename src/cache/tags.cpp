#include "tags.hpp"

#include "shard.hpp"

namespace forebay::cache {
namespace {

// Origins choose the tags, so the table needs a seeded hash.
std::uint64_t hash_of(const Digest& d) noexcept { return table_hash({reinterpret_cast<const char*>(&d), sizeof d}); }

}  // namespace

TagRoom::TagRoom(std::span<const Digest> tags, Charge charge) {
  if (tags.empty()) return;
  links = std::make_unique<TagLink[]>(tags.size());
  links_charge = charge.split(links_cost(tags.size()));
  records.reserve(tags.size());
  for (const auto& tag : tags) {
    auto& record = *records.emplace_back(std::make_unique<TagRecord>());
    record.digest = tag;
    record.hash = hash_of(tag);
    record.charge = charge.split(TagRecord::cost());
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

void TagIndex::remove(Variant& variant, Garbage& garbage) noexcept {
  for (std::uint32_t i = 0; i < variant.tag_count; ++i) {
    auto& own = variant.tags[i];
    unlink(own);
    --own.record->members;
    release(*own.record, garbage);
  }
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
