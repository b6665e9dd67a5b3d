#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace forebay::content {

/// Appends the text of a value in the form of `CanonicalJson`: of a string without its quotes, of a number, `true` and
/// `false` as they are; of an array that of each of its members. Objects, arrays in arrays, `null` and empty strings
/// have none.
void append_scalars(std::string_view canonical, std::vector<std::string>& out);

}  // namespace forebay::content
