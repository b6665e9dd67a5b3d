#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "forebay/http/target.hpp"
#include "forebay/rules/condition.hpp"

namespace forebay::rules {

/// Yes where a glob matches the text, Unclear where one does that takes no notice of case, or of blanks around.
Verdict text_meets(const std::vector<std::string>& globs, std::string_view text) noexcept;

/// Puts a parameter's decoded value into `out`. False where readers do not agree on it: an escape that is none, a `+`
/// (a blank to readers of forms), a control byte, a semicolon.
bool decode_value(const http::QueryPair& pair, std::string& out);

}  // namespace forebay::rules
