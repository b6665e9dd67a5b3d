#include "forebay/proxy/handler.hpp"

#include <algorithm>

#include "arrival.hpp"
#include "deliver.hpp"
#include "forebay/http/forwarding.hpp"
#include "outcome.hpp"
#include "plan.hpp"
#ifdef FOREBAY_FAULTS  // a build for tests alone
#include "faulty/faults.hpp"
#endif

namespace forebay::proxy {

using http::FieldId;
using http::Method;

struct ProxyHandler::Private : Core {
  using Core::Core;

  void refuse_with(server::Exchange& exchange, const http::RequestView& request, OwnError error);
  void route(const server::ExchangePtr& exchange, const http::RequestView& request, const HeadFacts& seen);
  HeadFacts scan(http::FieldsView sent) const { return proxy::scan(sent, runtime->config().request_id); }
};

void ProxyHandler::Private::refuse_with(server::Exchange& exchange, const http::RequestView& request, OwnError error) {
  const auto seen = scan(request.fields);
  if (runtime->log_requests)
    note_request(notes_of(exchange), request, logged_target(reading.target, request.method, request.target),
                 seen.request_id, runtime->config(), exchange);
  deliver_error(*this, exchange, request.fields.value(FieldId::Accept).value_or(""), seen.request_id, error);
}

void ProxyHandler::Private::route(const server::ExchangePtr& exchange, const http::RequestView& request,
                                  const HeadFacts& seen) {
  auto& notes = notes_of(*exchange);
  const auto& config = runtime->config();
  const auto& peer = exchange->peer();
  const bool trusted = !config.server.trusted_proxies.empty() && peer.has_ip &&
                       http::contains_any(config.server.trusted_proxies, peer.ip);
  if (!read_host(request.authority, seen.forwarded_proto, trusted, peer.scheme, reading))
    return refuse_with(*exchange, request, kBadHost);
  reading.claims = http::keeps_claims(trusted, config.server.forwarded);
  if (runtime->log_requests) note_request(notes, request, reading.target, seen.request_id, config, *exchange);
#ifdef FOREBAY_FAULTS
  if (const auto fault = request.fields.value("Forebay-Fault")) test::inject_fault(*fault);
#endif
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
  const auto request = seen.connection_names_more ? without_nominated(raw, core.fields) : raw;
  if (const auto* error = refuse_head(request, seen, core.shared.instance_id, core.reading)) {
    if (error->status == 200) return deliver_options(core, *exchange);
    return core.refuse_with(*exchange, request, *error);
  }
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
    note.field = name;
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
  if (!note.request_id.empty()) note.field = notes.runtime->config().request_id;
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
