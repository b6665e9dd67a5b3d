#pragma once

#include <chrono>
#include <cstdint>

namespace forebay {

using Duration = std::chrono::nanoseconds;
using Seconds = std::chrono::seconds;
using namespace std::chrono_literals;

/// A monotonic clock that includes the time while the machine is suspended (CLOCK_BOOTTIME), so that ages stay right. A
/// tag; `net` reads it.
struct BootClock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<BootClock>;
  static constexpr bool is_steady = true;
};
/// A point on that clock. Freshness and deadlines run on it, so that a step of the wall clock changes neither.
using Timestamp = std::chrono::time_point<BootClock, Duration>;
/// A point on the wall clock. Only for HTTP dates, logs and what outlives the process.
using WallTime = std::chrono::time_point<std::chrono::system_clock, Duration>;

/// One reading of both clocks. Made by the worker once per turn of its loop and passed as an argument; lower modules do
/// not read clocks.
struct Now {
  Timestamp mono{};
  WallTime wall{};
};

/// Source of `Now`. `net` has the real one; tests use `ManualClock`.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Now now() const = 0;
};

/// A clock that moves only when told to. Not thread-safe.
class ManualClock final : public Clock {
 public:
  Now now() const override { return now_; }
  void advance(Duration by) {
    now_.mono += by;
    now_.wall += by;
  }

 private:
  // Both far from zero, so that a subtraction in a test never meets the epoch; the wall reads 2024-01-01T00:00:00Z.
  Now now_{Timestamp{std::chrono::hours{1000}}, WallTime{std::chrono::seconds{1704067200}}};
};

/// Whole seconds, rounded down also below zero.
inline std::int64_t whole_seconds(Duration d) { return std::chrono::floor<Seconds>(d).count(); }

}  // namespace forebay
