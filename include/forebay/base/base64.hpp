#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace forebay {

/// RFC 4648 section 4, with padding.
std::string to_base64(std::string_view bytes);
/// Nothing for what is not exactly that; padding may be left out.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace forebay
