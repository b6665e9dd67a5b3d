#include "server/worker_listener.hpp"

#include <algorithm>

#include "forebay/base/events.hpp"
#include "forebay/http/date.hpp"
#include "server/connection.hpp"

namespace forebay::server {

namespace {
// Maximum number of clients over the limit that get a 503 at a time; others are closed without a response.
constexpr unsigned kMostRefusing = 64;
}  // namespace

WorkerListener::WorkerListener(net::Worker& its_worker, Handler& its_handler,
                               std::shared_ptr<ListenerNumbers> its_numbers, std::unique_ptr<Protocol> its_protocol,
                               std::shared_ptr<ConnectionLimits> its_limits)
    : worker(its_worker),
      handler(its_handler),
      numbers(std::move(its_numbers)),
      protocol(std::move(its_protocol)),
      limits(std::move(its_limits)),
      stalled(*this, limits->stalls) {}

const EdgeError& overload_of(const ConnectionLimits::Place& place) noexcept {
  return place.address_full() ? kAddressOverload : kOverload;
}

bool WorkerListener::may_refuse(const Peer& peer, const ConnectionLimits::Place& place) {
  if (const auto now = worker.now().mono; limits->told.may(now))
    events::record(now, events::Kind::Limit,
                   std::string("connections are refused: ") +
                       (place.address_full() ? "a client has as many as server.limits.connections_per_address allows"
                                             : "there are as many as server.max_connections allows"),
                   {{"listener", numbers->name}});
  if (refusing < kMostRefusing) return true;
  numbers->rejected_limit.fetch_add(1, std::memory_order_relaxed);
  const auto& why = overload_of(place);
  handler.refused({why.reason, why.status, why.code, why.detail, {}, 0, {}}, peer);
  return false;
}

bool WorkerListener::make_room() {
  const auto first = std::min_element(connections.begin(), connections.end(),
                                      [](const auto& a, const auto& b) { return a.silent_since() < b.silent_since(); });
  if (first == connections.end() || first->silent_since() == Timestamp::max()) return false;
  numbers->rejected_limit.fetch_add(1, std::memory_order_relaxed);
  first->abort();
  return true;
}

std::string_view WorkerListener::date_line(WallTime now) {
  const std::int64_t second = whole_seconds(now.time_since_epoch());
  if (second != date_second_) {
    date_second_ = second;
    date_line_ = "Date: " + http::format_date(now) + "\r\n";
  }
  return date_line_;
}

}  // namespace forebay::server
