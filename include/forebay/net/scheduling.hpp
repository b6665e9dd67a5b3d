#pragma once

#include <ctime>

namespace forebay::net {

/// Asks the kernel to give the calling thread its processor in the shortest turns that there are, 0.1 ms. Linux 6.12
/// and later then let the thread run soon after it wakes up, although other threads keep the processors busy; its share
/// stays the same. A policy other than SCHED_OTHER and SCHED_BATCH is kept. The result says whether the kernel does so.
bool take_short_turns() noexcept;

/// For work in the background: as `take_short_turns`, and the thread gets a tenth of a processor beside a thread that
/// never rests. A lower priority is kept; one above the usual ones is given up.
bool take_low_priority() noexcept;

/// While it lives, the thread that made it gives way to others each time that it has run for about 0.2 ms, also within
/// a call of a library. The kernel alone ends a turn at its next tick, up to 4 ms later. SIGVTALRM is used for it.
/// Without a timer for this process, nothing happens.
class ShortTurns {
 public:
  ShortTurns() noexcept;
  ShortTurns(const ShortTurns&) = delete;
  ~ShortTurns();
  ShortTurns& operator=(const ShortTurns&) = delete;

 private:
  ::timer_t timer_{};
  bool has_timer_ = false;
};

}  // namespace forebay::net
