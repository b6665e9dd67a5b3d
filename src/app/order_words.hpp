#pragma once

#include <string>
#include <variant>

#include "command_line.hpp"

namespace forebay::app {

/// The flags of `reload`, `drain`, `undrain` and `log-level` as they are written.
struct OrderWords {
  std::string delay, wait, level, time, timeout;
  OrderFlags flags;
};

/// What was ordered, or what is wrong with the words.
std::variant<OrderFlags, std::string> finish_order(OrderFlags::What what, OrderWords& words);

}  // namespace forebay::app
