#pragma once

#include <string>

namespace forebay::app {

enum class Shell { Bash, Zsh, Fish };

/// A script that completes the words of `forebay` in this shell, made from the table of commands.
std::string completion_script(Shell shell);

}  // namespace forebay::app
