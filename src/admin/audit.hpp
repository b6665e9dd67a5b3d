#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "answer.hpp"
#include "forebay/base/clock.hpp"
#include "forebay/base/rate_limit.hpp"
#include "forebay/server/exchange.hpp"

namespace forebay::admin {

/// The beginning of the line about a change: what was asked for, from where, and by which right.
std::string change_text(http::Method method, std::string_view path, const server::Peer& peer, std::string_view by);
/// Writes the line of a change that was allowed, whatever the level of the log is.
void audit(std::string_view change, const Answer& answer);

/// The same of a change that takes a while; `audit` writes another line at its end.
void audit_accepted(std::string_view change);

/// Logs requests for changes that were refused, at most one a second: anybody can send them.
class RefusedChanges {
 public:
  void note(std::string_view change, const Answer& answer, Timestamp now);

 private:
  RateLimit lines_;
  std::uint64_t left_out_ = 0;
};

}  // namespace forebay::admin
