#pragma once

#include <memory>

#include "forebay/admin/metrics.hpp"
#include "forebay/admin/status.hpp"
#include "forebay/server/exchange.hpp"

namespace forebay::admin {

struct Answer;

/// Handles requests to the admin listener: GET and HEAD of `/livez`, `/readyz`, `/version` and `/metrics` by anybody;
/// `POST /api/v1/explain` by operators only. Used by the admin worker only.
class AdminHandler final : public server::Handler {
 public:
  explicit AdminHandler(Sources sources);
  ~AdminHandler() override;

  void start(const server::ExchangePtr& exchange) override;
  void finished(server::Exchange& exchange) override;
  std::unique_ptr<server::Notes> make_notes() override;
  void refused(const server::RefusedMessage& message, const server::Peer& peer) override;
  const config::Server& settings() const override { return settings_; }
  bool draining() const override;

 private:
  Answer public_answer(Endpoint endpoint, http::Method method, std::string_view query, std::string_view accept) const;
  void start_explaining(server::Exchange& exchange, std::string_view accept);
  Answer explain(const std::string& document, Now now, std::string_view accept) const;
  void answer(server::Exchange& exchange, Endpoint endpoint, const Answer& answer);

  Sources sources_;
  AdminCounters counters_;
  config::Server settings_;
};

}  // namespace forebay::admin
