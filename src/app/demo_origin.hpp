#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>

#include "demo_shop.hpp"
#include "forebay/server/exchange.hpp"
#include "worker_pool.hpp"

namespace forebay::app {

/// The shop as a server on a free loopback port, with its own thread.
class DemoOrigin final : public server::Handler {
 public:
  DemoOrigin();
  ~DemoOrigin() override;

  std::atomic<bool>& down() noexcept { return shop_.down(); }
  std::uint16_t port() const { return booth_.listener().port(); }

  void start(const server::ExchangePtr& exchange) override;
  void finished(server::Exchange&) override {}
  std::unique_ptr<server::Notes> make_notes() override;
  void refused(const server::RefusedMessage&, const server::Peer&) override {}
  const config::Server& settings() const override { return settings_; }
  bool draining() const override { return closing_.load(std::memory_order_relaxed); }

 private:
  /// A delayed response.
  struct Pending {
    server::ExchangePtr exchange;
    DemoShop::Answer answer;
    std::optional<net::Deadline> due;
  };
  static void send(server::Exchange& exchange, const DemoShop::Answer& answer);

  net::SystemClock clock_;
  config::Server settings_;
  std::atomic<bool> closing_{false};
  DemoShop shop_;
  SingleWorkerServer booth_;
  std::list<Pending> pending_;  // of the booth's worker
};

}  // namespace forebay::app
