#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "core.hpp"
#include "forebay/net/deadlines.hpp"
#include "forebay/proxy/purger.hpp"
#include "watch.hpp"

namespace forebay::proxy {

/// A client's purge, which the purger carries out.
class PurgeTask final : public Task {
 public:
  explicit PurgeTask(PendingRequestPtr pending);
  /// `by`: who has asked for what, for the log.
  void start(PreparedPurge purge, std::string by);

  void end() override;
  bool background() const override { return false; }

 private:
  /// What the purger's thread leaves for the task.
  struct Outcome {
    std::atomic<bool> done{false};
    bool failed = false;
    std::string document;
    Signal changed;
  };
  void begin(PreparedPurge purge, std::string by);
  void give_up() noexcept override;
  void look();
  void client_gone() { leave(); }
  void too_late();
  void leave();

  Core& core_;
  PendingRequestPtr pending_;
  std::shared_ptr<Outcome> outcome_ = std::make_shared<Outcome>();
  bool done_ = false;
  Watch<PurgeTask> changed_{*this, &PurgeTask::look};
  Watch<PurgeTask> gone_{*this, &PurgeTask::client_gone};
  net::Deadline deadline_{[this] { guarded([this] { too_late(); }); }};
};

}  // namespace forebay::proxy
