#pragma once

namespace forebay::app {

/// Exit codes for scripts.
enum class ExitCode : int {
  Done = 0,
  Failed = 1,  ///< At run time.
  Usage = 2,
  Configuration = 3,  ///< Invalid; under `check --strict` warnings too.
  NotReached = 4,     ///< No daemon there, or it refused.
  NothingMatched = 5,
  NotReady = 6,
};

}  // namespace forebay::app
