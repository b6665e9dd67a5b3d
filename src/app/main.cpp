#include "forebay/app/main.hpp"

#include <csignal>
#include <exception>
#include <iostream>
#include <variant>

#include "command_line.hpp"
#include "commands.hpp"

namespace forebay::app {
namespace {

struct Dispatch {
  ExitCode operator()(const RunFlags& flags) const { return run_proxy(flags); }
  ExitCode operator()(const CheckFlags& flags) const { return check(flags); }
  ExitCode operator()(const ExplainFlags& flags) const { return explain(flags); }
  ExitCode operator()(const HealthcheckFlags& flags) const { return healthcheck(flags); }
  ExitCode operator()(const DemoFlags& flags) const { return demo(flags); }
  ExitCode operator()(const VersionFlags& flags) const { return version(flags); }
  ExitCode operator()(const Said& said) const {
    std::cout << said.out;
    std::cerr << said.err;
    return said.code;
  }
};

}  // namespace

int run(const std::vector<std::string>& args) {
  // A reader that leaves is a write that fails, nothing more.
  std::signal(SIGPIPE, SIG_IGN);
  try {
    const auto code = std::visit(Dispatch{}, parse_command_line(args));
    std::cout.flush();
    return static_cast<int>(code);
  } catch (const std::exception& e) {
    std::cerr << "forebay: " << e.what() << '\n';
    return static_cast<int>(ExitCode::Failed);
  }
}

}  // namespace forebay::app
