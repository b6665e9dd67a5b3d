#pragma once

#include <string>
#include <string_view>

// Bytes as text: what JSON can hold of them.

namespace forebay::admin {

/// Whether JSON can hold it as it is.
bool is_utf8(std::string_view text) noexcept;
/// With U+FFFD in place of each byte that belongs to no character.
std::string as_utf8(std::string_view text);

}  // namespace forebay::admin
