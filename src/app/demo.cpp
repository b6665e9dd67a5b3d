#include <unistd.h>

#include <iostream>
#include <string>

#include "admin_client.hpp"
#include "commands.hpp"
#include "config_source.hpp"
#include "daemon.hpp"
#include "demo_origin.hpp"
#include "demo_traffic.hpp"
#include "forebay/admin/build.hpp"
#include "signals.hpp"

namespace forebay::app {
namespace {

std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("''") : std::string(1, c);
  return out + '\'';
}

std::string demo_config(const DemoFlags& flags, std::uint16_t origin_port) {
  std::string text = "listen: " + quoted(flags.listen) + "\nadmin: { listen: " + quoted(flags.admin) + " }\n";
  text += "origin: http://127.0.0.1:" + std::to_string(origin_port) + '\n';
  text += "log:\n  level: warn\n  access:\n";
  text += flags.access_log ? "    flush: 100ms\n" : "    output: 'off'\n";
  const auto* fresh = flags.scenario == Scenario::OriginDown ? "2s" : "5s";
  text +=
      "server: { max_connections: 500 }\n"
      "shutdown: { drain: 2s }\n"
      "routes:\n"
      "  - { name: search, path: /api/search, methods: POST, ttl: 30s, key: { body: [/query, /page] } }\n"
      "  - { name: time, path: /api/time, stale: { if_error: 10m }, ttl: " +
      std::string(fresh) +
      " }\n"
      "  - { name: flaky, path: /api/flaky, stale: { if_error: 10m } }\n"
      "  - { name: api, path: /api/** }\n"
      "  - { name: rest, path: /**, cache: false }\n";
  return text;
}

std::string host_of(const server::Listener& listener) {
  const auto& host = listener.address().host;
  const bool everywhere = host.empty() || host == "0.0.0.0" || host == "::";
  const auto shown = everywhere ? "localhost" : host.find(':') == std::string::npos ? host : '[' + host + ']';
  return shown + ':' + std::to_string(listener.port());
}

void show_screen(const Daemon& daemon, std::optional<Scenario> scenario) {
  const auto listeners = daemon.front().current();
  if (listeners.empty()) return;
  const auto at = host_of(*listeners.front().second);
  const bool color = may_color(STDOUT_FILENO);
  const std::string bold = color ? "\x1b[1m" : "", plain = color ? "\x1b[0m" : "";
  const auto row = [&](std::string command, const char* what) {
    command.resize(std::max<std::size_t>(command.size(), 42), ' ');
    std::cout << "  " << bold << command << plain << "  " << what << '\n';
  };
  std::cout << "Forebay " << admin::build().version << " on http://" << at
            << ", in front of a small shop. Try these, and look at Cache-Status and X-Cache:\n\n";
  row("curl -i " + at + "/api/products", "MISS after 300 ms; again: HIT at once, for 10 s");
  row("curl -i " + at + "/api/products/7",
      "fresh for 30 s, then STALE for 30 s while it is refreshed in the background");
  row("curl -i " + at + "/api/slow", "takes 2 s; from two terminals at once: one fetch, one is COALESCED");
  row("curl -i " + at + "/api/me", "private: never stored (detail=private, then pass_memory)");
  row("curl -i " + at + "/api/flaky", "fails every 2nd time; repeat after a second: STALE instead of the 503");
  row("curl -i " + at + "/api/time", "the origin sets no lifetime; the route sets 5 s");
  row("curl -i " + at + "/api/search --json '{\"query\":\"tea\",\"page\":1}'",
      "a POST, keyed by /query and /page: MISS, then HIT for 30 s");
  row("curl -s " + at + "/stats", "how many requests reached the shop");
  if (const auto* admin = daemon.admin_listener()) {
    const auto there = host_of(*admin);
    // The commands find the default address by themselves.
    const auto to = there == "127.0.0.1:8081" ? std::string() : " --admin " + there;
    row("curl -s " + there + "/metrics", "metrics for Prometheus");
    row("forebay top" + to, "rates, hit ratio and latency, live");
    row("forebay tail" + to, "requests as they end");
    row("forebay purge --prefix /api/" + to, "removes what is stored below /api/");
  }
  if (scenario) std::cout << "\nRunning: " << text_of(*scenario);
  std::cout << "\nNot in this version: " << kNotInThisVersion << ".\nCtrl-C stops it.\n" << std::flush;
}

}  // namespace

ExitCode demo(const DemoFlags& flags) {
  hold_orders();
  DemoOrigin origin;
  auto source = ConfigSource::of_text("demo", demo_config(flags, origin.port()));
  auto loaded = source.load();
  if (!loaded.ok()) {
    std::cerr << config::to_text(loaded.diagnostics, may_color(STDERR_FILENO));
    return ExitCode::Usage;
  }
  std::optional<DemoTraffic> traffic;
  Daemon::Options options;
  options.port_file = flags.port_file;
  options.stop_after = flags.duration;
  options.ready = [&](const Daemon& daemon) {
    show_screen(daemon, flags.scenario);
    const auto listeners = daemon.front().current();
    if (!flags.scenario || listeners.empty()) return;
    auto to = endpoint_at(address_text(*listeners.front().second));
    if (to) traffic.emplace(*flags.scenario, std::move(*to), origin.down());
  };
  Daemon daemon(source, loaded, std::move(options));
  const auto code = daemon.run();
  traffic.reset();
  return code;
}

}  // namespace forebay::app
