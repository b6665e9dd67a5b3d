#include "deliver.hpp"
#include "fill.hpp"
#include "follow_task.hpp"
#include "lookup.hpp"
#include "plan.hpp"
#include "tracing.hpp"

namespace forebay::proxy {
namespace {

using rules::CacheResult;

/// A background refresh has the fields of the request that triggered it, and no client.
void refresh(const PendingRequestPtr& pending, cache::Stored stored, cache::Ticket ticket) {
  pending->exchange = nullptr;
  FillPlan plan;
  plan.ticket = std::move(ticket);
  plan.stored = std::move(stored);
  plan.background = true;
  plan.shared = true;
  plan.validate = !pending->facts().is_signed;
  std::make_shared<Fill>(pending, std::move(plan))->start();
}

struct Execute {
  const PendingRequestPtr& pending;
  cache::Lookup& lookup;

  void operator()(const Refuse& plan) const { deliver_error(*pending, *plan.error); }

  void operator()(const GoForward& plan) const { forward(pending, plan.status); }

  void operator()(Serve plan) const {
    plan.status.key = pending->key.text();
    auto& stored = stored_of(lookup);
    auto* ticket = ticket_of(lookup);
    if (*ticket) link_refresh(*pending);
    if (pending->wanted()) deliver_entry(*pending, stored.entry, stored.freshness, plan.status);
    if (*ticket) refresh(pending, std::move(stored), std::move(*ticket));
  }

  void operator()(const Follow& plan) const {
    auto& join = *join_of(lookup);
    join.forward = plan.forward;
    std::make_shared<FollowTask>(pending, std::move(join))->start();
  }

  void operator()(const Overflow&) const {
    auto& counted = pending->route->counters->coalesced[static_cast<std::size_t>(Coalesced::Timeout)];
    if (!std::exchange(pending->wait_counted, true)) counted.add();
    pending->waited_out = true;
    auto& join = *join_of(lookup);
    // One superseding flight at a time; its waiters are limited too.
    if (pending->policy().coalesce.on_timeout == rules::OnTimeout::Fetch && !join.place->superseding() &&
        ++pending->restarts <= 8)
      return proceed(pending, supersede(*pending, std::move(join.place)));
    const auto& stored = join.stored;
    if (!pending->policy().stale.errors.timeout || !may_stand_in(*pending, stored))
      return deliver_error(*pending, kQueueIsFull);
    rules::CacheStatus status;
    status.result = CacheResult::StaleError;
    status.key = pending->key.text();
    deliver_entry(*pending, stored.entry, stored.freshness, status);
  }

  void operator()(const Fetch& fetch) const {
    if (pending->has_left()) return pending->exchange->cut();
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
    std::make_shared<Fill>(pending, std::move(plan))->start();
  }
};

}  // namespace

Asked asked_of(const PendingRequest& pending) {
  return {pending.facts(),     pending.request.fields, pending.route->route->key,
          pending.has_content, pending.may_wait(),     pending.core.now()};
}

void execute(const PendingRequestPtr& pending, const FoundPlan& plan, cache::Lookup lookup) {
  std::visit(Execute{pending, lookup}, plan);
}

void proceed(const PendingRequestPtr& pending, cache::Lookup lookup) {
  const auto plan = plan_found(found_of(lookup), asked_of(*pending));
  execute(pending, plan, std::move(lookup));
}

void look_up_again(const PendingRequestPtr& pending) {
  if (!pending->wanted()) return;
  if (pending->core.shared.replaced.load(std::memory_order_acquire)) {
    if (pending->has_left()) return pending->exchange->cut();
    pending->keyed = false;
    return pass_on(pending, rules::Reason::Replaced);
  }
  proceed(pending, look_up(*pending));
}

}  // namespace forebay::proxy
