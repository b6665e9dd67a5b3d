#include <iostream>

#include "admin_client.hpp"
#include "commands.hpp"
#include "printed_json.hpp"

namespace forebay::app {

ExitCode healthcheck(const HealthcheckFlags& flags) {
  const auto deadline = net::SteadyClock::now() + flags.timeout;
  auto why = ExitCode::Done;
  const auto address = admin_address(flags.config, flags.admin, why);
  if (!address) return why;
  const auto answer = ask_admin(*address, {"GET", "/readyz", {}, {}}, deadline);
  if (!answer) {
    std::cerr << "forebay: no daemon answers at " << *address << '\n';
    return ExitCode::NotReached;
  }
  std::cout << printed_line(answer->body);
  if (answer->status == 200) return ExitCode::Done;
  if (answer->status == 503) return ExitCode::NotReady;
  std::cerr << "forebay: " << *address << " answers " << answer->status << "; it is not a Forebay admin listener\n";
  return ExitCode::NotReached;
}

}  // namespace forebay::app
