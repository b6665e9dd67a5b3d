#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "forebay/base/error.hpp"

namespace forebay::content {

/// Type and subtype without parameters and without blanks around them; as sent, not lowered.
std::string_view essence(std::string_view content_type) noexcept;
/// Whether the essence is `type` (lower case), in any case.
bool is_type(std::string_view content_type, std::string_view type) noexcept;
/// application/json, text/json or a +json type.
bool is_json(std::string_view content_type) noexcept;

/// The charset of a media type: none, UTF-8, ASCII, or another one (also when there are two).
enum class Charset : std::uint8_t { Unsaid, Utf8, Ascii, Other };

/// Appends a media type in canonical form: type, subtype, names of parameters and the value of `charset` in lower case,
/// no blanks around `;` and at both ends. Returns its charset. `Malformed` for text that does not follow RFC 9110
/// section 8.3.1 exactly, which some parsers repair and others refuse; `out` is unspecified then.
Result<Charset> append_normal_type(std::string& out, std::string_view content_type);

}  // namespace forebay::content
