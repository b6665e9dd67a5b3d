#pragma once

#include <array>
#include <cstdint>

namespace forebay {

/// Random numbers for ids and jitter (xoshiro256++), seeded by the operating system. Fast, and good enough that ids of
/// different processes do not collide; not for secrets. For one thread.
class Random {
 public:
  Random();
  std::uint64_t next() noexcept;
  /// In [0, 1).
  double uniform() noexcept { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

 private:
  std::array<std::uint64_t, 4> state_;
};

}  // namespace forebay
