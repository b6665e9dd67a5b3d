#include "forebay/content/form.hpp"

#include <algorithm>
#include <array>

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

// Letters that no reader does anything with.
constexpr std::array<bool, 256> kSpecial = [] {
  std::array<bool, 256> set{};
  for (const char c : {'%', '+', '[', '.', ' '}) set[static_cast<unsigned char>(c)] = true;
  return set;
}();

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

NameReadings::NameReadings(std::string_view name, std::string& buffer) {
  add(name);
  if (std::none_of(name.begin(), name.end(), [](char c) { return kSpecial[static_cast<unsigned char>(c)]; })) return;
  buffer.clear();
  buffer.reserve(2 * name.size());  // as it is and as PHP has it: the views stay good
  for (std::size_t i = 0; i < name.size(); ++i) {
    const unsigned byte = escaped_byte(name.substr(i));
    buffer.push_back(byte < 256 ? static_cast<char>(byte) : name[i] == '+' ? ' ' : name[i]);
    if (byte < 256) i += 2;
  }
  const std::string_view decoded = buffer;
  add(decoded);
  if (decoded.find_first_of(" .[") == std::string_view::npos) return;

  const auto first = decoded.find('['), last = decoded.rfind('[');
  if (first != std::string_view::npos) add(decoded.substr(0, first));
  if (last != first) add(decoded.substr(0, last));
  buffer.append(buffer, std::min(decoded.find_first_not_of(' '), decoded.size()));
  const auto ours = std::string_view(buffer).substr(decoded.size());
  const auto bracket = ours.find('[');
  for (std::size_t i = decoded.size(); i < buffer.size(); ++i)
    if (buffer[i] == ' ' || buffer[i] == '.' || buffer[i] == '[') buffer[i] = '_';
  add(ours);
  if (bracket != std::string_view::npos) add(ours.substr(0, bracket));
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
