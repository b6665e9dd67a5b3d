#pragma once

namespace forebay::app {

/// Signals for reload and reports: HUP, USR1, USR2. Their default action ends the process.
void hold_orders() noexcept;
/// The same, and TERM, INT and QUIT. Blocked signals stay pending in the kernel. It acts on the calling thread and on
/// threads that it starts later; the process has to have no other that takes signals.
void hold_signals() noexcept;
/// Whether a TERM, INT or QUIT is pending that `hold_signals` holds.
bool stop_is_pending() noexcept;
/// Unblocks all of them for the calling thread, also those that the parent process blocked.
void take_signals() noexcept;

}  // namespace forebay::app
