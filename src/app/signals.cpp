#include "signals.hpp"

#include <signal.h>

#include <initializer_list>

namespace forebay::app {
namespace {

void mask(int how, std::initializer_list<int> numbers) noexcept {
  sigset_t set;
  sigemptyset(&set);
  for (const int n : numbers) sigaddset(&set, n);
  pthread_sigmask(how, &set, nullptr);
}

}  // namespace

void hold_orders() noexcept { mask(SIG_BLOCK, {SIGHUP, SIGUSR1, SIGUSR2}); }
void hold_signals() noexcept { mask(SIG_BLOCK, {SIGHUP, SIGUSR1, SIGUSR2, SIGTERM, SIGINT, SIGQUIT}); }
bool stop_is_pending() noexcept {
  sigset_t set;
  sigemptyset(&set);
  if (sigpending(&set) != 0) return false;
  return sigismember(&set, SIGTERM) == 1 || sigismember(&set, SIGINT) == 1 || sigismember(&set, SIGQUIT) == 1;
}
void take_signals() noexcept { mask(SIG_UNBLOCK, {SIGHUP, SIGUSR1, SIGUSR2, SIGTERM, SIGINT, SIGQUIT}); }

}  // namespace forebay::app
