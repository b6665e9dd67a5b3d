#include "forebay/base/waker.hpp"

namespace forebay {

// Both sides exchange `anyone_`; a load and a store are not enough. The later of two exchanges sees what was written
// before the earlier: either the notifier finds the waiter, or the waiter's second check finds the change.

void Signal::wait(Waker& waker, Waiter& waiter) {
  if (waiter.waiting()) return;
  Ref<WaitGroup> group;
  const MutexLock lock(mutex_);
  for (const auto& place : places_)
    if (place.waker == &waker) group = place.group;
  if (!group) {
    group = Ref<WaitGroup>(new WaitGroup);
    places_.push_back({&waker, group});
  }
  // Only the waiter's thread accesses this list; the lock guards the places.
  group->waiters.push_back(waiter);
  anyone_.exchange(true, std::memory_order_acq_rel);
}

void Signal::notify() noexcept {
  if (!anyone_.exchange(false, std::memory_order_acq_rel)) return;
  std::vector<Place> places;
  {
    const MutexLock lock(mutex_);
    places.swap(places_);
  }
  for (auto& place : places) place.waker->deliver(std::move(place.group));
}

}  // namespace forebay
