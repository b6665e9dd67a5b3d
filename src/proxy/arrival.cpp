#include "arrival.hpp"

#include "bonds.hpp"
#include "content.hpp"
#include "deliver.hpp"
#include "lookup.hpp"
#include "outcome.hpp"
#include "own_answer.hpp"
#include "plan.hpp"

namespace forebay::proxy {
namespace {

using Purpose = ReadTask::Purpose;
using State = ReadContent::State;

/// Counts the request as one of this route's.
void take_route(PendingRequest& pending) {
  const auto* route = pending.reading.route;
  pending.route = route ? &pending.runtime->routes[route->index] : &pending.runtime->none;
  auto& notes = pending.notes();
  if (notes.counted_in_flight) notes.route->counters->in_flight.sub();
  notes.route = pending.route;
  pending.route->counters->in_flight.add();
  notes.counted_in_flight = true;
}

/// Its content, if it has any, has been read.
void serve(const PendingRequestPtr& pending) {
  auto reason = build_key(*pending);
  if (reason == rules::Reason::None && pending->core.shared.replaced.load(std::memory_order_acquire)) {
    pending->keyed = false;
    reason = rules::Reason::Replaced;
  }
  if (reason != rules::Reason::None) return pass_on(pending, reason);
  auto found = look_up_first(*pending);
  if (pending->read != State::Unread) pending->core.worker.tick();  // to read a content takes its time
  note_lookup(*pending);
  auto plan = plan_found(found_of(found), asked_of(*pending));
  if (auto* hit = std::get_if<Serve>(&plan); hit && !*ticket_of(found)) {
    // A hit: answered before this returns, without a task or a copy of the request.
    hit->status.key = pending->key.text();
    const auto& stored = stored_of(found);
    return deliver_entry(*pending, stored.entry, stored.freshness, hit->status);
  }
  pending->keep();
  pending->keep_content();
  if (std::holds_alternative<Follow>(plan) && !pending->may_wait()) plan = Overflow{std::get<Follow>(plan).forward};
  execute(pending, plan, std::move(found));
}

/// Handles it on its route, which is in `reading`.
void arrive(const PendingRequestPtr& pending) {
  const auto& reading = pending->reading;
  take_route(*pending);
  auto* const origin = pending->route->origin;
  const bool authenticated = origin && !pending->peer_trusted && is_authenticated(*pending->exchange, *origin);
  const auto plan = plan_route(reading, origin != nullptr, authenticated);
  if (const auto* refused = std::get_if<Refuse>(&plan)) {
    if (!origin) pending->notes().reason = rules::Reason::NoRoute;
    return deliver_error(*pending, *refused->error);
  }
  if (const auto* here = std::get_if<AnswerHere>(&plan)) return answer_here(*pending, here->reason);
  pending->notes().refresh_refused =
      reading.facts.refresh_refused && pending->policy().client_refresh.otherwise == rules::RefreshRefusal::Warn;
  if (reading.upgrades()) {
    pending->tunnel = TunnelPlace::take(pending->core.shared, pending->config().server.tunnels);
    if (!pending->tunnel) return deliver_error(*pending, kTooManyTunnels);
  }
  if (const auto* bypass = std::get_if<Bypass>(&plan)) return pass_on(pending, bypass->reason);
  // Content is read even if it is not in the key: a later refresh must send it.
  if (!pending->has_content || reading.content == cache::ContentUse::None) return serve(pending);
  if (pending->read != State::Unread || read_content(pending, Purpose::Key)) go_on_to_key(pending);
}

}  // namespace

void go_to_route(const PendingRequestPtr& pending) {
  auto& reading = pending->reading;
  const auto& routes = pending->runtime->runtime->routes;
  if (!reading.awaits_content) read_route(routes, pending->request, pending->has_content, reading);
  if (reading.awaits_content) {
    take_route(*pending);
    if (pending->read == State::Unread && !read_content(pending, Purpose::Route)) return;
    read_route(routes, pending->request, true, reading, {pending->read, pending->bytes});
  }
  offer_upgrade(pending->config().upgrade, reading);
  arrive(pending);
}

void go_on_to_key(const PendingRequestPtr& pending) {
  const auto& route = *pending->route->route;
  if (pending->read != State::Whole || pending->bytes.size() > route.key.body_max)
    return pass_on(pending, too_large_reason(route));
  serve(pending);
}

}  // namespace forebay::proxy
