#pragma once

#include <memory>

#include "forebay/admin/metrics.hpp"
#include "forebay/admin/status.hpp"
#include "forebay/server/exchange.hpp"

namespace forebay::admin {

/// Answers what comes in at the operators' listener: `/livez`, `/readyz`, `/version` and `/metrics`, to GET and HEAD.
/// Used by the admin worker alone.
class AdminHandler final : public server::Handler {
 public:
  explicit AdminHandler(Sources sources);
  ~AdminHandler() override;

  void start(const server::ExchangePtr& exchange) override;
  void finished(server::Exchange& exchange) override;
  std::unique_ptr<server::Notes> make_notes() override;
  void refused(server::Refusal reason, int status, const server::Peer& peer) override;
  const config::Server& settings() const override { return settings_; }
  bool draining() const override;

 private:
  Sources sources_;
  AdminCounters counters_;
  config::Server settings_;
};

}  // namespace forebay::admin
