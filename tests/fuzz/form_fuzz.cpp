#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "forebay/content/form.hpp"
#include "forebay/content/media_type.hpp"
#include "invariant.hpp"

namespace {

using namespace forebay;
using fuzz::require;

void append_encoded(std::string& out, std::string_view text) {
  constexpr char kHex[] = "0123456789ABCDEF";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out += {'%', kHex[byte >> 4], kHex[byte & 15]};
  }
}

void check_form(std::string_view text) {
  std::string buffer;
  std::vector<content::FormField> fields;
  if (!content::read_form(text, buffer, fields)) return;
  require(buffer.size() <= text.size());
  std::string written;
  for (const auto& field : fields) {
    require(fuzz::lies_within(field.name, buffer) && fuzz::lies_within(field.value, buffer));
    if (!written.empty()) written += '&';
    append_encoded(written, field.name);
    written += '=';
    append_encoded(written, field.value);
  }
  // Fields written anew are read as the same fields.
  std::string other_buffer;
  std::vector<content::FormField> others;
  require(content::read_form(written, other_buffer, others).has_value());
  require(others.size() == fields.size());
  for (std::size_t i = 0; i < fields.size(); ++i)
    require(others[i].name == fields[i].name && others[i].value == fields[i].value);
}

void check_type(std::string_view text) {
  require(fuzz::lies_within(content::essence(text), text));
  std::string normal;
  const auto charset = content::append_normal_type(normal, text);
  if (!charset) return;
  require(normal.size() <= text.size());
  std::string again;
  const auto other = content::append_normal_type(again, normal);
  require(other && *other == *charset && again == normal);
  require(content::is_json(text) == content::is_json(normal));
}

// Each reading lies in the name or in the buffer, the name as sent among them; parts between semicolons are read too.
void check_names(std::string_view text) {
  std::string buffer;
  const content::NameReadings readings(text, buffer);
  require(*readings.begin() == text);
  for (const auto reading : readings) require(fuzz::lies_within(reading, text) || fuzz::lies_within(reading, buffer));
  std::string decoded;
  if (content::append_form_decoded(text, decoded))
    require(std::find(readings.begin(), readings.end(), decoded) != readings.end());
  content::any_name_between_semicolons(text, [&](std::string_view name) {
    require(fuzz::lies_within(name, text) && name.find_first_of(";=") == std::string_view::npos);
    return false;
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::Exact input(fuzz::as_text(data, size));
  check_form(input.view());
  check_type(input.view());
  check_names(input.view());
  return 0;
}
