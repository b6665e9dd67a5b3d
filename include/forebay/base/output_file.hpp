#pragma once

#include <optional>
#include <string>

namespace forebay {

/// The directory of `file` if it does not exist; logs do not create directories. Reads the file system.
std::optional<std::string> missing_directory(const std::string& file);
/// Why `file` could not be opened for writing, after the call that set `error` (errno): a missing directory by its
/// name, else the system's message.
std::string why_not_opened(const std::string& file, int error);

}  // namespace forebay
