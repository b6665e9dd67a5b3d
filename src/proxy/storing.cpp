#include "storing.hpp"

#include <algorithm>

#include "forebay/rules/reuse.hpp"
#include "forebay/rules/validation.hpp"
#include "lookup.hpp"
#include "plan.hpp"
#include "tagging.hpp"

namespace forebay::proxy {
namespace {

/// How long after a failed refresh the next one waits.
constexpr Duration kRefreshPause = std::chrono::seconds{1};

/// What chunks may take beyond four times their content: an origin that sends single bytes in chunks of their own makes
/// bookkeeping outweigh the body.
constexpr std::size_t kBookkeeping = 64 * 1024;

/// RFC 9111 section 3.2. The stored Via ends with us, who are about to be added again; the way of this answer counts.
http::Fields freshened_fields(http::FieldsView stored, http::FieldsView update) {
  auto merged = rules::freshen(stored, update);
  merged.remove(http::FieldId::Via);
  for (const auto& f : update)
    if (f.id == http::FieldId::Via) merged.add(f.name, f.value);
  return merged;
}

std::vector<std::string_view> views_of(const std::vector<std::string>& texts) { return {texts.begin(), texts.end()}; }

}  // namespace

Storing::Storing(const PendingRequest& pending, FillPlan& plan)
    : core_(pending.core),
      pending_(pending),
      plan_(plan),
      route_(pending.route),
      facts_(pending.facts()),
      key_text_(pending.key_text()),
      begun_(pending.core.shared.store.purge_sequence()),
      wanted_anew_(plan.stored.entry && !plan.background &&
                   rules::is_fresh(plan.stored.freshness, pending.core.now().mono)) {}

void Storing::begin(std::string_view origin, const http::ResponseView& head, const rules::ExchangeTimes& times) {
  origin_ = origin;
  // A limit of one client must not keep the others from the origin.
  const bool theirs = rules::is_client_made(head.status) || brings_credential();
  // Nor must one of the failover keep them from the origin itself.
  const bool others = route_->origin->state().config().name != origin;
  retry_after_ = theirs || others ? Duration{0} : rules::retry_after(head, times.received).value_or(Duration{0});
  error_covered_ = is_error(head.status);
}

/// One that is not in the key, so that what the origin says to it need not hold for others of the key.
bool Storing::brings_credential() const {
  if (!route_->route) return false;
  if (facts_.credential != rules::Reason::None) return true;
  return policy().authorization != rules::AuthorizationRule::Key &&
         pending_.request.fields.has(http::FieldId::Authorization);
}

cache::RefreshPause Storing::pause() const {
  if (!plan_.refreshing() || wanted_anew_) return {};
  return {plan_.stored.entry.get(), core_.now().mono, kRefreshPause, retry_after_, error_covered_};
}

/// Whether the last response of this key exceeded `max_object`: another one of unknown length is not collected.
bool Storing::outgrew_lately() const noexcept { return plan_.status.cause == rules::Reason::TooLarge; }

bool Storing::is_error(int status) const { return route_->route && policy().stale.errors.covers(status); }

/// The head as it is kept: without what is not stored, and with what goes no further beside it.
Ref<const cache::PublishedHead> Storing::to_keep(const http::ResponseView& head, const std::vector<std::string>& drop,
                                                 WallTime received) const {
  return cache::PublishedHead::make(head.status, end_to_end(pending_, head, drop, received, false),
                                    kept_back(pending_, head, drop));
}

bool Storing::knows_names_of(const http::ResponseView& head) const {
  if (!policy().vary) return true;
  const auto stated = rules::read_vary(head.fields);
  if (!stated.names.empty() && !cache::includes(plan_.stored.names, stated.names)) return false;
  return still_selected(pending_, plan_.stored.names);
}

Storing::Freshened Storing::freshen(const http::ResponseView& head, const rules::ExchangeTimes& times,
                                    const Ref<http::Body>& body) {
  const auto entry = plan_.stored.entry;
  auto merged = freshened_fields(entry->head().all(), head.fields);
  if (!head.fields.has(http::FieldId::Date)) merged.remove(http::FieldId::Date);  // dated at receipt, below
  const http::ResponseView whole{entry->head().status, head.version, merged.view()};
  Freshened done{rules::judge(facts_, whole, policy(), times, true, core_.random(), pending_.target)};
  const auto& verdict = done.verdict;
  head_ = to_keep(whole, verdict.drop, times.received.wall);
  freshness_ = verdict.freshness;
  vary_ = rules::read_vary(whole.fields);
  tags_ = tag_names(whole.fields);
  if (verdict.storable()) {
    Ref<const cache::Entry> freshened;
    const auto cost = cache::Entry::cost_with_head(*entry, head_->head());
    if (auto charge = core_.shared.store.reserve(cost); charge.bytes() != 0)
      freshened = cache::Entry::with_head(entry, head_->head(), std::move(charge));
    // First, since landing drops variants that were selected without a new name of this Vary.
    if (freshened)
      done.stored = plan_.ticket.freshen(entry, freshened, freshness_, vary_, selecting(), policy(),
                                         times.received.mono, views_of(tags_));
    if (done.stored) done.entry = freshened;
    publish(verdict, body, entry->body_length());
  } else {
    if (!verdict.by_request) core_.shared.store.discard(pending_.key, entry);
    plan_.ticket.own(verdict.reason, verdict.by_request, verdict.by_request ? Timestamp{} : no_queue_until());
    count_not_stored(verdict.reason);
  }
  drop();
  return done;
}

void Storing::publish(const rules::Storability& verdict, const Ref<http::Body>& body,
                      std::optional<std::uint64_t> length) {
  if (!verdict.serves_followers) return plan_.ticket.own(cause_of_own(freshness_), false, no_queue_until());
  std::vector<Digest> tags;
  for (const auto& tag : tags_) tags.push_back(cache::tag_digest(tag));
  plan_.ticket.land({head_, body, freshness_, vary_, length, std::move(tags)}, selecting(), policy());
}

std::vector<std::string> Storing::tag_names(http::FieldsView response) const {
  std::uint64_t dropped = 0;
  auto names = tag_names(*route_->route, response, dropped);
  route_->counters->tags_dropped.add(dropped);
  return names;
}

std::vector<std::string> Storing::tag_names(const config::Route& route, http::FieldsView response,
                                            std::uint64_t& dropped) const {
  const auto& reading = pending_.reading;
  auto tags = tags_of(route, reading.target, pending_.request, pending_.whole_content(), response);
  dropped = tags.dropped();
  auto names = tags.take();
  for (auto& group : groups_of(route, reading.scheme, reading.host, response)) names.push_back(std::move(group));
  return names;
}

void Storing::read_head(const http::ResponseView& head, http::Method asked_by, const rules::ExchangeTimes& times,
                        std::size_t orders) {
  if (!route_->route) return;
  if (asked_by == http::Method::Head) apply_head(head, times);
  if (as_get_) adopt_get_key(orders);
  if (plan_.ticket && policy().no_vary_search && !facts_.secret_in_query) adopt_search_key(head);
}

rules::Storability Storing::judge(const http::ResponseView& head, const net::Sink::HeadFacts& facts,
                                  const rules::ExchangeTimes& times) const {
  if (!plan_.ticket) return {};
  auto verdict = rules::judge(facts_, head, policy(), times, facts.length_delimited || !facts.has_content,
                              core_.random(), pending_.target);
  const auto most = std::min<std::uint64_t>(policy().max_object, core_.shared.store.budget().limit());
  const bool too_large = facts.content_length ? *facts.content_length > most : facts.has_content && outgrew_lately();
  if (verdict.storable() && too_large) verdict.reason = rules::Reason::TooLarge;
  return verdict;
}

void Storing::land(const http::ResponseView& head, const rules::Storability& verdict, bool other,
                   const Ref<http::Body>& body, std::optional<std::uint64_t> length) {
  head_ = to_keep(head, verdict.drop, core_.now().wall);
  freshness_ = verdict.freshness;
  // What has come would be asked about in vain: as what is stored was, and by the same validators.
  const auto& stored = plan_.stored;
  freshness_.validators_fail = stored.entry && (other || stored.freshness.validators_fail) &&
                               head.fields.value(http::FieldId::ETag) == stored.entry->etag() &&
                               head.fields.value(http::FieldId::LastModified) == stored.entry->last_modified();
  vary_ = rules::read_vary(head.fields);
  tags_ = tag_names(head.fields);
  if (route_->route->key.graphql)
    graphql_ = std::make_unique<content::GraphqlAnswer>(head.fields.value(http::FieldId::ContentEncoding).value_or(""));
  // A follower of a flight under a No-Vary-Search rule may have another query, which this response is not for.
  if (elsewhere_ && pending_.searched) return plan_.ticket.own(rules::Reason::None, true, {});
  publish(verdict, body, length);
}

/// Fields that may not be stored are still for the client whose request brought them (RFC 9111 section 5.2.2.7).
std::vector<std::string> Storing::hidden_fields() const {
  if (policy().set_cookie != rules::SetCookieRule::Strip) return {};
  return {"Set-Cookie"};
}

Charge Storing::take(std::string_view bytes, std::uint64_t length) {
  const auto cost = Chunk::cost(bytes.size());
  charged_ += cost;
  const auto most = policy().max_object;
  if (length + bytes.size() > most || charged_ > 4 * most + kBookkeeping) return {};
  auto charge = core_.shared.store.reserve(cost);
  if (charge.bytes() != 0 && graphql_) graphql_->feed(bytes);
  return charge;
}

void Storing::outgrow() {
  note_not_stored(rules::Reason::TooLarge);
  plan_.ticket.outgrow(no_queue_until());
  drop();
}

Ref<const cache::Entry> Storing::commit(const http::Body& body, Duration fetch_time) {
  if (graphql_ && !graphql_->clean()) {
    note_not_stored(rules::Reason::GraphqlErrors);
    return {};
  }
  cache::EntryParts parts;
  parts.head = head_->head();
  parts.body = body.slices();
  parts.key_text = key_text_;
  parts.origin = origin_;
  parts.fetch_time = fetch_time;
  parts.stored_at = core_.now().wall;
  const auto tags = views_of(tags_);
  parts.tags = tags;
  auto& ticket = elsewhere_ ? elsewhere_ : plan_.ticket;
  const auto done =
      ticket.commit(parts, freshness_, vary_, selecting(), policy(), route_->route->key.fingerprint, core_.now().mono);
  if (elsewhere_ && plan_.stored.entry) core_.shared.store.discard(pending_.key, plan_.stored.entry);
  if (done) route_->counters->count_stored(body.length());
  route_->counters->variants_evicted.add(done.variants_evicted);
  if (pending_.exchange) pending_.notes().stored = done;
  return done.entry;
}

void Storing::refuse(const http::ResponseView& head, rules::Reason reason, bool by_request) {
  note_vary(head);
  if (!plan_.ticket) return;
  // Whatever comes back replaces what is stored, also when it may not be stored itself; but errors never do, nor does
  // what only this request's own fields have brought about.
  const bool error = head.status >= 500 || head.status == 429 || is_error(head.status);
  const bool theirs = by_request || rules::is_client_made(head.status);
  if (plan_.stored.entry && !theirs && !error) core_.shared.store.discard(pending_.key, plan_.stored.entry);
  if (plan_.ticket.flight()->state() == cache::Flight::State::Waiting)
    refuse_followers(reason, by_request, head.status);
  drop();
}

/// The followers learn that the response is not for them. After an error that this client caused, one of them fetches
/// again and the others wait for it; a second error counts as that of the resource.
void Storing::refuse_followers(rules::Reason reason, bool by_request, int status) {
  if (rules::is_client_made(status) && !by_request && !plan_.ticket.flight()->second())
    return plan_.ticket.own(rules::Reason::Status, true, {});
  // A response that was not collected does not renew the pass memory: after it ends, one response is collected again.
  const bool proves = !by_request && !(reason == rules::Reason::TooLarge && outgrew_lately());
  plan_.ticket.own(reason, by_request, proves ? no_queue_until() : Timestamp{});
}

void Storing::fail(cache::Failure failure) { plan_.ticket.fail(std::move(failure), pause()); }

void Storing::fail(const http::ResponseView& head) {
  const auto retry_after = head.fields.value(http::FieldId::RetryAfter).value_or("");
  fail({head.status, false, true, std::string(retry_after), "the origin answered with an error",
        may_be_the_leaders(head.status)});
}

void Storing::drop() {
  plan_.ticket.drop(pause());
  elsewhere_.drop();
}

void Storing::count_not_stored(rules::Reason reason) const {
  if (reason != rules::Reason::None) route_->counters->not_stored[static_cast<std::size_t>(reason)].add();
}

void Storing::note_not_stored(rules::Reason reason) const {
  count_not_stored(reason);
  if (!pending_.exchange) return;
  auto& notes = pending_.notes();
  notes.stored = false;
  notes.reason = reason;
  notes.cause = rules::Reason::None;
}

void Storing::count_refresh(Revalidated outcome) const {
  pending_.route->counters->revalidations[plan_.background ? 1 : 0][static_cast<std::size_t>(outcome)].add();
}

/// The Vary of a response that is not stored also counts: otherwise a stored response without Vary, such as a refusal,
/// would be served to requests for which the origin has another.
void Storing::note_vary(const http::ResponseView& head) const {
  if (!pending_.keyed || !head.fields.has(http::FieldId::Vary)) return;
  const auto vary = rules::read_vary(head.fields);
  if (vary.any || vary.names.empty() || (cache::includes(plan_.stored.names, vary.names) && !plan_.stored.names_old))
    return;
  core_.shared.store.note_vary(pending_.key, vary, selecting(), pending_.policy(), core_.now().mono);
}

/// RFC 9111 section 4.3.5: a 200 to HEAD freshens the stored GET response, or makes it stale. Where another origin gave
/// that, the two are not compared.
void Storing::apply_head(const http::ResponseView& head, const rules::ExchangeTimes& times) const {
  if (head.status != 200 || !pending_.keyed || !plan_.stored.entry) return;
  auto& store = core_.shared.store;
  const auto& entry = plan_.stored.entry;
  if (entry->origin() != origin_) return;
  const auto& stored = entry->head();
  // A GET would get another status than the stored one, such as an error.
  if (stored.status != head.status) return store.make_stale(pending_.key, entry);
  const auto update = rules::compare_head(head, stored.fields, entry->body_length());
  if (update == rules::HeadUpdate::None) return;
  if (update == rules::HeadUpdate::Stale) return store.make_stale(pending_.key, entry);
  const auto merged = freshened_fields(stored.all(), head.fields);
  const http::ResponseView whole{stored.status, head.version, merged.view()};
  const auto verdict = rules::judge(facts_, whole, pending_.policy(), times, true, core_.random(), pending_.target);
  if (verdict.by_request) return;
  if (!verdict.storable()) return store.make_stale(pending_.key, entry);
  if (!knows_names_of(head)) return;
  // An equal length alone proves nothing: then only a lifetime of the origin is renewed, else a health check by HEAD
  // would keep old content for ever.
  if (!rules::is_confirmed(head, stored.fields) && !rules::is_stated(verdict.freshness.source)) return;
  const auto kept = to_keep(whole, verdict.drop, times.received.wall);
  auto charge = store.reserve(cache::Entry::cost_with_head(*entry, kept->head()));
  if (charge.bytes() == 0) return;
  auto freshness = verdict.freshness;
  freshness.validators_fail = plan_.stored.freshness.validators_fail;
  store.apply_head(pending_.key, entry, cache::Entry::with_head(entry, kept->head(), std::move(charge)), freshness,
                   rules::read_vary(whole.fields), selecting(), pending_.policy(), core_.now().mono,
                   views_of(tag_names(whole.fields)));
}

/// A response with a No-Vary-Search rule is stored under the key that the rule makes, and one without under the plain
/// one, whichever this fetch was for.
void Storing::adopt_search_key(const http::ResponseView& head) {
  const auto build = [&](cache::Key& key, const rules::NoVarySearch* rule) {
    return build_key(pending_.reading, pending_.request, pending_.whole_content(), core_.shared.persisted, key, rule);
  };
  cache::Key key;
  if (build(key, nullptr) != rules::Reason::None) return;
  if (const auto rule = rules::read_no_vary_search(head.fields)) {
    // A rule that is too long to be kept is not applied either: nothing would find the response stored under it.
    if (core_.shared.searches.learn(key.base(), *rule) && build(key, &*rule) != rules::Reason::None) return;
  }
  if (key.text() == key_text_) return;
  key_text_ = key.text();
  elsewhere_ = core_.shared.store.private_ticket(key, *plan_.ticket.flight());
}

/// RFC 9110 section 9.3.3: the response to a POST that is also the response to a GET is stored for the GET.
void Storing::before_effects(const http::ResponseView& head) {
  as_get_.reset();
  if (!route_->route || plan_.ticket || pending_.request.method != http::Method::Post) return;
  if (!rules::post_answers_get(head, pending_.policy(), pending_.reading.scheme, pending_.reading.host,
                               pending_.target))
    return;
  Reading reading;
  reading.host = pending_.reading.host;
  reading.scheme = pending_.reading.scheme;
  reading.claims = pending_.reading.claims;
  const auto& request = pending_.request;
  if (!read_as_get(pending_.runtime->runtime->routes, request, pending_.target, reading)) return;
  auto& store = core_.shared.store;
  auto found = std::make_unique<AsGet>();
  auto& key = found->key;
  if (build_key(reading, as_get(request), std::nullopt, core_.shared.persisted, key) != rules::Reason::None) return;
  // By the GET's route, which decides whether the response may be shared.
  found->route = &pending_.runtime->routes[reading.route->index];
  found->facts = reading.facts;
  found->checked = store.purge_sequence();
  std::uint64_t dropped = 0;
  std::vector<Digest> tags;
  for (const auto& tag : tag_names(*found->route->route, head.fields, dropped)) tags.push_back(cache::tag_digest(tag));
  if (!store.purged_since(begun_, key, tags)) as_get_ = std::move(found);
}

void Storing::adopt_get_key(std::size_t orders) {
  // Of another purge meanwhile nobody knows what it names.
  const auto since = as_get_->checked + orders;
  if (core_.shared.store.purge_sequence() != since) return;
  route_ = as_get_->route;
  facts_ = as_get_->facts;
  key_text_ = as_get_->key.text();
  plan_.ticket = core_.shared.store.private_ticket(as_get_->key, since);
}

}  // namespace forebay::proxy
