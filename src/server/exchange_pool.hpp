#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "server/worker_listener.hpp"

namespace forebay::server {

/// Keeps exchanges that nobody uses, so that a request costs no allocation and an idle connection keeps none.
template <class Exchange>
class ExchangePool {
 public:
  explicit ExchangePool(std::size_t most) : most_(most) { spare_.reserve(most); }

  std::shared_ptr<Exchange> take(WorkerListener& listener) {
    if (spare_.empty()) return std::make_shared<Exchange>(listener.worker, listener.handler.make_notes());
    auto exchange = std::move(spare_.back());
    spare_.pop_back();
    return exchange;
  }
  /// An exchange that is over.
  void give_back(std::shared_ptr<Exchange> exchange) {
    // A task may still hold it, and must not see another request in it.
    if (exchange.use_count() == 1 && spare_.size() < most_) spare_.push_back(std::move(exchange));
  }

 private:
  std::size_t most_;
  std::vector<std::shared_ptr<Exchange>> spare_;
};

}  // namespace forebay::server
