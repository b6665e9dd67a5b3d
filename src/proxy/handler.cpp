#include "forebay/proxy/handler.hpp"

#include <algorithm>
#include <cmath>

#include "arrival.hpp"
#include "deliver.hpp"
#include "forebay/http/forwarding.hpp"
#include "forebay/net/resolver.hpp"
#include "outcome.hpp"
#include "plan.hpp"
#include "purge_request.hpp"
#include "untrusted.hpp"
#ifdef FOREBAY_FAULTS  // a build for tests alone
#include "faulty/faults.hpp"
#endif

namespace forebay::proxy {

using http::FieldId;
using http::Method;

struct ProxyHandler::Private final : Core {
  using Core::Core;

  void begin(const PendingRequestPtr& pending);
  HeadFacts scan(http::FieldsView sent) const { return proxy::scan(sent, runtime->config().request_id); }
};

void ProxyHandler::Private::begin(const PendingRequestPtr& pending) {
  auto& notes = pending->notes();
  auto& reading = pending->reading;
  auto& request = pending->request;
  notes.method = request.method;
  notes.version = request.version;
  const auto seen = scan(request.fields);
  const auto& server = pending->config().server;
  const auto& peer = pending->exchange->peer();
  pending->peer_trusted = server::trusts(server, peer);
  if (seen.forwarding && !pending->peer_trusted) warn_of_untrusted(shared.untrusted, peer);
  reading.asked_upgrade.clear();
  reading.upgrade.clear();
  if (seen.upgrade) read_upgrade(request, pending->has_content, reading);
  pending->request_id = seen.request_id;
  const auto* const tls = pending->exchange->peer().tls.get();
  request = end_to_end_request(request, seen, tls ? tls->client.get() : nullptr, pending->fields);
  const auto refuse_with = [&](const OwnError& error) {
    if (records(*runtime)) note_request(*pending, logged_target(reading.target, request.method, request.target));
    deliver_error(*pending, error);
  };
  if (http::orders_purge(request.method_text)) {
    if (runtime->log_requests) note_request(*pending, logged_target(reading.target, request.method, request.target));
    return answer_purge(pending);
  }
  if (const auto* error = refuse_head(request, seen, shared.instance_id, reading))
    return error->status == 200 ? deliver_options(*pending) : refuse_with(*error);
  if (!read_host(request.authority, seen.forwarded_proto, pending->peer_trusted, peer.scheme, reading))
    return refuse_with(kBadHost);
  reading.claims = http::keeps_claims(pending->peer_trusted, server.forwarded);
  if (records(*runtime)) note_request(*pending, reading.target);
#ifdef FOREBAY_FAULTS
  if (const auto fault = request.fields.value("Forebay-Fault")) test::inject_fault(*fault);
#endif
  go_to_route(pending);
}

ProxyHandler::ProxyHandler(net::Worker& worker, Shared& shared, RuntimePtr runtime)
    : p_(std::make_shared<Private>(worker, shared)) {
  adopt(std::move(runtime));
}

ProxyHandler::~ProxyHandler() { shut_down(); }

void ProxyHandler::start(const server::ExchangePtr& exchange) {
  auto pending = p_->take(exchange);
  p_->begin(pending);
  p_->give_back(std::move(pending));
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

// What is pinned is charged, so that it leaves the less for what could be hit.
bool ProxyHandler::overpinned() const {
  constexpr std::uint64_t kShare = 4;
  return p_->shared.store.budget().pinned() > p_->runtime->config().cache.memory / kShare;
}

bool ProxyHandler::draining() const { return p_->shared.draining.load(std::memory_order_relaxed); }
bool ProxyHandler::sends_away() const { return p_->shared.sends_clients_away.load(std::memory_order_relaxed); }

namespace {
net::Resolver::Settings resolver_settings(const config::Server& server) {
  net::Resolver::Settings settings;
  for (const auto& [address, port] : server.name_servers) {
    boost::system::error_code error;
    const auto numeric = boost::asio::ip::make_address(address, error);
    if (!error) settings.servers.emplace_back(numeric, port);
  }
  return settings;
}

std::uint64_t cost_of_a_request(const config::Origin& origin) {
  return static_cast<std::uint64_t>(std::llround(origin.cost_per_million * 1e3));  // 1e9 / 1e6
}
}  // namespace

void ProxyHandler::adopt(RuntimePtr runtime) {
  auto next = std::make_shared<WorkerRuntime>();
  auto& core = *p_;
  const auto& config = *runtime->config;
  core.worker.resolver().use(resolver_settings(config.server));
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
  const auto cost = [&](const std::string& name) {
    const auto found = config.origins.find(name);
    return found == config.origins.end() ? 0 : cost_of_a_request(found->second);
  };
  const auto failover = [&](const std::string& name) -> upstream::Origin* {
    const auto found = config.origins.find(name);
    return found == config.origins.end() ? nullptr : origin(found->second.failover);
  };
  for (const auto& route : config.routes)
    next->routes.push_back({&route, &core.shared.counters.of(route.name, worker), origin(route.origin),
                            failover(route.origin), cost(route.origin)});
  const auto& by_default = config.default_origin;
  next->none = {nullptr, &core.shared.counters.of("_none", worker), origin(by_default), failover(by_default),
                cost(by_default)};
  next->log_requests = runtime->access && config.access.output != "off";
  next->runtime = std::move(runtime);
  if (core.runtime)
    for (const auto& [name, old] : core.runtime->origins)
      if (const auto kept = next->origins.find(name); kept == next->origins.end() || kept->second != old) old->retire();
  core.runtime = std::move(next);
}

void ProxyHandler::drain() {
  const auto tasks = p_->tasks;  // some may end
  for (const auto& task : tasks) task->drain();
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
