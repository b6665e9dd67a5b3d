#pragma once

#include <string>

#include "forebay/base/clock.hpp"

namespace forebay {

/// A time as messages show it: `30 s`, or milliseconds (`1500 ms`) where it is no whole number of seconds. Less than a
/// millisecond, and what is negative, is `0 s`.
std::string duration_text(Duration d);

}  // namespace forebay
