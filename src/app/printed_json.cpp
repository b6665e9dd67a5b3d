#include "printed_json.hpp"

#include <cstdio>

#include "forebay/base/terminal_text.hpp"
#include "forebay/base/text.hpp"

namespace forebay::app {
namespace {

/// Of a character in UTF-8; U+FFFD for what is none.
unsigned code_point(std::string_view character) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(character[i]); };
  const auto low = [&](std::size_t i) { return byte(i) & 0x3FU; };
  switch (utf8_length(character)) {
    case 1: return byte(0);
    case 2: return (byte(0) & 0x1FU) << 6 | low(1);
    case 3: return (byte(0) & 0x0FU) << 12 | low(1) << 6 | low(2);
    default: return 0xFFFD;  // no longer character is harmful
  }
}

}  // namespace

std::string printed_json(std::string_view document) {
  std::string out;
  out.reserve(document.size());
  while (!document.empty()) {
    const auto size = utf8_length(document);
    const auto character = document.substr(0, size == 0 ? 1 : size);
    if (size != 0 && harmless(character) == character) {
      out += character;
    } else {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\u%04x", code_point(character) & 0xFFFFU);
      out += escaped;
    }
    document.remove_prefix(character.size());
  }
  return out;
}

std::string printed_line(std::string_view document) {
  while (document.ends_with('\n') || document.ends_with('\r')) document.remove_suffix(1);
  return printed_json(document) + '\n';
}

}  // namespace forebay::app
