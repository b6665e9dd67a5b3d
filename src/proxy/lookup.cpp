#include "lookup.hpp"

#include "content.hpp"
#include "deliver.hpp"
#include "fill.hpp"
#include "outgoing.hpp"
#include "plan.hpp"

namespace forebay::proxy {
namespace {

cache::LookupRequest request_for(const Story& story, const cache::Key& key, const cache::Selecting& selecting) {
  auto r = look_up_request(key, selecting, story.facts(), *story.route->route, story.core.now().mono);
  if (story.policy().refresh_ahead.automatic) r.draw = story.core.exponential();
  return r;
}

}  // namespace

rules::Reason build_key(Story& story) {
  const auto reason =
      build_key(story.reading, story.request, story.whole_content(), story.core.shared.persisted, story.key);
  story.keyed = reason == rules::Reason::None;
  return reason;
}

cache::Lookup look_up_first(Story& story) {
  auto& shared = story.core.shared;
  auto& notes = story.notes();
  notes.has_key = true;
  const OriginSelecting selecting(origin_request(story, true));
  if (story.policy().no_vary_search && !story.facts().secret_in_query) {
    const auto rule = shared.searches.find(story.key.base());
    if (rule && build_key(story.reading, story.request, story.whole_content(), shared.persisted, story.search_key,
                          rule.get()) == rules::Reason::None) {
      auto wanted = request_for(story, story.search_key, selecting);
      wanted.only_stored = true;
      auto found = shared.store.lookup(wanted);
      if (stored_of(found).entry) {
        std::swap(story.key, story.search_key);
        story.searched = true;
        notes.key_id = story.key.id();
        return found;
      }
    }
  }
  notes.key_id = story.key.id();
  return shared.store.lookup(request_for(story, story.key, selecting));
}

cache::Lookup look_up(const Story& story) {
  const OriginSelecting selecting(origin_request(story, true));
  return story.core.shared.store.lookup(request_for(story, story.key, selecting));
}

cache::Lookup supersede(const Story& story, const Ref<cache::Flight>& waited) {
  const OriginSelecting selecting(origin_request(story, true));
  return story.core.shared.store.supersede(request_for(story, story.key, selecting), waited);
}

cache::Lookup retry(const Story& story, const Ref<cache::Flight>& failed) {
  const OriginSelecting selecting(origin_request(story, true));
  return story.core.shared.store.retry(request_for(story, story.key, selecting), failed);
}

bool still_selected(const Story& story, const cache::VaryRef& names) {
  return !story.policy().vary || story.core.shared.store.still_selects_by(story.key, names);
}

bool may_stand_in(const Story& story, const cache::Stored& stored) {
  return stored.entry && story.route->route &&
         rules::may_serve_on_error(stored.freshness, story.facts(), story.policy(), story.core.now().mono) &&
         still_selected(story, stored.names);
}

// A slow client must not hold a connection to an origin: a small body is read completely before one is used, of a large
// one the first part. A client that waits for a 100 gets the origin's, so its head is sent first (RFC 9110 section
// 10.1.1).
void pass_on(const StoryPtr& story, rules::Reason reason) {
  const auto plan = plan_bypass(reason, story->facts());
  if (const auto* refused = std::get_if<Refuse>(&plan)) return deliver_error(*story, *refused->error);
  story->keep();
  const bool whole = !story->has_content || story->read == ReadContent::State::Whole;
  const bool begun =
      whole || story->exchange->body().awaits_continue() || story->bytes.size() >= story->request_buffer();
  if (begun || read_content(story, ReadTask::Purpose::Forward, reason))
    forward(story, std::get<GoForward>(plan).status);
}

void forward(const StoryPtr& story, const rules::CacheStatus& status) {
  story->keep_content();
  if (story->content_whole && story->has_content) story->keep_trailers();
  FillPlan plan;
  plan.status = status;
  plan.validate = false;
  std::make_shared<Fill>(story, std::move(plan))->start();
}

}  // namespace forebay::proxy
