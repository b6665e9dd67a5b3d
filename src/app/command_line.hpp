#pragma once

#include <any>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "exit_code.hpp"
#include "flags.hpp"

namespace forebay::app {

/// Only prints: help, or an error of the command line.
struct Said {
  ExitCode code = ExitCode::Done;
  std::string out, err;
};
/// An error of the command line: `forebay: MESSAGE`, exit code 2.
Said usage(std::string message);

/// What becomes of an exception that a command throws: its text goes to standard error, or the process ends where it
/// was thrown (a daemon has caught what can fail).
enum class OnException { Report, Terminate };

/// What a command line asks for, ready to be executed.
class Command {
 public:
  Command(Said said);
  template <class Flags>
  Command(Flags given, ExitCode (*command)(const Flags&), OnException on_exception = OnException::Report)
      : flags_(std::move(given)),
        execute_([command](const std::any& held) { return command(*std::any_cast<Flags>(&held)); }),
        on_exception_(on_exception) {}

  ExitCode execute() const;
  /// The flags, if they are of this type.
  template <class Flags>
  const Flags* flags() const {
    return std::any_cast<Flags>(&flags_);
  }

 private:
  std::any flags_;
  std::function<ExitCode(const std::any&)> execute_;
  OnException on_exception_;
};

Command parse_command_line(const std::vector<std::string>& args);

}  // namespace forebay::app
