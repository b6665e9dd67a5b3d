#include <algorithm>
#include <cmath>

#include "explain_case.hpp"
#include "forebay/content/graphql.hpp"
#include "forebay/http/list.hpp"
#include "forebay/rules/cache_control.hpp"
#include "forebay/rules/freshness.hpp"
#include "forebay/rules/reuse.hpp"
#include "forebay/rules/storability.hpp"
#include "forebay/rules/validation.hpp"

// The fate of a given response, as in storing.cpp and fill.cpp, and the source of each number.

namespace forebay::proxy {
namespace {

using http::FieldId;
using http::Method;
using rules::CacheResult;
using rules::Reason;
using rules::TtlSource;

/// A response with its judgement.
struct Judgement {
  ExplainCase& c;
  http::Fields fields;
  http::ResponseView head;
  const config::Route* route = nullptr;  ///< Under which it would be stored.
  rules::RequestFacts facts;
  rules::ExchangeTimes times;
  bool length_known = true;  ///< False: the end of the connection ends the content.

  explicit Judgement(ExplainCase& of);
  const rules::Policy& policy() const noexcept { return route->policy; }
  rules::Storability judge(const rules::Policy& by) const { return judge(by, head.fields); }
  rules::Storability judge(const rules::Policy& by, http::FieldsView with) const {
    return rules::judge(facts, {head.status, head.version, with}, by, times, length_known, 0.0,
                        whole_target(c.reading.target));
  }
};

Judgement::Judgement(ExplainCase& of)
    : c(of),
      fields(of.asked.response->fields),
      route(of.reading.route),
      facts(of.reading.facts),
      times{of.context.now, of.context.now} {
  const auto& given = *c.asked.response;
  const bool framed = fields.view().has(FieldId::ContentLength) || fields.view().has(FieldId::TransferEncoding);
  // Without framing fields the length counts as known, except with `Connection: close`.
  length_known = framed || !http::has_member(fields.view().value(FieldId::Connection).value_or(""), "close") ||
                 http::never_has_content(given.status) || of.request.method == http::Method::Head;
  if (given.content && !framed && length_known)
    fields.add(FieldId::ContentLength, std::to_string(given.content->size()));
  head = {given.status, http::Version::Http11, fields.view()};
}

std::string seconds_text(Duration d) { return std::to_string(whole_seconds(d)) + " s"; }

/// The field in which the origin states its caching: a targeted one, or Cache-Control.
std::string directives_field(const Judgement& j) {
  for (const auto& name : j.policy().targeted_fields)
    if (rules::read_response_directives(j.head.fields, {name}).targeted) return name;
  return "Cache-Control";
}

std::string status_setting(const Judgement& j) {
  const auto* line = rules::status_line(j.head.status, j.policy());
  if (!line) return ExplainCase::setting(*j.route, "ttl.status");
  const auto& pattern = line->first;
  const auto text =
      pattern.from == pattern.to ? std::to_string(pattern.from) : std::to_string(pattern.from / 100) + "xx";
  return ExplainCase::setting(*j.route, "ttl.status." + text);
}

/// The directive of the response that gave a lifetime; empty when none did.
std::string_view directive_of(const Judgement& j, TtlSource source) {
  switch (source) {
    case TtlSource::Targeted: {
      const auto directives = rules::read_response_directives(j.head.fields, j.policy().targeted_fields);
      return directives.s_maxage ? "s-maxage" : "max-age";
    }
    case TtlSource::SMaxage: return "s-maxage";
    case TtlSource::MaxAge: return "max-age";
    default: return {};
  }
}

std::string setting_of(const Judgement& j, TtlSource source) {
  if (const auto directive = directive_of(j, source); !directive.empty())
    return "the response's " + directives_field(j) + ' ' + std::string(directive);
  switch (source) {
    case TtlSource::Expires: return "the response's Expires";
    case TtlSource::Status: return status_setting(j);
    case TtlSource::Default: return ExplainCase::setting(*j.route, "ttl.default");
    case TtlSource::Heuristic: return ExplainCase::setting(*j.route, "ttl.heuristic");
    case TtlSource::Min: return ExplainCase::setting(*j.route, "ttl.min");
    case TtlSource::Max: return ExplainCase::setting(*j.route, "ttl.max");
    case TtlSource::Signed: return "the expiry of the signed URL";
    case TtlSource::Negative: return ExplainCase::setting(*j.route, "ttl.negative");
    default: return {};
  }
}

/// Notes the effect of the route's limits, jitter and Retry-After on the lifetime.
void note_changes(Judgement& j, const rules::Freshness& freshness) {
  const auto& ttl = j.policy().ttl;
  const bool lifted = freshness.source == TtlSource::Min;
  if (lifted || freshness.source == TtlSource::Max || freshness.source == TtlSource::Negative) {
    auto unbounded = j.policy();
    unbounded.ttl.min = Duration{0};
    unbounded.ttl.max = unbounded.ttl.negative = std::chrono::hours{24 * 365 * 60};
    const auto before = j.judge(unbounded).freshness;
    j.c.note(setting_of(j, before.source) + " is " + seconds_text(before.lifetime) + "; " +
             setting_of(j, freshness.source) + (lifted ? " raises it" : " lowers it"));
  }
  if (j.head.fields.has(FieldId::RetryAfter)) {
    auto without = j.fields;
    without.remove(FieldId::RetryAfter);
    const auto before = j.judge(j.policy(), without.view());
    if (before.freshness.lifetime != freshness.lifetime) j.c.note("the response's Retry-After shortens its lifetime");
  }
  if (ttl.jitter > 0 && freshness.lifetime > Duration{0})
    j.c.note("up to " + std::to_string(std::lround(ttl.jitter * 100)) +
             " % of the remaining lifetime is subtracted at random (" + ExplainCase::setting(*j.route, "ttl.jitter") +
             ')');
  const bool comes_old = freshness.initial_age >= std::chrono::seconds{1};
  if (comes_old && freshness.from_receipt)
    j.c.note("the response is " + seconds_text(freshness.initial_age) +
             " old; its lifetime by the route counts from its receipt");
  else if (comes_old)
    j.c.note("the response is " + seconds_text(freshness.initial_age) + " old, of a lifetime of " +
             seconds_text(freshness.lifetime));
  if (freshness.no_cache) j.c.note("no-cache: each use is validated with the origin");
}

void describe_windows(const Judgement& j, const rules::Freshness& freshness, Explanation::Judged& out) {
  const auto windows = rules::windows_of(freshness, j.policy());
  const auto source = [&](bool from_origin, std::string_view directive, std::string_view setting) {
    if (from_origin) return "the response's " + directives_field(j) + ' ' + std::string(directive);
    return ExplainCase::setting(*j.route, setting);
  };
  out.swr_s = whole_seconds(windows.while_revalidate);
  out.sie_s = whole_seconds(windows.if_error);
  if (windows.while_revalidate > Duration{0})
    out.swr_setting = source(windows.from_origin_swr, "stale-while-revalidate", "stale.while_revalidate");
  if (windows.if_error > Duration{0})
    out.sie_setting = source(windows.from_origin_sie, "stale-if-error", "stale.if_error");
}

void describe(Judgement& j, const rules::Freshness& freshness) {
  auto& out = *j.c.out.response;
  out.storable = true;
  out.ttl_s = j.c.ttl_of(freshness);
  out.ttl_source = rules::to_string(freshness.source);
  out.ttl_setting = setting_of(j, freshness.source);
  describe_windows(j, freshness, out);
  const auto tags = tags_for(j.c, *j.route, j.head.fields);
  out.tags = tags.all();
  out.tags_dropped = tags.dropped();
  note_changes(j, freshness);
}

/// A directive as it was sent: `max-age=x`.
std::string sent_directive(const Judgement& j, std::string_view name) {
  std::string found, buffer;
  const auto text = j.head.fields.combined(directives_field(j), buffer).value_or("");
  http::for_each_member(text, [&](std::string_view member) {
    if (found.empty() && http::iequals(http::trim(member.substr(0, member.find('='))), name)) found = member;
  });
  return found.empty() ? std::string(name) : found;
}

/// What says that the lifetime is zero: `the response says Expires: 0`.
std::string zero_by(const Judgement& j, TtlSource source) {
  if (const auto directive = directive_of(j, source); !directive.empty())
    return "the response says " + directives_field(j) + ": " + sent_directive(j, directive);
  switch (source) {
    case TtlSource::Expires:
      return "the response says Expires: " + std::string(j.head.fields.value(FieldId::Expires).value_or(""));
    case TtlSource::None: return {};
    default: return "set by " + setting_of(j, source);
  }
}

/// Why it is useless: it must be validated and cannot be, the lifetime is over at receipt, or it is zero.
std::string useless_because(const Judgement& j, const rules::Freshness& f) {
  const bool has_validator = j.head.fields.has(FieldId::ETag) || j.head.fields.has(FieldId::LastModified);
  if (f.no_cache && !has_validator)
    return "the response says " + directives_field(j) +
           ": no-cache, which requires validation at each use, and has no ETag or Last-Modified for it";
  if (f.no_cache)
    return "the response says " + directives_field(j) +
           ": no-cache, which requires validation at each use, and is not kept for that";
  if (f.lifetime > Duration{0})
    return "it is " + seconds_text(f.initial_age) + " old, of a lifetime of " + seconds_text(f.lifetime) + " (" +
           setting_of(j, f.source) + "), and it can be neither validated nor served stale";
  const auto by = zero_by(j, f.source);
  if (by.empty()) return std::string(sentence_of(Reason::ZeroTtl));
  std::string text = "its lifetime is zero: " + by;
  // Only the origin's lifetime overrides it.
  if (f.explicit_lifetime && j.policy().ttl.fallback > Duration{0})
    text += ", which overrides " + ExplainCase::setting(*j.route, "ttl.default") + " (" +
            seconds_text(j.policy().ttl.fallback) + ')';
  return text;
}

/// Settings under which it would be stored; each is tried.
std::string remedies(const Judgement& j) {
  std::vector<std::string> all;
  auto ignoring = j.policy();
  ignoring.origin_cache_control = rules::OriginCacheControl::Ignore;
  const auto ignored = j.judge(ignoring);
  auto given = ignoring;
  if (given.ttl.fallback <= Duration{0}) given.ttl.fallback = std::chrono::minutes{1};
  if (ignored.storable())
    all.push_back("`origin_cache_control: ignore` (for " + seconds_text(ignored.freshness.lifetime) + " by " +
                  setting_of(j, ignored.freshness.source) + ')');
  else if (j.judge(given).storable())
    all.emplace_back("`origin_cache_control: ignore` with a `ttl.default`");
  auto lifted = j.policy();
  lifted.ttl.min = std::max<Duration>(lifted.ttl.min, std::chrono::seconds{1});
  if (j.judge(lifted).storable()) all.emplace_back("`ttl.min`");
  auto validated = j.fields;
  validated.set(FieldId::ETag, "\"1\"");
  const bool has_validator = j.head.fields.has(FieldId::ETag) || j.head.fields.has(FieldId::LastModified);
  if (!has_validator && j.judge(j.policy(), validated.view()).storable())
    all.emplace_back("an ETag or Last-Modified from the origin (for validation)");
  std::string text;
  for (const auto& one : all) text += (text.empty() ? "" : ", or ") + one;
  return text.empty() ? text : "it would be stored with " + text;
}

void not_stored(ExplainCase& c, Reason reason, bool by_request) {
  c.out.response->reason = reason;
  // Not repeated if it was noted for the request.
  if (const auto sentence = sentence_of(reason);
      !sentence.empty() && c.out.lookup_reason != reason && c.status.reason != reason)
    c.note(std::string(sentence));
  if (by_request) c.note("the response to another request could be stored");
}

/// With the lifetime that it would have, and its source.
void not_stored(Judgement& j, const rules::Storability& verdict) {
  auto& c = j.c;
  auto& out = *c.out.response;
  const auto& f = verdict.freshness;
  if (f.source != TtlSource::None) {
    out.ttl_s = c.ttl_of(f);
    out.ttl_source = rules::to_string(f.source);
    out.ttl_setting = setting_of(j, f.source);
  }
  if (verdict.reason != Reason::ZeroTtl) return not_stored(c, verdict.reason, verdict.by_request);
  out.reason = verdict.reason;
  c.note(useless_because(j, f));
  if (auto text = remedies(j); !text.empty()) c.note(std::move(text));
}

/// Storing::freshen.
bool revalidated(Judgement& j, const Fetch& plan) {
  auto& c = j.c;
  const bool asked = plan.validates && plan.uses_entry && !c.found.stored.freshness.validators_fail &&
                     (c.found.stored.entry->etag() || c.found.stored.entry->last_modified());
  if (j.head.status != 304 || !asked) return false;
  const auto stored = c.found.stored.entry->head();
  if (!rules::selects(j.head, stored.fields)) {
    c.note("the 304 is not about the stored response: the full response is fetched");
    return true;
  }
  const auto merged = rules::freshen(stored.all(), j.head.fields);
  const http::ResponseView whole{stored.status, j.head.version, merged.view()};
  j.fields = merged;
  j.length_known = true;
  j.head = {whole.status, whole.version, j.fields.view()};
  const auto verdict = j.judge(j.policy());
  auto& s = c.status;
  s.result = CacheResult::Revalidated;
  s.forward_status = 304;
  s.sent_status = stored.status;
  s.stored = verdict.storable();
  s.reason = verdict.reason;
  if (verdict.storable())
    describe(j, verdict.freshness);
  else
    not_stored(j, verdict);
  return true;
}

/// RFC 9110 section 9.3.3: the response to a POST that is also the response to a GET.
bool answers_get(Judgement& j) {
  auto& c = j.c;
  const auto& target = c.reading.target;
  const auto text = whole_target(target);
  if (!rules::post_answers_get(j.head, j.policy(), c.reading.scheme, c.reading.host, text)) return false;
  Reading get;
  get.host = c.reading.host;
  get.scheme = c.reading.scheme;
  if (!read_as_get(c.context.routes, c.request, text, get)) return false;
  j.route = get.route;
  j.facts = get.facts;
  c.note("the response is also the response to a GET (Content-Location), and is judged as one");
  return true;
}

void judge_graphql(Judgement& j) {
  auto& c = j.c;
  c.status.stored = false;  // known only at the end of the content, after the head was sent
  const auto& content = c.asked.response->content;
  if (!content) return c.note("it is stored if its content has no `errors`");
  content::GraphqlAnswer answer(j.head.fields.value(FieldId::ContentEncoding).value_or(""));
  answer.feed(*content);
  if (answer.clean()) return;
  *c.out.response = {};
  not_stored(c, Reason::GraphqlErrors, false);
}

std::optional<std::uint64_t> stated_length(const Judgement& j) {
  if (const auto& content = j.c.asked.response->content) return content->size();
  std::uint64_t length = 0;
  const auto field = j.head.fields.value(FieldId::ContentLength);
  return field && http::parse_decimal(*field, UINT64_MAX, length) ? std::optional(length) : std::nullopt;
}

/// Fill::judge.
void judge_fetched(Judgement& j, const Fetch& plan, bool may_store) {
  auto& c = j.c;
  const auto& policy = j.policy();
  const bool error = policy.stale.errors.covers(j.head.status);
  rules::Storability verdict;
  if (may_store) {
    verdict = j.judge(policy);
    const auto& content = c.asked.response->content;
    if (verdict.storable() && content && content->size() > policy.max_object) verdict.reason = Reason::TooLarge;
  }
  const bool stale = plan.uses_entry && rules::may_serve_on_error(c.found.stored.freshness, c.reading.facts,
                                                                  c.route().policy, c.context.now.mono);
  switch (fate_of(j.head.status, error, may_store, verdict, plan.uses_entry, stale)) {
    case Fate::ServeStale:
      not_stored(c, Reason::OriginError, false);
      c.status.result = CacheResult::StaleError;
      c.status.forward = rules::Forward::Stale;
      c.status.forward_status = j.head.status;
      return c.say_ttl(c.found.stored.freshness);
    case Fate::Fail:
      if (error) verdict.reason = Reason::OriginError;
      break;
    case Fate::PassOn:
    case Fate::Store: break;
  }
  if (!may_store) {
    c.out.response->reason = c.status.reason;
    return;
  }
  if (!verdict.storable()) {
    not_stored(j, verdict);
    if (c.status.reason == Reason::None) c.status.reason = verdict.reason;
    return;
  }
  describe(j, verdict.freshness);
  note_coding(c, j.head.status, j.head.fields, stated_length(j), nullptr);
  c.status.stored = true;
  c.say_ttl(verdict.freshness);
  if (j.route->key.graphql) judge_graphql(j);
}

}  // namespace

void judge_response(ExplainCase& c, const Fetch& plan) {
  if (!c.asked.response) return;
  c.out.response = Explanation::Judged{};
  if (!c.reading.route) {
    c.out.response->reason = c.status.reason;
    return;
  }
  Judgement j(c);
  if (revalidated(j, plan)) return;
  const bool may_store = plan.may_store || (c.request.method == Method::Post && answers_get(j));
  judge_fetched(j, plan, may_store);
}

}  // namespace forebay::proxy
