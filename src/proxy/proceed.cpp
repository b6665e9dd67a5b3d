#include "deliver.hpp"
#include "fill.hpp"
#include "follow_task.hpp"
#include "lookup.hpp"
#include "plan.hpp"

namespace forebay::proxy {
namespace {

using rules::CacheResult;

/// A background refresh has the fields of the request that triggered it, and no client.
void refresh(const StoryPtr& story, cache::Stored stored, cache::Ticket ticket) {
  story->exchange = nullptr;
  FillPlan plan;
  plan.ticket = std::move(ticket);
  plan.stored = std::move(stored);
  plan.background = true;
  plan.shared = true;
  plan.validate = !story->facts().is_signed;
  std::make_shared<Fill>(story, std::move(plan))->start();
}

struct Execute {
  const StoryPtr& story;
  cache::Lookup& lookup;

  void operator()(const Refuse& plan) const {
    if (auto* join = join_of(lookup)) join->flight->leave();
    deliver_error(*story, *plan.error);
  }

  void operator()(const GoForward& plan) const { forward(story, plan.status); }

  void operator()(Serve plan) const {
    plan.status.key = story->key.text();
    auto& stored = stored_of(lookup);
    auto* ticket = ticket_of(lookup);
    if (story->wanted()) deliver_entry(*story, stored.entry, stored.freshness, plan.status);
    if (*ticket) refresh(story, std::move(stored), std::move(*ticket));
  }

  void operator()(const Follow& plan) const {
    auto& join = *join_of(lookup);
    join.forward = plan.forward;
    std::make_shared<FollowTask>(story, std::move(join))->start();
  }

  void operator()(const Overflow&) const {
    auto& counted = story->route->counters->coalesced[static_cast<std::size_t>(Coalesced::Timeout)];
    if (!std::exchange(story->wait_counted, true)) counted.add();
    story->waited_out = true;
    const auto& join = *join_of(lookup);
    // One superseding flight at a time; its waiters are limited too.
    if (story->policy().coalesce.on_timeout == rules::OnTimeout::Fetch && !join.flight->superseding() &&
        ++story->restarts <= 8)
      return proceed(story, supersede(*story, join.flight));
    join.flight->leave();
    const auto& stored = join.stored;
    if (!story->policy().stale.errors.timeout || !may_stand_in(*story, stored))
      return deliver_error(*story, kQueueIsFull);
    rules::CacheStatus status;
    status.result = CacheResult::StaleError;
    status.key = story->key.text();
    deliver_entry(*story, stored.entry, stored.freshness, status);
  }

  void operator()(const Fetch& fetch) const {
    if (story->has_left()) return story->exchange->cut();
    auto* ticket = ticket_of(lookup);
    FillPlan plan;
    plan.status = fetch.status;
    if (fetch.may_store) plan.ticket = std::move(*ticket);
    ticket->drop();
    plan.stored = std::move(stored_of(lookup));
    if (!fetch.uses_entry) plan.stored.entry = {};
    plan.shared = fetch.may_store;
    plan.validate = fetch.validates;
    plan.by_get = fetch.by_get;
    std::make_shared<Fill>(story, std::move(plan))->start();
  }
};

}  // namespace

Asked asked_of(const Story& story) {
  return {story.facts(),     story.request.fields, story.route->route->key,
          story.has_content, story.may_wait(),     story.core.now()};
}

void execute(const StoryPtr& story, const FoundPlan& plan, cache::Lookup lookup) {
  std::visit(Execute{story, lookup}, plan);
}

void proceed(const StoryPtr& story, cache::Lookup lookup) {
  const auto plan = plan_found(found_of(lookup), asked_of(*story));
  execute(story, plan, std::move(lookup));
}

void look_up_again(const StoryPtr& story) {
  if (!story->wanted()) return;
  proceed(story, look_up(*story));
}

}  // namespace forebay::proxy
