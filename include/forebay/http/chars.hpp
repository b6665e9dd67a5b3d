#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "forebay/base/text.hpp"

namespace forebay::http {

// Character classes of RFC 9110 and RFC 3986, as bits of one table, so that a byte's class is one load.
enum CharClass : std::uint8_t {
  kTchar = 1,       // token characters, RFC 9110 section 5.6.2
  kUnreserved = 2,  // RFC 3986 section 2.3
  kSubDelim = 4,    // RFC 3986 section 2.2
  kTarget = 8,      // allowed in a request target: visible ASCII except '#'
  kText = 16,       // allowed in a field value: HTAB, SP, VCHAR and obs-text
};

inline constexpr std::array<std::uint8_t, 256> kCharTable = [] {
  std::array<std::uint8_t, 256> t{};
  const auto mark = [&t](std::string_view chars, std::uint8_t bits) {
    for (const char c : chars) t[static_cast<unsigned char>(c)] |= bits;
  };
  for (unsigned c = 0; c < 256; ++c) {
    if (is_alnum(static_cast<char>(c))) t[c] |= kTchar | kUnreserved;
    if (c > 0x20 && c < 0x7F && c != '#') t[c] |= kTarget;
    if (c == '\t' || (c >= 0x20 && c != 0x7F)) t[c] |= kText;
  }
  mark("!#$%&'*+-.^_`|~", kTchar);
  mark("-._~", kUnreserved);
  mark("!$&'()*+,;=", kSubDelim);
  return t;
}();

constexpr bool is_class(char c, unsigned bits) noexcept {
  return (kCharTable[static_cast<unsigned char>(c)] & bits) != 0;
}

}  // namespace forebay::http
