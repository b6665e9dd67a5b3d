#include "server/lane.hpp"

#include "forebay/http/date.hpp"

namespace forebay::server {

namespace {
constexpr std::size_t kMostSpare = 128;
}

std::string_view Lane::date_line(WallTime now) {
  const std::int64_t second = whole_seconds(now.time_since_epoch());
  if (second != date_second_) {
    date_second_ = second;
    date_line_ = "Date: " + http::format_date(now) + "\r\n";
  }
  return date_line_;
}

ExchangePtr Lane::take_spare() {
  if (spare_.empty()) return nullptr;
  ExchangePtr exchange = std::move(spare_.back());
  spare_.pop_back();
  return exchange;
}

void Lane::give_spare(ExchangePtr exchange) {
  // A task may still hold it, and must not see another request in it.
  if (exchange.use_count() == 1 && spare_.size() < kMostSpare) spare_.push_back(std::move(exchange));
}

}  // namespace forebay::server
