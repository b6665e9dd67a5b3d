#include "arrival.hpp"

#include "bonds.hpp"
#include "content.hpp"
#include "deliver.hpp"
#include "lookup.hpp"
#include "outcome.hpp"
#include "plan.hpp"

namespace forebay::proxy {
namespace {

using Purpose = ReadTask::Purpose;
using State = ReadContent::State;

/// Counts the request as one of this route's.
void take_route(Story& story) {
  const auto* route = story.reading.route;
  story.route = route ? &story.runtime->routes[route->index] : &story.runtime->none;
  auto& notes = story.notes();
  if (notes.counted_in_flight) notes.route->counters->in_flight.sub();
  notes.route = story.route;
  story.route->counters->in_flight.add();
  notes.counted_in_flight = true;
}

/// Its content, if it has any, has been read.
void serve(const StoryPtr& story) {
  const auto reason = build_key(*story);
  if (reason != rules::Reason::None) return pass_on(story, reason);
  auto found = look_up_first(*story);
  if (story->read != State::Unread) story->core.worker.tick();  // to read a content takes its time
  note_lookup(*story);
  auto plan = plan_found(found_of(found), asked_of(*story));
  if (auto* hit = std::get_if<Serve>(&plan); hit && !*ticket_of(found)) {
    // A hit: answered before this returns, without a task or a copy of the request.
    hit->status.key = story->key.text();
    const auto& stored = stored_of(found);
    return deliver_entry(*story, stored.entry, stored.freshness, hit->status);
  }
  story->keep();
  story->keep_content();
  if (std::holds_alternative<Follow>(plan) && !story->may_wait()) plan = Overflow{std::get<Follow>(plan).forward};
  execute(story, plan, std::move(found));
}

/// Handles it on its route, which is in `reading`.
void arrive(const StoryPtr& story) {
  const auto& reading = story->reading;
  take_route(*story);
  auto* const origin = story->route->origin;
  const bool authenticated = origin && !story->peer_trusted && is_authenticated(*story->exchange, *origin);
  const auto plan = plan_route(reading, origin != nullptr, authenticated);
  if (const auto* refused = std::get_if<Refuse>(&plan)) {
    if (!origin) story->notes().reason = rules::Reason::NoRoute;
    return deliver_error(*story, *refused->error);
  }
  story->notes().refresh_refused =
      reading.facts.refresh_refused && story->policy().client_refresh.otherwise == rules::RefreshRefusal::Warn;
  if (const auto* bypass = std::get_if<Bypass>(&plan)) return pass_on(story, bypass->reason);
  // Content is read even if it is not in the key: a later refresh must send it.
  if (!story->has_content || reading.content == cache::ContentUse::None) return serve(story);
  if (story->read != State::Unread || read_content(story, Purpose::Key)) go_on_to_key(story);
}

}  // namespace

void go_to_route(const StoryPtr& story) {
  auto& reading = story->reading;
  const auto& routes = story->runtime->runtime->routes;
  if (!reading.awaits_content) read_route(routes, story->request, story->has_content, reading);
  if (reading.awaits_content) {
    take_route(*story);
    if (story->read == State::Unread && !read_content(story, Purpose::Route)) return;
    read_route(routes, story->request, true, reading, {story->read, story->bytes});
  }
  arrive(story);
}

void go_on_to_key(const StoryPtr& story) {
  const auto& route = *story->route->route;
  if (story->read != State::Whole || story->bytes.size() > route.key.body_max)
    return pass_on(story, too_large_reason(route));
  serve(story);
}

}  // namespace forebay::proxy
