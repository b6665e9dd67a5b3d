#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace forebay::test {

/// The scalars of a JSON object by their dotted path ("cache.result"); strings without quotes, all else as written.
/// Nothing when the text is no single JSON object.
std::optional<std::map<std::string, std::string>> flatten_json(std::string_view text);

}  // namespace forebay::test
