#pragma once

namespace forebay::app {

/// Those that a daemon obeys while it reloads and reports: HUP, USR1, USR2. By default each would end the process.
void hold_orders() noexcept;
/// The same, and TERM, INT and QUIT. What is held waits in the kernel, and is dropped when the process ends.
/// It acts on the calling thread and on threads that it starts later; the process has to have no other that takes
/// signals.
void hold_signals() noexcept;
/// Lets all of them come to the calling thread, also those that whoever started the process held back.
void take_signals() noexcept;

}  // namespace forebay::app
