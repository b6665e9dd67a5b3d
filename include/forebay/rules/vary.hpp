#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "forebay/http/fields.hpp"

namespace forebay::rules {

/// More names in one Vary count as "*".
inline constexpr std::size_t kMostVaryNames = 64;

/// The names of a Vary field: lower case, sorted, without doubles. `any` for "*" anywhere in any line.
struct VaryList {
  bool any = false;
  std::vector<std::string> names;
  bool operator==(const VaryList&) const = default;
  bool empty() const noexcept { return !any && names.empty(); }
};
VaryList read_vary(http::FieldsView response_fields);

/// The secondary key (RFC 9111 section 4.1): for each name in order, its normalised value in this request, or a mark
/// for "absent". Lines are joined, white space around commas is normalised, Accept-Encoding and Accept-Language are put
/// in a normal form; inputs that may get different responses never give the same text. Appends to `out`.
void append_secondary_key(const std::vector<std::string>& names, http::FieldsView request_fields, std::string& out);
/// What each of the names has in such a text, as it is compared; nothing where the request lacks the field.
std::vector<std::optional<std::string>> secondary_values(std::string_view secondary);

}  // namespace forebay::rules
