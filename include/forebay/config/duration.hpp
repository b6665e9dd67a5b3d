#pragma once

#include <optional>
#include <string_view>

#include "forebay/base/clock.hpp"

namespace forebay::config {

/// A duration as configurations write it, such as `250ms`, `1m30s` or `0`; nothing for all else.
std::optional<Duration> read_duration(std::string_view text);

}  // namespace forebay::config
