#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace forebay::config {

struct Schema;

/// Edits that make one word of the other: insertions, deletions, substitutions and swaps of neighbours.
std::size_t edit_distance(std::string_view a, std::string_view b);
/// The candidate within a third of the word's length (at least one edit), the nearest first; camelCase and dashes count
/// as snake_case.
std::optional<std::string> nearest(std::string_view word, const std::vector<std::string_view>& candidates);
/// What to say about an unknown key among the children of `where` (and of `also`): a sibling, the place where it
/// belongs, the name it has here; empty when nothing comes near.
std::string suggest_key(std::string_view key, const Schema& where, const Schema* also);
/// Whether a key that nobody reads at this place is one of a later version, wherever that has it: `tls` at the top
/// level.
bool is_of_later_version(std::string_view key, const Schema& where, const Schema* also);
/// "at the top level", "in a route", "in \"server.timeouts\"".
std::string place_in_words(const Schema& where);

}  // namespace forebay::config
