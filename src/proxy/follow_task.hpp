#pragma once

#include "core.hpp"
#include "forebay/net/deadlines.hpp"
#include "watch.hpp"

namespace forebay::proxy {

/// A request that waits for another's fetch (step 8 of docs/architecture.md). It ends when the flight's head lands,
/// when the flight fails, when the response is only for the leader, or after `coalesce.wait`.
class FollowTask final : public Task {
 public:
  FollowTask(PendingRequestPtr pending, cache::Join join);
  ~FollowTask() override;
  void start();

  void end() override;
  bool background() const override { return false; }

 private:
  void begin();
  void give_up() noexcept override;
  void look();
  void client_gone();
  void timed_out();
  void leave();
  void step_out();
  void try_again();
  void await_second_try();
  void landed();
  void own();
  void failed();
  void start_over();
  void go_alone(rules::Reason reason);
  bool may_serve_stale(const cache::Failure* failure) const;
  bool serve_stale(const cache::Failure* failure);
  /// A request that waits has one outcome, the first.
  void count(Coalesced outcome) {
    if (std::exchange(pending_->wait_counted, true)) return;
    pending_->route->counters->coalesced[static_cast<std::size_t>(outcome)].add();
  }
  void note_wait();

  Core& core_;
  PendingRequestPtr pending_;
  cache::Join join_;
  Timestamp since_;
  bool done_ = false;
  Watch<FollowTask> changed_{*this, &FollowTask::look};
  Watch<FollowTask> gone_{*this, &FollowTask::client_gone};
  net::Deadline deadline_;
};

}  // namespace forebay::proxy
