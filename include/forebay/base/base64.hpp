#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace forebay {

/// RFC 4648 section 4, with padding.
std::string to_base64(std::string_view bytes);
/// Whether bits behind the last byte, which no encoder leaves, may be other than 0.
enum class StrayBits { Refused, Ignored };
/// Nothing for invalid input; padding is optional.
std::optional<std::string> from_base64(std::string_view text, StrayBits stray = StrayBits::Refused);

}  // namespace forebay
