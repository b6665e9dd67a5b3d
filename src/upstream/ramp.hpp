#pragma once

#include <cstdint>
#include <vector>

#include "forebay/base/clock.hpp"

namespace forebay::upstream {

/// How fast a level may grow: it may be as high as any level of the last minute (or of twice `every`, if that is
/// longer), or `add` higher than the levels of that time that are at least `every` old. So it grows by at most `add` in
/// any `every`, only when it is used, and what is not used any more is forgotten. Time is counted in ticks, a hundredth
/// of `every` but at least 50 ms; a level is `every` old when a tick begins that long after its own tick has ended. Not
/// thread-safe.
class Ramp {
 public:
  Ramp(unsigned add, Duration every);

  /// Time has passed, at this level since the last call. Constant time within a tick.
  void advance(Timestamp now, unsigned level) noexcept;
  /// The level has risen.
  void rose(unsigned level) noexcept;
  unsigned allowed() const noexcept { return allowed_; }
  /// When more than `level` will be allowed, which is all that is allowed now; max(): never, as long as it is not held.
  Timestamp allows_more_than(unsigned level) const noexcept;

 private:
  unsigned& peak(std::int64_t tick) noexcept { return peaks_[static_cast<std::size_t>(tick) % peaks_.size()]; }

  const unsigned add_;
  const Duration tick_;
  const std::int64_t delay_;     // a level counts so many ticks after its own
  std::vector<unsigned> peaks_;  // of the last ticks, as many as are remembered
  std::int64_t now_ = 0;         // the current tick
  unsigned allowed_;
};

}  // namespace forebay::upstream
