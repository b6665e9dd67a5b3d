#pragma once

#include <optional>
#include <string>
#include <vector>

#include "command_words.hpp"

// Flags that several commands have.

namespace forebay::app {

/// Of run, check and explain: what a configuration is made of.
void add_settings(CommandWords& words, RunFlags& flags, std::vector<std::string>& set);
void add_admin_setting(CommandWords& words, RunFlags& flags);
/// `KEY=VALUE` of --set as pairs.
std::optional<Said> split_settings(const std::vector<std::string>& written, RunFlags& flags);
/// The file that is named without -c.
std::optional<Said> take_file(const std::string& file, RunFlags& flags);

/// Of the commands for a running daemon: where it is.
void add_daemon(CommandWords& words, std::optional<std::string>& config, std::optional<std::string>& admin);

/// A duration above 0. `example` is for the error: `2s`.
std::optional<Said> take_time(const char* flag, const std::string& text, const char* example, Duration& into);

/// The levels of the log, and the forms of its lines.
std::vector<std::string> log_levels();
std::vector<std::string> log_formats();

}  // namespace forebay::app
