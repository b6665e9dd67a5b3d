#include "commands.hpp"

#include <unistd.h>

#include <cstdlib>
#include <iostream>

#include "allocator.hpp"
#include "config_source.hpp"
#include "daemon.hpp"
#include "forebay/admin/build.hpp"
#include "signals.hpp"

namespace forebay::app {

bool may_color(int fd) {
  const char* no = std::getenv("NO_COLOR");
  return (no == nullptr || *no == '\0') && ::isatty(fd) == 1;
}

ExitCode run_proxy(const RunFlags& flags) {
  hold_orders();
  server::handed_over();  // first, since it changes the environment, which other threads may read
  ConfigSource source(flags, environment());
  if (flags.watch && !source.has_file()) {
    std::cerr << "forebay: --watch needs a configuration file; write -c FILE\n";
    return ExitCode::Usage;
  }
  auto loaded = source.load();
  if (!loaded.ok()) return refuse_configuration(loaded);
  Daemon::Options options;
  options.port_file = flags.port_file;
  options.watch_files = flags.watch;
  Daemon daemon(source, loaded, std::move(options));
  return daemon.run();
}

ExitCode version(const VersionFlags& flags) {
  const auto& b = admin::build();
  if (flags.json)
    std::cout << admin::build_json() << '\n';
  else
    std::cout << "forebay " << b.version << " (revision " << b.revision << ", " << b.compiler << ", Boost " << b.boost
              << ", " << allocator_name() << ")\n";
  return ExitCode::Done;
}

}  // namespace forebay::app
