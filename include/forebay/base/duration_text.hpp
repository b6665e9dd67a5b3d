#pragma once

#include <string>

#include "forebay/base/clock.hpp"

namespace forebay {

/// A duration for messages: `30 s`, or milliseconds (`1500 ms`) if it is not a whole number of seconds. `0 s` below one
/// millisecond and for negative values.
std::string duration_text(Duration d);

}  // namespace forebay
