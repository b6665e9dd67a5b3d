#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "config/node.hpp"
#include "config/report.hpp"
#include "config/scalar.hpp"

namespace forebay::config {

using Variables = std::function<std::optional<std::string>(const std::string&)>;

/// Reads one YAML document into a tree: anchors written out (bounded), `<<` merged, `${NAME}` replaced, duplicate keys
/// reported. Null when it is no YAML or has more than one document; then the report says so. With `flag` >= 0 the text
/// is that override's value.
NodePtr parse_yaml(std::string_view text, const Variables& variables, Report& report, int flag = -1);

/// `${NAME}`, `${NAME:-text}` and `$$` in `text`. Tells what is wrong with the first `${` that cannot be replaced: it
/// is no such form, or the variable is not set.
std::optional<Fault> expand_variables(std::string& text, const Variables& variables, bool& replaced);

}  // namespace forebay::config
