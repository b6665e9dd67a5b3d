#include "decisions.hpp"
#include "deliver.hpp"
#include "fetch_task.hpp"
#include "follow_task.hpp"
#include "lookup.hpp"

namespace forebay::proxy {
namespace {

using rules::CacheResult;
using rules::Reason;
using Kind = cache::Lookup::Kind;

/// A refresh behind a stale answer carries the fields of the request that triggered it, and answers nobody.
void refresh(Core& core, const StoryPtr& story, cache::Lookup& lookup) {
  auto behind = std::make_shared<Story>(*story);
  behind->exchange = nullptr;
  FetchPlan plan;
  plan.ticket = std::move(lookup.ticket);
  plan.entry = lookup.entry;
  plan.freshness = lookup.freshness;
  plan.names = lookup.names;
  plan.background = true;
  plan.shared = true;
  plan.validate = !story->facts.is_signed;
  std::make_shared<FetchTask>(core, std::move(behind), std::move(plan))->start();
}

FetchPlan plan_of(const StoryPtr& story, cache::Lookup& lookup) {
  const auto forward = plan_forward({lookup.kind, lookup.forward, lookup.reason, lookup.entry != nullptr,
                                     static_cast<bool>(lookup.ticket), lookup.pass_memory},
                                    story->facts);
  FetchPlan plan;
  plan.status = forward.status;
  if (forward.may_store) plan.ticket = std::move(lookup.ticket);
  lookup.ticket.drop();
  if (forward.uses_entry) {
    plan.entry = lookup.entry;
    plan.freshness = lookup.freshness;
  }
  plan.names = lookup.names;
  plan.names_old = lookup.names_old;
  plan.shared = forward.may_store;
  plan.validate = forward.validates;
  plan.by_get = forward.by_get;
  return plan;
}

/// More than `max_waiters` wait already: what else happens when `coalesce.wait` is over, happens at once.
void queue_full(Core& core, const StoryPtr& story, cache::Lookup& lookup) {
  auto& counted = story->route->counters->coalesced[static_cast<std::size_t>(Coalesced::Timeout)];
  if (!std::exchange(story->wait_counted, true)) counted.add();
  story->waited_out = true;
  // One superseding flight at a time; beyond its waiters, too, there is an end.
  if (story->policy().coalesce.on_timeout == rules::OnTimeout::Fetch && !lookup.flight->superseding() &&
      ++story->restarts <= 8)
    return proceed(core, story, supersede(core, *story, lookup.flight));
  lookup.flight->leave();
  if (lookup.entry && story->policy().stale.errors.timeout &&
      may_stand_in(core, *story, lookup.freshness, lookup.names)) {
    rules::CacheStatus status;
    status.result = CacheResult::StaleError;
    status.key = story->key.text();
    return deliver_entry(core, *story->exchange, story->view(), lookup.entry, lookup.freshness, status);
  }
  OwnError error;
  error.status = 504;
  error.reason = RequestError::Coalesce;
  error.title = "Gateway Timeout";
  error.detail = "Too many requests wait for the same resource.";
  error.retry_after = "1";
  deliver_error(core, *story->exchange, story->accept(), story->request_id, error);
}

}  // namespace

void only_if_cached(Core& core, const StoryPtr& story) {
  OwnError error;
  error.status = 504;
  error.reason = RequestError::OnlyIfCached;
  error.title = "Gateway Timeout";
  error.detail = "The request asks for a stored response only, and none is fit for it.";
  deliver_error(core, *story->exchange, story->accept(), story->request_id, error);
}

void proceed(Core& core, const StoryPtr& story, cache::Lookup lookup) {
  const bool serves = lookup.kind == Kind::Fresh || lookup.kind == Kind::Stale;
  if (serves && !serves_precondition(story->facts, story->view().fields, lookup.entry->head(), core.now().wall))
    return story->facts.directives.only_if_cached ? only_if_cached(core, story)
                                                  : forward(core, story, precondition_status());
  if (serves) {
    auto status = stored_status(lookup.kind, lookup.freshness, core.now().mono);
    status.key = story->key.text();
    if (story->wanted()) deliver_entry(core, *story->exchange, story->view(), lookup.entry, lookup.freshness, status);
    if (lookup.ticket) refresh(core, story, lookup);
    return;
  }
  lookup.forward = forward_word(lookup.forward, story->route->route->key, story->view().method, story->has_content);
  if (story->facts.directives.only_if_cached) {
    if (lookup.flight) lookup.flight->leave();
    return only_if_cached(core, story);
  }
  // Who waits is in memory, and the memory has an end.
  if (lookup.kind == Kind::Join && !story->charge) return queue_full(core, story, lookup);
  if (lookup.kind == Kind::Join) {
    std::make_shared<FollowTask>(core, story, std::move(lookup))->start();
    return;
  }
  if (lookup.queue_full) return queue_full(core, story, lookup);
  if (story->has_left()) return story->exchange->cut();
  std::make_shared<FetchTask>(core, story, plan_of(story, lookup))->start();
}

void look_up_again(Core& core, const StoryPtr& story) {
  if (!story->wanted()) return;
  proceed(core, story, look_up(core, *story));
}

}  // namespace forebay::proxy
