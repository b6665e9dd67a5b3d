#include <algorithm>

#include "deliver.hpp"
#include "fetch_task.hpp"
#include "forebay/http/accept_encoding.hpp"
#include "forebay/http/forwarding.hpp"
#include "forebay/rules/invalidation.hpp"
#include "forebay/rules/validation.hpp"
#include "lookup.hpp"
#include "outgoing.hpp"
#include "plan.hpp"

// What a fetch makes of the head of its answer: a 304, a failure, something to store, or something for one client.

namespace forebay::proxy {
namespace {

/// RFC 9111 section 3.2. The stored Via ends with us, who are about to be added again; the way of this answer counts.
http::Fields freshened_fields(http::FieldsView stored, http::FieldsView update) {
  auto merged = rules::freshen(stored, update);
  merged.remove(http::FieldId::Via);
  for (const auto& f : update)
    if (f.id == http::FieldId::Via) merged.add(f.name, f.value);
  return merged;
}

}  // namespace

void FetchTask::on_head(const http::ResponseView& head, const HeadFacts& facts) {
  const auto self = shared_from_this();
  status_ = head.status;
  requested_ = times().requested;
  note_origin(head.status);
  if (head.status == 304 && expect_304_) return not_modified(head);
  if (head.status == 304 && plan_.shared && !story_->facts.is_signed) {
    fetch_->cancel();
    status_ = 0;
    return on_failure(upstream::FetchError::Protocol, "304 Not Modified to an unconditional request");
  }
  if (refreshing()) {
    const bool error = story_->policy().stale.errors.covers(head.status);
    count_revalidation(error ? Revalidated::Error : Revalidated::Modified);
  }
  invalidate_after(core_, *story_, story_->looked_up() ? rules::Reason::None : plan_.status.reason, head);
  if (story_->route->route && method() == http::Method::Head) apply_head_answer(head);
  if (story_->route->route && story_->view().method == http::Method::Post && !plan_.ticket) adopt_get_key(head);
  if (plan_.ticket && store_policy().no_vary_search && !facts_.secret_in_query) adopt_search_key(head);
  judge(head, facts);
}

void FetchTask::not_modified(const http::ResponseView& head) {
  unselected_ = !rules::selects(head, plan_.stored.entry->head().fields);
  if (!unselected_ && knows_names_of(head)) {
    count_revalidation(Revalidated::NotModified);
    return use_freshened(head);
  }
  // It speaks of a response that is not kept here: ask once more, for the whole.
  plan_.validate = false;
  fetch_->cancel();
  status_ = 0;
  repeated_ = true;
  send();
}

/// Whether the stored response was selected by all that this Vary names, and all that others of its key have named
/// since it was found. If not, nobody has compared the request that it was stored for with this one by the new names,
/// and a 304 under a tag that all variants share proves nothing.
bool FetchTask::knows_names_of(const http::ResponseView& head) const {
  if (!store_policy().vary) return true;
  const auto stated = rules::read_vary(head.fields);
  if (!stated.names.empty() && !cache::includes(plan_.stored.names, stated.names)) return false;
  return still_selected(core_, *story_, plan_.stored.names);
}

/// Whether what has come would be asked about in vain: as what is stored was, and by the same validators.
bool FetchTask::validators_fail(http::FieldsView fields) const {
  if (!plan_.stored.entry || !(unselected_ || plan_.stored.freshness.validators_fail)) return false;
  return fields.value(http::FieldId::ETag) == plan_.stored.entry->etag() &&
         fields.value(http::FieldId::LastModified) == plan_.stored.entry->last_modified();
}

Ref<const cache::PublishedHead> FetchTask::to_keep(const http::ResponseView& head, const std::vector<std::string>& drop,
                                                   WallTime received) const {
  return cache::PublishedHead::make(head.status, end_to_end(*story_, head, drop, received, false),
                                    kept_back(*story_, head, drop));
}

void FetchTask::use_freshened(const http::ResponseView& head) {
  const auto entry = plan_.stored.entry;
  auto merged = freshened_fields(entry->head().all(), head.fields);
  const auto when = times();
  if (!head.fields.has(http::FieldId::Date)) merged.remove(http::FieldId::Date);  // dated at receipt, below
  const http::ResponseView whole{entry->head().status, head.version, merged.view()};
  const auto verdict = rules::judge(facts_, whole, store_policy(), when, true, core_.random(), story_->target);
  head_ = to_keep(whole, verdict.drop, when.received.wall);
  freshness_ = verdict.freshness;
  vary_ = rules::read_vary(whole.fields);

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
    // First, since landing drops variants that were selected without a name that this Vary adds.
    if (freshened)
      stored =
          plan_.ticket.freshen(entry, freshened, freshness_, vary_, selecting(), store_policy(), when.received.mono);
    if (!verdict.serves_followers)
      plan_.ticket.own(cause_of_own(freshness_), false, no_queue_until());
    else
      plan_.ticket.land({head_, body_, freshness_, vary_, length}, selecting(), store_policy());
  } else {
    if (!verdict.by_request) core_.shared.store.discard(story_->key, entry);
    plan_.ticket.own(verdict.reason, verdict.by_request, verdict.by_request ? Timestamp{} : no_queue_until());
    count_not_stored(verdict.reason);
  }
  plan_.ticket.drop(no_refresh_until());

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
  if (!plan_.stored.entry || !story_->route->route) return false;
  if (!may_stand_in(core_, *story_, plan_.stored.freshness, plan_.stored.names)) return false;
  serve_stale(status);
  return true;
}

void FetchTask::serve_stale(int status) {
  if (!story_->wanted()) return;  // a refresh that failed: what is stored stays
  rules::CacheStatus s;
  s.result = rules::CacheResult::StaleError;
  s.forward = rules::Forward::Stale;
  s.forward_status = status;
  s.key = key_text_;
  deliver_entry(core_, *story_->exchange, story_->view(), plan_.stored.entry, plan_.stored.freshness, s);
}

/// The flight ends with the origin's error.
void FetchTask::fail_with(const http::ResponseView& head) {
  const auto retry_after = head.fields.value(http::FieldId::RetryAfter).value_or("");
  plan_.ticket.fail({head.status, false, true, std::string(retry_after), "the origin answered with an error",
                     may_be_the_leaders(head.status)},
                    no_refresh_until());
}

void FetchTask::judge(const http::ResponseView& head, const HeadFacts& facts) {
  const bool error = store_route_->route && store_policy().stale.errors.covers(head.status);
  rules::Storability verdict;
  if (plan_.ticket) {
    verdict = rules::judge(facts_, head, store_policy(), times(), facts.proven || !facts.has_content, core_.random(),
                           story_->target);
    const auto most = std::min<std::uint64_t>(store_policy().max_object, core_.shared.store.budget().limit());
    const bool too_large = facts.content_length ? *facts.content_length > most : facts.has_content && outgrew_lately();
    if (verdict.storable() && too_large) verdict.reason = rules::Reason::TooLarge;
  }
  const bool stale = plan_.stored.entry && story_->route->route &&
                     may_stand_in(core_, *story_, plan_.stored.freshness, plan_.stored.names);
  switch (fate_of(head.status, error, static_cast<bool>(plan_.ticket), verdict, plan_.stored.entry != nullptr, stale)) {
    case Fate::ServeStale:
      serve_stale(head.status);  // it was asked once: another answer may change the names of the key meanwhile
      if (plan_.ticket) {
        count_not_stored(rules::Reason::OriginError);
        fail_with(head);
      }
      fetch_->cancel();
      return finish();
    case Fate::Fail:
      fail_with(head);
      return keep_going_as_pass(head, facts, error ? rules::Reason::OriginError : verdict.reason, false);
    case Fate::PassOn:
      if (!plan_.ticket) return keep_going_as_pass(head, facts, plan_.status.reason, false);
      return keep_going_as_pass(head, facts, verdict.reason, verdict.by_request);
    case Fate::Store:
      break;
  }
  head_ = to_keep(head, verdict.drop, core_.now().wall);
  freshness_ = verdict.freshness;
  freshness_.validators_fail = validators_fail(head.fields);
  vary_ = rules::read_vary(head.fields);
  body_ = Ref<http::Body>(new http::Body);
  storing_ = true;
  if (store_route_->route->key.graphql)
    graphql_ = std::make_unique<content::GraphqlAnswer>(head.fields.value(http::FieldId::ContentEncoding).value_or(""));
  const auto length = facts.has_content ? facts.content_length : std::optional<std::uint64_t>(0);
  // Who follows the flight of a rule for the query may have another query, which this answer is not for.
  if (elsewhere_ && story_->searched)
    plan_.ticket.own(rules::Reason::None, true, {});
  else if (!verdict.serves_followers)
    plan_.ticket.own(cause_of_own(freshness_), false, no_queue_until());
  else
    plan_.ticket.land({head_, body_, freshness_, vary_, length}, selecting(), store_policy());
  // Fields that may not be stored are still for the client whose request brought them (RFC 9111 section 5.2.2.7).
  std::vector<std::string> hidden;
  if (store_policy().set_cookie == rules::SetCookieRule::Strip) hidden.emplace_back("Set-Cookie");
  // Whether a GraphQL response may be stored shows at its end; nothing untrue is said at its beginning.
  answer_client(end_to_end(*story_, head, hidden, core_.now().wall, false), head.status, facts,
                !graphql_ && storing_ticket().may_commit());
}

void FetchTask::keep_going_as_pass(const http::ResponseView& head, const HeadFacts& facts, rules::Reason reason,
                                   bool by_request) {
  note_vary(head);
  const bool counted = repeated_ && !plan_.shared;  // when the range was asked for instead of the whole
  if (!counted) count_not_stored(reason);
  if (plan_.ticket) {
    // Whatever comes back replaces what is stored, also when it may not be stored itself; but errors never do.
    const bool error = head.status >= 500 || head.status == 429 || store_policy().stale.errors.covers(head.status);
    // Nor does what only this request's own fields have brought about.
    const bool theirs = by_request || rules::is_client_made(head.status);
    if (plan_.stored.entry && !theirs && !error) core_.shared.store.discard(story_->key, plan_.stored.entry);
    if (plan_.ticket.flight()->state() == cache::Flight::State::Waiting) own_answer(reason, by_request, head.status);
    plan_.ticket.drop(no_refresh_until());
    if (repeat_with_range(head.status, reason)) return;
  }
  if (!story_->wanted()) {
    fetch_->cancel();
    return finish();
  }
  if (plan_.status.reason == rules::Reason::None) plan_.status.reason = reason;
  if (!plan_.by_get) body_ = Ref<http::Body>(new http::Body(kPassWindow));
  windowed_ = true;
  answer_client(end_to_end(*story_, head, {}, core_.now().wall, true), head.status, facts, false);
  if (!plan_.by_get) return;
  fetch_->cancel();  // the rest is for nobody
  finish();
}

/// Whether the last answer of this key was found to be beyond `max_object` as it came: another one of unknown length is
/// not collected in vain.
bool FetchTask::outgrew_lately() const noexcept { return plan_.status.cause == rules::Reason::TooLarge; }

/// Those who wait are told that the answer is not for them. After an error of this client's making one of them asks
/// once more, and the others wait for that one; a second one is taken for the resource's own.
void FetchTask::own_answer(rules::Reason reason, bool by_request, int status) {
  if (rules::is_client_made(status) && !by_request && !plan_.ticket.flight()->second())
    return plan_.ticket.own(rules::Reason::Status, true, {});
  // What was not tried proves nothing anew: when the memory is over, one answer is collected again.
  const bool proves = !by_request && !(reason == rules::Reason::TooLarge && outgrew_lately());
  plan_.ticket.own(reason, by_request, proves ? no_queue_until() : Timestamp{});
}

/// A range of something that is not kept, whatever the reason: nobody reads it from its start for that. The origin is
/// asked for the range alone, with the client's own conditions.
bool FetchTask::repeat_with_range(int status, rules::Reason reason) {
  if (status != 200 || !story_->facts.range || !plan_.shared || repeated_ || !story_->wanted()) return false;
  repeated_ = true;
  fetch_->cancel();
  plan_.shared = false;
  plan_.validate = false;
  if (plan_.status.reason == rules::Reason::None) plan_.status.reason = reason;
  status_ = 0;
  send();
  return true;
}

void FetchTask::answer_client(const http::Fields& fields, int status, const HeadFacts& facts, bool stored) {
  if (!story_->wanted()) return;
  const auto own_head = cache::PublishedHead::make(status, fields);
  Delivery d;
  d.head = own_head->head();
  if (facts.has_content || method() == http::Method::Head)
    d.length = facts.content_length;
  else if (!http::never_has_content(status))
    d.length = 0;
  if (storing_) d.freshness = &freshness_;
  d.status = plan_.status;
  d.status.stored = stored;
  d.status.key = key_text_;
  d.source = Source::Origin;
  d.conditional = plan_.shared;
  auto cursor = for_head() ? http::BodyCursor() : http::BodyCursor(body_);
  deliver(core_, *story_->exchange, story_->view(), std::move(d), std::move(cursor));
}

/// The Vary of an answer that is not stored counts, too: else a stored answer that omits it, as refusals do, is given
/// to those for whom the origin has another.
void FetchTask::note_vary(const http::ResponseView& head) {
  if (!story_->looked_up() || !head.fields.has(http::FieldId::Vary)) return;
  const auto vary = rules::read_vary(head.fields);
  if (vary.any || vary.names.empty() || (cache::includes(plan_.stored.names, vary.names) && !plan_.stored.names_old))
    return;
  core_.shared.store.note_vary(story_->key, vary, selecting(), story_->policy(), core_.now().mono);
}

/// RFC 9111 section 4.3.5: a 200 to HEAD freshens the stored GET response, or makes it stale.
void FetchTask::apply_head_answer(const http::ResponseView& head) {
  if (head.status != 200 || !story_->looked_up()) return;
  auto& store = core_.shared.store;
  const auto now = core_.now().mono;
  if (!plan_.stored.entry) return;
  const auto& stored = plan_.stored.entry->head();
  switch (rules::compare_head(head, stored.fields, plan_.stored.entry->body_length())) {
    case rules::HeadUpdate::None:
      return;
    case rules::HeadUpdate::Stale:
      return store.make_stale(story_->key, plan_.stored.entry);
    case rules::HeadUpdate::Freshen:
      break;
  }
  const auto merged = freshened_fields(stored.all(), head.fields);
  const auto when = times();
  const http::ResponseView whole{stored.status, head.version, merged.view()};
  const auto verdict = rules::judge(facts_, whole, story_->policy(), when, true, core_.random(), story_->target);
  if (verdict.by_request) return;
  if (!verdict.storable()) return store.make_stale(story_->key, plan_.stored.entry);
  if (!knows_names_of(head)) return;
  // A length alone proves nothing: on that ground only what the origin itself says prolongs a lifetime, else a health
  // check by HEAD would keep old content for ever.
  if (!rules::is_confirmed(head, stored.fields) && !rules::is_stated(verdict.freshness.source)) return;
  const auto kept = to_keep(whole, verdict.drop, when.received.wall);
  auto charge = store.reserve(cache::Entry::cost_with_head(*plan_.stored.entry, kept->head()));
  if (charge.bytes() == 0) return;
  auto freshness = verdict.freshness;
  freshness.validators_fail = plan_.stored.freshness.validators_fail;
  store.apply_head(story_->key, plan_.stored.entry,
                   cache::Entry::with_head(plan_.stored.entry, kept->head(), std::move(charge)), freshness,
                   rules::read_vary(whole.fields), selecting(), story_->policy(), now);
}

/// A response with a No-Vary-Search rule is stored under the key that the rule makes, and one without under the plain
/// one, whichever this fetch was for.
void FetchTask::adopt_search_key(const http::ResponseView& head) {
  read_again(core_, *story_);
  const auto content = story_->content ? std::optional(story_->content->bytes()) : std::nullopt;
  const auto request = story_->view();
  cache::Key key;
  auto& persisted = core_.shared.persisted;
  if (build_key(core_.reading, request, content, persisted, key) != rules::Reason::None) return;
  if (const auto rule = rules::read_no_vary_search(head.fields)) {
    // A rule that is too long to be kept is not applied either: nobody would find what is stored under it.
    if (core_.shared.searches.learn(key.base(), *rule) &&
        build_key(core_.reading, request, content, persisted, key, &*rule) != rules::Reason::None)
      return;
  }
  if (key.text() == key_text_) return;
  key_text_ = key.text();
  elsewhere_ = core_.shared.store.private_ticket(key, *plan_.ticket.flight());
}

/// RFC 9110 section 9.3.3: the answer to a POST that says it is what a GET would give, is stored as that.
void FetchTask::adopt_get_key(const http::ResponseView& head) {
  if (!rules::post_answers_get(head, story_->policy(), story_->scheme, story_->host, story_->target)) return;
  auto& reading = core_.reading;
  reading.host = story_->host;
  reading.scheme = story_->scheme;
  reading.claims = http::keeps_claims(story_->peer_trusted, story_->runtime->config().server.forwarded);
  const auto request = story_->view();
  if (!read_as_get(story_->runtime->runtime->routes, request, story_->target, reading)) return;
  cache::Key key;
  if (build_key(reading, as_get(request), std::nullopt, core_.shared.persisted, key) != rules::Reason::None) return;
  // By the GET's route, and as what the request was: whose answer may be shared is that route's to say.
  store_route_ = &story_->runtime->routes[reading.route->index];
  facts_ = reading.facts;
  key_text_ = key.text();
  plan_.ticket = core_.shared.store.private_ticket(key);
}

}  // namespace forebay::proxy
