#include "lookup.hpp"

#include "deliver.hpp"
#include "fill.hpp"
#include "forebay/http/forwarding.hpp"
#include "outcome.hpp"
#include "outgoing.hpp"
#include "plan.hpp"

namespace forebay::proxy {
namespace {

cache::LookupRequest request_for(Core& core, const cache::Key& key, const cache::Selecting& selecting,
                                 const rules::RequestFacts& facts, const config::Route& route) {
  auto r = look_up_request(key, selecting, facts, route, core.now().mono);
  if (route.policy.refresh_ahead.automatic) r.draw = core.exponential();
  return r;
}

}  // namespace

void read_again(Core& core, const Story& story) {
  auto& reading = core.reading;
  const auto request = story.view();
  (void)reading.target.read(request.method, request.target);  // it could be read before
  reading.host = story.host;
  reading.scheme = story.scheme;
  reading.claims = http::keeps_claims(story.peer_trusted, story.runtime->config().server.forwarded);
  read_for_route(*story.route->route, request, story.has_content, reading);
}

cache::Lookup look_up(Core& core, const Story& story) {
  const OriginSelecting selecting(origin_request(core, story, true));
  return core.shared.store.lookup(request_for(core, story.key, selecting, story.facts, *story.route->route));
}

cache::Lookup supersede(Core& core, const Story& story, const Ref<cache::Flight>& waited) {
  const OriginSelecting selecting(origin_request(core, story, true));
  return core.shared.store.supersede(request_for(core, story.key, selecting, story.facts, *story.route->route), waited);
}

cache::Lookup retry(Core& core, const Story& story, const Ref<cache::Flight>& failed) {
  const OriginSelecting selecting(origin_request(core, story, true));
  return core.shared.store.retry(request_for(core, story.key, selecting, story.facts, *story.route->route), failed);
}

cache::Lookup look_up(Core& core, const http::RequestView& request, std::optional<std::string_view> content,
                      const cache::Selecting& selecting) {
  const auto& reading = core.reading;
  const auto& route = *reading.route;
  auto& store = core.shared.store;
  core.searched = false;
  if (route.policy.no_vary_search && !reading.facts.secret_in_query) {
    const auto rule = core.shared.searches.find(core.key.base());
    if (rule && build_key(reading, request, content, core.shared.persisted, core.search_key, rule.get()) ==
                    rules::Reason::None) {
      auto wanted = request_for(core, core.search_key, selecting, reading.facts, route);
      wanted.only_stored = true;
      auto found = store.lookup(wanted);
      if (stored_of(found).entry) {
        std::swap(core.key, core.search_key);
        core.searched = true;
        return found;
      }
    }
  }
  return store.lookup(request_for(core, core.key, selecting, reading.facts, route));
}

bool still_selected(const Core& core, const Story& story, const cache::VaryRef& names) {
  return !story.policy().vary || core.shared.store.still_selects_by(story.key, names);
}

bool may_stand_in(const Core& core, const Story& story, const rules::Freshness& freshness,
                  const cache::VaryRef& names) {
  return rules::may_serve_on_error(freshness, story.facts, story.policy(), core.now().mono) &&
         still_selected(core, story, names);
}

void keep_content(Core& core, Story& story, std::string_view content, Gathered outcome) {
  story.content = Chunk::copy_of(content, core.shared.store.reserve(Chunk::cost(content.size())));
  story.content_whole = outcome == Gathered::Whole;
}

void go_on(Core& core, const StoryPtr& story, std::string_view content, Gathered outcome) {
  keep_content(core, *story, content, outcome);
  if (outcome == Gathered::TooLarge) return pass_on(core, story, too_large_reason(*story->route->route));
  read_again(core, *story);
  const auto request = story->view();
  const auto reason = build_key(core.reading, request, content, core.shared.persisted, core.key);
  if (reason != rules::Reason::None) return pass_on(core, story, reason);
  auto found = look_up(core, request, content, OriginSelecting(origin_request(core, *story, true)));
  story->key = core.key;
  story->searched = core.searched;
  auto& notes = notes_of(*story->exchange);
  notes.key_id = core.key.id();
  notes.has_key = true;
  note_lookup(core, *story->exchange);
  proceed(core, story, std::move(found));
}

// A slow client must not hold a connection to an origin: a small body is read completely before one is used, of a large
// one the first part. A client that waits for a 100 gets the origin's, so its head is sent first (RFC 9110 section
// 10.1.1).
void pass_on(Core& core, const StoryPtr& story, rules::Reason reason) {
  const auto plan = plan_bypass(reason, story->facts);
  if (const auto* refused = std::get_if<Refuse>(&plan)) return refuse(core, story, *refused->error);
  const auto& status = std::get<GoForward>(plan).status;
  const auto begun = story->content ? story->content->bytes() : std::string_view();
  auto& body = story->exchange->body();
  const bool complete = !story->has_content || story->content_whole;
  if (complete || body.awaits_continue() || begun.size() >= story->request_buffer())
    return forward(core, story, status);
  std::string bytes(begun);
  const auto outcome = fill(body, story->request_buffer(), bytes);
  if (outcome == Gathered::Broken)
    return deliver_content_error(core, *story->exchange, story->accept(), story->request_id);
  if (outcome == Gathered::Wait) {
    using Purpose = ReadTask::Purpose;
    return std::make_shared<ReadTask>(core, story, std::move(bytes), Purpose::Forward, reason)->start();
  }
  keep_content(core, *story, bytes, outcome);
  forward(core, story, status);
}

void refuse(Core& core, const StoryPtr& story, const OwnError& error) {
  deliver_error(core, *story->exchange, story->accept(), story->request_id, error);
}

void forward(Core& core, const StoryPtr& story, const rules::CacheStatus& status) {
  if (story->content_whole && story->has_content) story->keep_trailers();
  FillPlan plan;
  plan.status = status;
  plan.validate = false;
  std::make_shared<Fill>(core, story, std::move(plan))->start();
}

}  // namespace forebay::proxy
