#include "purge.hpp"

namespace forebay::cache {

std::uint64_t PurgeLog::add(const std::vector<Digest>& resources) {
  const MutexLock lock(mutex_);
  const auto sequence = sequence_.load(std::memory_order_relaxed) + 1;
  for (const auto& r : resources) named_.push_back({sequence, r});
  for (; named_.size() > capacity_; named_.pop_front()) forgotten_ = named_.front().sequence;
  sequence_.store(sequence, std::memory_order_release);
  return sequence;
}

bool PurgeLog::forbids(std::uint64_t since, const Digest& resource) const {
  if (since == current()) return false;
  const MutexLock lock(mutex_);
  if (since < forgotten_) return true;
  for (auto n = named_.rbegin(); n != named_.rend() && n->sequence > since; ++n)
    if (n->resource == resource) return true;
  return false;
}

}  // namespace forebay::cache
