#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "forebay/base/budget.hpp"
#include "forebay/base/bytes.hpp"
#include "forebay/base/guarded.hpp"

namespace forebay::cache {

template <class Node>
struct TableLink {
  Node* next = nullptr;
  Node** at = nullptr;  // what points to this node
};

/// A chained hash table of nodes that it does not own, with linear hashing: it grows by one bucket per insertion, so no
/// insertion ever pays for a rehash. Equal hashes may be many; removal costs the same whatever the chain's length.
template <class Node, std::uint64_t Node::*Hash, TableLink<Node> Node::*Link>
class Table {
 public:
  Table() { segments_.push_back(std::make_unique<Node*[]>(kSegment)); }

  /// First node of the chain that this hash may be in; go on with `next`.
  Node* chain(std::uint64_t hash) const noexcept { return bucket(index(hash)); }
  Node* bucket_chain(std::size_t i) const noexcept { return bucket(i); }
  static Node* next(const Node& n) noexcept { return (n.*Link).next; }

  /// Calls `each` with all nodes of the buckets from `from` to before `to`; it may remove the node. Reads ahead, so
  /// that the walk does not wait for memory at each node.
  template <class Each>
  void visit(std::size_t from, std::size_t to, Each&& each) const {
    constexpr std::size_t kAhead = 32;
    for (; from < to; from += kAhead) {
      const auto end = std::min(to, from + kAhead);
      for (auto b = from; b < end; ++b)
        if (const Node* n = bucket(b)) fetch(*n);
      for (auto b = from; b < end; ++b)
        for (const Node* n = bucket(b); n; n = next(*n))
          if (const Node* after = next(*n)) fetch(*after);
      for (auto b = from; b < end; ++b)
        for (Node* n = bucket(b); n;) {
          Node* after = next(*n);
          each(*n);
          n = after;
        }
    }
  }

  void insert(Node& n, Budget& budget) noexcept {
    push(bucket(index(n.*Hash)), n);
    ++size_;
    if (size_ > buckets_) grow(budget);
  }
  void remove(Node& n) noexcept {
    unlink(n);
    --size_;
  }
  std::size_t size() const noexcept { return size_; }
  std::size_t buckets() const noexcept { return buckets_; }

 private:
  static constexpr std::size_t kSegment = 128;

  static void fetch(const Node& n) noexcept {
    constexpr std::size_t kLine = 64;
    for (std::size_t at = 0; at <= sizeof(Node); at += kLine)
      __builtin_prefetch(reinterpret_cast<const char*>(&n) + at);
  }

  Node*& bucket(std::size_t i) const noexcept { return segments_[i / kSegment][i % kSegment]; }
  std::size_t index(std::uint64_t hash) const noexcept {
    const auto whole = std::bit_ceil(buckets_);
    const auto i = static_cast<std::size_t>(hash) & (whole - 1);
    return i < buckets_ ? i : i - whole / 2;
  }
  static void push(Node*& head, Node& n) noexcept {
    auto& link = n.*Link;
    link = {head, &head};
    if (head) (head->*Link).at = &link.next;
    head = &n;
  }
  static void unlink(Node& n) noexcept {
    auto& link = n.*Link;
    *link.at = link.next;
    if (link.next) (link.next->*Link).at = link.at;
    link = {};
  }
  // Splits the next bucket. Without memory for more buckets the chains only become longer.
  void grow(Budget& budget) noexcept {
    if (buckets_ == segments_.size() * kSegment) {
      const auto cost = allocated_size(kSegment * sizeof(Node*));
      if (!budget.try_take(cost)) return;
      Charge charge(budget, cost);
      guarded([&] { segments_.push_back(std::make_unique<Node*[]>(kSegment)); }, [] {});
      if (buckets_ == segments_.size() * kSegment) return;
      charge_.merge(std::move(charge));
    }
    const auto fresh = buckets_++;
    Node* n = bucket(fresh - std::bit_floor(fresh));
    while (n) {
      Node* after = next(*n);
      if (index(n->*Hash) == fresh) {
        unlink(*n);
        push(bucket(fresh), *n);
      }
      n = after;
    }
  }

  std::vector<std::unique_ptr<Node*[]>> segments_;
  std::size_t buckets_ = kSegment;
  std::size_t size_ = 0;
  Charge charge_;
};

}  // namespace forebay::cache
