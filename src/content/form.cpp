#include "forebay/content/form.hpp"

#include "forebay/base/text.hpp"

namespace forebay::content {
Result<void> append_form_decoded(std::string_view text, std::string& out) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      out.push_back(' ');
    } else if (text[i] != '%') {
      out.push_back(text[i]);
    } else {
      const int byte = percent_decoded(text.substr(i));
      if (byte < 0) return Errc::Malformed;
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
