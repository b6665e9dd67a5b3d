#include "upstream/ramp.hpp"

#include <algorithm>

namespace forebay::upstream {

namespace {
constexpr Duration kRemembered = std::chrono::seconds{60};
constexpr Duration kLeastTick = std::chrono::milliseconds{50};

std::int64_t ticks_in(Duration time, Duration tick) noexcept { return (time + tick - Duration{1}) / tick; }
}  // namespace

Ramp::Ramp(unsigned add, Duration every)
    : add_(std::max(add, 1U)),
      tick_(std::max(every / 100, kLeastTick)),
      delay_(ticks_in(every, tick_) + 1),
      peaks_(static_cast<std::size_t>(ticks_in(std::max(kRemembered, 2 * every), tick_))),
      allowed_(add_) {}

void Ramp::advance(Timestamp now, unsigned level) noexcept {
  const std::int64_t tick = now.time_since_epoch() / tick_;
  if (tick <= now_) return;
  const auto remembered = static_cast<std::int64_t>(peaks_.size());
  for (std::int64_t t = std::max(now_ + 1, tick - remembered + 1); t <= tick; ++t) peak(t) = level;
  now_ = tick;
  allowed_ = add_;
  for (std::int64_t t = std::max<std::int64_t>(tick - remembered + 1, 0); t <= tick; ++t)
    allowed_ = std::max(allowed_, peak(t) + (t <= tick - delay_ ? add_ : 0));
}

void Ramp::rose(unsigned level) noexcept { peak(now_) = std::max(peak(now_), level); }

Timestamp Ramp::allows_more_than(unsigned level) const noexcept {
  const auto remembered = static_cast<std::int64_t>(peaks_.size());
  for (std::int64_t t = std::max<std::int64_t>(now_ - delay_ + 1, 0); t <= now_; ++t)
    if (peaks_[static_cast<std::size_t>(t % remembered)] + add_ > level) return Timestamp{tick_ * (t + delay_)};
  return Timestamp::max();
}

}  // namespace forebay::upstream
