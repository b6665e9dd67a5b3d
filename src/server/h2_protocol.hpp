#pragma once

#include <memory>

#include "server/exchange_pool.hpp"
#include "server/h2_exchange.hpp"
#include "server/protocol.hpp"
#include "server/worker_listener.hpp"

namespace forebay::server {

/// HTTP/2, by ALPN or by prior knowledge: `Accepted::early` begins with the connection preface, or nothing of it has
/// come.
class H2Protocol final : public Protocol {
 public:
  void open(const std::shared_ptr<WorkerListener>& listener, Accepted accepted) override;

  std::shared_ptr<H2Exchange> make_exchange(WorkerListener& listener) { return spare_.take(listener); }
  void give_back(std::shared_ptr<H2Exchange> exchange) { spare_.give_back(std::move(exchange)); }

 private:
  ExchangePool<H2Exchange> spare_{256};
};

}  // namespace forebay::server
