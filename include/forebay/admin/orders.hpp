#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "forebay/base/clock.hpp"
#include "forebay/config/load.hpp"

namespace forebay::admin {

/// What became of a reload.
struct Reloaded {
  bool applied = false;
  bool stopping = false;  ///< The process stops, so that nothing was tried.
  std::string why{};      ///< It was not applied: `1 error`, or what failed.
  std::vector<config::Diagnostic> diagnostics{};
  std::vector<std::string> changed{};           ///< Keys with another value, such as `log.level` or `routes.search`.
  std::vector<std::string> restart_required{};  ///< Of those, the ones that keep their value until a restart.
};

/// What operators can order of the process. The functions may be called from any thread. They do not wait: `then` is
/// called on the main thread once it is done, or never where the process ends first. None in tests of other things.
struct Orders {
  std::function<void(std::function<void(const Reloaded&)> then)> reload{};
  /// Readiness goes off; after `delay` (nothing: `shutdown.delay`) answers close their connections. Listeners stay
  /// open. Done again, it changes the delay. `then(false)`: the process is stopping, and drains already.
  std::function<void(std::optional<Duration> delay, std::function<void(bool)> then)> drain{};
  /// The opposite. `then(false)`: the process is stopping, which cannot be undone.
  std::function<void(std::function<void(bool)> then)> undrain{};
};

}  // namespace forebay::admin
