#include "commands.hpp"
#include "flags_shared.hpp"

namespace forebay::app {
namespace {

class RunWords final : public CommandWords {
 public:
  explicit RunWords(CLI::App& app) : CommandWords(app) {
    word("file", file_, "FILE", "The same as -c FILE.");
    add_settings(*this, flags_, set_);
    add_admin_setting(*this, flags_);
    flag("--watch", flags_.watch, "Reload when a file of the configuration, or a certificate, changes.");
    text("--port-file", flags_.port_file, "PATH", "").hide();
  }

  Command finish() override {
    if (auto wrong = split_settings(set_, flags_)) return *wrong;
    if (auto wrong = take_file(file_, flags_)) return *wrong;
    return Command(std::move(flags_), run_proxy, OnException::Terminate);
  }

 private:
  RunFlags flags_;
  std::string file_;
  std::vector<std::string> set_;
};

}  // namespace

std::unique_ptr<CommandWords> run_words(CLI::App& app) { return std::make_unique<RunWords>(app); }

}  // namespace forebay::app
