#pragma once

#include <cstddef>
#include <string>
#include <string_view>

// Text for terminals, of which parts were written by strangers.

namespace forebay {

/// The text with a question mark in place of each byte or character that a terminal may act on: control characters (C0,
/// DEL, C1), marks that change the direction of text, and bytes that belong to no character.
std::string harmless(std::string_view text);

/// The text in exactly so many columns: cut, with a tilde at its end, or filled with blanks. Counts characters, so wide
/// ones take more. `text` is harmless.
std::string in_columns(std::string_view text, std::size_t columns, bool right_aligned = false);

}  // namespace forebay
