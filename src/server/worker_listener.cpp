#include "server/worker_listener.hpp"

#include "forebay/http/date.hpp"

namespace forebay::server {

std::string_view WorkerListener::date_line(WallTime now) {
  const std::int64_t second = whole_seconds(now.time_since_epoch());
  if (second != date_second_) {
    date_second_ = second;
    date_line_ = "Date: " + http::format_date(now) + "\r\n";
  }
  return date_line_;
}

}  // namespace forebay::server
