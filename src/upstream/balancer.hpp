#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "forebay/base/clock.hpp"
#include "forebay/config/config.hpp"

namespace forebay::upstream {

/// The share of its weight that an url gets, in thousandths: all of it, but for a time after it has come back less,
/// growing linearly from a tenth. Thread-safe without a lock.
class SlowStart {
 public:
  static constexpr unsigned kFull = 1000;

  explicit SlowStart(Duration length = std::chrono::seconds{10}) noexcept : length_(length) {}
  void came_back(Timestamp now) noexcept { since_.store(now, std::memory_order_relaxed); }
  unsigned share(Timestamp now) const noexcept;

 private:
  const Duration length_;
  std::atomic<Timestamp> since_{Timestamp{Duration::min() / 2}};
};

using config::Balance;

/// What a choice sees of one url.
struct UrlView {
  bool available = true;
  std::uint32_t in_flight = 0;        ///< Of all workers.
  unsigned share = SlowStart::kFull;  ///< `SlowStart::share`.
};

/// Chooses one of up to 64 urls for each request. An instance belongs to one worker, so that a choice needs no lock and
/// shares no cache line: each worker's choices are as even as the weights, so their sum is too. Workers begin at
/// different places of the same order, so that their first requests are as even as those of one worker. A choice takes
/// time linear in the number of urls, and no memory.
class Balancer {
 public:
  static constexpr std::size_t kMostUrls = 64;

  struct Url {
    std::string_view text;  ///< What its keys depend on, together with the weight, in every process alike.
    unsigned weight = 1;    ///< 1 to 1000.
  };
  Balancer(Balance how, std::span<const Url> urls, unsigned worker);

  /// The index of an url that is available and not in `tried` (bit i: url i), or none. `views` has one for each url, in
  /// their order. `key` is a hash of what chooses the url; only for `Balance::Hash`.
  std::optional<unsigned> choose(std::span<const UrlView> views, std::uint64_t tried, std::uint64_t key) noexcept;

 private:
  struct Known {
    std::uint64_t hash;
    std::int64_t weight;
    std::int64_t credit = 0;  // of the turns
  };
  std::int64_t weight(std::span<const UrlView> views, unsigned i) const noexcept {
    return urls_[i].weight * views[i].share;
  }
  unsigned by_hash(std::span<const UrlView> views, std::uint64_t eligible, std::uint64_t key) const noexcept;
  std::uint64_t least_busy(std::span<const UrlView> views, std::uint64_t eligible) const noexcept;
  unsigned by_turns(std::span<const UrlView> views, std::uint64_t eligible) noexcept;

  const Balance how_;
  std::vector<Known> urls_;
};

}  // namespace forebay::upstream
