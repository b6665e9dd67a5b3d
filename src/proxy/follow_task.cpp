#include "follow_task.hpp"

#include "deliver.hpp"
#include "fill.hpp"
#include "forebay/http/range.hpp"
#include "forebay/rules/reuse.hpp"
#include "lookup.hpp"
#include "outgoing.hpp"
#include "tracing.hpp"

namespace forebay::proxy {
namespace {

/// How far ahead of a fill a range may start and still wait for it.
constexpr std::uint64_t kFarAhead = 1024 * 1024;

bool starts_far_ahead(const http::RequestView& request, const http::Body& body) {
  if (body.end() != http::Body::End::Growing) return false;
  const auto field = request.fields.value(http::FieldId::Range);
  if (!field) return false;
  const auto specs = http::parse_range(*field);
  if (!specs) return false;
  for (const auto& s : *specs)
    if (!s.first || *s.first > body.length() + kFarAhead) return true;
  return false;
}

/// How long a request whose own fetch has failed waits for that of a follower, which has been woken already.
constexpr Duration kSecondTryBegins = std::chrono::seconds{2};

}  // namespace

FollowTask::FollowTask(PendingRequestPtr pending, cache::Join join)
    : core_(pending->core),
      pending_(std::move(pending)),
      join_(std::move(join)),
      deadline_([this] { guarded([this] { timed_out(); }); }) {}

FollowTask::~FollowTask() = default;

void FollowTask::start() {
  guarded([this] { begin(); });
}

void FollowTask::begin() {
  core_.add(shared_from_this());
  since_ = core_.now().mono;
  pending_->followed = true;
  pending_->exchange->on_gone(&gone_);
  // Only the first wait times out. The wait for a superseding flight ends with the flight, which the origin's timeouts
  // bound: otherwise each follower would start a fetch in turn.
  const bool second_comes = pending_->gave_way && !pending_->tried_again;
  if (second_comes)
    core_.worker.deadlines().arm(deadline_, since_, kSecondTryBegins);
  else if (!pending_->waited_out)
    core_.worker.deadlines().arm(deadline_, since_, pending_->policy().coalesce.wait);
  look();
}

void FollowTask::look() {
  if (done_) return;
  using State = cache::Flight::State;
  auto state = join_.place->state();
  if (state == State::Waiting) {
    join_.place->wait(core_.worker, changed_);
    state = join_.place->state();
    if (state == State::Waiting) return;
    changed_.stop_waiting();
  }
  if (state != State::Abandoned) link_flight(*pending_, *join_.place.flight());
  switch (state) {
    case State::Landed: return landed();
    case State::NotShareable: return own();
    case State::Failed: return failed();
    default: return start_over();
  }
}

void FollowTask::leave() {
  if (done_) return;
  join_.place.leave();
  step_out();
}

/// The task is over; another owner releases its place on the flight.
void FollowTask::step_out() {
  done_ = true;
  const auto self = shared_from_this();
  deadline_.disarm();
  changed_.stop_waiting();
  pending_->exchange->on_gone(nullptr);
  note_wait();
  core_.remove(self);
}

void FollowTask::note_wait() {
  auto& notes = pending_->notes();
  notes.wait = std::max(notes.wait, Duration{0}) + (core_.now().mono - since_);
}

void FollowTask::landed() {
  const auto& flight = *join_.place.flight();
  if (const OriginSelecting mine(origin_request(*pending_, true)); !flight.is_for(mine)) {
    // A request that refuses the coding like the leader would also lead without success, and so on.
    return flight.unwelcome() && flight.is_like(mine) ? go_alone(rules::Reason::None) : start_over();
  }
  if (const auto kept = rules::kept_from(flight.freshness(), pending_->facts()); kept != rules::Reason::None)
    return go_alone(kept);
  if (rules::is_kept_by_window(flight.freshness(), pending_->facts())) return go_alone(rules::Reason::None);
  if (pending_->facts().range && starts_far_ahead(pending_->request, *flight.body())) {
    join_.forward = rules::Forward::Partial;  // a part is there, and not the one that is asked for
    return go_alone(rules::Reason::Range);
  }
  // It broke before this request read from it, so the failure need not be visible.
  if (flight.body()->end() == http::Body::End::Broken && !flight.second() && !pending_->tried_again) return try_again();
  http::BodyCursor cursor(flight.body());
  if (!flight.joinable()) {
    cursor = {};
    return start_over();
  }
  leave();
  count(Coalesced::Served);
  Delivery d;
  d.head = flight.head()->head();
  const auto declared =
      flight.body()->end() == http::Body::End::Complete ? std::optional(flight.body()->length()) : flight.length();
  d.length = http::never_has_content(d.head.status) ? std::nullopt : declared;
  d.freshness = &flight.freshness();
  d.status.result = rules::CacheResult::Coalesced;
  d.status.forward = join_.forward;
  d.status.collapsed = true;
  d.status.key = pending_->key_text();
  d.spared = true;
  const auto keep = join_.place.flight();
  deliver(*pending_, std::move(d), std::move(cursor));
}

void FollowTask::own() {
  const auto& flight = *join_.place.flight();
  if (!flight.own_by_request()) {
    count(Coalesced::NotStorable);
    return go_alone(rules::Reason::None);
  }
  if (flight.own_reason() == rules::Reason::Status && !pending_->tried_again) return try_again();
  if (rules::brings(pending_->facts(), flight.own_reason())) return go_alone(flight.own_reason());
  start_over();
}

void FollowTask::failed() {
  const auto flight = join_.place.flight();
  const auto& failure = flight->failure();
  if (pending_->gave_way && !pending_->tried_again) return await_second_try();
  const bool shared = !failure.by_leader || flight->second() || pending_->tried_again;
  if (!shared && !may_serve_stale(&failure)) return try_again();
  count(Coalesced::Failed);
  leave();
  if (serve_stale(&failure)) return;
  OwnError error;
  error.status = failure.status;
  error.reason = failure.timeout                                     ? RequestError::Timeout
                 : failure.status == 503 && !failure.origin_answered ? RequestError::Queue
                 : failure.origin_answered                           ? RequestError::Protocol
                                                                     : RequestError::Connect;
  error.title = http::reason_phrase(failure.status);
  error.detail = failure.origin_answered ? "The origin answered another request for the same resource with an error."
                                         : "Another request for the same resource got no answer from the origin.";
  error.retry_after = failure.retry_after;
  deliver_error(*pending_, error);
}

/// One follower fetches again, and the others wait for it.
void FollowTask::try_again() {
  pending_->tried_again = true;
  auto failed = std::move(join_.place);
  step_out();
  proceed(pending_, retry(*pending_, std::move(failed)));
}

void FollowTask::await_second_try() {
  if (!join_.place->has_successor()) {
    join_.place->wait(core_.worker, changed_);
    if (!join_.place->has_successor()) return;
    changed_.stop_waiting();
  }
  try_again();
}

bool FollowTask::may_serve_stale(const cache::Failure* failure) const {
  if (!may_stand_in(*pending_, join_.stored)) return false;
  const auto& errors = pending_->policy().stale.errors;
  const bool covered = !failure || failure->timeout ? errors.timeout
                       : failure->origin_answered   ? errors.covers(failure->status)
                                                    : errors.connect;
  return covered && pending_->wanted();
}

bool FollowTask::serve_stale(const cache::Failure* failure) {
  if (!may_serve_stale(failure)) return false;
  rules::CacheStatus s;
  s.result = rules::CacheResult::StaleError;
  s.key = pending_->key_text();
  deliver_entry(*pending_, join_.stored.entry, join_.stored.freshness, s);
  return true;
}

void FollowTask::start_over() {
  leave();
  if (++pending_->restarts > 8) return go_alone(rules::Reason::None);
  look_up_again(pending_);
}

/// A fetch for this request only. Its response may still be stored, except for a range, and for a HEAD, which is
/// forwarded as it is.
void FollowTask::go_alone(rules::Reason reason) {
  count(Coalesced::NotStorable);
  leave();
  if (!pending_->wanted()) return;
  if (pending_->has_left()) return pending_->exchange->cut();
  FillPlan plan;
  const bool head = pending_->request.method == http::Method::Head;
  const bool whole = !pending_->facts().range && !head;
  if (whole) plan.ticket = core_.shared.store.private_ticket(pending_->key);
  plan.shared = whole;
  plan.validate = !pending_->facts().is_signed;
  plan.status.result = rules::CacheResult::Miss;
  plan.status.forward = join_.forward;
  plan.status.reason = reason;
  if (!whole && reason == rules::Reason::None) plan.status.reason = head ? rules::Reason::Method : rules::Reason::Range;
  if (reason == rules::Reason::None) plan.stored = join_.stored;
  std::make_shared<Fill>(pending_, std::move(plan))->start();
}

void FollowTask::timed_out() {
  if (done_) return;
  if (join_.place->state() == cache::Flight::State::Failed) {  // nobody makes a second try
    pending_->tried_again = true;
    changed_.stop_waiting();
    return failed();
  }
  count(Coalesced::Timeout);
  pending_->waited_out = true;
  if (pending_->policy().coalesce.on_timeout == rules::OnTimeout::Error) {
    leave();
    if (serve_stale(nullptr)) return;
    OwnError error;
    error.status = 504;
    error.reason = RequestError::Coalesce;
    error.title = "Gateway Timeout";
    error.detail = "Another request for the same resource is still waiting for the origin.";
    deliver_error(*pending_, error);
    return;
  }
  // The first follower whose wait ends starts a superseding flight, which the others join.
  auto waited = std::move(join_.place);
  step_out();
  proceed(pending_, supersede(*pending_, std::move(waited)));
}

void FollowTask::client_gone() { leave(); }

void FollowTask::give_up() noexcept {
  leave();
  if (pending_->exchange) pending_->exchange->out_of_memory();
}

void FollowTask::end() {
  join_.place.leave();
  done_ = true;
  deadline_.disarm();
  changed_.stop_waiting();
  gone_.stop_waiting();
}

}  // namespace forebay::proxy
