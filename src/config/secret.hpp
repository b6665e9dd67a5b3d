#pragma once

#include <string>
#include <string_view>

#include "config/section.hpp"

namespace forebay::config {

/// What `check --print` writes for a secret of the file. Loaded again it fits nothing that can be sent.
inline constexpr std::string_view kRedacted = "(redacted)";

/// `NAME` or its twin `NAME_file`, whose content is read here. An empty text is none. Leaves both targets alone when
/// neither key is there or what is there is wrong.
void read_secret(const Section& section, std::string_view name, std::string& value, std::string& file);

}  // namespace forebay::config
