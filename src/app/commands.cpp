#include "commands.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>

#include "allocator.hpp"
#include "config_source.hpp"
#include "daemon.hpp"
#include "forebay/admin/build.hpp"

namespace forebay::app {
namespace {

void drop_warnings(std::vector<config::Diagnostic>& diagnostics) {
  std::erase_if(diagnostics, [](const config::Diagnostic& d) { return d.severity == config::Severity::Warning; });
}

}  // namespace

bool may_color(int fd) {
  const char* no = std::getenv("NO_COLOR");
  return (no == nullptr || *no == '\0') && ::isatty(fd) == 1;
}

ExitCode run_proxy(const RunFlags& flags) {
  ConfigSource source(flags, environment());
  auto loaded = source.load();
  if (!loaded.ok()) {
    std::cerr << config::to_text(loaded.diagnostics, may_color(STDERR_FILENO)) << config::summary(loaded.diagnostics)
              << '\n';
    return ExitCode::Configuration;
  }
  Daemon daemon(source, loaded, {flags.port_file, nullptr});
  return daemon.run();
}

ExitCode check(const CheckFlags& flags) {
  ConfigSource source(flags.config, environment());
  auto loaded = source.load();
  const bool valid = loaded.ok() && (!flags.strict || loaded.diagnostics.empty());
  auto shown = loaded.diagnostics;
  if (flags.quiet && valid) drop_warnings(shown);

  // With --print, standard output is the configuration and must load again.
  const bool printing = flags.print && loaded.ok();
  auto& out = printing ? std::cerr : std::cout;
  switch (flags.format) {
    case CheckFormat::Text:
      out << config::to_text(shown, may_color(printing ? STDERR_FILENO : STDOUT_FILENO));
      break;
    case CheckFormat::Json:
      out << config::to_json(shown) << '\n';
      break;
    case CheckFormat::Github:
      out << config::to_github(shown);
      break;
  }
  if (printing) std::cout << config::print(*loaded.config);
  if (!flags.quiet)
    std::cerr << source.name() << (valid ? ": valid, " : ": invalid, ") << config::summary(loaded.diagnostics) << '\n';
  return valid ? ExitCode::Done : ExitCode::Configuration;
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
