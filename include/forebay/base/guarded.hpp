#pragma once

#include <new>
#include <utility>

namespace forebay {

/// Runs `step`. When memory runs out in it, `give_up` ends the request or connection that the step was for. Nothing
/// else is caught: any other exception is a mistake of ours, and ends the process where it was thrown. `give_up` must
/// not throw.
template <class Step, class GiveUp>
void guarded(Step&& step, GiveUp&& give_up) {
  try {
    std::forward<Step>(step)();
  } catch (const std::bad_alloc&) {
    [&]() noexcept { std::forward<GiveUp>(give_up)(); }();
  }
}

}  // namespace forebay
