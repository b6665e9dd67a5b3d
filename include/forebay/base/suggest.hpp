#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace forebay {

/// Edits that make one word of the other: insertions, deletions, substitutions and swaps of neighbours. Only the first
/// 64 bytes of each word count.
std::size_t edit_distance(std::string_view a, std::string_view b);
/// The candidate within a third of the word's length (at least one edit), the nearest first, but not the word itself;
/// camelCase and dashes count as snake_case.
std::optional<std::string> nearest(std::string_view word, const std::vector<std::string_view>& candidates);
/// camelCase, kebab-case and capitals in snake_case, at most 64 bytes of the word.
std::string snake_case(std::string_view word);

}  // namespace forebay
