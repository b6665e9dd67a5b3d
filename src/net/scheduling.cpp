#include "forebay/net/scheduling.hpp"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>

namespace forebay::net {
namespace {

/// Of sched_setattr(2), which the C library may not declare; the kernel's own header does not go with <sched.h>.
struct Attributes {
  std::uint32_t size = sizeof(Attributes);
  std::uint32_t policy = SCHED_OTHER;
  std::uint64_t flags = 0;
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t runtime = 0, deadline = 0, period = 0;
};

constexpr std::uint64_t kTurn = 100'000;  // in ns, the least that Linux takes

pid_t self() noexcept { return static_cast<pid_t>(::gettid()); }

bool get(Attributes& found) noexcept {
  found = {};
  return ::syscall(SYS_sched_getattr, self(), &found, sizeof found, 0U) == 0;
}

bool is_fair(const Attributes& own) noexcept { return own.policy == SCHED_OTHER || own.policy == SCHED_BATCH; }

bool set(const Attributes& wanted) noexcept {
  Attributes granted;
  return ::syscall(SYS_sched_setattr, self(), &wanted, 0U) == 0 && get(granted) && granted.runtime == wanted.runtime;
}

constexpr long kLongestTurn = 200'000;  // in ns, with ShortTurns, from one signal to the next

thread_local std::int64_t turn_began = 0;  // in the thread's processor time, ns

std::int64_t processor_time() noexcept {
  ::timespec used{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return std::int64_t{used.tv_sec} * 1'000'000'000 + used.tv_nsec;
}

// The signal also comes when the thread has waited for its turn meanwhile: that does not count.
void end_turn(int) {
  const int kept = errno;
  if (processor_time() - turn_began >= kLongestTurn / 2) {
    ::sched_yield();
    turn_began = processor_time();
  }
  errno = kept;
}

}  // namespace

bool take_short_turns() noexcept {
  Attributes own;
  if (!get(own) || !is_fair(own)) return false;
  own.runtime = kTurn;
  return set(own);
}

bool take_low_priority() noexcept {
  constexpr int kNice = 10;
  Attributes own;
  if (get(own) && own.policy == SCHED_IDLE) return false;
  Attributes wanted;
  wanted.nice = kNice;
  if (is_fair(own)) {
    wanted.policy = own.policy;
    wanted.nice = std::max(own.nice, kNice);
  }
  wanted.runtime = kTurn;
  if (set(wanted)) return true;
  // Without the call above, the nice value alone; on Linux it is that of a thread.
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(self()), wanted.nice);
  return false;
}

ShortTurns::ShortTurns() noexcept {
  struct ::sigaction action {};
  action.sa_handler = end_turn;
  action.sa_flags = SA_RESTART;
  ::sigevent to{};
  to.sigev_notify = SIGEV_THREAD_ID;
  to.sigev_signo = SIGVTALRM;
  to._sigev_un._tid = self();
  if (::sigaction(SIGVTALRM, &action, nullptr) != 0 || ::timer_create(CLOCK_MONOTONIC, &to, &timer_) != 0) return;
  has_timer_ = true;
  turn_began = processor_time();
  ::sigset_t only;
  ::sigemptyset(&only);
  ::sigaddset(&only, SIGVTALRM);
  ::pthread_sigmask(SIG_UNBLOCK, &only, nullptr);
  const ::itimerspec each{{0, kLongestTurn}, {0, kLongestTurn}};
  ::timer_settime(timer_, 0, &each, nullptr);
}

ShortTurns::~ShortTurns() {
  if (has_timer_) ::timer_delete(timer_);
}

}  // namespace forebay::net
