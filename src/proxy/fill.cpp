#include "fill.hpp"

#include "deliver.hpp"
#include "early_hints.hpp"
#include "fill_client.hpp"
#include "follow_task.hpp"
#include "forebay/base/terminate.hpp"
#include "forebay/rules/validation.hpp"
#include "lookup.hpp"
#include "plan.hpp"
#include "tracing.hpp"

namespace forebay::proxy {

using Kept = FillBody::Kept;
using What = OriginAsk::What;

Fill::Fill(PendingRequestPtr pending, FillPlan plan)
    : core_(pending->core),
      pending_(std::move(pending)),
      plan_(std::move(plan)),
      ask_(*pending_, plan_),
      storing_(*pending_, plan_),
      effects_(*pending_, plan_),
      body_(core_, *this, [this] { room(); }) {}

bool Fill::may_enter(Phase next) const noexcept {
  switch (phase_) {
    case Phase::Asking: return next == Phase::Judging || next == Phase::Over;
    case Phase::Judging:  // it may have to ask once more
      return next == Phase::Asking || next == Phase::Storing || next == Phase::Passing || next == Phase::Over;
    case Phase::Storing:  // it may outgrow what is stored
    case Phase::Paused: return next == Phase::Passing || next == Phase::Over;
    case Phase::Passing: return next == Phase::Paused || next == Phase::Over;
    case Phase::Over: break;
  }
  return false;
}

void Fill::enter(Phase next) {
  ensure(may_enter(next), "a fill has no such transition");
  phase_ = next;
}

void Fill::start() {
  guarded([this] {
    core_.add(shared_from_this());
    if (pending_->exchange) pending_->exchange->on_gone(&gone_);
    replay_hints(*pending_, plan_.stored);
    ask(What::Planned);
  });
}

void Fill::ask(What what) {
  begin_span(*pending_, plan_.ticket.flight().get());
  source_ = effects_.hold(ask_.ask(what), [this](const http::ResponseView& head) { storing_.before_effects(head); });
  source_->start(*this);
}

void Fill::ask_again(What what) {
  source_->cancel();
  status_ = 0;
  enter(Phase::Asking);
  ask(what);
}

rules::ExchangeTimes Fill::times() const {
  const Now received = core_.now();
  Now requested = source_->times().requested;
  if (requested.mono == Timestamp{} || requested.mono > received.mono) requested = received;
  return {requested, received};
}

// --- the head ---

void Fill::on_interim(const http::ResponseView& head) { pass_on_interim(*pending_, head); }

void Fill::on_head(const http::ResponseView& head, const HeadFacts& facts) {
  // Not left to the source: it may be cancelled when memory runs out, and then reports nothing.
  guarded([&] { take_head(head, facts); });
}

void Fill::take_head(const http::ResponseView& head, const HeadFacts& facts) {
  enter(Phase::Judging);
  status_ = head.status;
  stated_ = facts.has_content ? facts.content_length : std::nullopt;
  requested_ = times().requested;
  note_source(*pending_, plan_, source_->times(), status_);
  storing_.begin(source_->times().origin, head, times());
  if (head.status == 304 && ask_.validated()) return not_modified(head);
  if (head.status == 304 && ask_.shared() && !pending_->facts().is_signed) {
    source_->cancel();
    status_ = 0;
    return fail(net::FetchError::Protocol, "304 Not Modified to an unconditional request");
  }
  if (plan_.refreshing()) {
    const bool error = pending_->policy().stale.errors.covers(head.status);
    storing_.count_refresh(error ? Revalidated::Error : Revalidated::Modified);
  }
  storing_.read_head(head, ask_.method(), times(), effects_.orders());
  if (rules::is_endless(head)) {
    source_->allow_quiet(pending_->config().server.timeouts.tunnel);
    // A client of a finite answer may end its side and read on.
    if (facts.has_content && !stated_ && pending_->wanted()) pending_->exchange->end_is_leaving();
  }
  judge(head, facts);
}

void Fill::not_modified(const http::ResponseView& head) {
  const auto entry = plan_.stored.entry;
  const bool other = !rules::selects(head, entry->head().fields);
  if (other || !storing_.knows_names_of(head)) return ask_again(other ? What::OtherAgain : What::WholeAgain);
  storing_.count_refresh(Revalidated::NotModified);
  body_.begin(entry);
  const auto done = storing_.freshen(head, times(), body_.get());
  if (pending_->wanted()) {
    Delivery d;
    d.head = storing_.head()->head();
    if (!http::never_has_content(d.head.status)) d.length = entry->body_length();
    d.freshness = done.verdict.storable() ? &storing_.freshness() : nullptr;
    d.status = plan_.status;
    d.status.result = rules::CacheResult::Revalidated;
    if (d.status.forward == rules::Forward::None) d.status.forward = rules::Forward::Stale;
    d.status.forward_status = 304;
    d.status.sent_status = d.head.status;
    d.status.stored = done.stored;
    d.status.reason = done.verdict.reason;
    d.source = Source::Cache;
    d.entry = done.entry.get();
    d.pieces = entry->body();
    d.owner = Owner(entry);
    deliver(*pending_, std::move(d), http::BodyCursor(Owner(entry), entry->body()));
  }
  finish();
}

void Fill::judge(const http::ResponseView& head, const HeadFacts& facts) {
  const bool error = storing_.is_error(head.status);
  const auto verdict = storing_.judge(head, facts, times());
  const bool has_entry = plan_.stored.entry != nullptr;
  const bool stale = may_stand_in(*pending_, plan_.stored);
  switch (fate_of(head.status, error, static_cast<bool>(plan_.ticket), verdict, has_entry, stale)) {
    case Fate::ServeStale:
      serve_stale(*pending_, plan_, storing_.key_text(), head.status);
      if (plan_.ticket) {
        storing_.count_not_stored(rules::Reason::OriginError);
        storing_.fail(head);
      }
      return stop();
    case Fate::Fail:
      storing_.fail(head);
      return pass_on(head, facts, error ? rules::Reason::OriginError : verdict.reason, false);
    case Fate::PassOn:
      if (!plan_.ticket) return pass_on(head, facts, plan_.status.reason, false);
      return pass_on(head, facts, verdict.reason, verdict.by_request);
    case Fate::Store: return store(head, facts, verdict);
  }
}

void Fill::store(const http::ResponseView& head, const HeadFacts& facts, const rules::Storability& verdict) {
  enter(Phase::Storing);
  body_.begin(Kept::Whole);
  storing_.land(head, verdict, ask_.what() == What::OtherAgain, body_.get(),
                facts.has_content ? facts.content_length : 0);
  if (!pending_->wanted()) return;
  const auto hidden = storing_.hidden_fields();
  answer_client(hidden == verdict.drop ? storing_.head() : to_send(head, hidden), facts);
}

void Fill::pass_on(const http::ResponseView& head, const HeadFacts& facts, rules::Reason reason, bool by_request) {
  const auto what = ask_.what();
  if (what != What::ClientsRange) storing_.count_not_stored(reason);
  const bool had_ticket = static_cast<bool>(plan_.ticket);
  storing_.refuse(head, reason, by_request);
  if (!pending_->wanted()) return stop();
  if (plan_.status.reason == rules::Reason::None) plan_.status.reason = reason;
  // A range of a response that is not stored: the origin is asked only for the range, with the client's conditions.
  if (had_ticket && head.status == 200 && pending_->facts().range && ask_.shared() && what == What::Planned)
    return ask_again(What::ClientsRange);
  if (plan_.by_get) {  // the content is for nobody
    answer_client(to_send(head, {}), facts);
    return stop();
  }
  enter(Phase::Passing);
  // A client of HTTP/1 holds one window for each of its connections; one of HTTP/2 could hold any number.
  body_.begin(pending_->request.version == http::Version::Http2 ? Kept::ChargedWindow : Kept::Window);
  follow_events(head, facts);
  answer_client(to_send(head, {}), facts);
}

Ref<const cache::PublishedHead> Fill::to_send(const http::ResponseView& head,
                                              const std::vector<std::string>& drop) const {
  const bool keeps_age = phase_ != Phase::Storing;
  return cache::PublishedHead::make(head.status, end_to_end(*pending_, head, drop, core_.now().wall, keeps_age));
}

void Fill::answer_client(const Ref<const cache::PublishedHead>& head, const HeadFacts& facts) {
  const bool stores = phase_ == Phase::Storing;
  Delivery d;
  d.head = head->head();
  if (facts.has_content || ask_.method() == http::Method::Head)
    d.length = facts.content_length;
  else if (!http::never_has_content(d.head.status))
    d.length = 0;
  if (stores) d.freshness = &storing_.freshness();
  d.status = plan_.status;
  // Whether a GraphQL response may be stored is known only at its end, so the head does not say it.
  d.status.stored = stores && storing_.may_commit();
  d.status.key = storing_.key_text();
  d.source = Source::Origin;
  d.conditional = ask_.shared();
  const bool has_body = pending_->request.method != http::Method::Head;
  deliver(*pending_, std::move(d), has_body ? http::BodyCursor(body_.get()) : http::BodyCursor());
}

// --- the content ---

bool Fill::on_data(std::string_view bytes) {
  const auto self = shared_from_this();
  if (events_) return pass_events(bytes);
  Charge charge;
  if (phase_ == Phase::Storing && !keep(bytes, charge)) return false;
  body_.append(bytes, std::move(charge));
  return phase_ == Phase::Storing || go_on();
}

/// Takes memory for content that will be stored. From what outgrows that on, the body goes through a window. False:
/// nobody wants it.
bool Fill::keep(std::string_view bytes, Charge& charge) {
  charge = storing_.take(bytes, body_.get()->length());
  if (charge.bytes() != 0) return true;
  storing_.outgrow();
  body_.outgrow();
  enter(Phase::Passing);
  if (body_.readers() == 0) stop();
  return !over();
}

/// Whether the source goes on: not while the window is full, nor for nobody.
bool Fill::go_on() {
  if (body_.readers() == 0) {
    stop();
    return false;
  }
  if (body_.has_room()) return true;
  enter(Phase::Paused);
  return false;
}

void Fill::room() {
  if (body_.readers() == 0) return stop();
  enter(Phase::Passing);
  source_->resume();
}

bool Fill::drop_slowest() {
  if (phase_ != Phase::Paused || !body_.drop_slowest()) return false;
  enter(Phase::Passing);
  return true;
}

bool Fill::take_more(std::size_t bytes) {
  if (phase_ != Phase::Paused || !body_.take_more(bytes)) return false;
  enter(Phase::Passing);
  return true;
}

// --- the end ---

void Fill::on_end(const http::Fields& trailers) {
  guarded([&] {
    if (stated_ && body_ && body_.get()->length() != *stated_)
      return fail(net::FetchError::Protocol, "the content is not as long as stated");
    if (phase_ == Phase::Storing) {
      const auto entry = storing_.commit(*body_.get(), core_.now().mono - requested_.mono);
      if (!entry || !entry->keeps_chunks()) body_.get()->leave_to_readers();
    }
    body_.finish(trailers);
    finish();
  });
}

/// If others wait, one of them makes the second try, with its own fields; a second try is the last one. Before that
/// another url is asked, which says whether the request or the url is at fault.
bool Fill::wants_retry(bool elsewhere) {
  const auto& flight = plan_.ticket.flight();
  if (!flight) return true;
  if (flight->second()) return false;
  gives_way_ = flight->waiters() != 0 && !elsewhere;
  return !gives_way_;
}

/// An answer that can be stored is wanted although its client has left.
bool Fill::is_wanted() const { return plan_.ticket || pending_->wanted(); }

/// The client waits for that second try like the others.
void Fill::give_way(cache::Failure failure) {
  cache::Join wait{cache::FollowerPlace(plan_.ticket.flight()), {}, plan_.status.forward};
  storing_.fail(std::move(failure));
  const auto pending = pending_;
  finish();
  pending->gave_way = true;
  std::make_shared<FollowTask>(pending, std::move(wait))->start();
}

unsigned Fill::waiters() const {
  const auto& flight = plan_.ticket.flight();
  return (pending_->wanted() ? 1U : 0U) + (flight ? flight->waiters() : 0U);
}

void Fill::on_failure(net::FetchError error, std::string_view detail) {
  guarded([&] { fail(error, detail); });
}

void Fill::fail(net::FetchError error, std::string_view detail) {
  note_source(*pending_, plan_, source_->times(), status_);
  note_failure(*pending_, error, detail);
  effects_.on_failure(error, source_->asked());
  if (status_ != 0) {
    if (phase_ == Phase::Storing) storing_.note_not_stored(rules::Reason::Truncated);
    storing_.drop();
    if (error == net::FetchError::Memory && pending_->exchange) pending_->exchange->out_of_memory();
    return stop();
  }
  if (plan_.refreshing()) storing_.count_refresh(Revalidated::Error);
  if (!net::is_the_origins(error)) {
    deliver_failure(*pending_, error, source_->times().retry_after);
    return finish();
  }
  auto failure = failure_of(error, detail, source_->times().retry_after);
  const bool covered = pending_->route->route && (failure.timeout ? pending_->policy().stale.errors.timeout
                                                                  : pending_->policy().stale.errors.connect);
  if (covered && may_stand_in(*pending_, plan_.stored)) {
    serve_stale(*pending_, plan_, storing_.key_text(), 0);
  } else {
    if (gives_way_ && error == net::FetchError::Reset && pending_->wanted()) return give_way(std::move(failure));
    deliver_failure(*pending_, error, source_->times().retry_after);
  }
  storing_.fail(std::move(failure));
  finish();
}

void Fill::client_gone() {
  switch (phase_) {
    case Phase::Asking: {
      // An unused place in the queue goes to the next request.
      const bool needed = plan_.ticket && plan_.ticket.flight()->waiters() != 0;
      if (needed || source_->asked()) {
        if (plan_.ticket && (!pending_->has_content || pending_->content_whole)) return;  // the fill continues
        if (!http::is_safe(pending_->request.method)) return;  // it may have taken effect: its answer still counts
        // Most applications work on for a client that has left: the request counts until they answer.
        if (source_->asked() && ask_.asked().state().level()) return;
      }
      return stop();
    }
    case Phase::Passing:
    case Phase::Paused:
      if (body_.readers() <= 1) stop();
      return;
    case Phase::Judging:
    case Phase::Storing:
    case Phase::Over: return;
  }
}

/// Nobody wants the rest.
void Fill::stop() {
  if (over()) return;
  if (source_) source_->cancel();
  body_.break_off();
  finish();
}

void Fill::give_up() noexcept {
  if (source_) forebay::guarded([&] { effects_.on_failure(net::FetchError::Memory, source_->asked()); }, [] {});
  stop();
  if (pending_->exchange) pending_->exchange->out_of_memory();
}

void Fill::finish() {
  if (over()) return;
  const auto self = shared_from_this();
  enter(Phase::Over);
  body_.stop_waiting();
  if (pending_->exchange) pending_->exchange->on_gone(nullptr);
  storing_.drop();
  source_.reset();
  core_.remove(self);
}

void Fill::end() {
  if (!over()) enter(Phase::Over);
  body_.stop_waiting();
  events_.reset();
  gone_.stop_waiting();
  source_.reset();
  body_.break_off();
  storing_.drop();
}

}  // namespace forebay::proxy
