#include "forebay/content/form.hpp"

namespace forebay::content {
namespace {

// The value of a hex digit; above 15 for what is none.
constexpr unsigned hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? static_cast<unsigned>(lower - 'a' + 10) : 16;
}

// The byte that the three at the front of `text` stand for; above 255 for what is no escape.
constexpr unsigned escaped_byte(std::string_view text) noexcept {
  if (text.size() < 3 || text[0] != '%') return 256;
  const unsigned high = hex_value(text[1]);
  const unsigned low = hex_value(text[2]);
  return (high | low) > 15 ? 256 : high << 4 | low;
}

}  // namespace

Result<void> append_form_decoded(std::string_view text, std::string& out) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      out.push_back(' ');
    } else if (text[i] != '%') {
      out.push_back(text[i]);
    } else {
      const unsigned byte = escaped_byte(text.substr(i));
      if (byte > 255) return Errc::Malformed;
      out.push_back(static_cast<char>(byte));
      i += 2;
    }
  }
  return {};
}

Result<void> read_form(std::string_view content, std::string& buffer, std::vector<FormField>& out) {
  out.clear();
  buffer.clear();
  // Decoding never makes anything longer, so that the views below stay good.
  buffer.reserve(content.size());
  while (!content.empty()) {
    const std::size_t end = content.find('&');
    const std::string_view piece = content.substr(0, end);
    content = end == std::string_view::npos ? std::string_view{} : content.substr(end + 1);
    if (piece.empty()) continue;
    const std::size_t equals = piece.find('=');
    const std::size_t from = buffer.size();
    if (auto name = append_form_decoded(piece.substr(0, equals), buffer); !name) return name;
    const std::size_t middle = buffer.size();
    if (equals != std::string_view::npos) {
      if (auto value = append_form_decoded(piece.substr(equals + 1), buffer); !value) return value;
    }
    const std::string_view decoded = buffer;
    out.push_back({decoded.substr(from, middle - from), decoded.substr(middle), piece});
  }
  return {};
}

}  // namespace forebay::content
