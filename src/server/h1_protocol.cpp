#include "server/h1_protocol.hpp"

#include <utility>

#include "server/edge_error.hpp"
#include "server/h1_connection.hpp"
#include "server/h2_protocol.hpp"
#include "server/proxy_protocol.hpp"
#include "server/tls_protocol.hpp"

namespace forebay::server {

std::unique_ptr<Protocol> make_protocol(const config::Listener& listener) {
  std::unique_ptr<Protocol> protocol = std::make_unique<TlsProtocol>(
      std::make_unique<H1Protocol>(listener.http2 ? std::make_unique<H2Protocol>() : nullptr));
  if (listener.proxy_protocol) protocol = std::make_unique<ProxyProtocol>(std::move(protocol));
  return protocol;
}

void H1Protocol::open(const std::shared_ptr<WorkerListener>& listener, Accepted accepted) {
  const bool admitted = static_cast<bool>(accepted.place);
  const EdgeError& why = overload_of(accepted.place);
  const std::string early = std::move(accepted.early);
  const H1Connection::Ptr connection(new H1Connection(listener, *this, std::move(accepted)));
  if (admitted)
    connection->begin(early);
  else
    connection->begin_refusal(why);
}

void H1Protocol::refuse(const std::shared_ptr<WorkerListener>& listener, Accepted accepted, const EdgeError& why) {
  const H1Connection::Ptr connection(new H1Connection(listener, *this, std::move(accepted)));
  connection->begin_refusal(why);
}

}  // namespace forebay::server
