#include "forebay/base/terminal_text.hpp"

#include <algorithm>

#include "forebay/base/text.hpp"

namespace forebay {
namespace {

/// U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069 as UTF-8 has them.
bool turns_text(std::string_view c) {
  return c == "\xE2\x80\x8E" || c == "\xE2\x80\x8F" || (c >= "\xE2\x80\xAA" && c <= "\xE2\x80\xAE") ||
         (c >= "\xE2\x81\xA6" && c <= "\xE2\x81\xA9");
}

}  // namespace

std::string harmless(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto size = utf8_length(text);
    const auto character = text.substr(0, size == 0 ? 1 : size);
    const auto first = static_cast<unsigned char>(character[0]);
    const bool control = first < 0x20 || first == 0x7F ||
                         (size == 2 && first == 0xC2 && static_cast<unsigned char>(character[1]) < 0xA0);
    if (size == 0 || control || turns_text(character))
      out += '?';
    else
      out += character;
    text.remove_prefix(character.size());
  }
  return out;
}

std::string in_columns(std::string_view text, std::size_t columns, bool right_aligned) {
  std::string out;
  std::size_t used = 0;
  std::size_t last = 0;  // where the last character begins
  while (!text.empty() && used < columns) {
    const auto size = std::max<std::size_t>(1, utf8_length(text));
    last = out.size();
    out += text.substr(0, size);
    text.remove_prefix(size);
    ++used;
  }
  if (!text.empty() && used > 0) out.replace(last, std::string::npos, "~");
  const std::string blanks(columns - used, ' ');
  return right_aligned ? blanks + out : out + blanks;
}

}  // namespace forebay
