#pragma once

#include <cstddef>
#include <list>

#include "event_stream.hpp"
#include "forebay/net/worker.hpp"
#include "forebay/proxy/request_tap.hpp"

namespace forebay::admin {

/// Who reads the streams of the admin listener. Used by the admin worker only.
class Streams {
 public:
  static constexpr std::size_t kMostStatsReaders = 16;

  explicit Streams(proxy::RequestTap& tap) : tap_(tap), look_([this] { pass_requests(); }) {}

  std::list<EventReader> stats;

  /// A reader of requests; null: there are too many. What waits for it is passed on every `kPause`.
  EventReader* watch_requests(proxy::RequestFilter filter, net::Worker& worker);
  /// Once a second: forgets those who have left, and keeps the others alive.
  void tidy(Timestamp now);
  /// Ends all of them in order.
  void end();

 private:
  static constexpr Duration kPause = std::chrono::milliseconds{20};
  struct Watcher {
    std::size_t number;
    EventReader reader;
  };
  void pass_requests();
  void drop_leftovers();

  proxy::RequestTap& tap_;
  net::Worker* worker_ = nullptr;  // while somebody watches
  net::Deadline look_;
  std::list<Watcher> watchers_;
};

}  // namespace forebay::admin
