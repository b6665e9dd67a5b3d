#include "write_effects.hpp"

#include <algorithm>
#include <atomic>

#include "forebay/base/log.hpp"
#include "forebay/config/invalidation_graph.hpp"
#include "forebay/content/coding.hpp"
#include "forebay/content/media_type.hpp"
#include "forebay/proxy/purging.hpp"
#include "forebay/rules/invalidation.hpp"
#include "forebay/rules/tags.hpp"
#include "outgoing.hpp"
#include "tagging.hpp"

namespace forebay::proxy {
namespace {

using http::FieldId;
using rules::TagContent;
using Part = rules::TagTemplate::Part;

constexpr bool succeeds(int status) noexcept { return status >= 200 && status < 400; }

/// A gateway says so of a request whose outcome it does not know: the last ones are those of CDNs.
constexpr bool is_of_gateway(int status) noexcept {
  return status == 502 || status == 504 || (status >= 520 && status <= 524) || status == 598 || status == 599;
}

/// The origin has not seen all of the request. It may have acted all the same.
constexpr bool is_of_client(net::FetchError error) noexcept {
  return error == net::FetchError::ClientBody || error == net::FetchError::ClientStalled;
}

/// Whether content of this type may be JSON, as APIs label it: `application/x-amz-json-1.0` among others.
bool may_be_json(std::string_view content_type) {
  const auto type = lower_case(content::essence(content_type));
  return type.find("json") != std::string::npos || type == "text/plain" || type == "application/octet-stream" ||
         type == "application/javascript";
}

/// What a purge takes longer than is left to the purger.
constexpr Duration kQuick = std::chrono::microseconds{500};
/// A search for all responses of a route that was left to it is not begun again by a write for so long.
constexpr Duration kSearchPause = std::chrono::seconds{1};

std::atomic<std::int64_t>& searched_until(Shared& shared, const std::string& route) {
  return shared.searched_until[digest_of(route).lo % shared.searched_until.size()];
}

/// Of routes that a write has had searched lately, and for long, the purger removes all that is named meanwhile by one
/// search.
void leave_to_purger(Shared& shared, cache::PurgeOrder& order, const PurgeEndPtr& end) {
  std::erase_if(order.routes, [&](const std::string& route) {
    return searched_until(shared, route) > order.now.time_since_epoch().count() &&
           shared.purger.follow_up(route, order.mode, order.now, end);
  });
}

}  // namespace

bool may_invalidate(const PendingRequest& pending, rules::Reason not_looked_up) {
  const auto* route = pending.route->route;
  const auto& request = pending.request;
  return route && !route->invalidates.empty() &&
         rules::may_change(request.method, request.method_text, not_looked_up, route->policy);
}

bool needs_content_of_write(const PendingRequest& pending, rules::Reason not_looked_up) {
  return pending.has_content && may_invalidate(pending, not_looked_up) &&
         rules::any_uses(pending.route->route->invalidates.tags, Part::Body);
}

HeldAnswer::Rules WriteEffects::holds_content() const {
  HeldAnswer::Rules rules;
  if (!may_invalidate(pending_, not_looked_up())) return rules;
  const auto& invalidates = pending_.route->route->invalidates;
  if (!rules::any_uses(invalidates.tags, Part::ResponseBody)) return rules;
  rules.most = invalidates.body_max;
  rules.holds = [](const http::ResponseView& head, const net::Sink::HeadFacts&) {
    const auto type = head.fields.value(FieldId::ContentType);
    return succeeds(head.status) && (!type || may_be_json(*type)) && !rules::is_endless(head);
  };
  return rules;
}

net::SourcePtr WriteEffects::hold(net::SourcePtr source, std::function<void(const http::ResponseView&)> first) {
  if (http::is_safe(pending_.request.method)) return source;
  auto rules = holds_content();
  rules.reserve = [&store = pending_.core.shared.store](std::size_t n) { return store.reserve(n); };
  rules.before = [this, &asked = *source, first = std::move(first)](const http::ResponseView& head) {
    first(head);
    apply(head, asked.times().attempts > 1);
    return leave_the_rest();
  };
  auto held = std::make_shared<HeldAnswer>(pending_.core.worker, std::move(source), std::move(rules));
  held_ = held;
  return HeldAnswer::own(std::move(held));
}

void WriteEffects::apply(const http::ResponseView& head, bool repeated) {
  orders_ = 0;
  by_resources(head);
  if (succeeds(head.status)) by_groups(head);
  if (may_invalidate(pending_, not_looked_up())) {
    if (succeeds(head.status))
      by_tags(&head, pending_.route->route->invalidates.mode);
    else if (is_of_gateway(head.status) || repeated)
      by_tags(nullptr, cache::PurgeMode::Soft);
  }
  settled_ = true;
}

void WriteEffects::on_failure(net::FetchError error, bool asked) {
  leave_the_rest();  // what was begun before memory ran out
  if (settled_ || !asked || !may_invalidate(pending_, not_looked_up())) return;
  settled_ = true;
  by_tags(nullptr, cache::PurgeMode::Soft, !is_of_client(error));
  leave_the_rest();  // the client hears at once that the outcome is not known
}

void WriteEffects::carry_out(cache::PurgeOrder order) {
  if (order.empty()) return;
  purges_ = true;
  order.by_write = true;
  order.now = pending_.core.now().mono;
  ++orders_;
  using Clock = std::chrono::steady_clock;
  begun_.reserve(begun_.size() + 1);
  cache::PurgeRun run(pending_.core.shared.store, std::move(order));
  for (const auto until = Clock::now() + kQuick; run.step();)
    if (Clock::now() > until) {
      begun_.push_back(std::move(run));
      return;
    }
}

const PurgeEndPtr& WriteEffects::end() {
  if (!end_) end_ = std::make_shared<PurgeEnd>();
  return end_;
}

PurgeEndPtr WriteEffects::leave_the_rest() {
  auto& shared = pending_.core.shared;
  for (const auto& run : begun_)
    for (const auto& name : run.order().routes)
      searched_until(shared, name) = (run.order().now + kSearchPause).time_since_epoch().count();
  if (!begun_.empty() && !shared.purger.complete(begun_, end()))
    // Too many wait: this worker's clients do then, since the answer must not go before the last response is found.
    for (auto& run : begun_)
      while (run.step()) {
      }
  begun_.clear();
  if (std::exchange(purges_, false)) tell_successor();
  return std::exchange(end_, nullptr);
}

void WriteEffects::tell_successor() {
  auto& shared = pending_.core.shared;
  if (!shared.replaced.load(std::memory_order_acquire)) return;
  const auto& waits = end();
  waits->add();
  if (!shared.successor.purge([waits] { waits->count_down(); })) waits->count_down();
}

void WriteEffects::by_resources(const http::ResponseView& head) {
  cache::PurgeOrder order;
  order.resources = invalidated_resources(pending_, not_looked_up(), head);
  carry_out(std::move(order));
}

TagContent WriteEffects::request_content(std::string& buffer) const {
  if (!pending_.has_content) return {};
  const auto bytes = pending_.whole_content();
  if (!bytes) return {TagContent::State::Unreadable, {}};
  if (bytes->empty()) return {};
  const auto text = cache::readable_text(pending_.route->route->key, pending_.request, *bytes, buffer);
  if (!text) return {TagContent::State::Unreadable, {}};
  return {TagContent::State::Text, *text};
}

TagContent WriteEffects::answer_content(const http::ResponseView& head, std::string& buffer) const {
  const auto held = held_.lock();
  if (!held || held->state() == HeldAnswer::Content::NotHeld) return {};
  if (held->state() != HeldAnswer::Content::Whole) return {TagContent::State::Unreadable, {}};
  const auto bytes = held->content();
  if (bytes.empty()) return {};
  const auto coding = head.fields.value(FieldId::ContentEncoding).value_or("");
  if (coding.empty()) return {TagContent::State::Text, bytes};
  const auto most = static_cast<std::size_t>(pending_.route->route->invalidates.body_max);
  if (!content::decode(coding, bytes, most, buffer)) return {TagContent::State::Unreadable, {}};
  return {TagContent::State::Text, buffer};
}

void WriteEffects::by_tags(const http::ResponseView* head, cache::PurgeMode mode, bool by_route) {
  const auto& route = *pending_.route->route;
  const auto& config = pending_.config();
  std::string of_request, of_answer;
  rules::TagParts parts;
  add_captures(route, pending_.reading.target.path(), parts);
  parts.request = pending_.request.fields;
  parts.body = request_content(of_request);
  if (head) {
    parts.response = head->fields;
    parts.answer = answer_content(*head, of_answer);
  }
  const auto filled = rules::fill(route.invalidates.tags, parts);
  cache::PurgeOrder order;
  order.mode = mode;
  order.now = pending_.core.now().mono;
  for (const auto& tag : filled.tags) order.tags.push_back(cache::tag_digest(tag));
  std::sort(order.tags.begin(), order.tags.end());
  order.tags.erase(std::unique(order.tags.begin(), order.tags.end()), order.tags.end());
  if (!head && route.policy.invalidate_on_write)
    add_resources(pending_.runtime->runtime->routes, pending_.reading.scheme, pending_.reading.host,
                  pending_.reading.target, order.resources);
  const auto add_route = [&](const config::Route& reader) {
    if (std::find(order.routes.begin(), order.routes.end(), reader.name) == order.routes.end())
      order.routes.push_back(reader.name);
  };
  for (const auto index : by_route ? filled.unknown : std::vector<std::size_t>()) {
    const auto& tag = route.invalidates.tags[index];
    const auto readers = config::readers_of(config, tag);
    for (const auto* reader : readers) add_route(*reader);
    if (!readers.empty()) continue;
    for (const auto& reader : config.routes)
      if (config::reads_tags(reader)) add_route(reader);
  }
  if (!filled.unknown.empty()) {
    pending_.route->counters->writes_uncertain.add();
    // Of an outcome that is not known, parts of the answer never are.
    if (head && pending_.core.shared.uncertain_writes.first(digest_of(route.name).lo))
      log::warn("a write on route " + route.name + " has a tag that cannot be told, such as " +
                route.invalidates.tags[filled.unknown.front()].text() + ": all stored responses of " +
                std::to_string(order.routes.size()) +
                " routes were invalidated (is key.body_max or invalidates.body_max too small, or the content no "
                "JSON?); further ones are counted in forebay_writes_uncertain_total");
  }
  purges_ = purges_ || !order.routes.empty();
  if (!order.routes.empty()) leave_to_purger(pending_.core.shared, order, end());
  carry_out(std::move(order));
}

void WriteEffects::by_groups(const http::ResponseView& head) {
  const auto groups = rules::read_groups(head.fields, "Cache-Group-Invalidation");
  const auto& host = pending_.reading.host;
  if (groups.empty() || host.empty()) return;
  cache::PurgeOrder order;
  for (const auto& name : group_names(pending_.config(), pending_.reading.scheme, host, groups))
    order.tags.push_back(cache::tag_digest(name));
  carry_out(std::move(order));
}

}  // namespace forebay::proxy
