// The flags of `healthcheck`, `version` and `help`.
#include "commands.hpp"
#include "flags_shared.hpp"

namespace forebay::app {
namespace {

class HealthcheckWords final : public CommandWords {
 public:
  explicit HealthcheckWords(CLI::App& app) : CommandWords(app) {
    add_daemon(*this, flags_.config, flags_.admin);
    text("--timeout", timeout_, "DUR", "Time limit (default 2s).");
  }
  Command finish() override {
    if (auto wrong = take_time("--timeout", timeout_, "2s", flags_.timeout)) return *wrong;
    return Command(std::move(flags_), healthcheck);
  }

 private:
  HealthcheckFlags flags_;
  std::string timeout_ = "2s";
};

class VersionWords final : public CommandWords {
 public:
  explicit VersionWords(CLI::App& app) : CommandWords(app) { flag("--json", flags_.json, "Print JSON."); }
  Command finish() override { return Command(flags_, version); }

 private:
  VersionFlags flags_;
};

class HelpWords final : public CommandWords {
 public:
  explicit HelpWords(CLI::App& app) : CommandWords(app) {
    std::vector<std::string> names;
    for (const auto& row : command_table()) names.emplace_back(row.name);
    word("command", about_, "COMMAND", "A command.").one_of(std::move(names));
  }
  Command finish() override {
    if (!about_.empty())
      if (auto wrong = not_a_command(about_)) return *wrong;
    return Said{ExitCode::Done, help_text(about_), {}};
  }

 private:
  std::string about_;
};

}  // namespace

std::unique_ptr<CommandWords> healthcheck_words(CLI::App& app) { return std::make_unique<HealthcheckWords>(app); }
std::unique_ptr<CommandWords> version_words(CLI::App& app) { return std::make_unique<VersionWords>(app); }
std::unique_ptr<CommandWords> help_words(CLI::App& app) { return std::make_unique<HelpWords>(app); }

}  // namespace forebay::app
