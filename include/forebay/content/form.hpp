#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "forebay/base/error.hpp"

namespace forebay::content {

/// One field of application/x-www-form-urlencoded content, decoded; views into the buffer that `read_form` filled.
struct FormField {
  std::string_view name;
  std::string_view value;  ///< `a` and `a=` are equal, as in all form parsers.
  std::string_view sent;   ///< All of it, undecoded; a view into the content.
};
/// Fields in order; `+` and `%20` are a space, empty pieces between `&` are skipped. `Malformed` for a `%` without two
/// hex digits, which parsers treat differently. `buffer` and `out` are overwritten; their memory is reused.
Result<void> read_form(std::string_view content, std::string& buffer, std::vector<FormField>& out);
/// Decodes one name or value of a query or form the same way and appends it.
Result<void> append_form_decoded(std::string_view text, std::string& out);

}  // namespace forebay::content
