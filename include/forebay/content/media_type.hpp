#pragma once

#include <string>
#include <string_view>

namespace forebay::content {

/// Type and subtype without parameters and without blanks around them; as sent, not lowered.
std::string_view essence(std::string_view content_type) noexcept;
/// Whether the essence is `type` (lower case), in any case.
bool is_type(std::string_view content_type, std::string_view type) noexcept;
/// application/json, text/json or a +json type.
bool is_json(std::string_view content_type) noexcept;
/// Appends it in lower case and without blanks outside of quoted strings (whose inside stays as it is).
void append_normal_type(std::string& out, std::string_view content_type);

}  // namespace forebay::content
