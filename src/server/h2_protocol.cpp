#include "server/h2_protocol.hpp"

#include <string>
#include <utility>

#include "server/h2_connection.hpp"

namespace forebay::server {

void H2Protocol::open(const std::shared_ptr<WorkerListener>& listener, Accepted accepted) {
  const bool admitted = static_cast<bool>(accepted.place);
  const EdgeError& why = overload_of(accepted.place);
  const std::string early = std::move(accepted.early);
  const H2Connection::Ptr connection(new H2Connection(listener, *this, std::move(accepted)));
  if (admitted)
    connection->begin(early);
  else
    connection->begin_refusal(why);
}

}  // namespace forebay::server
