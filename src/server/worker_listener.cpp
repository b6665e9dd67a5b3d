#include "server/worker_listener.hpp"

#include "forebay/http/date.hpp"
#include "server/edge_error.hpp"

namespace forebay::server {

namespace {
// Maximum number of clients over the limit that get a 503 at a time; others are closed without a response.
constexpr unsigned kMostRefusing = 64;
}  // namespace

bool WorkerListener::may_refuse(const Peer& peer) {
  if (refusing < kMostRefusing) return true;
  numbers->rejected_limit.fetch_add(1, std::memory_order_relaxed);
  handler.refused({kOverload.reason, kOverload.status, kOverload.code, kOverload.detail, {}, 0, {}}, peer);
  return false;
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
