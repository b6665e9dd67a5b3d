#include <boost/json/object.hpp>
#include <iostream>

#include "admin_client.hpp"
#include "commands.hpp"
#include "printed_json.hpp"

namespace forebay::app {

ExitCode healthcheck(const HealthcheckFlags& flags) {
  auto why = ExitCode::Done;
  const auto daemon = find_daemon_without_token(flags.config, flags.admin, why);
  if (!daemon) return why;
  auto answer = ask_daemon(*daemon, {"GET", "/readyz", {}}, flags.timeout, why);
  if (!answer) return why;
  const bool ready = answer->status == 200;
  // A daemon that is not ready says so in the same form.
  if (answer->status == 503) answer->status = 200;
  if (!granted(*answer, {"status"})) return report_refusal(*daemon, *answer);
  std::cout << printed_line(answer->body);
  return ready ? ExitCode::Done : ExitCode::NotReady;
}

}  // namespace forebay::app
