#pragma once

#include <string_view>

namespace forebay::content {

/// Takes one letter from the front, in lower case: ASCII letters, and the two others whose lower case is ASCII, the
/// long s (U+017F) and the Kelvin sign (U+212A).
inline unsigned take_folded(std::string_view& text) noexcept {
  const auto byte = [&text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned c = byte(0);
  if (c == 0xC5 && text.size() > 1 && byte(1) == 0xBF) {
    text.remove_prefix(2);
    return 's';
  }
  if (c == 0xE2 && text.size() > 2 && byte(1) == 0x84 && byte(2) == 0xAA) {
    text.remove_prefix(3);
    return 'k';
  }
  text.remove_prefix(1);
  return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

/// Whether some parsers treat two names as equal: those that ignore case, such as Go's encoding/json, and those that
/// end a name at a NUL.
inline bool same_folded(std::string_view a, std::string_view b) noexcept {
  const auto ended = [](std::string_view text) { return text.empty() || text.front() == '\0'; };
  while (!ended(a) && !ended(b))
    if (take_folded(a) != take_folded(b)) return false;
  return ended(a) && ended(b);
}

}  // namespace forebay::content
