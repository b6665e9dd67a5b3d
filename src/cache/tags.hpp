#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "forebay/base/budget.hpp"
#include "forebay/base/hash.hpp"
#include "table.hpp"

namespace forebay::cache {

class Garbage;
struct Variant;
struct TagRecord;

/// The tags of a response, without doubles: as orders name them, and as operators read them.
class TagList {
 public:
  explicit TagList(std::span<const std::string_view> texts);
  std::size_t size() const noexcept { return digests_.size(); }
  std::span<const Digest> digests() const noexcept { return digests_; }
  /// In the same order.
  std::span<const std::string_view> texts() const noexcept { return texts_; }

 private:
  std::vector<Digest> digests_;
  std::vector<std::string_view> texts_;
};

/// A variant in the list of one of its tags. Without a variant: the place of a walk (`TagWalk`).
struct TagLink {
  TagLink* next = nullptr;
  TagLink** at = nullptr;  // what points to this link
  Variant* variant = nullptr;
  TagRecord* record = nullptr;
};

/// The variants of one shard with one tag. They are in several lists: a walk reads them side by side, so that it does
/// not wait for memory at each step.
struct TagRecord {
  static constexpr std::size_t kLists = 8;
  static std::size_t cost(std::string_view text) noexcept;

  bool unused() const noexcept { return members == 0 && walks == 0; }

  Digest digest;
  std::uint64_t hash = 0;
  TableLink<TagRecord> by_tag;
  TagLink* lists[kLists] = {};
  std::uint64_t members = 0;
  std::uint32_t walks = 0;  // that are on their way: they have links in the lists
  std::uint32_t next_list = 0;
  std::string text;
  Charge charge;
};

/// Memory for the tags of a variant, allocated before the lock is taken.
struct TagRoom {
  /// `charge` covers `cost(tags)`.
  TagRoom(const TagList& tags, Charge charge);
  TagRoom() = default;
  static std::size_t cost(const TagList& tags) noexcept;
  static std::size_t links_cost(std::size_t tags) noexcept {
    return tags == 0 ? 0 : allocated_size(tags * sizeof(TagLink));
  }

  std::unique_ptr<TagLink[]> links;
  Charge links_charge;
  std::vector<std::unique_ptr<TagRecord>> records;  // one for each tag; those that the shard has remain here
};

/// Which variants of a shard have a tag. Under the shard's lock.
class TagIndex {
 public:
  /// Takes the links and, where needed, the records of `room`.
  void add(Variant& variant, TagRoom& room, Budget& budget) noexcept;
  /// Gives it the tags of `room` in place of its own, whose memory `room` takes.
  void replace(Variant& variant, TagRoom& room, Budget& budget, Garbage& garbage) noexcept;
  /// Records that nothing refers to any more go to the garbage.
  void remove(Variant& variant, Garbage& garbage) noexcept;
  TagRecord* find(const Digest& tag) const noexcept;
  void release(TagRecord& record, Garbage& garbage) noexcept;
  std::size_t size() const noexcept { return records_.size(); }

  static void link(TagLink& link, TagLink*& before) noexcept {
    link.next = before;
    link.at = &before;
    if (before) before->at = &link.next;
    before = &link;
  }
  static void unlink(TagLink& link) noexcept {
    *link.at = link.next;
    if (link.next) link.next->at = link.at;
    link.next = nullptr;
    link.at = nullptr;
  }

 private:
  void remove(TagLink& link, Garbage& garbage) noexcept;
  Table<TagRecord, &TagRecord::hash, &TagRecord::by_tag> records_;
};

/// A walk over the variants with a tag, in slices between which the lock is free. What is added after its beginning is
/// not visited.
class TagWalk {
 public:
  TagWalk() = default;
  TagWalk(const TagWalk&) = delete;

  /// Under the lock. False when no variant has the tag.
  bool begin(TagIndex& index, const Digest& tag) noexcept;
  /// Visits about `most` variants, under the lock. True when there are more; else the walk is over.
  template <class Visit>
  bool go(TagIndex& index, std::size_t most, Garbage& garbage, Visit&& visit) noexcept {
    TagLink* at[TagRecord::kLists];
    for (std::size_t i = 0; i < TagRecord::kLists; ++i) {
      at[i] = places_[i].next;
      if (places_[i].at) TagIndex::unlink(places_[i]);
    }
    // A variant is visited a round after its link was read: by then it has come from memory.
    Variant* read[TagRecord::kLists] = {};
    bool more = true;
    for (std::size_t done = 0; more && done < most;) {
      more = false;
      for (std::size_t i = 0; i < TagRecord::kLists; ++i) {
        if (read[i]) visit(*std::exchange(read[i], nullptr));
        if (!at[i]) continue;
        more = true;
        ++done;
        read[i] = at[i]->variant;
        at[i] = at[i]->next;
        __builtin_prefetch(read[i]);
        __builtin_prefetch(reinterpret_cast<const char*>(read[i]) + 64);
        __builtin_prefetch(at[i]);
      }
    }
    for (auto* variant : read)
      if (variant) visit(*variant);
    if (more) {
      for (std::size_t i = 0; i < TagRecord::kLists; ++i)
        if (at[i]) TagIndex::link(places_[i], *at[i]->at);
      return true;
    }
    end(index, garbage);
    return false;
  }
  /// Under the lock, before the end of `go`: the walk is over.
  void end(TagIndex& index, Garbage& garbage) noexcept {
    for (auto& place : places_)
      if (place.at) TagIndex::unlink(place);
    --record_->walks;
    index.release(*record_, garbage);
  }

 private:
  TagRecord* record_ = nullptr;
  TagLink places_[TagRecord::kLists];
};

}  // namespace forebay::cache
