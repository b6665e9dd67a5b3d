#include "upstream/recent_count.hpp"

namespace forebay::upstream {

// Sequentially consistent throughout: of two threads that each add and then sum, the later one sees both events. Limits
// that are checked in this order hold for all threads together.

namespace {
std::uint32_t number_in(std::uint64_t slot) noexcept { return static_cast<std::uint32_t>(slot >> 32); }
// By how many buckets `a` is later than `b`.
std::int32_t later(std::uint32_t a, std::uint32_t b) noexcept { return static_cast<std::int32_t>(a - b); }
}  // namespace

void RecentCount::add(Timestamp now) noexcept {
  const std::uint32_t current = number(now);
  auto& slot = slots_[current % kSlots];
  std::uint64_t held = slot;
  // A slot with an older bucket begins anew.
  while (!slot.compare_exchange_weak(
      held, later(current, number_in(held)) > 0 ? (std::uint64_t{current} << 32 | 1) : held + 1)) {
  }
}

void RecentCount::remove(Timestamp now) noexcept {
  const std::uint32_t current = number(now);
  auto& slot = slots_[current % kSlots];
  std::uint64_t held = slot;
  while (number_in(held) == current && !slot.compare_exchange_weak(held, held - 1)) {
  }
}

std::uint64_t RecentCount::sum(Timestamp now, unsigned buckets) const noexcept {
  const std::uint32_t current = number(now);
  std::uint64_t events = 0;
  for (const auto& slot : slots_) {
    const std::uint64_t held = slot;
    if (later(current, number_in(held)) < static_cast<std::int32_t>(buckets)) events += held & 0xFFFF'FFFF;
  }
  return events;
}

void RecentCount::clear() noexcept {
  for (auto& slot : slots_) slot = 0;
}

}  // namespace forebay::upstream
