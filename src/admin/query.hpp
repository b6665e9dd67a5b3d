#pragma once

#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace forebay::admin {

/// The parameters of a query, decoded; the last one of a name counts, but for those of `joined`, whose values are
/// joined by blanks. Nothing, with a sentence in `fault`, where there is one that is not in `names`.
std::optional<std::map<std::string, std::string, std::less<>>> read_query(std::string_view query,
                                                                          std::initializer_list<std::string_view> names,
                                                                          std::string& fault,
                                                                          std::string_view joined = {});

/// A whole number between `least` and `most`; nothing for all else.
std::optional<unsigned> read_count(std::string_view text, unsigned least, unsigned most);

}  // namespace forebay::admin
