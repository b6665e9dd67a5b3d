#pragma once

#include <optional>
#include <string>

namespace forebay {

/// The directory that `file` would be in, where that does not exist: no log makes directories. Asks the file system.
std::optional<std::string> missing_directory(const std::string& file);
/// Why `file` could not be opened for writing, after the call that set `error` (errno): a missing directory by its
/// name, else the system's word.
std::string why_not_opened(const std::string& file, int error);

}  // namespace forebay
