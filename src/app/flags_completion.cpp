// `forebay completion`.
#include <iostream>

#include "command_words.hpp"
#include "completion.hpp"

namespace forebay::app {
namespace {

ExitCode print_completion(const Shell& shell) {
  std::cout << completion_script(shell);
  return ExitCode::Done;
}

class CompletionWords final : public CommandWords {
 public:
  explicit CompletionWords(CLI::App& app) : CommandWords(app) {
    word("shell", shell_, "SHELL", "bash, zsh or fish.").one_of({"bash", "zsh", "fish"}).required();
  }
  std::optional<std::string> advice_on_missing(std::string_view) const override {
    return "completion needs a shell: bash, zsh or fish";
  }
  Command finish() override {
    if (shell_ == "bash") return Command(Shell::Bash, print_completion);
    if (shell_ == "zsh") return Command(Shell::Zsh, print_completion);
    if (shell_ == "fish") return Command(Shell::Fish, print_completion);
    return usage("there is no completion for \"" + shell_ + "\"; write bash, zsh or fish");
  }

 private:
  std::string shell_;
};

}  // namespace

std::unique_ptr<CommandWords> completion_words(CLI::App& app) { return std::make_unique<CompletionWords>(app); }

}  // namespace forebay::app
