#include "lookup.hpp"

#include "content.hpp"
#include "deliver.hpp"
#include "fill.hpp"
#include "outgoing.hpp"
#include "plan.hpp"
#include "write_effects.hpp"

namespace forebay::proxy {
namespace {

cache::LookupRequest request_for(const PendingRequest& pending, const cache::Key& key,
                                 const cache::Selecting& selecting) {
  auto r = look_up_request(key, selecting, pending.facts(), *pending.route->route, pending.core.now().mono);
  if (pending.policy().refresh_ahead.automatic) r.draw = pending.core.exponential();
  return r;
}

}  // namespace

rules::Reason build_key(PendingRequest& pending) {
  const auto reason =
      build_key(pending.reading, pending.request, pending.whole_content(), pending.core.shared.persisted, pending.key);
  pending.keyed = reason == rules::Reason::None;
  return reason;
}

cache::Lookup look_up_first(PendingRequest& pending) {
  auto& shared = pending.core.shared;
  auto& notes = pending.notes();
  notes.has_key = true;
  const OriginSelecting selecting(origin_request(pending, true));
  if (pending.policy().no_vary_search && !pending.facts().secret_in_query) {
    const auto rule = shared.searches.find(pending.key.base());
    if (rule && build_key(pending.reading, pending.request, pending.whole_content(), shared.persisted,
                          pending.search_key, rule.get()) == rules::Reason::None) {
      auto wanted = request_for(pending, pending.search_key, selecting);
      wanted.only_stored = true;
      auto found = shared.store.lookup(wanted);
      if (stored_of(found).entry) {
        std::swap(pending.key, pending.search_key);
        pending.searched = true;
        notes.note_key(pending.key);
        return found;
      }
    }
  }
  notes.note_key(pending.key);
  return shared.store.lookup(request_for(pending, pending.key, selecting));
}

cache::Lookup look_up(const PendingRequest& pending) {
  const OriginSelecting selecting(origin_request(pending, true));
  return pending.core.shared.store.lookup(request_for(pending, pending.key, selecting));
}

cache::Lookup supersede(const PendingRequest& pending, cache::FollowerPlace waited) {
  const OriginSelecting selecting(origin_request(pending, true));
  return pending.core.shared.store.supersede(request_for(pending, pending.key, selecting), std::move(waited));
}

cache::Lookup retry(const PendingRequest& pending, cache::FollowerPlace failed) {
  const OriginSelecting selecting(origin_request(pending, true));
  return pending.core.shared.store.retry(request_for(pending, pending.key, selecting), std::move(failed));
}

bool still_selected(const PendingRequest& pending, const cache::VaryRef& names) {
  return !pending.policy().vary || pending.core.shared.store.still_selects_by(pending.key, names);
}

bool may_stand_in(const PendingRequest& pending, const cache::Stored& stored) {
  return stored.entry && pending.route->route &&
         rules::may_serve_on_error(stored.freshness, pending.facts(), pending.policy(), pending.core.now().mono) &&
         still_selected(pending, stored.names);
}

// A slow client must not hold a connection to an origin: a small body is read completely before one is used, of a large
// one the first part. A client that waits for a 100 gets the origin's, so its head is sent first (RFC 9110 section
// 10.1.1).
void pass_on(const PendingRequestPtr& pending, rules::Reason reason) {
  const auto plan = plan_bypass(reason, pending->facts());
  if (const auto* refused = std::get_if<Refuse>(&plan)) return deliver_error(*pending, *refused->error);
  pending->keep();
  const bool whole = !pending->has_content || pending->read == ReadContent::State::Whole;
  if (!whole && must_read_to_sign(*pending)) {
    if (read_content(pending, ReadTask::Purpose::Sign, reason)) forward(pending, std::get<GoForward>(plan).status);
    return;
  }
  if (!whole && pending->read == ReadContent::State::Unread && needs_content_of_write(*pending, reason)) {
    if (read_content(pending, ReadTask::Purpose::Tags, reason)) forward(pending, std::get<GoForward>(plan).status);
    return;
  }
  const bool begun =
      whole || pending->exchange->body().awaits_continue() || pending->bytes.size() >= pending->request_buffer();
  if (begun || read_content(pending, ReadTask::Purpose::Forward, reason))
    forward(pending, std::get<GoForward>(plan).status);
}

void forward(const PendingRequestPtr& pending, const rules::CacheStatus& status) {
  pending->keep_content();
  // With trailer fields content would have no length, which a signed request needs.
  auto* const other = http::is_safe(pending->request.method) ? pending->route->failover : nullptr;
  const bool is_signed =
      pending->route->origin->state().config().sign.on() || (other && other->state().config().sign.on());
  if (pending->content_whole && pending->has_content && !is_signed) pending->keep_trailers();
  FillPlan plan;
  plan.status = status;
  plan.validate = false;
  std::make_shared<Fill>(pending, std::move(plan))->start();
}

}  // namespace forebay::proxy
