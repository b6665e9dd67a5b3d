#include "purge_task.hpp"

#include <utility>

#include "deliver.hpp"
#include "forebay/base/log.hpp"

namespace forebay::proxy {
namespace {

/// How long a client waits for its purge.
constexpr Duration kPatience = std::chrono::seconds{30};

const OwnError kBusy{503,
                     RequestError::Overload,
                     "Service Unavailable",
                     "Too many purges wait, or there is no memory for this one.",
                     "1",
                     {}};
const OwnError kTooLate{504,
                        RequestError::Timeout,
                        "Gateway Timeout",
                        "The purge takes longer than 30 s, and goes on; the log says how it ends.",
                        {},
                        {}};

}  // namespace

PurgeTask::PurgeTask(PendingRequestPtr pending) : core_(pending->core), pending_(std::move(pending)) {}

void PurgeTask::start(PreparedPurge purge, std::string by) {
  guarded([&] { begin(std::move(purge), std::move(by)); });
}

void PurgeTask::begin(PreparedPurge purge, std::string by) {
  if (!pending_->may_wait()) return deliver_error(*pending_, kBusy);
  core_.add(shared_from_this());
  pending_->exchange->on_gone(&gone_);
  core_.worker.deadlines().arm(deadline_, core_.now().mono, kPatience);
  const bool asked = core_.shared.purger.ask(
      std::move(purge), [outcome = outcome_, by = std::move(by)](const PreparedPurge& what, const PurgeDone& done) {
        log::write_always(log::Level::Info, "purge: " + by + ": " + outcome_text(what, done) +
                                                (done.failed ? ", out of memory, 503" : ", 200"));
        outcome->failed = done.failed;
        outcome->document = to_json(what, done);
        outcome->done.store(true, std::memory_order_release);
        outcome->changed.notify();
      });
  if (asked) return look();
  leave();
  deliver_error(*pending_, kBusy);
}

void PurgeTask::look() {
  if (done_) return;
  if (!outcome_->done.load(std::memory_order_acquire)) {
    outcome_->changed.wait(core_.worker, changed_);
    if (!outcome_->done.load(std::memory_order_acquire)) return;
    changed_.stop_waiting();
  }
  leave();
  if (outcome_->failed) return deliver_error(*pending_, kBusy);
  deliver_document(*pending_, outcome_->document);
}

void PurgeTask::too_late() {
  if (done_) return;
  leave();
  deliver_error(*pending_, kTooLate);
}

void PurgeTask::leave() {
  if (std::exchange(done_, true)) return;
  const auto self = shared_from_this();
  deadline_.disarm();
  changed_.stop_waiting();
  pending_->exchange->on_gone(nullptr);
  core_.remove(self);
}

void PurgeTask::give_up() noexcept {
  leave();
  if (pending_->exchange) pending_->exchange->out_of_memory();
}

void PurgeTask::end() {
  done_ = true;
  deadline_.disarm();
  changed_.stop_waiting();
  gone_.stop_waiting();
}

}  // namespace forebay::proxy
