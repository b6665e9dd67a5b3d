#pragma once

#include <algorithm>
#include <cstdint>

#include "forebay/base/clock.hpp"

namespace forebay::server {

/// A deadline that is still due after it was handled fires again after this time at the earliest.
inline constexpr Duration kHandledTwice = std::chrono::milliseconds{50};

/// Whether a client keeps the rate of `server.limits.min_rate` while we wait for it. Waiting uses up a time credit and
/// bytes earn more. Has no clock.
class MinRate {
 public:
  /// The time over which the rate is counted: the credit to begin with.
  static constexpr Duration kWindow = std::chrono::seconds{20};
  /// How much credit can be earned. A steady reader progresses in steps of half its buffer, so the credit must cover a
  /// step; a body arrives byte by byte.
  explicit MinRate(Duration most) : most_(most) {}

  /// `rate` in bytes a second; 0 is off.
  void begin(std::uint64_t rate) noexcept {
    rate_ = rate;
    credit_ = kWindow;
    since_ = Timestamp::max();
  }
  /// From now on the client keeps us waiting. No effect while it does so already.
  void wait(Timestamp now) noexcept {
    if (since_ == Timestamp::max()) since_ = now;
  }
  /// The client no longer keeps us waiting.
  void stop(Timestamp now) noexcept {
    settle(now);
    since_ = Timestamp::max();
  }
  /// It has sent or taken so much.
  void moved(std::uint64_t bytes, Timestamp now) noexcept {
    if (rate_ == 0) return;
    settle(now);
    const auto seconds = std::min<double>(static_cast<double>(bytes) / static_cast<double>(rate_), 3600);
    credit_ = std::min(most_, credit_ + std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds)));
  }
  /// When the credit is used up without progress; max() while not waiting.
  Timestamp due() const noexcept {
    return rate_ == 0 || since_ == Timestamp::max() ? Timestamp::max() : since_ + credit_;
  }

 private:
  void settle(Timestamp now) noexcept {
    if (since_ == Timestamp::max() || now <= since_) return;
    credit_ -= now - since_;
    since_ = now;
  }

  Duration most_;
  Duration credit_ = kWindow;
  Timestamp since_ = Timestamp::max();
  std::uint64_t rate_ = 0;
};

}  // namespace forebay::server
