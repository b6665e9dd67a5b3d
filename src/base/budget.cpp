#include "forebay/base/budget.hpp"

namespace forebay {

bool Budget::try_take(std::size_t n) noexcept {
  // The limit is read in each round: a limit that was lowered meanwhile also applies to this charge.
  auto used = used_.load(std::memory_order_relaxed);
  for (;;) {
    const auto limit = limit_.load(std::memory_order_relaxed);
    if (used > limit || n > limit - used) return false;
    if (used_.compare_exchange_weak(used, used + n, std::memory_order_relaxed)) return true;
  }
}

}  // namespace forebay
