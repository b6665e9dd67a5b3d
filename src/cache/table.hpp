#pragma once

#include <algorithm>
#include <bit>
#include <boost/container/small_vector.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
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

/// A set of hashed words, as a Bloom filter: what has a word has its bits, and hardly anything else has all of them.
struct Signature {
  std::uint64_t first = 0, second = 0;

  bool has(const Signature& wanted) const noexcept {
    return (first & wanted.first) == wanted.first && (second & wanted.second) == wanted.second;
  }
  void add(const Signature& more) noexcept {
    first |= more.first;
    second |= more.second;
  }
};

/// A hash as a place in the order in which `Table::walk` visits: its bits from the last to the first. And back.
constexpr std::uint64_t place_of(std::uint64_t hash) noexcept {
  constexpr auto swap = [](std::uint64_t n, unsigned by, std::uint64_t of) { return (n >> by & of) | (n & of) << by; };
  hash = swap(hash, 1, 0x5555555555555555u);
  hash = swap(hash, 2, 0x3333333333333333u);
  hash = swap(hash, 4, 0x0F0F0F0F0F0F0F0Fu);
  return __builtin_bswap64(hash);
}

/// A chained hash table of nodes that it does not own, with linear hashing: it grows by one bucket per insertion, so no
/// insertion ever pays for a rehash. Equal hashes may be many; removal costs the same whatever the chain's length.
///
/// With `Sign`, each bucket knows the union of its nodes' signatures, so that a search for some can pass over most.
template <class Node, std::uint64_t Node::*Hash, TableLink<Node> Node::*Link, Signature Node::*Sign = nullptr>
class Table {
 public:
  Table() {
    if constexpr (kSigned) signs_.push_back(std::make_unique<Signature[]>(kSegment));
    segments_.push_back(std::make_unique<Node*[]>(kSegment));
  }

  /// First node of the chain that this hash may be in; go on with `next`.
  Node* chain(std::uint64_t hash) const noexcept { return bucket(index(hash)); }
  Node* bucket_chain(std::size_t i) const noexcept { return bucket(i); }
  static Node* next(const Node& n) noexcept { return (n.*Link).next; }

  /// Calls `each` with the nodes of those buckets from `from` to before `to` whose signatures `may` be of interest; it
  /// may remove the node, and returns how much work it was. Stops after about `most` of it, and returns the next
  /// bucket. Reads ahead, so that it does not wait for memory at each node; `soon` is called some time before `each`,
  /// to do the same.
  template <class May, class Soon, class Each>
  std::size_t search(std::size_t from, std::size_t to, std::size_t most, May&& may, Soon&& soon, Each&& each) const {
    constexpr std::size_t kAhead = 16;
    std::size_t some[kAhead];
    std::size_t count = 0, done = 0;
    const auto visit = [&] {
      for (std::size_t i = 0; i < count; ++i)
        for (const Node* n = bucket(some[i]); n; n = next(*n)) {
          if (const Node* after = next(*n)) fetch(*after);
          soon(*n);
        }
      for (std::size_t i = 0; i < count; ++i)
        for (Node* n = bucket(some[i]); n;) {
          Node* after = next(*n);
          done += each(*n);
          n = after;
        }
      count = 0;
    };
    for (; from < to && done < most; ++from) {
      if (!may(sign(from)) || !bucket(from)) continue;
      fetch(*bucket(from));
      some[count++] = from;
      if (count == kAhead) visit();
    }
    visit();
    return from;
  }

  /// Calls `each` with the nodes at the place `from` and behind it, in their order, which is the same however the table
  /// grows: so a walk in parts visits each node once that stays in the table. Passes over buckets whose signatures
  /// `may` not be of interest. Ends between two places when `each` returns false, or after a bucket when `on` does;
  /// returns the place to go on at, or nothing at the end. `each` is told whether it must take the node, since one of
  /// the same place was taken.
  template <class May, class Each, class On>
  std::optional<std::uint64_t> walk(std::uint64_t from, May&& may, Each&& each, On&& on) const {
    boost::container::small_vector<const Node*, 16> nodes;
    do {
      const auto i = index(place_of(from));
      const auto last = from | (~std::uint64_t{0} >> depth(i));
      fetch_bucket(from + kFetched * (last - from + 1));
      if (may(sign(i)) && bucket(i)) {
        nodes.clear();
        for (const Node* n = bucket(i); n; n = next(*n))
          if (place_of(n->*Hash) >= from) nodes.push_back(n);
        const auto before = [](const Node* a, const Node* b) { return place_of(a->*Hash) < place_of(b->*Hash); };
        if (nodes.size() > 1) std::sort(nodes.begin(), nodes.end(), before);
        for (std::size_t k = 0; k < nodes.size(); ++k) {
          const bool must = k != 0 && nodes[k]->*Hash == nodes[k - 1]->*Hash;
          if (!each(*nodes[k], must)) return place_of(nodes[k]->*Hash);
        }
      }
      if (last == ~std::uint64_t{0}) return std::nullopt;
      from = last + 1;
    } while (on());
    return from;
  }

  void insert(Node& n, Budget& budget) noexcept {
    const auto i = index(n.*Hash);
    push(bucket(i), n);
    if constexpr (kSigned) sign(i).add(n.*Sign);
    ++size_;
    if (size_ > buckets_) grow(budget);
  }
  void remove(Node& n) noexcept {
    unlink(n);
    --size_;
    if constexpr (kSigned) {
      const auto i = index(n.*Hash);
      if (!bucket(i)) sign(i) = {};
    }
  }
  std::size_t size() const noexcept { return size_; }
  std::size_t buckets() const noexcept { return buckets_; }

 private:
  static constexpr std::size_t kSegment = 128;
  static constexpr bool kSigned = Sign != nullptr;

  // What says whether a walk is interested in it: its first members, and what follows it in its block.
  static void fetch(const Node& n) noexcept {
    const auto* at = reinterpret_cast<const char*>(&n);
    for (const std::size_t line : {std::size_t{0}, std::size_t{64}, std::size_t{128}, sizeof(Node), sizeof(Node) + 63})
      __builtin_prefetch(at + line);
  }

  Node*& bucket(std::size_t i) const noexcept { return segments_[i / kSegment][i % kSegment]; }
  Signature& sign(std::size_t i) const noexcept { return signs_[i / kSegment][i % kSegment]; }
  std::size_t index(std::uint64_t hash) const noexcept {
    const auto whole = std::bit_ceil(buckets_);
    const auto i = static_cast<std::size_t>(hash) & (whole - 1);
    return i < buckets_ ? i : i - whole / 2;
  }
  // How many bits of a hash decide that a node is in this bucket.
  unsigned depth(std::size_t i) const noexcept {
    const auto whole = std::bit_ceil(buckets_);
    const auto bits = static_cast<unsigned>(std::countr_zero(whole));
    return i >= whole / 2 || i + whole / 2 < buckets_ ? bits : bits - 1;
  }
  static constexpr std::uint64_t kFetched = 8;  // a walk reads so many buckets ahead
  void fetch_bucket(std::uint64_t place) const noexcept {
    const auto i = index(place_of(place));
    __builtin_prefetch(&bucket(i));
    if constexpr (kSigned) __builtin_prefetch(&sign(i));
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
      const auto cost = allocated_size(kSegment * sizeof(Node*)) +
                        (kSigned ? allocated_size(kSegment * sizeof(Signature)) : std::size_t{0});
      if (!budget.try_take(cost)) return;
      Charge charge(budget, cost);
      guarded(
          [&] {
            if (kSigned && signs_.size() == segments_.size()) signs_.push_back(std::make_unique<Signature[]>(kSegment));
            segments_.push_back(std::make_unique<Node*[]>(kSegment));
          },
          [] {});
      if (buckets_ == segments_.size() * kSegment) return;
      charge_.merge(std::move(charge));
    }
    const auto fresh = buckets_++;
    const auto split = fresh - std::bit_floor(fresh);
    if constexpr (kSigned) sign(split) = {};
    Node* n = bucket(split);
    while (n) {
      Node* after = next(*n);
      const bool moves = index(n->*Hash) == fresh;
      if (moves) {
        unlink(*n);
        push(bucket(fresh), *n);
      }
      if constexpr (kSigned) sign(moves ? fresh : split).add(n->*Sign);
      n = after;
    }
  }

  std::vector<std::unique_ptr<Node*[]>> segments_;
  std::vector<std::unique_ptr<Signature[]>> signs_;  // one for each bucket; it may have more than the nodes
  std::size_t buckets_ = kSegment;
  std::size_t size_ = 0;
  Charge charge_;
};

}  // namespace forebay::cache
