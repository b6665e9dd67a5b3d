#pragma once

#include <memory>
#include <vector>

#include "server/h1_exchange.hpp"
#include "server/protocol.hpp"
#include "server/worker_listener.hpp"

namespace forebay::server {

struct EdgeError;

/// HTTP/1.1 and HTTP/1.0. Keeps exchanges that nobody uses, so that a request costs no allocation and an idle
/// connection keeps none.
class H1Protocol final : public Protocol {
 public:
  H1Protocol();
  void open(const std::shared_ptr<WorkerListener>& listener, Accepted accepted) override;
  /// Answers with this error, and ends.
  void refuse(const std::shared_ptr<WorkerListener>& listener, Accepted accepted, const EdgeError& why);

  std::shared_ptr<H1Exchange> make_exchange(WorkerListener& listener);
  /// An exchange that is over.
  void give_back(std::shared_ptr<H1Exchange> exchange);

 private:
  std::vector<std::shared_ptr<H1Exchange>> spare_;
};

}  // namespace forebay::server
