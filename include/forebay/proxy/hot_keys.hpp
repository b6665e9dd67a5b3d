#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "forebay/base/clock.hpp"
#include "forebay/base/hash.hpp"

namespace forebay::proxy {

/// The keys with the largest sums, in fixed memory: Space-Saving (Metwally, 2005) within buckets of eight, so that an
/// update reads one bucket and allocates nothing. A sum is never too small, and too large by `error` at most. A key
/// that is not kept has had no more than the smallest sum of its bucket. Copyable, so that readers have their own.
class HeavyHitters {
 public:
  static constexpr std::size_t kMostText = 94;

  /// `seed` spreads the keys, so that clients cannot choose ones of one bucket. Takes no memory before the first `add`.
  explicit HeavyHitters(std::uint64_t seed) noexcept : seed_(seed) {}

  /// The text of a key as far as it is kept, and how many bytes all of it has.
  struct Text {
    std::string_view start;
    std::size_t size;
  };
  /// Adds `n` to the sum of this key.
  void add(const Digest& id, const Text& text, std::uint64_t n);
  void clear() noexcept;

  struct Sum {
    std::uint64_t sum = 0;
    std::uint64_t error = 0;
  };
  /// Of a key, whether it is kept or not.
  Sum of(const Digest& id) const noexcept;
  struct Key {
    Digest id;
    std::string_view text;
    bool cut;  ///< The text is longer.
    Sum sum;
  };
  /// All keys that are kept, in no order. The texts live as long as this.
  std::vector<Key> keys() const;
  /// Of all keys, kept or not; exact.
  std::uint64_t total() const noexcept { return total_; }

 private:
  static constexpr std::size_t kWays = 8;
  static constexpr unsigned kBits = 8;  // of the number of a bucket
  struct alignas(64) Bucket {
    std::array<std::uint64_t, kWays> tag, sum, error;  // tag 0: nothing there
  };
  struct Name {
    Digest id;
    bool cut;
    std::uint8_t size;
    std::array<char, kMostText> text;
  };
  std::size_t bucket_of(const Digest& id) const noexcept {
    return static_cast<std::size_t>(((id.lo ^ seed_) * 0x9E3779B97F4A7C15U) >> (64 - kBits));
  }
  static std::uint64_t tag_of(const Digest& id) noexcept { return id.hi == 0 ? 1 : id.hi; }
  void replace(std::size_t bucket, const Digest& id, const Text& text, std::uint64_t n);

  std::uint64_t seed_;
  std::uint64_t total_ = 0;
  std::vector<Bucket> buckets_;
  std::vector<Name> names_;  // [bucket * kWays + way]
};

/// By what keys are ranked.
enum class HotBy : std::uint8_t { Requests, Misses, Bytes, Uncacheable, kCount };
std::string_view to_string(HotBy by) noexcept;

/// The hot keys of the last five to ten minutes of one worker: those since the last change of a period of five minutes,
/// and those of the period before it. Used on its thread only.
class HotKeys {
 public:
  static constexpr Duration kPeriod = std::chrono::minutes{5};

  explicit HotKeys(std::uint64_t seed);
  struct Use {
    std::uint64_t bytes = 0;   ///< Sent to the client.
    bool miss = false;         ///< It was fetched.
    bool uncacheable = false;  ///< What was fetched could not be stored, or it was known beforehand.
  };
  void count(const Digest& id, const HeavyHitters::Text& text, const Use& use, Timestamp now) {
    if (now >= period_ends_) turn(now);
    auto& sketches = periods_[0];
    sketches[0].add(id, text, 1);
    if (use.bytes != 0) sketches[2].add(id, text, use.bytes);
    if (use.miss) sketches[1].add(id, text, 1);
    if (use.uncacheable) sketches[3].add(id, text, 1);
  }

  struct Copy {
    std::array<HeavyHitters, 2> periods;
    Timestamp since{};  ///< The beginning of the earlier one. Zero: nothing was counted.
  };
  /// Takes some 0.1 ms at most.
  Copy copy(HotBy by, Timestamp now);

 private:
  using Sketches = std::array<HeavyHitters, static_cast<std::size_t>(HotBy::kCount)>;
  void turn(Timestamp now);

  std::array<Sketches, 2> periods_;  // this period, and the one before
  Timestamp period_ends_{};          // zero: nothing was counted
  Timestamp since_{};                // when the earlier one began
};

/// Those of all workers.
class HotKeysOfAll {
 public:
  explicit HotKeysOfAll(std::size_t workers);
  /// On the thread of that worker.
  HotKeys& of(std::size_t worker) noexcept { return *workers_[worker]; }

 private:
  std::vector<std::unique_ptr<HotKeys>> workers_;
};

}  // namespace forebay::proxy
