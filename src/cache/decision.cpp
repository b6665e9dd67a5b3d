#include "decision.hpp"

#include "filing.hpp"

namespace forebay::cache {
namespace {

using rules::Reuse;

std::string& thread_text() {
  thread_local std::string text;
  return text;
}

}  // namespace

Selection::Selection(const LookupRequest& request) noexcept
    : request_(request.selecting), ignored_(!request.policy.vary), text_(thread_text()) {
  text_.clear();
}

bool Selection::fits(const Slot& slot) const noexcept {
  return (ignored_ || names_ == slot.vary) && (with_codings_ || !slot.refusable);
}

void Selection::take(const Slot& slot) {
  if (!ignored_) names_ = slot.vary;
  with_codings_ = slot.refusable;
}

void Selection::build() {
  text_.clear();
  if (names_) rules::append_secondary_key(names_->names, request_.fields(names_->names), text_);
  if (!with_codings_) return;
  codings_ = accepted_codings(request_, scratch_);
}

bool Selection::accepts(const Head& head) const noexcept {
  for (const auto& f : head.fields)
    if (f.id == http::FieldId::ContentEncoding && !codings_.accept(f.value)) return false;
  return true;
}

namespace {

struct Found {
  Variant* variant = nullptr;
  bool others = false;        // variants for other requests
  Flight* landed = nullptr;   // its body can be read from the beginning, and its response is for this request
  Flight* waiting = nullptr;  // no head yet
  bool busy = false;          // a fetch for this kind of request is in progress
  rules::Reason kept = rules::Reason::None;  // why what landed is not for this request
  bool pass_memory = false;
};

// RFC 9111 section 4.1: of several that match, the most recent one.
Found find(const Slot& slot, const Selection& mine, const LookupRequest& request, const PurgeState& purges) noexcept {
  Found found;
  for (Variant* v = slot.newest; v && !found.variant; v = v->next_older) {
    if (v->fingerprint != request.fingerprint || v->purge_sequence < purges.marks.hard) continue;
    if (mine.match(v->vary, v->secondary) && (!v->refusable || mine.accepts(v->entry->head())))
      found.variant = v;
    else
      found.others = true;
  }
  if (found.variant && found.variant->freshness.lifetimes != request.policy.lifetimes)
    rules::shorten(found.variant->freshness, found.variant->entry->head().status, request.policy);
  if (found.variant && found.variant->purge_sequence < purges.marks.soft)
    rules::become_stale(found.variant->freshness, purges.marks.soft_at);
  for (auto l = slot.flights.rbegin(); l != slot.flights.rend(); ++l) {
    if (l->fingerprint != request.fingerprint) continue;
    Flight& flight = *l->flight;
    if (purges.detaches(flight)) continue;
    if (flight.state() == Flight::State::Waiting) {
      // While no name is known, all requests wait for one flight; later only for flights with the same secondary key.
      const bool same = mine.match(l->vary, l->secondary);
      found.busy |= same;
      if (same && !found.waiting) found.waiting = &flight;
    } else if (mine.match(l->vary, l->secondary) && (!flight.refusable() || mine.accepts(flight.head()->head()))) {
      found.busy = true;
      if (found.landed || !flight.joinable()) continue;
      const auto reuse = rules::may_reuse(flight.freshness(), request.facts, request.policy, request.now);
      if (reuse == Reuse::NotForThis)
        found.kept = rules::kept_from(flight.freshness(), request.facts);
      else if (reuse != Reuse::Validate)
        found.landed = &flight;
    }
  }
  found.pass_memory = slot.no_queue_until > request.now;
  return found;
}

Decision pass(Decision d, rules::Reason reason, Decision::Fetch fetch) noexcept {
  d.kind = LookupKind::Pass;
  d.reason = reason;
  d.fetch = fetch;
  return d;
}

// Nothing can be served at once.
Decision go_forward(Decision d, const Found& found, std::size_t listed, const LookupRequest& request) noexcept {
  using Fetch = Decision::Fetch;
  const auto& coalesce = request.policy.coalesce;
  if (request.facts.no_store) return pass(d, rules::Reason::RequestNoStore, Fetch::None);
  const bool head = request.facts.method == http::Method::Head;
  // What is stored is validated by the HEAD itself (RFC 9111 section 4.3.5).
  if (!request.may_lead || (head && (d.variant || request.facts.endless)))
    return pass(d, rules::Reason::None, Fetch::None);
  if (coalesce.enabled && found.landed) {
    d.kind = LookupKind::Join;
    d.flight = found.landed;
    return d;
  }
  // Nobody would need the body that it fetched.
  if (head && found.pass_memory) return pass(d, rules::Reason::PassMemory, Fetch::None);
  d.kind = LookupKind::Lead;
  if (!coalesce.enabled) {
    d.fetch = Fetch::Private;
    return d;
  }
  if (request.facts.endless) return pass(d, rules::Reason::None, Fetch::Private);
  if (found.pass_memory) return pass(d, rules::Reason::PassMemory, Fetch::Private);
  if (found.waiting) {
    if (found.waiting->waiters() >= coalesce.max_waiters) {
      d.kind = LookupKind::QueueFull;
      d.flight = found.waiting;
      return d;
    }
    d.kind = LookupKind::Join;
    d.flight = found.waiting;
    return d;
  }
  d.fetch = listed < kMaxFlights ? Fetch::Listed : Fetch::Private;
  return d;
}

Reuse reuse_of(const Variant& v, const LookupRequest& request) noexcept {
  return rules::may_reuse(v.freshness, request.facts, request.policy, request.now);
}

// Whether this hit starts a background refresh (`refresh_ahead`): one at a time, and none while the key has pass
// memory.
bool refreshes_ahead(const Found& found, const LookupRequest& request) noexcept {
  const auto& ahead = request.policy.refresh_ahead;
  if ((ahead.share <= 0 && !ahead.automatic) || found.pass_memory) return false;
  const Variant& v = *found.variant;
  return rules::refreshes_ahead(v.freshness, {v.hits + 1, v.entry->fetch_time()}, request.policy, request.draw,
                                request.now);
}

}  // namespace

Decision decide(const Slot* slot, const Selection& mine, const LookupRequest& request,
                const PurgeState& purges) noexcept {
  using Fetch = Decision::Fetch;
  Decision d;
  const Found found = slot ? find(*slot, mine, request, purges) : Found{};
  const std::size_t listed = slot ? slot->flights.size() : 0;
  if (found.pass_memory) d.pass_memory = {slot->pass_cause, slot->no_queue_until - request.now};
  const bool head = request.facts.method == http::Method::Head;
  // A HEAD fetches for all only where nothing is stored.
  const bool may_lead = request.may_lead && !request.facts.no_store &&
                        !(head && (found.variant || found.pass_memory || request.facts.endless));
  const bool may_refresh = may_lead && !found.busy && listed < kMaxFlights && found.variant &&
                           found.variant->pause.until <= request.now &&
                           rules::may_renew(request.facts, found.variant->freshness);
  d.variant = d.matched = found.variant;
  if (request.facts.refresh) {
    // An allowed refresh request: neither the stored response nor a flight is used.
    d.forward = d.variant ? rules::Forward::Request : found.others ? rules::Forward::VaryMiss : rules::Forward::UriMiss;
    if (d.variant && reuse_of(*d.variant, request) == Reuse::NotForThis) d.variant = nullptr;
    return pass(d, rules::Reason::None, may_lead ? Fetch::Private : Fetch::None);
  }
  if (!d.variant) {
    d.forward = found.others ? rules::Forward::VaryMiss : rules::Forward::UriMiss;
    if (found.kept != rules::Reason::None && !found.landed) {
      d.forward = rules::Forward::Request;
      return pass(d, found.kept, may_lead && !head ? Fetch::Private : Fetch::None);
    }
    return go_forward(d, found, listed, request);
  }
  switch (reuse_of(*d.variant, request)) {
    case Reuse::Fresh:
      d.kind = LookupKind::Fresh;
      if (may_refresh && refreshes_ahead(found, request)) d.fetch = Fetch::Listed;
      return d;
    case Reuse::MaxStale: d.kind = LookupKind::Fresh; return d;
    case Reuse::WhileRevalidating: {
      // RFC 5861 section 3: one background refresh at a time.
      d.kind = LookupKind::Stale;
      if (may_refresh) d.fetch = Fetch::Listed;
      return d;
    }
    case Reuse::NotForThis: {
      const auto why = rules::kept_from(d.variant->freshness, request.facts);
      d.variant = nullptr;
      d.forward = rules::Forward::Request;
      return pass(d, why, may_lead ? Fetch::Private : Fetch::None);
    }
    case Reuse::Validate: break;
  }
  if (d.variant->pause.serves_until > request.now &&
      rules::may_serve_unasked(d.variant->freshness, request.facts, request.policy, request.now)) {
    d.kind = LookupKind::Stale;
    d.unasked = true;
    return d;
  }
  d.forward = rules::forward_reason(d.variant->freshness, request.facts, request.policy, request.now);
  return go_forward(d, found, listed, request);
}

}  // namespace forebay::cache
