#pragma once

#include <cstdint>
#include <string_view>

#include "forebay/base/text.hpp"
#include "forebay/http/list.hpp"
#include "forebay/http/message.hpp"
#include "forebay/http/target.hpp"

// Shared parts of HTTP/1 requests and responses.

namespace forebay::http {

// "HTTP/" DIGIT "." DIGIT. Every minor version above 0 is handled as 1.1 (RFC 9110 section 2.5).
struct VersionText {
  int major = -1;
  Version version = Version::Http11;
};
inline VersionText read_version(std::string_view text) noexcept {
  if (text.size() != 8 || !text.starts_with("HTTP/") || !is_digit(text[5]) || text[6] != '.' || !is_digit(text[7])) {
    return {};
  }
  return {text[5] - '0', text[7] == '0' ? Version::Http10 : Version::Http11};
}

inline bool read_length_digits(std::string_view text, std::uint64_t& length) noexcept {
  return parse_decimal(text, UINT64_MAX, length) && length < UINT64_MAX;
}

// Fields that control framing, routing, caching, authorisation or content are not allowed in a trailer section: merged
// into the head, they would change a decision already made (RFC 9110 section 6.5.1).
bool may_be_trailer(FieldId id) noexcept;

// The connection options of Connection (RFC 9112 section 9.3).
struct Persistence {
  bool close = false, keep_alive = false;

  void read(std::string_view value) noexcept {
    close |= has_piece(value, "close");
    keep_alive |= has_member(value, "keep-alive");
  }
  bool lasts(Version version) const noexcept { return !close && (version != Version::Http10 || keep_alive); }
};

}  // namespace forebay::http
