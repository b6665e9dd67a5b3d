#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <iterator>
#include <sstream>

#include "commands.hpp"
#include "config_source.hpp"
#include "forebay/base/output_file.hpp"
#include "forebay/net/worker.hpp"
#include "forebay/probe/probe.hpp"
#include "tls_files.hpp"

namespace forebay::app {
namespace {

void drop_warnings(std::vector<config::Diagnostic>& diagnostics) {
  std::erase_if(diagnostics, [](const config::Diagnostic& d) { return d.severity == config::Severity::Warning; });
}

/// What `run` on this machine would fail at.
void warn_of_machine(config::LoadResult& loaded, std::string key, std::string message, std::string hint) {
  config::Diagnostic d;
  d.severity = config::Severity::Warning;
  d.code = 2050;
  d.message = key + ": " + std::move(message);
  d.path = std::move(key);
  d.hint = std::move(hint);
  loaded.diagnostics.push_back(std::move(d));
}

constexpr const char* kCreateIt = "create it before the start; forebay does not create directories";

void warn_of_outputs(config::LoadResult& loaded) {
  const std::pair<const char*, const std::string&> outputs[] = {{"log.output", loaded.config->log.output},
                                                                {"log.access.output", loaded.config->access.output}};
  for (const auto& [key, file] : outputs)
    if (const auto missing = missing_directory(file))
      warn_of_machine(loaded, key, "the directory " + *missing + " does not exist on this machine", kCreateIt);
}

bool is_number(const std::string& text) { return text.find_first_not_of("0123456789") == std::string::npos; }

/// The places, owners and groups of Unix sockets.
void warn_of_sockets(config::LoadResult& loaded) {
  const auto& listeners = loaded.config->listeners;
  for (std::size_t i = 0; i < listeners.size(); ++i) {
    const auto& l = listeners[i];
    if (l.address.kind != config::Address::Kind::Unix) continue;
    const auto& file = l.address.host;
    const auto key = "listen[" + std::to_string(i) + ']';
    std::error_code error;
    const auto there = std::filesystem::symlink_status(file, error);
    if (const auto missing = missing_directory(file))
      warn_of_machine(loaded, key, "the directory " + *missing + " does not exist on this machine", kCreateIt);
    else if (std::filesystem::exists(there) && !std::filesystem::is_socket(there))
      warn_of_machine(loaded, key, file + " exists on this machine and is not a socket",
                      "remove it before the start, or name another path");
    if (!l.owner.empty() && !is_number(l.owner) && ::getpwnam(l.owner.c_str()) == nullptr)
      warn_of_machine(loaded, key, "there is no user \"" + l.owner + "\" on this machine",
                      "create it before the start");
    if (!l.group.empty() && !is_number(l.group) && ::getgrnam(l.group.c_str()) == nullptr)
      warn_of_machine(loaded, key, "there is no group \"" + l.group + "\" on this machine",
                      "create it before the start");
  }
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
  auto loaded = source.load();
  const net::SystemClock clock;
  read_tls(loaded, nullptr, clock);
  if (loaded.ok()) {
    warn_of_outputs(loaded);
    warn_of_sockets(loaded);
  }
  probe::Outcome probed;
  if (flags.probe && loaded.ok()) probed = probe_origins(flags, loaded);
  const bool valid = loaded.ok() && (!flags.strict || loaded.diagnostics.empty());
  auto shown = loaded.diagnostics;
  if (flags.quiet && valid) drop_warnings(shown);

  // With --print, standard output is the configuration and must load again.
  const bool printing = flags.print && loaded.ok();
  show(flags, shown, printing ? std::cerr : std::cout, may_color(printing ? STDERR_FILENO : STDOUT_FILENO));
  if (printing) std::cout << config::print(*loaded.config);
  if (!flags.quiet)
    std::cerr << source.name() << (valid ? ": valid, " : ": invalid, ") << config::summary(loaded.diagnostics) << '\n';
  if (!valid) return ExitCode::Configuration;
  if (!probed.silent.empty()) return ExitCode::Failed;
  return probed.missed.empty() ? ExitCode::Done : ExitCode::NothingMatched;
}

}  // namespace forebay::app
