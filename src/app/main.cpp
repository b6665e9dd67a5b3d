#include "forebay/app/main.hpp"

#include <csignal>
#include <exception>
#include <iostream>
#include <type_traits>
#include <variant>

#include "command_line.hpp"
#include "commands.hpp"
#include "forebay/base/terminate.hpp"

namespace forebay::app {
namespace {

struct Dispatch {
  ExitCode operator()(const RunFlags& flags) const { return run_proxy(flags); }
  ExitCode operator()(const CheckFlags& flags) const { return check(flags); }
  ExitCode operator()(const ExplainFlags& flags) const { return explain(flags); }
  ExitCode operator()(const HealthcheckFlags& flags) const { return healthcheck(flags); }
  ExitCode operator()(const OrderFlags& flags) const { return order(flags); }
  ExitCode operator()(const DemoFlags& flags) const { return demo(flags); }
  ExitCode operator()(const VersionFlags& flags) const { return version(flags); }
  ExitCode operator()(const Said& said) const {
    std::cout << said.out;
    std::cerr << said.err;
    return said.code;
  }
};

/// A command that fails says why. A daemon has caught what can fail; what is left is a mistake of ours, and ends the
/// process where it was thrown.
constexpr auto reported = []<class Flags>(const Flags& flags) {
  if constexpr (std::is_same_v<Flags, RunFlags> || std::is_same_v<Flags, DemoFlags>) {
    return Dispatch{}(flags);
  } else {
    try {
      return Dispatch{}(flags);
    } catch (const std::exception& e) {
      std::cerr << "forebay: " << e.what() << '\n';
      return ExitCode::Failed;
    }
  }
};

}  // namespace

int run(const std::vector<std::string>& args) {
  // A closed pipe is only a failed write.
  std::signal(SIGPIPE, SIG_IGN);
  install_terminate_handler();
  const auto code = std::visit(reported, parse_command_line(args));
  std::cout.flush();
  return static_cast<int>(code);
}

}  // namespace forebay::app
