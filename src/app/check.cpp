#include <unistd.h>

#include <iostream>
#include <iterator>
#include <sstream>

#include "check_machine.hpp"
#include "commands.hpp"
#include "forebay/config/invalidation_graph.hpp"
#include "forebay/net/worker.hpp"
#include "forebay/probe/probe.hpp"

namespace forebay::app {
namespace {

void drop_warnings(std::vector<config::Diagnostic>& diagnostics) {
  std::erase_if(diagnostics, [](const config::Diagnostic& d) { return d.severity == config::Severity::Warning; });
}

/// Adds its findings to the diagnostics.
probe::Outcome probe_origins(const CheckFlags& flags, config::LoadResult& loaded) {
  std::ostringstream unheard;
  auto outcome =
      probe::ask_origins(*flags.probe, loaded, flags.quiet ? static_cast<std::ostream&>(unheard) : std::cerr);
  for (const auto* said : {&outcome.silent, &outcome.missed})
    for (const auto& sentence : *said) std::cerr << "forebay: " << sentence << '\n';
  std::move(outcome.found.begin(), outcome.found.end(), std::back_inserter(loaded.diagnostics));
  return outcome;
}

void show(const CheckFlags& flags, const std::vector<config::Diagnostic>& shown, std::ostream& out, bool color) {
  switch (flags.format) {
    case CheckFormat::Text: out << config::to_text(shown, color); break;
    case CheckFormat::Json: out << config::to_json(shown) << '\n'; break;
    case CheckFormat::Github: out << config::to_github(shown); break;
  }
}

}  // namespace

ExitCode check(const CheckFlags& flags) {
  ConfigSource source(flags.run, environment());
  const net::SystemClock clock;
  auto loaded = check_on_this_machine(source, clock);
  probe::Outcome probed;
  if (flags.probe && loaded.ok()) probed = probe_origins(flags, loaded);
  const bool valid = loaded.ok() && (!flags.strict || loaded.diagnostics.empty());
  auto shown = loaded.diagnostics;
  if (flags.quiet && valid) drop_warnings(shown);

  // With --print, standard output is the configuration and must load again.
  const bool printing = flags.print && loaded.ok();
  show(flags, shown, printing ? std::cerr : std::cout, may_color(printing ? STDERR_FILENO : STDOUT_FILENO));
  if (printing)
    std::cout << (flags.source ? config::print_with_sources(*loaded.config) : config::print(*loaded.config));
  if (!flags.quiet && flags.format == CheckFormat::Text && loaded.ok())
    std::cerr << config::to_text(config::invalidations(*loaded.config));
  if (!flags.quiet)
    std::cerr << source.name() << (valid ? ": valid, " : ": invalid, ") << config::summary(loaded.diagnostics) << '\n';
  if (!valid) return ExitCode::Configuration;
  if (!probed.silent.empty()) return ExitCode::Failed;
  return probed.missed.empty() ? ExitCode::Done : ExitCode::NothingMatched;
}

}  // namespace forebay::app
