#include "forebay/proxy/reading.hpp"

#include <algorithm>
#include <utility>

#include "forebay/http/forwarding.hpp"
#include "forebay/http/list.hpp"
#include "forebay/http/names.hpp"
#include "forebay/rules/cache_control.hpp"
#include "forebay/rules/query_secrets.hpp"

namespace forebay::proxy {

void Reading::rebase(std::string_view raw, std::string_view copy) noexcept {
  target.rebase(raw, copy);
  for (auto& capture : captures) capture.value = http::rebased(capture.value, raw, copy);
}

bool read_host(std::string_view authority, std::string_view forwarded_proto, bool trusted,
               std::string_view listener_scheme, Reading& reading) {
  reading.scheme = listener_scheme;
  if (const auto claimed = http::known_scheme(forwarded_proto); trusted && !claimed.empty()) reading.scheme = claimed;
  reading.host.clear();
  return authority.empty() || http::append_normal_host(authority, reading.scheme, reading.host);
}

namespace {

/// Reusable buffers for reading content for conditions.
struct Scratch {
  std::string text;
  content::CanonicalJson json;
};
Scratch& scratch() {
  thread_local Scratch buffers;
  return buffers;
}

/// Looks for secrets in the query. With one that is not in the key, the response is only for this request.
rules::Reason read_secrets(const config::Route& route, std::string_view query, rules::RequestFacts& facts) {
  const auto& spec = route.key;
  if (route.policy.credentials.empty()) return rules::Reason::None;
  if (spec.query == cache::QueryMode::All && !route.policy.no_vary_search) return rules::Reason::None;
  bool unkeyed = false;
  std::string buffer;
  http::for_each_query_pair(query, [&](const http::QueryPair& pair) {
    const bool secret = rules::names_secret(pair.name) ||
                        http::any_name_between_semicolons(http::whole_pair(pair), rules::names_secret);
    facts.secret_in_query = facts.secret_in_query || secret;
    unkeyed = unkeyed || (secret && !cache::counts_in_key(spec, pair, buffer));
  });
  return unkeyed ? rules::Reason::Credential : rules::Reason::None;
}

void read_match(const config::RouteTable::Match& match, const http::RequestView& request, bool has_content,
                Reading& reading) {
  reading.route = match.route;
  reading.method_fits = match.method;
  reading.awaits_content = false;
  reading.content = cache::ContentUse::None;
  reading.captures.clear();
  if (!match.route) {
    reading.facts = {};
    reading.facts.directives = rules::read_request_directives(request.fields);
    reading.reason = rules::Reason::NoRoute;
    return;
  }
  const auto& policy = match.route->policy;
  const auto& spec = match.route->key;
  reading.facts = rules::facts_of(request, policy);
  // The request is ambiguous: none of the routes that may match shares its response.
  if (match.conditions.verdict == rules::Verdict::Unclear) {
    reading.reason = match.conditions.reason;
    return;
  }
  if (!match.method) {
    reading.reason = policy.cache ? rules::Reason::Method : rules::Reason::CacheOff;
    return;
  }
  reading.content = cache::content_use(spec, request.method, has_content);
  reading.reason =
      rules::may_look_up(reading.facts, request, reading.target.query(), cache::unkeyed(reading.content), policy);
  const auto query = reading.target.query();
  if (reading.reason == rules::Reason::None && query)
    reading.reason = read_secrets(*match.route, *query, reading.facts);
  if (reading.reason != rules::Reason::None) return;
  if (spec.path == cache::PathMode::Captures) match.route->path.capture(reading.target.path(), reading.captures);
}

/// Whether `bypass.body` keeps the request from the cache.
bool bypasses_by_content(const config::Route& route, const http::RequestView& request,
                         std::optional<std::string_view> content) {
  const auto& asked = route.policy.bypass.body;
  auto& buffers = scratch();
  if (!content || content->empty()) return rules::may_meet_without_content(asked);
  const auto text = cache::readable_text(route.key, request, *content, buffers.text);
  return !text || rules::may_meet_any(asked, buffers.json, *text);
}

}  // namespace

rules::Judged judge_content(const config::Route& route, const http::RequestView& request, bool has_content,
                            const ReadContent& content) {
  const auto& asked = route.match.body;
  const bool whole = content.state == ReadContent::State::Whole;
  if (!has_content || (whole && content.bytes.empty())) return rules::match_no_content(asked);
  auto& buffers = scratch();
  const auto text = whole ? cache::readable_text(route.key, request, content.bytes, buffers.text) : std::nullopt;
  if (!text) return {rules::Verdict::Unclear, rules::Reason::MatchBody, rules::Judged::kUnreadable};
  return rules::match_content(asked, buffers.json, *text);
}

void read_route(const config::RouteTable& routes, const http::RequestView& request, bool has_content, Reading& reading,
                const ReadContent& content) {
  const auto query = reading.target.query();
  auto match = std::exchange(reading.awaits_content, false)
                   ? config::RouteTable::Match{reading.route, true, {}}
                   : routes.find(reading.host, reading.target.path(), request, query, 0, reading.scheme);
  while (match.route && match.method && !match.route->match.body.empty() &&
         match.conditions.verdict == rules::Verdict::Yes) {
    if (has_content && content.state == ReadContent::State::Unread) {
      reading.route = match.route;
      reading.method_fits = reading.awaits_content = true;
      reading.facts = rules::facts_of(request, match.route->policy);
      return;
    }
    match.conditions = judge_content(*match.route, request, has_content, content);
    if (match.conditions.verdict != rules::Verdict::No) break;
    match = routes.find(reading.host, reading.target.path(), request, query, match.route->index + 1, reading.scheme);
  }
  read_match(match, request, has_content, reading);
}

void read_upgrade(const http::RequestView& sent, bool has_content, Reading& reading) {
  if (sent.version != http::Version::Http11 || sent.method != http::Method::Get || has_content) return;
  if (!http::connection_names(sent.fields, "upgrade")) return;
  if (const auto asked = sent.fields.combined(http::FieldId::Upgrade, reading.asked_upgrade))
    reading.asked_upgrade = std::string(*asked);
}

void offer_upgrade(const std::vector<std::string>& without_route, Reading& reading) {
  if (reading.asked_upgrade.empty()) return;
  const auto& allowed = reading.route ? reading.route->policy.upgrade : without_route;
  http::for_each_member(reading.asked_upgrade, [&](std::string_view protocol) {
    const bool listed = std::any_of(allowed.begin(), allowed.end(),
                                    [&](const std::string& name) { return http::iequals(name, protocol); });
    if (listed && !http::has_member(reading.upgrade, protocol))
      reading.upgrade.append(reading.upgrade.empty() ? "" : ", ").append(protocol);
  });
  if (!reading.upgrades()) return;
  reading.reason = rules::Reason::Upgrade;
  reading.content = cache::ContentUse::None;
  reading.awaits_content = false;
}

rules::Reason too_large_reason(const config::Route& route) noexcept {
  return route.policy.bypass.body.empty() ? rules::Reason::BodyTooLarge : rules::Reason::RuleBody;
}

http::RequestView as_get(http::RequestView request) noexcept {
  request.method = http::Method::Get;
  request.method_text = "GET";
  return request;
}

bool read_as_get(const config::RouteTable& routes, const http::RequestView& request, std::string_view target,
                 Reading& reading) {
  if (!reading.target.read(http::Method::Get, target)) return false;
  read_route(routes, as_get(request), false, reading);
  return reading.reason == rules::Reason::None;
}

rules::Reason build_key(const Reading& reading, const http::RequestView& request,
                        std::optional<std::string_view> content, cache::PersistedQueries& persisted, cache::Key& key,
                        const rules::NoVarySearch* search, std::vector<cache::KeyPart>* parts) {
  if (!reading.route->policy.bypass.body.empty() && bypasses_by_content(*reading.route, request, content))
    return rules::Reason::RuleBody;
  cache::KeyInput input{reading.route->name, request, reading.target, reading.scheme, reading.host};
  input.claims = reading.claims;
  input.captures = reading.captures;
  input.content = content;
  input.persisted = &persisted;
  input.search = search;
  return key.build(reading.route->key, input, parts);
}

std::string origin_target(const config::Rewrite& rewrite, std::string_view target) {
  std::string_view strip = rewrite.strip_prefix, add = rewrite.add_prefix;
  while (strip.ends_with('/')) strip.remove_suffix(1);
  while (add.ends_with('/')) add.remove_suffix(1);
  if (!strip.empty() && target.starts_with(strip)) {
    const auto rest = target.substr(strip.size());
    if (rest.empty() || rest.front() == '/' || rest.front() == '?') target = rest;
  }
  std::string out(add);
  if (!target.starts_with('/') && target != "*") out += '/';
  return out.append(target);
}

}  // namespace forebay::proxy
