#pragma once

#include <optional>
#include <string>
#include <vector>

#include "exit_code.hpp"
#include "forebay/base/clock.hpp"

namespace forebay::app {

/// `forebay tail`
struct TailFlags {
  std::optional<std::string> config, admin;
  std::vector<std::string> filters;
  bool json = false;
  std::uint64_t count = 0;  ///< 0: any number.
};
ExitCode tail(const TailFlags& flags);

enum class TopView { Routes, Keys, Origins };
/// `forebay top`
struct TopFlags {
  std::optional<std::string> config, admin;
  Duration interval = std::chrono::seconds{1};
  bool once = false, json = false;
  TopView view = TopView::Routes;
};
ExitCode top(const TopFlags& flags);

}  // namespace forebay::app
