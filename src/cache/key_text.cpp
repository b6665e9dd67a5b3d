#include "key_text.hpp"

#include "forebay/base/hash.hpp"

namespace forebay::cache {
namespace {

constexpr char kHex[] = "0123456789ABCDEF";

int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool unreserved(int c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

}  // namespace

void append_escaped(std::string& out, std::string_view s, const ByteSet& escaped) {
  const auto at = [&](std::size_t i) { return escaped[static_cast<unsigned char>(s[i])]; };
  std::size_t from = 0;
  for (std::size_t i = 0; i < s.size();) {
    // Most texts have nothing to escape: four bytes at a time are looked at.
    if (i + 4 <= s.size() && !(at(i) | at(i + 1) | at(i + 2) | at(i + 3))) {
      i += 4;
      continue;
    }
    const auto c = static_cast<unsigned char>(s[i++]);
    if (!escaped[c]) continue;
    out.append(s, from, i - 1 - from);
    const char code[] = {'%', kHex[c >> 4], kHex[c & 15]};
    out.append(code, 3);
    from = i;
  }
  out.append(s, from);
}

void append_digest(std::string& out, std::string_view s) {
  out += "%sha256:";
  append_sha256_hex(out, s);
}

void append_value(std::string& out, std::string_view s, const ByteSet& escaped) {
  if (s.size() > kLongestValue)
    append_digest(out, s);
  else
    append_escaped(out, s, escaped);
}

void decode_unreserved(std::string_view s, std::string& out) {
  out.clear();
  for (std::size_t i = 0; i < s.size(); ++i) {
    if (s[i] == '%' && i + 2 < s.size()) {
      const int hi = hex_value(s[i + 1]), lo = hex_value(s[i + 2]);
      if (hi >= 0 && lo >= 0 && unreserved(hi * 16 + lo)) {
        out += static_cast<char>(hi * 16 + lo);
        i += 2;
        continue;
      }
    }
    out += s[i];
  }
}

}  // namespace forebay::cache
