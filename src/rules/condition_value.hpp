#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "forebay/http/target.hpp"
#include "forebay/rules/condition.hpp"

namespace forebay::rules {

/// Yes if a glob matches the text, Unclear if it matches only without regard to case or surrounding blanks.
Verdict text_meets(const std::vector<std::string>& globs, std::string_view text) noexcept;

/// Decodes a parameter's value into `out`. False if parsers disagree on it: an invalid escape, a `+` (a space in
/// forms), a control byte, a semicolon.
bool decode_value(const http::QueryPair& pair, std::string& out);

}  // namespace forebay::rules
