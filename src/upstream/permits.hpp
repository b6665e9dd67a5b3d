#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "forebay/base/clock.hpp"
#include "forebay/base/mutex.hpp"
#include "forebay/base/waker.hpp"
#include "forebay/net/stream.hpp"

namespace forebay::upstream {

class Permits;

/// An open connection on its way from one worker to another.
struct ParkedConnection {
  net::ParkedStream stream{};
  std::string address{};
};

/// The right to have one connection to an origin, from before it is opened until after it is closed.
class Permit {
 public:
  Permit() = default;
  Permit(Permit&&) noexcept = default;
  Permit& operator=(Permit&& o) noexcept {
    reset();
    permits_ = std::move(o.permits_);
    return *this;
  }
  ~Permit() { reset(); }

  explicit operator bool() const noexcept { return permits_ != nullptr; }
  void reset() noexcept;

 private:
  friend class Permits;
  explicit Permit(std::shared_ptr<Permits> permits) noexcept : permits_(std::move(permits)) {}
  std::shared_ptr<Permits> permits_;
};

/// What a waiter gets: a permit, and perhaps an idle connection.
struct Grant {
  Permit permit;
  ParkedConnection connection{};
};

/// A place in the queue for permits. `signal` is notified once something was granted.
class PermitRequest {
 public:
  Signal signal;

 private:
  friend class Permits;
  enum class State : std::uint8_t { Out, Queued, Granted };
  // All below under the mutex of the Permits.
  State state_ = State::Out;
  ParkedConnection connection_;
  std::list<std::shared_ptr<PermitRequest>>::iterator place_;
};

/// One worker's idle connections, as the others see them. `wanted` asks the worker to give them to the queue.
struct Shelf {
  Signal wanted;
  unsigned idle = 0;  // under the mutex of the Permits
  /// Since when the client of one of the worker's fetches has kept it waiting, the longest of all; max(): none does.
  std::atomic<Timestamp> stalled_since{Timestamp::max()};
  bool gives_way = false;  // under the mutex of the Permits
  bool for_place = false;  // the same
};

/// The connections of a process to one origin: limits of open and idle connections, and the FIFO queue of waiting
/// fetches of all workers. Thread-safe; nothing is woken or closed under its lock.
class Permits : public std::enable_shared_from_this<Permits> {
 public:
  Permits(unsigned max_connections, unsigned max_idle);

  /// A permit at once; or an empty one, then `request` is in the queue. The caller waits on its signal already, so that
  /// no grant is missed.
  Permit take(const std::shared_ptr<PermitRequest>& request);
  /// What `request` was granted; nothing while it is still in the queue.
  std::optional<Grant> granted(PermitRequest& request);
  /// Leaves the queue; what was granted meanwhile goes to the next.
  void leave(PermitRequest& request);
  /// Gives a permit with its connection to the first in the queue; closes it when nobody is there any more.
  void hand_over(Grant grant);

  void add(std::shared_ptr<Shelf> shelf);
  void remove(const std::shared_ptr<Shelf>& shelf);
  enum class Rest : std::uint8_t {
    Idle,    ///< Counted on the shelf.
    Wanted,  ///< Somebody waits: `hand_over`.
    Close,   ///< There are enough idle ones.
  };
  /// The use of a connection without work.
  Rest rest(Shelf& shelf);
  /// A connection leaves the shelf.
  void unrest(Shelf& shelf);
  bool anyone_waits() const;
  /// Whether a fetch would get a connection, new or idle, without waiting, as far as known. Takes no lock.
  bool has_room() const noexcept { return has_room_.load(std::memory_order_relaxed); }
  /// What somebody waits for: a connection, in the queue, or a place among the requests in flight (`Admission`).
  enum class For : std::uint8_t { Connection, Place };
  /// Asks the worker whose client has kept a connection waiting the longest, for `patience` or longer, to free it.
  /// Rate-limited, for any number of waiters.
  void press(Timestamp now, Duration patience, For what = For::Connection);
  /// Whether this shelf's worker was asked to; for a connection also whether somebody still waits.
  bool must_give_way(Shelf& shelf);

 private:
  friend class Permit;
  void give_back() noexcept;
  void grant_next(ParkedConnection connection);
  void note_room() noexcept FOREBAY_REQUIRES(mutex_);

  const unsigned max_connections_;
  const unsigned max_idle_;
  mutable Mutex mutex_;
  unsigned open_ FOREBAY_GUARDED_BY(mutex_) = 0;
  unsigned idle_ FOREBAY_GUARDED_BY(mutex_) = 0;
  std::atomic<bool> has_room_{true};  // changes under the mutex
  Timestamp pressed_ FOREBAY_GUARDED_BY(mutex_) = Timestamp::min();
  std::list<std::shared_ptr<PermitRequest>> queue_ FOREBAY_GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<Shelf>> shelves_ FOREBAY_GUARDED_BY(mutex_);
};

}  // namespace forebay::upstream
