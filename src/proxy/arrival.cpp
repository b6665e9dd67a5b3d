#include "arrival.hpp"

#include "bonds.hpp"
#include "deliver.hpp"
#include "forebay/proxy/origin_fields.hpp"
#include "lookup.hpp"
#include "outcome.hpp"
#include "plan.hpp"

namespace forebay::proxy {
namespace {

using State = ReadContent::State;

ReadContent as_read(std::string_view content, Gathered outcome) noexcept {
  return {outcome == Gathered::Whole ? State::Whole : State::TooLarge, content};
}

void refuse_with(Core& core, const Arrival& arrival, OwnError error) {
  const auto accept = arrival.request.fields.value(http::FieldId::Accept).value_or("");
  deliver_error(core, *arrival.exchange, accept, arrival.request_id, error);
}

/// Memory of a waiting request: its head, with the target twice and a key, and fixed overhead.
std::size_t cost_of(const Story& story) noexcept {
  constexpr std::size_t kAround = 2048;  // its task, its table entries, and the state of its connection
  std::size_t n = sizeof(Story) + kAround + 2 * story.target.size() + story.key.text().size();
  for (const auto& f : story.request.fields().view()) n += sizeof(http::Field) + f.name.size() + f.value.size();
  return n;
}

/// `keyed`: whether `core.key` is its key.
enum class Keyed : std::uint8_t { No, Yes };
StoryPtr make_story(Core& core, const Arrival& arrival, const RouteState& state, Keyed keyed = Keyed::No) {
  const auto& reading = core.reading;
  auto story = std::make_shared<Story>();
  story->exchange = arrival.exchange;
  story->request = http::Request(arrival.request);
  story->runtime = arrival.runtime;
  story->route = &state;
  story->target = reading.target.path();
  if (const auto query = reading.target.query()) story->target.append("?").append(*query);
  story->scheme = reading.scheme;
  story->host = reading.host;
  story->peer = arrival.exchange->peer().address;
  story->peer_trusted = arrival.trusted;
  story->request_id = arrival.request_id.empty() ? core.make_request_id() : std::string(arrival.request_id);
  note_request_id(notes_of(*arrival.exchange), story->request_id);
  story->facts = reading.facts;
  story->has_content = arrival.exchange->has_body();
  if (keyed == Keyed::Yes) story->key = core.key;
  if (auto charge = core.shared.store.reserve(cost_of(*story)); charge.bytes() != 0)
    story->charge = std::make_shared<const Charge>(std::move(charge));
  return story;
}

/// Counts the request as one of this route's.
void take_route(server::Exchange& exchange, const RouteState& state) {
  auto& notes = notes_of(exchange);
  if (notes.counted_in_flight) notes.route->counters->in_flight.sub();
  notes.route = &state;
  state.counters->in_flight.add();
  notes.counted_in_flight = true;
}

const RouteState& state_of(const Core& core, const Arrival& arrival) {
  const auto* route = core.reading.route;
  return route ? arrival.runtime->routes[route->index] : arrival.runtime->none;
}

/// The request as its origin would get it, if it is looked up.
OriginRequest asked_of_origin(const Core& core, const Arrival& arrival, const RouteState& state) {
  OriginRequest asked{arrival.runtime->config(), state.origin->state().config(), state.route, arrival.request};
  asked.scheme = core.reading.scheme;
  asked.host = core.reading.host;
  asked.peer = arrival.exchange->peer().address;
  asked.peer_trusted = arrival.trusted;
  asked.looked_up = asked.shared = true;
  asked.instance_id = core.shared.instance_id;
  asked.request_id = arrival.request_id;
  return asked;
}

/// `whole`: the content, where there is some that was read.
void serve(Core& core, const Arrival& arrival, const RouteState& state, std::optional<std::string_view> whole) {
  auto& notes = notes_of(*arrival.exchange);
  const auto& request = arrival.request;
  const auto reason = build_key(core.reading, request, whole, core.shared.persisted, core.key);
  if (reason != rules::Reason::None) {
    const auto story = make_story(core, arrival, state);
    if (whole && story->has_content) keep_content(core, *story, *whole, Gathered::Whole);
    return pass_on(core, story, reason);
  }
  auto found = look_up(core, request, whole, OriginSelecting(asked_of_origin(core, arrival, state)));
  notes.key_id = core.key.id();
  notes.has_key = true;
  if (whole) core.worker.tick();  // to read a content takes its time
  note_lookup(core, *arrival.exchange);
  const Asked asked{core.reading.facts,           request.fields, state.route->key,
                    arrival.exchange->has_body(), true,           core.now()};
  auto plan = plan_found(found_of(found), asked);
  if (auto* hit = std::get_if<Serve>(&plan); hit && !*ticket_of(found)) {
    // A hit: answered before this returns, without a task or a copy of the request.
    hit->status.key = core.key.text();
    const auto& stored = stored_of(found);
    return deliver_entry(core, *arrival.exchange, request, stored.entry, stored.freshness, hit->status);
  }
  const auto story = make_story(core, arrival, state, Keyed::Yes);
  if (whole && story->has_content) keep_content(core, *story, *whole, Gathered::Whole);
  story->searched = core.searched;
  if (std::holds_alternative<Follow>(plan) && !story->charge) plan = Overflow{std::get<Follow>(plan).forward};
  execute(core, story, plan, std::move(found));
}

/// Most content arrives with the head: then the request is served here, like one without content.
void read_for_key(Core& core, const Arrival& arrival, const RouteState& state) {
  core.content.clear();
  const auto outcome = gather(arrival.exchange->body(), state.route->key.body_max, core.content);
  if (outcome == Gathered::Whole) return serve(core, arrival, state, core.content);
  if (outcome == Gathered::Broken)
    return deliver_content_error(core, *arrival.exchange,
                                 arrival.request.fields.value(http::FieldId::Accept).value_or(""), arrival.request_id);
  const auto story = make_story(core, arrival, state);
  if (outcome == Gathered::TooLarge) return go_on(core, story, core.content, outcome);
  std::make_shared<ReadTask>(core, story, core.content, ReadTask::Purpose::Key)->start();
}

/// Handles it on its route, which is in `reading`; `content` is what has been read already.
void arrive(Core& core, const Arrival& arrival, const ReadContent& content) {
  auto& reading = core.reading;
  const auto& state = state_of(core, arrival);
  take_route(*arrival.exchange, state);
  const bool authenticated = state.origin && !arrival.trusted && is_authenticated(*arrival.exchange, *state.origin);
  const auto plan = plan_route(reading, state.origin != nullptr, authenticated);
  if (const auto* refused = std::get_if<Refuse>(&plan)) {
    if (!state.origin) notes_of(*arrival.exchange).reason = rules::Reason::NoRoute;
    return refuse_with(core, arrival, *refused->error);
  }
  notes_of(*arrival.exchange).refresh_refused =
      reading.facts.refresh_refused && state.route->policy.client_refresh.otherwise == rules::RefreshRefusal::Warn;
  const bool read = content.state != State::Unread;
  const bool whole = content.state == State::Whole;
  if (const auto* bypass = std::get_if<Bypass>(&plan)) {
    const auto story = make_story(core, arrival, state);
    if (read) keep_content(core, *story, content.bytes, whole ? Gathered::Whole : Gathered::TooLarge);
    return pass_on(core, story, bypass->reason);
  }
  // Content is read even if it is not in the key: a later refresh must send it.
  const bool has_content = arrival.exchange->has_body() && reading.content != cache::ContentUse::None;
  if (!has_content) return serve(core, arrival, state, std::nullopt);
  if (!read) return read_for_key(core, arrival, state);
  if (whole && content.bytes.size() <= state.route->key.body_max) return serve(core, arrival, state, content.bytes);
  const auto story = make_story(core, arrival, state);
  keep_content(core, *story, content.bytes, whole ? Gathered::Whole : Gathered::TooLarge);
  pass_on(core, story, too_large_reason(*state.route));
}

}  // namespace

void go_to_route(Core& core, const Arrival& arrival) {
  auto& exchange = *arrival.exchange;
  const auto& routes = arrival.runtime->runtime->routes;
  read_route(routes, arrival.request, exchange.has_body(), core.reading);
  if (!core.reading.awaits_content) return arrive(core, arrival, {});
  const auto& state = state_of(core, arrival);
  take_route(exchange, state);
  core.content.clear();
  const auto outcome = gather(exchange.body(), state.route->key.body_max, core.content);
  if (outcome == Gathered::Broken)
    return deliver_content_error(core, exchange, arrival.request.fields.value(http::FieldId::Accept).value_or(""),
                                 arrival.request_id);
  if (outcome == Gathered::Wait)
    return std::make_shared<ReadTask>(core, make_story(core, arrival, state), core.content, ReadTask::Purpose::Route)
        ->start();
  const auto content = as_read(core.content, outcome);
  read_route(routes, arrival.request, true, core.reading, content);
  arrive(core, arrival, content);
}

void go_on_to_route(Core& core, const StoryPtr& story, std::string_view bytes, Gathered outcome) {
  const auto request = story->view();
  const auto content = as_read(bytes, outcome);
  read_again(core, *story);
  read_route(story->runtime->runtime->routes, request, true, core.reading, content);
  arrive(core, {story->exchange, request, story->runtime, story->request_id, story->peer_trusted}, content);
}

}  // namespace forebay::proxy
