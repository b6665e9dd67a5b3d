#include "forebay/base/waker.hpp"

namespace forebay {

// Both sides exchange `anyone_`, a load and a store would not do: of two exchanges one is the later, and it sees what
// was written before the other. Either the notifier finds the waiter, or the waiter's second look finds the change.

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
  // Of this list only the waiter's own thread ever reads or writes; the lock is for the places.
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
