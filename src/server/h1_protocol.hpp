#pragma once

#include <memory>
#include <string>
#include <utility>

#include "server/exchange_pool.hpp"
#include "server/h1_exchange.hpp"
#include "server/protocol.hpp"
#include "server/worker_listener.hpp"

namespace forebay::server {

struct EdgeError;

/// HTTP/1.1 and HTTP/1.0.
class H1Protocol final : public Protocol {
 public:
  /// `http2`: takes the connections whose first bytes are the preface of HTTP/2; null: they are refused.
  explicit H1Protocol(std::unique_ptr<Protocol> http2 = nullptr) : http2_(std::move(http2)) {}
  void open(const std::shared_ptr<WorkerListener>& listener, Accepted accepted) override;
  /// Answers with this error, and ends.
  void refuse(const std::shared_ptr<WorkerListener>& listener, Accepted accepted, const EdgeError& why);

  std::shared_ptr<H1Exchange> make_exchange(WorkerListener& listener) { return spare_.take(listener); }
  void give_back(std::shared_ptr<H1Exchange> exchange) { spare_.give_back(std::move(exchange)); }
  Protocol* http2() const noexcept { return http2_.get(); }

 private:
  std::unique_ptr<Protocol> http2_;
  ExchangePool<H1Exchange> spare_{128};
};

}  // namespace forebay::server
