#include "write_effects.hpp"

#include <algorithm>
#include <atomic>
#include <ctime>

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

/// A search for all responses of a route that takes longer than this, of CPU time, is not repeated on a worker for so
/// long.
constexpr Duration kQuickSearch = std::chrono::milliseconds{10};
constexpr Duration kSearchPause = std::chrono::seconds{1};

Duration cpu_time() noexcept {
  timespec t{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return std::chrono::seconds{t.tv_sec} + std::chrono::nanoseconds{t.tv_nsec};
}

std::atomic<std::int64_t>& searched_until(Shared& shared, const std::string& route) {
  return shared.searched_until[digest_of(route).lo % shared.searched_until.size()];
}

/// Of routes that a worker has searched lately, and for long, the purger removes all that is named meanwhile at once.
void leave_to_purger(Shared& shared, cache::PurgeOrder& order) {
  std::erase_if(order.routes, [&](const std::string& route) {
    return searched_until(shared, route) > order.now.time_since_epoch().count() &&
           shared.purger.follow_up(route, order.mode, order.now);
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

net::SourcePtr WriteEffects::hold(net::SourcePtr source) {
  if (!may_invalidate(pending_, not_looked_up())) return source;
  const auto& invalidates = pending_.route->route->invalidates;
  if (!rules::any_uses(invalidates.tags, Part::ResponseBody)) return source;
  HeldAnswer::Rules rules;
  rules.most = invalidates.body_max;
  rules.holds = [](const http::ResponseView& head, const net::Sink::HeadFacts&) {
    const auto type = head.fields.value(FieldId::ContentType);
    return succeeds(head.status) && (!type || may_be_json(*type)) && !rules::is_endless(head);
  };
  rules.reserve = [&store = pending_.core.shared.store](std::size_t n) { return store.reserve(n); };
  auto held = std::make_shared<HeldAnswer>(std::move(source), std::move(rules));
  held_ = held;
  return HeldAnswer::own(std::move(held));
}

std::size_t WriteEffects::apply(const http::ResponseView& head, bool repeated) const {
  std::size_t orders = invalidate_after(pending_, not_looked_up(), head) ? 1 : 0;
  if (http::is_safe(pending_.request.method)) return orders;
  if (succeeds(head.status)) orders += by_groups(head);
  if (!may_invalidate(pending_, not_looked_up())) return orders;
  if (succeeds(head.status)) return orders + by_tags(&head, pending_.route->route->invalidates.mode);
  if (is_of_gateway(head.status) || repeated) orders += by_tags(nullptr, cache::PurgeMode::Soft);
  return orders;
}

std::size_t WriteEffects::on_head(const http::ResponseView& head, bool repeated) {
  const auto orders = apply(head, repeated);
  settled_ = true;
  return orders;
}

void WriteEffects::on_failure(net::FetchError error, bool asked) {
  if (settled_ || !asked || !may_invalidate(pending_, not_looked_up())) return;
  settled_ = true;
  by_tags(nullptr, cache::PurgeMode::Soft, !is_of_client(error));
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

std::size_t WriteEffects::by_tags(const http::ResponseView* head, cache::PurgeMode mode, bool by_route) const {
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
  order.by_write = true;
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
  leave_to_purger(pending_.core.shared, order);
  if (order.empty()) return 0;
  // On the worker, whose clients wait as long: the answer must not go before the last response is found. 75 ms of CPU
  // for a tag of a million responses.
  const auto before = cpu_time();
  pending_.core.shared.store.purge(order);
  if (cpu_time() - before > kQuickSearch)
    for (const auto& name : order.routes)
      searched_until(pending_.core.shared, name) = (order.now + kSearchPause).time_since_epoch().count();
  return 1;
}

std::size_t WriteEffects::by_groups(const http::ResponseView& head) const {
  const auto groups = rules::read_groups(head.fields, "Cache-Group-Invalidation");
  const auto& host = pending_.reading.host;
  if (groups.empty() || host.empty()) return 0;
  cache::PurgeOrder order;
  order.by_write = true;
  order.now = pending_.core.now().mono;
  for (const auto& name : group_names(pending_.config(), pending_.reading.scheme, host, groups))
    order.tags.push_back(cache::tag_digest(name));
  if (order.empty()) return 0;
  pending_.core.shared.store.purge(order);
  return 1;
}

}  // namespace forebay::proxy
