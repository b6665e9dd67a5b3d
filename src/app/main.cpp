#include "forebay/app/main.hpp"

#include <cerrno>
#include <csignal>
#include <iostream>
#include <system_error>

#include "command_line.hpp"
#include "forebay/base/terminate.hpp"
#include "standard_output.hpp"

namespace forebay::app {

int run(const std::vector<std::string>& args) {
  // A closed pipe is only a failed write.
  std::signal(SIGPIPE, SIG_IGN);
  install_terminate_handler();
  StandardOutput output;
  const auto code = parse_command_line(args).execute();
  std::cout.flush();
  // Who has closed the pipe wants no more, as in `| head -1`.
  if (const int failure = output.failure(); failure != 0 && failure != EPIPE) {
    std::cerr << "forebay: cannot write to standard output: " << std::generic_category().message(failure) << '\n';
    if (code == ExitCode::Done) return static_cast<int>(ExitCode::Failed);
  }
  return static_cast<int>(code);
}

}  // namespace forebay::app
