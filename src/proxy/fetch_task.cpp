#include "fetch_task.hpp"

#include <algorithm>

#include "deliver.hpp"
#include "forebay/rules/invalidation.hpp"
#include "forebay/rules/validation.hpp"
#include "outgoing.hpp"

namespace forebay::proxy {
namespace {

/// What a body that is not kept may hold between an origin and a slow client.
constexpr std::size_t kWindow = 64 * 1024;
/// How long one reader may hold up the others of a shared body that outgrew its limit.
constexpr Duration kPatience = std::chrono::seconds{1};

rules::RequestFacts as_get(rules::RequestFacts facts) {
  facts.method = http::Method::Get;
  return facts;
}

/// RFC 9111 section 3.2. The stored Via ends with us, who are about to be added again; the way of this answer counts.
http::Fields freshened_fields(http::FieldsView stored, http::FieldsView update) {
  auto merged = rules::freshen(stored, update);
  merged.remove(http::FieldId::Via);
  for (const auto& f : update)
    if (f.id == http::FieldId::Via) merged.add(f.name, f.value);
  return merged;
}

}  // namespace

FetchTask::FetchTask(Core& core, StoryPtr story, FetchPlan plan)
    : core_(core),
      story_(std::move(story)),
      plan_(std::move(plan)),
      store_route_(story_->route),
      facts_(story_->facts),
      key_text_(story_->key.text()),
      patience_([this] { stalled(); }) {}

FetchTask::~FetchTask() = default;

void FetchTask::start() {
  const auto self = shared_from_this();
  core_.add(self);
  if (story_->exchange) story_->exchange->on_gone(&gone_);
  send();
}

void FetchTask::send() {
  auto fields = outgoing_fields(core_, *story_, plan_.shared);
  expect_304_ = plan_.validate && plan_.ticket && (plan_.entry || !plan_.variants.empty());
  if (expect_304_) {
    std::vector<std::string_view> etags;
    const auto add = [&](const cache::Entry& e) {
      if (const auto tag = e.etag(); tag && std::find(etags.begin(), etags.end(), *tag) == etags.end())
        etags.push_back(*tag);
    };
    if (plan_.entry) add(*plan_.entry);
    for (const auto& v : plan_.variants) add(*v);
    const auto modified = plan_.entry ? plan_.entry->last_modified() : std::nullopt;
    expect_304_ = !etags.empty() || modified;
    rules::add_validators(fields, etags, modified);
  }
  upstream::FetchRequest request;
  const auto view = story_->view();
  request.method = view.method;
  request.method_text = view.method_text;
  request.target = story_->target;
  request.fields = fields;
  if (story_->exchange && story_->exchange->has_body()) request.body = &story_->exchange->body();
  fetch_ = story_->route->origin->fetch(request, *this, story_->runtime->config().server.response_header);
}

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
  notes.origin_status = status;
  notes.origin_attempts = t.attempts;
  notes.origin_queue = t.queued;
  notes.origin_connect = t.connect;
  notes.origin_ttfb = core_.now().mono - t.requested.mono;
  notes.origin_address = t.address;
}

void FetchTask::on_interim(const http::ResponseView& head) {
  if (!story_->wanted()) return;
  std::string lines;
  for (const auto& f : head.fields)
    if (!http::is_hop_by_hop(f.id) && f.id != http::FieldId::ContentLength) http::append_line(lines, f.name, f.value);
  story_->exchange->interim(head.status, lines);
}

void FetchTask::on_head(const http::ResponseView& head, const HeadFacts& facts) {
  const auto self = shared_from_this();
  status_ = head.status;
  requested_ = times().requested;
  note_origin(head.status);
  if (head.status == 304 && expect_304_ && not_modified(head, facts)) return;
  if (expect_304_) count_revalidation(Revalidated::Modified);
  invalidate_after(core_, *story_, head);
  if (story_->route->route && story_->view().method == http::Method::Head) apply_head_answer(head, facts);
  if (story_->route->route && story_->view().method == http::Method::Post && !plan_.ticket) adopt_get_key(head);
  judge(head, facts);
}

Ref<const cache::Entry> FetchTask::selected_by(const http::ResponseView& head) const {
  const bool only = plan_.variants.empty();
  if (plan_.entry && rules::selects(head, plan_.entry->head().fields, only)) return plan_.entry;
  for (const auto& v : plan_.variants)
    if (rules::selects(head, v->head().fields, false)) return v;
  return nullptr;
}

bool FetchTask::not_modified(const http::ResponseView& head, const HeadFacts&) {
  if (const auto entry = selected_by(head)) {
    count_revalidation(Revalidated::NotModified);
    use_freshened(entry, head);
    return true;
  }
  // It speaks of a response that is not kept here: ask once more, for the whole.
  plan_.validate = false;
  fetch_->cancel();
  status_ = 0;
  if (repeated_) {
    on_failure(upstream::FetchError::Protocol, "304 Not Modified to an unconditional request");
    return true;
  }
  repeated_ = true;
  send();
  return true;
}

void FetchTask::use_freshened(const Ref<const cache::Entry>& entry, const http::ResponseView& head) {
  auto merged = freshened_fields(entry->head().fields, head.fields);
  const auto when = times();
  if (!head.fields.has(http::FieldId::Date)) merged.remove(http::FieldId::Date);  // dated at receipt, below
  const http::ResponseView whole{entry->head().status, head.version, merged.view()};
  const auto verdict = rules::judge(as_get(facts_), whole, store_policy(), when, true, core_.random());
  const auto fields = end_to_end(*story_, whole, verdict.drop, when.received.wall, false);
  head_ = cache::PublishedHead::make(whole.status, fields);
  freshness_ = verdict.freshness;
  if (store_policy().vary) vary_ = rules::read_vary(fields);
  secondary_.clear();
  rules::append_secondary_key(vary_.names, story_->view().fields, secondary_);

  body_ = Ref<http::Body>(new http::Body);
  for (const auto& piece : entry->body()) body_->append({Owner(entry), piece});
  body_->finish();

  const auto length = std::optional(entry->body_length());
  bool stored = false;
  if (verdict.storable()) {
    Ref<const cache::Entry> freshened;
    const auto cost = cache::Entry::cost_with_head(*entry, head_->head());
    if (auto charge = core_.shared.store.reserve(cost); charge.bytes() != 0)
      freshened = cache::Entry::with_head(entry, head_->head(), std::move(charge));
    if (!verdict.serves_followers)
      plan_.ticket.own(rules::Reason::None, false, no_queue_until());
    else
      plan_.ticket.land({head_, body_, freshness_, vary_, secondary_, length});
    if (freshened) stored = plan_.ticket.freshen(entry, freshened, freshness_, store_policy(), when.received.mono);
  } else {
    plan_.ticket.own(verdict.reason, verdict.by_request, verdict.by_request ? Timestamp{} : no_queue_until());
    count_not_stored(verdict.reason);
  }
  plan_.ticket.drop();

  if (story_->wanted()) {
    Delivery d;
    d.head = head_->head();
    d.length = entry->body_length();
    d.freshness = verdict.storable() ? &freshness_ : nullptr;
    d.status = plan_.status;
    d.status.result = rules::CacheResult::Revalidated;
    if (d.status.forward == rules::Forward::None) d.status.forward = rules::Forward::Stale;
    d.status.forward_status = 304;
    d.status.sent_status = d.head.status;
    d.status.stored = stored;
    d.status.reason = verdict.reason;
    d.source = Source::Cache;
    d.pieces = entry->body();
    d.owner = Owner(entry);
    if (http::never_has_content(d.head.status)) d.length.reset();
    deliver(core_, *story_->exchange, story_->view(), std::move(d), http::BodyCursor(Owner(entry), entry->body()));
  }
  finish();
}

bool FetchTask::try_stale(int status) {
  if (!plan_.entry || !story_->route->route) return false;
  if (!rules::may_serve_on_error(plan_.freshness, story_->policy(), core_.now().mono)) return false;
  if (!story_->wanted()) return true;  // a refresh that failed: what is stored stays
  rules::CacheStatus s;
  s.result = rules::CacheResult::StaleError;
  s.forward = rules::Forward::Stale;
  s.forward_status = status;
  s.key = key_text_;
  deliver_entry(core_, *story_->exchange, story_->view(), plan_.entry, plan_.freshness, s);
  return true;
}

void FetchTask::judge(const http::ResponseView& head, const HeadFacts& facts) {
  const bool error = store_route_->route && store_policy().stale.errors.covers(head.status);
  rules::Storability verdict;
  if (plan_.ticket) {
    verdict = rules::judge(facts_, head, store_policy(), times(), facts.proven || !facts.has_content, core_.random());
    if (verdict.storable() && facts.content_length.value_or(0) > store_policy().max_object)
      verdict.reason = rules::Reason::TooLarge;
  }
  if (error && (!plan_.ticket || !verdict.storable() || plan_.entry)) {
    if (try_stale(head.status)) {
      if (plan_.ticket) {
        count_not_stored(rules::Reason::OriginError);
        plan_.ticket.fail({head.status, false, true,
                           std::string(head.fields.value(http::FieldId::RetryAfter).value_or("")),
                           "the origin answered with an error"});
      }
      fetch_->cancel();
      return finish();
    }
    if (plan_.ticket && !verdict.storable() && !verdict.by_request) {
      plan_.ticket.fail({head.status, false, true,
                         std::string(head.fields.value(http::FieldId::RetryAfter).value_or("")),
                         "the origin answered with an error"});
      return keep_going_as_pass(head, facts, rules::Reason::OriginError, false);
    }
  }
  if (!plan_.ticket) return keep_going_as_pass(head, facts, plan_.status.reason, false);
  if (!verdict.storable()) return keep_going_as_pass(head, facts, verdict.reason, verdict.by_request);

  const auto fields = end_to_end(*story_, head, verdict.drop, core_.now().wall, false);
  head_ = cache::PublishedHead::make(head.status, fields);
  freshness_ = verdict.freshness;
  if (store_policy().vary) vary_ = rules::read_vary(head.fields);
  rules::append_secondary_key(vary_.names, story_->view().fields, secondary_);
  body_ = Ref<http::Body>(new http::Body);
  storing_ = true;
  const auto length = facts.has_content ? facts.content_length : std::optional<std::uint64_t>(0);
  if (!verdict.serves_followers)
    plan_.ticket.own(freshness_.no_cache ? rules::Reason::None : rules::Reason::ZeroTtl, false, no_queue_until());
  else
    plan_.ticket.land({head_, body_, freshness_, vary_, secondary_, length});
  // Fields that may not be stored are still for the client whose request brought them (RFC 9111 section 5.2.2.7).
  std::vector<std::string> hidden;
  if (store_policy().set_cookie == rules::SetCookieRule::Strip) hidden.emplace_back("Set-Cookie");
  answer_client(end_to_end(*story_, head, hidden, core_.now().wall, false), head.status, facts, true);
}

void FetchTask::keep_going_as_pass(const http::ResponseView& head, const HeadFacts& facts, rules::Reason reason,
                                   bool by_request) {
  if (plan_.ticket) {
    if (plan_.ticket.flight()->state() == cache::Flight::State::Waiting)
      plan_.ticket.own(reason, by_request, by_request ? Timestamp{} : no_queue_until());
    plan_.ticket.drop();
    count_not_stored(reason);
    if (reason == rules::Reason::TooLarge && repeat_with_range(facts)) return;
  }
  if (!story_->wanted()) {
    fetch_->cancel();
    return finish();
  }
  if (plan_.status.reason == rules::Reason::None) plan_.status.reason = reason;
  body_ = Ref<http::Body>(new http::Body(kWindow));
  windowed_ = true;
  answer_client(end_to_end(*story_, head, {}, core_.now().wall, true), head.status, facts, false);
}

/// A range of something too large to keep: the origin is asked for the range alone.
bool FetchTask::repeat_with_range(const HeadFacts&) {
  if (!facts_.range || !plan_.shared || repeated_ || !story_->wanted()) return false;
  repeated_ = true;
  fetch_->cancel();
  plan_.shared = false;
  plan_.validate = false;
  plan_.status.reason = rules::Reason::TooLarge;
  status_ = 0;
  send();
  return true;
}

void FetchTask::answer_client(const http::Fields& fields, int status, const HeadFacts& facts, bool stored) {
  if (!story_->wanted()) return;
  const auto own_head = cache::PublishedHead::make(status, fields);
  Delivery d;
  d.head = own_head->head();
  if (facts.has_content || story_->view().method == http::Method::Head)
    d.length = facts.content_length;
  else if (!http::never_has_content(status))
    d.length = 0;
  if (stored) d.freshness = &freshness_;
  d.status = plan_.status;
  d.status.stored = stored;
  d.status.key = key_text_;
  d.source = Source::Origin;
  d.conditional = plan_.shared;
  deliver(core_, *story_->exchange, story_->view(), std::move(d), http::BodyCursor(body_));
}

/// RFC 9111 section 4.3.5: a 200 to HEAD freshens the stored GET response, or makes it stale.
void FetchTask::apply_head_answer(const http::ResponseView& head, const HeadFacts& facts) {
  if (!plan_.entry || head.status != 200) return;
  auto& store = core_.shared.store;
  (void)facts;
  if (rules::compare_head(head, plan_.entry->head().fields, plan_.entry->body_length()) == rules::HeadUpdate::Stale) {
    store.make_stale(story_->key, plan_.entry);
    return;
  }
  const auto merged = freshened_fields(plan_.entry->head().fields, head.fields);
  const auto when = times();
  const http::ResponseView whole{plan_.entry->head().status, head.version, merged.view()};
  const auto verdict = rules::judge(as_get(facts_), whole, story_->policy(), when, true, core_.random());
  if (!verdict.storable()) return store.make_stale(story_->key, plan_.entry);
  const auto published =
      cache::PublishedHead::make(whole.status, end_to_end(*story_, whole, verdict.drop, when.received.wall, false));
  auto charge = store.reserve(cache::Entry::cost_with_head(*plan_.entry, published->head()));
  if (charge.bytes() == 0) return;
  store.apply_head(story_->key, plan_.entry, cache::Entry::with_head(plan_.entry, published->head(), std::move(charge)),
                   verdict.freshness);
}

/// RFC 9110 section 9.3.3: the answer to a POST that says it is what a GET would give, is stored as that.
void FetchTask::adopt_get_key(const http::ResponseView& head) {
  if (!rules::post_answers_get(head, story_->policy(), story_->scheme, story_->host, story_->target)) return;
  const RouteState* route = nullptr;
  cache::Key key;
  if (!key_of_get(core_, *story_, story_->target, route, key)) return;
  store_route_ = route;
  facts_ = as_get(facts_);
  key_text_ = key.text();
  plan_.ticket = core_.shared.store.private_ticket(key);
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
                      charged_ <= 4 * store_policy().max_object + kWindow;
    if (fits) charge = core_.shared.store.reserve(cost);
    if (charge.bytes() == 0) {
      outgrow();
      if (done_) return false;
    }
  }
  body_->append(Chunk::copy_of(bytes, std::move(charge))->slice());
  if (!windowed_) return true;
  if (body_->readers() == 0) {
    fetch_->cancel();
    body_->break_off();
    finish();
    return false;
  }
  return !body_->full() || wait_for_space();
}

void FetchTask::outgrow() {
  storing_ = false;
  count_not_stored(rules::Reason::TooLarge);
  plan_.ticket.outgrow(no_queue_until());
  plan_.ticket.drop();
  body_->set_window(kWindow);
  windowed_ = true;
  if (body_->readers() == 0) {
    fetch_->cancel();
    body_->break_off();
    finish();
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
  const auto self = shared_from_this();
  if (done_) return;
  if (body_->readers() == 0) {
    fetch_->cancel();
    body_->break_off();
    return finish();
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
  const auto self = shared_from_this();
  if (storing_) commit();
  if (body_) body_->finish(trailers);
  finish();
}

void FetchTask::commit() {
  cache::EntryParts parts;
  parts.head = head_->head();
  parts.body = body_->slices();
  parts.key_text = key_text_;
  parts.fetch_time = core_.now().mono - requested_.mono;
  parts.stored_at = core_.now().wall;
  const auto& route = *store_route_->route;
  const auto done =
      plan_.ticket.commit(parts, freshness_, vary_, secondary_, route.policy, route.key.fingerprint, core_.now().mono);
  if (done.stored) store_route_->counters->count_stored(body_->length());
  store_route_->counters->variants_evicted.add(done.variants_evicted);
}

void FetchTask::count_not_stored(rules::Reason reason) {
  if (reason != rules::Reason::None) store_route_->counters->not_stored[static_cast<std::size_t>(reason)].add();
}

void FetchTask::count_revalidation(Revalidated outcome) {
  story_->route->counters->revalidations[plan_.background ? 1 : 0][static_cast<std::size_t>(outcome)].add();
}

void FetchTask::on_failure(upstream::FetchError error, std::string_view detail) {
  const auto self = shared_from_this();
  note_origin(status_);
  if (story_->exchange) notes_of(*story_->exchange).origin_error = upstream::to_string(error);
  if (status_ != 0) {
    if (storing_) count_not_stored(rules::Reason::Truncated);
    plan_.ticket.drop();
    if (body_) body_->break_off();
    return finish();
  }
  if (expect_304_) count_revalidation(Revalidated::Error);
  cache::Failure failure;
  failure.timeout = upstream::is_timeout(error);
  failure.status = error == upstream::FetchError::Queue ? 503 : failure.timeout ? 504 : 502;
  failure.detail = detail;
  if (error == upstream::FetchError::Queue) failure.retry_after = "1";
  if (error == upstream::FetchError::ClientBody) {
    fail_client(failure, error);
    return finish();
  }
  const bool covered = story_->route->route && (failure.timeout ? story_->policy().stale.errors.timeout
                                                                : story_->policy().stale.errors.connect);
  if (!covered || !try_stale(0)) fail_client(failure, error);
  if (plan_.ticket) plan_.ticket.fail(std::move(failure));
  finish();
}

void FetchTask::fail_client(const cache::Failure& failure, upstream::FetchError error) {
  if (!story_->wanted()) return;
  using upstream::FetchError;
  OwnError own;
  own.status = failure.status;
  own.retry_after = failure.retry_after;
  switch (error) {
    case FetchError::ClientBody: {
      std::string_view rest;
      const bool too_large = story_->exchange->body().pull(rest) == net::BodySource::State::TooLarge;
      own.status = too_large ? 413 : 400;
      own.reason = too_large ? RequestError::BodyTooLarge : RequestError::BadRequest;
      own.title = too_large ? "Content Too Large" : "Bad Request";
      own.detail = too_large ? "The request content is larger than this server accepts."
                             : "The request content could not be read to its end.";
      own.close = true;
      break;
    }
    case FetchError::Queue:
      own.reason = RequestError::Queue;
      own.title = "Service Unavailable";
      own.detail = "The origin has as many connections as it may; the request waited too long for one.";
      break;
    case FetchError::FirstByteTimeout:
    case FetchError::ConnectTimeout:
    case FetchError::BetweenBytesTimeout:
      own.reason = RequestError::Timeout;
      own.title = "Gateway Timeout";
      own.detail = error == FetchError::ConnectTimeout ? "The origin could not be connected to in time."
                                                       : "The origin did not answer in time.";
      break;
    case FetchError::Protocol:
    case FetchError::TooLarge:
      own.reason = RequestError::Protocol;
      own.title = "Bad Gateway";
      own.detail = "The origin's answer could not be understood.";
      break;
    default:
      own.reason = RequestError::Connect;
      own.title = "Bad Gateway";
      own.detail = "The origin could not be reached, or broke off before it answered.";
  }
  deliver_error(core_, *story_->exchange, story_->accept, story_->request_id, own);
}

void FetchTask::client_gone() {
  const auto self = shared_from_this();
  if (done_) return;
  if (status_ == 0) {
    if (plan_.ticket && !story_->exchange->has_body()) return;  // the fill goes on
    if (!http::is_safe(story_->view().method)) return;          // it may have taken effect: its answer still counts
  } else if (!windowed_ || (body_ && body_->readers() > 1)) {
    return;
  }
  fetch_->cancel();
  if (body_) body_->break_off();
  finish();
}

void FetchTask::finish() {
  if (done_) return;
  done_ = true;
  const auto self = shared_from_this();
  patience_.disarm();
  space_.stop_waiting();
  if (story_->exchange) story_->exchange->on_gone(nullptr);
  plan_.ticket.drop();
  fetch_.reset();
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
