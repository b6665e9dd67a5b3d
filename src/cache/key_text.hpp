#pragma once

#include <array>
#include <string>
#include <string_view>

#include "forebay/http/chars.hpp"

namespace forebay::cache {

/// Which bytes are percent-encoded inside a part of a key's text: the separators of the text and of the part, `%`
/// itself and control bytes. So each text can be parsed in only one way.
using ByteSet = std::array<bool, 256>;

constexpr ByteSet escaping(std::string_view separators) {
  ByteSet set{};
  for (std::size_t i = 0; i < 0x20; ++i) set[i] = true;
  set[0x7F] = set['%'] = set['|'] = true;
  for (const char c : separators) set[static_cast<unsigned char>(c)] = true;
  return set;
}

/// All but the bytes of a token (RFC 9110 section 5.6.2), and of those `%` and `|`.
constexpr ByteSet escaping_all_but_token() {
  ByteSet set{};
  for (std::size_t i = 0; i < 256; ++i) {
    const char c = static_cast<char>(i);
    set[i] = !http::is_class(c, http::kTchar) || c == '%' || c == '|';
  }
  return set;
}

inline constexpr ByteSet kInPart = escaping("");
inline constexpr ByteSet kInName = escaping("&=");
inline constexpr ByteSet kInValue = escaping("&");
inline constexpr ByteSet kInPiece = escaping(" =");      ///< Where pieces are joined by a space.
inline constexpr ByteSet kInPointer = escaping(" ={}");  ///< Braces mark the steps of a pointer.
inline constexpr ByteSet kInMember = escaping_all_but_token();

void append_escaped(std::string& out, std::string_view s, const ByteSet& escaped);
/// A value of more than kLongestValue bytes, or a part, is replaced by its digest. Escaping never produces `%s`, so
/// nothing else looks like a digest.
inline constexpr std::size_t kLongestValue = 1024;
void append_digest(std::string& out, std::string_view s);
void append_value(std::string& out, std::string_view s, const ByteSet& escaped);

/// RFC 3986 section 6.2.2.2: `%61` and `a` are equal. Separators are not decoded. `out` is overwritten.
void decode_unreserved(std::string_view s, std::string& out);

}  // namespace forebay::cache
