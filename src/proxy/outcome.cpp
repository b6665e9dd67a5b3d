#include "outcome.hpp"

#include <algorithm>

#include "forebay/http/forwarding.hpp"

namespace forebay::proxy {
namespace {

/// The scheme as the key has it: that of a trusted peer's X-Forwarded-Proto, else the listener's.
std::string_view scheme_of(const server::Peer& peer, bool trusted, http::FieldsView fields) {
  const auto claimed = trusted ? http::known_scheme(http::forwarded_scheme(fields)) : std::string_view();
  return claimed.empty() ? peer.scheme : claimed;
}

using http::FieldId;

double milliseconds(Duration d) { return d.count() < 0 ? -1 : static_cast<double>(d.count()) / 1e6; }

std::size_t status_class(int status) noexcept {
  const int c = status / 100;
  return static_cast<std::size_t>(std::clamp(c, 1, 5) - 1);
}

RequestError error_of(server::Refusal reason) noexcept {
  switch (reason) {
    case server::Refusal::HeaderTooLarge: return RequestError::HeaderTooLarge;
    case server::Refusal::TargetTooLong: return RequestError::TargetTooLong;
    case server::Refusal::BodyTooLarge: return RequestError::BodyTooLarge;
    case server::Refusal::ClientTimeout: return RequestError::ClientTimeout;
    case server::Refusal::Overload: return RequestError::Overload;
    default: return RequestError::BadRequest;
  }
}

/// The edge ends a request by itself whose content is malformed, late or too long, or for which there is no memory.
void count_edge_error(RouteCounters& c, int status) {
  const auto add = [&](RequestError e) { c.errors[static_cast<std::size_t>(e)].add(); };
  if (status == 400) add(RequestError::BadRequest);
  if (status == 408) add(RequestError::ClientTimeout);
  if (status == 413) add(RequestError::BodyTooLarge);
  if (status == 503) add(RequestError::Overload);
}

}  // namespace

void RequestNotes::reset() {
  runtime.reset();
  route = nullptr;
  result = rules::CacheResult::Error;
  reason = cause = rules::Reason::None;
  cause_left_s = 0;
  source = Source::Forebay;
  counted_in_flight = own_error = has_key = stored = has_ttl = went_forward = has_query = refresh_refused =
      origin_by_get = false;
  age_s = -1;
  ttl_s = 0;
  ttl_source = rules::TtlSource::None;
  lookup = wait = origin_queue = origin_connect = origin_ttfb = Duration{-1};
  origin_status = 0;
  origin_attempts = 0;
  origin_name.clear();
  origin_address.clear();
  failed_origin.clear();
  failed_by.clear();
  origin_error.clear();
  origin_detail.clear();
  error_code = coding = {};
  error_detail.clear();
  text.clear();
  tunnel_end = scheme = {};
  method_text = host = path = query = request_id = trace_id = span_id = parent_id = trace_link = user_agent = referer =
      client = tunnel_protocol = {};
}

LoggedTarget logged_target(http::Target& scratch, http::Method method, std::string_view raw) {
  if (scratch.read(method, raw)) return scratch;
  if (const auto scheme = raw.find("://"); scheme != std::string_view::npos && raw.front() != '/') {
    const auto end = raw.find_first_of("/?", scheme + 3);
    raw = end == std::string_view::npos ? std::string_view() : raw.substr(end);
  }
  LoggedTarget target;
  const auto mark = raw.find('?');
  target.path = raw.substr(0, mark);
  if (mark != std::string_view::npos) target.query = raw.substr(mark + 1);
  return target;
}

void note_request(const PendingRequest& pending, const LoggedTarget& target) {
  auto& notes = pending.notes();
  const auto& request = pending.request;
  notes.method_text = notes.keep(request.method_text);
  notes.scheme = scheme_of(pending.exchange->peer(), pending.peer_trusted, request.fields);
  notes.host = notes.keep(request.authority);
  notes.path = notes.keep(target.path);
  if (target.query) {
    notes.has_query = true;
    notes.query = notes.keep(*target.query);
  }
  notes.request_id = notes.keep(pending.request_id);
  for (const auto& f : request.fields) {
    if (f.id == FieldId::UserAgent)
      notes.user_agent = notes.keep(f.value);
    else if (f.id == FieldId::Referer)
      notes.referer = notes.keep(f.value);
  }
  if (const auto sent = http::traceparent_of(request.fields)) {
    notes.trace_id = notes.keep(sent->trace_id());
    notes.parent_id = notes.keep(sent->span_id());
  }
  const auto& trusted = pending.config().server.trusted_proxies.networks;
  notes.client = notes.keep(pending.peer_trusted ? http::client_address(pending.peer, true, request.fields, trusted)
                                                 : pending.peer);
}

void note_request_id(RequestNotes& notes, std::string_view id) {
  if (notes.request_id.size == 0 && !notes.runtime->config().request_id.empty()) notes.request_id = notes.keep(id);
}

std::string own_request_id(Core& core, RequestNotes& notes) {
  if (notes.request_id.size != 0) return std::string(notes.view(notes.request_id));
  if (notes.runtime->config().request_id.empty()) return {};
  auto id = core.make_request_id();
  note_request_id(notes, id);
  return id;
}

bool is_request_id(std::string_view id) noexcept { return id.size() <= kLongestRequestId && http::is_token(id); }

void note_lookup(const PendingRequest& pending) {
  pending.notes().lookup = pending.core.now().mono - pending.exchange->tally().started;
}

namespace {

void count_key(Core& core, const RequestNotes& notes, std::uint64_t bytes) {
  const bool fetched = notes.result == rules::CacheResult::Miss;
  const bool uncacheable = notes.result == rules::CacheResult::Bypass || (fetched && !notes.stored);
  const std::string_view text(notes.key_start.data(), std::min(notes.key_size, notes.key_start.size()));
  core.shared.hot_keys.of(core.worker.index())
      .count(notes.key_id, {text, notes.key_size}, {bytes, fetched, uncacheable}, core.now().mono);
}

}  // namespace

void count_outcome(Core& core, server::Exchange& exchange) {
  auto& notes = notes_of(exchange);
  const auto& tally = exchange.tally();
  if (!notes.runtime) notes.runtime = core.runtime;
  auto& c = notes.route && notes.route->counters ? *notes.route->counters : *core.runtime->none.counters;
  c.requests[method_label(notes.method)][status_class(tally.status == 0 ? 499 : tally.status)].add();
  c.results[static_cast<std::size_t>(notes.result)].add();
  if (notes.result == rules::CacheResult::Error && !notes.own_error) count_edge_error(c, tally.status);
  // A tunnel lasts as long as its client likes; what took time is the way to it.
  const bool tunnel = tally.status == 101;
  const auto end = tunnel ? tally.first_byte : tally.finished;
  const auto took = std::max<std::int64_t>(0, (end - tally.started).count());
  const auto& bounds = core.shared.counters.bounds();
  c.duration[latency_class(notes.result)].observe(static_cast<std::uint64_t>(took), bounds.data(), bounds.size());
  if (!tunnel) {
    c.request_bytes.add(tally.bytes_in);
    c.response_bytes[static_cast<std::size_t>(notes.source)].add(tally.bytes_out);
  }
  if (notes.counted_in_flight) c.in_flight.sub();
  if (notes.has_key) count_key(core, notes, tally.bytes_out);
}

void log_outcome(Core& core, server::Exchange& exchange) {
  auto& notes = notes_of(exchange);
  if (!notes.runtime) return;
  const auto& tally = exchange.tally();
  const double total = milliseconds(tally.finished - tally.started);
  const auto worker = core.worker.index();
  auto* const log = notes.runtime->runtime->access.get();
  const bool logged = notes.runtime->log_requests && log->wants(worker, tally.status, notes.result, total);
  // Of a request that came before somebody watched, nothing was noted.
  const bool noted = notes.method_text.size != 0;
  const bool watched = noted && core.shared.tap.open();
  const bool kept = noted && notes.request_id.size != 0;
  if (!logged && !watched && !kept) return;
  AccessRecord r;
  r.at = tally.started_wall;
  r.remote = exchange.peer().address;
  r.client = notes.view(notes.client);
  r.method = notes.method_text.size ? notes.view(notes.method_text) : http::to_string(notes.method);
  r.scheme = notes.scheme.empty() ? exchange.peer().scheme : notes.scheme;
  r.tls = exchange.peer().tls.get();
  r.host = notes.view(notes.host);
  r.path = notes.view(notes.path);
  r.query = notes.view(notes.query);
  r.has_query = notes.has_query;
  r.version = notes.version;
  r.status = tally.status;
  r.bytes_in = tally.bytes_in;
  r.bytes_out = tally.bytes_out;
  r.route = notes.route && notes.route->route ? std::string_view(notes.route->route->name) : "_none";
  r.result = notes.result;
  r.reason = notes.reason;
  r.cause = notes.cause;
  r.cause_left_s = notes.cause_left_s;
  const std::string key_id = notes.has_key ? to_hex(notes.key_id) : std::string();
  r.key_id = key_id;
  r.age_s = notes.age_s;
  r.ttl_s = notes.ttl_s;
  r.has_ttl = notes.has_ttl;
  r.ttl_source = notes.ttl_source;
  r.stored = notes.stored;
  r.coding = notes.coding;
  r.total_ms = total;
  r.lookup_ms = milliseconds(notes.lookup);
  r.queue_ms = milliseconds(notes.origin_queue);
  r.wait_ms = milliseconds(notes.wait);
  r.origin_connect_ms = milliseconds(notes.origin_connect);
  r.origin_ttfb_ms = milliseconds(notes.origin_ttfb);
  if (tally.first_byte != Timestamp{}) r.send_ms = milliseconds(tally.finished - tally.first_byte);
  if (notes.went_forward && notes.route && notes.route->origin) {
    r.origin_name = notes.origin_name;
    r.origin_address = notes.origin_address;
    r.failed_origin = notes.failed_origin;
    r.failed_by = notes.failed_by;
    if (notes.origin_by_get) r.origin_method = http::to_string(http::Method::Get);
    r.origin_error = notes.origin_error;
    r.origin_detail = notes.origin_detail;
    r.origin_status = notes.origin_status;
    r.origin_attempts = notes.origin_attempts;
  }
  r.error_code = notes.error_code;
  r.error_detail = notes.error_detail;
  r.tunnel_protocol = notes.view(notes.tunnel_protocol);
  r.tunnel_end = notes.tunnel_end;
  r.trace_id = notes.view(notes.trace_id);
  r.span_id = notes.view(notes.span_id);
  r.parent_id = notes.view(notes.parent_id);
  r.trace_link = notes.view(notes.trace_link);
  r.request_id = notes.view(notes.request_id);
  r.user_agent = notes.view(notes.user_agent);
  r.referer = notes.view(notes.referer);
  r.completed = tally.completed;
  if (logged) log->write(worker, r);
  if (watched) core.shared.tap.offer(worker, r, notes.runtime->config().access);
  if (kept) core.shared.recent.of(worker).keep(r);
}

/// The logged part of a target over the limit.
constexpr std::size_t kMostOfLongTarget = 256;

void count_refusal(Core& core, const server::RefusedMessage& message, const server::Peer& peer) {
  auto& c = *core.runtime->none.counters;
  c.errors[static_cast<std::size_t>(error_of(message.reason))].add();
  c.requests[method_label(http::Method::Other)][status_class(message.status)].add();
  c.results[static_cast<std::size_t>(rules::CacheResult::Error)].add();
  const auto worker = core.worker.index();
  auto* const log = core.runtime->runtime->access.get();
  const bool logged = core.runtime->log_requests && log->wants(worker, message.status, rules::CacheResult::Error, 0);
  const bool watched = core.shared.tap.open();
  if (!logged && !watched && !core.runtime->log_requests) return;
  const auto& head = message.head;
  AccessRecord r;
  r.at = core.now().wall;
  r.remote = peer.address;
  const auto& server = core.runtime->config().server;
  const bool trusted = server::trusts(server, peer);
  const auto client = http::client_address(peer.address, trusted, head.fields, server.trusted_proxies.networks);
  r.client = client;
  r.scheme = scheme_of(peer, trusted, head.fields);
  r.tls = peer.tls.get();
  r.method = head.method_text;
  r.host = head.authority;
  http::Target read;
  const auto target = logged_target(read, head.method, head.target);
  std::string path(target.path);
  if (message.reason == server::Refusal::TargetTooLong && path.size() > kMostOfLongTarget)
    path.replace(kMostOfLongTarget, std::string::npos, "...");
  r.path = path;
  r.has_query = target.query.has_value();
  std::string query(target.query.value_or(""));
  if (message.reason == server::Refusal::TargetTooLong && query.size() > kMostOfLongTarget)
    query.replace(kMostOfLongTarget, std::string::npos, "...");
  r.query = query;
  r.version = head.version;
  r.status = message.status;
  r.bytes_out = message.bytes_out;
  r.route = "_none";
  r.request_id = message.request_id;
  const auto sent = http::traceparent_of(head.fields);
  if (sent) {
    r.trace_id = sent->trace_id();
    r.parent_id = sent->span_id();
  }
  r.user_agent = head.fields.value(FieldId::UserAgent).value_or("");
  r.referer = head.fields.value(FieldId::Referer).value_or("");
  r.result = rules::CacheResult::Error;
  r.error_code = message.code;
  r.error_detail = message.detail;
  r.total_ms = 0;
  if (logged) log->write(worker, r);
  if (watched) core.shared.tap.offer(worker, r, core.runtime->config().access);
  if (core.runtime->log_requests) core.shared.recent.of(worker).keep(r);
}

}  // namespace forebay::proxy
