#include "forebay/app/main.hpp"

#include <csignal>
#include <iostream>

#include "command_line.hpp"
#include "forebay/base/terminate.hpp"

namespace forebay::app {

int run(const std::vector<std::string>& args) {
  // A closed pipe is only a failed write.
  std::signal(SIGPIPE, SIG_IGN);
  install_terminate_handler();
  const auto code = parse_command_line(args).execute();
  std::cout.flush();
  return static_cast<int>(code);
}

}  // namespace forebay::app
