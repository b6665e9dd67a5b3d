#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace forebay::app {

/// Damerau-Levenshtein distance with adjacent transpositions.
std::size_t edit_distance(std::string_view a, std::string_view b);
/// The candidate nearest to `word`, if it is near enough to have been meant: at most max(1, length / 3) edits.
std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace forebay::app
