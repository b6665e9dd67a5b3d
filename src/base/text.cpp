#include "forebay/base/text.hpp"

#include <algorithm>

namespace forebay {

std::string percent_decoded_text(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const int byte = percent_decoded(text);
    out += byte < 0 ? text.front() : static_cast<char>(byte);
    text.remove_prefix(byte < 0 ? 1 : 3);
  }
  return out;
}

std::string lower_case(std::string_view text) {
  std::string out(text);
  make_lower(out);
  return out;
}

std::string upper_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = to_upper(c);
  return out;
}

bool less_ignoring_case(std::string_view a, std::string_view b) noexcept {
  const auto byte = [](char c) { return static_cast<unsigned char>(to_lower(c)); };
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                      [byte](char x, char y) { return byte(x) < byte(y); });
}

bool is_lower_hex(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), [](char c) { return is_hex(c) && !is_upper(c); });
}

bool is_utf8(std::string_view text) noexcept {
  while (!text.empty()) {
    const auto n = utf8_length(text);
    if (n == 0) return false;
    text.remove_prefix(n);
  }
  return true;
}

void append_utf8(std::string& out, unsigned code) {
  if (code < 0x80) {
    out.push_back(static_cast<char>(code));
    return;
  }
  const auto tail = [&out, code](int shift) { out.push_back(static_cast<char>(0x80 | (code >> shift & 0x3F))); };
  if (code < 0x800) {
    out.push_back(static_cast<char>(0xC0 | code >> 6));
  } else if (code < 0x10000) {
    out.push_back(static_cast<char>(0xE0 | code >> 12));
    tail(6);
  } else {
    out.push_back(static_cast<char>(0xF0 | code >> 18));
    tail(12);
    tail(6);
  }
  tail(0);
}

std::string as_utf8(std::string_view text) {
  static constexpr TextEscapes kNone{{}, "\xEF\xBF\xBD"};
  std::string out;
  out.reserve(text.size());
  append_escaped_text(out, text, kNone);
  return out;
}

void append_escaped_text(std::string& out, std::string_view text, const TextEscapes& escapes) {
  std::size_t from = 0;
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    const char letter = escapes.letters[c];
    if (letter == 0) {
      const auto n = c < 0x80 ? 1 : utf8_length(text.substr(i));
      if (n > 0) {
        i += n;
        continue;
      }
    }
    // All up to here at once.
    out.append(text, from, i - from);
    from = ++i;
    if (letter == 0) {
      out.append(escapes.broken);
      continue;
    }
    out.push_back('\\');
    out.push_back(letter);
    if (letter != 'u') continue;
    out.append("00");
    append_hex(out, c);
  }
  out.append(text, from);
}

void append_json_string(std::string& out, std::string_view text, const TextEscapes& escapes) {
  out.push_back('"');
  append_escaped_text(out, text, escapes);
  out.push_back('"');
}

}  // namespace forebay
