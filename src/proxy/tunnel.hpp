#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core.hpp"
#include "relay.hpp"
#include "watch.hpp"

namespace forebay::proxy {

/// A client's connection and an origin's that have switched to another protocol (RFC 9110 section 7.8): answers the
/// client, then carries bytes both ways. It ends with either connection, after `server.timeouts.tunnel` without
/// traffic, or with the process.
class Tunnel final : public Task, private Relay::Owner {
 public:
  /// `origin` has switched; `early`: what it has sent since.
  Tunnel(PendingRequest& pending, std::string_view protocol, net::Stream&& origin, std::string_view early);
  /// Answers the client of `pending` with this 101.
  void start(PendingRequest& pending, const http::ResponseView& head, const rules::CacheStatus& status);

  void end() override;
  bool background() const override { return false; }
  /// A WebSocket gets a Close frame (1001) soon. Others may go on until the process ends.
  void drain() override;

 private:
  void take(net::Stream&& client, std::string early);
  void moved(TunnelWay way, std::size_t bytes) override;
  Charge reserve(std::size_t bytes) override { return core_.shared.store.reserve(bytes); }
  void ended(TunnelEnd how) override;
  void run(const std::function<void()>& step) override { guarded(step); }
  void client_gone();
  void finish(TunnelEnd how);
  void give_up() noexcept override;

  Core& core_;
  server::ExchangePtr exchange_;
  const WorkerRuntimePtr runtime_;
  RouteCounters& counters_;
  const std::string protocol_;
  net::Stream origin_;  // until the client's connection is there
  std::string early_;
  TunnelPlace place_;
  std::shared_ptr<Relay> relay_;  // null until then
  bool drains_ = false;
  net::Deadline close_at_;
  Watch<Tunnel> gone_{*this, &Tunnel::client_gone};
};

}  // namespace forebay::proxy
