#pragma once

#include <string>
#include <variant>
#include <vector>

#include "command_line.hpp"

namespace CLI {
class App;
}

namespace forebay::app {

/// The flags of `reload`, `drain`, `undrain` and `log-level` as they are written.
struct OrderWords {
  std::string delay, wait, level, time, timeout;
  OrderFlags flags;
};

/// Adds the commands; `words` outlives the app.
void add_orders(CLI::App& app, OrderWords& words);
/// What was ordered by the command of this name, or what is wrong with it.
std::variant<OrderFlags, std::string> finish_order(const std::string& command, OrderWords& words);
/// Whether it is the name of such a command.
bool is_order(const std::string& command);

}  // namespace forebay::app
