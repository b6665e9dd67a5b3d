#include "commands.hpp"
#include "demo_traffic.hpp"
#include "flags_shared.hpp"
#include "forebay/config/duration.hpp"

namespace forebay::app {
namespace {

class DemoWords final : public CommandWords {
 public:
  explicit DemoWords(CLI::App& app) : CommandWords(app) {
    text("--listen", flags_.listen, "ADDR", "Address for clients (default :8080).");
    text("--admin", flags_.admin, "ADDR", "Address of the admin listener (default 127.0.0.1:8081), or off.");
    text("--duration", duration_, "DUR", "Stop after this time.");
    flag("--no-access-log", no_access_log_, "Do not print a line per request.");
    text("--scenario", scenario_, "NAME", "Send requests that show one thing: hits, stampede, origin-down or post.")
        .one_of(scenario_names());
    flag("--open", open_, "").hide();
    text("--port-file", flags_.port_file, "PATH", "").hide();
  }

  Command finish() override {
    if (open_) return usage("--open is not in this version");
    if (!scenario_.empty()) {
      flags_.scenario = scenario_of(scenario_);
      if (!flags_.scenario)
        return usage("there is no scenario \"" + scenario_ + "\"; write hits, stampede, origin-down or post");
    }
    if (!duration_.empty()) {
      const auto duration = config::read_duration(duration_);
      if (!duration) return usage("--duration needs a duration such as 60s, not \"" + duration_ + '"');
      flags_.duration = *duration;
    }
    flags_.access_log = !no_access_log_;
    return Command(std::move(flags_), demo, OnException::Terminate);
  }

 private:
  DemoFlags flags_;
  std::string duration_, scenario_;
  bool no_access_log_ = false, open_ = false;
};

}  // namespace

std::unique_ptr<CommandWords> demo_words(CLI::App& app) { return std::make_unique<DemoWords>(app); }

}  // namespace forebay::app
