#include "forebay/proxy/explain.hpp"

#include <algorithm>

#include "explain_case.hpp"
#include "forebay/base/text.hpp"
#include "forebay/cache/listing.hpp"
#include "forebay/http/forwarding.hpp"
#include "forebay/proxy/origin_fields.hpp"
#include "forebay/rules/reuse.hpp"
#include "own_answer.hpp"
#include "purge_request.hpp"

// Follows a request through handler.cpp, lookup.cpp and proceed.cpp with the same decisions.

namespace forebay::proxy {
namespace {

using http::FieldId;
using http::Method;
using rules::CacheResult;
using rules::Forward;
using rules::Reason;
using Kind = cache::LookupKind;

/// A URL taken apart.
struct Url {
  std::string_view fault;  ///< Why no request can have this URL; empty if valid.
  std::string scheme = "http", host, target;
};

/// Reads `http://host/path?query`, `host/path` and `/path`.
Url read_url(std::string_view url) {
  Url out;
  const auto refuse = [&](std::string_view why) {
    out.fault = why;
    return out;
  };
  if (url.empty()) return refuse("the URL is empty");
  const auto visible = [](char b) { return static_cast<unsigned char>(b) > 0x20 && b != 0x7F; };
  if (!std::all_of(url.begin(), url.end(), visible))
    return refuse("the URL contains a space or a control character; percent-encode it (a space is %20)");
  url = url.substr(0, url.find('#'));  // a fragment stays with the client
  if (url.starts_with('/') || url == "*") {
    out.target = url;
    return out;
  }
  if (const auto colon = url.find("://"); colon < url.find_first_of("/?")) {
    out.scheme = lower_case(url.substr(0, colon));
    if (out.scheme != "http" && out.scheme != "https") return refuse("the URL's scheme is not http or https");
    url.remove_prefix(colon + 3);
  }
  const auto end = std::min(url.size(), url.find_first_of("/?"));
  out.host = url.substr(0, end);
  if (out.host.empty()) return refuse("the URL has no host");
  if (out.host.find('@') != std::string::npos)
    return refuse("the URL contains a user name or a password; use an Authorization field");
  out.target = url.substr(end);
  if (!out.target.starts_with('/')) out.target.insert(0, 1, '/');
  return out;
}

/// curl reads `account/x` as host and path; the user may mean a path.
void note_doubtful_host(ExplainCase& c, const Url& url) {
  const bool bare = !url.host.empty() && c.asked.url.starts_with(url.host);
  if (!bare || url.host.find_first_of(".:") != std::string::npos || http::is_localhost(url.host)) return;
  c.note('"' + url.host + "\" is taken as the host; a path starts with /, as in /" + c.asked.url);
}

/// The fields as a client would send them, and the request made of it all.
void make_request(ExplainCase& c, const std::string& url_host) {
  // As with curl, a given Host overrides that of the URL.
  if (!c.asked.fields.view().has(FieldId::Host) && !url_host.empty()) c.sent.add(FieldId::Host, url_host);
  for (const auto& f : c.asked.fields.view()) c.sent.add(f.name, f.value);
  const bool framed = c.sent.view().has(FieldId::ContentLength) || c.sent.view().has(FieldId::TransferEncoding);
  if (c.asked.content && !framed) c.sent.add(FieldId::ContentLength, std::to_string(c.content().size()));
  c.request.method = http::method_of(c.asked.method);
  c.request.method_text = c.asked.method;
  c.request.target = c.target;
  c.request.fields = c.sent;
  c.request.authority = c.sent.view().value(FieldId::Host).value_or("");
}

/// Whether clients may use it is not asked here.
void refuse_purge(ExplainCase& c) {
  const auto& purging = c.context.config.purging;
  const auto& method = c.asked.method;
  if (!(method == "PURGE" && purging.purge) && !(method == "BAN" && purging.ban)) return c.refuse(kPurgeIsOff);
  c.refuse(200, method + " purges what it names, for the clients of purge.allow and purge.token");
}

/// The limits of the edge, then the checks before routing.
bool refused_at_once(ExplainCase& c, const HeadFacts& facts) {
  const auto& server = c.context.config.server;
  if (c.target.size() > server.request_limits.target)
    return c.refuse(414, "the target is longer than server.limits.request_target"), true;
  std::size_t head = c.asked.method.size() + c.target.size() + 13;
  for (const auto& f : c.sent.view()) head += f.name.size() + f.value.size() + 4;
  if (head > server.request_limits.head || c.sent.view().size() > server.request_limits.fields)
    return c.refuse(431, "the head is larger than server.limits.request_header or header_count"), true;
  if (c.content().size() > server.request_body)
    return c.refuse(413, "the content is longer than server.limits.request_body"), true;
  const auto instance = c.context.shared ? std::string_view(c.context.shared->instance_id) : std::string_view();
  if (http::orders_purge(c.request.method_text)) return refuse_purge(c), true;
  const auto* error = refuse_head(c.request, facts, instance, c.reading);
  if (error) c.refuse(*error);
  return error != nullptr;
}

std::vector<std::string> methods_of(const rules::Policy& policy) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < static_cast<std::size_t>(Method::Other); ++i) {
    const auto method = static_cast<Method>(i);
    if (rules::lists_method(policy, method, http::to_string(method))) names.emplace_back(http::to_string(method));
  }
  names.insert(names.end(), policy.other_methods.begin(), policy.other_methods.end());
  return names;
}

/// RFC 9110 section 9.1: `post` is a method of its own.
void note_case_of_method(ExplainCase& c) {
  if (c.request.method != Method::Other) return;
  const auto upper = upper_case(c.asked.method);
  if (http::method_of(upper) != Method::Other)
    c.note("methods are case-sensitive: " + c.asked.method + " is not " + upper);
}

/// The peer is assumed to be untrusted.
void note_claims(ExplainCase& c) {
  for (const auto& f : c.request.fields) {
    const auto name = std::string(f.name);
    switch (http::claim_of(f)) {
      case http::Claim::None: break;
      case http::Claim::Place:
        c.note(name + " is forwarded, and part of the key, only if a trusted proxy sends it");
        break;
      case http::Claim::Target:
      case http::Claim::Method:
        c.note(name + " is not forwarded with requests that are looked up, unless key.headers lists it");
        break;
      case http::Claim::Address: c.note(name + " is forwarded only if a trusted proxy sends it"); break;
      case http::Claim::Never: c.note(name + " is never forwarded"); break;
    }
  }
}

void note_upgrade(ExplainCase& c, bool sent) {
  if (!sent) return;
  if (c.reading.upgrades())
    return c.note("the origin is asked to switch to " + c.reading.upgrade +
                  "; if it does (101), the connection becomes a tunnel");
  if (c.reading.asked_upgrade.empty())
    return c.note(
        "Upgrade is ignored: only a GET of HTTP/1.1 without content and with `Connection: upgrade` can switch "
        "protocols");
  c.note("Upgrade is ignored: the route does not list " + c.reading.asked_upgrade + " (upgrade)");
}

void describe_route(ExplainCase& c) {
  const auto& route = c.route();
  c.out.route = Explanation::MatchedRoute{};
  auto& out = *c.out.route;
  out.name = route.name;
  out.index = route.index;
  out.file = route.file;
  out.line = route.line;
  out.policy = route.policy_name;
  out.origin = route.origin;
  out.methods = route.any_method ? std::vector<std::string>{"any"} : methods_of(route.policy);
  if (route.answers != config::Answers::Origin) return;
  out.target = origin_target(route.rewrite, whole_target(c.reading.target));
  if (!c.reading.method_fits)
    c.note("first route that matches host and path; no route that matches them lists the method");
  note_invalidated(c);
}

/// What the origin gets in place of the client's signature or credentials.
void note_signature(ExplainCase& c) {
  const auto& origins = c.context.config.origins;
  const auto origin = origins.find(c.route().origin);
  if (origin == origins.end() || !origin->second.sign.on()) return;
  const auto& sign = origin->second.sign;
  c.note("the request to the origin is signed for " + sign.service + " in " + sign.region +
         "; Authorization and X-Amz-* fields of the client are not sent");
  if (sign.signs_content() && c.content().size() > sign.body_max)
    c.note("the content is longer than what is signed (sign.body_max): 413");
}

/// `502`, or `500-599`.
std::string text_of(const rules::StatusPattern& s) {
  return std::to_string(s.from) + (s.to == s.from ? "" : '-' + std::to_string(s.to));
}

/// When another origin would be asked. Not for requests that authenticate their connection.
void note_failover(ExplainCase& c, const std::string& name) {
  const auto& origins = c.context.config.origins;
  const auto found = origins.find(name);
  if (found == origins.end() || found->second.failover.empty() || !http::is_safe(c.request.method)) return;
  if (c.reading.facts.for_connection && !found->second.sign.on()) return;
  const auto& on = found->second.failover_on;
  std::vector<std::string> cases;
  if (on.connect) cases.emplace_back("gives no answer");
  if (on.timeout) cases.emplace_back("does not answer in time");
  std::string statuses;
  for (const auto& s : on.statuses) statuses += (statuses.empty() ? "" : ", ") + text_of(s);
  if (!statuses.empty()) cases.push_back("answers " + statuses);
  cases.emplace_back("is out of use");
  std::string text;
  for (std::size_t i = 0; i < cases.size(); ++i)
    text += (i == 0 ? "" : i + 1 == cases.size() ? ", or " : ", ") + cases[i];
  c.note("if " + name + ' ' + text + ", " + found->second.failover + " is asked in its place" +
         (!c.content().empty() ? ", unless a part of the content was sent and is not kept" : ""));
}

/// Notes on a request that is forwarded or looked up.
void note_route(ExplainCase& c) {
  note_failover(c, c.reading.route ? c.route().origin : c.context.config.default_origin);
  if (!c.reading.route) return c.note("forwarded to the default origin, " + c.context.config.default_origin);
  note_signature(c);
  if (c.reading.facts.refresh)
    c.note("Forebay-Refresh has the right token: the response is fetched again and replaces the entry");
  if (!c.reading.facts.refresh_refused) return;
  const bool warns = c.route().policy.client_refresh.otherwise == rules::RefreshRefusal::Warn;
  c.note(warns ? "the request asks for a refresh without the right token; the response has `Forebay-Refresh: refused`"
               : "the request asks for a refresh without the right token; this is ignored");
}

void pass(ExplainCase& c, Reason reason) {
  c.out.lookup_reason = reason;
  const auto plan = plan_bypass(reason, c.reading.facts);
  if (const auto* refused = std::get_if<Refuse>(&plan)) return c.refuse(*refused->error);
  const auto cause = reason == Reason::BodyUnparsable ? unreadable_because(c) : std::string();
  const bool unclear = reason == Reason::MatchHeader || reason == Reason::MatchQuery || reason == Reason::MatchBody;
  if (unclear) c.note(unclear_because(c));
  if (!cause.empty())
    c.note("the key cannot be built from the content: " + cause);
  else if (const auto sentence = sentence_of(reason); !sentence.empty())
    c.note(std::string(sentence));
  c.status = std::get<GoForward>(plan).status;
  judge_response(c, {});
}

/// The content for the key, if any.
std::optional<std::string_view> keyed_content(const ExplainCase& c) {
  const auto use = c.reading.content;
  if (use == cache::ContentUse::Keyed || (!c.content().empty() && use != cache::ContentUse::None)) return c.content();
  return std::nullopt;
}

/// None once the key is there.
Reason make_key(ExplainCase& c) {
  const auto use = c.reading.content;
  const bool keyed = use == cache::ContentUse::Keyed;
  const bool has_content = !c.content().empty();
  if (has_content && use != cache::ContentUse::None && c.content().size() > c.route().key.body_max)
    return too_large_reason(c.route());
  if (keyed && has_content && !c.request.fields.has(FieldId::ContentType))
    c.note("the content has no Content-Type, which is a part of the key");
  const auto reason = build_key(c.reading, c.request, keyed_content(c), c.persisted, c.key, nullptr, &c.out.parts);
  if (reason != Reason::None) c.out.parts.clear();
  return reason;
}

/// What its origin would get; the client's address is not known here.
OriginSelecting selecting_of(const ExplainCase& c) {
  OriginRequest asked{c.context.config, c.context.config.origins.at(c.route().origin), &c.route(), c.request};
  asked.scheme = c.reading.scheme;
  asked.host = c.reading.host;
  asked.looked_up = asked.shared = true;
  asked.drops_credentials = asked.origin.sign.on();
  return OriginSelecting(asked);
}

cache::LookupRequest look_up_request(const ExplainCase& c, const cache::Key& key, const cache::Selecting& selecting) {
  return proxy::look_up_request(key, selecting, c.reading.facts, c.route(), c.context.now.mono);
}

/// As in lookup.cpp: if a stored response of this resource has a No-Vary-Search rule, the key under that rule is tried
/// first.
void find_by_rule(ExplainCase& c) {
  if (!c.route().policy.no_vary_search || c.reading.facts.secret_in_query || !c.context.shared || !c.context.store)
    return;
  const auto rule = c.context.shared->searches.find(c.key.base());
  cache::Key searched;
  std::vector<cache::KeyPart> parts;
  if (!rule ||
      build_key(c.reading, c.request, keyed_content(c), c.persisted, searched, rule.get(), &parts) != Reason::None)
    return;
  const auto found = c.context.store->peek(look_up_request(c, searched, selecting_of(c)));
  if (!found.found || found.reuse == rules::Reuse::NotForThis) return;
  c.key = searched;
  c.out.parts = std::move(parts);
  c.note("the query is compared by the No-Vary-Search of the stored response");
}

std::string state_of(const ExplainCase& c) {
  const auto& f = c.found.stored.freshness;
  const auto now = c.context.now.mono;
  switch (c.found.reuse) {
    case rules::Reuse::Fresh: return "fresh";
    case rules::Reuse::WhileRevalidating: return "stale_while_revalidate";
    case rules::Reuse::MaxStale: return "stale";
    case rules::Reuse::NotForThis: return "not_for_this";
    case rules::Reuse::Validate: break;
  }
  if (f.no_cache || (!f.purged && f.ttl(now) > Duration{0})) return "must_validate";
  return rules::may_serve_on_error(f, c.reading.facts, c.route().policy, now) ? "stale_if_error" : "stale";
}

void look_up(ExplainCase& c) {
  find_by_rule(c);
  c.out.has_key = true;
  c.out.key_text = c.key.text();
  c.out.key_id = to_hex(c.key.id());
  const auto selecting = selecting_of(c);
  const auto request = look_up_request(c, c.key, selecting);
  const auto& route = c.route();
  if (!c.context.store) {
    // The result of an empty store.
    const cache::Store empty({1024 * 1024, 1});
    c.found = empty.peek(request);
    return;
  }
  c.found = c.context.store->peek(request);
  if (const auto& memory = c.found.pass_memory) c.out.pass_memory = {memory.cause, seconds_left(memory)};
  c.out.stored = Explanation::Stored{};
  auto& stored = *c.out.stored;
  stored.found = c.found.found;
  stored.variants = c.found.variants;
  if (!stored.found) return;
  const auto windows = rules::windows_of(c.found.stored.freshness, route.policy);
  stored.state = state_of(c);
  stored.age_s = c.age_of(c.found.stored.freshness);
  stored.ttl_s = c.ttl_of(c.found.stored.freshness);
  stored.lifetime_s = whole_seconds(c.found.stored.freshness.lifetime);
  stored.swr_s = whole_seconds(windows.while_revalidate);
  stored.sie_s = whole_seconds(windows.if_error);
  if (const auto& entry = c.found.stored.entry) {
    stored.size = entry->body_length();
    stored.origin = entry->origin();
    for (auto& listed : c.context.store->find(c.key.id(), c.context.now.mono))
      if (listed.entry.get() == entry.get()) {
        stored.tags = std::move(listed.tags);
        stored.secondary = std::move(listed.secondary);
      }
    std::sort(stored.tags.begin(), stored.tags.end());
  }
  stored.hits = c.found.hits;
}

/// For a fetch by another request, or a later one.
const Fetch kStoring{.status = {}, .may_store = true};

/// Describes the plan, and judges the given response: for a request that is served or waits, as the response of a later
/// or another request's fetch.
struct Tell {
  ExplainCase& c;

  void operator()(const Refuse& plan) const { c.refuse(*plan.error); }

  void operator()(const GoForward& plan) const {
    c.status = plan.status;
    c.note("If-Match or If-Unmodified-Since does not match the stored response: the origin decides");
    judge_response(c, {});
  }

  void operator()(const Serve& plan) const {
    judge_response(c, kStoring);
    c.status = plan.status;
    c.say_ttl(c.found.stored.freshness);
    if (c.found.unasked)
      c.note("the origin has failed and asked for a pause (Retry-After), so it is not asked meanwhile");
    else if (c.found.kind == Kind::Stale && c.found.ticket)
      c.note("it is refreshed in the background");
    else if (c.found.kind == Kind::Stale)
      c.note(c.found.paused ? "the last fetch for it failed, and the next refresh waits"
                            : "no refresh starts: one is in progress, or this request may not start one");
    const bool reload = c.route().policy.client_cache_control && c.reading.facts.directives.max_age == Seconds{0};
    if (reload && c.status.result == CacheResult::Hit)
      c.note(
          "the stored response is immutable and fresh, so the client's max-age=0 does not reach the origin (RFC 8246)");
    const auto& entry = c.found.stored.entry;
    if (!c.asked.response)
      note_coding(c, entry->head().status, entry->head().fields, entry->body_length(), entry.get());
  }

  void operator()(const Follow& plan) const {
    c.note("a fetch for the same key is in progress; the request waits for its response");
    wait(plan.forward);
  }

  void operator()(const Overflow& plan) const {
    const auto& policy = c.route().policy;
    const auto& found = c.found.stored;
    c.note("the maximum number of requests waits for this fetch already (coalesce.max_waiters)");
    if (policy.coalesce.on_timeout == rules::OnTimeout::Fetch) {
      c.note("the request starts or joins another fetch, as after coalesce.wait (coalesce.on_timeout: fetch)");
      return wait(plan.forward);
    }
    if (!found.entry || !policy.stale.errors.timeout ||
        !rules::may_serve_on_error(found.freshness, c.reading.facts, policy, c.context.now.mono))
      return c.refuse(kQueueIsFull);
    c.status.result = CacheResult::StaleError;
    c.say_ttl(found.freshness);
  }

  void operator()(const Fetch& plan) const {
    c.status = plan.status;
    const bool head = c.request.method == Method::Head;
    if (plan.by_get)
      c.note(
          "the origin gets a GET, and its response may be stored; the HEAD does not wait for the body (convert_head)");
    else if (head && plan.uses_entry)
      c.note("the HEAD validates the response stored for GET; its own response is not stored");
    else if (head && c.status.reason == Reason::Method)
      c.note("the response to a HEAD is not stored");
    else if (const auto sentence = sentence_of(c.status.reason); !sentence.empty())
      c.note(std::string(sentence));
    judge_response(c, plan);
  }

 private:
  void wait(Forward forward) const {
    judge_response(c, kStoring);
    c.status = {};
    c.status.result = CacheResult::Coalesced;
    c.status.forward = forward;
    c.status.collapsed = true;
  }
};

/// The default host: that of the first listener.
std::string assumed_host(const config::Config& config) {
  for (const auto& listener : config.listeners) {
    const auto& at = listener.address;
    if (at.kind != config::Address::Kind::Tcp) continue;
    const bool six = at.host.find(':') != std::string::npos;
    const bool everywhere = at.host.empty() || at.host == "0.0.0.0" || at.host == "::";
    const auto host = everywhere ? "localhost" : six ? '[' + at.host + ']' : at.host;
    return at.port == 0 || at.port == 80 ? host : host + ':' + std::to_string(at.port);
  }
  return "localhost";
}

/// The route answers by itself.
void tell_answer(ExplainCase& c, Reason reason) {
  const auto& route = c.route();
  c.out.lookup_reason = reason;
  c.status = bypass_status(reason);
  if (reason == Reason::Respond) {
    c.answers = true;
    c.out.own_status = static_cast<int>(route.respond.status);
    const auto size = route.respond.content ? route.respond.content->bytes().size() : 0;
    return c.note("the route answers " + std::to_string(c.out.own_status) + " with " + std::to_string(size) +
                  " bytes of its own (respond)");
  }
  const auto location = location_for(route, c.reading);
  if (!location) return c.refuse(400, "the request has no host, which the redirect needs");
  c.answers = true;
  c.out.own_status = static_cast<int>(route.redirect.status);
  c.note("the route answers " + std::to_string(c.out.own_status) + " with Location: " + *location + " (redirect)");
}

void say_outcome(ExplainCase& c) {
  const auto& diagnostics = c.context.config.diagnostics;
  auto& out = c.out;
  if (out.own_status != 0 && !c.answers) c.status.result = CacheResult::Error;
  out.result = rules::to_string(c.status.result);
  if (out.own_status == 0 && diagnostics.cache_status != config::CacheStatusField::Off) {
    if (diagnostics.cache_status == config::CacheStatusField::Key && out.has_key) c.status.key = out.key_text;
    rules::append_cache_status(out.cache_status, diagnostics.name, c.status);
  }
  if (diagnostics.x_cache) out.x_cache = rules::x_cache(c.status.result);
}

void tell(ExplainCase& c, const std::string& scheme) {
  const auto facts = scan(c.sent, {});
  if (facts.upgrade) read_upgrade(c.request, !c.content().empty(), c.reading);
  c.request = end_to_end_request(c.request, facts, nullptr, c.kept);
  if (refused_at_once(c, facts)) return;
  if (!read_host(c.request.authority, {}, false, scheme, c.reading)) return c.refuse(kBadHost);
  c.out.url = c.reading.host.empty() ? "" : std::string(c.reading.scheme) + "://" + c.reading.host;
  c.out.url += whole_target(c.reading.target);
  if (!facts.forwarded_proto.empty() && facts.forwarded_proto != scheme)
    c.note("the scheme is that of the URL; X-Forwarded-Proto counts only if a trusted proxy sends it");
  if (!c.context.config.server.trusted_proxies.empty())
    c.note("the peer is assumed not to be in server.trusted_proxies");
  note_claims(c);
  note_case_of_method(c);
  read_route(c.context.routes, c.request, !c.content().empty(), c.reading, c.read_content());
  offer_upgrade(c.context.config.upgrade, c.reading);
  note_upgrade(c, facts.upgrade);
  tell_routes(c);
  if (c.reading.route) describe_route(c);
  const auto& origin = c.reading.route ? c.route().origin : c.context.config.default_origin;
  const auto plan = plan_route(c.reading, c.context.config.origins.contains(origin), false);
  if (const auto* refused = std::get_if<Refuse>(&plan)) {
    if (!c.context.config.origins.contains(origin)) c.out.lookup_reason = Reason::NoRoute;
    return c.refuse(*refused->error);
  }
  if (const auto* here = std::get_if<AnswerHere>(&plan)) return tell_answer(c, here->reason);
  note_route(c);
  if (const auto* bypass = std::get_if<Bypass>(&plan)) return pass(c, bypass->reason);
  if (const auto reason = make_key(c); reason != Reason::None) return pass(c, reason);
  c.out.looked_up = true;
  note_unkeyed_content(c);
  look_up(c);
  const auto& asked = c.reading.facts.directives;
  if (!c.route().policy.client_cache_control && (asked.no_cache || asked.max_age || asked.min_fresh || asked.max_stale))
    c.note("the client's Cache-Control is ignored (client_cache_control: ignore)");
  std::visit(Tell{c}, plan_found(found_of(c.found), {c.reading.facts, c.request.fields, c.route().key,
                                                     !c.content().empty(), true, c.context.now}));
}

}  // namespace

std::string whole_target(const http::Target& target) {
  std::string text(target.path());
  if (const auto query = target.query()) text.append("?").append(*query);
  return text;
}

ExplainCase::ExplainCase(const ExplainRequest& a, const ExplainContext& c)
    : asked(a), context(c), persisted(c.shared ? &c.shared->persisted : nullptr, 64) {}

std::string ExplainCase::setting(const config::Route& route, std::string_view name) {
  const auto found = route.provenance.find(name);
  return found == route.provenance.end() ? "built-in" : found->second.path;
}

void ExplainCase::refuse(int code, std::string why) {
  out.own_status = code;
  note("Forebay answers " + std::to_string(code) + " itself: " + std::move(why));
}

void ExplainCase::refuse(const OwnError& error) {
  auto why = error.detail;
  if (why.ends_with('.')) why.remove_suffix(1);
  refuse(error.status, std::string(why));
}

std::int64_t ExplainCase::age_of(const rules::Freshness& stored) const { return shown(stored, context.now.mono).age_s; }

std::int64_t ExplainCase::ttl_of(const rules::Freshness& stored) const { return shown(stored, context.now.mono).ttl_s; }

void ExplainCase::say_ttl(const rules::Freshness& stored) { status.ttl = ttl_of(stored); }

std::string_view unsendable(const ExplainRequest& request) {
  if (!http::is_token(request.method)) return "the method contains a byte that is not allowed in a method";
  for (const auto& f : request.fields.view())
    if (!http::is_token(f.name) || !http::is_field_value(f.value))
      return "the name or value of a header field contains a byte that is not allowed there";
  return read_url(request.url).fault;
}

Result<Explanation> explain(const ExplainRequest& request, const ExplainContext& context) {
  if (!unsendable(request).empty()) return Errc::Malformed;
  ExplainCase c(request, context);
  auto url = read_url(request.url);
  c.target = std::move(url.target);
  note_doubtful_host(c, url);
  if (url.host.empty() && !c.asked.fields.view().has(FieldId::Host)) {
    url.host = assumed_host(context.config);
    c.note("no host given: " + url.host + " is assumed; a route with `host` may match another host");
  }
  make_request(c, url.host);
  c.out.method = request.method;
  c.out.url = request.url;
  tell(c, url.scheme);
  say_outcome(c);
  return std::move(c.out);
}

}  // namespace forebay::proxy
