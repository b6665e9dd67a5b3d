#include "server/h1_protocol.hpp"

#include <utility>

#include "server/h1_connection.hpp"
#include "server/proxy_protocol.hpp"

namespace forebay::server {

namespace {
constexpr std::size_t kMostSpare = 128;
}

H1Protocol::H1Protocol() { spare_.reserve(kMostSpare); }

std::unique_ptr<Protocol> make_protocol(const config::Listener& listener) {
  std::unique_ptr<Protocol> protocol = std::make_unique<H1Protocol>();
  if (listener.proxy_protocol) protocol = std::make_unique<ProxyProtocol>(std::move(protocol));
  return protocol;
}

void H1Protocol::open(const std::shared_ptr<WorkerListener>& listener, Accepted accepted) {
  const bool admitted = static_cast<bool>(accepted.place);
  const std::string early = std::move(accepted.early);
  const H1Connection::Ptr connection(new H1Connection(listener, *this, std::move(accepted)));
  if (admitted)
    connection->begin(early);
  else
    connection->begin_refusal();
}

std::shared_ptr<H1Exchange> H1Protocol::make_exchange(WorkerListener& listener) {
  if (spare_.empty()) return std::make_shared<H1Exchange>(listener.worker, listener.handler.make_notes());
  auto exchange = std::move(spare_.back());
  spare_.pop_back();
  return exchange;
}

void H1Protocol::give_back(std::shared_ptr<H1Exchange> exchange) {
  // A task may still hold it, and must not see another request in it.
  if (exchange.use_count() == 1 && spare_.size() < kMostSpare) spare_.push_back(std::move(exchange));
}

}  // namespace forebay::server
