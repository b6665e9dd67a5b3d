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
  content::append_normal_type(normal, text);
  require(normal.size() <= text.size());
  std::string again;
  content::append_normal_type(again, normal);
  require(again == normal);
  if (content::is_json(text)) require(content::is_json(normal));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::Exact input(fuzz::as_text(data, size));
  check_form(input.view());
  check_type(input.view());
  return 0;
}
