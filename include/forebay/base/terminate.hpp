#pragma once

namespace forebay {

/// From now on an exception that nothing catches, and std::terminate, write a line with the exception and a backtrace
/// to the log and end the process by SIGABRT. Call once, before threads are started.
void install_terminate_handler();

/// Ends the process in the same way. `what` names the invariant that does not hold.
[[noreturn]] void fail_invariant(const char* what) noexcept;

/// An invariant at the boundary of a thread or of a state, checked in release builds too. Only for what our own mistake
/// can break, never for what a peer can cause.
inline void ensure(bool holds, const char* what) noexcept {
  if (!holds) [[unlikely]]
    fail_invariant(what);
}

}  // namespace forebay
