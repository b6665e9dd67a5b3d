#pragma once

#include <atomic>
#include <boost/intrusive/list.hpp>
#include <map>

#include "forebay/base/clock.hpp"
#include "forebay/base/mutex.hpp"
#include "forebay/net/deadlines.hpp"
#include "server/connection.hpp"

namespace forebay::server {

class WorkerListener;

/// Which of the workers has the connection that has been stalled for longest. Shared by all of them.
class StallBoard {
 public:
  struct Told {
    bool before = false;                  ///< Lately too, so that the others had time to tell theirs.
    Timestamp others = Timestamp::max();  ///< The oldest that another has told lately.
  };
  /// `who` tells the time of its oldest. What it told is forgotten after two rounds without another call.
  Told tell(const void* who, Timestamp since, Timestamp now);
  /// Whether the caller alone may reset connections now, until `end`: what one of them held is given back before
  /// another worker looks.
  bool begin() noexcept { return !resetting_.exchange(true, std::memory_order_acquire); }
  void end() noexcept { resetting_.store(false, std::memory_order_release); }
  /// Whether a line may be logged: one in a minute.
  bool may_log(Timestamp now);

  /// Time between two calls of one worker.
  static constexpr Duration kRound = std::chrono::milliseconds{500};

 private:
  std::atomic<bool> resetting_{false};
  struct Report {
    Timestamp since, at;
  };
  Mutex mutex_;
  std::map<const void*, Report> reports_ FOREBAY_GUARDED_BY(mutex_);
  Timestamp log_again_ FOREBAY_GUARDED_BY(mutex_){};
};

/// The connections of a worker's listener whose clients do not take what was sent, by the time since when. While
/// clients hold too much of what the store has dropped (`Handler::overpinned`), the one that has been stalled for
/// longest over all workers is reset, and so on. Costs nothing while no client is slow.
class StalledReaders {
 public:
  StalledReaders(WorkerListener& listener, StallBoard& board);

  /// The connection is blocked from now on, until `leave` or its end.
  void enter(Connection& connection);
  void leave(Connection& connection) noexcept;

 private:
  using Hook = boost::intrusive::member_hook<Connection, Connection::StallHook, &Connection::stall>;
  void on_round();
  void relieve(Timestamp now);
  Connection* oldest(Timestamp now);
  void reset(Connection& connection, Timestamp now);

  WorkerListener& listener_;
  StallBoard& board_;
  boost::intrusive::list<Connection, Hook, boost::intrusive::constant_time_size<false>> all_;
  net::Deadline round_;
};

}  // namespace forebay::server
