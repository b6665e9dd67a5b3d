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

/// What a media type says of its text: nothing, UTF-8, a part of it, or something else (also when it says two things).
enum class Charset : std::uint8_t { Unsaid, Utf8, Ascii, Other };

/// Appends a media type in a form in which equal types have equal text: type, subtype, names of parameters and the
/// value of `charset` in lower case, no blanks around `;` and at both ends. Gives its charset. `Malformed` for what is
/// no media type by the letter of RFC 9110 section 8.3.1, which some readers mend and others refuse; `out` means
/// nothing then.
Result<Charset> append_normal_type(std::string& out, std::string_view content_type);

}  // namespace forebay::content
