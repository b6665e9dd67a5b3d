#include <utility>

#include "audit.hpp"
#include "call.hpp"

namespace forebay::admin {

void Later::answer(Answer answer) const {
  worker_->post([worker = worker_, waiting = waiting_, change = change_, answer = std::move(answer)] {
    worker->tick();
    if (!change.empty()) audit(change, answer);
    if (const auto there = waiting.lock()) there->done(answer);
  });
}

}  // namespace forebay::admin
