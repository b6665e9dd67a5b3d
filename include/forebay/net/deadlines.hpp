#pragma once

#include <array>
#include <boost/intrusive/list.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "forebay/base/clock.hpp"

namespace forebay::net {

/// A timer of one worker. Fires once, then is idle until armed again. Arming it again moves it; its destructor disarms
/// it. Costs two pointer writes, so it is used for each read and write.
class Deadline : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  explicit Deadline(std::function<void()> expired) : expired_(std::move(expired)) {}
  Deadline(const Deadline&) = delete;
  bool armed() const noexcept { return is_linked(); }
  void disarm() noexcept { unlink(); }

 private:
  friend class Deadlines;
  std::function<void()> expired_;
  Timestamp at_{};
};

/// One hashed wheel per worker with slots of a millisecond. A deadline may fire up to two slots late, never early.
/// Silent when idle: the worker asks `next` how long it may sleep.
class Deadlines {
 public:
  explicit Deadlines(Timestamp start);
  void arm(Deadline& d, Timestamp at);
  void arm(Deadline& d, Timestamp now, Duration in) { arm(d, now + in); }
  /// Fires all due deadlines. A callback may arm and disarm any deadline, and may destroy its own as its last action.
  void advance(Timestamp now);
  /// A lower bound of the next armed deadline, or max().
  Timestamp next();
  /// Called when the earliest deadline is armed, so that the worker can wake in time. Not called from `advance`: call
  /// `next` after it.
  std::function<void(Timestamp)> on_earlier;

 private:
  using List = boost::intrusive::list<Deadline, boost::intrusive::constant_time_size<false>>;
  // `earliest` is a lower bound: a moved or disarmed deadline leaves it unchanged until the slot is checked.
  struct Slot {
    List list;
    Timestamp earliest = Timestamp::max();
  };
  static constexpr std::size_t kSlots = 4096;
  static constexpr std::size_t kWords = kSlots / 64;

  std::int64_t tick_of(Timestamp at) const noexcept;
  void collect(std::size_t slot, Timestamp now, List& due);

  std::vector<Slot> slots_;
  std::array<std::uint64_t, kWords> occupied_{};  // a bit per slot that may hold something
  Timestamp start_;
  std::int64_t current_ = 0;  // the slot, counted from the start, up to which all were fired
  Timestamp scheduled_ = Timestamp::max();
};

}  // namespace forebay::net
