#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "forebay/base/clock.hpp"
#include "forebay/config/load.hpp"

namespace forebay::admin {

/// A JSON object. Nothing, with a sentence in `fault`, for anything else, and where a name stands twice: readers differ
/// in which of the two counts.
std::optional<boost::json::object> read_object(std::string_view content, std::string& fault);

/// The members of a small request document, which are all texts. No content is an empty document. Nothing, with a
/// sentence in `fault`, for what is no JSON object, has other members or other values.
std::optional<std::map<std::string, std::string, std::less<>>> read_texts(std::string_view content,
                                                                          std::initializer_list<std::string_view> names,
                                                                          std::string& fault);

/// As `check --format json` prints them.
boost::json::value to_json_value(const std::vector<config::Diagnostic>& diagnostics);
/// RFC 3339, UTC, in whole seconds.
std::string time_text(std::int64_t unix_seconds);
/// The same document without exponents in its numbers: Boost writes 0.5 as 5E-1.
std::string with_plain_numbers(std::string_view document);
/// A number of seconds, without a fraction where it has none.
boost::json::value seconds(Duration d);

}  // namespace forebay::admin
