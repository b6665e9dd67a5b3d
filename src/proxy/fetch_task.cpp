#include "fetch_task.hpp"

#include <algorithm>

#include "bonds.hpp"
#include "deliver.hpp"
#include "follow_task.hpp"
#include "forebay/http/list.hpp"
#include "forebay/rules/validation.hpp"
#include "outgoing.hpp"
#include "plan.hpp"

namespace forebay::proxy {
namespace {

/// How long one reader may hold up the others of a shared body that outgrew its limit.
constexpr Duration kPatience = std::chrono::seconds{1};

/// How long after a failed refresh the next one waits.
constexpr Duration kRefreshPause = std::chrono::seconds{1};

}  // namespace

FetchTask::FetchTask(Core& core, StoryPtr story, FetchPlan plan)
    : core_(core),
      story_(std::move(story)),
      plan_(std::move(plan)),
      store_route_(story_->route),
      facts_(story_->facts),
      key_text_(story_->key.text()),
      patience_([this] { guarded([this] { stalled(); }); }) {}

FetchTask::~FetchTask() = default;

void FetchTask::start() {
  guarded([this] {
    core_.add(shared_from_this());
    if (story_->exchange) story_->exchange->on_gone(&gone_);
    send();
  });
}

void FetchTask::send() {
  upstream::FetchRequest request;
  const auto view = story_->view();
  request.method = method();
  request.method_text = plan_.by_get ? http::to_string(request.method) : view.method_text;
  request.head = this;
  if (story_->content)
    request.body =
        &content_.emplace(story_->content, story_->content_whole ? nullptr : story_->exchange, story_->trailers);
  else if (story_->exchange && story_->exchange->has_body())
    request.body = &story_->exchange->body();
  request.for_connection = std::any_of(view.fields.begin(), view.fields.end(), [](const http::Field& f) {
    return f.id == http::FieldId::Authorization && http::authenticates_connection(f.value);
  });
  // A trusted peer sends the requests of many clients over one connection: none of them may be another's.
  if (story_->exchange && !story_->peer_trusted) {
    auto& origin = *story_->route->origin;
    request.bond =
        request.for_connection ? find_or_make_bond(*story_->exchange, origin) : find_bond(*story_->exchange, origin);
  }
  fetch_ = story_->route->origin->fetch(request, *this, story_->runtime->config().server.response_header);
}

void FetchTask::compose(std::string& target, http::Fields& fields) {
  fields = outgoing_fields(core_, *story_, plan_.shared);
  expect_304_ = plan_.validate && plan_.ticket && plan_.stored.entry && !plan_.stored.freshness.validators_fail &&
                (plan_.stored.entry->etag() || plan_.stored.entry->last_modified());
  if (expect_304_) rules::add_validators(fields, plan_.stored.entry->etag(), plan_.stored.entry->last_modified());
  if (story_->route->route) target = origin_target(story_->route->route->rewrite, story_->target);
  if (target.empty()) target = story_->target;
}

void FetchTask::trim(http::Fields& trailers) { trim_trailers(core_, *story_, trailers); }

Timestamp FetchTask::no_refresh_until() const { return refreshing() ? core_.now().mono + kRefreshPause : Timestamp{}; }

rules::ExchangeTimes FetchTask::times() const {
  const Now received = core_.now();
  Now requested = fetch_ ? fetch_->times().requested : received;
  if (requested.mono == Timestamp{} || requested.mono > received.mono) requested = received;
  return {requested, received};
}

void FetchTask::note_origin(int status) {
  if (!story_->exchange || !fetch_) return;
  auto& notes = notes_of(*story_->exchange);
  const auto& t = fetch_->times();
  notes.went_forward = true;
  notes.origin_by_get = plan_.by_get;
  notes.origin_status = status;
  notes.origin_attempts = t.attempts;
  notes.origin_queue = t.queued;
  notes.origin_connect = t.connect;
  if (status != 0) notes.origin_ttfb = core_.now().mono - t.requested.mono;
  notes.origin_address = t.address;
}

void FetchTask::on_interim(const http::ResponseView& head) {
  if (!story_->wanted()) return;
  std::vector<http::Field> fields;
  for (const auto& f : head.fields)
    if (!http::is_hop_by_hop(f.id) && f.id != http::FieldId::ContentLength) fields.push_back(f);
  story_->exchange->interim(head.status, {fields});
}

bool FetchTask::on_data(std::string_view bytes) {
  const auto self = shared_from_this();
  if (!body_) return true;
  Charge charge;
  if (storing_) {
    const auto cost = Chunk::cost(bytes.size());
    charged_ += cost;
    // An origin that sends single bytes in chunks of their own makes bookkeeping outweigh the body.
    const bool fits = body_->length() + bytes.size() <= store_policy().max_object &&
                      charged_ <= 4 * store_policy().max_object + kPassWindow;
    if (fits) charge = core_.shared.store.reserve(cost);
    if (charge.bytes() == 0) {
      outgrow();
      if (done_) return false;
    }
  }
  if (!storing_ && read_on_.bytes() >= Chunk::cost(bytes.size())) charge = read_on_.split(Chunk::cost(bytes.size()));
  if (storing_ && graphql_) graphql_->feed(bytes);
  body_->append(Chunk::copy_of(bytes, std::move(charge))->slice());
  if (!windowed_) return true;
  if (body_->readers() == 0) {
    stop();
    return false;
  }
  return !body_->full() || wait_for_space();
}

bool FetchTask::drop_slowest() {
  if (done_ || !body_ || body_->readers() < 2) return false;
  body_->cut_off_stalled(core_.now().mono, Duration{0});
  if (body_->full()) return false;
  space_.stop_waiting();
  patience_.disarm();
  return true;
}

bool FetchTask::take_more(std::size_t bytes) {
  if (done_ || !windowed_ || !body_) return false;
  read_on_ = core_.shared.store.reserve(bytes);
  if (read_on_.bytes() == 0) return false;
  space_.stop_waiting();
  patience_.disarm();
  body_->set_window(kPassWindow + bytes);
  return true;
}

void FetchTask::outgrow() {
  storing_ = false;
  tell_not_stored(rules::Reason::TooLarge);
  plan_.ticket.outgrow(no_queue_until());
  plan_.ticket.drop();
  body_->set_window(kPassWindow);
  windowed_ = true;
  if (body_->readers() == 0) {
    stop();
  }
}

bool FetchTask::wait_for_space() {
  body_->wait_for_space(core_.worker, space_);
  if (!body_->full()) {
    space_.stop_waiting();
    return true;
  }
  if (body_->readers() > 1) core_.worker.deadlines().arm(patience_, core_.now().mono, kPatience);
  return false;
}

void FetchTask::space_free() {
  if (done_) return;
  if (body_->readers() == 0) {
    return stop();
  }
  if (body_->full() && !wait_for_space()) return;
  patience_.disarm();
  fetch_->resume();
}

void FetchTask::stalled() {
  if (done_ || !body_) return;
  body_->cut_off_stalled(core_.now().mono, kPatience);
  if (space_.waiting() && !body_->full()) {
    space_.stop_waiting();
    space_free();
  } else if (body_->full() && body_->readers() > 1) {
    core_.worker.deadlines().arm(patience_, core_.now().mono, kPatience);
  }
}

void FetchTask::on_end(const http::Fields& trailers) {
  guarded([&] {
    if (storing_) commit();
    if (body_) body_->finish(trailers);
    finish();
  });
}

void FetchTask::commit() {
  cache::EntryParts parts;
  parts.head = head_->head();
  parts.body = body_->slices();
  parts.key_text = key_text_;
  parts.fetch_time = core_.now().mono - requested_.mono;
  parts.stored_at = core_.now().wall;
  const auto& route = *store_route_->route;
  if (graphql_ && !graphql_->clean()) return tell_not_stored(rules::Reason::GraphqlErrors);
  const auto done = storing_ticket().commit(parts, freshness_, vary_, selecting(), route.policy, route.key.fingerprint,
                                            core_.now().mono);
  if (elsewhere_ && plan_.stored.entry) core_.shared.store.discard(story_->key, plan_.stored.entry);
  if (done.stored) store_route_->counters->count_stored(body_->length());
  store_route_->counters->variants_evicted.add(done.variants_evicted);
  if (story_->exchange) notes_of(*story_->exchange).stored = done.stored;
}

void FetchTask::count_not_stored(rules::Reason reason) {
  if (reason != rules::Reason::None) store_route_->counters->not_stored[static_cast<std::size_t>(reason)].add();
}

/// Of an answer that was on its way when this showed: the line of the log, which is not written yet, says so.
void FetchTask::tell_not_stored(rules::Reason reason) {
  count_not_stored(reason);
  if (!story_->exchange) return;
  auto& notes = notes_of(*story_->exchange);
  notes.stored = false;
  notes.reason = reason;
  notes.cause = rules::Reason::None;
}

void FetchTask::count_revalidation(Revalidated outcome) {
  story_->route->counters->revalidations[plan_.background ? 1 : 0][static_cast<std::size_t>(outcome)].add();
}

/// Where others wait, one of them makes the second try, with its own fields; and a second try is the last one.
bool FetchTask::wants_retry() {
  const auto& flight = plan_.ticket.flight();
  if (!flight) return true;
  gives_way_ = flight->waiters() != 0 && !flight->second();
  return !gives_way_ && !flight->second();
}

/// The client waits for that second try like the others.
void FetchTask::give_way(cache::Failure failure) {
  cache::Join wait{plan_.ticket.flight(), {}, plan_.status.forward};
  wait.flight->join();
  plan_.ticket.fail(std::move(failure), no_refresh_until());
  const auto story = story_;
  finish();
  story->gave_way = true;
  std::make_shared<FollowTask>(core_, story, std::move(wait))->start();
}

void FetchTask::on_failure(upstream::FetchError error, std::string_view detail) {
  guarded([&] { fail(error, detail); });
}

void FetchTask::fail(upstream::FetchError error, std::string_view detail) {
  note_origin(status_);
  if (story_->exchange) {
    auto& notes = notes_of(*story_->exchange);
    notes.origin_error = upstream::to_string(error);
    notes.origin_detail = detail;
  }
  if (status_ != 0) {
    if (storing_) tell_not_stored(rules::Reason::Truncated);
    plan_.ticket.drop();
    if (body_) body_->break_off();
    if (error == upstream::FetchError::Memory && story_->exchange) story_->exchange->out_of_memory();
    return finish();
  }
  if (refreshing()) count_revalidation(Revalidated::Error);
  cache::Failure failure;
  failure.timeout = upstream::is_timeout(error);
  failure.status = error == upstream::FetchError::Queue ? 503 : failure.timeout ? 504 : 502;
  failure.detail = detail;
  failure.by_leader = may_be_the_leaders(error);
  if (error == upstream::FetchError::Queue) failure.retry_after = "1";
  if (!upstream::is_the_origins(error)) {
    fail_client(failure, error);
    return finish();
  }
  const bool covered = story_->route->route && (failure.timeout ? story_->policy().stale.errors.timeout
                                                                : story_->policy().stale.errors.connect);
  if (!covered || !try_stale(0)) {
    if (gives_way_ && error == upstream::FetchError::Reset && story_->wanted()) return give_way(std::move(failure));
    fail_client(failure, error);
  }
  if (plan_.ticket) plan_.ticket.fail(std::move(failure), no_refresh_until());
  finish();
}

namespace {
/// For the client, who is told nothing of the origin's addresses.
std::string_view why_no_answer(upstream::FetchError error) noexcept {
  switch (error) {
    case upstream::FetchError::Dns:
      return "The origin's host name could not be resolved.";
    case upstream::FetchError::Connect:
      return "Could not connect to the origin.";
    case upstream::FetchError::Tls:
      return "TLS to origins is not in this version.";
    default:
      return "The origin closed the connection before it answered.";
  }
}
}  // namespace

void FetchTask::fail_client(const cache::Failure& failure, upstream::FetchError error) {
  if (!story_->wanted()) return;
  using upstream::FetchError;
  OwnError own;
  own.status = failure.status;
  own.retry_after = failure.retry_after;
  switch (error) {
    case FetchError::ClientBody:
      return deliver_content_error(core_, *story_->exchange, story_->accept(), story_->request_id);
    case FetchError::Memory:
      return story_->exchange->out_of_memory();
    case FetchError::ClientStalled:
      own.status = 408;
      own.reason = RequestError::ClientTimeout;
      own.title = "Request Timeout";
      own.detail = "The request's content arrived too slowly while other requests waited for the origin.";
      own.close = true;
      break;
    case FetchError::Queue:
      own.reason = RequestError::Queue;
      own.title = "Service Unavailable";
      own.detail = "No connection to the origin became free in time.";
      break;
    case FetchError::FirstByteTimeout:
    case FetchError::ConnectTimeout:
    case FetchError::BetweenBytesTimeout:
      own.reason = RequestError::Timeout;
      own.title = "Gateway Timeout";
      own.detail = error == FetchError::ConnectTimeout ? "Connecting to the origin timed out."
                                                       : "The origin did not answer in time.";
      break;
    case FetchError::Protocol:
    case FetchError::TooLarge:
      own.reason = RequestError::Protocol;
      own.title = "Bad Gateway";
      own.detail = "The origin's response is invalid.";
      break;
    default:
      own.reason = RequestError::Connect;
      own.title = "Bad Gateway";
      own.detail = why_no_answer(error);
  }
  deliver_error(core_, *story_->exchange, story_->accept(), story_->request_id, own);
}

void FetchTask::client_gone() {
  if (done_) return;
  // A place in the queue that nobody needs goes to the next.
  const bool needed = plan_.ticket && plan_.ticket.flight()->waiters() != 0;
  if (status_ == 0 && (needed || (fetch_ && fetch_->asked()))) {
    if (plan_.ticket && (!story_->has_content || story_->content_whole)) return;  // the fill goes on
    if (!http::is_safe(story_->view().method)) return;  // it may have taken effect: its answer still counts
  } else if (status_ != 0 && (!windowed_ || (body_ && body_->readers() > 1))) {
    return;
  }
  stop();
}

void FetchTask::stop() {
  if (fetch_) fetch_->cancel();
  if (body_) body_->break_off();
  finish();
}

void FetchTask::give_up() noexcept {
  if (!done_) stop();
  if (story_->exchange) story_->exchange->out_of_memory();
}

void FetchTask::finish() {
  if (done_) return;
  done_ = true;
  const auto self = shared_from_this();
  patience_.disarm();
  space_.stop_waiting();
  if (story_->exchange) story_->exchange->on_gone(nullptr);
  plan_.ticket.drop(no_refresh_until());
  elsewhere_.drop();
  fetch_.reset();
  content_.reset();
  core_.remove(self);
}

void FetchTask::end() {
  done_ = true;
  patience_.disarm();
  space_.stop_waiting();
  gone_.stop_waiting();
  if (fetch_) fetch_->cancel();
  fetch_.reset();
  if (body_ && body_->end() == http::Body::End::Growing) body_->break_off();
  plan_.ticket.drop();
}

}  // namespace forebay::proxy
