#include "forebay/proxy/handler.hpp"

#include <algorithm>

#include "arrival.hpp"
#include "decisions.hpp"
#include "deliver.hpp"
#include "forebay/http/forwarding.hpp"
#include "forebay/http/list.hpp"
#include "outcome.hpp"

namespace forebay::proxy {

using http::FieldId;
using http::Method;

struct ProxyHandler::Private : Core {
  using Core::Core;

  /// What one look over the fields finds, so that the way of a hit looks once.
  struct Seen {
    std::string_view host, forwarded_proto, request_id;
    bool connection_names_more = false, websocket = false, loop = false;
  };
  Seen scan(http::FieldsView sent) const;
  http::RequestView without_hop_by_hop(const http::RequestView& request);
  bool refuse(server::Exchange& exchange, const http::RequestView& request, const Seen& seen);
  void refuse_with(server::Exchange& exchange, const http::RequestView& request, OwnError error);
  void route(const server::ExchangePtr& exchange, const http::RequestView& request, const Seen& seen);
};

ProxyHandler::Private::Seen ProxyHandler::Private::scan(http::FieldsView sent) const {
  Seen seen;
  const std::string* id_name = runtime->config().request_id.empty() ? nullptr : &runtime->config().request_id;
  for (const auto& f : sent) {
    switch (f.id) {
      case FieldId::Host:
        seen.host = f.value;
        break;
      case FieldId::XForwardedProto:
        if (seen.forwarded_proto.empty()) seen.forwarded_proto = http::forwarded_scheme(sent);
        break;
      case FieldId::CdnLoop:
        seen.loop = true;
        break;
      case FieldId::Connection:
        http::for_each_piece(f.value, [&](std::string_view m) {
          if (!http::iequals(m, "keep-alive") && !http::iequals(m, "close")) seen.connection_names_more = true;
        });
        break;
      case FieldId::Upgrade:
        seen.websocket = seen.websocket || asks_for_websocket(f.value);
        break;
      default:
        break;
    }
    if (id_name && (f.id == FieldId::XRequestId || f.id == FieldId::Other) && http::iequals(f.name, *id_name))
      seen.request_id = f.value;
  }
  if (!is_request_id(seen.request_id)) seen.request_id = {};
  return seen;
}

/// Fields that Connection names are gone before routing and key (RFC 9110 section 7.6.1).
http::RequestView ProxyHandler::Private::without_hop_by_hop(const http::RequestView& request) {
  fields.clear();
  const http::ConnectionNames nominated(request.fields);
  for (const auto& f : request.fields)
    if (stays(f, nominated)) fields.push_back(f);
  http::RequestView view = request;
  view.fields = http::FieldsView(fields);
  return view;
}

void ProxyHandler::Private::refuse_with(server::Exchange& exchange, const http::RequestView& request, OwnError error) {
  const auto seen = scan(request.fields);
  if (runtime->log_requests)
    note_request(notes_of(exchange), request, logged_target(reading.target, request.method, request.target), seen.host,
                 seen.request_id, runtime->config(), exchange);
  deliver_error(*this, exchange, request.fields.value(FieldId::Accept).value_or(""), seen.request_id, error);
}

/// What is refused before a route is looked for; false when nothing is.
bool ProxyHandler::Private::refuse(server::Exchange& exchange, const http::RequestView& request, const Seen& seen) {
  if (request.method == Method::Connect || request.method == Method::Trace) {
    OwnError error{405, RequestError::BadRequest, "Method Not Allowed", "This method is not offered.", {}, kAllow};
    // What comes behind a CONNECT is meant for a tunnel.
    error.close = request.method == Method::Connect;
    refuse_with(exchange, request, error);
    return true;
  }
  if (request.method == Method::Options && http::max_forwards(request.fields) == std::uint64_t{0}) {
    deliver_options(*this, exchange);
    return true;
  }
  if (seen.loop) {
    const auto verdict = http::read_cdn_loop(request.fields, "forebay", shared.instance_id);
    if (verdict.own || verdict.members > 16) {
      refuse_with(exchange, request,
                  {508,
                   RequestError::Loop,
                   "Loop Detected",
                   "The request has been here before: an origin leads back to this proxy.",
                   {},
                   {}});
      return true;
    }
  }
  if (seen.websocket) {
    refuse_with(exchange, request,
                {501, RequestError::Upgrade, "Not Implemented", "WebSocket is not passed on by this version.", {}, {}});
    return true;
  }
  if (!reading.target.read(request.method, request.target)) {
    refuse_with(exchange, request,
                {400, RequestError::BadRequest, "Bad Request", "The request target cannot be read.", {}, {}, true});
    return true;
  }
  return false;
}

void ProxyHandler::Private::route(const server::ExchangePtr& exchange, const http::RequestView& request,
                                  const Seen& seen) {
  auto& notes = notes_of(*exchange);
  const auto& config = runtime->config();
  const auto& peer = exchange->peer();
  const bool trusted = !config.server.trusted_proxies.empty() && peer.has_ip &&
                       http::contains_any(config.server.trusted_proxies, peer.ip);
  if (!read_host(seen.host, seen.forwarded_proto, trusted, peer.scheme, reading))
    return refuse_with(*exchange, request,
                       {400, RequestError::BadRequest, "Bad Request", "The Host field is not a host.", {}, {}, true});
  reading.claims = http::keeps_claims(trusted, config.server.forwarded);
  if (runtime->log_requests)
    note_request(notes, request, reading.target,
                 reading.target.authority().empty() ? seen.host : reading.target.authority(), seen.request_id, config,
                 *exchange);

  go_to_route(*this, {exchange, request, runtime, seen.request_id, trusted});
}

ProxyHandler::ProxyHandler(net::Worker& worker, Shared& shared, RuntimePtr runtime)
    : p_(std::make_shared<Private>(worker, shared)) {
  adopt(std::move(runtime));
}

ProxyHandler::~ProxyHandler() { shut_down(); }

void ProxyHandler::start(const server::ExchangePtr& exchange) {
  auto& core = *p_;
  auto& notes = notes_of(*exchange);
  notes.runtime = core.runtime;
  notes.route = &core.runtime->none;
  const auto& raw = exchange->request();
  notes.method = raw.method;
  notes.version = raw.version;
  const auto seen = core.scan(raw.fields);
  const auto request = seen.connection_names_more ? core.without_hop_by_hop(raw) : raw;
  if (core.refuse(*exchange, request, seen)) return;
  core.route(exchange, request, seen);
}

void ProxyHandler::finished(server::Exchange& exchange) {
  count_outcome(*p_, exchange);
  log_outcome(*p_, exchange);
}

std::unique_ptr<server::Notes> ProxyHandler::make_notes() { return std::make_unique<RequestNotes>(); }

server::RefusalNote ProxyHandler::note_refusal(http::FieldsView fields) {
  auto& core = *p_;
  server::RefusalNote note;
  if (const auto& name = core.runtime->config().request_id; !name.empty()) {
    note.request_id = core.scan(fields).request_id;
    if (note.request_id.empty()) note.request_id = core.make_request_id();
    http::append_line(note.lines, name, note.request_id);
  }
  return note;
}

void ProxyHandler::refused(const server::RefusedMessage& message, const server::Peer& peer) {
  count_refusal(*p_, message, peer);
}

server::RefusalNote ProxyHandler::content_failed(server::Exchange& exchange, std::string_view code,
                                                 std::string_view detail) {
  auto& notes = notes_of(exchange);
  notes.error_code = code;
  notes.error_detail = detail;
  if (!notes.runtime) return {};
  server::RefusalNote note;
  note.request_id = own_request_id(*p_, notes);
  if (!note.request_id.empty()) http::append_line(note.lines, notes.runtime->config().request_id, note.request_id);
  return note;
}

const config::Server& ProxyHandler::settings() const { return p_->runtime->config().server; }

bool ProxyHandler::draining() const { return p_->shared.draining.load(std::memory_order_relaxed); }

void ProxyHandler::adopt(RuntimePtr runtime) {
  auto next = std::make_shared<WorkerRuntime>();
  auto& core = *p_;
  const auto& config = *runtime->config;
  const auto worker = core.worker.index();
  for (const auto& [name, state] : runtime->origins) {
    if (core.runtime) {
      const auto old = core.runtime->origins.find(name);
      if (old != core.runtime->origins.end() && &old->second->state() == state.get()) {
        next->origins.emplace(name, old->second);
        continue;
      }
    }
    next->origins.emplace(name, std::make_shared<upstream::Origin>(core.worker, state));
  }
  const auto origin = [&](const std::string& name) -> upstream::Origin* {
    const auto found = next->origins.find(name);
    return found == next->origins.end() ? nullptr : found->second.get();
  };
  for (const auto& route : config.routes)
    next->routes.push_back({&route, &core.shared.counters.of(route.name, worker), origin(route.origin)});
  next->none = {nullptr, &core.shared.counters.of("_none", worker), origin(config.default_origin)};
  next->log_requests = runtime->access && config.access.output != "off";
  next->runtime = std::move(runtime);
  if (core.runtime)
    for (const auto& [name, old] : core.runtime->origins)
      if (const auto kept = next->origins.find(name); kept == next->origins.end() || kept->second != old) old->retire();
  core.runtime = std::move(next);
}

std::size_t ProxyHandler::background_fetches() const {
  return static_cast<std::size_t>(
      std::count_if(p_->tasks.begin(), p_->tasks.end(), [](const auto& t) { return t->background(); }));
}

void ProxyHandler::shut_down() {
  p_->stopped = true;
  const auto tasks = std::move(p_->tasks);
  p_->tasks.clear();
  for (const auto& task : tasks) task->end();
}

}  // namespace forebay::proxy
