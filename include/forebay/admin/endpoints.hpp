#pragma once

#include <memory>

#include "forebay/admin/status.hpp"
#include "forebay/server/exchange.hpp"

namespace forebay::admin {

/// Handles requests to the admin listener by the table of endpoints: some are for everybody, the others for operators.
/// Used by the admin worker only.
class AdminHandler final : public server::Handler {
 public:
  explicit AdminHandler(Sources sources);
  ~AdminHandler() override;

  /// On the thread of its worker, once: from now on there is something to be seen in the statistics.
  void begin(net::Worker& worker);
  /// On that thread: ends all streams in order.
  void end_streams();

  void start(const server::ExchangePtr& exchange) override;
  void finished(server::Exchange& exchange) override;
  std::unique_ptr<server::Notes> make_notes() override;
  void refused(const server::RefusedMessage& message, const server::Peer& peer) override;
  const config::Server& settings() const override;
  bool draining() const override;

 private:
  struct Private;
  std::unique_ptr<Private> p_;
};

}  // namespace forebay::admin
