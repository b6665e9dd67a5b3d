#pragma once

#include <functional>
#include <utility>

#include "forebay/http/event_stream.hpp"
#include "forebay/net/deadlines.hpp"

namespace forebay::proxy {

/// An event stream under way: it ends in order when the process drains.
struct EventStream {
  explicit EventStream(std::function<void()> due) : end_at(std::move(due)) {}
  http::EventBoundaries boundaries;
  bool ending = false;   ///< It ends at the next boundary.
  net::Deadline end_at;  ///< When `ending` begins.
};

}  // namespace forebay::proxy
