#pragma once

#include <array>
#include <charconv>
#include <cstddef>
#include <string>
#include <string_view>

// Text as bytes, in ASCII and UTF-8. Nothing here depends on the locale.

namespace forebay {

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr bool is_upper(char c) noexcept { return c >= 'A' && c <= 'Z'; }
constexpr bool is_lower(char c) noexcept { return c >= 'a' && c <= 'z'; }
constexpr bool is_letter(char c) noexcept { return is_lower(c) || is_upper(c); }
constexpr bool is_alnum(char c) noexcept { return is_letter(c) || is_digit(c); }
/// Space or tab.
constexpr bool is_blank(char c) noexcept { return c == ' ' || c == '\t'; }
/// Without the blanks at both ends (OWS, RFC 9110 section 5.6.3).
constexpr std::string_view trim(std::string_view text) noexcept {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

constexpr char to_lower(char c) noexcept { return is_upper(c) ? static_cast<char>(c | 0x20) : c; }
constexpr char to_upper(char c) noexcept { return is_lower(c) ? static_cast<char>(c & ~0x20) : c; }
inline void make_lower(std::string& text) noexcept {
  for (char& c : text) c = to_lower(c);
}
inline void append_lower(std::string& out, std::string_view text) {
  for (const char c : text) out.push_back(to_lower(c));
}
std::string lower_case(std::string_view text);
std::string upper_case(std::string_view text);
/// Whether `a` is sorted before `b`, without regard to the case of letters.
bool less_ignoring_case(std::string_view a, std::string_view b) noexcept;

/// The value of a hexadecimal digit of either case; -1 for any other byte.
constexpr int hex_value(char c) noexcept {
  if (is_digit(c)) return c - '0';
  const char low = static_cast<char>(c | 0x20);
  return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}
constexpr bool is_hex(char c) noexcept { return hex_value(c) >= 0; }
/// Whether all of it is hexadecimal digits in lower case.
bool is_lower_hex(std::string_view text) noexcept;
inline constexpr char kLowerHex[] = "0123456789abcdef";
inline constexpr char kUpperHex[] = "0123456789ABCDEF";
/// Two digits in lower case.
inline void append_hex(std::string& out, unsigned char byte) {
  const char two[] = {kLowerHex[byte >> 4], kLowerHex[byte & 15]};
  out.append(two, 2);
}

/// The byte that a percent-encoding (RFC 3986 section 2.1) at the front of `text` stands for; -1 when there is none.
constexpr int percent_decoded(std::string_view text) noexcept {
  if (text.size() < 3 || text[0] != '%') return -1;
  const int high = hex_value(text[1]), low = hex_value(text[2]);
  return (high | low) < 0 ? -1 : high << 4 | low;
}
/// All of them replaced by their bytes; any other `%` stays.
std::string percent_decoded_text(std::string_view text);
/// `%` and two digits in upper case.
inline void append_percent_encoded(std::string& out, unsigned char byte) {
  const char three[] = {'%', kUpperHex[byte >> 4], kUpperHex[byte & 15]};
  out.append(three, 3);
}

/// An integer in digits; letters are in lower case.
template <int Base = 10, class T>
void append_number(std::string& out, T n) {
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, n, Base).ptr);
}

/// How many bytes the UTF-8 sequence at the front has (RFC 3629: shortest form, no surrogates, up to U+10FFFF); 0 when
/// there is none. `text` is not empty.
inline std::size_t utf8_length(std::string_view text) noexcept {
  const auto byte = [text](std::size_t i) -> unsigned {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0;
  };
  const auto follows = [byte](std::size_t i, unsigned from = 0x80, unsigned to = 0xBF) {
    return byte(i) >= from && byte(i) <= to;
  };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead < 0xC2) return 0;
  if (lead < 0xE0) return follows(1) ? 2 : 0;
  if (lead < 0xF0) {
    const bool second = follows(1, lead == 0xE0 ? 0xA0 : 0x80, lead == 0xED ? 0x9F : 0xBF);
    return second && follows(2) ? 3 : 0;
  }
  if (lead > 0xF4) return 0;
  const bool second = follows(1, lead == 0xF0 ? 0x90 : 0x80, lead == 0xF4 ? 0x8F : 0xBF);
  return second && follows(2) && follows(3) ? 4 : 0;
}
bool is_utf8(std::string_view text) noexcept;
/// `code` is a Unicode scalar value.
void append_utf8(std::string& out, unsigned code);
/// The text with U+FFFD in place of each byte that belongs to no character.
std::string as_utf8(std::string_view text);

/// Which bytes `append_escaped_text` escapes, and how.
struct TextEscapes {
  std::array<char, 256> letters{};  ///< What stands behind the backslash, `u` for \u00XX; 0: the byte stands as it is.
  std::string_view broken;          ///< What stands in place of a byte that belongs to no UTF-8 sequence.
};
constexpr TextEscapes json_escapes() noexcept {
  TextEscapes e{{}, "\\ufffd"};
  for (std::size_t c = 0; c < 0x20; ++c) e.letters[c] = 'u';
  e.letters['\b'] = 'b';
  e.letters['\t'] = 't';
  e.letters['\n'] = 'n';
  e.letters['\f'] = 'f';
  e.letters['\r'] = 'r';
  e.letters['"'] = '"';
  e.letters['\\'] = '\\';
  return e;
}
/// A JSON string as RFC 8785 section 3.2.2.2 has it.
inline constexpr TextEscapes kCanonicalJsonEscapes = json_escapes();
/// A JSON string that is shown to people: DEL, which a terminal may act on, is escaped too.
inline constexpr TextEscapes kJsonEscapes = [] {
  auto e = json_escapes();
  e.letters[0x7F] = 'u';
  return e;
}();

/// Appends `text` with its escapes, without quotes. What anybody sends can end neither a string nor a line.
void append_escaped_text(std::string& out, std::string_view text, const TextEscapes& escapes);
/// Appends `text` as a JSON string with its quotes.
void append_json_string(std::string& out, std::string_view text, const TextEscapes& escapes = kJsonEscapes);

}  // namespace forebay
