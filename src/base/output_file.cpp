#include "forebay/base/output_file.hpp"

#include <filesystem>
#include <system_error>

namespace forebay {

std::optional<std::string> missing_directory(const std::string& file) {
  const auto directory = std::filesystem::path(file).parent_path();
  std::error_code ignored;
  if (directory.empty() || std::filesystem::exists(directory, ignored)) return std::nullopt;
  return directory.string();
}

std::string why_not_opened(const std::string& file, int error) {
  if (const auto directory = missing_directory(file)) return "the directory " + *directory + " does not exist";
  return std::generic_category().message(error);
}

}  // namespace forebay
