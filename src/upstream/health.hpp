#pragma once

#include <atomic>
#include <cstdint>
#include <span>

#include "forebay/base/clock.hpp"
#include "forebay/rules/policy.hpp"

namespace forebay::upstream {

struct HealthSettings {
  unsigned up_after = 2;    ///< So many checks in a row that are passed.
  unsigned down_after = 3;  ///< So many in a row that fail.
  Duration interval = std::chrono::seconds{5};
};

/// What active checks say of one url. It counts as up until the first result, which decides at once; then as many in a
/// row as the settings say. Results are told by one thread at a time; `up` is for any thread, one atomic load.
class Health {
 public:
  enum class Check : std::uint8_t { Passed, Failed };
  enum class Change : std::uint8_t { None, Up, Down };
  struct Next {
    Timestamp check_at;  ///< A tenth of the interval sooner or later, so that the checks of many processes spread.
    Change change;       ///< Of `up`.
  };

  explicit Health(const HealthSettings& settings) noexcept : settings_(settings) {}

  /// A check has ended. `random` is in [0, 1).
  Next result(Check check, Timestamp now, double random) noexcept;
  bool up() const noexcept { return up_.load(std::memory_order_relaxed); }

 private:
  const HealthSettings settings_;
  std::atomic<bool> up_{true};
  bool known_ = false;
  unsigned against_ = 0;  // results in a row that contradict `up_`
};

/// Whether an answer with this status passes a check.
bool expected(std::span<const rules::StatusPattern> expect, int status) noexcept;

}  // namespace forebay::upstream
