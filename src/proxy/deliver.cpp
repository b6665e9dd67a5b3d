#include "deliver.hpp"

#include "forebay/base/text.hpp"
#include "plan.hpp"

#include "forebay/http/forwarding.hpp"
#include "forebay/http/range.hpp"
#include "forebay/rules/validation.hpp"
#include "forebay/server/problem.hpp"
#include "log_text.hpp"
#include "outcome.hpp"
#include "outgoing.hpp"
#include "represent.hpp"

namespace forebay::proxy {
namespace {

using http::FieldId;
using rules::CacheResult;

/// RFC 9110 section 13.1: If-None-Match asks for a 304 for GET and HEAD; otherwise it is a precondition for the origin.
bool may_be_not_modified(http::Method m) noexcept {
  return m == http::Method::Get || m == http::Method::Head || m == http::Method::Query;
}

bool has_conditions(http::FieldsView fields) noexcept {
  for (const auto& f : fields)
    if (f.id == FieldId::IfNoneMatch || f.id == FieldId::IfModifiedSince || f.id == FieldId::Range) return true;
  return false;
}

bool gets_server_timing(const PendingRequest& pending) {
  const auto& timing = pending.config().diagnostics.server_timing;
  if (!timing.on || timing.only.empty()) return timing.on;
  const auto& trusted = pending.config().server.trusted_proxies;
  const auto& peer = pending.exchange->peer();
  if (!pending.peer_trusted) return peer.has_ip && http::contains_any(timing.only, peer.ip);
  const auto client =
      http::parse_ip(http::client_address(pending.peer, true, pending.request.fields, trusted.networks));
  return client && http::contains_any(timing.only, *client);
}

/// The result and the times of the log's line, as a line of Server-Timing. Empty for clients that do not get it.
std::string_view make_server_timing(PendingRequest& pending) {
  if (!gets_server_timing(pending)) return {};
  const auto& notes = pending.notes();
  auto& line = pending.core.answer.server_timing;
  line.assign("cache;desc=").append(rules::to_string(notes.result));
  const auto metric = [&line](std::string_view name, Duration took) {
    if (took.count() < 0) return;
    line.append(", ").append(name).append(";dur=");
    append_ms(line, static_cast<double>(took.count()) / 1e6);
  };
  metric("origin", notes.origin_ttfb);
  metric("wait", notes.wait);
  return line;
}

/// Age, Cache-Status and X-Cache of this response, and the same facts for the log.
void describe(PendingRequest& pending, const Delivery& d) {
  auto& notes = pending.notes();
  auto& text = pending.core.answer;
  auto& added = text.added;
  const auto& diagnostics = pending.config().diagnostics;
  added.clear();
  rules::CacheStatus status = d.status;
  if (d.freshness) {
    const auto [age, ttl] = shown(*d.freshness, pending.core.now().mono);
    const bool reused = status.result != CacheResult::Miss && status.result != CacheResult::Revalidated &&
                        status.result != CacheResult::Bypass;
    if (reused || age > 0) {
      text.age.clear();
      append_number(text.age, age);
      added.push_back({"Age", text.age, FieldId::Age});
    }
    notes.age_s = age;
    notes.ttl_s = ttl;
    notes.has_ttl = true;
    notes.ttl_source = d.freshness->source;
    if (!status.ttl) status.ttl = notes.ttl_s;
  }
  notes.result = status.result;
  notes.reason = status.reason;
  notes.cause = status.cause;
  notes.cause_left_s = status.cause_left;
  notes.stored = status.stored;
  notes.source = d.source;
  if (diagnostics.cache_status != config::CacheStatusField::Off) {
    if (diagnostics.cache_status != config::CacheStatusField::Key) status.key = {};
    text.cache_status.clear();
    rules::append_cache_status(text.cache_status, diagnostics.name, status);
    added.push_back({"Cache-Status", text.cache_status, FieldId::CacheStatus});
  }
  if (notes.refresh_refused) added.push_back({"Forebay-Refresh", "refused", FieldId::Other});
  if (diagnostics.x_cache) added.push_back({"X-Cache", rules::x_cache(status.result), FieldId::XCache});
  if (const auto timing = make_server_timing(pending); !timing.empty())
    added.push_back({"Server-Timing", timing, FieldId::Other});
}

/// Adds the fields that the route sets to Forebay's own response, except Content-Type and Cache-Control.
void add_route_fields(const PendingRequest& pending, http::Fields& fields) {
  if (!pending.route->route) return;
  for (const auto& [name, value] : pending.route->route->response_headers.set)
    if (fields.view().find(name) == nullptr) fields.add(name, value);
}

http::FieldsView added(const PendingRequest& pending) noexcept {
  const auto& fields = pending.core.answer.added;
  return {{fields.data(), fields.size()}};
}

std::vector<http::Field> fields_where(http::FieldsView fields, bool (*keep)(FieldId, std::string_view)) {
  std::vector<http::Field> kept;
  for (const auto& f : fields)
    if (keep(f.id, f.name)) kept.push_back(f);
  return kept;
}

/// Sends an answer that was made here.
void answer_with(server::Exchange& exchange, server::AnswerHead head, const std::string& content) {
  head.length = content.size();
  head.has_date = false;
  const auto chunk = Chunk::copy_of(content);
  exchange.answer(head, http::BodyCursor(Owner(chunk), chunk->bytes()));
}

/// Slices of `pieces` that make up [first, first + length).
void cut_pieces(const Delivery& d, http::ByteRange r, std::vector<Slice>& out) {
  std::uint64_t at = 0;
  for (const auto& piece : d.pieces) {
    const std::uint64_t end = at + piece.size();
    if (end > r.first && at < r.first + r.length) {
      const auto from = r.first > at ? r.first - at : 0;
      const auto to = std::min<std::uint64_t>(piece.size(), r.first + r.length - at);
      out.push_back({d.owner, piece.substr(from, to - from)});
    }
    at = end;
  }
}

/// An answer with so much of the stored content.
void count_saved(PendingRequest& pending, const Delivery& d, std::uint64_t bytes) {
  if (!d.spared) return;
  auto& counters = *pending.route->counters;
  counters.saved_requests.add();
  counters.saved_cost.add(pending.route->cost);
  if (pending.request.method != http::Method::Head) counters.saved_bytes.add(bytes);
}

/// multipart/byteranges, RFC 9110 section 14.6.
void answer_multipart(PendingRequest& pending, const Delivery& d, const std::vector<http::ByteRange>& ranges) {
  const std::string boundary = "forebay-" + pending.core.make_request_id();
  const auto type = d.head.fields.value(FieldId::ContentType);
  std::vector<Slice> parts;
  std::uint64_t length = 0, of_content = 0;
  const auto add_text = [&](const std::string& text) {
    auto chunk = Chunk::copy_of(text);
    length += text.size();
    parts.push_back(chunk->slice());
  };
  for (const auto& r : ranges) {
    std::string head = "\r\n--" + boundary + "\r\n";
    if (type) http::append_line(head, FieldId::ContentType, *type);
    http::append_line(head, FieldId::ContentRange, http::format_content_range(r, *d.length));
    head += "\r\n";
    add_text(head);
    cut_pieces(d, r, parts);
    of_content += r.length;
  }
  length += of_content;
  count_saved(pending, d, of_content);
  add_text("\r\n--" + boundary + "--\r\n");
  auto fields = fields_where(d.head.fields, [](FieldId id, std::string_view name) {
    return id != FieldId::ContentType && rules::belongs_on_206(id, name);
  });
  const std::string multipart = "multipart/byteranges; boundary=" + boundary;
  fields.push_back({"Content-Type", multipart, FieldId::ContentType});
  pending.exchange->answer({206, http::FieldsView(fields), added(pending), length}, http::BodyCursor(std::move(parts)));
}

/// The id of an error document; empty if ids are off.
std::string document_id(PendingRequest& pending) {
  if (pending.config().request_id.empty()) return {};
  note_request_id(pending.notes(), pending.request_id);
  return own_request_id(pending.core, pending.notes());
}

/// Answers the Range if it applies; false when the whole is to be sent.
bool answer_range(PendingRequest& pending, const Delivery& d, http::BodyCursor& cursor) {
  const auto& request = pending.request;
  auto& exchange = *pending.exchange;
  if (request.method != http::Method::Get || d.head.status != 200 || !d.length) return false;
  const auto field = request.fields.value(FieldId::Range);
  if (!field || request.fields.count(FieldId::Range) > 1) return false;
  if (!rules::if_range_holds(request.fields, d.head.fields, pending.core.now().wall)) return false;
  const auto specs = http::parse_range(*field);
  if (!specs) return false;
  const auto ranges = http::resolve(*specs, *d.length);
  if (ranges.empty()) {
    count_saved(pending, d, 0);
    const auto length = std::to_string(*d.length);
    http::Fields fields;
    fields.add(FieldId::ContentRange, "bytes */" + length);
    const auto detail = "No part of the requested range is within the representation, which has " + length + " bytes.";
    const auto id = document_id(pending);
    if (!id.empty()) fields.add(pending.config().request_id, id);
    const server::Problem problem{416, "range_not_satisfiable", "Range Not Satisfiable", detail, id, {}};
    const auto body = server::render(problem, pending.accept());
    fields.add(FieldId::ContentType, body.content_type);
    add_route_fields(pending, fields);
    answer_with(exchange, {416, fields, added(pending)}, body.body);
    return true;
  }
  if (ranges.size() > 1) {
    if (d.pieces.empty()) return false;
    answer_multipart(pending, d, ranges);
    return true;
  }
  count_saved(pending, d, ranges[0].length);
  auto& text = pending.core.answer;
  text.content_range = http::format_content_range(ranges[0], *d.length);
  text.added.push_back({"Content-Range", text.content_range, FieldId::ContentRange});
  cursor.limit(ranges[0].first, ranges[0].length);
  const auto fields = fields_where(d.head.fields, rules::belongs_on_206);
  exchange.answer({206, http::FieldsView(fields), added(pending), ranges[0].length}, std::move(cursor));
  return true;
}

}  // namespace

/// Applies the route's changes last: stored responses do not have them, so that a reload applies at once.
void change_head(PendingRequest& pending, const config::HeaderChanges& changes, cache::Head& head) {
  auto& changed = pending.core.answer.changed;
  changed = http::Fields(head.fields);
  apply(changes, changed);
  head.fields = changed.view();
  head.lines = {};
}

void deliver(PendingRequest& pending, Delivery d, http::BodyCursor cursor) {
  auto& exchange = *pending.exchange;
  const auto& request = pending.request;
  describe(pending, d);
  const auto whole = d.length.value_or(0);
  Represented as;
  if (pending.route->route && pending.policy().compress.on() && d.freshness) as = represent(pending, d, cursor);
  const config::HeaderChanges* changes = nullptr;
  if (const auto* route = pending.route->route; route && !route->response_headers.empty()) {
    changes = &route->response_headers;
    change_head(pending, *changes, d.head);
  }
  if (as.varies) describe_form(pending, as, d.head);
  if (d.conditional && has_conditions(request.fields)) {
    if (may_be_not_modified(request.method) &&
        rules::evaluate(request.fields, d.head.status, d.head.fields, pending.core.now().wall) ==
            rules::Condition::NotModified) {
      count_saved(pending, d, 0);
      auto fields = fields_where(d.head.fields, rules::belongs_on_304);
      if (changes)
        for (const auto& [name, value] : changes->set)
          if (const auto id = http::field_id(name); !rules::belongs_on_304(id, name))
            fields.push_back({name, value, id});
      exchange.answer({304, http::FieldsView(fields), added(pending), std::nullopt}, {});
      return;
    }
    if (d.ranges && answer_range(pending, d, cursor)) return;
  }
  count_saved(pending, d, whole);
  server::AnswerHead head{d.head.status, {d.head.fields, d.head.lines}, added(pending), d.length};
  head.close = pending.reading.upgrades();
  exchange.answer(head, std::move(cursor));
}

bool deliver_switch(PendingRequest& pending, const http::ResponseView& head, const rules::CacheStatus& status,
                    std::string_view protocol, server::Exchange::Taker&& taker) {
  Delivery d;
  d.status = status;
  d.source = Source::Origin;
  describe(pending, d);
  auto fields = end_to_end(pending, head, {}, pending.core.now().wall, true);
  if (const auto* route = pending.route->route) apply(route->response_headers, fields);
  return pending.exchange->upgrade({101, fields, added(pending)}, protocol, std::move(taker));
}

void deliver_entry(PendingRequest& pending, const Ref<const cache::Entry>& entry, const rules::Freshness& freshness,
                   const rules::CacheStatus& status) {
  Delivery d;
  d.head = entry->head();
  d.length = entry->body_length();
  if (http::never_has_content(d.head.status)) d.length.reset();
  d.freshness = &freshness;
  d.status = status;
  d.entry = entry.get();
  d.pieces = entry->body();
  d.owner = Owner(entry);
  // Where the origin was asked (a 304, or a failure that stale-if-error covers), it was spared nothing.
  if (status.result == CacheResult::Hit || status.result == CacheResult::Stale) {
    d.spared = true;
    pending.route->counters->saved_nanoseconds.add(static_cast<std::uint64_t>(entry->fetch_time().count()));
  }
  http::BodyCursor cursor = entry->body().size() == 1 ? http::BodyCursor(Owner(entry), entry->body()[0])
                                                      : http::BodyCursor(Owner(entry), entry->body());
  deliver(pending, std::move(d), std::move(cursor));
}

http::FieldsView describe_own(PendingRequest& pending) {
  auto& fields = pending.core.answer.added;
  fields.clear();
  if (pending.config().diagnostics.x_cache)
    fields.push_back({"X-Cache", rules::x_cache(pending.notes().result), FieldId::XCache});
  if (const auto timing = make_server_timing(pending); !timing.empty())
    fields.push_back({"Server-Timing", timing, FieldId::Other});
  return added(pending);
}

namespace {
/// In the document and the log; it may say more than the reason in the metrics.
std::string_view code_of(const OwnError& error) {
  if (error.status == 401) return "unauthorized";
  return error.status == 405 ? "method_not_allowed" : to_string(error.reason);
}
}  // namespace

void deliver_error(PendingRequest& pending, const OwnError& error) {
  auto& exchange = *pending.exchange;
  if (exchange.gone() || exchange.answered()) return;
  RequestNotes& notes = pending.notes();
  notes.result = CacheResult::Error;
  notes.own_error = true;
  notes.error_code = code_of(error);
  notes.error_detail = error.detail;
  notes.source = Source::Forebay;
  pending.route->counters->errors[static_cast<std::size_t>(error.reason)].add();
  const auto& config = pending.config();
  const auto id = document_id(pending);
  const server::Problem problem{error.status,
                                notes.error_code,
                                error.title,
                                error.detail,
                                id.empty() ? pending.request_id : std::string_view(id),
                                to_string(notes.reason)};
  const auto body = server::render(problem, pending.accept());
  http::Fields fields;
  if (!error.allow.empty()) fields.add(FieldId::Allow, error.allow);
  fields.add(FieldId::ContentType, body.content_type);
  fields.add(FieldId::CacheControl, "no-store");
  if (!error.challenge.empty()) fields.add("WWW-Authenticate", error.challenge);
  if (!error.retry_after.empty()) fields.add(FieldId::RetryAfter, error.retry_after);
  if (!id.empty()) fields.add(config.request_id, id);
  if (config.diagnostics.x_cache) fields.add(FieldId::XCache, rules::x_cache(CacheResult::Error));
  if (const auto timing = make_server_timing(pending); !timing.empty()) fields.add("Server-Timing", timing);
  add_route_fields(pending, fields);
  server::AnswerHead head{error.status, fields};
  head.close = error.close || pending.reading.upgrades();
  answer_with(exchange, head, body.body);
}

void deliver_document(PendingRequest& pending, const std::string& json) {
  auto& exchange = *pending.exchange;
  if (exchange.gone() || exchange.answered()) return;
  auto& notes = pending.notes();
  notes.result = CacheResult::Bypass;
  notes.reason = rules::Reason::Method;
  notes.source = Source::Forebay;
  http::Fields fields;
  fields.add(FieldId::ContentType, "application/json");
  fields.add(FieldId::CacheControl, "no-store");
  if (const auto id = document_id(pending); !id.empty()) fields.add(pending.config().request_id, id);
  answer_with(exchange, {200, fields}, json);
}

void deliver_content_error(PendingRequest& pending) {
  std::string_view rest;
  if (pending.exchange->body().pull(rest) != net::BodySource::State::TooLarge) return;
  OwnError own;
  own.status = 413;
  own.reason = RequestError::BodyTooLarge;
  own.title = "Content Too Large";
  const auto detail = server::content_too_large(pending.core.runtime->config().server);
  own.detail = detail;
  own.close = true;
  deliver_error(pending, own);
}

void deliver_options(PendingRequest& pending) {
  auto& exchange = *pending.exchange;
  if (exchange.gone() || exchange.answered()) return;
  RequestNotes& notes = pending.notes();
  notes.result = CacheResult::Error;
  notes.source = Source::Forebay;
  const auto& name = pending.config().request_id;
  http::Fields fields;
  fields.add(FieldId::Allow, kAllow);
  if (!name.empty()) {
    const auto id = pending.core.make_request_id();
    note_request_id(notes, id);
    fields.add(name, id);
  }
  answer_with(exchange, {200, fields}, {});
}

}  // namespace forebay::proxy
