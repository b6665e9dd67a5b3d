#pragma once

#include <memory>

#include "forebay/net/worker.hpp"
#include "forebay/proxy/runtime.hpp"
#include "forebay/server/exchange.hpp"

namespace forebay::proxy {

/// Handles every request of one worker: route, key, look-up, fetch, delivery, outcome.
class ProxyHandler final : public server::Handler {
 public:
  ProxyHandler(net::Worker& worker, Shared& shared, RuntimePtr runtime);
  ~ProxyHandler() override;

  void start(const server::ExchangePtr& exchange) override;
  void finished(server::Exchange& exchange) override;
  std::unique_ptr<server::Notes> make_notes() override;
  server::RefusalNote note_refusal(http::FieldsView fields) override;
  void refused(const server::RefusedMessage& message, const server::Peer& peer) override;
  server::RefusalNote content_failed(server::Exchange& exchange, std::string_view code,
                                     std::string_view detail) override;
  const config::Server& settings() const override;
  bool draining() const override;
  bool sends_away() const override;
  bool overpinned() const override;

  /// On the worker's thread: new requests use this configuration; requests in progress keep theirs.
  void adopt(RuntimePtr runtime);
  /// On the worker's thread, once `Shared::draining` is set: tunnels and event streams end in order.
  void drain();
  /// On the worker's thread. Number of background fetches; a drain waits for them until its end.
  std::size_t background_fetches() const;
  /// On the worker's thread, before the store is destroyed: ends every task of this worker.
  void shut_down();

 private:
  struct Private;
  std::shared_ptr<Private> p_;
};

}  // namespace forebay::proxy
