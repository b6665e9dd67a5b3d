#include "forebay/proxy/successor.hpp"

#include <utility>

#include "forebay/base/guarded.hpp"

namespace forebay::proxy {

void Successor::open(std::function<void()> ask) {
  close();
  ask_ = std::move(ask);
  open_.store(true, std::memory_order_release);
}

bool Successor::purge(Done done) noexcept {
  if (!open_.load(std::memory_order_acquire)) return false;
  bool kept = false;
  forebay::guarded(
      [&] {
        bool first = false;
        {
          const MutexLock lock(mutex_);
          if (!open_.load(std::memory_order_relaxed)) return;
          first = !std::exchange(wanted_, true) && !asked_;
          waiting_.push_back(std::move(done));
          kept = true;
        }
        // Whoever owns it looks again by itself, should there be no memory for this.
        if (first) ask_();
      },
      [] {});
  return kept;
}

bool Successor::take() {
  const MutexLock lock(mutex_);
  if (asked_ || !std::exchange(wanted_, false)) return false;
  asked_ = true;
  sent_ = std::exchange(waiting_, {});
  return true;
}

void Successor::settle() {
  std::vector<Done> settled;
  {
    const MutexLock lock(mutex_);
    asked_ = false;
    settled.swap(sent_);
  }
  for (const auto& done : settled) done();
}

void Successor::close() {
  std::vector<Done> sent, waiting;
  {
    const MutexLock lock(mutex_);
    open_.store(false, std::memory_order_release);
    wanted_ = asked_ = false;
    sent.swap(sent_);
    waiting.swap(waiting_);
  }
  for (const auto* list : {&sent, &waiting})
    for (const auto& done : *list) done();
}

}  // namespace forebay::proxy
