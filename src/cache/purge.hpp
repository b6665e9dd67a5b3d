#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "forebay/base/hash.hpp"
#include "forebay/base/mutex.hpp"
#include "forebay/cache/key.hpp"
#include "forebay/cache/purge_order.hpp"
#include "forebay/rules/freshness.hpp"
#include "glob.hpp"
#include "table.hpp"

namespace forebay::cache {

/// A pattern as it is compared with the text of keys.
class UrlMatcher {
 public:
  explicit UrlMatcher(const UrlPattern& pattern);
  bool matches(std::string_view key_text, const UrlSpans& url) const noexcept;
  /// What the signatures of all keys that it matches have.
  const Signature& names() const noexcept { return names_; }
  /// Equal for equal patterns.
  Digest digest() const;
  /// About how many bytes of a key's URL a comparison reads.
  std::size_t work(const UrlSpans& url) const noexcept {
    return how_ == UrlPattern::How::Glob ? url.query_to - url.path_from : 64;
  }
  PurgeKind kind() const noexcept {
    return how_ == UrlPattern::How::Prefix || how_ == UrlPattern::How::Glob ? PurgeKind::Prefix : PurgeKind::Url;
  }

 private:
  bool is_of_key() const noexcept { return how_ == UrlPattern::How::Keyed || how_ == UrlPattern::How::Searched; }
  bool matches_keyed(std::string_view key_text, const UrlSpans& url) const noexcept;

  UrlPattern::How how_;
  bool with_query_;
  std::string route_, host_, text_;  // of the route with its separator
  Glob glob_;
  Signature names_;
};

/// What purges search for in a key: route, host, folders and id.
Signature signature_of(std::string_view key_text, const UrlSpans& url) noexcept;
/// `route`: as in keys.
Signature signature_of_route(std::string_view route) noexcept;
Signature signature_of_id(const Digest& id) noexcept;

/// What a purge may name a response by.
struct Purgeable {
  Digest resource;
  std::span<const Digest> tags;
  std::string_view key_text;
  UrlSpans url;
};

/// The name of the route at the beginning of a key's text, in the form that it has there.
inline std::string_view route_in(std::string_view key_text) noexcept { return key_text.substr(0, key_text.find('|')); }

/// The store's sequence of purges, and what they named. A fetch keeps the number at its start; its response is refused
/// when a later purge names it. Its lock is the innermost: it may be taken under a shard's lock.
class PurgeLog {
 public:
  explicit PurgeLog(std::size_t capacity = 4096, std::size_t patterns = 256)
      : capacity_(capacity), pattern_capacity_(patterns) {}

  /// Begins with 1.
  std::uint64_t current() const noexcept { return sequence_.load(std::memory_order_acquire); }
  /// The number of the latest purge of everything; 0 before the first. Not older than what `current` has returned.
  std::uint64_t all_hard() const noexcept { return all_hard_.load(std::memory_order_acquire); }

  /// Lists the order under the next number, and returns it. Call it before the shards are searched: a later commit
  /// finds the purge in the list, an earlier one is found by the search.
  std::uint64_t add(const PurgeOrder& order);
  /// Whether a fetch of this that began at `since` is outdated. When the list does not reach back to `since`, it is.
  bool forbids(std::uint64_t since, const Purgeable& what) const;
  bool forbids_tags(std::uint64_t since, std::span<const Digest> tags) const;

 private:
  struct Named {
    std::uint64_t sequence;
    Digest name;
  };
  struct Pattern {
    std::uint64_t sequence;
    Digest digest;
    UrlMatcher url;
  };
  /// The names of an order that has more than the list.
  struct Wide {
    std::uint64_t sequence;
    std::vector<Digest> names;  // sorted
  };
  static constexpr std::size_t kMostWide = 8;
  struct HashOfDigest {
    std::size_t operator()(const Digest& d) const noexcept { return static_cast<std::size_t>(d.lo); }
  };
  void name(std::uint64_t sequence, const Digest& name) FOREBAY_REQUIRES(mutex_);
  void forget(std::uint64_t newest) FOREBAY_REQUIRES(mutex_);
  bool named_after(std::uint64_t since, const Digest& name) const FOREBAY_REQUIRES(mutex_);

  std::atomic<std::uint64_t> sequence_{1};
  std::atomic<std::uint64_t> all_hard_{0};
  mutable Mutex mutex_;
  std::deque<Named> named_ FOREBAY_GUARDED_BY(mutex_);
  std::unordered_map<Digest, std::uint64_t, HashOfDigest> latest_ FOREBAY_GUARDED_BY(mutex_);
  std::deque<Wide> wide_ FOREBAY_GUARDED_BY(mutex_);
  std::deque<Pattern> patterns_ FOREBAY_GUARDED_BY(mutex_);  // each once
  std::uint64_t all_ FOREBAY_GUARDED_BY(mutex_) = 0;         // the latest of everything, hard or soft
  std::uint64_t forgotten_ FOREBAY_GUARDED_BY(mutex_) = 0;   // the latest number that is no longer listed completely
  std::size_t capacity_, pattern_capacity_;
};

}  // namespace forebay::cache
