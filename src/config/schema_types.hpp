#pragma once

#include <string>
#include <string_view>
#include <vector>

// The types of keys in JSON Schema.

namespace forebay::config {

std::string json_text(std::string_view text);

/// The value of a key by the words of its type: `duration`, `list of glob`, `off | on`, `ratio or auto`. `map` stands
/// for the word "map" in them. A type that is not known takes any value and has a `$comment`.
std::string type_schema(std::string_view type, std::string_view bounds, const std::string& map);
/// Of one of the scalar types.
std::string scalar_schema(std::string_view type, std::string_view bounds);
/// What `scalar_schema` refers to, as members of `$defs`.
std::string scalar_definitions();

std::string any_of(const std::vector<std::string>& schemas);
/// A list; one element may stand without brackets.
std::string list_of(const std::string& element);
/// A map of these members and of `x-` keys.
std::string map_of_keys(const std::string& properties, const std::string& required);
/// A map of the user's own names.
std::string map_of_names(const std::string& value);

}  // namespace forebay::config
