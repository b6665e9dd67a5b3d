#pragma once

#include <string>
#include <vector>

namespace forebay::app {

/// The whole program: reads the command line, does what it says and gives the exit code. `args` without the program's
/// name.
int run(const std::vector<std::string>& args);

}  // namespace forebay::app
