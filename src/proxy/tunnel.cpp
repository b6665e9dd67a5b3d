#include "tunnel.hpp"

#include <algorithm>
#include <utility>

#include "deliver.hpp"
#include "forebay/http/fields.hpp"

namespace forebay::proxy {

namespace {
// RFC 6455 section 7.4.1: the server goes away.
constexpr unsigned kGoingAway = 1001;
}  // namespace

Tunnel::Tunnel(PendingRequest& pending, std::string_view protocol, net::Stream&& origin, std::string_view early)
    : core_(pending.core),
      exchange_(pending.exchange),
      runtime_(pending.runtime),
      counters_(*pending.route->counters),
      protocol_(protocol),
      origin_(std::move(origin)),
      early_(early),
      place_(std::move(pending.tunnel)),
      close_at_([this] { guarded([this] { relay_->close_websocket(kGoingAway); }); }) {}

void Tunnel::start(PendingRequest& pending, const http::ResponseView& head, const rules::CacheStatus& status) {
  const auto self = std::static_pointer_cast<Tunnel>(shared_from_this());
  auto& notes = pending.notes();
  notes.tunnel_protocol = notes.keep(protocol_);
  core_.add(self);
  exchange_->on_gone(&gone_);
  const bool switches =
      deliver_switch(pending, head, status, protocol_, [self](net::Stream&& client, std::string client_early) {
        self->guarded([&] { self->take(std::move(client), std::move(client_early)); });
      });
  if (!switches) give_up();
}

void Tunnel::take(net::Stream&& client, std::string early) {
  if (!exchange_) return;
  auto& notes = notes_of(*exchange_);
  if (std::exchange(notes.counted_in_flight, false)) counters_.in_flight.sub();
  counters_.tunnels.add();
  counters_.tunnels_opened.add();
  const auto& timeouts = runtime_->config().server.timeouts;
  relay_ = std::make_shared<Relay>(core_.worker, Relay::Limits{timeouts.tunnel, timeouts.write});
  relay_->start(*this, std::move(client), std::move(early), std::move(origin_), std::move(early_));
  if (core_.shared.draining.load(std::memory_order_relaxed)) drain();
}

void Tunnel::moved(TunnelWay way, std::size_t bytes) {
  counters_.tunnel_bytes[static_cast<std::size_t>(way)].add(bytes);
}

void Tunnel::ended(TunnelEnd how) {
  const bool in_order = how == TunnelEnd::Closed || how == TunnelEnd::Idle;
  finish(in_order && drains_ ? TunnelEnd::Drain : how);
}

void Tunnel::drain() {
  drains_ = true;
  if (!relay_ || close_at_.armed() || !http::iequals(protocol_, "websocket")) return;
  core_.worker.deadlines().arm(close_at_, core_.now().mono, core_.drain_delay());
}

void Tunnel::client_gone() {
  if (relay_) relay_->stop();
  finish(TunnelEnd::Stop);
}

void Tunnel::finish(TunnelEnd how) {
  const auto exchange = std::exchange(exchange_, nullptr);
  if (!exchange) return;
  const auto self = shared_from_this();
  close_at_.disarm();
  origin_.close();
  exchange->on_gone(nullptr);
  std::uint64_t in = 0, out = 0;
  if (relay_) {
    in = relay_->bytes(TunnelWay::FromClient);
    out = relay_->bytes(TunnelWay::FromOrigin);
    counters_.tunnels.sub();
    counters_.tunnels_closed[static_cast<std::size_t>(how)].add();
    notes_of(*exchange).tunnel_end = to_string(how);
  }
  core_.remove(self);
  exchange->end_upgrade(in, out, how == TunnelEnd::Closed || how == TunnelEnd::Drain);
}

void Tunnel::give_up() noexcept {
  if (relay_) relay_->stop();
  const auto exchange = exchange_;
  finish(TunnelEnd::Stop);
  if (exchange) exchange->cut();
}

void Tunnel::end() {
  if (relay_) relay_->stop();
  gone_.stop_waiting();
  close_at_.disarm();
  origin_.close();
  exchange_.reset();
}

}  // namespace forebay::proxy
