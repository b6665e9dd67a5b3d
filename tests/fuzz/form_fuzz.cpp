#include <cstdint>
#include <string>
#include <vector>

#include "forebay/base/text.hpp"
#include "forebay/content/form.hpp"
#include "forebay/content/media_type.hpp"
#include "forebay/http/names.hpp"
#include "invariant.hpp"

namespace {

using namespace forebay;
using fuzz::require;

void append_encoded(std::string& out, std::string_view text) {
  for (const char c : text) append_percent_encoded(out, static_cast<unsigned char>(c));
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

// A name may be read as itself, in every kind; and what all read as one of a list, some do.
void check_names(std::string_view text) {
  using http::NameKind;
  const std::string name(text.substr(0, 64));
  if (name.find('*') == std::string::npos)
    for (const auto kind : {NameKind::Field, NameKind::Parameter, NameKind::Cookie})
      require(http::may_be_read_as(kind, name, name));
  const std::vector<std::string> listed{"lang", "utm_*", name};
  if (http::is_read_as_one_of(text, listed)) require(http::may_be_read_as_any(NameKind::Parameter, text, listed));
  http::any_name_between_semicolons(text, [&](std::string_view part) {
    require(fuzz::lies_within(part, text) && part.find_first_of(";=") == std::string_view::npos);
    return false;
  });
  http::any_cookie_name(text, [&](std::string_view cookie) {
    require(!cookie.empty() && fuzz::lies_within(cookie, text) &&
            cookie.find_first_of(";,=") == std::string_view::npos);
    return false;
  });
  http::is_plain_cookie_line(text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::Exact input(fuzz::as_text(data, size));
  check_form(input.view());
  check_type(input.view());
  check_names(input.view());
  return 0;
}
