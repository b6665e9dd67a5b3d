#include "forebay/net/deadlines.hpp"

#include <algorithm>
#include <bit>

namespace forebay::net {

namespace {
constexpr Duration kSlotWidth = std::chrono::milliseconds{1};
}  // namespace

Deadlines::Deadlines(Timestamp start) : slots_(kSlots), start_(start) {}

std::int64_t Deadlines::tick_of(Timestamp at) const noexcept { return at <= start_ ? 0 : (at - start_) / kSlotWidth; }

void Deadlines::arm(Deadline& d, Timestamp at) {
  d.unlink();
  d.at_ = at;
  // Overdue deadlines go into the current slot, which the next turn checks again.
  const auto slot = static_cast<std::size_t>(std::max(tick_of(at), current_)) % kSlots;
  slots_[slot].list.push_back(d);
  slots_[slot].earliest = std::min(slots_[slot].earliest, at);
  occupied_[slot / 64] |= std::uint64_t{1} << (slot % 64);
  if (at >= scheduled_) return;
  scheduled_ = at;
  if (on_earlier) on_earlier(at);
}

// Removes due deadlines; the others belong to later rounds of the wheel.
void Deadlines::collect(std::size_t slot, Timestamp now, List& due) {
  Slot& s = slots_[slot];
  if (s.earliest > now) return;
  s.earliest = Timestamp::max();
  for (auto it = s.list.begin(); it != s.list.end();) {
    Deadline& d = *it++;
    if (d.at_ <= now) {
      d.unlink();
      due.push_back(d);
    } else {
      s.earliest = std::min(s.earliest, d.at_);
    }
  }
  if (s.list.empty()) occupied_[slot / 64] &= ~(std::uint64_t{1} << (slot % 64));
}

void Deadlines::advance(Timestamp now) {
  const std::int64_t target = std::max(tick_of(now), current_);
  const auto span = std::min<std::int64_t>(target - current_ + 1, kSlots);
  List due;
  for (std::int64_t i = 0; i < span; ++i) {
    const auto slot = static_cast<std::size_t>(current_ + i) % kSlots;
    if (occupied_[slot / 64] >> (slot % 64) & 1) collect(slot, now, due);
  }
  current_ = target;
  scheduled_ = Timestamp::min();
  while (!due.empty()) {
    Deadline& d = due.front();
    d.unlink();
    d.expired_();
  }
  scheduled_ = next();
}

Timestamp Deadlines::next() {
  Timestamp earliest = Timestamp::max();
  for (std::size_t word = 0; word < kWords; ++word) {
    for (std::uint64_t bits = occupied_[word]; bits != 0; bits &= bits - 1) {
      Slot& s = slots_[word * 64 + static_cast<std::size_t>(std::countr_zero(bits))];
      if (s.list.empty()) {
        s.earliest = Timestamp::max();
        occupied_[word] &= ~(bits & (~bits + 1));
      } else {
        earliest = std::min(earliest, s.earliest);
      }
    }
  }
  return earliest;
}

}  // namespace forebay::net
