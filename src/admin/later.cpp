#include <utility>

#include "audit.hpp"
#include "call.hpp"
#include "forebay/base/guarded.hpp"

namespace forebay::admin {

void Later::answer_by(std::function<Answer(const Now&)> make) const {
  worker_->post([worker = worker_, waiting = waiting_, change = change_, make = std::move(make)] {
    worker->tick();
    std::optional<Answer> answer;
    guarded([&] { answer = make(worker->now()); }, [] {});
    guarded(
        [&] {
          if (!answer) answer = problem(503, "no_memory", "Out of memory", "There was no memory for the answer.", {});
          if (!change.empty()) audit(change, *answer);
          if (const auto there = waiting.lock()) there->done(*answer);
        },
        [] {});
  });
}

void Later::answer(Answer answer) const {
  answer_by([answer = std::move(answer)](const Now&) { return answer; });
}

}  // namespace forebay::admin
