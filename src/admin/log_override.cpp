#include "log_override.hpp"

#include <string>
#include <utility>

#include "forebay/base/events.hpp"

namespace forebay::admin {

void LogOverride::set_for(net::Worker& worker, log::Level level, Duration time, std::function<log::Level()> after) {
  level_ = level;
  until_ = worker.now().mono + time;
  deadline_ = std::make_unique<net::Deadline>([this, &worker, after = std::move(after)] {
    // A reload may have set another one.
    if (log::level() != level_) return;
    const auto next = after();
    log::set_level(next);
    const auto text = "the level of the log is " + std::string(log::to_string(next)) + " again";
    log::write_always(log::Level::Info, text);
    events::record(worker.now().mono, events::Kind::LogLevel, text);
  });
  worker.deadlines().arm(*deadline_, until_);
  log::set_level(level);
}

std::optional<Duration> LogOverride::left(Timestamp now) const {
  if (!deadline_ || !deadline_->armed() || log::level() != level_ || until_ <= now) return std::nullopt;
  return until_ - now;
}

}  // namespace forebay::admin
