#include "key_text.hpp"

#include "forebay/base/hash.hpp"
#include "forebay/base/text.hpp"
#include "forebay/http/chars.hpp"

namespace forebay::cache {

void append_escaped(std::string& out, std::string_view s, const ByteSet& escaped) {
  const auto at = [&](std::size_t i) { return escaped[static_cast<unsigned char>(s[i])]; };
  std::size_t from = 0;
  for (std::size_t i = 0; i < s.size();) {
    // Most texts need no escapes: checks four bytes at a time.
    if (i + 4 <= s.size() && !(at(i) | at(i + 1) | at(i + 2) | at(i + 3))) {
      i += 4;
      continue;
    }
    const auto c = static_cast<unsigned char>(s[i++]);
    if (!escaped[c]) continue;
    out.append(s, from, i - 1 - from);
    append_percent_encoded(out, c);
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
    const int byte = percent_decoded(s.substr(i));
    if (byte >= 0 && http::is_class(static_cast<char>(byte), http::kUnreserved)) {
      out += static_cast<char>(byte);
      i += 2;
    } else {
      out += s[i];
    }
  }
}

}  // namespace forebay::cache
