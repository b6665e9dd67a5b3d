#pragma once

#include <boost/intrusive/list.hpp>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "forebay/base/clock.hpp"

namespace forebay::net {

/// Something that must not take longer than it may. Belongs to one worker; fires once, then is idle until armed again. Arming anew moves it;
/// its destructor disarms it. Cheap enough for each read and write: two pointer writes.
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

/// One hashed wheel per worker with slots of a millisecond. A deadline may fire up to two slots late, never early. Silent when idle: the worker
/// asks `next` how long it may sleep.
class Deadlines {
 public:
  explicit Deadlines(Timestamp start);
  void arm(Deadline& d, Timestamp at);
  void arm(Deadline& d, Timestamp now, Duration in) { arm(d, now + in); }
  /// Fires all that are due. What fires may arm and disarm anything.
  void advance(Timestamp now);
  /// When the next armed deadline is due (a bound from below), or max().
  Timestamp next() const;
  /// Called when a deadline is armed that is due before everything else, so that the worker can wake in time.
  std::function<void(Timestamp)> on_earlier;

 private:
  using Slot = boost::intrusive::list<Deadline, boost::intrusive::constant_time_size<false>>;
  static constexpr std::size_t kSlots = 4096;
  std::vector<Slot> slots_;
  Timestamp start_;
  std::int64_t current_ = 0;  // slots since start that were fired
  Timestamp scheduled_ = Timestamp::max();
};

}  // namespace forebay::net
