#pragma once

#include <thread>

namespace forebay {

/// Lets other threads run until `done()`, for so many turns of the scheduler at most: some 0.5 us each where none wants
/// to.
template <class Done>
void give_way(int turns, Done&& done) {
  for (int i = 0; i < turns && !done(); ++i) std::this_thread::yield();
}

}  // namespace forebay
